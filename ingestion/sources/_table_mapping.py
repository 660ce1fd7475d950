"""[sources.table_export] of study.toml, and the column names that need no setting.

All settings are in the words of ingestion.sources.table_export.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from ingestion.delimited import normal
from ingestion.errors import Misconfigured
from ingestion.sources._redcap_mapping import Instrument
from warehouse.instrument_tables import read_items
from warehouse.study import Study
from warehouse.study_parts import Code

SECTION = "sources.table_export"
# Other names that the columns of an instrument may begin with, beside its code.
ALIASES = {"LCAT": ("function", "func"), "RMDQ24": ("rmdq",)}
# The items of every instrument, and the names their columns may begin with.
KNOWN = {
    code: (items, (normal(code), *ALIASES.get(code, ()))) for code, items in read_items().items()
}


class Mapping(BaseModel):
    """The section as it was checked."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    dates: Literal["day_first", "month_first"] | None = None
    visits: dict[str, Code] = {}
    instruments: dict[Code, Instrument] = {}

    @property
    def items(self) -> dict[str, tuple[str, ...]]:
        """The items of each instrument: the known ones, and those of the settings."""
        known = {code: items for code, (items, _) in KNOWN.items()}
        return known | {code: tuple(one.by_item) for code, one in self.instruments.items()}

    def columns(self, names: Iterable[str]) -> dict[str, tuple[str, str]]:
        """Column -> (instrument, item), of the normal column names given."""
        said = {
            normal(field): (code, item)
            for code, one in self.instruments.items()
            for item, field in one.by_item.items()
        }
        found = {name: said.get(name) or _guessed(name, set(self.instruments)) for name in names}
        return {name: where for name, where in found.items() if where}

    def date_column(self, code: str, names: Iterable[str]) -> str:
        """The column with the day of an instrument's answers; `answeredon` when it has none."""
        one = self.instruments.get(code)
        starts = KNOWN[code][1] if code in KNOWN else ()
        wanted = [normal(one.date)] if one and one.date else [f"{start}date" for start in starts]
        return next((name for name in wanted if name in names), "answeredon")


def read_mapping(study: Study) -> Mapping:
    """The section of a study, or the defaults; Misconfigured names each setting that is wrong."""
    try:
        mapping = Mapping.model_validate(study.sources.get("table_export", {}))
    except ValidationError as error:
        lines = [
            f"study.toml: {'.'.join(map(str, (SECTION, *item['loc'])))}: {item['msg']}"
            for item in error.errors()
        ]
        raise Misconfigured("\n".join(lines)) from None
    visits = [visit.code for visit in study.visits]
    for text, code in mapping.visits.items():
        if code not in visits:
            raise Misconfigured(
                f"study.toml: {SECTION}.visits: {text!r} is given the unknown visit {code!r}; "
                f"known: {', '.join(visits)}"
            )
    return mapping


def item_of(code: str, text: str, items: tuple[str, ...]) -> str | None:
    """The item that a table calls `text`: `3`, `fabq_3` and `FABQ03` are item 3; None if none."""
    name = normal(text)
    starts = (normal(code), *KNOWN.get(code, ((), ()))[1])
    if len(items) == 1 and name in ("", *starts):
        return items[0]
    for item in items:
        if name in (normal(item), *(start + normal(item) for start in starts)):
            return item
    number = re.fullmatch(rf"(?:{'|'.join(starts)})?0*(\d+)", name)
    return number.group(1) if number and number.group(1) in items else None


def _guessed(name: str, settled: set[str]) -> tuple[str, str] | None:
    """The instrument and item a column is named after; instruments of the settings never are."""
    for code, (items, starts) in KNOWN.items():
        if code not in settled and name.startswith(starts):
            item = item_of(code, name, items)
            if item:
                return code, item
    return None
