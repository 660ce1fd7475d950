"""Re-reading: the rows of every kept raw reply again, without asking a vendor for anything.

A mistake in reading is mended by changing `read` and running this; what has not changed stays.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

import sqlalchemy as sa

from ingestion.entries import land_all_entries
from ingestion.errors import BadInput, BadReply
from ingestion.landing import IMPORTED, Landed, land, read_raw
from ingestion.source import Ask, Reading, Reply, source_named
from ingestion.sources.redcap import records_asked, told_whole
from ingestion.sources.study_team import SOURCE as STUDY_TEAM_SOURCE
from warehouse import register as reg
from warehouse.home import Store

STUDY_TEAM = STUDY_TEAM_SOURCE.name
EVERY = 50  # fetches between two words of progress
Roster = Mapping[str, Mapping[str, Any]]


def reread(
    store: Store,
    source_name: str,
    progress: Callable[[str], object] = print,
    wait: float = 600,
) -> Landed:
    """Read every kept reply of a source of participants' consents, of one of their own exports, of
    REDCap, or of the study team's entries, and land it. Raises BadInput for files of many people:
    import those again, as their ids are not kept with them.

    A fetch that broke off was never read, and is not now: what it began, a later one has. Rows of
    participants who are not on the roster are counted, and land nowhere. Raises LeaseBusy when a
    batch is being pulled for longer than `wait` seconds.
    """
    if source_name == STUDY_TEAM:
        return land_all_entries(store)
    source = source_named(source_name)
    roster = {r["participant_id"]: r for r in store.register.rows(sa.select(reg.participant))}
    total, passed_over = Landed(), 0
    for number, replies in enumerate(read_raw(store.lake, source_name), start=1):
        ask = _ask(store, replies, roster)
        if source.era == "file" and ask.participant_id is None:
            raise BadInput(f"{source_name}: its files are of many people; import them again")
        try:
            reading = source.read(replies, ask)
        except (BadReply, BadInput) as error:
            progress(f"fetch {number}: not read: {error}")
            continue
        asked = records_asked(replies) if source_name == "redcap" else set()
        whole_of = told_whole(asked, reading)
        parts, strangers = by_batch(reading, roster, whole_of)
        passed_over += strangers
        for batch, part in parts.items():
            imported = source.era == "file"
            lease = f"import {source_name}" if imported else f"pull {source_name} {batch}"
            bucket = IMPORTED if imported else f"{batch:04d}"
            with store.register.leased(lease, wait):
                total.add(land(store, part, source_name, bucket, whole_of, ask.now))
        if number % EVERY == 0:
            progress(f"{number} fetches read: {total.days_changed} days changed")
    if passed_over:
        progress(f"{passed_over} rows are of participants not on the roster: none of them landed")
    return total


def _ask(store: Store, replies: list[Reply], roster: Roster) -> Ask:
    first = replies[0]
    person = roster.get(first.participant_id or "", {})
    window = next((reply.window for reply in replies if reply.window), None)
    options = dict(first.options)
    timezone = options.pop("timezone", person.get("timezone"))
    return Ask(store.study, first.fetched_at, first.participant_id,
               str(timezone) if timezone else None, window, options=options)  # fmt: skip


def by_batch(
    reading: Reading, roster: Roster, whole_of: Collection[str]
) -> tuple[dict[int, Reading], int]:
    """The reading cut by the batch that owns each participant's files; how many rows none owns.

    A batch with somebody of `whole_of` has a part even without a row: theirs may have gone.
    """
    parts = {roster[one]["batch"]: Reading() for one in whole_of if one in roster}
    small = ((t, row) for t, rows in reading.rows.items() if t != "participant" for row in rows)
    strangers = 0
    for day in reading.days:
        if owner := roster.get(day.participant_id):
            parts.setdefault(owner["batch"], Reading()).days.append(day)
        strangers += owner is None
    for table, row in small:
        if owner := roster.get(row["participant_id"]):
            part = parts.setdefault(owner["batch"], Reading())
            part.rows.setdefault(table, []).append(row)
        strangers += owner is None
    return parts, strangers
