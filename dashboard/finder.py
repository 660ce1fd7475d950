"""The box on every page that opens a participant by pseudonym."""

from __future__ import annotations

import streamlit as st

from dashboard import words
from dashboard.queries.asking import Con
from dashboard.queries.participants import find

LONGEST = 100
_TYPED, _ASKED = "find_participant", "asked_participant"


def box(con: Con) -> None:
    """Ask for a pseudonym and open its page; what is unknown, or not the viewer's, shows nothing.

    The two are told apart nowhere: `con` holds the viewer's own sites alone.
    """
    st.text_input(
        words.say("find.label"), key=_TYPED, placeholder=words.say("find.placeholder"),
        max_chars=LONGEST, width=168, on_change=_take, label_visibility="collapsed",
    )  # fmt: skip
    asked = st.session_state.pop(_ASKED, "")
    if not asked:
        return
    found = find(con, asked)
    if found is None:
        st.error(words.say("find.unknown"))  # what was typed is not repeated
    else:
        st.switch_page("views/participant.py", query_params={"participant": found})


def _take() -> None:
    st.session_state[_ASKED] = st.session_state[_TYPED].strip()
    st.session_state[_TYPED] = ""
