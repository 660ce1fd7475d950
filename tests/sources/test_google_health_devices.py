"""Google Health: paired devices, typed by hand, and when they last synced."""

from datetime import UTC, datetime, timedelta

from support.google import NOW, ask, point, reply, settings, steps, total

from ingestion.source import last_sync
from ingestion.sources.google_health import SOURCE


def read(*replies):
    return SOURCE.read(replies, ask())


def devices(*found, at=NOW):
    return reply("paired-devices", {"pairedDevices": list(found)}, at=at)


TRACKER = {
    "name": "a1b2c3d4e5f6",
    "deviceType": "TRACKER",
    "deviceVersion": "Inspire 3",
    "features": ["HEART_RATE", "STEPS"],
    "lastSyncTime": "2026-03-26T19:07:41Z",
    "batteryLevel": 54,
}


def test_a_device_is_read_with_its_last_sync():
    reading = read(settings(), devices(TRACKER), total("2026-03-26", "1"))
    (device,) = reading.devices
    assert (device.device_id, device.device_model) == ("a1b2c3d4e5f6", "Inspire 3")
    assert (device.measures_heart_rate, device.battery_pct) == (True, 54)
    assert device.last_sync_at == datetime(2026, 3, 26, 19, 7, 41, tzinfo=UTC)
    assert device.observed_at == NOW
    assert reading.days[0].device_model == "Inspire 3"


def test_of_two_words_on_a_device_the_newest_counts_and_no_battery_is_fuller_than_full():
    earlier = devices(TRACKER, at=NOW - timedelta(days=1))
    later = devices(TRACKER | {"batteryLevel": 255, "features": None})
    for replies in ((earlier, later), (later, earlier)):
        reading = read(settings(), *replies)
        (device,) = reading.devices
        assert (device.battery_pct, device.measures_heart_rate) == (None, None)
        assert device.observed_at == NOW
        assert reading.counts["paired-devices"].rejections == {"duplicate": 1}


def test_a_scale_is_no_wearable_and_of_two_devices_the_last_synced_names_the_model():
    older = TRACKER | {
        "name": "0",
        "deviceVersion": "Charge 6",
        "lastSyncTime": "2026-03-01T00:00:00Z",
    }
    scale = TRACKER | {"name": "1", "deviceType": "SCALE", "lastSyncTime": "2026-04-01T00:00:00Z"}
    reading = read(settings(), devices(TRACKER, older, scale), total("2026-03-26", "1"))
    assert [device.device_id for device in reading.devices] == ["0", "a1b2c3d4e5f6"]
    count = reading.counts["paired-devices"]
    assert (count.received, count.landed, count.rejections) == (3, 2, {"not_a_tracker": 1})
    assert reading.days[0].device_model == "Inspire 3"
    assert last_sync(reading) == datetime(2026, 3, 26, 19, 7, 41, tzinfo=UTC)


def test_without_a_stated_sync_the_newest_minute_tells_it():
    # Real replies have left lastSyncTime out.
    silent = {name: value for name, value in TRACKER.items() if name != "lastSyncTime"}
    points = steps(point("2026-03-26T06:14:00Z", "97"), point("2026-03-26T06:15:00Z"))
    reading = read(settings(), devices(silent), points)
    assert reading.devices[0].last_sync_at is None
    assert last_sync(reading) == datetime(2026, 3, 26, 6, 16, tzinfo=UTC)
    assert last_sync(read(settings())) is None
