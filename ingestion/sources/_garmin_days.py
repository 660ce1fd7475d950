"""Counters of steps as minutes of local days.

A counter counts from local midnight, for each activity type of its own: what it says more than its
last word is walked in between. Where it says less, the device began anew, from nothing.

- The stretch of a difference is the time since the message before, where the reading says that its
  activity lasted so long; else the time since the counter's last word, at most since midnight. Its
  steps are spread over it evenly (ingestion.intervals).
- A reading at midnight ends the day before, and so does the summary of a day, which is stamped at
  the next midnight; a summary that says less than the counter changes no minute.
- Of two devices on one day, the one that counted more speaks for the time between its first and
  last word of the day; the other for what is left. They are never added.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ingestion.intervals import spread
from ingestion.source import Count
from ingestion.sources._garmin_readings import DAY, NO_OFFSET, Ints

MINUTE = 60
MOST_PER_SECOND = 500  # 30,000 a minute is no count; what nobody walks is judged per day
AT_MIDNIGHT = 900  # seconds in which the first word of a day may still be the last one's
Flags = npt.NDArray[np.bool_]
Moments = tuple[Ints, Ints]  # device, time


@dataclass(frozen=True)
class Counters:
    """Readings of step counters, one array element each; see Readings for what they are.

    `told` is 1 where the file itself tells the offset, and so when its counters begin anew.
    """

    device: Ints
    kind: Ints
    time: Ints
    offset: Ints
    steps: Ints
    stretch: Ints
    sums: Ints
    file: Ints
    told: Ints

    def take(self, which: Ints | Flags) -> Counters:
        return Counters(*(getattr(self, name)[which] for name in self.__dataclass_fields__))

    @property
    def day(self) -> Ints:
        """The local day, since 1970, that each reading ends a part of."""
        return ended_day(self.time, self.offset)


@dataclass(frozen=True)
class Minutes:
    """Minutes with steps, counted from 1970 UTC, each with its local day; a minute that is of two
    activity types stands twice."""

    minute: Ints
    day: Ints
    steps: Ints


def counters_of(rows: Iterable[tuple[int, ...]], offsets: Ints) -> Counters:
    """Rows of Readings as columns; `offsets` are those of the rows, none unknown."""
    columns = columns_of(rows, 8)
    told = (columns[3] != NO_OFFSET).astype(np.int64)
    return Counters(*[*columns[:3], offsets, *columns[4:], told])


def columns_of(rows: Iterable[tuple[int, ...]], width: int) -> list[Ints]:
    """Rows as one array for each of `width` columns."""
    table = np.array(list(rows), np.int64).reshape(-1, width)
    return [np.ascontiguousarray(table[:, n]) for n in range(width)]


def ended_day(time: Ints, offset: Ints) -> Ints:
    """The local day that ends at or after each instant: midnight still is of the day before."""
    return (time - 1 + offset) // DAY


def each_once(found: Counters, reach: Ints, count: Count) -> Counters:
    """One word for each device, type and instant: that of the file which reaches furthest."""
    order = np.lexsort((found.steps, reach[found.file], found.time, found.kind, found.device))
    found = found.take(order)
    again = np.zeros(found.time.size, np.bool_)
    again[:-1] = ~_changes(found.device, found.kind, found.time)
    winner = np.flatnonzero(~again)[np.searchsorted(np.flatnonzero(~again), np.arange(again.size))]
    same = found.steps == found.steps[winner]
    count.reject("repeated", int((again & same).sum()))
    count.reject("replaced_by_another_word", int((again & ~same).sum()))
    return found.take(~again)


def one_device(found: Counters, count: Count) -> Counters:
    """The readings left when, day by day, the device that counted more speaks first."""
    if np.unique(found.device).size < 2:
        return found
    kept = np.ones(found.time.size, np.bool_)
    for day in np.unique(found.day):
        today = np.flatnonzero(found.day == day)
        spans: list[tuple[int, int]] = []
        for device in _by_steps(found.take(today)):
            mine = today[found.device[today] == device]
            time = found.time[mine]
            hidden = np.zeros(mine.size, np.bool_)
            for first, last in spans:
                hidden |= (time >= first) & (time <= last)
            kept[mine[hidden]] = False
            spans.append((int(time.min()), int(time.max())))
    count.reject("another_device", int((~kept).sum()))
    return found.take(kept)


def minutes_of(found: Counters, marks: Moments, known_from: Moments, count: Count) -> Minutes:
    """The minutes of readings, which are sorted by device, type and time; counts what lands.

    `marks` has every message of each device as device and time, `known_from` every instant from
    which a device's messages are all here.
    """
    before = np.concatenate([[0], np.arange(found.time.size - 1)])[: found.time.size]
    first, steps = _differences(found, before)
    starts = _starts(found, before, first, marks, known_from)
    bad = steps > MOST_PER_SECOND * (found.time - starts)
    count.reject("impossible", int(bad.sum()))
    count.landed += int((~bad).sum())
    use = np.flatnonzero(~bad & (steps > 0))
    groups = found.device[use] * 256 + found.kind[use]
    parts = [
        _spread(starts[some], found.time[some], steps[some], found.day[some])
        for group in np.unique(groups)
        for some in [use[groups == group]]
    ]
    none = np.empty(0, np.int64)
    return Minutes(*(np.concatenate([none, *(p[n] for p in parts)]) for n in range(3)))


def totals_of(found: Counters) -> dict[int, int]:
    """The device's own total of each day that it summed up: of the device with the most."""
    totals: dict[tuple[int, int], int] = {}
    at_midnight = (found.time + found.offset) % DAY == 0
    for n in np.flatnonzero(at_midnight & (found.sums == 1)).tolist():
        key = int(found.day[n]), int(found.device[n])
        totals[key] = totals.get(key, 0) + int(found.steps[n])
    best: dict[int, int] = {}
    for (day, _), total in totals.items():
        best[day] = max(total, best.get(day, 0))
    return best


def _differences(found: Counters, before: Ints) -> tuple[Flags, Ints]:
    """Whether each reading is the first of its counter and day, and the steps since the last."""
    if not found.time.size:
        return np.empty(0, np.bool_), np.empty(0, np.int64)
    alone = np.append(True, _changes(found.device, found.kind))
    told_again = (found.steps == found.steps[before]) & (
        (found.time + found.offset) % DAY < AT_MIDNIGHT
    )
    new_day = (found.day > found.day[before]) & (found.told == 1)
    first = alone | (new_day & ~told_again)
    more = found.steps - found.steps[before]
    lowered = np.where(found.sums == 1, 0, found.steps)  # a summary is no counter that began anew
    return first, np.where(first, found.steps, np.where(more >= 0, more, lowered))


def _starts(
    found: Counters, before: Ints, first: Flags, marks: Moments, known_from: Moments
) -> Ints:
    """Where the stretch of each difference begins."""
    if not found.time.size:
        return found.time
    alone = np.append(True, _changes(found.device, found.kind))
    midnight = found.day * DAY - found.offset
    last = np.where(alone, midnight, np.maximum(midnight, found.time[before]))
    known = np.isin(_key(found.device, midnight), _key(*known_from))
    ordered = np.unique(_key(*marks))
    at = np.searchsorted(ordered, _key(found.device, found.time)) - 1
    message = ordered[np.maximum(at, 0)] % _SPAN
    usable = (found.stretch == 1) & (~first | known) & (message < found.time)
    return np.where(usable, np.maximum(last, message), last)


_SPAN = 1 << 33  # more than any time in seconds; devices are 24 bits


def _key(device: Ints, time: Ints) -> Ints:
    return device * _SPAN + time


def _spread(starts: Ints, ends: Ints, steps: Ints, days: Ints) -> tuple[Ints, Ints, Ints]:
    done = spread(starts * 1000, ends * 1000, steps, np.zeros_like(steps))
    of = np.searchsorted(starts // MINUTE, done.minute, side="right") - 1
    return done.minute, days[of], done.steps


def _changes(*columns: Ints) -> Flags:
    """Where a row differs from the one before it, from the second row on."""
    differs: Flags = np.any([np.diff(column) != 0 for column in columns], axis=0)
    return differs


def _by_steps(today: Counters) -> list[int]:
    """Devices of one day, most steps first."""
    most = {
        int(device): sum(
            int(today.steps[(today.device == device) & (today.kind == kind)].max())
            for kind in np.unique(today.kind[today.device == device])
        )
        for device in np.unique(today.device)
    }
    return sorted(most, key=lambda device: (-most[device], device))
