"""Who works on the study: each login's role and sites, kept in the register and nowhere else.

What a role may see and do is the protocol's ([[roles]] of study.toml); who has it is not, so that
people come and go without an amendment. Every change is on the audit trail.
"""

from __future__ import annotations

import string
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from warehouse.register import Register, audit
from warehouse.register_tables import staff
from warehouse.study import Study, StudyError

LONGEST_LOGIN = 254  # of an e-mail address
_SMALL = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


@dataclass(frozen=True)
class Staff:
    """A person with a role. Empty `sites` means every site that the role may see."""

    login: str
    role: str
    sites: tuple[str, ...]
    since: datetime
    added_by: str


def login_of(text: str) -> str:
    """A login as it is compared: an e-mail address in small letters, any other as it stands.

    StudyError when it is empty, too long, or has spaces or control characters.
    """
    login = text.strip()
    if not login or len(login) > LONGEST_LOGIN or not login.isprintable() or " " in login:
        raise StudyError(
            f"a login has 1 to {LONGEST_LOGIN} characters, no spaces: give it as the sign-in does"
        )
    # not str.lower(), by which a sign that only looks like a k would be one
    return login.translate(_SMALL) if "@" in login else login


def find_staff(register: Register, login: str) -> Staff | None:
    """The person of this login; None when nobody has it."""
    try:
        key = login_of(login)
    except StudyError:
        return None
    found = register.rows(sa.select(staff).where(staff.c.login == key))
    return _read(found[0]) if found else None


def list_staff(register: Register) -> list[Staff]:
    """Everyone with a role, by login."""
    return [_read(row) for row in register.rows(sa.select(staff).order_by(staff.c.login))]


def add_staff(
    register: Register, study: Study, login: str, role: str, sites: Sequence[str],
    by: str, now: datetime,
) -> Staff:  # fmt: skip
    """Give a login this role and these sites, in place of what it had.

    StudyError when study.toml has no such role or site, or the role is bound to other sites.
    """
    _assert_allowed(study, role, sites)
    person = Staff(login_of(login), role, tuple(dict.fromkeys(sites)), now, by)
    with register.begin() as con:
        before = _before(con, person.login)
        row = {"login": person.login, "role": role, "sites": ",".join(person.sites)}
        register.put(staff, [{**row, "since": now, "added_by": by}], con)
        _note(con, by, "staff changed" if before else "staff added", now, person.login,
              before, _said(role, person.sites))  # fmt: skip
    return person


def remove_staff(register: Register, login: str, by: str, now: datetime) -> None:
    """Take a login's role away; StudyError when it has none."""
    key = login_of(login)
    with register.begin() as con:
        before = _before(con, key)
        if not before:
            raise StudyError(f"{key} has no role here; `stepwell staff list` says who has")
        con.execute(sa.delete(staff).where(staff.c.login == key))
        _note(con, by, "staff removed", now, key, before, "")


def _assert_allowed(study: Study, role: str, sites: Sequence[str]) -> None:
    roles = {one.code: one for one in study.roles}
    if role not in roles:
        raise StudyError(f"unknown role {role!r}; study.toml has: {', '.join(roles)}")
    known = roles[role].sites or [site.code for site in study.sites]
    for site in sites:
        if site not in known:
            raise StudyError(f"unknown site {site!r} for {role}; known: {', '.join(known)}")


def _before(con: sa.Connection, login: str) -> str:
    row = con.execute(sa.select(staff.c.role, staff.c.sites).where(staff.c.login == login)).first()
    return _said(row.role, _split(row.sites)) if row else ""


def _note(
    con: sa.Connection, by: str, what: str, at: datetime, login: str, old: str, new: str
) -> None:
    row = {"at": at, "who": by, "what": what, "subject": login, "old": old, "new": new, "why": ""}
    con.execute(sa.insert(audit), row)


def _said(role: str, sites: Sequence[str]) -> str:
    return f"{role} at {', '.join(sites) or 'every site'}"


def _split(sites: str) -> tuple[str, ...]:
    return tuple(site for site in sites.split(",") if site)


def _read(row: dict[str, Any]) -> Staff:
    return Staff(**{**row, "sites": _split(row["sites"])})
