"""Every fault of the catalogue at Google: the right rows, or the right error; never a storm."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from support.faulted import DAYS, QUICK, Faulted, Pull, faulted

from ingestion.errors import (
    BadReply,
    ConsentLost,
    Misconfigured,
    NotLinked,
    RateLimited,
    Retired,
    ScopeMissing,
    SourceError,
    Transient,
    VendorDown,
)

STEPS, TOTALS, HEART = "steps/dataPoints:reconcile", "steps/dataPoints:dailyRollUp", "heart-rate"
TRIES = 4  # of ingestion.http.Patience


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Faulted, Pull]]:
    with faulted(tmp_path_factory.mktemp("google"), "google_health") as world:
        plain = world.pull()
        assert len(plain.days) == DAYS
        yield world, plain


@pytest.fixture
def plain(served: tuple[Faulted, Pull]) -> Pull:
    return served[1]


@pytest.fixture
def world(served: tuple[Faulted, Pull]) -> Iterator[Faulted]:
    """The served world; what a test left armed is disarmed."""
    yield served[0]
    served[0].disarm()


# --------------------------------------------------------------------------- what passes by itself


@pytest.mark.parametrize(
    ("fault", "args", "waits"),
    [
        ("429", {}, None),
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
        ("reset", {}, None),
        ("reset", {"at": "done"}, None),
    ],
)
@pytest.mark.parametrize("path", [STEPS, TOTALS, HEART, "/settings", "/pairedDevices"])
def test_what_passes_is_tried_again_and_changes_nothing(
    world: Faulted, plain: Pull, path: str, fault: str, args: dict[str, Any], waits: float | None
) -> None:
    world.arm(fault, path, times=2, **args)
    found = world.pull()
    assert found.days == plain.days
    assert found.requests == plain.requests + 2
    if waits is None:  # our own back-off: a second at most, then two
        first, second = found.waits
        assert 0 <= first <= 1
        assert 0 <= second <= 2
    else:
        assert found.waits == [waits, waits]


@pytest.mark.parametrize("at", ["start", "done", "body"])
def test_a_reply_that_does_not_come_is_asked_for_again(world: Faulted, at: str) -> None:
    plain = world.pull(days=1)
    world.arm("slow", "/pairedDevices", at=at)
    found = world.pull(days=1, timeout=QUICK)
    assert found.days == plain.days
    assert world.world.asked("/pairedDevices") >= 2
    assert len(found.waits) == found.requests - plain.requests == 1


@pytest.mark.parametrize("fault", ["html_401", "no_errors_401"])
def test_a_401_that_says_nothing_is_no_loss_of_consent(
    world: Faulted, plain: Pull, fault: str
) -> None:
    refreshes = world.world.asked("/token")
    world.arm(fault, STEPS, times=2)
    found = world.pull()
    assert found.days == plain.days
    assert found.requests == plain.requests + 2
    assert world.world.asked("/token") == refreshes + 1
    assert world.grant().state == "active"


def test_an_expired_token_is_renewed_once_and_kept(world: Faulted, plain: Pull) -> None:
    refreshes, before = world.world.asked("/token"), world.grant().token
    world.arm("expired_token", STEPS)
    assert world.pull().days == plain.days
    assert world.requests == plain.requests + 1
    assert world.world.asked("/token") == refreshes + 1
    after = world.grant().token
    assert before is not None
    assert after is not None
    assert after.refresh_token == before.refresh_token  # Google's stays
    world.pull()
    assert world.world.asked("/token") == refreshes + 1


# ------------------------------------------------------------------------------------ what lasts


@pytest.mark.parametrize(
    ("fault", "args", "expected", "requests"),
    [
        ("500", {}, VendorDown, TRIES),
        ("502_html", {}, VendorDown, TRIES),
        ("503", {}, VendorDown, TRIES),
        ("reset", {}, VendorDown, TRIES),
        ("429", {}, RateLimited, TRIES),
        ("429", {"retry_after": 3600}, RateLimited, 1),
        ("truncated", {}, BadReply, TRIES),
        ("truncated", {"short": True}, BadReply, TRIES),
        ("empty", {}, BadReply, TRIES),
        ("html_200", {}, BadReply, TRIES),
        ("html_401", {}, BadReply, TRIES + 1),
        ("no_errors_401", {}, BadReply, TRIES + 1),
        ("expired_token", {}, ConsentLost, 2),
        ("invalid_token", {}, ConsentLost, 2),
        ("revoked", {}, ConsentLost, 1),
        ("wrong_account", {}, NotLinked, 1),
        ("scope_missing", {}, ScopeMissing, 1),
        ("service_disabled", {}, Misconfigured, 1),
        ("preview_denied", {}, Misconfigured, 1),
        ("410", {}, Retired, 1),
        ("410", {"body": "html"}, Retired, 1),
        ("410", {"body": "empty"}, Retired, 1),
    ],
)
def test_what_lasts_is_raised_after_few_requests(
    world: Faulted, fault: str, args: dict[str, Any], expected: type[SourceError], requests: int
) -> None:
    asked = world.world.asked(STEPS)
    world.arm(fault, STEPS, times=-1, **args)
    with pytest.raises(expected) as caught:
        world.pull()
    assert type(caught.value) is expected
    assert world.world.asked(STEPS) == asked + requests
    assert "ya29" not in str(caught.value)
    if args.get("retry_after"):
        assert isinstance(caught.value, Transient)
        assert caught.value.retry_after == 3600


def test_a_silent_vendor_is_down(world: Faulted) -> None:
    world.arm("slow", "/pairedDevices", times=-1)
    asked = world.world.asked("/pairedDevices")
    with pytest.raises(VendorDown):
        world.pull(timeout=QUICK)
    assert world.world.asked("/pairedDevices") == asked + TRIES


def test_a_page_that_stays_broken_is_handed_on_to_be_kept(world: Faulted) -> None:
    world.arm("truncated", STEPS, times=-1)
    with pytest.raises(BadReply) as caught:
        world.pull()
    assert caught.value.body.startswith(b'{"dataPoints":[{"steps"')


def test_heart_rate_that_is_not_shared_is_a_gap_of_that_metric_alone(
    world: Faulted, plain: Pull
) -> None:
    world.arm("scope_missing", HEART, times=-1)
    found = world.pull()
    steps = {on: (day[0], day[1], day[4]) for on, day in found.days.items()}
    assert steps == {on: (day[0], day[1], day[4]) for on, day in plain.days.items()}
    assert {day.wear_method for day in found.reading.days} <= {"explicit_zero", None}
    assert found.counted("heart-rate") == (0, {})


def test_more_than_the_minute_takes_waits_for_the_next(world: Faulted, plain: Pull) -> None:
    sim = world.world.served.simulator
    sim.spent.clear()
    sim.minute_limit = plain.requests - 1
    try:
        with pytest.raises(RateLimited):
            world.pull()
        assert world.requests == plain.requests - 1 + TRIES
        world.world.served.set_clock(sim.now() + timedelta(minutes=1))
        sim.minute_limit = plain.requests
        assert world.pull().days == plain.days
    finally:
        sim.minute_limit = 10**6


# ------------------------------------------------------------------------------------------ pages


@pytest.mark.parametrize("path", [STEPS, TOTALS, HEART])
def test_empty_pages_are_followed(world: Faulted, plain: Pull, path: str) -> None:
    world.arm("empty_page", path, times=3)
    found = world.pull()
    assert found.days == plain.days
    assert found.requests == plain.requests + 3


def test_empty_pages_without_end_are_given_up(
    world: Faulted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingestion.sources._google_asks.MOST_PAGES", 5)
    asked = world.world.asked(STEPS)
    world.arm("empty_page", STEPS, times=-1)
    with pytest.raises(BadReply, match="do not end"):
        world.pull()
    assert world.world.asked(STEPS) == asked + 6


@pytest.mark.parametrize("path", [STEPS, TOTALS, HEART, "/pairedDevices"])
def test_a_page_token_that_comes_again_ends_the_pull(world: Faulted, path: str) -> None:
    asked = world.world.asked(path)
    world.arm("repeated_token", path, times=-1)
    with pytest.raises(BadReply, match="do not end"):
        world.pull()
    assert world.world.asked(path) == asked + 2


@pytest.mark.parametrize(
    ("path", "data_type"),
    [
        (STEPS, "steps"),
        (TOTALS, "daily-steps"),
        (HEART, "heart-rate"),
        ("/pairedDevices", "paired-devices"),
    ],
)
def test_the_same_points_on_two_pages_count_once(
    world: Faulted, plain: Pull, path: str, data_type: str
) -> None:
    world.arm("page_twice", path)
    found = world.pull()
    assert found.days == plain.days
    assert found.requests == plain.requests + 1
    landed, rejections = found.counted(data_type)
    assert landed == plain.counted(data_type)[0]
    assert set(rejections) == {"duplicate"}


# ----------------------------------------------------------------------------------------- points


def test_of_two_sources_of_a_minute_one_is_taken(world: Faulted, plain: Pull) -> None:
    world.arm("two_sources", STEPS, times=-1)
    found = world.pull()
    landed = plain.counted("steps")[0]
    assert found.days == plain.days
    assert found.counted("steps") == (landed, {"duplicate": landed})


@pytest.mark.parametrize("minutes", [2, 15])
def test_a_point_over_others_adds_nothing(world: Faulted, plain: Pull, minutes: int) -> None:
    world.arm("overlapping", STEPS, minutes=minutes)
    found = world.pull()
    assert found.days == plain.days
    assert found.counted("steps") == (plain.counted("steps")[0], {"duplicate": 1})


def test_a_minute_that_nobody_walks_lands_to_be_flagged(world: Faulted, plain: Pull) -> None:
    world.arm("implausible", STEPS)
    found = world.pull()
    changed = [on for on in plain.days if found.days[on] != plain.days[on]]
    assert len(changed) == 1
    was, now = plain.days[changed[0]], found.days[changed[0]]
    assert [n for n in now[1] if n not in was[1]] == [5000]
    assert (now[0], now[2:]) == (was[0], was[2:])
    assert found.counted("steps") == plain.counted("steps")


def test_fewer_steps_than_none_are_refused_and_the_rest_lands(world: Faulted, plain: Pull) -> None:
    world.arm("implausible", STEPS, steps=-7)
    found = world.pull()
    landed = plain.counted("steps")[0]
    assert found.counted("steps") == (landed - 1, {"negative_count": 1})
    minutes = [sum(len(day[0]) for day in pull.days.values()) for pull in (plain, found)]
    assert minutes[0] == minutes[1] + 1


# ---------------------------------------------------------------------------------------- devices


def test_of_two_trackers_the_one_that_synced_last_names_the_day(
    world: Faulted, plain: Pull
) -> None:
    world.arm("two_devices", times=-1)
    found = world.pull()
    assert found.days == plain.days
    assert len(found.reading.devices) == 2
    assert len({device.device_id for device in found.reading.devices}) == 2
    models = {day.device_model for day in found.reading.days}
    assert models == {day.device_model for day in plain.reading.days} != {"Zip"}


def test_a_scale_is_no_tracker(world: Faulted, plain: Pull) -> None:
    world.arm("two_devices", times=-1, kind="scale")
    found = world.pull()
    assert found.days == plain.days
    assert found.counted("paired-devices") == (1, {"not_a_tracker": 1})
    assert found.reading.devices[0].device_id == plain.reading.devices[0].device_id


# ------------------------------------------------------------------------------------------ drift


@pytest.mark.parametrize("what", ["unknown_field", "unknown_enum", "bare_number"])
def test_drift_is_tolerated(world: Faulted, plain: Pull, what: str) -> None:
    given = world.given()
    world.arm("drift", "/v4/", times=-1, what=what)
    found = world.pull()
    assert world.given() > given
    assert found.days == plain.days
    for data_type in ("steps", "daily-steps", "heart-rate"):
        assert found.counted(data_type) == plain.counted(data_type)


def test_an_account_that_drifts_is_read_too(world: Faulted, plain: Pull) -> None:
    for what in ("unknown_field", "unknown_enum"):
        for path in ("/settings", "/pairedDevices"):
            world.arm("drift", path, what=what)
    again = [world.pull() for _ in range(2)]
    assert [pull.days for pull in again] == [plain.days] * 2


@pytest.mark.parametrize(
    ("path", "data_type", "reason"),
    [
        (STEPS, "steps", "not_a_number"),
        (TOTALS, "daily-steps", "not_a_number"),
        (HEART, "heart-rate", "no_value"),
    ],
)
def test_what_is_not_a_number_is_refused_and_the_rest_lands(
    world: Faulted, plain: Pull, path: str, data_type: str, reason: str
) -> None:
    world.arm("drift", path, what="nan")
    found = world.pull()
    assert found.counted(data_type) == (plain.counted(data_type)[0] - 1, {reason: 1})
    same = [on for on in plain.days if found.days.get(on) == plain.days[on]]
    assert len(same) == DAYS - 1
