"""What a source tells of one local day, as the protocol reads it: the oracle's own reading.

google_health: a day is the minutes whose own clock shows its date. It begins and ends at midnight
of the clock at its first and last minute; a clock that then shows the time of home is home's.
fitbit: a day is what the clock on the wall showed, of which the minutes that home's clock skipped
are refused and one that came twice is one minute; it lasts from home's midnight to home's midnight.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np

from ingestion.simulator.grid import DAY, Ints
from ingestion.simulator.outcomes import Course
from ingestion.simulator.roster import SimParticipant
from ingestion.simulator.syncs import View

if TYPE_CHECKING:
    from ingestion.simulator.world import World


@dataclass(frozen=True)
class ToldDay:
    """One day of one source. `wear_minutes` is None where wear is told by hours with steps.

    `told` says whether the source has anything of the day; `total` is the vendor's own, if any.
    """

    ends_at: datetime
    complete: bool
    told: bool = False
    steps: int = 0
    most_in_a_minute: int = 0
    total: int | None = None
    wear_minutes: int | None = 0
    hours_with_steps: int = 0


def told_day(world: World, participant: SimParticipant, on: date, course: Course) -> ToldDay:
    """The day as that course of pulls has it."""
    if course.landed_at is None:
        return ToldDay(_midnight(participant, on), complete=False)
    activity = world.activity(participant)
    view, synced_at = activity.view(course.landed_at), activity.synced_at(course.landed_at)
    number = world.grid.day_number(on)
    minutes = view.minutes_of(number)
    known = 0 <= number < view.totals.size and view.totals[number] >= 0
    total = int(view.totals[number]) if known else None
    if course.source == "fitbit":
        ends_at = _midnight(participant, on)
        complete = synced_at is not None and synced_at >= ends_at
        return _by_the_wall(world, participant, on, course, view, minutes, total, ends_at, complete)
    worn = minutes[view.worn[minutes]]
    ends_at = _end(world, participant, on, view, worn)
    steps = view.steps[worn].astype(np.int64)
    return ToldDay(
        ends_at=ends_at,
        complete=synced_at is not None and synced_at >= ends_at,
        told=total is not None,
        steps=int(steps.sum()),
        most_in_a_minute=int(steps.max(initial=0)),
        total=total,
        wear_minutes=int(worn.size),
    )


def _by_the_wall(
    world: World, participant: SimParticipant, on: date, course: Course, view: View, minutes: Ints,
    total: int | None, ends_at: datetime, complete: bool,
) -> ToldDay:  # fmt: skip
    home = world.grid.zone(participant.timezone)
    faces = home.minute[home.minutes_of(world.grid.day_number(on))]  # that home's clock showed
    minutes = minutes[np.isin(view.zone.minute[minutes], faces)]
    clock = view.zone.minute[minutes]
    counts = np.zeros(DAY, np.int64)
    if world.repeated_hour == "merge":
        counts += np.bincount(clock, view.steps[minutes], minlength=DAY).astype(np.int64)
    else:
        counts[clock] = view.steps[minutes]
    beating = np.unique(clock[view.heart_rate[minutes] > 0])
    for trouble in course.lasting:
        if trouble.fault == "no_intraday":  # the total alone
            counts, beating = np.zeros(DAY, np.int64), beating[:0]
        elif "heart" in trouble.path:
            beating = beating[:0]
        elif f"/{on}/" in trouble.path and counts.any():  # one minute of it that cannot be
            counts[np.flatnonzero(counts)[-1]] = max(0, trouble.args["steps"])
    walked = np.flatnonzero(counts) // 60
    by_steps = not beating.size
    return ToldDay(
        ends_at=ends_at,
        complete=complete,
        told=True,  # the legacy API says zero of a day that it knows nothing of
        steps=int(counts.sum()),
        most_in_a_minute=int(counts.max()),
        total=total,
        wear_minutes=None if by_steps and walked.size else 0 if by_steps else int(beating.size),
        hours_with_steps=int(np.unique(walked[walked >= 6]).size),
    )


def _end(world: World, participant: SimParticipant, on: date, view: View, worn: Ints) -> datetime:
    if not worn.size:
        return _midnight(participant, on)
    last = int(worn[-1])
    offset = int(view.zone.offset[last])
    if offset == int(world.grid.zone(participant.timezone).offset[last]):
        return _midnight(participant, on)
    after = datetime.combine(on + timedelta(days=1), time(), UTC)
    return after - timedelta(minutes=offset)


def _midnight(participant: SimParticipant, on: date) -> datetime:
    """The end of a day at home."""
    after = datetime.combine(on + timedelta(days=1), time(), ZoneInfo(participant.timezone))
    return after.astimezone(UTC)
