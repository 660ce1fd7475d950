"""The connections of one participant: their state, and the link to send, as text and as QR."""

from __future__ import annotations

from typing import Any

import segno
import streamlit as st

from dashboard import words
from dashboard.actions import Actions, By, Link
from dashboard.entry_forms import Form, draw
from dashboard.shell import Page
from dashboard.words import say
from warehouse.refused import Refused

_LINK = "enrolment_link"


def render(page: Page, actions: Actions, by: By, person: dict[str, Any]) -> None:
    """Each source that can be connected: how it stands, a new link, another account."""
    found = {one["source"]: one for one in person["connections"]}
    usual = [name for name in actions.sources if name in found] or [*actions.sources[:1]]
    for source in usual:
        _source(page, actions, by, person, source, found.get(source))
    if more := [name for name in actions.sources if name not in usual]:
        with st.expander(say("enrolment.other_sources")):
            for source in more:
                _source(page, actions, by, person, source, None)
    others = [one for name, one in found.items() if name not in actions.sources]
    for one in others:
        st.markdown(_told(one["source"], one, person))
    _shown_link(person)


def open_link(one: dict[str, Any]) -> str:
    """Until when a link of a connection is open, in words; empty where none is."""
    return words.moment(one["link_expires_at"]) if one["link_expires_at"] else ""


def _source(
    page: Page, actions: Actions, by: By, person: dict[str, Any], source: str,
    one: dict[str, Any] | None,
) -> None:  # fmt: skip
    who = person["participant_id"]
    st.markdown(_told(source, one, person))
    label = say(
        "enrolment.make_link" if one is None else "enrolment.make_new_link", source=named(source)
    )
    if st.button(label, key=f"link_{source}_{who}"):
        try:
            link = actions.connect_link(by, who, source)
            st.session_state[_LINK] = (who, source, link)
            st.rerun()  # the list above knows of it now
        except Refused as refused:
            st.error(str(refused))
    if one and one["since"]:
        with st.expander(say("enrolment.other_account", source=named(source))):
            st.markdown(say("enrolment.other_account_why"))
            draw(page, _release(actions, by, who, source))


def _release(actions: Actions, by: By, who: str, source: str) -> Form:
    def send(given: dict[str, Any]) -> str:
        actions.release(by, who, source, given["why"] or "", bool(given["all_days"]))
        return say("enrolment.released", who=who, source=named(source))

    return Form("release", f"{who}_{source}", ("why", "all_days"), send, {})


def _told(source: str, one: dict[str, Any] | None, person: dict[str, Any]) -> str:
    """A connection in a few lines: state, since when, what to do, an open link."""
    state = one["state"] if one else "never_connected"
    lines = [f"**{named(source)}**: {words.CONNECTIONS[state]}"]
    if one and one["since"]:
        lines[0] += (
            f" ({say('enrolment.since', at=words.moment(one['since'], person['timezone']))})"
        )
    if one and one["next_step"]:
        lines.append(_plain(one["next_step"]))
    if one and open_link(one):
        at = words.moment(one["link_expires_at"], person["timezone"])
        lines.append(say("enrolment.link_open", at=at))
    return "  \n".join(lines)


def _plain(next_step: str) -> str:
    """A next step without the names of commands, which are for the command line."""
    return next_step.replace(" (`stepwell connect`)", "").replace(
        "`stepwell release` it first", say("enrolment.release_first")
    )


def named(source: str) -> str:
    return words.named("sources", source)


def _shown_link(person: dict[str, Any]) -> None:
    """The link just made: shown to whoever made it, in this session, until they hide it."""
    who, source, link = st.session_state.get(_LINK, ("", "", None))
    if who != person["participant_id"] or link is None:
        st.session_state.pop(_LINK, None)
        return
    with st.container(border=True):
        st.markdown(say("enrolment.link_for", who=who, source=named(source)))
        st.code(_message(link, person, source), language=None, wrap_lines=True)
        st.html(_qr(link.url, say("enrolment.qr_alt", who=who)))
        st.caption(say("enrolment.link_secret"))
        st.button(say("enrolment.hide_link"), key="hide_link", on_click=_hide)


def _message(link: Link, person: dict[str, Any], source: str) -> str:
    until = words.moment(link.expires_at, person["timezone"])
    return say("enrolment.message", source=named(source), url=link.url, until=until)


def _qr(url: str, alt: str) -> str:
    """The link as a QR code on white, which a telephone reads in any theme; drawn in the page, so
    that no file of it is served."""
    picture = segno.make(url, error="m").svg_data_uri(scale=5, border=4, light="white")
    return f'<img src="{picture}" alt="{alt}" style="max-width:100%;height:auto;display:block">'


def _hide() -> None:
    st.session_state.pop(_LINK, None)
