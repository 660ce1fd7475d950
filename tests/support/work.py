"""The usual cells of the work list's pictures, at noon (UTC) of study day 22, 9 February."""

from __future__ import annotations

from datetime import date, timedelta

NOON = "2026-02-09T12:00:00+00:00"
USUAL: dict[str, dict[str, str]] = {
    "participant": {
        "site": "southampton",
        "timezone": "UTC",
        "enrolled_on": "2026-01-15",
        "starts_on": "2026-01-19",
    },
    "connection": {
        "source": "google_health",
        "state": "active",
        "since": "2026-01-18T00:00+00",
        "synced_at": "2026-02-09T11:00+00",
        "last_pulled_at": "2026-02-09T12:00+00",
    },
    "participant_day": {
        "study_day": "1",
        "study_week": "1",
        "day_state": "valid",
        "eligible_day": "true",
        "valid_day": "true",
        "provisional": "false",
    },
    "device": {
        "source": "google_health",
        "observed_at": "2026-02-09T11:00+00",
        "last_sync_at": "2026-02-09T11:00+00",
    },
    "outcome": {"visit": "week_4", "scale": "NPRS", "status": "received"},
    "safety_event": {
        "source": "redcap",
        "visit": "week_4",
        "instrument": "PHQ9",
        "repeat": "1",
        "kind": "phq9_item_9",
    },
    "receipt": {"source": "redcap", "received": "0", "landed": "0", "rejected": "0"},
    "day_metric": {
        "source": "fitabase",
        "era": "file",
        "activity_date": "2026-01-20",
        "day_end_at": "2026-01-21T00:00+00",
        "has_minutes": "true",
        "row_hash": "h",
    },
}

DAY = "participant_id | activity_date | day_state | valid_day\n"


def days_of(participant: str, *states: str) -> str:
    """Rows under DAY, of the days up to yesterday."""
    last = date(2026, 2, 8)
    days = [last - timedelta(days=back) for back in reversed(range(len(states)))]
    rows = [
        f"{participant} | {day} | {state} | {'T' if state == 'valid' else 'F'}"
        for day, state in zip(days, states, strict=True)
    ]
    return "\n".join([*rows, ""])


def goal_days(participant: str, flags: str) -> str:
    """Rows participant_id | activity_date | goal_met of the days up to yesterday, from "TFF"."""
    last = date(2026, 2, 8)
    days = [last - timedelta(days=back) for back in reversed(range(len(flags)))]
    rows = [f"{participant} | {day} | {flag}" for day, flag in zip(days, flags, strict=True)]
    return "\n".join([*rows, ""])
