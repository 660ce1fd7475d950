"""Legacy Fitbit: what typed bodies mean."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from support.legacy import INSPIRE, NOW, PROFILE, ZIP, ask, reply

from ingestion.errors import BadReply, Misconfigured
from ingestion.source import ActivityDay, Reading, Reply, last_sync
from ingestion.sources.fitbit import SOURCE


def minutes(kind: str, on: date, points: dict[str, int] | list[tuple[str, int]]) -> dict[str, Any]:
    listed = points.items() if isinstance(points, dict) else points
    return {
        f"activities-{kind}": [{"dateTime": str(on), "value": "0" if kind == "steps" else {}}],
        f"activities-{kind}-intraday": {
            "dataset": [{"time": f"{time}:00", "value": value} for time, value in listed],
            "datasetInterval": 1,
            "datasetType": "minute",
        },
    }


def read(on: date, steps: Any, heart: Any, *more: Reply, zone: str = "Asia/Jerusalem") -> Reading:
    told = [reply("profile", {"user": {"timezone": zone}}), reply("devices", [INSPIRE])]
    if steps is not None:
        told.append(reply("steps", minutes("steps", on, steps), on))
    if heart is not None:
        told.append(reply("heart", minutes("heart", on, heart), on))
    return SOURCE.read([*told, *more], ask(on, on))


def facts(day: ActivityDay) -> tuple[dict[int, int], list[tuple[int, int]], str | None]:
    steps = dict(zip(day.step_minute.tolist(), day.step_count.tolist(), strict=True))
    wear = list(zip(day.wear_start.tolist(), day.wear_length.tolist(), strict=True))
    return steps, wear, day.wear_method


def test_a_day_is_its_steps_and_the_minutes_with_a_pulse() -> None:
    on = date(2026, 3, 26)
    totals = {"activities-steps": [{"dateTime": "2026-03-26", "value": "6312"}]}
    reading = read(
        on,
        {"00:00": 0, "08:14": 97, "08:15": 0, "23:59": 4},
        {"08:13": 70, "08:14": 104, "08:20": 101},
        reply("totals", totals),
    )
    (day,) = reading.days
    assert facts(day) == ({494: 97, 1439: 4}, [(493, 2), (500, 1)], "heart_rate")
    assert day.activity_date == on
    assert day.timezone == "Asia/Jerusalem"
    assert day.day_start_at == datetime(2026, 3, 25, 22, 0, tzinfo=UTC)
    assert day.day_minutes == 1440
    assert day.vendor_steps == 6312
    assert (day.participant_id, day.source, day.era) == ("P001", "fitbit", "legacy_fitbit")
    assert day.device_model == "Inspire 3"
    assert day.fetched_at == NOW
    assert len(day.raw_sha256) == 3
    counted = {kind: (c.received, c.landed) for kind, c in reading.counts.items()}
    assert counted == {
        "profile": (1, 1), "devices": (1, 1), "steps": (4, 4), "heart": (3, 3), "totals": (1, 1),
    }  # fmt: skip


def test_the_order_of_replies_and_of_minutes_does_not_matter() -> None:
    on = date(2026, 3, 26)
    steps, heart = [("08:14", 97), ("09:00", 5)], [("08:14", 70), ("08:15", 71)]
    forward = read(on, steps, heart)
    told = [
        reply("heart", minutes("heart", on, heart[::-1]), on),
        reply("steps", minutes("steps", on, steps[::-1]), on),
        reply("devices", [INSPIRE]),
        reply("profile", PROFILE),
    ]
    backward = SOURCE.read(told, ask(on, on))
    assert facts(backward.days[0]) == facts(forward.days[0])


def test_the_newest_reply_to_a_day_wins_whatever_comes_first() -> None:
    on = date(2026, 3, 26)
    old = reply("steps", minutes("steps", on, {"08:14": 50}), on)
    new = replace(
        reply("steps", minutes("steps", on, {"08:14": 97}), on),
        fetched_at=datetime(2026, 3, 29, tzinfo=UTC),
    )
    for told in ([old, new], [new, old]):
        reading = read(on, None, {}, *told)
        assert facts(reading.days[0])[0] == {494: 97}


def test_after_the_spring_gap_clock_times_lie_an_hour_earlier() -> None:
    on = date(2026, 3, 27)  # Jerusalem skips 02:00 to 03:00
    steps = {"01:59": 10, "02:30": 0, "03:00": 20, "23:59": 30}
    reading = read(on, steps, {"01:59": 60, "03:00": 61})
    (day,) = reading.days
    assert facts(day) == ({119: 10, 120: 20, 1379: 30}, [(119, 2)], "heart_rate")
    assert day.day_minutes == 1380
    assert reading.counts["steps"].rejections == {}


def test_a_step_in_the_hour_that_spring_skips_is_refused() -> None:
    reading = read(date(2026, 3, 27), {"02:30": 12, "03:30": 7}, {})
    assert facts(reading.days[0])[0] == {150: 7}
    count = reading.counts["steps"]
    assert (count.received, count.landed, count.rejections) == (2, 1, {"skipped_clock": 1})


def test_the_hour_that_autumn_repeats_lands_in_its_first_passing() -> None:
    on = date(2026, 10, 25)  # Jerusalem shows 01:00 to 02:00 twice
    reading = read(on, {"00:30": 1, "01:30": 2, "02:00": 3}, {"01:59": 60, "02:00": 61})
    (day,) = reading.days
    assert facts(day) == ({30: 1, 90: 2, 180: 3}, [(119, 1), (180, 1)], "heart_rate")
    assert day.day_minutes == 1500
    assert reading.counts["steps"].rejections == {}


def test_the_second_passing_is_counted_as_ambiguous_when_it_is_told() -> None:
    on = date(2026, 10, 25)
    reading = read(on, [("01:30", 2), ("01:31", 0), ("01:30", 9), ("01:31", 5)], {})
    assert facts(reading.days[0])[0] == {90: 2, 91: 5}
    assert reading.counts["steps"].rejections == {"ambiguous_clock": 1}


def test_the_first_passing_is_the_last_one_told_when_the_newest_comes_first() -> None:
    reading = read(date(2026, 10, 25), [("03:00", 1), ("01:30", 9), ("01:30", 2)], {})
    assert facts(reading.days[0])[0] == {90: 2, 240: 1}


def test_london_changes_its_clocks_two_days_after_jerusalem() -> None:
    reading = read(date(2026, 3, 29), {"00:59": 1, "02:00": 2}, {}, zone="Europe/London")
    assert facts(reading.days[0])[0] == {59: 1, 60: 2}


@pytest.mark.parametrize(
    ("points", "kept", "rejections"),
    [
        ([("08:14", 97), ("08:14", 97)], {494: 97}, {"duplicate_minute": 1}),
        ([("08:14", 97), ("08:14", 31)], {494: 97}, {"duplicate_minute": 1}),
        ([("08:14", 0), ("08:14", 31)], {494: 31}, {}),
        ([("08:14", -3), ("08:15", 5)], {495: 5}, {"bad_value": 1}),
        ([("08:14", 5000)], {494: 5000}, {}),  # implausible is for the day's state to say
        ([("08:14", 65535), ("08:15", 65536)], {494: 65535}, {"bad_value": 1}),
        ([("24:00", 5), ("8:14", 5), ("ab:cd", 5), ("23:59", 5)], {1439: 5}, {"bad_time": 3}),
        ([("٠٨:١٤", 5), ("", 5), ("23:60", 5)], {}, {"bad_time": 3}),
    ],
)
def test_a_minute_lands_once_or_is_refused_with_a_reason(
    points: list[tuple[str, int]], kept: dict[int, int], rejections: dict[str, int]
) -> None:
    reading = read(date(2026, 3, 26), points, {})
    assert facts(reading.days[0])[0] == kept
    count = reading.counts["steps"]
    assert count.rejections == rejections
    assert count.received == len(points) == count.landed + count.rejected


@pytest.mark.parametrize("value", ["-1", "2147483648"])
def test_a_total_that_can_be_none_is_refused(value: str) -> None:
    on = date(2026, 3, 26)
    totals = {"activities-steps": [{"dateTime": "2026-03-26", "value": value}]}
    reading = read(on, {"08:14": 97}, {}, reply("totals", totals))
    assert reading.days[0].vendor_steps is None
    assert reading.counts["totals"].rejections == {"bad_value": 1}


def test_only_a_pulse_of_the_living_is_wear() -> None:
    heart = {"08:00": 29, "08:01": 30, "08:02": 220, "08:03": 221, "08:04": 0}
    reading = read(date(2026, 3, 26), {}, heart)
    assert facts(reading.days[0])[1] == [(481, 2)]
    assert reading.counts["heart"].rejections == {"bad_value": 2}


def test_an_unworn_day_has_no_minutes_and_no_wear_method() -> None:
    reading = read(date(2026, 3, 26), {"00:00": 0, "12:00": 0}, {})
    (day,) = reading.days
    assert facts(day) == ({}, [], None)
    assert day.vendor_steps == 0


def test_steps_tell_the_wear_of_a_day_without_a_pulse() -> None:
    assert facts(read(date(2026, 3, 26), {"08:14": 97}, {}).days[0]) == ({494: 97}, [], "steps")


def test_without_the_right_to_minutes_the_total_lands_alone() -> None:
    on = date(2026, 3, 26)
    bare = {"activities-steps": [{"dateTime": "2026-03-26", "value": "6312"}]}
    reading = read(on, None, None, reply("steps", bare, on),
                   reply("heart", {"activities-heart": []}, on))  # fmt: skip
    (day,) = reading.days
    assert facts(day) == ({}, [], None)
    assert day.vendor_steps == 6312
    for kind in ("steps", "heart"):
        assert reading.counts[kind].rejections == {"minutes_not_granted": 1}


def test_without_the_right_to_heart_rate_steps_tell_the_wear() -> None:
    on = date(2026, 3, 26)
    refused = reply("heart", {"errors": []}, on, status=403)
    reading = read(on, {"08:14": 97}, None, refused)
    assert facts(reading.days[0]) == ({494: 97}, [], "steps")


def test_heart_rate_refused_on_one_day_was_not_asked_for_on_the_next() -> None:
    first, second = date(2026, 3, 25), date(2026, 3, 26)
    reading = read(second, {"08:14": 97}, None, reply("heart", {}, first, status=403))
    assert facts(reading.days[0]) == ({494: 97}, [], "steps")


@pytest.mark.parametrize(
    ("model", "measures"),
    [("Zip", False), ("Fitbit Zip", False), ("Charge", False), ("Charge 6", True), (None, None)],
)
def test_which_trackers_measure_heart_rate(model: str | None, measures: bool | None) -> None:
    told = reply("devices", [INSPIRE | {"deviceVersion": model}])
    (device,) = SOURCE.read([told], ask(NOW.date(), NOW.date())).devices
    assert device.measures_heart_rate is measures


def test_a_tracker_without_a_pulse_is_worn_by_its_steps() -> None:
    on = date(2026, 3, 26)
    told = [reply("devices", [ZIP]), reply("steps", minutes("steps", on, {"08:14": 97}), on)]
    reading = SOURCE.read(told, ask(on, on))
    assert facts(reading.days[0]) == ({494: 97}, [], "steps")
    assert reading.days[0].timezone == "Europe/London"  # the roster's, where no profile came
    assert reading.devices[0].measures_heart_rate is False


def test_a_day_whose_heart_reply_never_came_is_not_taken_for_unworn() -> None:
    on = date(2026, 3, 26)
    totals = {"activities-steps": [{"dateTime": "2026-03-26", "value": "97"}]}
    reading = read(on, {"08:14": 97, "08:15": 3}, None, reply("totals", totals))
    assert reading.days == []
    assert reading.counts["steps"].rejections == {"no_heart_reply": 2}
    assert reading.counts["totals"].rejections == {"no_minutes_reply": 1}


def test_a_device_is_told_by_a_hash_and_synced_in_the_profiles_zone() -> None:
    scale = INSPIRE | {"type": "SCALE", "id": "9"}
    reading = SOURCE.read(
        [reply("profile", PROFILE), reply("devices", [INSPIRE, scale])],
        ask(date(2026, 3, 26), date(2026, 3, 26)),
    )
    (device,) = reading.devices
    assert device.last_sync_at == datetime(2026, 3, 26, 19, 7, 41, tzinfo=UTC)
    assert (device.device_model, device.battery_pct) == ("Inspire 3", 54)
    assert device.measures_heart_rate is True
    assert device.observed_at == NOW
    assert reading.counts["devices"].rejections == {"not_a_tracker": 1}


def test_a_telephone_that_counts_steps_does_not_speak_for_the_wrist() -> None:
    """It syncs by itself all day: the tracker's last sync is the one that completes days."""
    phone = INSPIRE | {"id": "7", "deviceVersion": "MobileTrack",
                       "lastSyncTime": "2026-03-27T08:00:00.000"}  # fmt: skip
    both = SOURCE.read([reply("devices", [phone, INSPIRE])], ask(NOW.date(), NOW.date()))
    assert [device.device_model for device in both.devices] == ["Inspire 3"]
    assert last_sync(both) == last_sync(
        SOURCE.read([reply("devices", [INSPIRE])], ask(NOW.date(), NOW.date()))
    )
    assert both.counts["devices"].rejections == {"not_a_tracker": 1}
    alone = SOURCE.read([reply("devices", [phone])], ask(NOW.date(), NOW.date()))
    assert [device.device_model for device in alone.devices] == ["MobileTrack"]


def test_a_sync_with_a_zone_is_not_the_vendors_way_of_writing_it() -> None:
    told = reply("devices", [INSPIRE | {"lastSyncTime": "2026-03-26T21:07:41Z"}])
    with pytest.raises(BadReply):
        SOURCE.read([told], ask(NOW.date(), NOW.date()))


@pytest.mark.parametrize(
    "told",
    ["0001-01-01T00:00:00.000", "0001-01-02T00:00:00.000", "2026-03-30T12:00:00.000",
     "9999-12-31T23:59:59.999"],
)  # fmt: skip
@pytest.mark.parametrize("zone", ["Asia/Jerusalem", "America/New_York"])
def test_a_sync_that_cannot_be_true_is_not_stated(told: str, zone: str) -> None:
    profile = reply("profile", {"user": {"timezone": zone}})
    listed = reply("devices", [INSPIRE | {"lastSyncTime": told}])
    reading = SOURCE.read([profile, listed], ask(NOW.date(), NOW.date()))
    assert [device.last_sync_at for device in reading.devices] == [None]
    assert reading.counts["devices"].landed == 1


def test_a_battery_of_more_than_all_is_not_known() -> None:
    told = reply("devices", [INSPIRE | {"batteryLevel": 101}])
    assert SOURCE.read([told], ask(NOW.date(), NOW.date())).devices[0].battery_pct is None


def test_a_sync_in_the_repeated_hour_is_taken_for_the_earlier_one() -> None:
    late = INSPIRE | {"lastSyncTime": "2026-10-25T01:30:00.000"}
    listed = replace(reply("devices", [late]), fetched_at=datetime(2026, 10, 25, 6, tzinfo=UTC))
    told = [reply("profile", PROFILE), listed]
    reading = SOURCE.read(told, ask(date(2026, 10, 25), date(2026, 10, 25)))
    assert reading.devices[0].last_sync_at == datetime(2026, 10, 24, 22, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b'{"activities-steps":[{"dateTime":"2026-03-26","value":"many"}]}',
     b'{"activities-steps":[{"dateTime":"2026-03-25","value":"1"}]}',
     b'{"activities-steps":[{"dateTime":"2026-03-26","value":"99999999999999999999"}]}'],
    ids=["empty", "cut", "a list", "no number", "another day", "beyond all numbers"],
)  # fmt: skip
def test_a_body_that_is_something_else_is_a_bad_reply(body: bytes) -> None:
    on = date(2026, 3, 26)
    with pytest.raises(BadReply):
        read(on, None, {}, reply("steps", body, on))


def test_what_was_asked_for_in_vain_has_a_count_of_nothing() -> None:
    reading = SOURCE.read(
        [reply("profile", PROFILE), reply("devices", [])], ask(NOW.date(), NOW.date())
    )
    counted = {kind: (c.received, c.landed) for kind, c in reading.counts.items()}
    assert counted == {"profile": (1, 1), "devices": (0, 0)}
    assert reading.days == reading.devices == []


def test_no_zone_anywhere_is_ours_to_mend() -> None:
    on = date(2026, 3, 26)
    without = replace(ask(on, on), timezone=None)
    with pytest.raises(Misconfigured, match="time zone"):
        SOURCE.read([reply("profile", {"user": {"timezone": "Mars/Base"}})], without)
