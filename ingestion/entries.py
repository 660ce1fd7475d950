"""What the study team enters, raw first: kept as it was said, then read and landed like a reply.

The entry is on disk before anything changes; what is landed is all entries of the participant, read
together. So an entry that was killed half-way is finished by the next one, or by `stepwell reread
study_team`, and a participant's row and goals can always be made again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from ingestion import clock
from ingestion.erased import erased_among
from ingestion.landing import Landed, keep_raw, land, read_raw
from ingestion.source import Ask, Reading, Reply
from ingestion.sources.study_team import SOURCE, Entry, entry_of, newest_goal
from warehouse import register as reg
from warehouse.home import Store
from warehouse.refused import Refused
from warehouse.tables import landed

WHAT = "entered by the study team"
_FIRST = [c.name for c in landed.participant.columns if c.required and c.name != "timezone"]


def enter(
    store: Store, participant_id: str, kind: str, fields: Mapping[str, Any], who: str, why: str
) -> Landed:
    """Keep one entry and land the participant's. The caller has checked it.

    Later than every earlier entry of the participant, even where the clock stands still. Refused of
    who was erased since it was checked.
    """
    with store.register.leased(f"enter {participant_id}"):
        if erased_among(store.register, [participant_id]):
            raise Refused({"participant_id": "was erased"})
        before = entries_of(store, participant_id)
        last = max((reply.fetched_at for reply in before), default=None)
        now = clock.now()
        at = max(now, last + timedelta(microseconds=1)) if last else now
        said = {name: _text(value) for name, value in fields.items()}
        [reply] = SOURCE.fetch(Entry(kind, who, why, said), Ask(store.study, at, participant_id))
        keep_raw(store.lake, [reply])
        return land_entries(store, participant_id, [*before, reply])


def entries_of(store: Store, participant_id: str) -> list[Reply]:
    """The entries of a participant, oldest first."""
    fetches = read_raw(store.lake, SOURCE.name, of=participant_id)
    return [reply for replies in fetches for reply in replies]


def land_all_entries(store: Store) -> Landed:
    """Land every participant's entries again; what has not changed stays."""
    by_who: dict[str, list[Reply]] = {}
    for replies in read_raw(store.lake, SOURCE.name):
        by_who.setdefault(str(replies[0].participant_id), []).extend(replies)
    total = Landed()
    for who, replies in sorted(by_who.items()):
        with store.register.leased(f"enter {who}"):
            total.add(land_entries(store, who, replies))
    return total


def land_entries(store: Store, participant_id: str, replies: Sequence[Reply]) -> Landed:
    """Land all entries of a participant, and put each on the audit trail, once."""
    reading = SOURCE.read(replies, Ask(store.study, replies[-1].fetched_at, participant_id))
    told = reading.rows.get("participant", [])
    if _on_register(store, participant_id) is None and not _can_enrol(told):
        return Landed()  # entries on somebody whose roster row is yet to come from elsewhere
    result = land(store, Reading(rows={"participant": told}), SOURCE.name, "")
    batch = _on_register(store, participant_id)
    if (as_of := newest_goal(replies)) and batch is not None:
        goals = Reading(rows={"goal": reading.rows.get("goal", [])})
        with store.register.leased(f"pull {SOURCE.name} {batch}", wait=60):
            whole = (participant_id,)
            result.add(land(store, goals, SOURCE.name, f"{batch:04d}", whole, as_of))
    _record(store, participant_id, replies)
    return result


def _on_register(store: Store, participant_id: str) -> int | None:
    """The participant's batch; None where they are not on the register."""
    one = reg.participant.c
    rows = store.register.rows(sa.select(one.batch).where(one.participant_id == participant_id))
    return int(rows[0]["batch"]) if rows else None


def _can_enrol(rows: Sequence[Mapping[str, Any]]) -> bool:
    return bool(rows) and all(rows[0].get(name) is not None for name in _FIRST)


def _record(store: Store, participant_id: str, replies: Sequence[Reply]) -> None:
    """Who entered what and why, by the names of the fields: a value might tell an arm."""
    mine = (reg.audit.c.what == WHAT) & (reg.audit.c.subject == participant_id)
    with store.register.begin() as con:
        said = set(con.execute(sa.select(reg.audit.c.at).where(mine)).scalars())
        for reply in replies:
            if reply.fetched_at not in said:
                con.execute(sa.insert(reg.audit), _audit(participant_id, reply))


def _audit(participant_id: str, reply: Reply) -> dict[str, Any]:
    entry = entry_of(reply)
    new = f"{entry.kind}: {', '.join(entry.fields)}"
    line = {"at": reply.fetched_at, "who": entry.who, "what": WHAT, "subject": participant_id}
    return line | {"old": "", "new": new, "why": entry.why}


def _text(value: Any) -> str | int | bool | None:
    if isinstance(value, datetime):
        raise TypeError("an entry holds days, not instants")
    return value.isoformat() if isinstance(value, date) else value
