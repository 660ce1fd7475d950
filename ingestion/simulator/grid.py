"""The world's minutes: UTC minutes counted from one origin, and each zone's civil time of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
DAY = 1440


@dataclass(frozen=True)
class Zone:
    """The civil time of one place, or of a traveller, on the grid.

    `offset` minutes from UTC at each UTC minute (one longer than the grid, for ends of minutes);
    `civil` minute, counted as days are from the origin's date; `day` number, from 0 on the day
    before that date; `minute` of that day. `first` UTC minute of each day and the one after its
    last, `ends`: the same for a date that was skipped; a date lived twice has others in between.
    """

    name: str
    offset: Ints
    civil: Ints
    day: Ints
    minute: Ints
    first: Ints
    ends: Ints

    def minutes_of(self, number: int) -> Ints:
        """The UTC minutes of a day, ascending; none outside the grid."""
        if not 0 <= number < self.first.size:
            return np.empty(0, np.int64)
        first, ends = int(self.first[number]), int(self.ends[number])
        return first + np.flatnonzero(self.day[first:ends] == number)


class Grid:
    """UTC minutes `0 .. minutes - 1` from midnight UTC of `origin_on`."""

    def __init__(self, origin_on: date, days: int) -> None:
        self.origin_on = origin_on
        self.origin = datetime(origin_on.year, origin_on.month, origin_on.day, tzinfo=UTC)
        self.days = days
        self.minutes = days * DAY
        self._zones: dict[str, Zone] = {}

    def zone(self, name: str) -> Zone:
        """The zone of that IANA name, made on first use."""
        if name not in self._zones:
            self._zones[name] = self._of(name, self._offsets(name))
        return self._zones[name]

    def travelled(self, home: str, legs: Sequence[tuple[datetime, str]]) -> Zone:
        """The civil time of somebody who is in each zone from its instant on, and before at home.

        A clock is set at a whole minute, the next one where the instant is none.
        """
        offset = self.zone(home).offset.copy()
        for at, name in legs:
            minute = min(max(-(-self.second_of(at) // 60), 0), offset.size)
            offset[minute:] = self.zone(name).offset[minute:]
        return self._of(home, offset)

    def _offsets(self, name: str) -> Ints:
        info, step = ZoneInfo(name), 15  # every change of a clock falls on a quarter of an hour
        quarters = [
            (self.origin + timedelta(minutes=m)).astimezone(info).utcoffset() or timedelta()
            for m in range(0, self.minutes + step, step)
        ]
        each = np.array([int(q.total_seconds()) // 60 for q in quarters], np.int64)
        return np.repeat(each, step)[: self.minutes + 1]

    def _of(self, name: str, offset: Ints) -> Zone:
        civil = np.arange(self.minutes + 1, dtype=np.int64) + offset
        day, numbers = civil // DAY + 1, np.arange(self.days + 3)
        # Who flies east over the date line lives a date again: days need not ascend.
        first = np.searchsorted(np.maximum.accumulate(day), numbers)
        ends = np.searchsorted(np.minimum.accumulate(day[::-1])[::-1], numbers, side="right")
        return Zone(name, offset, civil, day, civil % DAY, first, ends)

    def day_number(self, on: date) -> int:
        """The number of a civil date, as in `Zone.day`; may lie outside the grid."""
        return (on - self.origin_on).days + 1

    def date_of(self, day_number: int) -> date:
        return self.origin_on + timedelta(days=day_number - 1)

    def second_of(self, at: datetime) -> int:
        """Whole seconds from the origin to an instant, rounded down."""
        return (at - self.origin) // timedelta(seconds=1)

    def instant(self, second: int) -> datetime:
        return self.origin + timedelta(seconds=second)

    @cached_property
    def utc_text(self) -> list[str]:
        """Each minute's start as RFC 3339, one more than the grid's minutes."""
        clock = [f"T{m // 60:02d}:{m % 60:02d}:00Z" for m in range(DAY)]
        dates = [str(self.origin_on + timedelta(days=d)) for d in range(self.days + 1)]
        return [on + at for on in dates for at in clock][: self.minutes + 1]

    @cached_property
    def civil_text(self) -> list[str]:
        """Each civil minute as a Google CivilDateTime, from midnight of the day before the origin.

        Index it with `Zone.civil + DAY`. Zero parts are left out, as protobuf's JSON does.
        """
        clock = [civil_time(m // 60, m % 60) for m in range(DAY)]
        dates = [civil_date(self.origin_on + timedelta(days=d - 1)) for d in range(self.days + 3)]
        return [f'{{"date":{on},"time":{at}}}' for on in dates for at in clock]


def civil_date(on: date) -> str:
    """A date as google.type.Date."""
    return f'{{"year":{on.year},"month":{on.month},"day":{on.day}}}'


def civil_time(hours: int, minutes: int, seconds: int = 0) -> str:
    """A time of day as google.type.TimeOfDay: zero parts left out, midnight empty."""
    parts = (("hours", hours), ("minutes", minutes), ("seconds", seconds))
    return "{" + ",".join(f'"{name}":{value}' for name, value in parts if value) + "}"
