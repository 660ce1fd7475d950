"""Step counts over irregular intervals, as steps by the minute; what overlaps is counted once.

Apple Health and Health Connect keep a count with its start and end, and several apps or devices
may have counted the same walk. The rules here:

- at every instant the record that is first in order counts, and no other (the order is a source's
  priority, then the newer word): so Health Connect adds up itself (its PriorityRecordsAggregator).
  A record that is partly hidden by another keeps the share of the time it still has;
- a count is spread evenly over its interval, in whole steps by largest remainder: what the minutes
  get and what is hidden sum to the count;
- a record without length stands in the minute of its start.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
MINUTE_MS = 60_000
_TOGETHER = 20_000  # records at a time, so that memory does not grow with the years
_NOBODY = np.iinfo(np.int64).max


@dataclass(frozen=True)
class Spread:
    """Steps by the minute: `minute` counts from 1970-01-01 00:00 UTC, ascending, each once, with
    more than 0 steps. `kept` has for each record given how many of its steps are among them."""

    minute: Ints
    steps: Ints
    kept: Ints


def spread(starts: Ints, ends: Ints, counts: Ints, order: Ints) -> Spread:
    """Counts over [start, end), in milliseconds from 1970-01-01 UTC, as steps by the minute.

    `order` is lower for what goes first where records overlap; among equals the earlier start,
    then the shorter record, then the larger count. The sequence of the records means nothing.
    Give no count below 0 or above a million, and no interval longer than some days: a count stands
    for its whole interval.
    """
    ends = np.maximum(ends, starts + 1)
    kept = np.zeros(starts.size, np.int64)
    minutes, steps = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for some in _apart(starts, ends):
        record, minute, share = _shares(starts[some], ends[some], counts[some], order[some])
        kept[some] = _sums(record, share, some.size)
        at, sums = total_by(minute, share)
        minutes.append(at[sums > 0])
        steps.append(sums[sums > 0])
    return Spread(*total_by(np.concatenate(minutes), np.concatenate(steps)), kept)


def total_by(keys: Ints, values: Ints) -> tuple[Ints, Ints]:
    """The distinct keys, ascending, and the sum of the values of each."""
    distinct, place = np.unique(keys, return_inverse=True)
    return distinct, _sums(place, values, distinct.size)


def _sums(place: Ints, values: Ints, size: int) -> Ints:
    # As floats these sums are exact: far below 2 ** 53.
    return np.bincount(place, weights=values, minlength=size).astype(np.int64)


def _apart(starts: Ints, ends: Ints) -> Iterator[Ints]:
    """Which records, some at a time, such that none overlaps a record of another time."""
    by_start = np.argsort(starts, kind="stable")
    reach = np.maximum.accumulate(ends[by_start])
    gaps = np.flatnonzero(starts[by_start][1:] >= reach[:-1]) + 1
    after = np.searchsorted(gaps, np.arange(_TOGETHER, starts.size, _TOGETHER))
    cuts = np.unique(gaps[after[after < gaps.size]])
    yield from (some for some in np.split(by_start, cuts) if some.size)


def _shares(starts: Ints, ends: Ints, counts: Ints, order: Ints) -> tuple[Ints, Ints, Ints]:
    """Record, minute and steps: each minute of each record that counts there."""
    begin, end, owner = _counted(starts, ends, np.lexsort((-counts, ends, starts, order)))
    first = begin // MINUTE_MS
    pieces = (end - 1) // MINUTE_MS - first + 1
    piece = np.repeat(np.arange(begin.size), pieces)
    minute = first[piece] + np.arange(piece.size) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    lasts = np.minimum(end[piece], (minute + 1) * MINUTE_MS) - np.maximum(
        begin[piece], minute * MINUTE_MS
    )
    base = int(minute.min())
    width = int(minute.max()) - base + 2  # the last one is for what is hidden
    keys, lengths = total_by(owner[piece] * width + minute - base, lasts)
    hidden = ends - starts - _sums(keys // width, lengths, starts.size)
    keys = np.concatenate([keys, (np.arange(starts.size) + 1) * width - 1])
    record, at = keys // width, keys % width
    share = _largest_remainder(record, at, np.append(lengths, hidden), counts)
    seen = at < width - 1
    return record[seen], at[seen] + base, share[seen]


def _largest_remainder(record: Ints, at: Ints, lengths: Ints, counts: Ints) -> Ints:
    """Whole steps for each piece of a record: in proportion, and summing to its count."""
    whole_length = _sums(record, lengths, counts.size)[record]
    share, rest = np.divmod(counts[record] * lengths, whole_length)
    left = counts - _sums(record, share, counts.size)
    turn = np.lexsort((at, -rest, record))
    firsts = np.searchsorted(record[turn], np.arange(counts.size))
    place = np.arange(turn.size) - firsts[record[turn]]
    share[turn] += place < left[record[turn]]
    return share


def _counted(starts: Ints, ends: Ints, ranked: Ints) -> tuple[Ints, Ints, Ints]:
    """The stretches of time between any two edges that a record covers: begin, end, and which
    record counts there. `ranked` has the records, first in order first."""
    edges = np.unique(np.concatenate([starts, ends]))
    low, high = np.searchsorted(edges, starts[ranked]), np.searchsorted(edges, ends[ranked])
    first = _least_covering(low, high, edges.size - 1)
    covered = np.flatnonzero(first < _NOBODY)
    return edges[covered], edges[covered + 1], ranked[first[covered]]


def _least_covering(low: Ints, high: Ints, size: int) -> Ints:
    """For each place up to `size` the least i with low[i] <= place < high[i], else _NOBODY.

    Every range is two ranges of a power of two, which are halved together, longest first.
    """
    level = np.log2(high - low).astype(np.int64)
    least = np.full(size, _NOBODY)  # at level k: of the ranges that begin here, 2 ** k long
    for k in range(int(level.max(initial=0)), -1, -1):
        here = np.flatnonzero(level == k)
        np.minimum.at(least, low[here], here)
        np.minimum.at(least, high[here] - 2**k, here)
        if k:
            half, longer = 2 ** (k - 1), least
            least = longer.copy()
            least[half:] = np.minimum(longer[half:], longer[:-half])
    return least
