"""Instruments as data: every other file in this folder describes one, as `INSTRUMENT`.

To add a questionnaire, add a file. Scoring (`transforms/outcomes/score.py`) reads these records and
has no instrument of its own. No item wording is kept here: most of it belongs to somebody.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Literal


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
class Scale:
    """One score of an instrument: a sum of `items`, from `low` to `high`.

    `reverse` items count as item_low + item_high - answer. `blank_is_not_applicable` scales do not
    concern everybody (work): left wholly blank in a form otherwise filled in, they have no score.
    A change in percent needs a baseline of `percent_from_baseline` or more.
    """

    code: str
    label: str
    items: tuple[str, ...]
    low: float
    high: float
    better: Literal["higher", "lower"]
    missing: Missing = Missing()
    reverse: tuple[str, ...] = ()
    blank_is_not_applicable: bool = False
    percent_from_baseline: float = 0
    mic: tuple[Threshold, ...] = ()
    mdc: tuple[Threshold, ...] = ()

    @property
    def direction(self) -> int:
        """+1 where higher is better, -1 where lower is: improvement = direction x change."""
        return 1 if self.better == "higher" else -1


@dataclass(frozen=True)
class Instrument:
    """A questionnaire: its items with their range and decimals, its scales, its papers.

    `recall_days` is how far back it asks (0: today; None: it does not say). Change
    `scoring_version` with any change that can alter a score.
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

    def __post_init__(self) -> None:
        for scale in self.scales:
            for sentence in self._faults(scale):
                raise InstrumentError(f"{self.code}, scale {scale.code}: {sentence}")

    def _faults(self, scale: Scale) -> list[str]:
        count = len(scale.items)
        reach = (count * self.item_low, count * self.item_high)
        filled_in = scale.missing.method != "none"
        rules = {
            "an item is not the instrument's": not set(scale.items) <= set(self.items),
            "an item is listed twice": len(set(scale.items)) < count,
            "a reverse item is not the scale's": not set(scale.reverse) <= set(scale.items),
            "its range is not that of its items": (scale.low, scale.high) != reach,
            "it needs an answer": scale.missing.at_most >= count,
            "its missing limit and method disagree": filled_in != (scale.missing.at_most > 0),
        }
        return [sentence for sentence, broken in rules.items() if broken]


@cache
def read_instruments() -> dict[str, Instrument]:
    """Every instrument of this folder by code; InstrumentError when a code is used twice."""
    found: dict[str, Instrument] = {}
    for module in sorted(iter_modules(__path__), key=lambda item: item.name):
        instrument = import_module(f"{__name__}.{module.name}").INSTRUMENT
        if instrument.code in found:
            raise InstrumentError(f"{module.name}.py: {instrument.code} is described twice")
        found[instrument.code] = instrument
    return found


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
