"""Google's step points and heart-rate minutes as local days of minutes.

A minute is counted in whole minutes since 1970 UTC until its day is known; its day is the civil
day at the point's own UTC offset, so a traveller's days are the days that they lived.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from ingestion.source import Count, Minutes, Reply, Window
from ingestion.sources._google_bodies import NO_TIME, Longs, Reals, StepPoints

MINUTE, DAY = 60, 86_400  # seconds
DAY_MINUTES = 1_440
MOST = 65_535  # what a minute's count, or a minute's number, can be in the lake (16 bits)
DENSE = 2 / 3  # of the minutes with a heart beat; walking alone is in a third of them
MOST_GAP = 10  # minutes without a step point in which a heart beat is still between two of them
LEAST_OFFSET, MOST_OFFSET = -12 * 3600, 14 * 3600  # of the world's zones, in seconds from UTC
_EPOCH = date(1970, 1, 1)

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Worn:
    """Minutes of one kind, ascending, each once: `day` counts local days since 1970.

    `steps` is 0 throughout for heart-rate minutes; `page` numbers the body each came in.
    """

    minute: Longs
    day: Longs
    offset: Longs
    steps: Longs
    page: Longs

    def by_day(self) -> dict[int, Worn]:
        """The minutes of each local day."""
        columns = [getattr(self, name) for name in self.__dataclass_fields__]
        if (np.diff(self.day) < 0).any():  # somebody flew east over the date line
            order = np.argsort(self.day, kind="stable")
            columns = [column[order] for column in columns]
        days, first = np.unique(columns[1], return_index=True)
        bounds = pairwise([*first.tolist(), self.day.size])
        return {
            day: Worn(*(column[start:end] for column in columns))
            for day, (start, end) in zip(days.tolist(), bounds, strict=True)
        }


NOTHING = Worn(*(np.empty(0, np.int64) for _ in range(5)))


def step_minutes(
    points: StepPoints, zone: tzinfo, window: Window | None, count: Count, replies: Sequence[Reply]
) -> Worn:
    """One row per minute with a step point, zero or not; what is refused is counted by reason.

    A point of several minutes is spread over those of its own local day, the remainder on the
    first. Where points claim the same minute, the newest reply wins, then the finest point, then
    the larger count.
    """
    points, offset, day = _usable(points, zone, window, count, replies)
    minute, span = _spans(points)
    steps = np.minimum(points.count, 2.0**40).astype(np.int64)
    bad = (span > DAY_MINUTES) | (-(-steps // span) > MOST)
    _refused(points, count, replies, "not_of_minutes", bad)
    span = np.minimum(span, ((day + 1) * DAY - offset - 1) // MINUTE - minute + 1)
    kept = np.flatnonzero(~bad)
    columns = (minute, day, offset, steps, points.page, span)
    found, of = _spread(*(column[kept] for column in columns))
    ages = np.array([reply.fetched_at.timestamp() for reply in replies])
    best = _best(found.minute, ages[found.page], span[kept][of], found.steps)
    winners = int(np.count_nonzero(np.bincount(of[best], minlength=1)))
    count.landed += winners
    count.reject("duplicate", kept.size - winners)
    return Worn(*(getattr(found, name)[best] for name in Worn.__dataclass_fields__))


def heart_minutes(
    start: Longs, page: Longs, steps: Worn, zone: tzinfo, window: Window | None, count: Count
) -> Worn:
    """One row per minute with a heart rate; `start` in seconds since 1970 UTC.

    These points carry no offset: the nearest step point lends its own, or where that is the
    zone's the zone, which knows of summer time. A device that gives a step point to every minute
    that it is worn (DENSE) tells with them which days were asked for: a heart beat far from them
    (MOST_GAP) was on another date, in a place that is not known.
    """
    minute, first = np.unique(start // MINUTE, return_index=True)
    count.reject("duplicate", start.size - minute.size)
    beside = np.isin(minute, steps.minute)
    if minute.size and beside.mean() >= DENSE:
        asked = beside | (_gap_around(minute, steps.minute) <= MOST_GAP)
        count.reject("no_step_minute", int((~asked).sum()))
        minute, first = minute[asked], first[asked]
    offset = _offsets_near(minute, steps, zone)
    day = (minute * MINUTE + offset) // DAY
    inside = _inside(day, window)
    count.reject("outside_window", int((~inside).sum()))
    count.landed += int(inside.sum())
    columns = (minute, day, offset, np.zeros_like(minute), page[first])
    return Worn(*(column[inside] for column in columns))


def _gap_around(minute: Longs, points: Longs) -> Longs:
    """Minutes from the step point before each minute to the one after; endless without one."""
    far = np.iinfo(np.int64).max // 4
    fenced = np.concatenate([[-far], points, [far]])
    after = np.searchsorted(fenced, minute)
    gap: Longs = fenced[after] - fenced[after - 1]
    return gap


def _offsets_near(minute: Longs, steps: Worn, zone: tzinfo) -> Longs:
    at_home = zone_offsets(minute, zone)
    if not steps.minute.size:
        return at_home
    after = np.minimum(np.searchsorted(steps.minute, minute), steps.minute.size - 1)
    before = np.maximum(after - 1, 0)
    nearer = minute - steps.minute[before] <= steps.minute[after] - minute
    near = np.where(nearer, before, after)
    abroad = steps.offset != zone_offsets(steps.minute, zone)
    return np.where(abroad[near], steps.offset[near], at_home)


def numbered(day: date) -> int:
    """A calendar day as days since 1970."""
    return (day - _EPOCH).days


def calendar_day(number: int) -> date:
    """Days since 1970 as a calendar day."""
    return _EPOCH + timedelta(days=number)


@lru_cache(maxsize=4096)
def day_frame(day: date, zone: tzinfo) -> tuple[datetime, int]:
    """The instant of a local day's midnight, and the day's length in minutes.

    >>> from zoneinfo import ZoneInfo
    >>> day_frame(date(2026, 3, 27), ZoneInfo("Asia/Jerusalem"))[1]
    1380
    """
    start, end = (
        datetime(d.year, d.month, d.day, tzinfo=zone).astimezone(UTC)
        for d in (day, day + timedelta(days=1))
    )
    return start, int((end - start).total_seconds()) // MINUTE


@dataclass(frozen=True)
class Placed:
    """A local day: its midnight, its length, and each part's minutes counted from that midnight.

    `zone` is the one that the day was lived in; None where it is none of those known, as abroad.
    """

    start_at: datetime
    day_minutes: int
    zone: tzinfo | None
    minutes: list[Minutes]


def placed(day: int, zones: Sequence[tzinfo], parts: Sequence[Worn]) -> Placed:
    """The day as its own minutes tell it, and where they do not, as the first of `zones` does.

    It begins at the midnight of the clock at its first minute and ends at that of its last. A clock
    that goes by one of the zones has that zone's midnights, which know of summer time.
    """
    ends = _ends([part for part in parts if part.minute.size])
    clocks = [_clock(minute, offset, zones) for minute, offset in ends] or [zones[0]] * 2
    start, end = (_midnight(day + n, clock) for n, clock in enumerate(clocks))
    minutes = [(part.minute - start).astype(np.uint16) for part in parts]
    zone = next((zone for zone in zones if all(clock is zone for clock in clocks)), None)
    return Placed(datetime.fromtimestamp(start * MINUTE, UTC), end - start, zone, minutes)


def _ends(held: Sequence[Worn]) -> list[tuple[int, int]]:
    """(minute, offset in seconds) of the first and of the last minute; none of none."""
    firsts = [(int(part.minute[0]), int(part.offset[0])) for part in held]
    lasts = [(int(part.minute[-1]), int(part.offset[-1])) for part in held]
    return [min(firsts), max(lasts)] if held else []


def _clock(minute: int, offset: int, zones: Sequence[tzinfo]) -> tzinfo:
    """The first zone whose clock shows that offset then; a clock of that offset if none does."""
    going = (zone for zone in zones if _zone_offset(minute // 30, zone) == offset)
    return next(going, timezone(timedelta(seconds=offset)))


def _midnight(day: int, clock: tzinfo) -> int:
    """The minute since 1970 UTC at which a local day begins."""
    return int(day_frame(calendar_day(day), clock)[0].timestamp()) // MINUTE


def zone_offsets(minute: Longs, zone: tzinfo) -> Longs:
    """The zone's UTC offset in seconds at each minute; clocks change on half hours or hours."""
    halves, back = np.unique(minute // 30, return_inverse=True)
    offsets = [_zone_offset(int(half), zone) for half in halves]
    return np.array(offsets, np.int64)[back] if offsets else np.empty(0, np.int64)


@lru_cache(maxsize=65_536)
def _zone_offset(half: int, zone: tzinfo) -> int:
    offset = datetime.fromtimestamp(half * 1800, zone).utcoffset()
    return int(offset.total_seconds()) if offset else 0


def _usable(
    points: StepPoints, zone: tzinfo, window: Window | None, count: Count, replies: Sequence[Reply]
) -> tuple[StepPoints, Longs, Longs]:
    """The points that state a time in the window and a count, with offset and local day of each."""
    count.received += points.start.size
    points = _refused(points, count, replies, "no_time", points.start == NO_TIME)
    points = _refused(points, count, replies, "not_a_number", ~np.isfinite(points.count))
    points = _refused(points, count, replies, "negative_count", points.count < 0)
    offset = _offsets(points, zone)
    day = (points.start + offset) // DAY
    inside = _inside(day, window)
    points = _refused(points, count, replies, "outside_window", ~inside)
    return points, offset[inside], day[inside]


def _refused(
    points: StepPoints, count: Count, replies: Sequence[Reply], reason: str, bad: Mask
) -> StepPoints:
    if not bad.any():
        return points
    count.reject(reason, int(bad.sum()), replies[int(points.page[bad][0])].sha256)
    return points.only(~bad)


def _inside(day: Longs, window: Window | None) -> Mask:
    if window is None:
        return np.ones(day.size, np.bool_)
    return (day >= numbered(window.first_on)) & (day <= numbered(window.last_on))


def _offsets(points: StepPoints, zone: tzinfo) -> Longs:
    unsaid = (points.offset < LEAST_OFFSET) | (points.offset > MOST_OFFSET)  # NO_TIME among them
    if not unsaid.any():
        return points.offset
    offset = points.offset.copy()
    timed = np.maximum(points.start[unsaid], 0)  # NO_TIME has no offset, and needs none
    offset[unsaid] = zone_offsets(timed // MINUTE, zone)
    return offset


def _spans(points: StepPoints) -> tuple[Longs, Longs]:
    """First minute and number of minutes of each point; one minute where no end is stated."""
    minute = points.start // MINUTE
    end = np.maximum(points.end, points.start + 1)
    return minute, -(-end // MINUTE) - minute


def _spread(
    minute: Longs, day: Longs, offset: Longs, steps: Longs, page: Longs, span: Longs
) -> tuple[Worn, Longs]:
    """Points cut into minutes, and the number of the point that each minute is of."""
    of = np.repeat(np.arange(minute.size), span)
    if of.size == minute.size:
        return Worn(minute, day, offset, steps, page), of
    nth = np.arange(of.size) - np.repeat(np.cumsum(span) - span, span)
    share, rest = np.divmod(steps, span)
    cut = share[of] + (nth < rest[of])
    return Worn(minute[of] + nth, day[of], offset[of], cut, page[of]), of


def _best(minute: Longs, age: Reals, span: Longs, steps: Longs) -> Longs:
    """Indices of the best claim to each minute, by minute."""
    order = np.argsort(minute, kind="stable")
    if not (np.diff(minute[order]) == 0).any():
        return order
    order = np.lexsort((steps, -span, age, minute))
    last = np.append(np.diff(minute[order]) != 0, True)
    best: Longs = order[last]
    return best
