"""The list a person is walked in: everybody worst first, or a queue of Today, one after another."""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboard import words, worklist
from dashboard.queries import participants as queries
from dashboard.queries import today
from dashboard.queries.asking import Con
from dashboard.shell import Page
from dashboard.words import say
from warehouse.contacts import resting

KEPT = 64  # lists, of as many builds, viewers and filters


def choose(page: Page) -> list[str]:
    """The participants of the list in the address (`?queue=`, `?site=`), worst first."""
    names = words.table("work_queues")
    asked = st.query_params.get("queue", "")
    codes = ["", *names]
    # the key tells the address, so that a link to another queue is heeded
    st.selectbox(
        say("participant.list"), codes, key=f"list_{asked if asked in names else ''}",
        index=codes.index(asked) if asked in names else 0, on_change=_keep,
        args=[asked if asked in names else ""], width=200, label_visibility="collapsed",
        format_func=lambda code: names.get(code, say("participant.everybody")),
    )  # fmt: skip
    if asked in names:
        return _queued(page, asked)
    return _everybody(page.con, _of(page))


def walk(listed: list[str], who: str) -> None:
    """The ways to the one before and after `who`, and where they stand."""
    at = listed.index(who) if who in listed else None
    before = listed[at - 1] if at else None
    after = listed[at + 1 : at + 2] if at is not None else listed[:1]
    _step("previous", before)
    _step("next", after[0] if after else None)
    n = words.count(len(listed))
    if at is None:
        st.caption(say("participant.not_listed", n=n), width="content")
    else:
        st.caption(say("participant.place", at=words.count(at + 1), n=n), width="content")


def _step(name: str, to: str | None) -> None:
    st.button(say(f"participant.{name}"), key=name, disabled=to is None, on_click=_go, args=[to])


def _go(participant_id: str) -> None:
    st.query_params["participant"] = participant_id
    st.query_params.pop("day", None)  # another's day says nothing of this one


def _keep(key: str) -> None:
    if picked := st.session_state[f"list_{key}"]:
        st.query_params["queue"] = picked
    else:
        st.query_params.pop("queue", None)


def _queued(page: Page, queue: str) -> list[str]:
    """Who is on a queue of Today and not at rest: as Today lists them."""
    items = _items(page.con, _of(page))
    with page.register() as register:
        rest = resting(register, page.now.date(), page.study.work_list.quiet_days)
    people = worklist.listed(items, {}, rest, {}, {})
    return [one.participant_id for one in people if one.first["queue"] == queue]


def _of(page: Page) -> tuple[Any, ...]:
    """What a list is of: kept as long as none of it is another."""
    return *today.opened_file(page.con), page.viewer.sites, page.site


@st.cache_data(max_entries=KEPT, show_spinner=False)
def _everybody(_con: Con, of: tuple[Any, ...]) -> list[str]:
    return queries.ordered(_con, of[-1])


@st.cache_data(max_entries=KEPT, show_spinner=False)
def _items(_con: Con, of: tuple[Any, ...]) -> list[dict[str, Any]]:
    return today.items(_con, of[-1]).rows
