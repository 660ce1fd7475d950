"""The pretend world: repeatable, independent of its size, and with the effect it claims."""

import itertools
from datetime import UTC, date, datetime, timedelta
from statistics import mean

import numpy as np
import pytest

from ingestion.simulator.activity import Truth
from ingestion.simulator.grid import Grid
from ingestion.simulator.roster import STORIES
from ingestion.simulator.syncs import RESTATED_WITHIN_DAYS, Activity
from ingestion.simulator.world import World
from warehouse.study import EXAMPLE, read_study

STUDY = read_study(EXAMPLE)


@pytest.fixture(scope="module")
def world() -> World:
    return World(STUDY, participants=48, weeks=12)


def drawn(world: World) -> list[object]:
    """Everything a world holds of its first three participants."""
    return [
        (p, world.activity(p).truth.steps.tobytes(), world.activity(p).truth.worn.tobytes(),
         world.activity(p).truth.heart_rate.tobytes(), world.activity(p).synced.tobytes(),
         world.responses(p), world.sessions(p), world.goals(p))
        for p in world.participants[:3]
    ]  # fmt: skip


def test_a_seed_gives_one_world():
    assert drawn(World(STUDY, 7, 3, 3)) == drawn(World(STUDY, 7, 3, 3))


def test_another_seed_gives_another_world():
    assert drawn(World(STUDY, 7, 3, 3)) != drawn(World(STUDY, 8, 3, 3))


def test_a_participant_is_the_same_whoever_else_is_there():
    assert drawn(World(STUDY, 7, 3, 3)) == drawn(World(STUDY, 7, 11, 3))


@pytest.mark.parametrize(("participants", "weeks", "seed"), [(0, 3, 1), (1, 0, 1), (1, 3, -1)])
def test_an_impossible_world_is_refused(participants, weeks, seed):
    with pytest.raises(ValueError, match="at least one participant"):
        World(STUDY, seed, participants, weeks)


def test_everybody_enrols_once_recruitment_is_open_and_starts_in_the_same_week(world):
    for p in world.participants:
        assert date(2026, 1, 19) <= p.starts_on <= date(2026, 1, 25)
        assert date(2026, 1, 5) <= p.enrolled_on < p.starts_on


def test_the_first_six_tell_the_stories_that_small_worlds_rely_on(world):
    assert [(p.vendor, p.measures_heart_rate, p.connects) for p in world.participants[:6]] == [
        ("google_health", True, True),
        ("fitbit", True, True),
        ("google_health", False, True),
        ("google_health", True, True),
        ("google_health", True, True),
        ("google_health", True, False),
    ]
    assert world.participants[3].consent_revoked_at is not None
    assert world.participants[4].withdrawn_on is not None


def test_one_in_eight_is_on_the_legacy_vendor_with_heart_rate(world):
    legacy = [p for p in world.participants if p.vendor == "fitbit"]
    assert len(legacy) == 6  # of 48
    assert all(p.measures_heart_rate for p in legacy)
    assert sorted({p.story for p in world.participants}) == sorted(set(STORIES))


def test_arms_and_sites_are_balanced_and_zones_are_the_sites(world):
    assert sum(p.arm == "etmi" for p in world.participants) == 24
    assert sum(p.site == "haifa" for p in world.participants) == 16
    zones = {"haifa": "Asia/Jerusalem", "beer_sheva": "Asia/Jerusalem"}
    assert all(p.timezone == zones.get(p.site, "Europe/London") for p in world.participants)


def test_arms_follow_no_pattern(world):
    """Each pair of participants has both arms, in an order of its own."""
    first_of_pair = [p.arm for p in world.participants[::2]]
    assert set(first_of_pair) == {"etmi", "usual_care"}
    assert len({p.site for p in world.participants[::3]}) == 3


def test_the_world_settles_at_six_after_the_last_week(world):
    last = max(p.starts_on for p in world.participants) + timedelta(days=84)
    assert world.settles_at == datetime(last.year, last.month, last.day, 6, tzinfo=UTC)


def test_pulls_are_spread_evenly_up_to_the_end(world):
    pulls = world.pull_instants(4)
    assert pulls[-1] == world.settles_at
    gaps = [b - a for a, b in zip([world.begins_at, *pulls], pulls, strict=False)]
    assert max(gaps) - min(gaps) <= timedelta(minutes=1)


@pytest.mark.parametrize(
    ("zone", "on", "minutes"),
    [
        ("Asia/Jerusalem", date(2026, 3, 26), 1440),
        ("Asia/Jerusalem", date(2026, 3, 27), 1380),
        ("Europe/London", date(2026, 3, 29), 1380),
        ("Asia/Jerusalem", date(2026, 10, 25), 1500),
        ("Europe/London", date(2026, 10, 25), 1500),
        ("Australia/Lord_Howe", date(2026, 4, 5), 1470),
    ],
)
def test_days_have_the_length_of_their_zone(zone, on, minutes):
    grid = Grid(date(2026, 1, 1), 330)
    number = grid.day_number(on)
    made = grid.zone(zone)
    assert int(made.first[number + 1] - made.first[number]) == minutes
    assert grid.date_of(number) == on


def test_a_day_of_wear_is_realistic(world):
    """Most days worn ten hours or more, around the clock for most, and thousands of steps."""
    steady = [p for p in world.participants if p.story == "steady"]
    worn, steps = [], []
    for p in steady:
        view = world.activity(p).view(world.settles_at)
        first = world.grid.day_number(p.starts_on)
        worn += view.worn_minutes[first : first + 84].tolist()
        steps += view.totals[first : first + 84].tolist()
    valid = [n for n in worn if n >= 600]
    assert 0.75 < len(valid) / len(worn) < 0.95
    assert 900 < mean(valid) < 1200
    assert 3000 < mean(n for n in steps if n >= 0) < 8000


def test_minutes_not_worn_have_neither_steps_nor_beats(world):
    for p in world.participants[:5]:
        truth = world.activity(p).truth
        assert truth.steps[~truth.worn].max(initial=0) == 0
        assert truth.heart_rate[~truth.worn].max(initial=0) == 0
        beats = truth.heart_rate[truth.worn]
        assert (beats > 0).all() if p.measures_heart_rate else not beats.any()


def test_the_first_arm_walks_more_and_improves_more_with_fewer_sessions(world):
    gained = {"etmi": [], "usual_care": []}
    function, sessions = {"etmi": [], "usual_care": []}, {"etmi": [], "usual_care": []}
    for p in world.participants:
        sessions[p.arm].append(len(world.sessions(p)))
        lcat = {r.visit: float(r.items[0][1]) for r in world.responses(p) if r.instrument == "LCAT"}
        if {"baseline", "week_12"} <= set(lcat):
            function[p.arm].append(lcat["week_12"] - lcat["baseline"])
        if p.story == "steady":
            totals = world.activity(p).view(world.settles_at).totals
            first = world.grid.day_number(p.starts_on)
            gained[p.arm].append(
                totals[first + 42 : first + 70].mean() - totals[first : first + 14].mean()
            )
    assert mean(gained["etmi"]) > mean(gained["usual_care"]) + 800
    assert mean(function["etmi"]) > mean(function["usual_care"])
    assert mean(sessions["etmi"]) < mean(sessions["usual_care"])


def test_answers_are_in_range_and_some_are_blank(world):
    seen, blanks = {}, 0
    for p in world.participants:
        for response in world.responses(p):
            values = [v for _, v in response.items if v is not None]
            blanks += len(response.items) - len(values)
            seen.setdefault(response.instrument, []).extend(values)
            if response.visit == "baseline":
                assert response.answered_on <= p.starts_on
            if p.withdrawn_on:
                assert response.answered_on < p.withdrawn_on
    assert set(seen) == {"LCAT", "NPRS", "FABQ", "RMDQ24"}
    assert set(seen["NPRS"]) <= {str(n) for n in range(11)}
    assert set(seen["FABQ"]) <= {str(n) for n in range(7)}
    assert set(seen["RMDQ24"]) == {"0", "1"}
    assert all(0 <= float(v) <= 100 and v[-2] == "." for v in seen["LCAT"])
    assert blanks > 0


def test_goals_rise_in_versions_and_need_a_baseline(world):
    with_goals = [p for p in world.participants if world.goals(p)]
    assert len(with_goals) > 30
    for p in with_goals:
        goals = world.goals(p)
        assert [g.version for g in goals] == list(range(1, len(goals) + 1))
        assert goals[0].valid_from == p.starts_on + timedelta(days=14)
        assert [g.goal_steps for g in goals] == sorted(g.goal_steps for g in goals)
        assert all(g.goal_steps % 100 == 0 and 0 < g.goal_steps <= 10_000 for g in goals)
        assert goals[-1].goal_steps - goals[0].goal_steps < 3_000
        gaps = {(b.valid_from - a.valid_from).days for a, b in itertools.pairwise(goals)}
        assert gaps <= {14, 21, 28}
    assert world.goals(world.participants[5]) == ()  # never connected, so nobody saw the steps


def test_restated_days_are_replaced_within_five_days(world):
    found = 0
    for p in world.participants:
        activity = world.activity(p)
        for draft in activity.drafts:
            day = int(activity.zone.day[draft.first])
            ends = int(activity.zone.first[day + 1]) * 60
            assert ends < activity.synced[draft.until] <= ends + RESTATED_WITHIN_DAYS * 86_400
            found += 1
    assert found > 200


def test_a_restated_day_shows_other_counts_first_and_the_truth_later(world):
    activity = world.activity(world.participants[0])
    draft = activity.drafts[0]
    last = draft.first + draft.steps.size
    instant = world.grid.instant
    before = activity.view(instant(int(activity.synced[draft.until]) - 1)).steps[draft.first : last]
    after = activity.view(instant(int(activity.synced[draft.until]))).steps[draft.first : last]
    assert after.tolist() == activity.truth.steps[draft.first : last].tolist()
    assert before.tolist() == draft.steps[: before.size].tolist()
    assert before.tolist() != after[: before.size].tolist()


def hand_made(synced_days: list[float]) -> Activity:
    """Ten steps a minute from midnight UTC on 1 January for 20 days, synced at those days' ends."""
    grid = Grid(date(2026, 1, 1), 20)
    steps = np.full(grid.minutes, 10, np.uint16)
    truth = Truth(steps, np.ones(grid.minutes, bool), np.full(grid.minutes, 60, np.uint8))
    synced = np.array([int(day * 86_400) for day in synced_days], np.int64)
    return Activity(grid, "UTC", truth, synced, memory_days=7)


def test_nothing_is_visible_before_a_sync_and_all_before_it_after():
    activity = hand_made([1.5])
    early = activity.view(datetime(2026, 1, 2, 11, 59, 59, tzinfo=UTC))
    late = activity.view(datetime(2026, 1, 2, 12, tzinfo=UTC))
    assert (early.minutes, early.totals.max()) == (0, -1)
    assert late.minutes == 36 * 60
    assert late.totals[1:4].tolist() == [14_400, 7_200, -1]
    assert activity.synced_at(datetime(2026, 1, 2, 11, tzinfo=UTC)) is None
    assert activity.synced_at(datetime(2026, 1, 9, tzinfo=UTC)) == datetime(
        2026, 1, 2, 12, tzinfo=UTC
    )


def test_a_device_remembers_seven_days_of_minutes_and_the_totals_of_all():
    """Synced at the end of day 1.5 and of day 12: days 2 to 5 ended over a week before."""
    view = hand_made([1.5, 12.0]).view(datetime(2026, 1, 14, tzinfo=UTC))
    assert view.worn_minutes[1:13].tolist() == [1440, 720, 0, 0, 0, *[1440] * 7]
    assert view.totals[1:13].tolist() == [14_400] * 12
