"""A study with a few landed days, for tests of the lake and of builds."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np

from ingestion import landing
from ingestion.source import ActivityDay, Reading
from warehouse import publish
from warehouse import register as reg
from warehouse.home import Store

ON = date(2026, 1, 20)
AS_OF = datetime(2026, 2, 10, 6, tzinfo=UTC)


def a_day(participant: str, steps: int = 0, on: date = ON, hour: int = 1) -> ActivityDay:
    """A day of 700 worn minutes and, unless 0, `steps` in one of them."""
    some = np.array([480] if steps else [], np.uint16)
    return ActivityDay(
        participant_id=participant,
        source="google_health",
        activity_date=on,
        timezone="Asia/Jerusalem",
        day_start_at=datetime(on.year, on.month, on.day, tzinfo=UTC) - timedelta(hours=2),
        day_minutes=1440,
        step_minute=some,
        step_count=np.array([steps] if steps else [], np.uint16),
        wear_start=np.array([400], np.uint16),
        wear_length=np.array([700], np.uint16),
        wear_method="heart_rate",
        vendor_steps=steps,
        era="google_health",
        device_model=None,
        fetched_at=datetime(2026, 2, 1, hour, tzinfo=UTC),
        raw_sha256=("r",),
    )


def enrol(store: Store, *participants: str) -> None:
    landing.land_roster(
        store,
        [
            {"participant_id": one, "site": "haifa", "timezone": "Asia/Jerusalem",
             "enrolled_on": ON, "starts_on": ON}
            for one in participants
        ],
    )  # fmt: skip
    grant = {"source": "google_health", "state": "active", "since": AS_OF, "first_asked_on": ON,
             "landed_sync_at": AS_OF}  # fmt: skip
    store.register.put(reg.grant, [{"participant_id": one} | grant for one in participants])


def land(store: Store, *days: ActivityDay) -> None:
    landing.land(store, Reading(days=list(days)), "google_health", "0000")


def days_of(store: Store) -> dict[str, tuple[str, int | None]]:
    con = publish.open_published(publish.stable_path(store.home))
    rows = con.execute(
        "SELECT participant_id, day_state, steps FROM participant_day WHERE activity_date = ?", [ON]
    ).fetchall()
    con.close()
    return {str(row[0]): (str(row[1]), row[2]) for row in rows}
