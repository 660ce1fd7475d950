"""Questionnaires, sessions, goals and the roster: pulled from REDCap, batch by batch."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from ingestion.http import open_http
from ingestion.landing import Landed, keep_raw, land
from ingestion.settings import read_redcap
from ingestion.source import Ask, Reading, source_named
from ingestion.sources.redcap import RedcapClient
from warehouse import register as reg
from warehouse.home import Store

SOURCE = "redcap"
TABLES = ("response", "treatment_session", "goal")


def pull_roster(store: Store, now: datetime) -> list[int]:
    """Bring the roster up to date; returns the batches of participants there are."""
    reading, _ = _read(store, Ask(store.study, now))
    only_roster = Reading(rows={"participant": reading.rows.get("participant", [])})
    land(store, only_roster, SOURCE, "roster")
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
        _settle(store, participants, reading, now, requests)
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
    store: Store, participants: Sequence[str], reading: Reading, now: datetime, requests: int
) -> None:
    """A receipt for each participant and table asked for; what was refused is told once, apart."""
    pull_id = f"{now:%Y%m%dT%H%M%SZ}"
    receipts = [
        _receipt(one, table, reading, requests) | {"pull_id": pull_id, "asked_at": now}
        for one in participants
        for table in TABLES
    ]
    with store.register.begin() as con:
        store.register.put(reg.receipt, receipts, con)


def _receipt(participant: str, table: str, reading: Reading, requests: int) -> dict[str, Any]:
    rows = [r for r in reading.rows.get(table, []) if r["participant_id"] == participant]
    return {
        "participant_id": participant,
        "source": SOURCE,
        "data_type": table,
        "requests": requests,
        "received": len(rows),
        "landed": len(rows),
        "rejected": 0,
        "reason": "received" if rows else "no_data",
    }
