"""Pulling: what is due is asked for, kept raw, read, landed, and receipted, a batch at a time.

One participant's trouble is theirs alone: it ends in their receipts and the state of their grant,
and never fails the batch. Only what is ours or the vendor's as a whole (`Retired`,
`Misconfigured`) is raised, after every participant of the batch has been dealt with.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from ingestion import clock
from ingestion.errors import (
    BadReply,
    Misconfigured,
    NeedsParticipant,
    ReaderFault,
    Retired,
    ScopeMissing,
    SourceError,
    Transient,
)
from ingestion.grants import Grant, Grants
from ingestion.http import open_http
from ingestion.landing import Landed, keep_raw, land
from ingestion.receipts import record_receipts
from ingestion.settings import SCOPES, read_key, read_vendor
from ingestion.source import (
    Ask,
    Count,
    Reading,
    Reply,
    Source,
    Window,
    last_sync,
    source_named,
)
from ingestion.sources._legacy import LegacyClient
from warehouse import register as reg
from warehouse.home import Store

log = logging.getLogger(__name__)

THREADS = 4  # a participant's requests wait on the vendor; the parsing shares the cores
CONSENTED = tuple(SCOPES)  # the sources whose participants give consent
# A pull of n days costs 3 + 2n of Fitbit's 150 requests an hour; the next pull goes on.
MOST_DAYS, MANY = {"fitbit": 70}, 10_000
# Opens an HTTP client in the name of a participant's grant (or of the project, without one).
OpenClient = Callable[[Source, dict[str, Any]], Any]


@dataclass
class Pulled:
    """One participant's fetch: what came, or why not."""

    participant_id: str
    ask: Ask
    replies: list[Reply] = field(default_factory=list)
    reading: Reading = field(default_factory=Reading)
    error: SourceError | None = None
    requests: int = 0


@dataclass
class Summary:
    """A batch in counts, fit for a log: no participant, no value."""

    asked: int = 0
    answered: int = 0
    requests: int = 0
    points: int = 0
    landed: Landed = field(default_factory=Landed)
    reasons: dict[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        reasons = ", ".join(f"{name} {n}" for name, n in sorted(self.reasons.items())) or "nothing"
        return (
            f"{self.answered} of {self.asked} answered with {self.requests} requests and "
            f"{self.points} points: {self.landed.days_new} days new, {self.landed.days_changed} "
            f"changed, {self.landed.days_same} as before; receipts: {reasons}"
        )


def plan_wearables(store: Store) -> list[tuple[str, int]]:
    """The (source, batch) pairs that have a connected participant, in order."""
    joined = sa.join(
        reg.grant, reg.participant, reg.grant.c.participant_id == reg.participant.c.participant_id
    )
    query = (
        sa.select(reg.grant.c.source, reg.participant.c.batch)
        .select_from(joined)
        .where(reg.grant.c.state == "active", reg.grant.c.source.in_(CONSENTED))
        .distinct()
    )
    return sorted((row["source"], int(row["batch"])) for row in store.register.rows(query))


def pull_connected(store: Store, source_name: str, batch: int, now: datetime) -> Summary:
    """Pull one batch with the participants' own grants; see `pull_wearables`."""
    with open_http() as http:
        grants = Grants(store.register, read_key(), http)

        def open_client(source: Source, row: dict[str, Any]) -> Any:
            grant = grants.find(row["participant_id"], source.name)
            assert grant is not None  # the plan is made of grants
            return client_of(source.name, grants, grant)

        summary, errors = pull_wearables(store, source_name, batch, now, open_client)
        for participant_id, error in errors.items():
            if grant := grants.find(participant_id, source_name):
                grants.note(grant, error)
    for kind in (Retired, Misconfigured):  # ours, or the vendor's as a whole: the run must tell
        for error in errors.values():
            if isinstance(error, kind):
                raise error
    return summary


def client_of(source: str, grants: Grants, grant: Grant) -> Any:
    """The source's own kind of client in the name of a grant."""
    if source != "fitbit":
        return grants.client(grant)
    fresh = grants.renewed(grant)
    assert fresh.token is not None  # a refresh gives one or raises
    return LegacyClient(
        fresh.token.access_token,
        grants.refresher(fresh),
        endpoint=read_vendor(source).url,
        account=grant.vendor_user_id,
        now=clock.now,
    )


def pull_wearables(
    store: Store, source_name: str, batch: int, now: datetime, open_client: OpenClient
) -> tuple[Summary, dict[str, SourceError]]:
    """Pull one batch of a source; the errors are by participant, and none is raised here."""
    source = source_named(source_name)
    due = [
        (row, ask) for row in _grants(store, source_name, batch) if (ask := _ask(store, row, now))
    ]
    summary = Summary(asked=len(due))
    with (
        store.register.leased(f"pull {source_name} {batch}", wait=600),
        ThreadPoolExecutor(THREADS) as threads,
    ):
        pulled = list(threads.map(lambda one: _pull(store, source, open_client, *one), due))
        together = Reading()
        for one in pulled:
            together.days += one.reading.days
            together.devices += one.reading.devices
        summary.landed = land(store, together, source_name, f"{batch:04d}")
        _settle(store, source_name, now, pulled)
    _count(summary, pulled)
    return summary, {one.participant_id: one.error for one in pulled if one.error}


def _grants(store: Store, source: str, batch: int) -> list[dict[str, Any]]:
    """Active grants of the batch with what the roster says of each participant."""
    joined = sa.join(
        reg.grant, reg.participant, reg.grant.c.participant_id == reg.participant.c.participant_id
    )
    roster = [column for column in reg.participant.c if column.name != "participant_id"]
    query = (
        sa.select(reg.grant, *roster)
        .select_from(joined)
        .where(
            reg.grant.c.source == source,
            reg.grant.c.state == "active",
            reg.participant.c.batch == batch,
        )
        .order_by(reg.grant.c.participant_id)
    )
    return store.register.rows(query)


def _ask(store: Store, row: dict[str, Any], now: datetime) -> Ask | None:
    """What is due of a participant; None when every day that will ever be asked for is here."""
    window = due_window(
        starts_on=row["starts_on"],
        ends_on=_last_day(store, row),
        today=now.astimezone(ZoneInfo(row["timezone"])).date(),
        landed_sync_at=row["landed_sync_at"],
        timezone=row["timezone"],
        trailing_days=store.study.wearables.trailing_days,
        final_after_days=store.study.wearables.final_after_days,
    )
    if window is None:
        return None
    window = window.chunks(MOST_DAYS.get(row["source"], MANY))[0]
    return Ask(
        store.study, now, row["participant_id"], row["timezone"], window, row["landed_sync_at"]
    )


def due_window(
    *,
    starts_on: date,
    ends_on: date,
    today: date,
    landed_sync_at: datetime | None,
    timezone: str,
    trailing_days: int,
    final_after_days: int,
) -> Window | None:
    """The local days to ask for: from the last one known complete, less the trailing days.

    Nothing before study day 1 and nothing after the last day of taking part is ever asked for.
    None before the study has begun, and when all days to `ends_on` are complete and final.
    """
    first_on = starts_on
    if landed_sync_at is not None:
        through = landed_sync_at.astimezone(ZoneInfo(timezone)).date()
        if through > ends_on and today > ends_on + timedelta(days=final_after_days):
            return None
        first_on = max(starts_on, through - timedelta(days=trailing_days))
    last_on = min(today, ends_on)
    return Window(first_on, last_on) if first_on <= last_on else None


def _last_day(store: Store, row: dict[str, Any]) -> date:
    ends_on: date = row["starts_on"] + timedelta(days=7 * store.study.study.weeks - 1)
    if row["withdrawn_on"]:
        ends_on = min(ends_on, row["withdrawn_on"] - timedelta(days=1))
    return ends_on


def _pull(
    store: Store, source: Source, open_client: OpenClient, row: dict[str, Any], ask: Ask
) -> Pulled:
    pulled = Pulled(row["participant_id"], ask)
    client = None
    try:
        client = open_client(source, row)
        for reply in source.fetch(client, ask):
            pulled.replies.append(reply)
        keep_raw(store.lake, pulled.replies)
        pulled.reading = _read(source, pulled.replies, ask)
    except SourceError as error:
        pulled.error = error
        keep_raw(store.lake, [*pulled.replies, *_unreadable(source, ask, error)], whole=False)
    finally:
        pulled.requests = client.requests if client else 0
    return pulled


def _read(source: Source, replies: Sequence[Reply], ask: Ask) -> Reading:
    try:
        return source.read(replies, ask)
    except SourceError:
        raise
    except Exception as error:  # a bug of ours is one participant's trouble too, and is told
        where = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{Path(where.filename).name}:{where.lineno}"  # no message: it may hold a value
        raise ReaderFault(
            f"{source.name}: a reply could not be read ({type(error).__name__} at {place}); it is "
            "kept raw: mend the reader, then `stepwell reread`"
        ) from None


def _unreadable(source: Source, ask: Ask, error: SourceError) -> list[Reply]:
    """The body that broke the fetch, to be kept with what came before it."""
    body = error.body if isinstance(error, BadReply) else b""
    if not body:
        return []
    who = ask.participant_id
    return [Reply(source.name, who, "unreadable", str(error), ask.now, 200, "", body, ask.window)]


def _settle(store: Store, source: str, now: datetime, pulled: Sequence[Pulled]) -> None:
    """Receipts, rejections and the grants' new marks, in one transaction after the landing."""
    pull_id = f"{now:%Y%m%dT%H%M%SZ}"
    with store.register.begin() as con:
        for one in pulled:
            _record(store, con, source, pull_id, one)
            if marks := _marks(one, now):
                mine = (reg.grant.c.participant_id == one.participant_id) & (
                    reg.grant.c.source == source
                )
                con.execute(sa.update(reg.grant).where(mine).values(marks))


def _marks(one: Pulled, now: datetime) -> dict[str, Any]:
    if one.error is not None:
        return {}
    synced_at = last_sync(one.reading)
    marks: dict[str, Any] = {"last_pulled_at": now}
    if synced_at is not None:
        landed_sync_at = min([synced_at, *_window_end(one.ask)])
        marks |= {"synced_at": synced_at, "landed_sync_at": landed_sync_at}
    return marks


def _window_end(ask: Ask) -> list[datetime]:
    """The end of a window that stops before today: nothing after it landed. Else empty."""
    assert ask.window is not None
    assert ask.timezone is not None
    if ask.window.last_on >= ask.now.astimezone(ZoneInfo(ask.timezone)).date():
        return []
    after = ask.window.last_on + timedelta(days=1)
    return [datetime.combine(after, time(), ZoneInfo(ask.timezone)).astimezone(UTC)]


def _record(store: Store, con: sa.Connection, source: str, pull_id: str, one: Pulled) -> None:
    window = one.ask.window
    record_receipts(
        store.register,
        con,
        participant_id=one.participant_id,
        source=source,
        pull_id=pull_id,
        asked_at=one.ask.now,
        counts=one.reading.counts or {"all": Count()},
        reason=lambda data_type, count: _reason(one, data_type, count),
        days=(window.first_on, window.last_on) if window else (None, None),
        requests=one.requests,
    )


def _reason(one: Pulled, data_type: str, count: Count) -> str:
    if one.error is not None:
        return one.error.reason
    if count.received:
        return "received"
    if any(r.status == 403 for r in one.replies if r.data_type == data_type):
        return ScopeMissing.reason
    synced_at = last_sync(one.reading)
    if synced_at is None:
        return "not_synced"
    return "nothing_new" if synced_at == one.ask.synced_before else "no_data"


def _count(summary: Summary, pulled: Sequence[Pulled]) -> None:
    for one in pulled:
        summary.answered += one.error is None
        summary.requests += one.requests
        summary.points += sum(count.received for count in one.reading.counts.values())
        reason = one.error.reason if one.error else "received"
        summary.reasons[reason] = summary.reasons.get(reason, 0) + 1
        if isinstance(one.error, Transient | NeedsParticipant):
            log.warning("%s: %s", one.participant_id, one.error)
