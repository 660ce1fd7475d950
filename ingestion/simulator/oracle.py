"""What the warehouse must hold: the truth, seen through the pulls that were made.

Written from the protocol's rules of a person-day, apart from the transforms that it judges. It
supposes that everybody who connects did so before the first pull. What came of each pull is told
from the scenario (outcomes.py); without one each pull succeeded, and questionnaires and roster are
as known at `as_of`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from ingestion.simulator.outcomes import (
    FAILED,
    LOST,
    OUTAGE,
    RETIRED,
    Course,
    answered_at,
    courses,
    outage_is_shared,
)
from ingestion.simulator.roster import SimParticipant
from ingestion.simulator.scenario import Scenario
from ingestion.simulator.told_days import ToldDay, told_day

if TYPE_CHECKING:
    from ingestion.simulator.world import World

Row = dict[str, Any]
DAYS_SCHEMA = pa.schema(
    [
        ("participant_id", pa.string()),
        ("activity_date", pa.date32()),
        ("day_state", pa.string()),
        ("steps", pa.int32()),
        ("wear_minutes", pa.int32()),
    ]
)
UNKNOWN = (
    "outside_study", "paused", "never_connected", "consent_lost", "fetch_failed", "vendor_outage",
    "pending_sync",
)  # fmt: skip


@dataclass(frozen=True)
class _Known:
    """What the whole trial's pulls came to, and what the roster said when REDCap last answered."""

    courses: Mapping[str, list[Course]]  # by participant
    of_source: Mapping[str, list[Course]]
    roster_at: datetime | None


def truth_days(
    world: World, as_of: datetime, pulled_at: Sequence[datetime], scenario: Scenario | None = None
) -> pa.Table:
    """participant_id, activity_date, day_state, steps, wear_minutes, ordered by the first two."""
    known = _known(world, [at for at in pulled_at if at <= as_of], scenario)
    rows = [row for p in world.participants for row in _rows(world, p, as_of, known)]
    rows.sort(key=lambda row: (row["participant_id"], row["activity_date"]))
    return pa.Table.from_pylist(rows, schema=DAYS_SCHEMA)


def _known(world: World, pulls: list[datetime], scenario: Scenario | None) -> _Known:
    found = {p.participant_id: courses(world, p, pulls, scenario) for p in world.participants}
    by_source: dict[str, list[Course]] = {}
    for course in (one for each in found.values() for one in each):
        by_source.setdefault(course.source, []).append(course)
    return _Known(found, by_source, answered_at(pulls, scenario) if scenario else None)


def _rows(
    world: World, participant: SimParticipant, as_of: datetime, known: _Known
) -> Iterator[Row]:
    today = world.today(participant, as_of)
    told_on = world.today(participant, known.roster_at) if known.roster_at else today
    roster = world.roster_row(participant, told_on)
    last = participant.starts_on + timedelta(days=7 * world.study.study.weeks - 1)
    on = participant.starts_on
    while on <= min(today, last):
        course, day = _chosen(world, participant, on, known)
        state = _state(world, roster, on, course, day, known, as_of)
        yield {
            "participant_id": participant.participant_id,
            "activity_date": on,
            "day_state": state,
            "steps": _steps(state, day),
            "wear_minutes": None if state in (*UNKNOWN, "minutes_lost") else day.wear_minutes,
        }
        on += timedelta(days=1)


def _chosen(
    world: World, participant: SimParticipant, on: date, known: _Known
) -> tuple[Course | None, ToldDay]:
    """The first source with the whole day and something of it, else the first; never two."""
    offers = [
        (course, told_day(world, participant, on, course))
        for course in known.courses[participant.participant_id]
    ]
    if not offers:
        return None, told_day(world, participant, on, Course(""))
    whole = (offer for offer in offers if offer[1].complete and offer[1].told)
    return next(whole, offers[0])


def _state(
    world: World, roster: Row, on: date, course: Course | None, day: ToldDay, known: _Known,
    as_of: datetime,
) -> str:  # fmt: skip
    """The first that fits, in the protocol's order."""
    if roster["withdrawn_on"] is not None and on >= roster["withdrawn_on"]:
        return "outside_study"
    if not day.complete:
        ends = roster["paused_to"] or date.max
        if roster["paused_from"] is not None and roster["paused_from"] <= on <= ends:
            return "paused"
        if course is None:
            return "never_connected"
        remembered = day.ends_at + timedelta(days=world.study.wear.minute_memory_days)
        waiting = "pending_sync" if as_of < remembered else "minutes_lost"
        missing = {LOST: "consent_lost", FAILED: "fetch_failed", RETIRED: "vendor_outage"}
        if course.newest == OUTAGE and course.newest_at:
            others = known.of_source[course.source]
            shared = outage_is_shared(others, course.newest_at, world.study.wearables)
            return "vendor_outage" if shared else "fetch_failed"
        return missing.get(course.newest, waiting)
    return _judged(world, day)


def _judged(world: World, day: ToldDay) -> str:
    """The state of a day that is all here."""
    wear = world.study.wear
    nothing = not day.steps and not day.wear_minutes and not day.hours_with_steps
    if day.total and nothing:
        return "minutes_lost"
    if day.wear_minutes is None:
        worn, enough = day.hours_with_steps > 0, day.hours_with_steps >= wear.valid_day_step_hours
    else:
        worn = day.wear_minutes >= wear.not_worn_below_minutes
        enough = day.wear_minutes >= wear.valid_day_minutes
    if not worn:
        return "not_worn"
    too_many = day.steps > wear.implausible_day_steps
    too_fast = day.most_in_a_minute > wear.implausible_minute_steps
    if too_many or too_fast or (enough and day.steps < wear.implausible_low_steps):
        return "implausible"
    return "valid" if enough else "insufficient_wear"


def _steps(state: str, day: ToldDay) -> int | None:
    if state in UNKNOWN:
        return None
    return day.total if state == "minutes_lost" else day.steps


def truth_responses(world: World, as_of: datetime) -> list[Row]:
    """Every item answered, or left blank in a filled-in questionnaire, by `as_of`."""
    return [
        {
            "participant_id": participant.participant_id,
            "source": "redcap",
            "visit": response.visit,
            "instrument": response.instrument,
            "repeat": 1,
            "item": item,
            "value": value,
            "answered_on": response.answered_on,
        }
        for participant, today in _enrolled(world, as_of)
        for response in world.responses(participant)
        if response.answered_on <= today
        for item, value in response.items
    ]


def truth_sessions(world: World, as_of: datetime) -> list[Row]:
    """Every treatment session planned up to `as_of`, attended or not."""
    return [
        {
            "participant_id": participant.participant_id,
            "source": "redcap",
            "session_number": session.number,
            "held_on": session.held_on,
            "attended": session.attended,
            "therapist_id": participant.therapist_id,
        }
        for participant, today in _enrolled(world, as_of)
        for session in world.sessions(participant)
        if session.held_on <= today
    ]


def truth_goals(world: World, as_of: datetime) -> list[Row]:
    """Every goal version in force by `as_of`; the newest has no end."""
    rows = []
    for participant, today in _enrolled(world, as_of):
        goals = [goal for goal in world.goals(participant) if goal.valid_from <= today]
        ends = [goal.valid_from - timedelta(days=1) for goal in goals[1:]]
        rows += [
            {
                "participant_id": participant.participant_id,
                "version": goal.version,
                "valid_from": goal.valid_from,
                "valid_to": end,
                "goal_steps": goal.goal_steps,
                "rule": "protocol",
            }
            for goal, end in zip(goals, [*ends, None], strict=False)
        ]
    return rows


def truth_roster(world: World, as_of: datetime) -> list[Row]:
    """Everybody enrolled by `as_of`, as known then."""
    return [world.roster_row(participant, today) for participant, today in _enrolled(world, as_of)]


def _enrolled(world: World, as_of: datetime) -> Iterator[tuple[SimParticipant, date]]:
    """(participant, their own today) of everybody enrolled by then."""
    for participant in world.participants:
        today = world.today(participant, as_of)
        if participant.enrolled_on <= today:
            yield participant, today
