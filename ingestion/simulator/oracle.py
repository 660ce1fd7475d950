"""What the warehouse must hold: the truth, seen through the pulls that were made.

Written from the protocol's rules of a person-day, apart from the transforms that it judges. It
supposes that everybody who connects did so before the first pull, that each pull succeeded, and
that questionnaires and roster are as known at `as_of`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pyarrow as pa

from ingestion.simulator.roster import SimParticipant
from ingestion.simulator.syncs import View

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
UNKNOWN = ("outside_study", "paused", "never_connected", "consent_lost", "pending_sync")


@dataclass(frozen=True)
class _Landed:
    """What the pulls brought of one participant: the vendor's view, and synced through when."""

    view: View | None
    synced_at: datetime | None
    consent_lost: bool


@dataclass(frozen=True)
class _Day:
    on: date
    ends_at: datetime
    complete: bool
    steps: int
    wear_minutes: int
    most_in_a_minute: int
    total: int | None


def truth_days(world: World, as_of: datetime, pulled_at: Sequence[datetime]) -> pa.Table:
    """participant_id, activity_date, day_state, steps, wear_minutes, ordered by the first two."""
    rows = [row for p in world.participants for row in _rows(world, p, as_of, pulled_at)]
    rows.sort(key=lambda row: (row["participant_id"], row["activity_date"]))
    return pa.Table.from_pylist(rows, schema=DAYS_SCHEMA)


def _rows(
    world: World, participant: SimParticipant, as_of: datetime, pulled_at: Sequence[datetime]
) -> Iterator[Row]:
    landed = _landed(world, participant, [at for at in pulled_at if at <= as_of])
    today = world.today(participant, as_of)
    roster = world.roster_row(participant, today)
    last = participant.starts_on + timedelta(days=7 * world.study.study.weeks - 1)
    on = participant.starts_on
    while on <= min(today, last):
        day = _day(world, participant, on, landed)
        state = _state(world, participant, roster, day, landed, as_of)
        yield {
            "participant_id": participant.participant_id,
            "activity_date": on,
            "day_state": state,
            "steps": _steps(state, day),
            "wear_minutes": None if state in (*UNKNOWN, "minutes_lost") else day.wear_minutes,
        }
        on += timedelta(days=1)


def _landed(world: World, participant: SimParticipant, pulls: list[datetime]) -> _Landed:
    revoked = participant.consent_revoked_at
    good = [at for at in pulls if revoked is None or at < revoked]
    lost = len(good) < len(pulls)
    if not participant.connects or not good:
        return _Landed(None, None, lost)
    activity = world.activity(participant)
    return _Landed(activity.view(max(good)), activity.synced_at(max(good)), lost)


def _day(world: World, participant: SimParticipant, on: date, landed: _Landed) -> _Day:
    midnight = datetime.combine(on + timedelta(days=1), time(), ZoneInfo(participant.timezone))
    complete = landed.synced_at is not None and landed.synced_at >= midnight
    number, view = world.grid.day_number(on), landed.view
    if view is None or number >= view.totals.size:
        return _Day(on, midnight, complete, 0, 0, 0, None)
    steps = view.steps[view.zone.first[number] : view.zone.first[number + 1]]
    worn = view.worn[view.zone.first[number] : view.zone.first[number + 1]]
    total = int(view.totals[number])
    return _Day(
        on, midnight, complete, int(steps.sum()), int(worn.sum()),
        int(steps.max(initial=0)), None if total < 0 else total,
    )  # fmt: skip


def _state(
    world: World,
    participant: SimParticipant,
    roster: Row,
    day: _Day,
    landed: _Landed,
    as_of: datetime,
) -> str:
    """The first that fits, in the protocol's order."""
    wear = world.study.wear
    if roster["withdrawn_on"] is not None and day.on >= roster["withdrawn_on"]:
        return "outside_study"
    if not day.complete:
        ends = roster["paused_to"] or date.max
        if roster["paused_from"] is not None and roster["paused_from"] <= day.on <= ends:
            return "paused"
        if not participant.connects:
            return "never_connected"
        if landed.consent_lost:
            return "consent_lost"
        remembered_until = day.ends_at + timedelta(days=wear.minute_memory_days)
        return "pending_sync" if as_of < remembered_until else "minutes_lost"
    if day.total and not day.steps and not day.wear_minutes:
        return "minutes_lost"
    if day.wear_minutes < wear.not_worn_below_minutes:
        return "not_worn"
    enough = day.wear_minutes >= wear.valid_day_minutes
    too_many = day.steps > wear.implausible_day_steps
    too_fast = day.most_in_a_minute > wear.implausible_minute_steps
    if too_many or too_fast or (enough and day.steps < wear.implausible_low_steps):
        return "implausible"
    return "valid" if enough else "insufficient_wear"


def _steps(state: str, day: _Day) -> int | None:
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
