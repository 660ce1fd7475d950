"""Scenarios are drawn from their seed, and what must come of their pulls is told by hand here."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from ingestion.simulator import outcomes
from ingestion.simulator.faults import CATALOGUE, check_spec
from ingestion.simulator.outcomes import Course, courses, outage_is_shared
from ingestion.simulator.scenario import Scenario, Trouble, draw_scenario
from ingestion.simulator.world import World
from warehouse.study import EXAMPLE, read_study

STUDY = read_study(EXAMPLE)
PULLS = tuple(datetime(2026, 1, day, 12, tzinfo=UTC) for day in (27, 28, 29, 30))


def scenario(*troubles: Trouble, both: tuple[str, ...] = ()) -> Scenario:
    return Scenario(0, date(2026, 1, 19), (), {}, PULLS, troubles, frozenset(both), None,
                    frozenset())  # fmt: skip


@pytest.fixture(scope="module")
def world():
    """P001 and P003 at Google, P002 at the legacy vendor; P004 revokes, P006 never connects."""
    made = World(STUDY, participants=6, weeks=2)
    object.__setattr__(made.participants[3], "consent_revoked_at", PULLS[2])
    return made


def newest(world, who: str, made: Scenario, pulls: int = 4) -> list[tuple]:
    participant = world.participant(who)
    return [
        (one.source, one.landed_at and PULLS.index(one.landed_at), one.newest)
        for one in courses(world, participant, PULLS[:pulls], made)
    ]


def test_a_seed_makes_one_scenario_and_seeds_differ():
    assert draw_scenario(5) == draw_scenario(5)
    drawn = [draw_scenario(seed) for seed in range(60)]
    assert len({one.pulls for one in drawn}) == 60
    assert len({one.first_day for one in drawn}) == 8
    for name in ("journeys", "devices", "faults"):
        assert {one.world[name] for one in drawn} == {True, False}
    assert {one.killed is None for one in drawn} == {True, False}
    assert any(one.both for one in drawn)


def test_the_seeds_of_the_tests_cover_the_catalogue():
    drawn = {one.fault for seed in range(60) for one in draw_scenario(seed).troubles}
    left = set(CATALOGUE) - drawn
    assert left == {"slow", "missing_code"}  # a wait, and an answer: neither makes a person-day


def test_every_trouble_can_be_armed_and_none_meets_another():
    for seed in range(60):
        made = draw_scenario(seed)
        world = World(STUDY, participants=made.world["participants"], weeks=1)
        assert [check_spec(spec, world) for spec in made.specs() if check_spec(spec, world)] == []
        for number, one in enumerate(made.troubles):
            assert not any(one.meets(other) for other in made.troubles[:number])
            assert 0 <= one.first <= one.last < len(made.pulls)


def test_pulls_are_nine_hours_apart_or_more_after_the_first_week():
    for seed in range(60):
        made = draw_scenario(seed)
        gaps = [b - a for a, b in zip(made.pulls, made.pulls[1:], strict=False)]
        assert min(gaps) > timedelta(hours=8)
        assert (made.pulls[0].date() - made.first_day).days >= 7


def test_a_trouble_holds_from_its_first_pull_to_its_last():
    (spec,) = scenario(Trouble("503", "google", 1, 2, "P001", "/v4/")).specs()
    assert spec == {
        "match": {"personality": "google", "user": "P001", "path": "/v4/"},
        "times": -1,
        "fault": "503",
        "args": {"from": "2026-01-28T12:00:00+00:00", "until": "2026-01-29T12:00:01+00:00"},
    }


@pytest.mark.parametrize(
    ("trouble", "came"),
    [
        (Trouble("503", "google", 3, 3, "P001", "/v4/"), (2, "outage")),
        (Trouble("503", "google", 2, 2, "P001", "/v4/"), (3, "landed")),
        (Trouble("429", "google", 2, 3, "P001", "/v4/"), (1, "failed")),
        (Trouble("truncated", "google", 3, 3), (2, "failed")),
        (Trouble("503", "google", 3, 3, "P003", "/v4/"), (3, "landed")),
        (Trouble("503", "fitbit", 3, 3), (3, "landed")),
        (Trouble("503", "google", 3, 3, "P001", "/v4/", times=1), (3, "landed")),
        (Trouble("two_sources", "google", 0, 3), (3, "landed")),
        (Trouble("scope_missing", "google", 0, 3, "P001", "heart-rate"), (3, "landed")),
        (Trouble("scope_missing", "google", 1, 1, "P001", "/v4/"), (0, "lost")),
        (Trouble("revoked", "google", 2, 2, "P001", "/token"), (1, "lost")),
        (Trouble("503", "google", 0, 0, "P001", "/token"), (3, "landed")),
        (Trouble("410", "google", 2, 3), (1, "retired")),
        (Trouble("testing_expiry", "google", 0, 3, path="/token"), (3, "landed")),
    ],
)
def test_what_a_trouble_comes_to(world, trouble, came):
    """A pull that failed leaves what the one before it brought; a lost consent is asked no more."""
    assert newest(world, "P001", scenario(trouble)) == [("google_health", *came)]


def test_testing_ends_seven_days_after_the_consent(world):
    made = scenario(Trouble("testing_expiry", "google", 0, 3, path="/token"))
    made = replace(made, pulls=(PULLS[0] - timedelta(days=6), *PULLS[1:]))
    participant = world.participant("P001")
    (one,) = courses(world, participant, made.pulls, made)
    assert (one.newest, one.newest_at, one.landed_at) == ("lost", PULLS[1], made.pulls[0])


def test_a_revoked_consent_is_met_at_the_next_pull_that_reaches_the_vendor(world):
    assert newest(world, "P004", scenario()) == [("google_health", 1, "lost")]
    out = scenario(Trouble("503", "google", 2, 2))
    assert newest(world, "P004", out, pulls=3) == [("google_health", 1, "outage")]
    data_only = scenario(Trouble("503", "google", 2, 2, path="/v4/"))
    assert newest(world, "P004", data_only, pulls=3) == [("google_health", 1, "lost")]


def test_pages_without_end_harm_nobody_whose_device_has_not_synced(world):
    """A second later no device has synced, and no page is asked for; at first every page is."""
    soon = (PULLS[0], PULLS[0] + timedelta(seconds=1))
    for number, ends in ((0, "landed"), (1, "landed")):
        made = replace(scenario(Trouble("repeated_token", "google", number, number)), pulls=soon)
        (one,) = courses(world, world.participant("P001"), soon, made)
        assert (one.newest, one.landed_at) == (ends, soon[1])
    (one,) = courses(world, world.participant("P001"), soon[:1], replace(
        scenario(Trouble("repeated_token", "google", 0, 0)), pulls=soon))  # fmt: skip
    assert (one.newest, one.landed_at) == ("failed", None)


def test_nobody_is_asked_before_study_day_1_or_without_consent(world):
    early = (datetime(2026, 1, 18, 12, tzinfo=UTC),)
    one = world.participant("P001")
    assert one.starts_on > early[0].date()
    assert courses(world, one, early, None) == [Course("google_health")]
    assert courses(world, world.participant("P006"), PULLS, None) == []


def test_who_consents_twice_has_two_courses_by_priority(world):
    made = scenario(Trouble("503", "google", 3, 3), both=("P002",))
    assert newest(world, "P002", made) == [
        ("google_health", 2, "outage"), ("fitbit", 3, "landed")
    ]  # fmt: skip


def pulled(*pulls: tuple[datetime, str]) -> Course:
    return Course("google_health", pulls=pulls)


@pytest.mark.parametrize(
    ("ends", "shared"),
    [(["outage", "outage", "landed"], True), (["outage", "landed"], True),
     (["outage", "landed", "failed"], False), ([], False)],
)  # fmt: skip
def test_an_outage_of_half_of_the_pulls_is_the_vendors(ends, shared):
    found = [pulled((PULLS[3], end)) for end in ends]
    assert outage_is_shared([*found, pulled()], PULLS[3], STUDY.wearables) is shared


def test_of_each_participant_the_nearest_pull_counts_and_none_beyond_a_day():
    """PULLS are a day apart, each at noon."""
    down = pulled((PULLS[2], "landed"), (PULLS[3], "outage"))
    far = [pulled((PULLS[1], "lost"))] * 3
    assert outage_is_shared([down, *far], PULLS[3], STUDY.wearables)
    near = [pulled((PULLS[2], "lost"))] * 3
    assert not outage_is_shared([down, *near], PULLS[3], STUDY.wearables)
    hour = timedelta(hours=1)
    two = pulled((PULLS[3] - hour, "landed"), (PULLS[3] + hour, "outage"))
    assert outage_is_shared([two], PULLS[3], STUDY.wearables)  # as near: the later


def test_redcap_is_known_as_it_last_answered():
    made = scenario(Trouble("500", "redcap", 2, 3))
    assert outcomes.answered_at(PULLS, made) == PULLS[1]
    assert outcomes.answered_at(PULLS[:1], made) == PULLS[0]
    never = scenario(Trouble("html_200", "redcap", 0, 3))
    assert outcomes.answered_at(PULLS, never) == PULLS[0] - timedelta(minutes=10)
    assert outcomes.answered_at(PULLS, None) == PULLS[3]
