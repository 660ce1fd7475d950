"""Receipts: what was asked, what came, what landed, what was refused, and why nothing came."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from ingestion.drift import Drift
from ingestion.source import Count
from warehouse import register as reg
from warehouse.register import Register


def came_or_not(data_type: str, count: Count) -> str:
    """The plain reason: something was received, or there was no data."""
    return "received" if count.received else "no_data"


def record_receipts(
    register: Register,
    con: sa.Connection,
    *,
    participant_id: str,
    source: str,
    pull_id: str,
    asked_at: datetime,
    counts: Mapping[str, Count],
    reason: Callable[[str, Count], str] = came_or_not,
    days: tuple[date | None, date | None] = (None, None),
    requests: int = 0,
) -> None:
    """Write one receipt for each data type of `counts`, and its rejections by reason.

    `days` are the first and last local day asked for. Writing the same again changes nothing.
    """
    asked: dict[str, Any] = {"participant_id": participant_id, "source": source, "pull_id": pull_id}
    receipts = [
        asked
        | {
            "data_type": data_type,
            "asked_at": asked_at,
            "first_on": days[0],
            "last_on": days[1],
            "requests": requests,
            "received": count.received,
            "landed": count.landed,
            "rejected": count.rejected,
            "reason": reason(data_type, count),
        }
        for data_type, count in counts.items()
    ]
    rejections = [
        asked
        | {
            "data_type": data_type,
            "reason": why,
            "asked_at": asked_at,
            "points": points,
            "raw_sha256": count.raw_of.get(why),
        }
        for data_type, count in counts.items()
        for why, points in count.rejections.items()
    ]
    register.put(reg.receipt, receipts, con)
    register.put(reg.rejection, rejections, con)


def record_drift(
    register: Register,
    con: sa.Connection,
    source: str,
    asked_at: datetime,
    drift: Mapping[Drift, int],
) -> None:
    """Add what a pull met of `ops.drift` to what was met before."""
    table = reg.drift
    for one, points in drift.items():
        key = {"source": source, "data_type": one.data_type, "field_path": one.field_path,
               "kind": one.kind}  # fmt: skip
        same = sa.and_(*(table.c[name] == value for name, value in key.items()))
        old = con.execute(sa.select(table).where(same)).mappings().first()
        row = key | {
            "points": points + (old["points"] if old else 0),
            "first_seen_at": min(old["first_seen_at"], asked_at) if old else asked_at,
            "last_seen_at": max(old["last_seen_at"], asked_at) if old else asked_at,
        }
        register.put(table, [row], con)
