"""One world seen through google_health and through fitbit is one world.

Left out is what the legacy view cannot tell: which of the two passings of autumn's repeated hour a
minute belongs to, and explicit zeros, which are the wear of a device without heart rate.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from support.google import STUDY, Simulated
from support.legacy import both_vendors, legacy_client

from ingestion.source import ActivityDay, Ask, Reading, Window, source_named

PARTICIPANTS = 8  # of the stories: with and without heart rate, late and sparse syncs, drop-outs


def read(world: Simulated, source: str, participant_id: str, window: Window) -> Reading:
    """The participant's days by that source, at the world's clock; nothing may be refused."""
    grant = world.grants.find(participant_id, source)
    assert grant is not None
    client: Any = legacy_client(world, grant) if source == "fitbit" else world.grants.client(grant)
    wanted = Ask(STUDY, world.served.now(), participant_id, None, window)
    chosen = source_named(source)
    reading = chosen.read(list(chosen.fetch(client, wanted)), wanted)
    assert all(count.rejections == {} for count in reading.counts.values())
    return reading


def facts(day: ActivityDay, with_wear: bool) -> dict[str, Any]:
    names = ["activity_date", "timezone", "day_start_at", "day_minutes", "device_model"]
    lists = ["step_minute", "step_count", *(["wear_start", "wear_length"] if with_wear else [])]
    return {
        **{name: getattr(day, name) for name in names},
        **{name: getattr(day, name).tolist() for name in lists},
        "vendor_steps": day.vendor_steps or 0,  # legacy writes a day without data as zero
        "wear_method": day.wear_method if with_wear else None,
    }


def is_empty(day: ActivityDay) -> bool:
    return not (day.step_minute.size or day.wear_start.size or day.vendor_steps)


def assert_same_days(world: Simulated, participant_id: str, window: Window) -> int:
    """The number of days that were compared."""
    seen = {name: read(world, name, participant_id, window) for name in ("google_health", "fitbit")}
    with_wear = bool(seen["fitbit"].devices and seen["fitbit"].devices[0].measures_heart_rate)
    google, legacy = (
        {day.activity_date: facts(day, with_wear) for day in reading.days if not is_empty(day)}
        for reading in seen.values()
    )
    assert legacy == google
    synced = [[d.last_sync_at for d in reading.devices] for reading in seen.values()]
    assert synced[0] == synced[1]
    return len(legacy)


@pytest.fixture(autouse=True)
def _plain_http(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")


def test_both_give_the_same_days_over_the_spring_change(tmp_path: Path) -> None:
    window = Window(date(2026, 3, 20), date(2026, 3, 31))
    compared = 0
    with both_vendors(tmp_path, PARTICIPANTS, weeks=11) as world:
        for at in (datetime(2026, 3, 24, 15, 0, tzinfo=UTC), datetime(2026, 4, 2, 6, tzinfo=UTC)):
            world.served.set_clock(at)
            for one in world.served.simulator.world.participants:
                if one.connects and not (one.consent_revoked_at and one.consent_revoked_at <= at):
                    compared += assert_same_days(world, one.participant_id, window)
    assert compared > 60


def test_over_the_autumn_change_only_the_repeated_hour_differs(tmp_path: Path) -> None:
    change = date(2026, 10, 25)  # in both zones 01:00 to 02:00 is shown twice
    window = Window(change, change)
    with both_vendors(tmp_path, participants=2, weeks=41) as world:
        world.served.set_clock(datetime(2026, 10, 28, 6, tzinfo=UTC))
        for participant_id in ("P001", "P002"):
            ((google,), (legacy,)) = (
                read(world, name, participant_id, window).days
                for name in ("google_health", "fitbit")
            )
            assert google.day_minutes == legacy.day_minutes == 1500
            assert google.step_count.sum() == legacy.step_count.sum() > 0
            for first, last in ((0, 60), (180, 1500)):
                assert between(google, first, last) == between(legacy, first, last)
            assert between(legacy, 120, 180) == {}


def between(day: ActivityDay, first: int, last: int) -> dict[int, int]:
    """Steps by minute, of the minutes from `first` to before `last`."""
    steps = zip(day.step_minute.tolist(), day.step_count.tolist(), strict=True)
    return {minute: count for minute, count in steps if first <= minute < last}
