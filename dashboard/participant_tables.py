"""What a participant's page tells on request; nothing of it is asked before it is opened."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from dashboard import words
from dashboard.participant_events import read_contacts
from dashboard.participant_facts import say_connections
from dashboard.parts import table
from dashboard.queries import participant as queries
from dashboard.queries.asking import Answer
from dashboard.shell import Page
from dashboard.words import say

MOST_CHANGES = 12


def say_tables(page: Page, person: Answer) -> None:
    """Outcomes, contacts, sessions, connection, late changes, receipts: each where it is opened."""
    parts: dict[str, Callable[[Page, Answer], None]] = {
        "outcomes": _outcomes,
        "contacts": _contacts,
        "about_link": say_connections,
        "revisions": _revisions,
        "receipts": _receipts,
    }
    if not page.build["masked"]:
        parts["sessions"] = _sessions
    for name, say_part in parts.items():
        with st.expander(say(f"participant.{name}"), key=f"open_{name}", on_change="rerun") as part:
            if part.open:
                say_part(page, person)


def _outcomes(page: Page, person: Answer) -> None:
    scores = queries.scores(page.con, _id(person))
    table(page, scores, "outcome", "outcomes", say("participant.alt_outcomes"), _columns(scores))


def _sessions(page: Page, person: Answer) -> None:
    held = queries.sessions(page.con, _id(person))
    if not len(held):
        st.info(say("participant.no_sessions"))
        return
    told = say("participant.alt_sessions")
    table(page, held, "treatment_session", "sessions", told, _columns(held))


def _contacts(page: Page, person: Answer) -> None:
    """Contacts and notes, the newest first; times in the participant's zone."""
    found = read_contacts(page, _id(person))
    if not found.readable:
        st.warning(say("participant.contacts_unreadable"))
    elif not found.rows:
        st.info(say("participant.no_contacts"))
    for row in found.rows:
        told = say(
            "participant.told_contact",
            channel=words.table("contact_channels")[row["channel"]],
            outcome=words.table("contact_outcomes")[row["outcome"]].lower(),
        )
        about = words.table("work_do")[row["reason"]]
        at = words.moment(row["at"], person.row["timezone"])
        st.text(f"{at} \u00b7 {row['who']} \u00b7 {told} \u00b7 {about}")
        if row["note"]:
            st.text(row["note"])  # as it was typed: nothing in it is read as Markdown


def _revisions(page: Page, person: Answer) -> None:
    found = queries.revisions(page.con, _id(person))
    if not len(found):
        st.info(say("participant.no_revisions"))
        return
    lines = [f"- {changed(row)}" for row in found.rows[:MOST_CHANGES]]
    st.markdown("\n".join(lines))
    if len(found) > MOST_CHANGES:
        st.caption(say("participant.more_changes", n=MOST_CHANGES, all=words.count(len(found))))
    told = say("participant.alt_revisions")
    table(page, found, "revision", "revisions", told, _columns(found))


def changed(row: dict[str, Any]) -> str:
    """One late change in words: what changed, how late, and whose doing it was."""
    what = next(
        (
            say(f"participant.changed_{name}", day=words.day(row["activity_date"]),
                before=words.count(row[f"{name}_before"]), after=words.count(row[f"{name}_after"]))
            for name in ("steps", "wear")
            if row[f"{name}_before"] != row[f"{name}_after"]
        ),
        say("participant.changed_else", day=words.day(row["activity_date"])),
    )  # fmt: skip
    late = row["days_late"] or 0
    days = {0: "late_none", 1: "late_day"}.get(late, "late_days")
    return say(
        "participant.changed_when",
        what=what,
        late=say(f"participant.{days}", n=late),
        at=words.moment(row["changed_at"]),
        why=say("participant.why_vendor" if row["was_complete"] else "participant.why_sync"),
    )


def _receipts(page: Page, person: Answer) -> None:
    found = queries.receipts(page.con, _id(person))
    told = say("participant.alt_receipts")
    table(page, found, "receipt", "receipts", told, _columns(found), height=320)


def _id(person: Answer) -> str:
    return str(person.row["participant_id"])


def _columns(answer: Answer) -> dict[str, Any]:
    """The heads of a table's columns in words; days, instants and scores as people write them."""
    heads = words.table("participant_columns")
    made: dict[str, Any] = {}
    for field in answer.table.schema:
        head = heads.get(field.name, field.name)
        if str(field.type).startswith("date"):
            made[field.name] = st.column_config.DateColumn(head, format="D MMM YYYY")
        elif str(field.type).startswith("timestamp"):
            made[field.name] = st.column_config.DatetimeColumn(head, format="D MMM YYYY, HH:mm")
        elif str(field.type) == "double":
            form = "%+.1f" if field.name in ("score_change", "improvement") else "%.1f"
            made[field.name] = st.column_config.NumberColumn(head, format=form)
        else:
            made[field.name] = head
    hidden = ("scale", "band_low", "band_high")
    return made | {name: None for name in hidden if name in answer.table.column_names}
