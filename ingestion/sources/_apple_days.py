"""The records of one Apple Health export as local days of minutes.

See ingestion.sources.apple_health for the rules that are applied here.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta, tzinfo
from zoneinfo import ZoneInfo

import numpy as np

from ingestion.intervals import Spread, spread
from ingestion.source import ActivityDay, Count, Reply, runs_of
from ingestion.sources._apple_export import KINDS, OTHER
from ingestion.sources._apple_records import Flags, Ints, Records, Whole, offsets_of
from ingestion.sources._google_days import (
    DAY,
    MOST,
    NOTHING,
    Placed,
    Worn,
    calendar_day,
    placed,
    zone_offsets,
)

_TOGETHER = 100  # days at a time, so that memory does not grow with the years
_RECORDS = 30_000  # likewise
BRIDGED_MINUTES = 30  # between two heart rates of a watch that is worn


def days_of(
    records: Records, timezone: str | None, participant: str, reply: Reply
) -> tuple[list[ActivityDay], int]:
    """The days with steps or a heart rate, in order, and how many steps of `records` were another
    record's too. Counts the records that are wholly such as rejected."""
    zone = ZoneInfo(timezone or "UTC")
    zones = [zone, *map(ZoneInfo, sorted({name for _, name in records.named}))]
    counted, hidden = _counted(records)
    kinds = np.array([records.kinds[one] for one in records.source.tolist()], np.int64)
    measured: list[tuple[Whole, Whole]] = [
        (counted.minute, counted.steps),
        (records.worn, records.worn_by),
        (records.start // 60, kinds),
    ]
    heart = _days_from(records.worn[[0, -1]], records, zone) if records.worn.size else range(0)
    found = []
    for span in _spans([minute for minute, _ in measured]):
        steps, worn, begun = (_by_day(*one, span, records, zone) for one in measured)
        for day in sorted({*steps, *worn}):
            stepped, beats = steps.get(day, NOTHING), worn.get(day, NOTHING)
            at = placed(day, zones, [stepped, beats])
            wear = runs_of(_bridged(at, beats.minute, records.worn))
            found.append(
                ActivityDay(
                    participant_id=participant,
                    source=reply.source,
                    activity_date=calendar_day(day),
                    timezone=str(at.zone) if at.zone and timezone else None,
                    day_start_at=at.start_at,
                    day_minutes=at.day_minutes,
                    step_minute=at.minutes[0],
                    step_count=stepped.steps.astype(np.uint16),
                    wear_start=wear[0],
                    wear_length=wear[1],
                    wear_method="heart_rate" if day in heart else "steps",
                    vendor_steps=None,
                    era="file",
                    device_model=_model([beats, begun.get(day, NOTHING)]),
                    fetched_at=records.reach,
                    raw_sha256=(reply.sha256,),
                )
            )
    return found, hidden


def first_full_day(records: Records, days: list[ActivityDay]) -> date | None:
    """The first day after the one on which measuring began that the export covers to its end."""
    return next(
        (
            day.activity_date
            for day in days[1:]
            if day.day_start_at + timedelta(minutes=day.day_minutes) <= records.reach
        ),
        None,
    )


def _counted(records: Records) -> tuple[Spread, int]:
    """Steps by the minute, each instant by the first source that counted it; and what is hidden."""
    use = np.ones(records.start.size, np.bool_)
    while True:
        found = _spread(records, np.flatnonzero(use), _order(records))
        impossible = use & _touches(records, found.minute[found.steps > MOST])
        if not impossible.any():
            break
        use &= ~impossible
    count = records.counts["steps"]
    unseen = (found.kept == 0) & (records.steps[use] > 0)
    _refuse(count, "impossible", int((~use).sum()))
    _refuse(count, "counted_by_another_record", int(unseen.sum()))
    return found, int((records.steps[use] - found.kept).sum())


def _spread(records: Records, use: Ints, order: Ints) -> Spread:
    """Steps by the minute of some records; some of them at a time, that share no minute."""
    by_start = np.argsort(records.start[use], kind="stable")
    start, end = records.start[use][by_start] // 60, records.end[use][by_start] // 60
    quiet = np.flatnonzero(start[1:] > np.maximum.accumulate(end)[:-1]) + 1
    after = np.searchsorted(quiet, np.arange(_RECORDS, start.size, _RECORDS))
    kept = np.zeros(use.size, np.int64)
    parts = []
    for some in np.split(by_start, np.unique(quiet[after[after < quiet.size]])):
        its = use[some]
        part = spread(
            records.start[its] * 1000, records.end[its] * 1000, records.steps[its], order[its]
        )
        kept[some] = part.kept
        parts.append(part)
    minute, steps = (
        np.concatenate([getattr(one, n) for one in parts]) for n in ("minute", "steps")
    )
    return Spread(minute, steps, kept)


def _refuse(count: Count, reason: str, records: int) -> None:
    """Refuse what had been taken for landed."""
    count.landed -= records
    count.reject(reason, records)


def _touches(records: Records, minutes: Ints) -> Flags:
    """Which records have a share of one of some minutes."""
    low = np.searchsorted(minutes, records.start // 60)
    high = np.searchsorted(minutes, np.maximum(records.end - 1, records.start) // 60, "right")
    return high > low


def _order(records: Records) -> Ints:
    """The rank of each record's source: kind, then the one that came later."""
    if not records.source.size:
        return records.source
    sources, at = np.unique(records.source, return_inverse=True)
    first = np.full(sources.size, np.iinfo(np.int64).max)
    np.minimum.at(first, at, records.start)
    kind = np.array([records.kinds[one] for one in sources.tolist()])
    rank = np.empty(sources.size, np.int64)
    rank[np.lexsort((sources, -first, kind))] = np.arange(sources.size)
    return rank[at]


def _spans(minutes: list[Whole]) -> Iterator[range]:
    """Local days, some at a time, that hold all the minutes."""
    ends = [int(edge) // 1440 for one in minutes if one.size for edge in (one.min(), one.max())]
    if ends:
        first, end = min(ends) - 1, max(ends) + 2
        yield from (range(n, n + _TOGETHER) for n in range(first, end, _TOGETHER))


def _by_day(
    minute: Whole, value: Whole, span: range, records: Records, zone: tzinfo
) -> dict[int, Worn]:
    """The minutes of each local day of a span; `minute` ascends but for the starts of records."""
    near = (minute >= (span.start - 1) * 1440) & (minute < (span.stop + 1) * 1440)
    dated = _dated(minute[near].astype(np.int64), value[near].astype(np.int64), records, zone)
    return {day: part for day, part in dated.by_day().items() if day in span}


def _dated(minute: Ints, value: Ints, records: Records, zone: tzinfo) -> Worn:
    """Minutes with the local day of the clock at each."""
    offset = offsets_of(minute, records.named, zone_offsets(minute, zone))
    day = (minute * 60 + offset) // DAY
    return Worn(minute, day, offset, value, np.zeros_like(minute))


def _days_from(ends: Whole, records: Records, zone: tzinfo) -> range:
    first, last = _dated(ends.astype(np.int64), ends.astype(np.int64), records, zone).day.tolist()
    return range(first, last + 1)


def _model(parts: list[Worn]) -> str | None:
    """The first kind of device that measured on a day; none where only apps did."""
    kinds = [int(part.steps.min()) for part in parts if part.steps.size]
    best = KINDS[min(kinds, default=len(KINDS) - 1)]
    return None if best == OTHER else best


def _bridged(at: Placed, beats: Ints, all_beats: Whole) -> Ints:
    """Minutes worn of a day: those with a heart rate and the short gaps between two of them,
    over midnight too. `beats` are the day's, `all_beats` those of every day, from 1970 UTC."""
    if not beats.size:
        return beats
    low, high = np.searchsorted(all_beats, [beats[0], beats[-1]])
    marks = all_beats[max(low - 1, 0) : high + 2].astype(np.int64)
    gaps = np.append(np.diff(marks), 1)
    lengths = np.where(gaps <= BRIDGED_MINUTES, gaps, 1)
    of = np.repeat(np.arange(marks.size), lengths)
    nth = np.arange(of.size) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    minute: Ints = marks[of] + nth - int(at.start_at.timestamp()) // 60
    inside: Ints = minute[(minute >= 0) & (minute < at.day_minutes)]
    return inside
