"""Journeys and changes of device: what a world holds only where it is asked to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import numpy as np

Legs = tuple[tuple[datetime, str], ...]

# Half hours and quarters, a summer time of 30 minutes, and both sides of the date line.
ABROAD = (
    "Asia/Kolkata", "Asia/Kathmandu", "Australia/Lord_Howe", "America/New_York",
    "America/St_Johns", "Pacific/Auckland", "Pacific/Honolulu", "Pacific/Kiritimati",
    "Pacific/Pago_Pago", "Europe/London",
)  # fmt: skip


@dataclass(frozen=True)
class DeviceChange:
    """A second device from `at` on: in place of the first, or (`beside`) worn along with it.

    It measures what the first does. A device that was replaced never syncs again.
    """

    at: datetime
    device_id: str
    device_model: str
    beside: bool


def draw_journeys(
    seed: int, index: int, home: str, starts_on: date, weeks: int
) -> tuple[tuple[datetime, str], ...]:
    """Where two in three go for some days, a third of these on to a second place; then home.

    Clocks are set at any minute of the day, as if the flight took no time.
    """
    rng = np.random.default_rng([seed, index, 7])
    if rng.random() < 1 / 3:
        return ()
    begins = datetime.combine(starts_on, time(), UTC)
    at = begins + timedelta(minutes=int(rng.integers(0, 7 * weeks * 1440 * 2 // 3)))
    places = [str(name) for name in rng.permutation(ABROAD)[: 2 if rng.random() < 1 / 3 else 1]]
    legs = []
    for place in (*places, home):
        legs.append((at, place))
        at += timedelta(minutes=int(rng.integers(1440, 6 * 1440)))
    return tuple(legs)


def draw_change(
    seed: int, index: int, models: tuple[str, ...], starts_on: date, weeks: int
) -> DeviceChange | None:
    """The change of device that every other participant makes."""
    rng = np.random.default_rng([seed, index, 8])
    if rng.random() < 1 / 2:
        return None
    begins = datetime.combine(starts_on, time(), UTC)
    at = begins + timedelta(minutes=int(rng.integers(0, 7 * weeks * 1440)))
    model = models[int(rng.integers(len(models)))]
    return DeviceChange(at, str(2_810_001 + index), model, bool(rng.random() < 1 / 2))
