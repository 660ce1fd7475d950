"""What every page shares: who looks, which file, the header with its filters, and the foot."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import streamlit as st

from dashboard import access, doorstep, finder, unblinding, words
from dashboard.access import NotOnStaff, NotSignedIn, SignInError, UnknownRole, Viewer
from dashboard.queries import common
from dashboard.queries.asking import Con
from dashboard.queries.kept import keep
from dashboard.scope import open_scoped, prelude
from warehouse.home import Home, find_home
from warehouse.publish import NotPublished, stable_path
from warehouse.register import Register
from warehouse.study import Study, StudyError, read_study

log = logging.getLogger(__name__)
LOOK_EVERY_SECONDS = 10
EVERYONE = common.Cohort()


@dataclass(frozen=True)
class Page:
    """What a page may ask of: the open file, its build, the protocol, who looks, at whom.

    `con` holds only what the viewer's sites have. `site` and `cohort` are the filters of the
    address; a page shows those it asked for in `open_page`. `now` is the pretend world's clock
    where one runs.
    """

    title: str
    con: Con
    build: dict[str, Any]
    study: Study
    viewer: Viewer
    home: Home
    theme: str
    now: datetime
    site: str | None = None
    cohort: common.Cohort = EVERYONE

    @contextmanager
    def register(self) -> Iterator[Register]:
        """The register, for what a page writes and for what lives there alone."""
        register = Register(self.home.register_url)
        try:
            yield register
        finally:
            register.close()

    @property
    def prelude(self) -> str:
        """What a question of this page needs run before it; empty for a viewer of every site."""
        return prelude(self.con, self.viewer.sites)

    def site_label(self, code: str) -> str:
        return next((site.label for site in self.study.sites if site.code == code), code)


def open_page(title: str, render: Callable[[Page], None], filters: Sequence[str] = ()) -> None:
    """Draw one page of the newest published file, or say plainly why there is none.

    `filters` are those the page heeds: `site`, `cohort`.
    """
    head = st.container(horizontal=True, vertical_alignment="center", key="head")
    head.title(title, width="content")
    home = find_home()
    folders = home.published, home.unblinded  # a machine may have but one of them
    empty = _marks(folders)
    try:
        _open(title, home, render, filters, head)
    except NotPublished:
        st.info(words.say("common.nothing_published"))
        _watch(folders, empty)
    except (NotSignedIn, NotOnStaff) as refusal:
        doorstep.refuse(refusal)
    except (StudyError, UnknownRole, SignInError) as error:
        st.error(str(error))
    except duckdb.Error:
        log.exception("the published file cannot be read")
        st.error(words.say("common.unreadable"))


def _open(
    title: str, home: Home, render: Callable[[Page], None], filters: Sequence[str], head: Any
) -> None:
    access.assert_signed_in()
    if not home.study_path.exists() and not home.published.exists():
        raise NotPublished("no study yet")
    study = read_study(home.study_path)
    viewer = access.viewer(study, home.register_url)
    arms = unblinding.asked_for(viewer, home)
    if arms and not unblinding.reason():
        unblinding.form()  # nothing of the file is opened before a reason is given
        return
    path = stable_path(home, arms)
    seen = _marks([path])
    with closing(open_scoped(path, viewer.sites)) as con:
        if _marks([path]) == seen:  # so it is the file that was opened
            keep(con, path, seen[0], viewer.sites)
        build = common.build(con)
        if arms:
            unblinding.record(viewer, home, build["build_id"], title)
        page = Page(title, con, build, study, viewer, home, theme(), _now(build))
        with head:  # one row, so that the answer to a filter comes soon
            page = _filtered(page, filters)
            _controls(page, arms)
        _header(page, arms)
        render(page)
        _foot(build)
    _watch([path], seen)


def theme() -> str:
    """`dark` where the browser shows the dark theme, else `light`."""
    return "dark" if st.context.theme.type == "dark" else "light"


def is_phone() -> bool:
    """Whether the browser calls itself a phone's; a narrow window of another does not."""
    return "Mobi" in st.context.headers.get("User-Agent", "")


def _now(build: dict[str, Any]) -> datetime:
    """The present; in a pretend world, whose clock another process keeps, that of its build."""
    pretend = "STEPWELL_CLOCK_URL" in os.environ
    return build["as_of"] if pretend else datetime.now(UTC)


def _header(page: Page, arms: bool) -> None:
    build, viewer = page.build, page.viewer
    told = [
        f"**{words.say('common.data_to', day=words.day(build['data_to']))}**",
        f"**{words.say('common.arms_shown' if arms else 'common.arms_hidden')}**",
        f"{viewer.name}, {viewer.role}",
    ]
    if viewer.sites:
        listed = ", ".join(page.site_label(site) for site in viewer.sites)
        told.append(words.say("common.own_sites", sites=listed))
    as_of, built_at = words.moment(build["as_of"]), words.moment(build["built_at"])
    known = words.say("common.as_of", as_of=as_of, built_at=built_at, build=build["build_id"])
    with st.container(gap="xxsmall"):
        st.markdown(" · ".join(told))
        st.caption(f"{page.study.study.title} · {known}")


def _controls(page: Page, arms: bool) -> None:
    """The ways to the arms, for whom they are, and out."""
    if page.viewer.sees_arms:
        unblinding.control(arms)
    doorstep.sign_out()


def _filtered(page: Page, filters: Sequence[str]) -> Page:
    """The page with the filters it heeds, each bound to the address and kept across pages.

    Beside them stands the box that finds a participant.
    """
    finder.box(page.con)
    site = _pick_site(page) if "site" in filters else None
    cohort = _pick_cohort(page) if "cohort" in filters else page.cohort
    return Page(**{**vars(page), "site": site, "cohort": cohort})


def _pick_site(page: Page) -> str | None:
    if len(page.viewer.sites) == 1:
        return page.viewer.sites[0]  # there is nothing to choose
    codes = page.viewer.sites or tuple(site.code for site in page.study.sites)
    every = words.say("common.every_site")
    named = {every: None, **{page.site_label(code): code for code in codes}}
    label = st.selectbox(
        words.say("common.site"), list(named), key="site", label_visibility="collapsed",
        bind="query-params", persist_state="session", width=168,
    )  # fmt: skip
    return named[label or every]


def _pick_cohort(page: Page) -> common.Cohort:
    """The cohort chosen in the address (`?cohort=`), or the first the viewer may see."""
    found = common.cohorts(page.con)
    named = {_label(cohort, page): cohort for cohort in found}
    if not named:
        sites = page.viewer.sites
        return common.Cohort("site", sites[0]) if sites else common.Cohort()
    label = st.selectbox(
        words.say("common.cohort"), list(named), key="cohort", label_visibility="collapsed",
        bind="query-params", persist_state="session", width=300,
    )  # fmt: skip
    return named[label] if label else next(iter(named.values()))


def _label(cohort: common.Cohort, page: Page) -> str:
    if cohort.kind == "all":
        return words.KINDS["all"]
    named = {one.code: one.label for one in page.study.cohorts}
    labels = {
        "named": named,
        "named_by_arm": named,
        "site": {site.code: site.label for site in page.study.sites},
        "arm": {arm.code: arm.label for arm in page.study.arms},
    }
    label = labels.get(cohort.kind, {}).get(cohort.name, cohort.name)
    return f"{words.KINDS[cohort.kind]}: {label}"


def _foot(build: dict[str, Any]) -> None:
    """The last line of a page: what its numbers were made from."""
    hashes = {name: build[f"{name}_hash"][:12] for name in ("protocol", "input", "content")}
    with st.container(key="foot"):
        st.caption(words.say("common.foot", code=build["code_version"], **hashes))


def _marks(paths: Sequence[Path]) -> list[tuple[str, int]]:
    """What tells one publication from the next: each path resolved, and when it was written."""
    resolved = [path.resolve() for path in paths]
    return [(str(path), path.stat().st_mtime_ns if path.exists() else 0) for path in resolved]


@st.fragment(run_every=LOOK_EVERY_SECONDS)
def _watch(paths: Sequence[Path], seen: list[tuple[str, int]]) -> None:
    """Draw the page anew as soon as another build is published, or the sign-in is over."""
    if _marks(paths) != seen or doorstep.is_over():
        st.rerun()
