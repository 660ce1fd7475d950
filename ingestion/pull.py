"""Pulling: what is due is asked for, kept raw, read, landed, and receipted, a batch at a time.

One participant's trouble is theirs alone: it ends in their receipts and the state of their grant,
and never fails the batch. Only what is ours or the vendor's as a whole (`Retired`,
`Misconfigured`) is raised, after every participant of the batch has been dealt with.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

import sqlalchemy as sa

from ingestion import clock
from ingestion.budget import Budget
from ingestion.errors import (
    BadReply,
    Misconfigured,
    NeedsParticipant,
    OutOfBudget,
    ReaderFault,
    Retired,
    SourceError,
    Transient,
    VendorDown,
)
from ingestion.grant_rows import Grant
from ingestion.grants import Grants
from ingestion.http import open_http
from ingestion.landing import keep_raw, land
from ingestion.pulled import Pulled, settle
from ingestion.schedule import is_due, next_ask, not_complete
from ingestion.settings import SCOPES, read_key, read_vendor
from ingestion.source import (
    Ask,
    Count,
    Reading,
    Reply,
    Source,
    Window,
    source_named,
)
from ingestion.sources._legacy import LegacyClient
from ingestion.summary import Summary
from warehouse import register as reg
from warehouse.home import Store

log = logging.getLogger(__name__)
T = TypeVar("T")

THREADS = 4  # a participant's requests wait on the vendor; the parsing shares the cores
CONSENTED = tuple(SCOPES)  # the sources whose participants give consent
# Opens an HTTP client in the name of a participant's grant (or of the project, without one).
OpenClient = Callable[[Source, dict[str, Any]], Any]


def plan_wearables(store: Store, now: datetime | None = None) -> list[tuple[str, int]]:
    """The (source, batch) pairs that have a connected participant, in order.

    With `now`, only those in which somebody is due by the schedule.
    """
    rows = _grants(store, reg.grant.c.source.in_(CONSENTED))
    due = (row for row in rows if now is None or is_due(row, now))
    return sorted({(row["source"], int(row["batch"])) for row in due})


def pull_connected(store: Store, source_name: str, batch: int, due_only: bool = False) -> Summary:
    """Pull one batch with the participants' own grants, at the present; see `pull_wearables`.

    `due_only` leaves out whom the schedule lets rest (schedule.is_due).
    """
    with (
        store.register.leased(f"pull {source_name} {batch}", wait=600),
        open_http() as http,
    ):
        now = clock.now()  # a pull that waited for another asks with its own time
        grants = Grants(store.register, read_key(), http)
        budget = Budget(store.register, source_name)
        used: dict[str, Grant] = {}

        def open_client(source: Source, row: dict[str, Any]) -> Any:
            grant = grants.find(row["participant_id"], source.name)
            assert grant is not None  # the plan is made of grants
            used[grant.participant_id] = grant
            client = client_of(source.name, grants, grant)
            client.pace = budget.pace(grant.participant_id)
            return client

        summary, errors = pull_wearables(
            store, source_name, batch, now, open_client, due_only, grants.requests
        )
        for participant_id, error in errors.items():
            _note(grants, used.get(participant_id), error)
    for kind in (Retired, Misconfigured):  # ours, or the vendor's as a whole: the run must tell
        for error in errors.values():
            if isinstance(error, kind):
                raise error
    return summary


def _note(grants: Grants, grant: Grant | None, error: SourceError) -> None:
    """Set the state that the error stands for, of the consent that was used and of no newer one."""
    if grant is None:
        return
    try:
        grants.note(grant, error)
    except VendorDown:  # the grant's lock is held elsewhere; the next pull meets the same error
        log.warning("%s: its state could not be set now", grant.participant_id)


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
    store: Store,
    source_name: str,
    batch: int,
    now: datetime,
    open_client: OpenClient,
    due_only: bool = False,
    spent: Mapping[str, int] = MappingProxyType({}),
) -> tuple[Summary, dict[str, SourceError]]:
    """Pull one batch of a source; the errors are by participant, and none is raised here.

    `spent` are the requests that `open_client` and its clients sent for tokens, by participant,
    once it is done. The caller holds the batch's lock.
    """
    source = source_named(source_name)
    mine = (reg.grant.c.source == source_name) & (reg.participant.c.batch == batch)
    rows = [row for row in _grants(store, mine) if not due_only or is_due(row, now)]
    due = [(row, ask) for row in rows if (ask := next_ask(store.study, row, now))]
    summary = Summary(asked=len(due), participant_days=sum(_days_since(*one) for one in due))
    with ThreadPoolExecutor(THREADS) as threads:
        pulled = list(threads.map(lambda one: pull_one(store, source, open_client, *one), due))
    together = Reading()
    for one in pulled:
        one.requests += spent.get(one.participant_id, 0)
        together.days += one.reading.days
        together.devices += one.reading.devices
    summary.landed = land(store, together, source_name, f"{batch:04d}")
    settle(store, source_name, now, pulled)
    _count(summary, pulled)
    return summary, {one.participant_id: one.error for one in pulled if one.error}


def _days_since(row: dict[str, Any], ask: Ask) -> float:
    """Days since a participant's last answered pull, or since study day 1."""
    if row["last_pulled_at"] is None:
        return float((ask.window.last_on - ask.window.first_on).days + 1) if ask.window else 0.0
    return float((ask.now - row["last_pulled_at"]) / timedelta(days=1))


def _grants(store: Store, condition: sa.ColumnElement[bool]) -> list[dict[str, Any]]:
    """Active grants with what the roster says of each participant, and what was learned of them."""
    grant, lateness, again = reg.grant, reg.lateness, reg.ask_again
    joined = grant.join(reg.participant, grant.c.participant_id == reg.participant.c.participant_id)
    for table in (lateness, again):
        same = (table.c.participant_id == grant.c.participant_id) & (
            table.c.source == grant.c.source
        )
        joined = joined.outerjoin(table, same)
    roster = [column for column in reg.participant.c if column.name != "participant_id"]
    query = (
        sa.select(grant, *roster, lateness.c.lateness_days, again.c.ask_after)
        .select_from(joined)
        .where(grant.c.state == "active", condition)
        .order_by(grant.c.participant_id)
    )
    return store.register.rows(query)


def pull_one(
    store: Store, source: Source, open_client: OpenClient, row: dict[str, Any], ask: Ask
) -> Pulled:
    """Fetch, keep raw, read, of a participant or a project; an error is kept, not raised."""
    pulled = Pulled(row["participant_id"], ask, row.get("vendor_user_id"))
    client = None
    try:
        client = open_client(source, row)
        _fetch(store, source, client, pulled)
        keep_raw(store.lake, pulled.replies)
        pulled.reading = next(_typed(source, _read(source, pulled.replies, pulled.ask)))
    except SourceError as error:
        pulled.error = error
        keep_raw(store.lake, [*pulled.replies, *_unreadable(source, ask, error)], whole=False)
        pulled.reading = Reading(counts=_unlanded(source, pulled))
    finally:
        pulled.requests = client.requests if client else 0
        pulled.refused = {reply.data_type for reply in pulled.replies if reply.status == 403}
        pulled.replies.clear()  # a batch of ninety-day windows would fill the memory
    return pulled


def _unlanded(source: Source, pulled: Pulled) -> dict[str, Count]:
    """What came before the fetch broke off: received and refused; the next pull asks again."""
    try:
        read = next(_typed(source, _read(source, pulled.replies, pulled.ask)))
    except SourceError:  # what broke it: how many points there were, nobody knows
        read = Reading()
    counts = {"all": Count()}
    for reply in pulled.replies:
        count = counts[reply.data_type] = Count(read.count(reply.data_type).received)
        count.reject("fetch_broke_off", count.received, reply.sha256)
    return counts


def _fetch(store: Store, source: Source, client: Any, pulled: Pulled) -> None:
    """Fetch what is asked; where the vendor's limit came near, the days until then were asked.

    Where a permission is refused that was there before, days that have landed whole would be told
    of more poorly than they are known: then the others alone are asked for, from the start.
    """
    try:
        for reply in _typed(source, source.fetch(client, pulled.ask)):
            pulled.replies.append(reply)
            if reply.status == 403 and _is_poorer(store, source, pulled.ask, reply.data_type):
                pulled.replies.clear()
                pulled.ask = replace(pulled.ask, window=not_complete(pulled.ask))
                return _fetch(store, source, client, pulled)
    except OutOfBudget as error:
        window = pulled.ask.window
        if window is None or error.through < window.first_on:
            raise
        pulled.limit = error
        pulled.rest = Window(error.through + timedelta(days=1), window.last_on)
        pulled.ask = replace(pulled.ask, window=Window(window.first_on, error.through))


def _is_poorer(store: Store, source: Source, ask: Ask, refused: str) -> bool:
    """Whether the ask has complete days, and an earlier pull had what is refused now."""
    if not_complete(ask) == ask.window:
        return False
    told = reg.receipt.c
    query = sa.select(told.received).where(
        told.participant_id == ask.participant_id,
        told.source == source.name,
        told.data_type == refused,
        told.received > 0,
    )
    return bool(store.register.rows(query.limit(1)))


def _read(source: Source, replies: Sequence[Reply], ask: Ask) -> Iterator[Reading]:
    yield source.read(replies, ask)


def _typed(source: Source, items: Iterator[T]) -> Iterator[T]:
    """The items; a bug of ours on the way is one participant's trouble too, and is told."""
    try:
        yield from items
    except SourceError:
        raise
    except Exception as error:
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


def _count(summary: Summary, pulled: Sequence[Pulled]) -> None:
    for one in pulled:
        summary.answered += one.error is None
        summary.requests += one.requests
        summary.points += sum(count.received for count in one.reading.counts.values())
        reason = one.error.reason if one.error else "received"
        summary.reasons[reason] = summary.reasons.get(reason, 0) + 1
        if isinstance(one.error, Transient | NeedsParticipant):
            log.warning("%s: %s", one.participant_id, one.error)
