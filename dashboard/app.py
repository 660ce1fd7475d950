"""The dashboard's entry: its pages. `python -m dashboard` serves it."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

ICON = Path(__file__).parent / "assets" / "icon.png"

st.set_page_config(page_title="Stepwell", page_icon=str(ICON), layout="wide")
# A flat list: sections of st.navigation break the list structure that screen readers use.
st.navigation(
    [
        st.Page("views/cohort.py", title="Cohort", default=True),
        st.Page("views/participant.py", title="Participant"),
        st.Page("views/quality.py", title="Data quality", url_path="quality"),
    ],
    position="top",
).run()
