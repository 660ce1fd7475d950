"""The dashboard's entry: its pages. `python -m dashboard` serves it."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from dashboard.access import offered
from dashboard.pages import PAGES

ICON = Path(__file__).parent / "assets" / "icon.png"

st.set_page_config(page_title="Stepwell", page_icon=str(ICON), layout="wide")
pages, is_in = offered()
# A flat list: sections of st.navigation break the list structure that screen readers use.
st.navigation(
    [
        st.Page(page.path, title=page.title, url_path=page.name, default=page is PAGES[0])
        for page in pages
    ],
    position="top" if is_in else "hidden",
).run()
