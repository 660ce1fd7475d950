"""Every fault of the catalogue at the legacy API, through the `fitbit` package, over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from support.faulted import DAYS, QUICK, Faulted, Pull, faulted

from ingestion.errors import (
    BadReply,
    ConsentLost,
    Misconfigured,
    RateLimited,
    Retired,
    ScopeMissing,
    SourceError,
    Transient,
    VendorDown,
)

MINUTES, HEART = "*/activities/steps/*/1d/1min.json", "*/activities/heart/*/1d/1min.json"
DATA, TOKEN = "/1/user/", "/oauth2/token"
TRIES = 4  # of ingestion.http.Patience


@pytest.fixture(autouse=True)
def _plain_http(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Faulted]:
    with faulted(tmp_path_factory.mktemp("legacy"), "fitbit") as world:
        yield world


@pytest.fixture
def world(served: Faulted) -> Iterator[Faulted]:
    """The served world; what a test left armed is disarmed."""
    yield served
    served.disarm()


@pytest.fixture
def plain(world: Faulted) -> Pull:
    found = world.pull()
    assert len(found.days) == DAYS
    return found


# --------------------------------------------------------------------------- what passes by itself


@pytest.mark.parametrize(
    ("fault", "args", "waits"),
    [
        ("429", {"retry_after": 7}, 7.0),
        ("429", {"retry_after": "date", "ahead": 45}, 45.0),
        ("500", {}, None),
        ("500", {"body": "empty"}, None),
        ("502_html", {}, None),
        ("503", {"retry_after": 20}, 20.0),
        ("503", {"body": "html"}, None),
        ("truncated", {}, None),
        ("truncated", {"short": True}, None),
        ("empty", {}, None),
        ("html_200", {}, None),
        ("html_401", {}, None),
        ("no_errors_401", {}, None),
        ("reset", {}, None),
        ("reset", {"at": "done"}, None),
    ],
)
@pytest.mark.parametrize("path", [MINUTES, HEART, "/devices.json"])
def test_what_passes_is_tried_again_and_changes_nothing(
    world: Faulted, plain: Pull, path: str, fault: str, args: dict[str, Any], waits: float | None
) -> None:
    world.arm(fault, path, times=2, **args)
    found = world.pull()
    assert found.days == plain.days
    assert found.requests == plain.requests + 2
    assert len(found.waits) == 2
    assert waits is None or found.waits == [waits, waits]


@pytest.mark.parametrize("at", ["start", "done", "body"])
def test_a_reply_that_does_not_come_is_asked_for_again(world: Faulted, at: str) -> None:
    plain = world.pull(days=1)
    world.arm("slow", "/devices.json", at=at)
    found = world.pull(days=1, timeout=QUICK)
    assert found.days == plain.days
    assert len(found.waits) == found.requests - plain.requests == 1


def test_an_expired_token_is_rotated_once_and_kept(world: Faulted, plain: Pull) -> None:
    asked, before = world.world.asked(TOKEN), world.grant().token
    world.arm("expired_token", MINUTES)
    found = world.pull()
    assert found.days == plain.days
    assert found.requests == plain.requests + 1
    assert world.world.asked(TOKEN) == asked + 1
    after = world.grant().token
    assert before is not None
    assert after is not None
    assert after.refresh_token != before.refresh_token
    world.pull(days=1)
    assert world.world.asked(TOKEN) == asked + 1


# ------------------------------------------------------------------------------------ what lasts


@pytest.mark.parametrize(
    ("fault", "args", "expected", "requests"),
    [
        ("500", {}, VendorDown, TRIES),
        ("502_html", {}, VendorDown, TRIES),
        ("503", {"body": "html"}, VendorDown, TRIES),
        ("reset", {}, VendorDown, TRIES),
        ("truncated", {}, BadReply, TRIES),
        ("truncated", {"short": True}, VendorDown, TRIES),
        ("empty", {}, BadReply, TRIES),
        ("html_200", {}, BadReply, TRIES),
        ("html_401", {}, BadReply, TRIES),
        ("no_errors_401", {}, BadReply, TRIES),
        ("invalid_token", {}, ConsentLost, 1),
        ("revoked", {}, ConsentLost, 1),
        ("scope_missing", {}, ScopeMissing, 1),
        ("wrong_account", {}, ScopeMissing, 1),
        ("service_disabled", {}, Misconfigured, 1),
        ("410", {}, Retired, 1),
        ("410", {"body": "html"}, Retired, 1),
        ("410", {"body": "empty"}, Retired, 1),
    ],
)
def test_what_lasts_is_raised_after_few_requests(
    world: Faulted, fault: str, args: dict[str, Any], expected: type[SourceError], requests: int
) -> None:
    asked = world.world.asked("/devices.json")
    world.arm(fault, "/devices.json", times=-1, **args)
    with pytest.raises(expected) as caught:
        world.pull()
    assert type(caught.value) is expected
    assert world.world.asked("/devices.json") == asked + requests
    assert "sim-" not in str(caught.value)


@pytest.mark.parametrize(
    ("args", "wait"),
    [
        ({"retry_after": 1800}, 1800),
        ({"retry_after": "date", "ahead": 1800}, 1800),
        ({"retry_after": "none"}, 2400),  # the reset header, at twenty past
        ({"retry_after": "none", "rate_headers": False}, 2400),  # the top of the hour
    ],
)
def test_a_long_wait_is_the_schedules(world: Faulted, args: dict[str, Any], wait: float) -> None:
    clock = world.world.served
    clock.set_clock((clock.now() + timedelta(hours=1)).replace(minute=20, second=0))
    asked = world.world.asked(DATA)
    world.arm("429", DATA, times=-1, **args)
    with pytest.raises(RateLimited) as caught:
        world.pull()
    assert caught.value.retry_after == wait
    assert (world.world.asked(DATA), world.waits) == (asked + 1, [])


def test_the_150_of_an_hour_are_counted_by_the_vendor(world: Faulted) -> None:
    sim, clock = world.world.served.simulator, world.world.served
    clock.set_clock((clock.now() + timedelta(hours=1)).replace(minute=15, second=0))
    sim.hourly_limit = 10
    try:
        with pytest.raises(RateLimited) as caught:
            world.pull()
        assert caught.value.retry_after == pytest.approx(2700, abs=1)
        assert world.requests <= 11
        clock.set_clock(clock.now() + timedelta(seconds=2700))
        assert world.pull(days=1).days
    finally:
        sim.hourly_limit = 10**6


def test_a_token_that_stays_expired_is_no_storm(world: Faulted) -> None:
    asked, tokens = world.world.asked("/devices.json"), world.world.asked(TOKEN)
    world.arm("expired_token", "/devices.json", times=-1)
    with pytest.raises(Transient):
        world.pull()
    assert world.world.asked(TOKEN) == tokens + 1
    assert world.world.asked("/devices.json") == asked + 2
    assert world.grant().state == "active"


def test_heart_rate_that_is_not_permitted_is_a_gap_of_that_metric_alone(
    world: Faulted, plain: Pull
) -> None:
    world.arm("scope_missing", HEART, times=-1)
    found = world.pull()
    steps = {on: (day[0], day[1], day[4]) for on, day in found.days.items()}
    assert steps == {on: (day[0], day[1], day[4]) for on, day in plain.days.items()}
    assert {day.wear_method for day in found.reading.days} <= {"steps", None}


def test_minutes_that_were_not_granted_leave_the_totals_and_a_reason(
    world: Faulted, plain: Pull
) -> None:
    world.arm("no_intraday", MINUTES, times=-1)
    found = world.pull()
    totals = {on: day[4] for on, day in found.days.items()}
    assert totals == {on: day[4] for on, day in plain.days.items()}
    assert found.counted("steps") == (0, {"minutes_not_granted": DAYS})


# -------------------------------------------------------------------------------- bodies, devices


@pytest.mark.parametrize("value", ["same", "other"])
@pytest.mark.parametrize(("path", "data_type"), [(MINUTES, "steps"), (HEART, "heart")])
def test_of_a_minute_told_twice_the_first_word_stands(
    world: Faulted, plain: Pull, path: str, data_type: str, value: str
) -> None:
    world.arm("duplicate_minutes", path, times=2, value=value)
    found = world.pull()
    assert found.days == plain.days
    landed, rejections = found.counted(data_type)
    assert landed == plain.counted(data_type)[0]
    assert set(rejections) == {"duplicate_minute"}


def test_a_minute_that_nobody_walks_lands_to_be_flagged(world: Faulted, plain: Pull) -> None:
    world.arm("implausible", MINUTES)
    found = world.pull()
    (changed,) = [on for on in plain.days if found.days[on] != plain.days[on]]
    was, now = plain.days[changed], found.days[changed]
    assert now[1] == [*was[1][:-1], 5000]
    assert (now[0], now[2:]) == (was[0], was[2:])


def test_fewer_steps_than_none_are_refused_and_the_rest_lands(world: Faulted, plain: Pull) -> None:
    world.arm("implausible", MINUTES, steps=-7)
    found = world.pull()
    landed, _ = plain.counted("steps")
    assert found.counted("steps") == (landed - 1, {"bad_value": 1})
    (changed,) = [on for on in plain.days if found.days[on] != plain.days[on]]
    assert found.days[changed][1] == plain.days[changed][1][:-1]


@pytest.mark.parametrize("what", ["unknown_field", "number_as_string", "no_resting_heart_rate"])
def test_drift_is_tolerated(world: Faulted, plain: Pull, what: str) -> None:
    given = world.given()
    world.arm("drift", DATA, times=-1, what=what)
    found = world.pull()
    assert world.given() > given
    assert found.days == plain.days
    assert found.reading.devices == plain.reading.devices
    for data_type in ("steps", "heart", "totals"):
        assert found.counted(data_type) == plain.counted(data_type)


def test_of_two_trackers_the_one_that_synced_last_names_the_day(
    world: Faulted, plain: Pull
) -> None:
    world.arm("two_devices", times=-1)
    found = world.pull()
    assert found.days == plain.days
    assert len({device.device_id for device in found.reading.devices}) == 2
    models = {day.device_model for day in found.reading.days}
    assert models == {day.device_model for day in plain.reading.days} != {"Zip"}


def test_a_scale_is_no_tracker(world: Faulted, plain: Pull) -> None:
    world.arm("two_devices", times=-1, kind="scale")
    found = world.pull()
    assert found.days == plain.days
    assert found.counted("devices") == (1, {"not_a_tracker": 1})


# ------------------------------------------------------------ days on which clocks are changed


def steps_at(world: Faulted, at: str, count: int) -> None:
    """Let WHO have taken `count` steps in a minute that begins at an instant, worn."""
    of_all = world.world.served.simulator.world
    activity = of_all.activity(of_all.participants[0])
    minute = of_all.grid.second_of(datetime.fromisoformat(at)) // 60
    activity.truth.steps[minute] = activity._steps[minute] = count
    activity._worn[minute], activity._heart[minute] = True, 70


@pytest.fixture(scope="module")
def clocks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Faulted]:
    """A world in which WHO, at home in Jerusalem, walks in the hours around both changes."""
    with faulted(tmp_path_factory.mktemp("clocks"), "fitbit", weeks=41) as world:
        assert world.world.served.simulator.world.participants[0].timezone == "Asia/Jerusalem"
        steps_at(world, "2026-03-26T23:59:00+00:00", 11)  # 01:59, the last before the skipped hour
        steps_at(world, "2026-03-27T00:00:00+00:00", 12)  # 03:00
        steps_at(world, "2026-10-24T22:10:00+00:00", 13)  # 01:10, for the first time
        steps_at(world, "2026-10-24T23:10:00+00:00", 14)  # 01:10 again
        yield world


@pytest.mark.parametrize("mode", ["absent", "zero"])
def test_an_hour_that_is_skipped_is_no_hour_whatever_stands_there(
    clocks: Faulted, mode: str
) -> None:
    clocks.world.served.simulator.world.skipped_hour = mode
    (day,) = clocks.pull(days=1, first=date(2026, 3, 27)).reading.days
    assert day.day_minutes == 1380
    steps = dict(zip(day.step_minute.tolist(), day.step_count.tolist(), strict=True))
    assert (steps[119], steps[120]) == (11, 12)
    assert day.vendor_steps == sum(steps.values())


@pytest.mark.parametrize(("mode", "expected"), [("merge", 27), ("last_wins", 14)])
def test_an_hour_that_is_repeated_stands_once_and_adds_nothing_to_the_day(
    clocks: Faulted, mode: str, expected: int
) -> None:
    clocks.world.served.simulator.world.repeated_hour = mode
    (day,) = clocks.pull(days=1, first=date(2026, 10, 25)).reading.days
    assert day.day_minutes == 1500
    steps = dict(zip(day.step_minute.tolist(), day.step_count.tolist(), strict=True))
    assert steps[70] == expected
    assert 130 not in steps
    assert day.vendor_steps == sum(steps.values()) + 27 - expected
