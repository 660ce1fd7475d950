"""What happened to a participant besides their days: contacts, sessions, other devices."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import sqlalchemy.exc

from dashboard import access, words
from dashboard.queries.asking import Answer
from dashboard.shell import Page
from dashboard.words import say
from warehouse.contacts import history

SNOOZED = "snoozed"


@dataclass(frozen=True)
class Contacts:
    """The contacts of a participant, the newest first; none of them where they cannot be read."""

    rows: list[dict[str, Any]]
    readable: bool = True


def read_contacts(page: Page, participant_id: str) -> Contacts:
    """Who has contacted the participant, from the register; what was only put off is left out."""
    try:
        with page.register() as register:
            found = history(register, participant_id)
    except sqlalchemy.exc.SQLAlchemyError:
        return Contacts([], readable=False)
    return Contacts([row for row in told_to(page, found) if row["outcome"] != SNOOZED])


def told_to(page: Page, contacts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What of the contacts the viewer may read: their notes with the right to log them alone.

    None about a goal where having one would tell the arm to who must not know it.
    """
    hidden = ("goal_missed",) if hides_goals(page) else ()
    blank = {} if access.may(page.viewer, "contact") else {"note": None}
    return [row | blank for row in contacts if row["reason"] not in hidden]


def hides_goals(page: Page) -> bool:
    """Whether who has a goal is not to be told here: it would betray the arm."""
    return bool(page.build["masked"] and page.build["goals_reveal_arm"])


def events_of(
    changes: Answer, sessions: Answer | None, contacts: list[dict[str, Any]], zone: str
) -> pa.Table:
    """Every event with its local day as (on, kind, told); `kind` is one of charts.EVENTS."""
    rows = [*map(_change, changes.rows), *map(_session, sessions.rows if sessions else [])]
    called = {(row["at"], row["channel"], row["outcome"]) for row in contacts}  # a row a reason
    rows += [_contact(*one, zone) for one in sorted(called)]
    held = [row for row in rows if row["on"] is not None]
    kinds = pa.schema([("on", pa.date32()), ("kind", pa.string()), ("told", pa.string())])
    return pa.Table.from_pylist(held, schema=kinds)


def _change(row: dict[str, Any]) -> dict[str, Any]:
    kind = row["kind"]
    to, was = (
        (words.named("sources", row["source"]), words.named("sources", row["source_before"]))
        if kind == "source"
        else (row["device_model"], row["device_before"])
    )
    told = say(f"participant.told_{kind}", to=to or words.NOTHING, was=was or words.NOTHING)
    return {"on": row["changed_on"], "kind": kind, "told": told}


def _session(row: dict[str, Any]) -> dict[str, Any]:
    came = {True: "attended", False: "not_attended"}.get(row["attended"])
    told = say(f"participant.{came}") if came else words.NOTHING
    number = row["session_number"]
    return {"on": row["held_on"], "kind": "session",
            "told": say("participant.told_session", number=number, attended=told)}  # fmt: skip


def _contact(at: Any, channel: str, outcome: str, zone: str) -> dict[str, Any]:
    on: date = at.astimezone(ZoneInfo(zone)).date()
    told = say(
        "participant.told_contact",
        channel=words.table("contact_channels")[channel],
        outcome=words.table("contact_outcomes")[outcome].lower(),
    )
    return {"on": on, "kind": "contact", "told": told}
