"""The oracle against days worked out by hand from the rules of a person-day."""

import itertools
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from ingestion.simulator.activity import Truth
from ingestion.simulator.syncs import Activity
from ingestion.simulator.world import World
from warehouse.study import EXAMPLE, read_study

STUDY = read_study(EXAMPLE)
START = date(2026, 1, 19)


def world_of(monkeypatch, *, synced_hours: list[float], story: int = 0, **changes) -> World:
    """One participant in Jerusalem from 19 January, whose days 1 to 12 are made by hand.

    Minutes are counted from local midnight of study day 1, which is 22:00 UTC on 18 January.
    """
    world = World(STUDY, participants=story + 1, weeks=12)
    given = {"starts_on": START, "enrolled_on": START - timedelta(days=3),
             "timezone": "Asia/Jerusalem", **changes}  # fmt: skip
    participant = world.participants[story]
    for name, value in given.items():
        object.__setattr__(participant, name, value)
    world.participants = (participant,)
    steps = np.zeros(world.grid.minutes, np.uint16)
    worn = np.zeros(world.grid.minutes, bool)
    origin = world.grid.second_of(datetime(2026, 1, 18, 22, tzinfo=UTC)) // 60
    for day, (minutes, each) in enumerate(DAYS):
        first = origin + day * 1440
        worn[first : first + minutes] = True
        steps[first : first + minutes] = each
    steps[origin + 3 * 1440] = 251
    synced = np.array([origin * 60 + int(hour * 3600) for hour in synced_hours], np.int64)
    truth = Truth(steps, worn, worn.astype(np.uint8) * 70)
    activity = Activity(world.grid, "Asia/Jerusalem", truth, synced, memory_days=7)
    monkeypatch.setattr(world, "activity", lambda _: activity)
    return world


# Worn minutes from local midnight, and steps in each of them, of study days 1 to 12.
DAYS = [(600, 5), (599, 5), (9, 5), (700, 1), (0, 0), (10, 0), (1440, 32), *[(600, 1)] * 5]


def states(world: World, as_of: datetime, *pulls: datetime) -> list[tuple]:
    rows = world.truth_days(as_of, pulls).to_pylist()
    assert [r["activity_date"] for r in rows] == [
        START + timedelta(days=n) for n in range(len(rows))
    ]
    return [(r["day_state"], r["steps"], r["wear_minutes"]) for r in rows]


def at(day: int, hour: int = 12) -> datetime:
    """An instant of January 2026, UTC."""
    return datetime(2026, 1, day, hour, tzinfo=UTC)


def test_each_landed_state_with_its_boundary(monkeypatch):
    world = world_of(monkeypatch, synced_hours=[7 * 24 + 1])
    assert states(world, at(26), at(26)) == [
        ("valid", 3000, 600),
        ("insufficient_wear", 2995, 599),
        ("not_worn", 45, 9),
        ("implausible", 950, 700),  # 699 minutes of one step and one of 251
        ("not_worn", 0, 0),
        ("insufficient_wear", 0, 10),
        ("implausible", 46_080, 1440),
        ("pending_sync", None, None),
    ]


def test_a_sync_a_second_before_the_end_leaves_the_day_incomplete(monkeypatch):
    late = world_of(monkeypatch, synced_hours=[24])
    assert states(late, at(20, 8), at(20, 8))[0] == ("valid", 3000, 600)
    early = world_of(monkeypatch, synced_hours=[24 - 1 / 3600])
    assert states(early, at(20, 8), at(20, 8))[0] == ("pending_sync", None, None)


def test_pending_ends_with_the_devices_memory(monkeypatch):
    """Day 1 ends at 22:00 UTC on the 19th; a week later it is lost but for its total so far."""
    world = world_of(monkeypatch, synced_hours=[5])
    assert states(world, at(26, 21), at(20))[0] == ("pending_sync", None, None)
    assert states(world, at(26, 22), at(20))[0] == ("minutes_lost", 1500, None)
    assert states(world, at(30), at(20))[1] == ("minutes_lost", None, None)


def test_forgotten_minutes_leave_the_total_only(monkeypatch):
    """Synced at the end of day 12: days 1 to 5 ended a week before or more."""
    world = world_of(monkeypatch, synced_hours=[1, 12 * 24])
    found = states(world, at(31), at(31))
    assert found[:6] == [
        ("insufficient_wear", 300, 60),  # an hour had been synced in time
        ("minutes_lost", 2995, None),
        ("minutes_lost", 45, None),
        ("minutes_lost", 950, None),
        ("not_worn", 0, 0),
        ("insufficient_wear", 0, 10),
    ]


def test_only_what_was_pulled_counts(monkeypatch):
    world = world_of(monkeypatch, synced_hours=[24, 48])
    first_pull = datetime(2026, 1, 20, 12, tzinfo=UTC)
    assert [s for s, _, _ in states(world, at(21), first_pull)][:2] == ["valid", "pending_sync"]
    assert [s for s, _, _ in states(world, at(21), first_pull, at(21))][:2] == [
        "valid",
        "insufficient_wear",
    ]


def test_a_pull_after_as_of_is_not_known(monkeypatch):
    world = world_of(monkeypatch, synced_hours=[24])
    assert states(world, at(20), at(21))[0][0] == "pending_sync"


def test_days_from_the_withdrawal_are_outside_the_study(monkeypatch):
    world = world_of(monkeypatch, synced_hours=[72], withdrawn_on=date(2026, 1, 20))
    assert states(world, at(22), at(22))[:3] == [
        ("valid", 3000, 600),
        ("outside_study", None, None),
        ("outside_study", None, None),
    ]


def test_a_withdrawal_is_known_from_its_day(monkeypatch):
    world = world_of(monkeypatch, synced_hours=[72], withdrawn_on=date(2026, 1, 25))
    assert [row["withdrawn_on"] for row in world.truth_roster(at(24))] == [None]
    assert [row["withdrawn_on"] for row in world.truth_roster(at(25))] == [date(2026, 1, 25)]


def test_a_pause_covers_incomplete_days_only(monkeypatch):
    world = world_of(monkeypatch, synced_hours=[24], paused_from=date(2026, 1, 19),
                     paused_to=date(2026, 1, 20))  # fmt: skip
    assert [s for s, _, _ in states(world, at(21, 8), at(21, 8))] == [
        "valid", "paused", "pending_sync"
    ]  # fmt: skip


def test_who_never_connects_never_connects(monkeypatch):
    world = world_of(monkeypatch, synced_hours=[24], story=5)
    assert {s for s, _, _ in states(world, at(24), at(24))} == {"never_connected"}


def test_revoked_consent_keeps_what_had_landed(monkeypatch):
    revoked = {"consent_revoked_at": at(21)}
    world = world_of(monkeypatch, synced_hours=[24, 48, 96], **revoked)
    assert [s for s, _, _ in states(world, at(24), at(20), at(24))] == [
        "valid", "consent_lost", "consent_lost", "consent_lost", "consent_lost", "consent_lost"
    ]  # fmt: skip
    assert [s for s, _, _ in states(world, at(21, 13), at(20))][1:] == ["pending_sync"] * 2


def test_rows_end_with_today_in_the_participants_zone(monkeypatch):
    world = world_of(monkeypatch, synced_hours=[24])
    assert len(states(world, at(20, 21))) == 2
    assert len(states(world, at(20, 22))) == 3  # already the 21st in Jerusalem


@pytest.mark.parametrize("day", [18, 15])
def test_nobody_has_a_day_before_study_day_1(monkeypatch, day):
    assert states(world_of(monkeypatch, synced_hours=[24]), at(day)) == []


def test_questionnaires_sessions_and_goals_are_known_from_their_day():
    world = World(STUDY, participants=6, weeks=3)
    p = world.participants[0]
    session, goal = world.sessions(p)[0], world.goals(p)[0]
    day = timedelta(days=1)

    def noon(on: date) -> datetime:
        return datetime(on.year, on.month, on.day, 12, tzinfo=UTC)

    def of_first(rows: list[dict]) -> list[dict]:
        return [row for row in rows if row["participant_id"] == "P001"]

    assert of_first(world.truth_sessions(noon(session.held_on - day))) == []
    assert of_first(world.truth_sessions(noon(session.held_on))) == [
        {"participant_id": "P001", "source": "redcap", "session_number": 1,
         "held_on": session.held_on, "attended": True, "therapist_id": p.therapist_id}
    ]  # fmt: skip
    assert of_first(world.truth_goals(noon(goal.valid_from - day))) == []
    assert of_first(world.truth_goals(noon(goal.valid_from))) == [
        {"participant_id": "P001", "version": 1, "valid_from": goal.valid_from, "valid_to": None,
         "goal_steps": goal.goal_steps, "rule": "protocol"}
    ]  # fmt: skip
    nprs = next(r for r in world.responses(p) if r.instrument == "NPRS")
    early = of_first(world.truth_responses(noon(nprs.answered_on - day)))
    late = of_first(world.truth_responses(noon(nprs.answered_on)))
    assert [r for r in early if r["instrument"] == "NPRS"] == []
    assert [r["value"] for r in late if r["instrument"] == "NPRS"] == [nprs.items[0][1]]


def test_a_goal_ends_the_day_before_the_next():
    world = World(STUDY, participants=1, weeks=12)
    rows = world.truth_goals(world.settles_at)
    assert len(rows) >= 3
    for row, after in itertools.pairwise(rows):
        assert row["valid_to"] == after["valid_from"] - timedelta(days=1)
    assert rows[-1]["valid_to"] is None
