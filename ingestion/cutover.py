"""Moving from a vendor's old API to its successor: who must consent again, and what that brings.

A retired connection is never pulled again; what it landed stays. The successor is asked from study
day 1 on, for it serves the account's history too, and its word counts where both have a day.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from datetime import date, datetime
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from warehouse import register as reg
from warehouse.home import Store

SUCCESSORS = {"fitbit": "google_health"}


@dataclass(frozen=True)
class Reconsent:
    """A participant whose days stop, or will stop, until they consent at the successor.

    `landed_to` is the last local day that the old source landed in full; None when it never did.
    `successor_state` is never_connected where the participant has no grant there.
    """

    participant_id: str
    site: str
    source: str
    state: str
    landed_to: date | None
    successor: str
    successor_state: str
    next_step: str

    @classmethod
    def header(cls) -> tuple[str, ...]:
        return tuple(field.name for field in fields(cls))

    def cells(self) -> tuple[str, ...]:
        return tuple("" if value is None else str(value) for value in astuple(self))


def find_reconsents(store: Store, now: datetime) -> list[Reconsent]:
    """Everybody in the study with a grant at an old source and no working one at its successor.

    Retired connections first, then those that have been without data the longest.
    """
    old, new = reg.grant.alias("old"), reg.grant.alias("new")
    found: list[Reconsent] = []
    for source, successor in SUCCESSORS.items():
        query = (
            sa.select(
                old.c.participant_id,
                old.c.state,
                old.c.landed_sync_at,
                reg.participant.c.site,
                reg.participant.c.timezone,
                reg.participant.c.withdrawn_on,
                new.c.state.label("successor_state"),
                new.c.next_step,
            )
            .join(reg.participant, reg.participant.c.participant_id == old.c.participant_id)
            .outerjoin(
                new,
                sa.and_(new.c.participant_id == old.c.participant_id, new.c.source == successor),
            )
            .where(old.c.source == source, sa.or_(new.c.state.is_(None), new.c.state != "active"))
        )
        found += [
            _reconsent(row, source, successor)
            for row in store.register.rows(query)
            if not _has_left(row["withdrawn_on"], row["timezone"], now)
        ]
    return sorted(found, key=_urgency)


def _reconsent(row: dict[str, object], source: str, successor: str) -> Reconsent:
    landed_at, who = row["landed_sync_at"], str(row["participant_id"])
    zone = ZoneInfo(str(row["timezone"]))
    return Reconsent(
        participant_id=who,
        site=str(row["site"]),
        source=source,
        state=str(row["state"]),
        landed_to=landed_at.astimezone(zone).date() if isinstance(landed_at, datetime) else None,
        successor=successor,
        successor_state=str(row["successor_state"] or "never_connected"),
        next_step=str(row["next_step"] or f"stepwell connect {successor} {who}"),
    )


def _has_left(withdrawn_on: object, timezone: str, now: datetime) -> bool:
    return (
        isinstance(withdrawn_on, date) and withdrawn_on <= now.astimezone(ZoneInfo(timezone)).date()
    )


def _urgency(one: Reconsent) -> tuple[bool, date, str]:
    return (one.state != "retired", one.landed_to or date.min, one.participant_id)


def summarise(found: Sequence[Reconsent]) -> str:
    """One line: how many must consent again, and how many of them are without data already."""
    if not found:
        return "nobody has to consent again"
    retired = sum(one.state == "retired" for one in found)
    return f"{len(found)} participants must consent again; {retired} of them are without data now"
