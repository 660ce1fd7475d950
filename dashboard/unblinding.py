"""Opening the arms: for a role that may, with a reason, on the audit trail, and closed again."""

from __future__ import annotations

from contextlib import closing

import streamlit as st

from dashboard import words
from dashboard.access import Viewer, record_unblinding
from warehouse.home import Home
from warehouse.publish import stable_path
from warehouse.register import Register

LEAST_REASON = 5  # letters
_REASON = "unblinding_reason"


def asked_for(viewer: Viewer, home: Home) -> bool:
    """Whether this viewer is to see the file that holds the arms.

    They have given a reason in this session, or this machine has no masked file to show instead.
    """
    if not viewer.sees_arms:
        return False
    only = stable_path(home, sees_arms=True).exists() and not stable_path(home).exists()
    return bool(reason()) or only


def reason() -> str:
    """Why the arms were opened in this session; empty while they are not."""
    return str(st.session_state.get(_REASON, ""))


def control(arms: bool) -> None:
    """The way to open the arms, or to hide them again."""
    if arms:
        st.button(words.say("unblinding.hide"), key="hide_arms", on_click=_hide)
        return
    with st.popover(words.say("unblinding.show")):
        form()


def form() -> None:
    """Ask for the reason; without one nothing is opened."""
    with st.form("unblind", border=False):
        why = st.text_input(
            words.say("unblinding.reason"), max_chars=300, help=words.say("unblinding.why_asked")
        )
        if st.form_submit_button(words.say("unblinding.open")):
            if len(why.strip()) < LEAST_REASON:
                st.error(words.say("unblinding.too_short", n=LEAST_REASON))
                return
            st.session_state[_REASON] = why.strip()
            st.rerun()


def record(viewer: Viewer, home: Home, build_id: str, title: str) -> None:
    """Once per session, build and page; a view that cannot be recorded is not shown."""
    noted = st.session_state.setdefault("recorded_views", set())
    if (build_id, title) not in noted:
        with closing(Register(home.register_url)) as register:
            record_unblinding(viewer, register, build_id, title, reason())
        noted.add((build_id, title))


def _hide() -> None:
    st.session_state.pop(_REASON, None)
    st.session_state.pop("recorded_views", None)
