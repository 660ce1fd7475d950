"""Outcome rescue: how many records will be complete, and whose answers would help most."""

from __future__ import annotations

import streamlit as st

from dashboard import contact_panel
from dashboard.charts import today as charts
from dashboard.parts import explained, say_small_cells, show
from dashboard.queries.asking import Answer
from dashboard.shell import Page
from dashboard.words import say
from warehouse.study_work_list import required_of

MOST_ROWS = 10  # of the list at once; it scrolls
ROW_HEIGHT = 35


def render(page: Page, found: Answer, rates: Answer, listed: Answer) -> None:
    """The projection for everyone and each clinic, and the list that would raise it most."""
    st.header(say("today.rescue_header"))
    if not len(found):
        st.info(say("today.rescue_none"))
        return
    labels = {visit.code: visit.label for visit in page.study.visits}
    visits = ", ".join(labels[code] for code in required_of(page.study)[0])
    st.caption(say("today.rescue_caption", visits=visits))
    show(page, charts.rescue(found, page.theme), "rescue")
    say_small_cells(page, found)
    explained(page, rates, "response_rate", "rates", say("today.rates_how"))
    _rescue_list(page, listed)


def _rescue_list(page: Page, answer: Answer) -> None:
    st.subheader(say("today.rescue_list"))
    if not len(answer):
        st.caption(say("today.rescue_nobody"))
        return
    st.caption(say("today.rescue_list_caption"))
    column = st.column_config
    chosen = st.dataframe(
        answer.table, key="rescue_list", hide_index=True, on_select="rerun",
        selection_mode="single-row", placeholder="", alt=say("today.alt_rescue_list"),
        height=ROW_HEIGHT * (min(len(answer), MOST_ROWS) + 1) + 3,
        column_config={
            "position": None,
            "participant_id": say("today.col_participant"),
            "site": say("today.col_site"),
            "visit": say("today.col_visit"),
            "status": say("today.col_status"),
            "scales_open": say("today.col_scales"),
            "closes_on": column.DateColumn(say("today.col_closes"), format="D MMM YYYY"),
            "days_left": say("today.col_days_left"),
            "complete_if_answered": column.NumberColumn(say("today.col_chance"), format="percent"),
            "still_wearing": say("today.col_wearing"),
        },
    )  # fmt: skip
    explained(page, answer, "rescue_item", "rescue_items", say("common.how_computed"),
              numbers=False)  # fmt: skip
    if picked := chosen["selection"]["rows"]:
        contact_panel.open_participant(answer.column("participant_id")[picked[0]])
