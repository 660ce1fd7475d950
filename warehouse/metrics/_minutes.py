"""The minutes of some days on one line, as every metric sees them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:  # the protocol names columns of the tables, which follow from the metrics
    from warehouse.study import Wear

Array = npt.NDArray[Any]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
APART = 64  # minutes between two days on the line: no window of a metric reaches the next day
HOURS = 24


class Spans(NamedTuple):
    """Stretches of the line: the first minute of each, and the one after its last."""

    start: Ints
    end: Ints


@dataclass(frozen=True)
class Minutes:
    """Days laid end to end: minute m of day d is at d x stride + m.

    `step_at` has the places of the minutes with steps, ascending, `steps` their counts, `clock`
    their minutes of the local clock, and `first` where each day's begin in these (a number more
    than days). `worn` has the stretches of wear as landed, `worn_from` as `first`. `length` is
    each day's, `waking` its waking hours, `has_wear` whether wear rests on minutes, and
    `ordinary` that the clock ran from 0 to 24 without a change. `wear` are the protocol's
    settings. A minute with steps is a known one even outside the stretches of wear: heart-rate
    readings have gaps.
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
    def day(self) -> Ints:
        """The day of each minute with steps."""
        return np.repeat(np.arange(self.days), np.diff(self.first))

    @cached_property
    def edges(self) -> Ints:
        """Where each day begins on the line, and where the last one ends."""
        return np.arange(self.days + 1) * self.stride

    @cached_property
    def steps_before(self) -> Ints:
        """Steps up to each minute with steps, and all of them at the end."""
        return running(self.steps)

    @cached_property
    def day_steps(self) -> Ints:
        """Steps of each day."""
        return np.diff(self.steps_before[self.first])

    @cached_property
    def hour_steps(self) -> Ints:
        """Steps by hour of the local clock as (days, 24); those past midnight are in none."""
        hour = np.minimum(self.clock // 60, HOURS)
        cells = self.day * (HOURS + 1) + hour
        steps = np.bincount(cells, self.steps, minlength=self.days * (HOURS + 1))
        return steps.astype(np.int64).reshape(-1, HOURS + 1)[:, :HOURS]

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

    def highest(self, values: Array) -> Ints:
        """The highest of each day's values, one of each minute with steps; -1 without any."""
        most = np.full(self.days, -1)
        walked = np.diff(self.first) > 0
        if walked.any():
            most[walked] = np.maximum.reduceat(values, self.first[:-1][walked])
        return most

    def per_day(self, at: Ints, values: Ints | None = None) -> Ints:
        """How many places in `at`, in any order, each day has, or the sum of their values."""
        found = np.bincount(at // self.stride, values, minlength=self.days)
        return found.astype(np.int64)


def running(values: Array) -> Ints:
    """0 and the sums of the values up to each: the difference of two is the sum between."""
    up_to = np.zeros(values.size + 1, np.int64)
    np.cumsum(values, out=up_to[1:])
    return up_to


def runs_of(at: Ints) -> Spans:
    """Runs of places that follow each other."""
    begins = np.flatnonzero(np.diff(at, prepend=-2) != 1)
    return Spans(at[begins], at[np.append(begins[1:], at.size)[: begins.size] - 1] + 1)


def joined(spans: Spans) -> Spans:
    """Stretches in order of their start; those that touch or overlap made one."""
    if not spans.start.size:
        return spans
    reach = np.maximum.accumulate(spans.end)
    new = np.append(True, spans.start[1:] > reach[:-1])
    return Spans(spans.start[new], reach[np.append(np.flatnonzero(new)[1:] - 1, reach.size - 1)])
