"""The typed trial with all that a participant's page tells besides: lists, changes, receipts."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from support import landed_minutes
from support.published import Row, publish_rows, typed_rows, write_study


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def work(participant: str, reason: str, queue: str, priority: int, **more: Any) -> Row:
    """One open reason of the work list."""
    return {"participant_id": participant, "reason": reason, "queue": queue, "priority": priority,
            "level": "red", "fault": "participant", "held_back": False, "happened_once": False,
            "days": 3, "since_on": date(2026, 2, 9), **more}  # fmt: skip


WORK = [
    work("P002", "consent_lost", "reconnect", 4),
    work("P001", "battery_low", "charge", 14),
    work("P002", "not_worn", "call", 9),
    work("P003", "never_connected", "reconnect", 8, held_back=True, held_because="our_fault"),
]


def _revision(on: int, before: tuple[int, int], after: tuple[int, int], **more: Any) -> Row:
    return {"participant_id": "P001", "source": "google_health", "activity_date": date(2026, 2, on),
            "row_hash": f"n{on}", "replaced_hash": f"o{on}", "steps_before": before[0],
            "steps_after": after[0], "wear_before": before[1], "wear_after": after[1],
            "changed_at": at("2026-02-11T06:00"), "days_late": 0, "was_complete": False,
            **more}  # fmt: skip


REVISIONS = [
    _revision(9, (4000, 800), (6500, 900), changed_at=at("2026-02-11T07:00"), days_late=1),
    _revision(8, (5000, 700), (5000, 900), days_late=2, was_complete=True),
    _revision(7, (5000, 900), (5000, 900)),
]


def _receipt(who: str, pulled: str, reason: str, received: int = 0, **more: Any) -> Row:
    return {"participant_id": who, "source": "google_health", "data_type": "steps",
            "pull_id": pulled, "asked_at": at(pulled), "first_on": date(2026, 2, 9),
            "last_on": date(2026, 2, 12), "requests": 2, "received": received, "landed": received,
            "rejected": 0, "reason": reason, **more}  # fmt: skip


RECEIPTS = [
    _receipt("P001", "2026-02-11T06:00", "received", 120),
    _receipt("P001", "2026-02-12T05:00", "not_synced"),
    _receipt("P002", "2026-02-12T05:00", "consent_lost"),
]
# P001 has answered week 4 as well: function 50 to 58, pain 6 to 7.
ANSWERED = {"answered_on": date(2026, 2, 11), "status": "received"}
CHANGED = {
    "FUNC": {"score": 58.0, "score_change": 8.0, "improvement": 8.0, "is_responder": True},
    "NPRS": {"score": 7.0, "baseline_score": 6.0, "score_change": 1.0, "improvement": -1.0,
             "is_responder": False, "mcid": 2.0},
}  # fmt: skip


def story_rows() -> dict[str, list[Row]]:
    """Every row: P001's days come from google_health, on another device from 8 February."""
    rows = typed_rows()
    rows["participant_day"] = [_measured(one) for one in rows["participant_day"]]
    week_4 = rows["outcome"][1]
    rows["outcome"] = [
        *(one for one in rows["outcome"] if one is not week_4),
        *({**week_4, "scale": scale, **ANSWERED, **more} for scale, more in CHANGED.items()),
    ]
    metric = {"participant_id": "P001", "source": "google_health", "era": "google_health",
              "activity_date": landed_minutes.ON, "day_end_at": at("2026-02-10T22:00"),
              "has_minutes": True, "row_hash": landed_minutes.HASH}  # fmt: skip
    return {**rows, "work_item": WORK, "ops.revision": REVISIONS, "ops.receipt": RECEIPTS,
            "day_metric": [metric]}  # fmt: skip


def _measured(one: Row) -> Row:
    if one["participant_id"] != "P001":
        return one
    device = "Inspire 3" if one["activity_date"] < date(2026, 2, 8) else "Charge 6"
    return {**one, "source": "google_health", "era": "google_health", "device_model": device,
            "moderate_minutes": 12, "vigorous_minutes": 5}  # fmt: skip


def story_study(path: Path) -> None:
    """Publish it at `path`, with one landed day of P001."""
    write_study(path)
    publish_rows(path, story_rows())
    landed_minutes.enrol(path, "P001", "P002", "P003")
    landed_minutes.put(path, landed_minutes.minutes(), landed_minutes.minutes("P002"))
