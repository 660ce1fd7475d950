"""The usual ways from answers to a score, and what an instrument's own way gives back.

A scoring is a pure function of many forms at once: columns of numbers in, `Scored` out. It never
sees who answered. Blank is NaN on the way in and on the way out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from transforms.instruments import Missing, Scale

Numbers: TypeAlias = npt.NDArray[np.float64]
Flags: TypeAlias = npt.NDArray[np.bool_]
Words: TypeAlias = npt.NDArray[np.object_]


@dataclass(frozen=True)
class Forms:
    """Filled-in forms of one instrument: `values` is forms x items; low, high are by item."""

    items: tuple[str, ...]
    values: Numbers
    low: Numbers
    high: Numbers

    def column(self, item: str) -> Numbers:
        return self.values[:, self.items.index(item)]

    def of(self, items: Sequence[str], reverse: Sequence[str] = ()) -> Numbers:
        """Forms x `items`; a reversed item counts from the other end of its range."""
        place = [self.items.index(item) for item in items]
        found = self.values[:, place].copy()
        for position, item in enumerate(items):
            if item in reverse:
                ends = self.low[place[position]] + self.high[place[position]]
                found[:, position] = ends - found[:, position]
        return found


@dataclass(frozen=True)
class Scored:
    """A score per form, NaN where there is none; `why` then says so, else it is empty.

    It is a code of `NOT_SCORED`, a colon and the particulars: `missing: 2 items`.
    `band` is None unless the scoring itself puts the form into a category.
    """

    score: Numbers
    why: Words
    prorated: Flags
    band: Words | None = None


Scoring: TypeAlias = Callable[[Forms, "Scale"], Scored]


def total(forms: Forms, scale: Scale) -> Scored:
    """Sum of the items; where some are blank, mean of the answered x number of items."""
    return scaled(forms.of(scale.items, scale.reverse), scale.missing, len(scale.items))


def mean(forms: Forms, scale: Scale) -> Scored:
    """Mean of the answered items."""
    return scaled(forms.of(scale.items, scale.reverse), scale.missing, 1)


def percent(forms: Forms, scale: Scale) -> Scored:
    """100 x sum above the lowest possible / widest possible sum of the answered items.

    The items of such a scale have one range.
    """
    first = forms.items.index(scale.items[0])
    low, high = forms.low[first], forms.high[first]
    above = forms.of(scale.items, scale.reverse) - low
    return scaled(above, scale.missing, 100, high - low)


def scaled(values: Numbers, missing: Missing, factor: float, divisor: float = 1) -> Scored:
    """sum x factor / (divisor x answered) of each row, unless too many are blank.

    Added up item by item in their order, so that a build gives the same figures twice.
    """
    blank = np.isnan(values)
    added = np.zeros(len(values))
    for column in np.where(blank, 0.0, values).T:
        added = added + column
    absent = blank.sum(axis=1)
    scored = absent <= missing.at_most
    answered = np.where(scored, values.shape[1] - absent, 1) * divisor
    score = np.where(scored, added * factor / answered, np.nan)
    return Scored(score, too_many(absent, ~scored), scored & (absent > 0))


def too_many(absent: npt.NDArray[np.int64], where: Flags) -> Words:
    """`missing: n items` where that is why, else empty."""
    why = np.full(len(absent), "", dtype=object)
    why[where] = [f"missing: {n} item{'s' if n > 1 else ''}" for n in absent[where]]
    return why


def complete(score: Numbers, absent: npt.NDArray[np.int64], band: Words | None = None) -> Scored:
    """A score that no blank is allowed in: `absent` counts the blanks of each form."""
    score = np.where(absent > 0, np.nan, score)
    return Scored(score, too_many(absent, absent > 0), np.zeros(len(score), dtype=bool), band)
