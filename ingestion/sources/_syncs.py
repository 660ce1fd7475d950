"""When a device is said to have synced, where that can be true."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

FIRST_TRACKER = datetime(2009, 1, 1, tzinfo=UTC)  # Fitbit's first was sold in September 2009
CLOCKS_DIFFER = timedelta(days=1)  # a local clock, read in a zone that the wearer has left


def plausible(synced_at: datetime | None, told_at: datetime) -> datetime | None:
    """An aware instant in UTC; None where it is missing, beyond all calendars, before there were
    trackers, or more than a day after it was told."""
    try:
        at = synced_at.astimezone(UTC) if synced_at else None
    except OverflowError:
        return None
    return at if at and FIRST_TRACKER <= at <= told_at + CLOCKS_DIFFER else None
