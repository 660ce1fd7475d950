"""Pseudonyms with a check digit, so that a mistyped one is nobody's instead of somebody else's.

[sources.study_team] of study.toml, which a study may leave out:

    prefix = "P-"                   # of every pseudonym made here
    digits = 4                      # of its number; a check digit follows

The check digit is Damm's (Totally anti-symmetric quasigroups, Marburg 2004): it tells every single
wrong digit and every two neighbours that changed places.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ingestion.errors import Misconfigured
from warehouse.study import Study

SECTION = "study_team"
ALLOWED = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")
WHAT_IS_ALLOWED = "give 1 to 32 letters (a-z), digits, - or _, the first no sign; never a name"
_TABLE = (
    "0317598642", "7092154863", "4206871359", "1750983426", "6123045978",
    "3674209581", "5869720134", "8945362017", "9438617205", "2581436790",
)  # fmt: skip


class Rule(BaseModel):
    """How pseudonyms are made: prefix, number of so many digits, check digit."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    prefix: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,19}$")] = "P-"
    digits: Annotated[int, Field(ge=2, le=9)] = 4

    def fits(self, pseudonym: str) -> bool:
        """Whether it looks like one made by this rule, whatever its check digit."""
        number = pseudonym.removeprefix(self.prefix)
        made = pseudonym.startswith(self.prefix) and number.isascii() and number.isdecimal()
        return made and len(number) == self.digits + 1

    def made_of(self, number: int) -> str:
        """The pseudonym of a number."""
        text = f"{number:0{self.digits}d}"
        return f"{self.prefix}{text}{check_digit(text)}"

    def next_after(self, used: Iterable[str], is_gone: Callable[[str], bool]) -> str:
        """The first after all that are `used`; one that `is_gone` is never given again."""
        numbers = [int(one.removeprefix(self.prefix)[:-1]) for one in used if self.fits(one)]
        for number in range(max(numbers, default=0) + 1, 10**self.digits):
            if not is_gone(made := self.made_of(number)):
                return made
        raise Misconfigured(
            f"study.toml: sources.{SECTION}.digits: no pseudonym of {self.digits} digits is left; "
            "give more digits"
        )


def check_digit(digits: str) -> str:
    """The digit that follows these.

    >>> check_digit("572")
    '4'
    """
    row = "0"
    for digit in digits:
        row = _TABLE[int(row)][int(digit)]
    return row


def read_rule(study: Study) -> Rule:
    """The rule of a study, or the default; Misconfigured names each setting that is wrong."""
    try:
        return Rule.model_validate(study.sources.get(SECTION, {}))
    except ValidationError as error:
        lines = [
            f"study.toml: sources.{SECTION}.{'.'.join(map(str, item['loc']))}: {item['msg']}"
            for item in error.errors()
        ]
        raise Misconfigured("\n".join(lines)) from None


def fault_of(pseudonym: str, rule: Rule) -> str | None:
    """What is wrong with a pseudonym that somebody gave; None when nothing."""
    if not ALLOWED.fullmatch(pseudonym) or pseudonym.casefold() == "all":  # as raw replies of all
        return WHAT_IS_ALLOWED
    if rule.fits(pseudonym) and check_digit(pseudonym.removeprefix(rule.prefix)) != "0":
        return "its check digit is wrong: it was mistyped, or made by another rule"
    return None
