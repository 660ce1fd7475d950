"""Minutes of the typed trial's days in a lake: what the participant page opens."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from warehouse import register as reg
from warehouse.day_files import day_path, month_path
from warehouse.lake import Lake
from warehouse.register import Register
from warehouse.schema import table_of
from warehouse.tables.landed import activity_day

ON = date(2026, 2, 10)
HASH = "0123456789abcdef0123456789abcdef"
# 10 February in Jerusalem begins at 22:00 UTC on the 9th.
MIDNIGHT = datetime(2026, 2, 9, 22, tzinfo=UTC)


def minutes(participant: str = "P001", on: date = ON, **more: Any) -> dict[str, Any]:
    """A day: 40 steps at 08:00, 110 at 08:01 and 140 at 18:30; worn 07:00 to 20:00."""
    return {
        "participant_id": participant, "source": "google_health", "activity_date": on,
        "timezone": "Asia/Jerusalem", "day_start_at": MIDNIGHT, "day_minutes": 1440,
        "step_minute": [480, 481, 1110], "step_count": [40, 110, 140],
        "wear_start": [420], "wear_length": [780], "wear_method": "heart_rate",
        "steps": 290, "wear_minutes": 780, "era": "google_health", "row_hash": HASH,
        "fetched_at": datetime(2026, 2, 11, 4, tzinfo=UTC), **more,
    }  # fmt: skip


def put(home: Path, *rows: dict[str, Any], month: bool = False, bucket: str = "0000") -> None:
    """Lay rows of one date into the lake of a study, in its date's file or its month's."""
    path_of = month_path if month else day_path
    path = path_of("google_health", rows[0]["activity_date"], bucket)
    Lake(str(home / "lake")).write_days(path, table_of(activity_day, rows))


def enrol(home: Path, *participants: str) -> None:
    """Put participants of the first batch on the register: the batch says where their days lie."""
    one = {"site": "haifa", "timezone": "Asia/Jerusalem", "enrolled_on": ON, "starts_on": ON,
           "batch": 0}  # fmt: skip
    with closing(Register(f"sqlite:///{home}/register.sqlite")) as register:
        register.put(reg.participant, [{"participant_id": who, **one} for who in participants])
