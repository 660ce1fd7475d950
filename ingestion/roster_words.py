"""Which word on a participant is the newest, column by column of the roster.

A source tells the columns it has: the EDC those that are mapped, the study team the one it entered.
So the newest word is one of a column, and rows may come in any order.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from warehouse import register as reg
from warehouse.register import Register
from warehouse.tables import landed

Word = tuple[datetime, str]  # when it was fetched, and its source: of one instant a later name wins


def columns_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """What a roster row tells of the register's columns."""
    return {name: row[name] for name in (*landed.participant.names, "fetched_at") if name in row}


def sources_of(register: Register, participant_id: str) -> dict[str, str]:
    """The source of the newest word on each column of a participant that any has told of."""
    mine = reg.roster_word.c.participant_id == participant_id
    rows = register.rows(sa.select(reg.roster_word.c.told).where(mine))
    return {name: source for name, (_, source) in _read(rows[0]["told"]).items()} if rows else {}


class Words:
    """The words that have landed on every participant, and those that land now."""

    def __init__(self, told: dict[str, dict[str, Word]]) -> None:
        self._told, self._changed = told, set[str]()

    @classmethod
    def of(cls, con: sa.Connection) -> Words:
        """All that the register has."""
        rows = con.execute(sa.select(reg.roster_word)).mappings()
        return cls({row["participant_id"]: _read(row["told"]) for row in rows})

    def newest(
        self, row: Mapping[str, Any], old: Mapping[str, Any] | None, source: str
    ) -> dict[str, Any]:
        """The columns on which `row` is the newest word, now on record as that, with fetched_at.

        A row that does not say when it was fetched is believed, and leaves no word.
        """
        told, at, who = columns_of(row), row.get("fetched_at"), row["participant_id"]
        if at is None:
            return told
        before = self._told.get(who) or _as_one(old)
        names = [
            name
            for name in told
            if name not in ("participant_id", "fetched_at")
            and (name not in before or (at, source) >= before[name])
        ]
        if names or old is None:
            self._told[who] = before | {name: (at, source) for name in names}
            self._changed.add(who)
        seen = [one for one in (at, old and old["fetched_at"]) if one]
        return {name: told[name] for name in names} | {"fetched_at": max(seen)} if names else {}

    def put(self, register: Register, con: sa.Connection) -> None:
        """Keep what has changed."""
        rows = [
            {"participant_id": who, "told": _written(self._told[who])}
            for who in sorted(self._changed)
        ]
        register.put(reg.roster_word, rows, con)


def _as_one(old: Mapping[str, Any] | None) -> dict[str, Word]:
    """A row that landed before words were kept: every column was told when the row was."""
    if old is None or old["fetched_at"] is None:
        return {}
    return dict.fromkeys(landed.participant.names, (old["fetched_at"], ""))


def _read(told: str) -> dict[str, Word]:
    return {name: (datetime.fromisoformat(at), who) for name, (at, who) in json.loads(told).items()}


def _written(told: Mapping[str, Word]) -> str:
    return json.dumps({name: [at.isoformat(), who] for name, (at, who) in sorted(told.items())})
