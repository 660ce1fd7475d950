"""Re-reading: the rows of every kept raw reply again, without asking a vendor for anything.

A mistake in reading is mended by changing `read` and running this; what has not changed stays.
"""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa

from ingestion.errors import BadReply
from ingestion.landing import Landed, land, read_raw
from ingestion.source import Ask, Reading, Reply, source_named
from warehouse import register as reg
from warehouse.home import Store

EVERY = 50  # fetches between two words of progress


def reread(store: Store, source_name: str, progress: Callable[[str], object] = print) -> Landed:
    """Read every kept reply of a source of participants' consents, or of REDCap, and land it.

    A fetch that broke off was never read, and is not now: what it began, a later one has.
    """
    source = source_named(source_name)
    roster = {r["participant_id"]: r for r in store.register.rows(sa.select(reg.participant))}
    total = Landed()
    for number, replies in enumerate(read_raw(store.lake, source_name), start=1):
        ask = _ask(store, replies, roster)
        try:
            reading = source.read(replies, ask)
        except BadReply as error:
            progress(f"fetch {number}: not read: {error}")
            continue
        for bucket, part in _by_batch(reading, roster).items():
            total.add(land(store, part, source_name, bucket))
        if number % EVERY == 0:
            progress(f"{number} fetches read: {total.days_changed} days changed")
    return total


def _ask(store: Store, replies: list[Reply], roster: dict[str, dict[str, object]]) -> Ask:
    first = replies[0]
    person = roster.get(first.participant_id or "", {})
    window = next((reply.window for reply in replies if reply.window), None)
    timezone = person.get("timezone")
    return Ask(store.study, first.fetched_at, first.participant_id,
               str(timezone) if timezone else None, window)  # fmt: skip


def _by_batch(reading: Reading, roster: dict[str, dict[str, object]]) -> dict[str, Reading]:
    """The reading cut by the batch that owns each participant's files."""
    parts: dict[str, Reading] = {}

    def part(participant_id: str) -> Reading:
        return parts.setdefault(f"{roster[participant_id]['batch']:04d}", Reading())

    for day in reading.days:
        part(day.participant_id).days.append(day)
    for table, rows in reading.rows.items():
        for row in rows if table != "participant" else ():
            part(row["participant_id"]).rows.setdefault(table, []).append(row)
    return parts
