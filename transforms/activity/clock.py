"""What the local clock showed at the minutes of a day: clocks change, and people travel."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

from warehouse.metrics._line import Bools, Ints

ORDINARY = 1440
_OF_CLOCK = ("activity_date", "timezone", "day_start_at", "day_minutes")


@dataclass(frozen=True)
class Clocks:
    """The clock of each day; `changes` has those of the days on which it was changed, by row.

    A change is (what to add to elapsed minutes before it, its minute, what to add after it).
    `changed` are the days on which the participant's time zone did.
    """

    length: Ints
    changes: dict[int, tuple[int, int, int]]
    changed: Bools

    def minutes(self, elapsed: Ints, first: Ints) -> Ints:
        """Elapsed minutes, each day's from its place in `first`, as minutes of the local clock."""
        clock = elapsed.copy() if self.changes else elapsed
        for row, (before, change, after) in self.changes.items():  # about two days a year
            mine = slice(first[row], first[row + 1])
            clock[mine] += np.where(clock[mine] < change, before, after)
        return clock

    def between(self, begin: int, end: int) -> tuple[Ints, Ints]:
        """The elapsed minutes at which each day's clock first shows `begin` and `end`."""
        edges = np.full(self.length.size, begin, np.int32), np.full(self.length.size, end, np.int32)
        for row, (before, change, after) in self.changes.items():
            for edge, shown in zip(edges, (begin, end), strict=True):
                edge[row] = shown - before if shown - before < change else shown - after
        return edges


def read_clocks(days: pa.Table) -> Clocks:
    """The clocks of rows of activity_day.

    A day of another length than its zone's was a journey; so is one of other than 1,440 minutes
    without a zone, as the sources give no zone to a day lived in two. Its clock is counted from
    the nearer midnight: the first until noon of it, then the last.
    """
    length = days["day_minutes"].to_numpy().astype(np.int64)
    changes, changed = {}, np.zeros(days.num_rows, np.bool_)
    for row in np.flatnonzero(length != ORDINARY):
        activity_date, zone, day_start_at, day_minutes = (
            days[name][int(row)].as_py() for name in _OF_CLOCK
        )
        if zone is None or _civil_minutes(activity_date, zone) != day_minutes:
            changed[row] = True
            changes[int(row)] = (0, (day_minutes + 1) // 2, ORDINARY - day_minutes)
        else:
            changes[int(row)] = _clock_change(activity_date, zone, day_start_at, day_minutes)
    return Clocks(length, changes, changed)


@lru_cache(maxsize=4096)
def _civil_minutes(on: date, zone: str) -> int:
    """Minutes from a date's midnight to the next one's."""
    local, next_day = ZoneInfo(zone), on + timedelta(days=1)
    start, end = (datetime(d.year, d.month, d.day, tzinfo=local) for d in (on, next_day))
    return int((end.timestamp() - start.timestamp()) // 60)


@lru_cache(maxsize=4096)
def _clock_change(
    activity_date: date, zone: str, day_start_at: datetime, day_minutes: int
) -> tuple[int, int, int]:
    """(what to add to elapsed minutes before the clocks change, the minute they do, after it)."""
    midnight = datetime(activity_date.year, activity_date.month, activity_date.day)
    local_zone = ZoneInfo(zone)

    def ahead(minute: int) -> int:
        instant = day_start_at + timedelta(minutes=minute)
        clock = instant.astimezone(local_zone).replace(tzinfo=None)
        return int((clock - midnight) / timedelta(minutes=1)) - minute

    before, after = ahead(0), ahead(day_minutes - 1)
    return before, bisect_left(range(day_minutes), True, key=lambda m: ahead(m) != before), after
