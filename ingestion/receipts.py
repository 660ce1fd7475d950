"""Receipts: what was asked, what came, what landed, what was refused, and why nothing came."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from ingestion.drift import Drift
from ingestion.source import Count
from warehouse import register as reg
from warehouse.register import Register, insert_into


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
    con: sa.Connection, source: str, asked_at: datetime, drift: Mapping[Drift, int]
) -> None:
    """Add what a batch met of `ops.drift` to what was met before.

    Batches meet the same places: each adds in one statement, in one order, so that none is lost
    and none waits for another that waits for it. A batch calls it once in its transaction.
    """
    if not drift:
        return
    statement = insert_into(con, reg.drift)
    new, old = statement.excluded, reg.drift.c
    add = statement.on_conflict_do_update(
        index_elements=list(reg.drift.primary_key),
        set_={
            "points": old.points + new.points,
            "first_seen_at": sa.case(
                (old.first_seen_at < new.first_seen_at, old.first_seen_at), else_=new.first_seen_at
            ),
            "last_seen_at": sa.case(
                (old.last_seen_at > new.last_seen_at, old.last_seen_at), else_=new.last_seen_at
            ),
        },
    )
    seen = {"source": source, "first_seen_at": asked_at, "last_seen_at": asked_at}
    con.execute(add, [seen | one._asdict() | {"points": n} for one, n in sorted(drift.items())])
