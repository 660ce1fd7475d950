"""The dashboard's entry: its pages. `python -m dashboard` serves it."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from dashboard.access import offered
from dashboard.pages import PAGES

ICON = Path(__file__).parent / "assets" / "icon.png"
# Streamlit leaves 6 rem above a page and 5 on either side: a third of a small screen. And it wraps
# a cell of text at 400 pixels, however wide its column is. Its colours of code are too faint.
STYLE = """<style>
[data-testid=stMainBlockContainer] { padding: 4.25rem 2.5rem 3rem }
@media (max-width: 640px) { [data-testid=stMainBlockContainer] { padding-inline: 1rem } }
[data-testid=stTable] td > [data-testid=stMarkdownContainer] { max-width: none }
code, code .token { color: inherit !important }
:not(pre) > code { background: none !important }
</style>"""

st.set_page_config(page_title="Stepwell", page_icon=str(ICON), layout="wide")
st.html(STYLE)
pages, is_in = offered()
# Who may not see a page is told so at its address, and has it not in the bar.
# A flat list: sections of st.navigation break the list structure that screen readers use.
st.navigation(
    [
        st.Page(
            page.path,
            title=page.title,
            url_path=page.name,
            default=page is PAGES[0],
            visibility="visible" if page in pages else "hidden",
        )
        for page in PAGES
    ],
    position="top" if is_in else "hidden",
).run()
