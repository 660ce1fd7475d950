"""People who enrol participants, in a study of the example protocol."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from ingestion.actions import Actions
from ingestion.enrolment import Someone
from warehouse import register as reg
from warehouse.home import Store
from warehouse.tables import landed

NOW = datetime(2026, 3, 10, 9, tzinfo=UTC)
UNBLINDED = Someone("dana, unblinded")
MASKED = Someone("noa, coordinator", sees_arms=False)
OF_HAIFA = Someone("rami, coordinator", sees_arms=False, sites=("haifa",))
READER = Someone("an analyst", may=("export",))
GIVEN = {"site": "haifa", "enrolled_on": "2026-03-09"}
KEY = base64.urlsafe_b64encode(b"k" * 32).decode()


class Clock:
    """A clock that stands still until it is set, as a simulator's does."""

    def __init__(self) -> None:
        self.at = NOW

    def __call__(self) -> datetime:
        return self.at


def row(store: Store, participant_id: str) -> dict[str, Any]:
    """The participant's roster row on the register."""
    one = reg.participant.c
    query = sa.select(*(one[name] for name in landed.participant.names))
    [found] = store.register.rows(query.where(one.participant_id == participant_id))
    return found


def goals(store: Store, participant_id: str) -> list[tuple[Any, ...]]:
    """(version, first day, last day, steps) of each goal that stands."""
    names = ("version", "valid_from", "valid_to", "goal_steps")
    told = store.lake.read_rows(landed.goal).to_pylist()
    return sorted(
        tuple(one[name] for name in names)
        for one in told
        if one["participant_id"] == participant_id
    )


def trail(store: Store, what: str) -> list[tuple[Any, ...]]:
    """(who, of whom, new, why) of the audit trail's lines of a kind."""
    audit = reg.audit.c
    query = sa.select(audit.who, audit.subject, audit.new, audit.why).where(audit.what == what)
    return [tuple(one.values()) for one in store.register.rows(query.order_by(audit.id))]


def actions_of(store: Store) -> Actions:
    return Actions(store, Clock())
