"""Outcomes: does it help?"""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboard import words
from dashboard.charts import outcomes as charts
from dashboard.parts import say_small_cells, show
from dashboard.queries import common
from dashboard.queries import outcomes as queries
from dashboard.queries.asking import Answer, Rows
from dashboard.shell import Page, open_page


def render(page: Page) -> None:
    """Mean by visit and responders of each outcome of the protocol."""
    st.caption("Mean and 95 % interval of those who answered; not adjusted, not imputed.")
    known = {scale["scale"]: scale for scale in common.scales(page.con)}
    listed = [known[item.scale] for item in page.study.outcomes if item.scale in known]
    for first in range(0, len(listed), 3):
        columns = st.columns(3)
        for column, scale in zip(columns, listed[first : first + 3], strict=False):
            with column:
                _scale(page, scale, queries.outcomes(page.con, page.cohort, scale["scale"]))


def _scale(page: Page, scale: dict[str, Any], outcomes: Answer) -> None:
    st.subheader(scale["label"])
    better = words.direction(scale["better"])
    st.caption(f"{scale['low']:g} to {scale['high']:g}, {better}.")
    show(page, charts.visit_means(outcomes, scale, page.theme), f"outcome_{scale['scale']}")
    st.markdown(_responders(outcomes.rows, scale))
    say_small_cells(page, outcomes)


def _responders(visits: Rows, scale: dict[str, Any]) -> str:
    """The newest scheduled visit whose response can be judged, in words."""
    judged = [row for row in visits if row["evaluable"] and row["week"]]
    if not judged:
        return "Responders: no visit can be judged yet."
    row = judged[-1]
    low, high = words.share(row["responder_ci_low"]), words.share(row["responder_ci_high"])
    return (
        f"Responders at {row['visit']} (better by {words.threshold(scale)} or more): "
        f"**{row['responders']} of {row['evaluable']}**, {words.share(row['responder_share'])} "
        f"(95 % interval {low} to {high})."
    )


if __name__ == "__main__":
    open_page(words.say("pages.outcomes"), render, ["cohort"])
