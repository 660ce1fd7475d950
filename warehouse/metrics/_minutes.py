"""The minutes of some days on one line, as every metric sees them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from warehouse.metrics._line import (
    COUNT,
    Array,
    Bools,
    Ints,
    Spans,
    ascending_keys,
    day_keys,
    joined,
    running,
)
from warehouse.metrics._sweep import Sweep, sweep

if TYPE_CHECKING:  # the protocol names columns of the tables, which follow from the metrics
    from warehouse.study import Wear

HOURS = 24
USUAL_DAY = 1440  # minutes: the local clock runs from 0 to 24 without a change


@dataclass(frozen=True)
class Minutes:
    """Days laid end to end: minute m of day d is at d x stride + m.

    `step_at` has the places of the minutes with steps, ascending, `steps` their counts, `clock`
    their minutes of the local clock, and `first` where each day's begin in these (a number more
    than days). `worn` has the stretches of wear as landed, `worn_from` as `first`. `length` is
    each day's, `waking` its waking hours, `has_wear` whether wear rests on minutes, and
    `ordinary` that the clock ran from 0 to 24 without a change. `wear` are the protocol's
    settings. A minute with steps is a known one even outside the stretches of wear: heart-rate
    readings have gaps. Places, minutes and counts are of 32 bits: half the work of 64 for the
    processor, and enough for any sum of a day. At most 65,536 days.
    """

    days: int
    stride: int
    step_at: Ints
    steps: Ints
    clock: Ints
    first: Ints
    worn: Spans
    worn_from: Ints
    length: Ints
    waking: Spans
    has_wear: Bools
    ordinary: Bools
    wear: Wear

    @cached_property
    def edges(self) -> Ints:
        """Where each day begins on the line, and where the last one ends."""
        return np.arange(self.days + 1, dtype=np.int32) * np.int32(self.stride)

    @cached_property
    def ranked(self) -> Array:
        """The counts of each day's minutes with steps, ascending, day after day as `first` says."""
        return self._keys & COUNT

    @cached_property
    def _keys(self) -> Array:
        return ascending_keys(self.steps, np.diff(self.first))

    def at_least(self, cadence: int) -> Ints:
        """How many minutes of each day have so many steps (1 to 65,535) or more."""
        sought = day_keys(self.days) | np.uint32(cadence)
        return self.first[1:] - np.searchsorted(self._keys, sought)

    @cached_property
    def most_steps(self) -> Ints:
        """The highest count of each day; 0 without any."""
        most, walked = np.zeros(self.days, np.int64), np.diff(self.first) > 0
        most[walked] = self.ranked[self.first[1:][walked] - 1]
        return most

    @cached_property
    def swept(self) -> Sweep:
        """The sums that are made from every minute of the line."""
        return sweep(self.days, self.stride, self.step_at, self.steps, self.known)

    @cached_property
    def day_steps(self) -> Ints:
        """Steps of each day."""
        return self.swept.day_steps

    @cached_property
    def hour_steps(self) -> Ints:
        """Steps by hour of the local clock as (days, 24); those past midnight are in none."""
        halves = self.swept.half_hours
        found = halves[:, ::2] + halves[:, 1::2]
        for day in np.flatnonzero(self.length != USUAL_DAY):  # about two a year
            mine = slice(*self.first[day : day + 2])
            hour, steps = self.clock[mine] // 60, self.steps[mine]
            shown = (hour >= 0) & (hour < HOURS)
            found[day] = np.bincount(hour[shown], steps[shown], HOURS)
        return found

    @cached_property
    def active_at(self) -> Ints:
        """The places of minutes that are not sedentary."""
        return self.at(self.steps >= self.wear.sedentary_below_cadence)

    @cached_property
    def worn_minutes(self) -> Ints:
        """Minutes of each day in its stretches of wear."""
        return np.diff(running(self.worn.end - self.worn.start)[self.worn_from])

    @cached_property
    def steps_in_wear(self) -> Ints:
        """Minutes with steps within each day's stretches of wear."""
        start, end = (np.searchsorted(self.step_at, edge) for edge in self.worn)
        return np.diff(running(end - start)[self.worn_from])

    @cached_property
    def known_minutes(self) -> Ints:
        """Worn minutes and minutes with steps of each day."""
        return self.worn_minutes + np.diff(self.first) - self.steps_in_wear

    @cached_property
    def known(self) -> Spans:
        """Worn minutes and minutes with steps as stretches that neither touch nor overlap."""
        start, end = joined(self.worn)
        low, high = np.searchsorted(self.step_at, start), np.searchsorted(self.step_at, end)
        if (high - low).sum() == self.step_at.size:
            return Spans(start, end)
        within = np.zeros(self.step_at.size + 1, np.int64)
        np.add.at(within, low, 1)
        np.add.at(within, high, -1)
        outside = self.step_at[np.cumsum(within[:-1]) == 0]
        start, end = np.append(start, outside), np.append(end, outside + 1)
        order = np.argsort(start, kind="stable")
        return joined(Spans(start[order], end[order]))

    def at(self, chosen: Bools) -> Ints:
        """The chosen ones of `step_at`."""
        return self.step_at.take(np.flatnonzero(chosen))  # many times as fast as by the flags

    def count(self, chosen: Bools) -> Ints:
        """How many minutes of each day are among the chosen ones of `step_at`."""
        return np.diff(np.searchsorted(np.flatnonzero(chosen), self.first))

    def per_day(self, at: Ints, values: Ints | None = None) -> Ints:
        """How many places in `at`, in any order, each day has, or the sum of their values."""
        found = np.bincount(at // self.stride, values, minlength=self.days)
        return found.astype(np.int64)
