"""Outcome rescue: how many records will be complete, and whose answers would help most."""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboard import contact_panel
from dashboard.charts import today as charts
from dashboard.parts import say_small_cells, show, table
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
    rests_on = say("today.rescue_rates", own=page.study.work_list.own_rate_from)
    st.caption(f"{say('today.rescue_caption', visits=visits)} {rests_on}")
    how = say("today.rates_how"), rates, "response_rate", "rates"
    show(page, charts.rescue(found, page.theme), "rescue", more=[how])
    say_small_cells(page, found)
    _rescue_list(page, listed)


def _rescue_list(page: Page, answer: Answer) -> None:
    st.subheader(say("today.rescue_list"))
    if not len(answer):
        st.caption(say("today.rescue_nobody"))
        return
    st.caption(say("today.rescue_list_caption"))
    table(page, answer, "rescue_item", "rescue_items", say("today.alt_rescue_list"), _columns(),
          ["complete_if_answered"],
          height=ROW_HEIGHT * (min(len(answer), MOST_ROWS) + 1) + 3)  # fmt: skip


def _columns() -> dict[str, Any]:
    column = st.column_config
    return {
        "position": None,
        "participant_id": contact_panel.opener("open_rescued"),
        "site": say("today.col_site"),
        "visit": say("today.col_visit"),
        "status": say("today.col_status"),
        "scales_open": say("today.col_scales"),
        "closes_on": column.DateColumn(say("today.col_closes"), format="D MMM YYYY"),
        "days_left": say("today.col_days_left"),
        "complete_if_answered": column.NumberColumn(
            say("today.col_chance"), format="%d %%", help=say("today.help_chance")
        ),
        "still_wearing": say("today.col_wearing"),
    }
