"""Non-wear told from counts alone: two published rules, for devices that tell nothing better.

Neither was validated on a vendor's step minutes; both were made for the counts of hip-worn
accelerometers. Minutes are numbered from 0; a stretch is its first minute and the one after its
last.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from warehouse.metrics._line import Bools, Ints, Spans

CHOI_MINUTES, CHOI_SPIKE_MINUTES, CHOI_WINDOW = 90, 2, 30
TROIANO_MINUTES, TROIANO_SPIKE_MINUTES, TROIANO_STOP = 60, 2, 100


@dataclass(frozen=True)
class Movement:
    """Runs of minutes with counts in several records (days, or a person's whole recording).

    `start` and `end` are those of each run, ascending, `high` whether it has TROIANO_STOP counts in
    a minute or more; `first` is where each record's runs begin, one number more than records;
    `begin` and `close` bound each record.
    """

    start: Ints
    end: Ints
    high: Bools
    first: Ints
    begin: Ints
    close: Ints

    def kept(self, which: Bools) -> Movement:
        """The same records with some runs only."""
        left = np.flatnonzero(which)  # taking these is many times as fast as by the flags
        first = np.searchsorted(left, self.first)
        start, end, high = self.start.take(left), self.end.take(left), self.high.take(left)
        return Movement(start, end, high, first, self.begin, self.close)

    @property
    def gaps(self) -> Spans:
        """What lies before each run, and then what lies after the last run of each record."""
        moved = np.diff(self.first) > 0
        start = np.append(0, self.end[:-1])[: self.end.size]
        start[self.first[:-1][moved]] = self.begin[moved]
        last = self.begin.copy()
        last[moved] = self.end[self.first[1:][moved] - 1]
        return Spans(np.append(start, last), np.append(self.start, self.close))

    def beside(self) -> tuple[Ints, Ints]:
        """Minutes without counts before and after each run."""
        apart = np.subtract(*self.gaps[::-1])
        before, last = apart[: self.start.size], apart[self.start.size :]
        after = np.append(before[1:], 0)[: before.size]
        moved = np.diff(self.first) > 0
        after[self.first[1:][moved] - 1] = last[moved]
        return before, after


def find_choi(movement: Movement, window: int = CHOI_WINDOW, open_ends: bool = False) -> Spans:
    """Choi et al., Med Sci Sports Exerc 2011;43:357: 90 minutes without counts or more.

    One or two minutes with counts are overlooked when `window` minutes before and after have none.
    `window` is 30 in ActiLife and actigraph.sleepr, 45 in the authors' own R package, which besides
    (`open_ends`) asks no more of a window than the record has, and has what comes before the first
    movement and after the last for non-wear however short it is.
    """
    before, after = movement.beside()
    short = movement.end - movement.start <= CHOI_SPIKE_MINUTES
    if open_ends:
        moved = np.diff(movement.first) > 0
        before[movement.first[:-1][moved]] *= window  # any at all will do
        after[movement.first[1:][moved] - 1] *= window
    left = movement.kept(~(short & (before >= window) & (after >= window)))
    start, end = left.gaps
    long = end - start >= CHOI_MINUTES
    if open_ends:
        long |= np.isin(start, left.begin) | np.isin(end, left.close)
    return Spans(start[long & (end > start)], end[long & (end > start)])


def find_troiano(movement: Movement, spike_minutes: int = TROIANO_SPIKE_MINUTES) -> Spans:
    """Troiano et al., Med Sci Sports Exerc 2008;40:181, as the NCI's programs have it.

    From a minute without counts on, 60 minutes or more, ended by a count of 100 or by more than
    `spike_minutes` consecutive minutes with counts. `spike_minutes` 0 is 60 minutes of zeros.
    """
    stops = (movement.end - movement.start > spike_minutes) | movement.high
    # movement at the very start or end of a record is worn, even where it stops nothing
    moved = np.flatnonzero(np.diff(movement.first))
    first, last = movement.first[:-1][moved], movement.first[1:][moved] - 1
    stops[first] |= movement.start[first] == movement.begin[moved]
    stops[last] |= movement.end[last] == movement.close[moved]
    start, end = movement.kept(stops).gaps
    long = end - start >= TROIANO_MINUTES
    return Spans(start[long], end[long])


def find_windows(
    counts: npt.NDArray[Any],
    spike_minutes: int = TROIANO_SPIKE_MINUTES,
    stop: int = TROIANO_STOP,
) -> Spans:
    """Non-wear by a moving window: every 60 minutes with at most `spike_minutes` counts below stop.

    The `accelerometry` package's own rule (nci = FALSE), after Troiano 2008.
    """
    at = np.flatnonzero(counts)
    at = np.repeat(at, np.where(counts[at] < stop, 1, spike_minutes + 1))
    apart = spike_minutes + 1
    edges = np.concatenate([[-1], at, np.full(apart, counts.size)])
    start, end = edges[:-apart] + 1, edges[apart:]
    long = end - start >= TROIANO_MINUTES
    return Spans(start[long], end[long])


def movement_of(counts: npt.NDArray[Any]) -> Movement:
    """One record, a count per minute, of one or several days."""
    edges = np.flatnonzero(np.diff(counts > 0, prepend=False, append=False))
    start, end = edges[::2], edges[1::2]
    high = high_runs(start, np.flatnonzero(counts >= TROIANO_STOP))
    return Movement(
        start, end, high, np.array([0, start.size]), np.array([0]), np.array([counts.size])
    )


def high_runs(start: Ints, at: Ints) -> Bools:
    """Which runs, by where each begins, have one of the places `at`, all of which lie in runs."""
    high = np.zeros(start.size, np.bool_)
    high[np.searchsorted(start, at, side="right") - 1] = True
    return high
