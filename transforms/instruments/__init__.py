"""Instruments as data: every other file in this folder describes one, as `INSTRUMENT`.

To add a questionnaire, add a file. Scoring (`transforms/outcomes/score.py`) reads these records and
has no instrument of its own. No item wording is kept here: most of it belongs to somebody.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Literal

from transforms.scoring import Scoring, mean, percent, total


class InstrumentError(ValueError):
    """An instrument's record contradicts itself or another; the message names the file's fault."""


@dataclass(frozen=True)
class Threshold:
    """A smallest change that matters (MIC) or that exceeds measurement error (MDC)."""

    value: float
    kind: Literal["points", "percent"]
    source: str


@dataclass(frozen=True)
class Missing:
    """How many items may be blank, and what then fills them.

    `prorate` (mean of the answered x items) and `proportional` (sum x items / answered, the name
    used for yes/no lists) are one calculation; the result is kept unrounded.
    """

    at_most: int = 0
    method: Literal["none", "prorate", "proportional"] = "none"


@dataclass(frozen=True)
class Band:
    """A named part of a scale: scores up to and with `to`, or those `below` a score."""

    label: str
    to: float | None = None
    below: float | None = None

    @property
    def edge(self) -> float:
        found = self.to if self.below is None else self.below
        if found is None:
            raise InstrumentError(f"band {self.label!r} ends nowhere: give to, or below")
        return found


@dataclass(frozen=True)
class UserTable:
    """A table that may not be shipped: two columns, a row for each of `keys`, from study.toml."""

    columns: tuple[str, str]
    keys: tuple[int, ...]


@dataclass(frozen=True)
class SafetyRule:
    """An answer of `at_least` to `item` is an event of this `kind`, whatever the score."""

    kind: str
    item: str
    at_least: float


@dataclass(frozen=True)
class Answer:
    """What `items` can be answered, where it is not the instrument's usual range.

    `allowed` lists the values where some between low and high are none; a `duration` is in minutes
    and may also be written h:mm.
    """

    items: tuple[str, ...]
    low: float
    high: float
    decimals: int = 0
    allowed: tuple[float, ...] = ()
    duration: bool = False


@dataclass(frozen=True)
class Scale:
    """One score of an instrument, from `low` to `high`, made of `items` by `scoring`.

    `scoring` is `total`, `mean`, `percent` or a function of the instrument's own file; with a
    `table` it gives the key that is looked up. `reverse` items count as low + high - answer.
    `needs_besides` are items of other scales that its own function reads too: an answer to one of
    those that is none of its own leaves this scale unscored as well.
    `blank_is_not_applicable` scales do not concern everybody (work): left wholly blank in a form
    otherwise filled in, they have no score. A change in percent needs a baseline of
    `percent_from_baseline` or more. `bands` rise to `high`; `rounded` (half up) before or not.
    """

    code: str
    label: str
    items: tuple[str, ...]
    low: float
    high: float
    better: Literal["higher", "lower"]
    missing: Missing = Missing()
    reverse: tuple[str, ...] = ()
    needs_besides: tuple[str, ...] = ()
    blank_is_not_applicable: bool = False
    percent_from_baseline: float = 0
    mic: tuple[Threshold, ...] = ()
    mdc: tuple[Threshold, ...] = ()
    scoring: Scoring = total
    rounding: Literal["none", "up"] = "none"
    bands: tuple[Band, ...] = ()
    bands_on: Literal["rounded", "unrounded"] = "unrounded"
    bands_source: str = ""
    table: UserTable | None = None
    note: str = ""

    @property
    def direction(self) -> int:
        """+1 where higher is better, -1 where lower is: improvement = direction x change."""
        return 1 if self.better == "higher" else -1


@dataclass(frozen=True)
class Instrument:
    """A questionnaire: its items with their range and decimals, its scales, its papers.

    `recall_days` is how far back it asks (0: today; None: it does not say). `marked_twice` is what
    counts where an item has two marks (`2;3`). Change `scoring_version` with any change that can
    alter a score.
    """

    code: str
    name: str
    version: str
    items: tuple[str, ...]
    item_low: float
    item_high: float
    scales: tuple[Scale, ...]
    recall_days: int | None
    licence: str
    citation: str
    scoring_version: str
    item_decimals: int = 0
    other_answers: tuple[Answer, ...] = ()
    marked_twice: Literal["", "higher"] = ""
    safety_rules: tuple[SafetyRule, ...] = ()

    def __post_init__(self) -> None:
        for scale in self.scales:
            for sentence in self._faults(scale):
                raise InstrumentError(f"{self.code}, scale {scale.code}: {sentence}")
        named = [one for answer in self.other_answers for one in answer.items]
        for item in [*named, *(rule.item for rule in self.safety_rules)]:
            if item not in self.items:
                raise InstrumentError(f"{self.code}: {item!r} is not one of its items")

    def answer(self, item: str) -> Answer:
        """What the item can be answered."""
        for other in self.other_answers:
            if item in other.items:
                return other
        return Answer(self.items, self.item_low, self.item_high, self.item_decimals)

    def _faults(self, scale: Scale) -> list[str]:
        count = len(scale.items)
        if not set(scale.items) <= set(self.items):
            return ["an item is not the instrument's"]
        filled_in = scale.missing.method != "none"
        edges = [band.edge for band in scale.bands]
        rules = {
            "an item is listed twice": len(set(scale.items)) < count,
            "an item that it needs besides is its own, or not the instrument's": not set(
                scale.needs_besides
            )
            <= set(self.items) - set(scale.items),
            "a reverse item is not the scale's": not set(scale.reverse) <= set(scale.items),
            "its range is not that of its items": (scale.low, scale.high) != self._reach(scale),
            "it needs an answer": scale.missing.at_most >= count,
            "its missing limit and method disagree": filled_in != (scale.missing.at_most > 0),
            "its bands do not rise to its top": edges != sorted(set(edges))
            or (edges and edges[-1] != scale.high),
            "its bands have no source": bool(edges) and not scale.bands_source,
        }
        return [sentence for sentence, broken in rules.items() if broken]

    def _reach(self, scale: Scale) -> tuple[float, float]:
        """Lowest and highest score of a usual scoring; another's are as stated."""
        answers = [self.answer(item) for item in scale.items]
        low, high = sum(one.low for one in answers), sum(one.high for one in answers)
        if scale.table is None and scale.scoring is total:
            return low, high
        if scale.table is None and scale.scoring is mean:
            return low / len(answers), high / len(answers)
        return (0, 100) if scale.scoring is percent else (scale.low, scale.high)


def numbered(last: int) -> tuple[str, ...]:
    """Items 1 to `last`."""
    return tuple(str(item) for item in range(1, last + 1))


@cache
def read_instruments() -> dict[str, Instrument]:
    """Every instrument of this folder by code; InstrumentError when a code is used twice.

    A file has one `INSTRUMENT`, or forms of one family as `INSTRUMENTS`.
    """
    found: dict[str, Instrument] = {}
    for module in sorted(iter_modules(__path__), key=lambda item: item.name):
        if module.name.startswith("_"):
            continue
        for instrument in _of_file(module.name):
            if instrument.code in found:
                raise InstrumentError(f"{module.name}.py: {instrument.code} is described twice")
            found[instrument.code] = instrument
    return found


def _of_file(name: str) -> Iterable[Instrument]:
    module = import_module(f"{__name__}.{name}")
    family: Iterable[Instrument] = getattr(module, "INSTRUMENTS", ())
    return family or (module.INSTRUMENT,)


@cache
def read_scales() -> dict[str, tuple[Instrument, Scale]]:
    """Every scale by code with its instrument; InstrumentError when a code is used twice."""
    found: dict[str, tuple[Instrument, Scale]] = {}
    for instrument in read_instruments().values():
        for scale in instrument.scales:
            if scale.code in found:
                raise InstrumentError(f"{instrument.code}: scale {scale.code} is described twice")
            found[scale.code] = (instrument, scale)
    return found
