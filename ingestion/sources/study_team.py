"""What the study team enters itself: who takes part, goals, pauses, withdrawals.

Each entry is a small JSON document, kept raw like any vendor's reply before it is read:

    {"kind": "pause", "who": "dana", "why": "operation", "fields": {"paused_from": "2026-03-02"}}

`fields` are columns of the roster, or of a goal (`valid_from`, `goal_steps`, `rule`; without steps
the goal that begins on that day is taken back). A roster entry speaks of its own fields only. The
goals of a participant are all their entries taken together: of two that begin on one day the later
entry holds, versions are numbered by date, each ends the day before the next.

Written by ingestion.entries; nothing is fetched from anywhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import msgspec

from ingestion.errors import NOT_JSON, BadReply
from ingestion.source import Ask, Reading, Reply
from warehouse.schema import Column, Type
from warehouse.tables import landed

KINDS = ("enrol", "change", "pause", "withdraw", "goal")
_COLUMNS = {
    column.name: column for table in (landed.participant, landed.goal) for column in table.columns
}
_PLAIN = {Type.DATE: str, Type.TEXT: str, Type.INTEGER: int, Type.BOOLEAN: bool}


class Entry(msgspec.Struct, forbid_unknown_fields=True):
    """What somebody entered; dates in `fields` are texts such as 2026-03-02."""

    kind: str
    who: str
    why: str
    fields: dict[str, str | int | bool | None]


class StudyTeam:
    """The source."""

    name = "study_team"
    delivers = frozenset({"participant", "goal"})
    era = ""

    def fetch(self, client: Entry, ask: Ask) -> Iterator[Reply]:
        """The entry `client` of ask.participant_id, made at ask.now, as a reply to keep."""
        body = msgspec.json.encode(client)
        yield Reply(self.name, ask.participant_id, "entry", f"entry of {client.kind}", ask.now, 200,
                    "application/json", body)  # fmt: skip

    def read(self, replies: Sequence[Reply], ask: Ask) -> Reading:
        """Roster rows, one an entry and the oldest first, and goals; pure. Raises BadReply."""
        reading = Reading()
        goals: dict[str, dict[date, dict[str, Any]]] = {}
        last: dict[str, Reply] = {}
        for reply in sorted(replies, key=lambda one: (one.fetched_at, one.sha256)):
            entry, who = entry_of(reply), str(reply.participant_id)
            fields = {name: _typed(name, value) for name, value in entry.fields.items()}
            if entry.kind == "goal":
                if fields.get("valid_from") is None:
                    raise BadReply(f"{self.name}: a goal without the day from which it holds")
                goals.setdefault(who, {})[fields["valid_from"]] = fields
                last[who] = reply
            else:
                row = {"participant_id": who, "fetched_at": reply.fetched_at}
                reading.rows.setdefault("participant", []).append(row | fields)
        for who, told in goals.items():
            reading.rows.setdefault("goal", []).extend(_versions(who, told, last[who]))
        return reading


SOURCE = StudyTeam()


def entry_of(reply: Reply) -> Entry:
    """The entry that a reply holds; BadReply where it is none."""
    try:
        entry = msgspec.json.decode(reply.body, type=Entry)
    except NOT_JSON as error:
        raise BadReply(f"{SOURCE.name}: not an entry: {error}") from None
    if entry.kind not in KINDS:
        raise BadReply(f"{SOURCE.name}: unknown entry; known: {', '.join(KINDS)}")
    return entry


def newest_goal(replies: Sequence[Reply]) -> datetime | None:
    """When goals were last entered; None where they never were."""
    told = (reply.fetched_at for reply in replies if entry_of(reply).kind == "goal")
    return max(told, default=None)


def _typed(name: str, value: object) -> Any:
    """The value as its column has it; BadReply for one that no entry can have made."""
    column = _COLUMNS.get(name)
    if column is None or column.type not in _PLAIN:
        raise BadReply(f"{SOURCE.name}: an entry of no field of ours")
    if value is None and not (column.required and name in landed.participant.names):
        return None
    try:
        if type(value) is not _PLAIN[column.type]:
            raise ValueError
        typed = date.fromisoformat(str(value)) if column.type is Type.DATE else value
    except ValueError:
        raise BadReply(f"{SOURCE.name}: {name} of an entry is no {column.type.value}") from None
    if (column.allowed and typed not in column.allowed) or not _within(column, typed):
        raise BadReply(f"{SOURCE.name}: {name} of an entry is out of range")
    return typed


def _within(column: Column, value: Any) -> bool:
    """Whether a number lies in its column's range; anything else does."""
    if column.type is not Type.INTEGER:
        return True
    low, high = column.low or 0, column.high
    return bool(low <= value < 2**31 and (high is None or value <= high))


def _versions(
    who: str, told: Mapping[date, Mapping[str, Any]], last: Reply
) -> list[dict[str, Any]]:
    """The goals that stand, in order of their first day."""
    standing = [told[day] for day in sorted(told) if told[day].get("goal_steps")]
    ends = [one["valid_from"] - timedelta(days=1) for one in standing[1:]]
    return [
        {
            "participant_id": who,
            "version": number,
            "valid_from": goal["valid_from"],
            "valid_to": valid_to,
            "goal_steps": goal["goal_steps"],
            "rule": goal.get("rule") or "coordinator",
            "fetched_at": last.fetched_at,
            "raw_sha256": [last.sha256],
        }
        for number, (goal, valid_to) in enumerate(zip(standing, [*ends, None], strict=False), 1)
    ]
