"""Places on a line of minutes, and stretches of it."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Ints = npt.NDArray[np.signedinteger[Any]]  # of 32 bits for places on the line, of 64 for sums
Bools = npt.NDArray[np.bool_]
APART = 64  # minutes between two days on the line: no window of a metric reaches the next day
BITS = 16  # of a count or a length, as landed
COUNT = np.uint32((1 << BITS) - 1)


class Spans(NamedTuple):
    """Stretches of the line: the first minute of each, and the one after its last."""

    start: Ints
    end: Ints


def running(values: Array) -> Ints:
    """0 and the sums of the values up to each: the difference of two is the sum between."""
    up_to = np.zeros(values.size + 1, np.int64)
    np.cumsum(values, out=up_to[1:])
    return up_to


def runs_of(at: Ints) -> Spans:
    """Runs of places that follow each other."""
    first, last = run_ends(at)
    return Spans(at[first], at[last] + 1)


def run_ends(at: Ints) -> tuple[Ints, Ints]:
    """Where in `at` each run of places that follow each other begins, and has its last one."""
    if not at.size:
        return at, at
    breaks = np.flatnonzero(np.diff(at) != 1)
    return np.append(0, breaks + 1), np.append(breaks, at.size - 1)


def joined(spans: Spans) -> Spans:
    """Stretches in order of their start; those that touch or overlap made one."""
    if not spans.start.size:
        return spans
    reach = np.maximum.accumulate(spans.end)
    new = np.append(True, spans.start[1:] > reach[:-1])
    return Spans(spans.start[new], reach[np.append(np.flatnonzero(new)[1:] - 1, reach.size - 1)])


def ascending_keys(values: Ints, of_day: Ints) -> Array:
    """Values of some days, so many of each, day after day, ascending within: day << 16 | value.

    One number of 32 bits is the quickest to sort, and to find one of a day in. At most 65,536 days.
    """
    keys: Array = np.repeat(day_keys(of_day.size), of_day)
    keys |= values.astype(np.uint32)
    keys.sort()
    return keys


def day_keys(days: int) -> Array:
    """Where in `ascending_keys` each day's would begin."""
    return np.arange(days, dtype=np.uint32) << BITS
