"""What the Study page asks: thresholds of the file, people and audit trail of the register."""

from __future__ import annotations

import re
from collections.abc import Container
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from dashboard.queries.asking import Answer, Con, ask, rows
from warehouse.register import Register, audit
from warehouse.staff import list_staff

MOST_LINES = 500
_INSTANT = pa.timestamp("us", tz="UTC")
# A goal entered, or a contact for goals missed.
_ABOUT_GOALS = re.compile(r"^goal: |\bgoal_missed\b")
_AUDIT = {"at": _INSTANT} | dict.fromkeys(
    ("who", "what", "subject", "old", "new", "why"), pa.string()
)


@dataclass(frozen=True)
class Asked:
    """Which lines of the audit trail are wanted. Days are of UTC, both included.

    `subjects` are the participants of whom somebody bound to sites may read, beside `own` lines.
    """

    what: str | None = None
    who: str = ""
    search: str = ""
    first: date | None = None
    last: date | None = None
    subjects: Container[str] | None = None
    own: str = ""
    goals: bool = True
    """Lines that tell who has a goal too, by which an arm may be known."""


def outcomes(con: Con, visits: dict[str, str]) -> Answer:
    """The outcomes of the protocol: when each is due (`visits`, by scale), and how it is read."""
    return ask(
        con,
        """
        WITH due AS (SELECT unnest($scales) AS scale, unnest($visits) AS visits)
        SELECT label, scale, visits, low, high, better, mcid, mcid_kind, recall_days, citation
        FROM due LEFT JOIN scale USING (scale) ORDER BY scale
        """,
        {"scales": list(visits), "visits": list(visits.values())},
    )


def participants(con: Con) -> set[str]:
    """Everybody whom the viewer's sites have."""
    return {row["participant_id"] for row in rows(con, "SELECT participant_id FROM participant")}


def people(register: Register) -> pa.Table:
    """Who has which role: login, role, sites (blank: every one), since when, by whom."""
    listed = list_staff(register)
    return pa.table(
        {
            "login": pa.array([one.login for one in listed], pa.string()),
            "role": pa.array([one.role for one in listed], pa.string()),
            "sites": pa.array([", ".join(one.sites) or None for one in listed], pa.string()),
            "since": pa.array([one.since for one in listed], _INSTANT),
            "added_by": pa.array([one.added_by for one in listed], pa.string()),
        }
    )


def kinds_of_change(register: Register) -> list[str]:
    """What the audit trail tells of, each once."""
    query = sa.select(audit.c.what).distinct().order_by(audit.c.what)
    return [row["what"] for row in register.rows(query)]


def audit_lines(register: Register, asked: Asked) -> pa.Table:
    """The lines that fit, newest first."""
    columns = [audit.c[name] for name in _AUDIT]
    query = sa.select(*columns).where(*_conditions(asked)).order_by(audit.c.id.desc())
    listed = [row for row in register.rows(query) if _may_read(row, asked)]
    columns_of = {name: [row[name] for row in listed] for name in _AUDIT}
    return pa.table({name: pa.array(columns_of[name], kind) for name, kind in _AUDIT.items()})


def _conditions(asked: Asked) -> list[sa.ColumnElement[bool]]:
    found: list[sa.ColumnElement[bool]] = []
    if asked.what:
        found.append(audit.c.what == asked.what)
    if asked.who:
        found.append(_has(audit.c.who, asked.who))
    if asked.search:
        fields = (audit.c.subject, audit.c.why, audit.c.old, audit.c.new)
        found.append(sa.or_(*(_has(field, asked.search) for field in fields)))
    if asked.first:
        found.append(audit.c.at >= _midnight(asked.first))
    if asked.last:
        found.append(audit.c.at < _midnight(asked.last + timedelta(days=1)))
    return found


def _has(column: sa.ColumnElement[str], text: str) -> sa.ColumnElement[bool]:
    """Whether a column holds the text as it stands, in small or capital letters."""
    return sa.func.lower(column).contains(text.lower(), autoescape=True)


def _may_read(row: dict[str, Any], asked: Asked) -> bool:
    """A line of the viewer's own, or about a participant of theirs: its subject begins with one."""
    if not asked.goals and _ABOUT_GOALS.search(row["new"] or ""):
        return False
    if asked.subjects is None:
        return True
    return row["who"] == asked.own or (row["subject"] or "").partition(" ")[0] in asked.subjects


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
