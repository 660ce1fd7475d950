"""What somebody sees who may not come in, and the way out for who has."""

from __future__ import annotations

import time

import streamlit as st

from dashboard import words
from dashboard.access import NotOnStaff, NotSignedIn
from dashboard.signin import is_fresh, read_sign_in


def refuse(refusal: NotSignedIn | NotOnStaff) -> None:
    """Say why nothing is shown, and what to do; nothing of the study is asked or drawn."""
    if isinstance(refusal, NotSignedIn) and refusal.expired:
        st.logout()  # takes the cookie away, and leads to the sign-in's own end
    if isinstance(refusal, NotOnStaff):
        st.error(str(refusal))
        st.write(words.say("access.whom_to_ask"))
        sign_out()
        return
    st.info(str(refusal))
    if read_sign_in().mode == "oidc":
        st.button(words.say("access.sign_in_button"), key="sign_in", on_click=st.login)


def is_over() -> bool:
    """Whether a sign-in's time has passed since the page was drawn."""
    return read_sign_in().mode == "oidc" and not is_fresh(st.user.to_dict(), time.time())


def sign_out() -> None:
    """The button that ends a sign-in; nothing where there is none to end here."""
    if read_sign_in().mode == "oidc":
        st.button(words.say("access.sign_out_button"), key="sign_out", on_click=st.logout)
