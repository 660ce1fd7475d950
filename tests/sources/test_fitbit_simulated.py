"""Legacy Fitbit as the simulator serves it: grants, faults and the hourly budget, over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from support.google import STUDY, Simulated, simulated
from support.legacy import legacy_client

from ingestion.errors import ConsentLost, OutOfBudget, Retired, ScopeMissing, SourceError
from ingestion.source import Ask, Reading, Window
from ingestion.sources._legacy import LegacyClient
from ingestion.sources.fitbit import SOURCE

WEEK = 7


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Simulated]:
    """Three weeks in which P001, who has a tracker with heart rate, syncs every day."""
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    with simulated(tmp_path, "fitbit", participants=1, weeks=3) as served:
        served.consent("P001")
        served.served.set_clock(served.served.simulator.world.settles_at)
        yield served


def client_of(world: Simulated) -> LegacyClient:
    grant = world.grants.find("P001", "fitbit")
    assert grant is not None
    return legacy_client(world, grant)


def ask(world: Simulated, days: int = WEEK, **more: Any) -> Ask:
    starts_on = world.served.simulator.world.participants[0].starts_on
    window = Window(starts_on, starts_on + timedelta(days=days - 1))
    return Ask(STUDY, world.served.now(), "P001", None, window, **more)


def pull(world: Simulated, wanted: Ask) -> tuple[Reading, LegacyClient]:
    client = client_of(world)
    return SOURCE.read(list(SOURCE.fetch(client, wanted)), wanted), client


def steps(reading: Reading) -> dict[date, int]:
    return {day.activity_date: int(day.step_count.sum()) for day in reading.days}


def test_a_week_costs_three_requests_and_two_a_day_and_equals_the_truth(world: Simulated) -> None:
    reading, client = pull(world, ask(world))
    assert client.requests == 3 + 2 * WEEK == world.asked("/1/user/")
    told = world.served.simulator.world
    truth = told.truth_days(world.served.now(), [world.served.now()]).to_pylist()
    expected = {row["activity_date"]: row["steps"] for row in truth}
    assert len(reading.days) == WEEK
    assert steps(reading) == {day: expected[day] for day in steps(reading)}
    for day in reading.days:
        assert day.vendor_steps == day.step_count.sum()


def test_a_second_pull_stops_after_two_requests(world: Simulated) -> None:
    first, _ = pull(world, ask(world))
    again, client = pull(world, ask(world, synced_before=first.devices[0].last_sync_at))
    assert again.days == []
    assert client.requests == 2  # one where the roster tells the zone


def test_an_expired_token_is_rotated_once_by_the_grant_and_kept(world: Simulated) -> None:
    client = client_of(world)
    before = world.grants.find("P001", "fitbit")
    rotations = world.asked("/oauth2/token")
    world.arm("expired_token", "/1/user/")
    wanted = ask(world)
    reading = SOURCE.read(list(SOURCE.fetch(client, wanted)), wanted)
    after = world.grants.find("P001", "fitbit")
    assert len(reading.days) == WEEK
    assert world.asked("/oauth2/token") == rotations + 1
    assert before is not None
    assert after is not None
    assert after.token != before.token
    pull(world, ask(world, days=1))  # with the pair that was kept
    assert world.asked("/oauth2/token") == rotations + 1


@pytest.mark.parametrize(
    ("fault", "path", "expected"),
    [
        ("invalid_token", "/1/user/", ConsentLost),
        ("revoked", "/1/user/", ConsentLost),
        ("scope_missing", "/devices.json", ScopeMissing),
        ("410", "/1/user/", Retired),
    ],
)
def test_a_lasting_fault_ends_the_pull_at_once(
    world: Simulated, fault: str, path: str, expected: type[SourceError]
) -> None:
    world.arm(fault, path, times=-1)
    with pytest.raises(expected):
        pull(world, ask(world))
    assert world.asked("/activities/") == 0


@pytest.mark.parametrize("fault", ["429", "500", "502_html", "503", "truncated", "empty",
                                   "html_200", "html_401", "reset"])  # fmt: skip
def test_a_passing_fault_changes_nothing(world: Simulated, fault: str) -> None:
    expected, _ = pull(world, ask(world))
    args = {"retry_after": 5} if fault == "429" else {}
    world.arm(fault, "/activities/", times=2, **args)
    found, client = pull(world, ask(world))
    assert steps(found) == steps(expected)
    assert client.requests == 3 + 2 * WEEK + 2


def test_heart_rate_that_was_not_permitted_leaves_the_steps(world: Simulated) -> None:
    expected, _ = pull(world, ask(world))
    world.arm("scope_missing", "/activities/heart", times=-1)
    found, _ = pull(world, ask(world))
    assert steps(found) == steps(expected)
    for day in found.days:
        assert day.wear_method == ("steps" if day.step_count.size else None)


def test_minutes_that_were_not_granted_leave_the_totals(world: Simulated) -> None:
    expected, _ = pull(world, ask(world))
    world.arm("no_intraday", "/activities/steps", times=-1)
    found, _ = pull(world, ask(world))
    assert {day.activity_date: day.vendor_steps for day in found.days} == steps(expected)
    assert sum(steps(found).values()) == 0
    assert found.counts["steps"].rejections == {"minutes_not_granted": WEEK}


def test_the_hourly_budget_is_not_overdrawn_and_the_next_hour_goes_on(world: Simulated) -> None:
    world.served.simulator.hourly_limit = 12
    client, replies = client_of(world), []
    with pytest.raises(OutOfBudget) as caught:
        replies.extend(SOURCE.fetch(client, ask(world)))
    now = world.served.now()
    assert 0 < (caught.value.retry_after or 0) <= 3600 - now.minute * 60 - now.second
    # Two of twelve for devices and profile, one for totals, five kept: two days.
    assert caught.value.through == ask(world).window.first_on + timedelta(days=1)
    assert client.requests == 7
    assert {reply.status for reply in replies} == {200}
