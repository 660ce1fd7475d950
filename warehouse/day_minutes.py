"""One day of one participant, minute by minute, from the lake: what the published file sums up.

Only the files that can hold the row are opened, and of them only the rows that hold it.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import sqlalchemy as sa

from warehouse import register as reg
from warehouse.day_files import IMPORTED, day_path, month_path
from warehouse.lake import Lake
from warehouse.register import Register

COLUMNS = [
    "participant_id", "source", "activity_date", "timezone", "day_start_at", "day_minutes",
    "step_minute", "step_count", "wear_start", "wear_length", "row_hash", "fetched_at",
]  # fmt: skip


class OutOfReach(Exception):
    """The lake is not there for this process, or does not answer."""


def find_day(
    lake_url: str, register: Register, participant_id: str, source: str, on: date, row_hash: str
) -> dict[str, Any] | None:
    """The landed day as a row of activity_day; None where the lake has no such day (any more).

    `row_hash` says which facts a build rests on: they are preferred, and else the newest word is
    given, whose own row_hash then differs. OutOfReach where the lake cannot be read.
    """
    try:
        lake, buckets = _open(lake_url), _buckets(register, participant_id)
        rows = _rows_of(lake, buckets, source, on, participant_id)
    except (OSError, pa.ArrowException) as error:
        raise OutOfReach(type(error).__name__) from error
    return max(rows, key=lambda row: (row["row_hash"] == row_hash, _fetched(row)), default=None)


def _rows_of(
    lake: Lake, buckets: list[str], source: str, on: date, participant_id: str
) -> list[dict[str, Any]]:
    mine = (pc.field("participant_id") == participant_id) & (pc.field("activity_date") == on)
    found = []
    for bucket in buckets:
        for path in (day_path(source, on, bucket), month_path(source, on, bucket)):
            # a day lies in its date's file or in its month's, pulled or imported: in one of these
            with suppress(FileNotFoundError), lake.opened(path) as file:
                rows = pq.read_table(file, columns=COLUMNS, filters=mine, partitioning=None)
                found += rows.to_pylist()
    return found


def _open(url: str) -> Lake:
    """The lake, never made anew: a process without it must not leave an empty one behind."""
    local = Path(urlsplit(url).path if url.startswith("file://") else url)
    if ("://" not in url or url.startswith("file://")) and not local.is_dir():
        raise FileNotFoundError("no lake here")
    return Lake(url)


def _buckets(register: Register, participant_id: str) -> list[str]:
    one = reg.participant.c
    rows = register.rows(sa.select(one.batch).where(one.participant_id == participant_id))
    return [*(f"{row['batch']:04d}" for row in rows), IMPORTED]


def _fetched(row: dict[str, Any]) -> float:
    at: datetime | None = row["fetched_at"]
    return at.timestamp() if at else 0.0
