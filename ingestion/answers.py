"""Questionnaires, sessions, goals and the roster: pulled from REDCap, batch by batch.

The project is asked as a whole, so its trouble is every participant's: it ends in a receipt for
each of them, with what came kept raw, and is raised.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

import sqlalchemy as sa

from ingestion.erased_records import WithoutErased
from ingestion.errors import Misconfigured
from ingestion.http import open_http
from ingestion.landing import Landed, land
from ingestion.pull import pull_one
from ingestion.pulled import Pulled
from ingestion.receipts import came_or_not, record_receipts
from ingestion.settings import read_redcap
from ingestion.source import Ask, Count, source_named
from ingestion.sources.redcap import RedcapClient, told_whole
from warehouse import register as reg
from warehouse.home import Store

SOURCE = "redcap"
DATA_TYPES = ("responses", "sessions", "goals")  # of a batch; the roster is asked for apart


def pull_roster(store: Store, now: datetime) -> list[int]:
    """Bring the roster up to date; returns the batches of participants there are.

    Whoever the project refuses to tell of, or tells wrongly, has a receipt that says why.
    """
    with store.register.leased(f"pull {SOURCE} roster", wait=600):
        pulled = _ask_project(store, Ask(store.study, now))
        known = {row["participant_id"] for row in store.register.rows(sa.select(reg.participant))}
        land(store, pulled.reading, SOURCE, "roster")
        _settle(store, sorted(known | {*pulled.reading.counts_of}), ("roster",), pulled)
    return find_batches(store)


def find_batches(store: Store) -> list[int]:
    """The batches of participants there are, in order."""
    query = sa.select(reg.participant.c.batch).distinct().order_by(reg.participant.c.batch)
    return [int(row["batch"]) for row in store.register.rows(query)]


def pull_answers(store: Store, batch: int, now: datetime) -> Landed:
    """Pull the answers, sessions and goals of one batch of participants.

    A reply is all that the project has of them: what it no longer has goes from the lake too.
    """
    query = sa.select(reg.participant.c.participant_id).where(reg.participant.c.batch == batch)
    participants = tuple(sorted(row["participant_id"] for row in store.register.rows(query)))
    with store.register.leased(f"pull {SOURCE} {batch}", wait=600):
        pulled = _ask_project(store, Ask(store.study, now, participants=participants))
        whole_of = () if pulled.error else told_whole(participants, pulled.reading)
        if not (pulled.error or whole_of) and _had_answers(store, participants):
            pulled.error = Misconfigured(
                f"{SOURCE}: of {len(participants)} participants it tells nothing any more, and "
                "nothing was taken away; may the token's user still see their records?"
            )
        landed = land(store, pulled.reading, SOURCE, f"{batch:04d}", whole_of, now)
        _settle(store, participants, DATA_TYPES, pulled)
    return landed


def _ask_project(store: Store, ask: Ask) -> Pulled:
    """What the project answered, kept raw and read, or the error that it ended in."""
    with open_http() as http:

        def open_client(*_: object) -> RedcapClient:
            settings = read_redcap()
            return RedcapClient(http, settings.url, settings.token)

        project = WithoutErased(store, source_named(SOURCE))
        return pull_one(store, project, open_client, {"participant_id": "all"}, ask)


def _had_answers(store: Store, participants: Sequence[str]) -> bool:
    """Whether an earlier pull was told of any of them."""
    told = reg.receipt.c
    query = sa.select(told.participant_id).where(
        told.source == SOURCE,
        told.participant_id.in_(participants),
        told.data_type.in_(DATA_TYPES),
        told.received > 0,
    )
    return bool(store.register.rows(query.limit(1)))


def _settle(
    store: Store, participants: Collection[str], data_types: Iterable[str], pulled: Pulled
) -> None:
    """A receipt for each participant and data type asked for, and what was refused, by reason.

    Raises the error of the pull, once it is on record.
    """
    now, error = pulled.ask.now, pulled.error
    with store.register.begin() as con:
        for one in participants:
            found = pulled.reading.counts_of.get(one, {})
            record_receipts(
                store.register,
                con,
                participant_id=one,
                source=SOURCE,
                pull_id=f"{now:%Y%m%dT%H%M%SZ}",
                asked_at=now,
                counts={name: found.get(name, Count()) for name in data_types},
                reason=(lambda *_: error.reason) if error else came_or_not,
                requests=pulled.requests,
            )
    if error:
        raise error
