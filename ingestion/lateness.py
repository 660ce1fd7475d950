"""Learned lateness: how long after its end a participant's day may still be restated.

Learned from the ledger of revisions (`ops.revision`), and only from days that were complete: a day
that a late sync fills in was not final to begin with. A change is known no better than from one
pull to the next, and is taken to have come as late as it was seen. Only changes within the days
that are asked for again can be seen at all, so the percentile is doubled: where changes reach the
edge of what is asked for, the next pull asks for more, up to the protocol's most.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from warehouse import register as reg
from warehouse.lake import Change
from warehouse.register import Register
from warehouse.study import Wearables

_OF_DAY = ("source", "participant_id", "activity_date")
_CHANGE = ("replaced_hash", "row_hash")


def compute_lateness(days_late: Sequence[int], rules: Wearables) -> int:
    """Days after its end in which a day may still change, of the lateness of earlier changes.

    A change is in day n (from 0) after the day's end, so n + 1 days must pass. Without any change
    it is the protocol's least.
    """
    if not days_late:
        return rules.trailing_days
    rank = math.ceil(len(days_late) * rules.lateness_pct / 100)
    learned = 2 * (1 + max(0, sorted(days_late)[rank - 1]))
    return max(rules.trailing_days, min(rules.most_trailing_days, learned))


def learn_lateness(
    register: Register,
    con: sa.Connection,
    source: str,
    participants: Iterable[str],
    rules: Wearables,
) -> None:
    """Keep what the ledger says of these participants' lateness."""
    table = reg.revision
    for one in sorted(set(participants)):
        mine = (table.c.participant_id == one) & (table.c.source == source) & table.c.was_complete
        query = sa.select(table.c.days_late, table.c.changed_at).where(mine)
        if found := con.execute(query).all():
            lateness = compute_lateness([row.days_late for row in found], rules)
            row = {
                "participant_id": one,
                "source": source,
                "lateness_days": lateness,
                "changes": len(found),
                "learned_at": max(row.changed_at for row in found),
            }
            register.put(reg.lateness, [row], con)


def record_revisions(register: Register, source: str, changes: Sequence[Change]) -> None:
    """Put the days that changed, and were not new, on the ledger: by how much and how late."""
    replaced = [change for change in changes if change.before]
    if not replaced:
        return
    who = {change.after["participant_id"] for change in replaced}
    query = sa.select(reg.grant.c.participant_id, reg.grant.c.landed_sync_at).where(
        reg.grant.c.source == source, reg.grant.c.participant_id.in_(who)
    )
    through = {row["participant_id"]: row["landed_sync_at"] for row in register.rows(query)}
    rows = [_revision(source, one, through.get(one.after["participant_id"])) for one in replaced]
    said = {_what(row) for row in _newest_lines(register, rows)}
    register.put(reg.revision, [row for row in rows if _what(row) not in said])


def _newest_lines(register: Register, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The last line on each of these days: a pull killed before it wrote them had said it all."""
    table, mine = reg.revision.c, {name: {row[name] for row in rows} for name in _OF_DAY}
    query = sa.select(*(table[name] for name in (*_OF_DAY, *_CHANGE))).where(
        *(table[name].in_(values) for name, values in mine.items())
    )
    lines = register.rows(query.order_by(table.changed_at))
    return list({tuple(line[name] for name in _OF_DAY): line for line in lines}.values())


def _what(line: dict[str, Any]) -> tuple[Any, ...]:
    """The day and what became what: a day may come back to what it was, and change again."""
    return tuple(line[name] for name in (*_OF_DAY, *_CHANGE))


def _revision(source: str, change: Change, through: datetime | None) -> dict[str, Any]:
    """The ledger's line of a change; `through`: the sync that had landed when it came."""
    before, after = change.before or {}, change.after
    day_end = after["day_start_at"] + timedelta(minutes=after["day_minutes"])
    return {
        "participant_id": after["participant_id"],
        "source": source,
        "activity_date": after["activity_date"],
        "row_hash": after["row_hash"],
        "replaced_hash": before["row_hash"],
        "steps_before": before["steps"],
        "steps_after": after["steps"],
        "wear_before": before["wear_minutes"],
        "wear_after": after["wear_minutes"],
        "changed_at": after["fetched_at"],
        "days_late": (after["fetched_at"] - day_end) // timedelta(days=1),
        "replaced_at": before["fetched_at"],
        "was_complete": through is not None and through >= day_end,
    }
