"""What each source tells of a day, worked out by hand: journeys, summer time, lasting gaps."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from ingestion.simulator.activity import Truth
from ingestion.simulator.outcomes import Course
from ingestion.simulator.scenario import Scenario, Trouble
from ingestion.simulator.syncs import Activity
from ingestion.simulator.told_days import ToldDay, told_day
from ingestion.simulator.world import World
from warehouse.study import EXAMPLE, read_study

STUDY = read_study(EXAMPLE)
LATE = datetime(2026, 11, 20, tzinfo=UTC)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def told(
    on: str, source: str, spans: list[tuple[str, int, int]], *, timezone: str = "Europe/London",
    legs: tuple = (), synced: datetime = LATE, lasting: tuple = (), **world: str,
) -> ToldDay:  # fmt: skip
    """The day of somebody who wore the device, with as many steps in each minute, in `spans`
    (UTC start, minutes, steps) and at no other time, and synced once."""
    made = World(STUDY, participants=1, weeks=44, **world)
    one = made.participants[0]
    object.__setattr__(one, "timezone", timezone)
    object.__setattr__(one, "journeys", legs)
    steps, worn = np.zeros(made.grid.minutes, np.uint16), np.zeros(made.grid.minutes, bool)
    for start, minutes, each in spans:
        first = made.grid.second_of(at(start)) // 60
        steps[first : first + minutes], worn[first : first + minutes] = each, True
    truth = Truth(steps, worn, worn.astype(np.uint8) * 70)
    second = np.array([made.grid.second_of(synced)], np.int64)
    activity = Activity(made.grid, made.zone(one), truth, second, memory_days=10_000)
    made._activity = lambda index: activity
    course = Course(source, landed_at=LATE, newest_at=LATE, newest="landed", lasting=lasting)
    return told_day(made, one, date.fromisoformat(on), course)


def test_the_repeated_hour_is_two_hours_at_google():
    day = told(
        "2026-10-25", "google_health", [("2026-10-25T00:30", 90, 1)]
    )  # 01:30 twice, to 02:00
    assert (day.steps, day.wear_minutes, day.most_in_a_minute) == (90, 90, 1)
    assert day.ends_at == at("2026-10-26T00:00")


@pytest.mark.parametrize(("mode", "steps", "most"), [("merge", 90, 2), ("last_wins", 60, 1)])
def test_the_repeated_hour_is_one_hour_on_the_wall(mode, steps, most):
    day = told("2026-10-25", "fitbit", [("2026-10-25T00:30", 90, 1)], repeated_hour=mode)
    assert (day.steps, day.most_in_a_minute, day.wear_minutes) == (steps, most, 60)
    assert (day.total, day.hours_with_steps) == (90, 0)  # 01:00 to 02:00 is no waking hour


def test_a_travellers_day_ends_with_the_clock_of_its_last_minute():
    """In New York (-5) from noon UTC; worn to 22:00 there, which is 03:00 UTC of the 11th."""
    legs = ((at("2026-02-10T12:00"), "America/New_York"),)
    span = [("2026-02-10T09:00", 60, 1), ("2026-02-11T02:00", 60, 1)]
    day = told("2026-02-10", "google_health", span, legs=legs)
    assert (day.steps, day.ends_at) == (120, at("2026-02-11T05:00"))
    assert told("2026-02-10", "google_health", span[:1], legs=legs).ends_at == at(
        "2026-02-11T00:00"
    )
    half = told("2026-02-10", "google_health", span, legs=legs, synced=at("2026-02-11T03:30"))
    assert (half.steps, half.complete) == (120, False)
    whole = told("2026-02-10", "google_health", span, legs=legs, synced=at("2026-02-11T05:00"))
    assert whole.complete


def test_on_the_wall_a_travellers_day_ends_at_home():
    legs = ((at("2026-02-10T12:00"), "America/New_York"),)
    day = told("2026-02-10", "fitbit", [("2026-02-11T02:00", 60, 1)], legs=legs)
    assert (day.steps, day.wear_minutes, day.ends_at) == (60, 60, at("2026-02-11T00:00"))


def test_what_homes_clock_skipped_is_refused_on_the_wall():
    """On 29 March Dublin's clock skips 01:00 to 02:00; in Kolkata (+5:30) there is such an hour."""
    legs = ((at("2026-03-27T12:00"), "Asia/Kolkata"),)
    span = [("2026-03-28T19:00", 180, 1)]  # 00:30 to 03:30 on the 29th in Kolkata
    wall = told("2026-03-29", "fitbit", span, legs=legs, timezone="Europe/Dublin")
    assert (wall.steps, wall.wear_minutes, wall.total) == (120, 120, 180)
    google = told("2026-03-29", "google_health", span, legs=legs, timezone="Europe/Dublin")
    assert (google.steps, google.ends_at) == (180, at("2026-03-29T18:30"))


@pytest.mark.parametrize(
    ("trouble", "expected"),
    [
        (Trouble("no_intraday", "fitbit", 0, 0), (0, 0, 0, 0)),
        (Trouble("scope_missing", "fitbit", 0, 0, path="activities/heart"), (60, 1, None, 2)),
        (Trouble("implausible", "fitbit", 0, 0, path="steps/date/2026-02-10/",
                 args={"steps": 5000}), (5059, 5000, 60, 2)),
        (Trouble("implausible", "fitbit", 0, 0, path="steps/date/2026-02-10/",
                 args={"steps": -5}), (59, 1, 60, 2)),
        (Trouble("implausible", "fitbit", 0, 0, path="steps/date/2026-02-11/",
                 args={"steps": 5000}), (60, 1, 60, 2)),
    ],
)  # fmt: skip
def test_what_an_account_lacks_is_lacking_in_its_days(trouble, expected):
    day = told("2026-02-10", "fitbit", [("2026-02-10T08:30", 60, 1)], lasting=(trouble,))
    found = (day.steps, day.most_in_a_minute, day.wear_minutes, day.hours_with_steps)
    assert found == expected
    assert day.total == 60


def test_before_anything_landed_a_day_is_home_and_not_here():
    one = World(STUDY, participants=1, weeks=1)
    zone = one.participants[0].timezone
    day = told_day(one, one.participants[0], date(2026, 1, 20), Course("google_health"))
    assert (day.complete, day.told, day.total) == (False, False, None)
    assert zone == "Asia/Jerusalem"
    assert day.ends_at == at("2026-01-20T22:00")


def oracle_states(world: World, scenario: Scenario, who: str) -> dict[str, int]:
    rows = world.truth_days(scenario.pulls[-1], scenario.pulls, scenario).to_pylist()
    found = [row["day_state"] for row in rows if row["participant_id"] == who]
    return {state: found.count(state) for state in found}


def test_the_oracle_gives_a_missing_day_the_reason_of_its_newest_pull():
    """Three at Google are pulled, at noon of the 27th and the 28th of January."""
    world = World(STUDY, participants=3, weeks=2)
    pulls = (at("2026-01-27T12:00"), at("2026-01-28T12:00"))
    calm = Scenario(0, date(2026, 1, 19), (), {}, pulls, (), frozenset({"P002"}), None, frozenset())
    assert "pending_sync" in oracle_states(world, calm, "P001")

    def troubled(*troubles: Trouble) -> set[str]:
        return set(oracle_states(world, replace(calm, troubles=troubles), "P001"))

    both = (0, 1)
    mine = {"user": "P001", "path": "/v4/"}
    assert troubled(Trouble("503", "google", *both, **mine)) == {"fetch_failed"}
    assert troubled(Trouble("503", "google", *both)) == {"vendor_outage"}
    assert troubled(Trouble("429", "google", *both)) == {"fetch_failed"}
    assert troubled(Trouble("revoked", "google", *both, **mine)) == {"consent_lost"}
    assert troubled(Trouble("410", "google", *both)) == {"vendor_outage"}
    later = troubled(Trouble("503", "google", 1, 1, **mine))
    assert "valid" in later
    assert "fetch_failed" in later


def test_the_other_source_steps_in_where_the_first_is_troubled():
    """P002 consented at both vendors; Google, which goes first, is down throughout."""
    world = World(STUDY, participants=3, weeks=2)
    pulls = (at("2026-01-27T12:00"), at("2026-01-28T12:00"))
    made = Scenario(0, date(2026, 1, 19), (), {}, pulls, (Trouble("503", "google", 0, 1),),
                    frozenset({"P002"}), None, frozenset())  # fmt: skip
    states = oracle_states(world, made, "P002")
    assert states["valid"] >= 3
    assert states["vendor_outage"] >= 1  # the days that the other has not yet
    assert timedelta(days=sum(states.values())) >= timedelta(days=3)


def test_a_withdrawal_is_known_when_redcap_next_answers():
    world = World(STUDY, participants=1, weeks=2)
    one = world.participants[0]
    object.__setattr__(one, "withdrawn_on", date(2026, 1, 28))
    pulls = (at("2026-01-27T12:00"), at("2026-01-29T12:00"))
    calm = Scenario(0, date(2026, 1, 19), (), {}, pulls, (), frozenset(), None, frozenset())
    assert oracle_states(world, calm, "P001")["outside_study"] == 2
    deaf = replace(calm, troubles=(Trouble("500", "redcap", 1, 1),))
    assert "outside_study" not in oracle_states(world, deaf, "P001")
