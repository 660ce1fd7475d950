"""Who looks, and what they may see and do.

What a role may is the protocol's ([[roles]] of study.toml); who has it is in the register. In the
embedded default one local user, without a sign-in, has the role of STEPWELL_ROLE. A role that does
not see arms never opens a file that holds them: the blind is in the data. What is shown with arms,
exported or changed is on the audit trail, and what cannot be recorded is not shown or done.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import streamlit as st

from dashboard import words
from dashboard.pages import PAGES, PageFile
from dashboard.signin import NotSignedIn as NotSignedIn
from dashboard.signin import SignInError as SignInError
from dashboard.signin import login, read_sign_in
from warehouse.home import Home, find_home
from warehouse.register import Register
from warehouse.rights import RIGHTS, Role
from warehouse.staff import LONGEST_LOGIN, find_staff
from warehouse.study import Study, StudyError, read_study

LOCAL_USER = "local user (no sign-in)"


class UnknownRole(ValueError):
    """STEPWELL_ROLE names no role of study.toml; the message lists those it defines."""


class NotOnStaff(Exception):
    """Somebody signed in who has no role in this study; the message says whom to ask."""


class NotAllowed(Exception):
    """The viewer's role may not do this; the message names the right it lacks."""


@dataclass(frozen=True)
class Viewer:
    """The person at the screen. Empty `sites` means every site; `may` are names of RIGHTS."""

    name: str
    role: str
    sees_arms: bool
    sites: tuple[str, ...]
    may: tuple[str, ...] = ()


def viewer(study: Study, register_url: str, environ: Mapping[str, str] = os.environ) -> Viewer:
    """Who looks, by the sign-in of the environment.

    NotSignedIn or NotOnStaff before anything of the study may be shown or asked; UnknownRole and
    SignInError where the environment cannot be right. The register is opened for a signed-in
    person alone: the local user needs none.
    """
    sign_in = read_sign_in(environ)
    if sign_in.mode == "local":
        return _local(study, environ)
    return _on_staff(study, register_url, login(sign_in, _user(), time.time()))


def assert_signed_in() -> None:
    """Raise NotSignedIn where a sign-in is asked for and nobody has: before a file is looked at."""
    sign_in = read_sign_in()
    if sign_in.mode != "local":
        login(sign_in, _user(), time.time())


def offered() -> tuple[list[PageFile], bool]:
    """The pages that whoever looks is offered, and whether they have come in.

    Who has not, or cannot because something is wrong, has each page say why.
    """
    home = find_home()
    try:
        assert_signed_in()
        one = viewer(read_study(home.study_path), home.register_url)
    except (NotSignedIn, NotOnStaff):
        return list(PAGES), False
    except (StudyError, UnknownRole, SignInError):
        return list(PAGES), True
    return [page for page in PAGES if not page.needs or may(one, page.needs)], True


def may(viewer: Viewer, what: str) -> bool:
    """Whether the viewer has the right `what`; KeyError for a right that there is not."""
    if what not in RIGHTS:
        raise KeyError(what)
    return what in viewer.may


def is_still(viewer: Viewer, home: Home) -> bool:
    """Whether the viewer has now the role, sites and rights with which their page was drawn."""
    if viewer.name == LOCAL_USER:
        return True
    try:
        return _on_staff(read_study(home.study_path), home.register_url, viewer.name) == viewer
    except NotOnStaff:
        return False


def may_now(viewer: Viewer, home: Home, what: str) -> bool:
    """Whether the viewer may `what` at a click, which acts before the page is drawn again."""
    try:
        assert_signed_in()
    except NotSignedIn:
        return False
    return may(viewer, what) and is_still(viewer, home)


def assert_may(viewer: Viewer, what: str) -> None:
    """Raise NotAllowed where the viewer has not the right `what`."""
    if not may(viewer, what):
        raise NotAllowed(words.say("access.no_right", role=viewer.role, what=RIGHTS[what]))


def record_unblinding(
    viewer: Viewer, register: Register, build_id: str, page: str, why: str
) -> None:
    """Write that this viewer is shown `page` of a build with the arms; ValueError without `why`."""
    if not viewer.sees_arms:
        raise NotAllowed(words.say("access.no_arms", role=viewer.role))
    if not why.strip():
        raise ValueError("an unblinded view needs a reason")
    record_change(viewer, register, "unblinded view", page, new=build_id, why=why.strip())


def record_export(
    viewer: Viewer, register: Register, what: str, rows: int | None, build_id: str, why: str = ""
) -> None:
    """Write that this viewer takes `what` along, of so many rows; NotAllowed without the right.

    `why` is the reason for which the arms are open, where they are.
    """
    assert_may(viewer, "export")
    new = f"build {build_id}" if rows is None else f"{rows:,} rows of build {build_id}"
    record_change(viewer, register, "export", what, new=new, why=why)


def record_change(
    viewer: Viewer, register: Register, what: str, subject: str,
    old: str = "", new: str = "", why: str = "",
) -> None:  # fmt: skip
    """Write that this viewer did something: what, of whom, from what to what, and why."""
    who = f"{viewer.name}, {viewer.role}"
    register.record(who, what, datetime.now(UTC), subject, old, new, why)


def _user() -> dict[str, Any]:
    """What Streamlit knows of the person: claims of the sign-in, or the proxy's header."""
    return dict(st.user.to_dict())


def _local(study: Study, environ: Mapping[str, str]) -> Viewer:
    code = environ.get("STEPWELL_ROLE", "coordinator")
    role = _role(study, code)
    if role is None:
        known = ", ".join(role.code for role in study.roles)
        raise UnknownRole(
            f"STEPWELL_ROLE names a role that study.toml does not define; known: {known}"
        )
    return Viewer(LOCAL_USER, code, role.sees_arms, tuple(role.sites), role.rights)


def _on_staff(study: Study, register_url: str, who: str) -> Viewer:
    with closing(Register(register_url)) as register:
        person = find_staff(register, who)
    role = _role(study, person.role) if person else None
    if person is None or role is None:
        raise NotOnStaff(words.say("access.no_role", login=_plain(who)))
    every = tuple(role.sites) or tuple(site.code for site in study.sites)
    sites = tuple(site for site in person.sites or every if site in every)
    if not sites:
        raise NotOnStaff(words.say("access.no_site", login=_plain(who)))
    bound = bool(role.sites or person.sites)
    return Viewer(person.login, role.code, role.sees_arms, sites if bound else (), role.rights)


def _plain(login: str) -> str:
    """A login from outside as words between backticks: nothing in it is read as Markdown."""
    return login[:LONGEST_LOGIN].replace("`", "'").replace("\n", " ")


def _role(study: Study, code: str) -> Role | None:
    return next((role for role in study.roles if role.code == code), None)
