"""Questionnaires, sessions, goals and the roster: pulled from REDCap, batch by batch."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from ingestion.http import open_http
from ingestion.landing import Landed, keep_raw, land
from ingestion.receipts import record_receipts
from ingestion.settings import read_redcap
from ingestion.source import Ask, Count, Reading, source_named
from ingestion.sources.redcap import RedcapClient
from warehouse import register as reg
from warehouse.home import Store

SOURCE = "redcap"
DATA_TYPES = ("responses", "sessions", "goals")  # of a batch; the roster is asked for apart


def pull_roster(store: Store, now: datetime) -> list[int]:
    """Bring the roster up to date; returns the batches of participants there are."""
    reading, requests = _read(store, Ask(store.study, now))
    people = reading.rows.get("participant", [])
    land(store, Reading(rows={"participant": people}), SOURCE, "roster")
    asked = sorted(row["participant_id"] for row in people)
    _settle(store, asked, ("roster",), reading, now, requests)
    query = sa.select(reg.participant.c.batch).distinct().order_by(reg.participant.c.batch)
    return [int(row["batch"]) for row in store.register.rows(query)]


def pull_answers(store: Store, batch: int, now: datetime) -> Landed:
    """Pull the answers, sessions and goals of one batch of participants."""
    query = sa.select(reg.participant.c.participant_id).where(reg.participant.c.batch == batch)
    participants = tuple(sorted(row["participant_id"] for row in store.register.rows(query)))
    with store.register.leased(f"pull {SOURCE} {batch}", wait=600):
        reading, requests = _read(store, Ask(store.study, now, participants=participants))
        reading.rows.pop("participant", None)
        landed = land(store, reading, SOURCE, f"{batch:04d}")
        _settle(store, participants, DATA_TYPES, reading, now, requests)
        return landed


def _read(store: Store, ask: Ask) -> tuple[Reading, int]:
    """The project's reading, its raw replies kept first; with the requests it took."""
    settings, source = read_redcap(), source_named(SOURCE)
    with open_http() as http:
        client = RedcapClient(http, settings.url, settings.token)
        replies = list(source.fetch(client, ask))
    keep_raw(store.lake, replies)
    return source.read(replies, ask), client.requests


def _settle(
    store: Store,
    participants: Sequence[str],
    data_types: Sequence[str],
    reading: Reading,
    now: datetime,
    requests: int,
) -> None:
    """A receipt for each participant and data type asked for, and what was refused, by reason."""
    with store.register.begin() as con:
        for one in participants:
            found = reading.counts_of.get(one, {})
            record_receipts(
                store.register,
                con,
                participant_id=one,
                source=SOURCE,
                pull_id=f"{now:%Y%m%dT%H%M%SZ}",
                asked_at=now,
                counts={name: found.get(name, Count()) for name in data_types},
                requests=requests,
            )
