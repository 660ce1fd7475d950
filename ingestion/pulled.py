"""What a participant's fetch came to, and what is put on record of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from ingestion.drift import Drift
from ingestion.errors import OutOfBudget, ScopeMissing, SourceError
from ingestion.lateness import learn_lateness
from ingestion.receipts import record_drift, record_receipts
from ingestion.schedule import ask_after, landed_through
from ingestion.source import Ask, Count, Reading, Reply, Window, last_sync
from warehouse import register as reg
from warehouse.home import Store

Reason = Callable[[str, Count], str]


@dataclass
class Pulled:
    """One participant's fetch: what came, or why not."""

    participant_id: str
    ask: Ask
    account: str | None = field(default=None, repr=False)  # the vendor's id of whom was asked
    replies: list[Reply] = field(default_factory=list)  # until they are kept and read
    refused: set[str] = field(default_factory=set)  # data types answered with a 403
    reading: Reading = field(default_factory=Reading)
    error: SourceError | None = None
    requests: int = 0
    limit: OutOfBudget | None = None  # why `rest`, the end of the window, was not asked for
    rest: Window | None = None


def settle(store: Store, source: str, now: datetime, pulled: Sequence[Pulled]) -> None:
    """Receipts, rejections and the grants' new marks, in one transaction after the landing."""
    pull_id = f"{now:%Y%m%dT%H%M%SZ}"
    with store.register.begin() as con:
        for one in pulled:
            _record(store, con, source, pull_id, one)
            key = {"participant_id": one.participant_id, "source": source}
            if marks := marks_of(one, now):
                mine = sa.and_(*(reg.grant.c[name] == value for name, value in key.items()))
                same = reg.grant.c.vendor_user_id.is_not_distinct_from(one.account)
                con.execute(sa.update(reg.grant).where(mine, same).values(marks))
            rests_until = ask_after(store.study, now, one.error or one.limit)
            store.register.put(reg.ask_again, [key | {"ask_after": rests_until}], con)
        drift: Counter[Drift] = sum((one.reading.drift for one in pulled), Counter())
        record_drift(con, source, now, drift)
        changed = [one.participant_id for one in pulled if one.reading.days]
        learn_lateness(store.register, con, source, changed, store.study.wearables)


def marks_of(one: Pulled, now: datetime) -> dict[str, Any]:
    if one.error is not None:
        return {}
    marks: dict[str, Any] = {"last_pulled_at": now}
    synced_at = last_sync(one.reading)
    if synced_at is not None and one.ask.window is not None:
        synced_at = min(synced_at, one.ask.now)  # a clock that is fast has no day landed early
        landed_at = landed_through(one.ask, synced_at, one.reading.days)
        # An unpaired device takes its last sync with it; what has landed has landed.
        marks["landed_sync_at"] = max([landed_at, *filter(None, [one.ask.synced_before])])
        marks["synced_at"] = synced_at
        if one.ask.synced_before is None:
            marks["first_asked_on"] = one.ask.window.first_on
    return marks


def _record(store: Store, con: sa.Connection, source: str, pull_id: str, one: Pulled) -> None:
    def put(window: Window | None, counts: dict[str, Count], reason: Reason, spent: int) -> None:
        record_receipts(
            store.register,
            con,
            participant_id=one.participant_id,
            source=source,
            pull_id=pull_id,
            asked_at=one.ask.now,
            counts=counts,
            reason=reason,
            days=(window.first_on, window.last_on) if window else (None, None),
            requests=spent,
        )

    counts = one.reading.counts or {"all": Count()}
    put(one.ask.window, counts, lambda kind, count: _reason(one, kind, count), one.requests)
    if (limit := one.limit) is not None:
        put(one.rest, {"all": Count()}, lambda *_: limit.reason, 0)


def _reason(one: Pulled, data_type: str, count: Count) -> str:
    if one.error is not None:
        return one.error.reason
    if count.received:
        return "received"
    if data_type in one.refused:
        return ScopeMissing.reason
    synced_at = last_sync(one.reading)
    if synced_at is None:
        return "not_synced"
    return "nothing_new" if synced_at == one.ask.synced_before else "no_data"
