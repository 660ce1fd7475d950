"""One day opened to its minutes: read from the lake, where the published file has its sums."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa

from dashboard.queries.asking import Answer
from warehouse.day_minutes import find_day
from warehouse.register import Register

TICK_HOURS = 3


@dataclass(frozen=True)
class Minutes:
    """The minutes of a day with steps, the runs of wear, and the clock beneath them."""

    steps: pa.Table
    """`minute` from the day's first midnight, `clock` as the participant's, `steps`, `pace`."""
    wear: pa.Table
    """`first` minute of a run of wear, and the `after` one that follows its last."""
    ticks: dict[int, str]
    length: int
    changed: bool
    """The lake has other facts of the day than the build on screen rests on."""


def read(
    lake_url: str, register: Register, participant_id: str, day: Answer, zone: str,
    paces: tuple[int, int],
) -> Minutes | None:  # fmt: skip
    """The minutes of `day` (participant.day_of); None where no day of minutes has landed.

    Whether the viewer may see the participant is settled by `day`: it was asked of their own file.
    `paces` are the moderate and the vigorous cadence of the protocol.
    """
    if not len(day) or day.row["source"] is None:
        return None
    row = day.row
    on: date = row["activity_date"]
    found = find_day(
        lake_url, register, participant_id, row["source"], on, row["row_hash"] or ""
    )  # fmt: skip
    if found is None:
        return None
    start = found["day_start_at"].astimezone(ZoneInfo(found["timezone"] or zone))
    return Minutes(
        _steps(found, start, paces),
        _wear(found),
        _ticks(start, found["day_minutes"]),
        found["day_minutes"],
        changed=found["row_hash"] != row["row_hash"],
    )


def _steps(found: dict[str, Any], start: datetime, paces: tuple[int, int]) -> pa.Table:
    minutes, counts = found["step_minute"] or [], found["step_count"] or []
    return pa.table(
        {
            "minute": pa.array(minutes, pa.int32()),
            "after": pa.array([minute + 1 for minute in minutes], pa.int32()),
            "clock": pa.array([_clock(start, minute) for minute in minutes], pa.string()),
            "steps": pa.array(counts, pa.int32()),
            "pace": pa.array([_pace(count, paces) for count in counts], pa.string()),
        }
    )


def _pace(count: int, paces: tuple[int, int]) -> str:
    moderate, vigorous = paces
    return "vigorous" if count >= vigorous else "moderate" if count >= moderate else "light"


def _wear(found: dict[str, Any]) -> pa.Table:
    first, lengths = found["wear_start"] or [], found["wear_length"] or []
    after = [start + length for start, length in zip(first, lengths, strict=True)]
    return pa.table({"first": pa.array(first, pa.int32()), "after": pa.array(after, pa.int32())})


def _ticks(start: datetime, length: int) -> dict[int, str]:
    """The minutes at which the participant's clock shows a full third hour, each with its time.

    In elapsed minutes, so a day of 23 or 25 hours has its own.
    """
    hours = [(minute, _clock(start, minute)) for minute in range(0, length + 1, 15)]
    shown = [(m, told) for m, told in hours if told.endswith(":00")]
    kept = [one for one in shown if int(one[1][:2]) % TICK_HOURS == 0]
    return dict(kept[:1] + [after for before, after in pairwise(kept) if before[1] != after[1]])


def _clock(start: datetime, minute: int) -> str:
    # arithmetic on an aware datetime moves the clock on the wall: elapsed time is counted in UTC
    zone = start.tzinfo
    at = start.timestamp() + 60 * minute
    return f"{datetime.fromtimestamp(at, zone):%H:%M}" if zone else str(timedelta(minutes=minute))
