"""The typed trial of published.py with work to do, typed by hand, for the page Today."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from support.published import Row, publish_rows, typed_rows, write_study

LABELS = {"haifa": "Haifa", "southampton": "Southampton"}


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def item(who: str, reason: str, queue: str, priority: int, level: str, **more: Any) -> Row:
    held = more.get("held_because")
    return {
        "participant_id": who, "reason": reason, "queue": queue, "priority": priority,
        "level": level, "fault": "participant", "held_back": held is not None,
        "happened_once": False, **more,
    }  # fmt: skip


# P002 has lost consent and P001 wears it with answers overdue; P003 has never connected.
ITEMS = [
    item("P002", "consent_lost", "reconnect", 4, "red", since_on=date(2026, 2, 10),
         since_at=at("2026-02-10T09:00"), days=1, kind="revoked", source="google_health"),
    item("P001", "wearing_but_overdue", "chase", 5, "red", since_on=date(2026, 2, 2), days=10,
         visit="baseline", closes_on=date(2026, 3, 2), scales_open=1),
    item("P003", "never_connected", "reconnect", 8, "red", since_on=date(2026, 2, 2), days=10),
    item("P001", "battery_low", "charge", 14, "amber", since_on=date(2026, 2, 12),
         since_at=at("2026-02-12T04:30"), days=0, value=12.0, limit_value=20.0),
    item("P003", "questionnaire_due", "chase", 15, "amber", since_on=date(2026, 2, 2), days=10,
         visit="week_4", closes_on=date(2026, 3, 15), scales_open=3, held_because="our_fault"),
]  # fmt: skip
CONNECTIONS = [
    {"participant_id": "P001", "source": "google_health", "state": "active",
     "since": at("2026-02-01T08:00"), "synced_at": at("2026-02-12T04:30"),
     "last_pulled_at": at("2026-02-12T04:45")},
    {"participant_id": "P002", "source": "google_health", "state": "revoked",
     "since": at("2026-02-10T09:00"), "synced_at": at("2026-02-10T07:15"),
     "last_pulled_at": at("2026-02-10T08:00")},
]  # fmt: skip
CLUSTER = {
    "cluster_id": 1, "reason": "not_synced", "source": "google_health",
    "from_at": at("2026-02-09T02:00"), "to_at": at("2026-02-09T05:00"), "participants": 5,
    "of_participants": 20, "until_at": at("2026-02-14T05:00"),
}  # fmt: skip


def _load(week: int, reason: str, raised: int) -> Row:
    return {"cohort_kind": "all", "cohort": "all", "week_starts_on": date(2026, 2, week),
            "reason": reason, "suppressed": False, "expected": 3, "raised": raised,
            "raised_per_100": 100 * raised / 3}  # fmt: skip


LOAD = [_load(2, "never_connected", 1), _load(2, "not_synced", 0), _load(9, "consent_lost", 1),
        _load(9, "not_synced", 2)]  # fmt: skip
RESCUE = [
    {"cohort_kind": "all", "cohort": "all", "suppressed": False, "participants": 3, "complete": 1,
     "obtainable": 1, "lost": 1, "complete_share": 1 / 3, "projected_share": 0.5,
     "projected_low": 0.4, "projected_high": 0.6, "best_share": 2 / 3},
    {"cohort_kind": "site", "cohort": "haifa", "suppressed": True},
]  # fmt: skip
RATES = [
    {"cohort_kind": "all", "cohort": "all", "visit": "week_4", "suppressed": False, "settled": 4,
     "received": 2, "rate": 0.5, "rate_ci_low": 0.15, "rate_ci_high": 0.85, "rate_of": "own",
     "used_rate": 0.5, "used_low": 0.15, "used_high": 0.85},
]  # fmt: skip
RESCUE_ITEMS = [
    {"participant_id": "P001", "position": 1, "visit": "week_4", "status": "overdue",
     "scales_open": 1, "closes_on": date(2026, 3, 15), "days_left": 31,
     "complete_if_answered": 0.639, "still_wearing": True},
]  # fmt: skip


def today_rows() -> dict[str, list[Row]]:
    """Every row of the trial with its work, by table."""
    return {
        **typed_rows(),
        "ops.connection": CONNECTIONS,
        "work_item": ITEMS,
        "work_load": LOAD,
        "outcome_rescue": RESCUE,
        "response_rate": RATES,
        "rescue_item": RESCUE_ITEMS,
    }


def today_study(path: Path, **changed: list[Row]) -> Path:
    """Publish the trial at `path`, some tables replaced; returns `path`."""
    if not path.joinpath("study.toml").exists():
        write_study(path)
    publish_rows(path, {**today_rows(), **changed})
    return path
