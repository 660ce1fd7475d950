"""Who has talked to whom: contacts, snoozes and owners, so that nobody is called twice.

Rows are only ever added, each with its line in the audit trail. Notes are free text about a person:
they live in the register alone, never in a build, a log or the audit trail.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa

from warehouse.register import Register
from warehouse.register_tables import assignment, audit, contact, erasure, participant
from warehouse.tables.derived.work import REASONS

CHANNELS = ("phone", "message", "email", "visit", "none")
# `snoozed` is no contact: only put off. `handled` closes an event for good.
OUTCOMES = ("reached", "no_answer", "left_message", "handled", "snoozed")
LONGEST_NOTE = 1000
LONGEST_NAME = 100
LONGEST_SNOOZE = timedelta(days=366)


class NotLogged(ValueError):
    """What was to be logged is not allowed; the message says what is."""


class ContactedSince(Exception):
    """The participant has been contacted since the list was drawn; `row` is that contact."""

    def __init__(self, row: dict[str, Any]) -> None:
        super().__init__(f"{row['who']} was here at {row['at']:%H:%M} UTC")
        self.row = row


@dataclass(frozen=True)
class Contact:
    """One contact, or a snooze: about which reasons, by whom, how, and what came of it.

    `until_on` is the last local day on which the reasons are not listed; None leaves it to the
    protocol's `quiet_days`. `occurrence` is the event's (work_item), blank for what lasts.
    """

    participant_id: str
    reasons: tuple[str, ...]
    at: datetime
    who: str
    channel: str
    outcome: str
    note: str = ""
    until_on: date | None = None
    occurrences: Mapping[str, str] | None = None


def log_contact(register: Register, one: Contact, drawn_with: int | None = None) -> int:
    """Add a contact or snooze and its audit line, in one transaction; returns the contact's number.

    `drawn_with` is the number of the newest contact that whoever logs it has seen of this
    participant (0 for none): with a newer one ContactedSince is raised and nothing is written. None
    logs it all the same. NotLogged where a part is not allowed, or the participant was erased.
    """
    _check(one)
    rows = [_row(one, reason) for reason in one.reasons]
    with register.leased(f"contact {one.participant_id}"), register.begin() as con:
        _assert_not_erased(con, one.participant_id)
        newest = _newest(con, one.participant_id)
        if drawn_with is not None and newest and newest["id"] > drawn_with:
            raise ContactedSince(newest)
        number = 0
        for row in rows:
            number = con.execute(sa.insert(contact).returning(contact.c.id), row).scalar_one()
        _audit(con, one.who, one.outcome, one.at, one.participant_id, new=_said(one))
    return number


def assign(
    register: Register, participant_id: str, owner: str | None, who: str, at: datetime
) -> None:
    """Give a participant an owner, or none; the former ones stay on record.

    NotLogged where a part is not allowed, or the participant was erased.
    """
    if owner is not None:
        _text("owner", owner, LONGEST_NAME, required=True)
    _text("who", who, LONGEST_NAME, required=True)
    row = {"participant_id": participant_id, "owner": owner, "who": who, "at": at}
    with register.leased(f"contact {participant_id}"), register.begin() as con:
        _assert_not_erased(con, participant_id)
        old = owners(register, [participant_id], con).get(participant_id)
        con.execute(sa.insert(assignment), row)
        _audit(con, who, "owner", at, participant_id, old=old or "", new=owner or "")


def owners(
    register: Register, participants: Iterable[str] | None = None, con: sa.Connection | None = None
) -> dict[str, str]:
    """Each participant's owner as last given; who has none is not in it."""
    newest = sa.select(sa.func.max(assignment.c.id)).group_by(assignment.c.participant_id)
    if participants is not None:
        newest = newest.where(assignment.c.participant_id.in_(list(participants)))
    query = sa.select(assignment.c.participant_id, assignment.c.owner).where(
        assignment.c.id.in_(newest), assignment.c.owner.is_not(None)
    )
    if con is not None:
        return {row.participant_id: row.owner for row in con.execute(query)}
    return {row["participant_id"]: row["owner"] for row in register.rows(query)}


def history(register: Register, participant_id: str) -> list[dict[str, Any]]:
    """A participant's contacts and snoozes, the newest first."""
    mine = contact.c.participant_id == participant_id
    return register.rows(sa.select(contact).where(mine).order_by(contact.c.id.desc()))


def last_contacts(register: Register) -> dict[str, dict[str, Any]]:
    """The newest contact or snooze of each participant."""
    newest = sa.select(sa.func.max(contact.c.id)).group_by(contact.c.participant_id)
    rows = register.rows(sa.select(contact).where(contact.c.id.in_(newest)))
    return {row["participant_id"]: row for row in rows}


def contacts_since(register: Register, at: datetime) -> list[dict[str, Any]]:
    """Contacts and snoozes logged from `at` on, in their order."""
    return register.rows(sa.select(contact).where(contact.c.at >= at).order_by(contact.c.id))


def resting(
    register: Register, today: date, quiet_days: int
) -> dict[tuple[str, str, str], dict[str, Any]]:
    """What is not to be listed today, by (participant, reason, occurrence): what it rests on.

    A contact quiets its reason for `quiet_days` days after it, or until its own `until_on`, that
    day included; of several the one that reaches furthest. One that handled an event does so for
    good. One of an event is of that occurrence alone; of what lasts the occurrence is "".
    """
    found: dict[tuple[str, str, str], dict[str, Any]] = {}
    lately = datetime.combine(today - timedelta(days=quiet_days + 1), time.min, UTC)
    reaches = sa.or_(
        contact.c.at >= lately, contact.c.until_on >= today, contact.c.outcome == "handled"
    )
    for row in register.rows(sa.select(contact).where(reaches).order_by(contact.c.id)):
        key = (row["participant_id"], row["reason"], row["occurrence"] or "")
        until = row["until_on"] or row["at"].date() + timedelta(days=quiet_days)
        if row["outcome"] == "handled" and row["occurrence"]:
            until = date.max
        if until >= today and until >= found.get(key, {"until": date.min})["until"]:
            found[key] = {**row, "until": until}
    return found


def is_listed(
    resting_rows: Mapping[tuple[str, str, str], Mapping[str, Any]],
    participant_id: str,
    reason: str,
    occurrence: str | None,
) -> bool:
    """Whether an open reason is to be shown: neither it nor, of an event, this occurrence rests."""
    return (participant_id, reason, occurrence or "") not in resting_rows


def _check(one: Contact) -> None:
    for name, value, known in (
        ("channel", one.channel, CHANNELS),
        ("outcome", one.outcome, OUTCOMES),
        *(("reason", reason, REASONS) for reason in one.reasons),
    ):
        if value not in known:
            raise NotLogged(f"unknown {name} {value!r}; known: {', '.join(known)}")
    if not one.reasons:
        raise NotLogged("a contact is about one reason or more")
    if one.outcome == "snoozed" and one.until_on is None:
        raise NotLogged("say until which day it is put off")
    if one.until_on is not None and not (
        one.at.date() <= one.until_on <= one.at.date() + LONGEST_SNOOZE
    ):
        raise NotLogged(f"put off to a day from today, at most {LONGEST_SNOOZE.days} days on")
    _text("participant", one.participant_id, LONGEST_NAME, required=True)
    _text("who", one.who, LONGEST_NAME, required=True)
    _text("note", one.note, LONGEST_NOTE)


def _assert_not_erased(con: sa.Connection, participant_id: str) -> None:
    """Once somebody was erased, nothing is written of who is not on the roster: a page drawn before
    still shows them, and by their hash the key alone tells who it was."""
    mine = sa.select(participant.c.batch).where(participant.c.participant_id == participant_id)
    anybody = sa.select(erasure.c.begun_at).limit(1)
    if con.execute(anybody).first() and con.execute(mine).first() is None:
        raise NotLogged(f"{participant_id} is not on the roster any more")


def _text(name: str, value: str, longest: int, required: bool = False) -> None:
    if required and not value.strip():
        raise NotLogged(f"{name} is blank")
    if len(value) > longest:
        raise NotLogged(f"{name} has {len(value)} characters; at most {longest}")
    if any(unicodedata.category(sign) in ("Cc", "Cs") and sign not in "\n\t" for sign in value):
        raise NotLogged(f"{name} has a control character; write plain text")


def _row(one: Contact, reason: str) -> dict[str, Any]:
    facts = asdict(one)
    occurrences = facts.pop("occurrences") or {}
    del facts["reasons"]
    facts["note"] = facts["note"] or None
    return {**facts, "reason": reason, "occurrence": occurrences.get(reason) or None}


def _said(one: Contact) -> str:
    until = f", until {one.until_on}" if one.until_on else ""
    return f"{', '.join(one.reasons)}: {one.channel}{until}"


def _newest(con: sa.Connection, participant_id: str) -> dict[str, Any] | None:
    mine = contact.c.participant_id == participant_id
    query = sa.select(contact).where(mine).order_by(contact.c.id.desc()).limit(1)
    row = con.execute(query).mappings().first()
    return dict(row) if row else None


def _audit(
    con: sa.Connection,
    who: str,
    what: str,
    at: datetime,
    participant_id: str,
    old: str = "",
    new: str = "",
) -> None:
    row = {"at": at, "who": who, "what": f"contact {what}", "subject": participant_id}
    con.execute(sa.insert(audit), {**row, "old": old, "new": new, "why": ""})
