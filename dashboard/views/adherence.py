"""Adherence: is it worn, is the goal met, and who is behind?"""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import streamlit as st

from dashboard import pictures, words
from dashboard.charts import adherence as charts
from dashboard.charts import vega
from dashboard.exports import download
from dashboard.parts import legend, say_small_cells, show
from dashboard.queries import adherence as queries
from dashboard.queries import common
from dashboard.queries.asking import Answer
from dashboard.shell import Page, open_page


def render(page: Page) -> None:
    """Key figures, adherence by week, every day as a picture, the people."""
    people = common.participants(page.con, page.cohort)
    if not len(people):
        st.info("No participants here yet. They appear after the first questionnaire run.")
        return
    _key_figures(page)
    _adherence(page)
    _days(page, people)
    _people(page, people)


def _key_figures(page: Page) -> None:
    found = queries.key_figures(page.con, page.cohort)
    if found["participants"] < page.study.study.small_cell:
        st.info(f"Fewer than {page.study.study.small_cell} participants: no cohort figures.")
        return
    met = found["goal_days_met"]
    with st.container(horizontal=True, gap="medium"):
        st.metric("Participants", words.count(found["participants"]), width="content")
        st.metric("Person-days", words.count(found["person_days"]), width="content")
        worn = words.ratio(found["valid_days"], found["eligible_days"])
        st.metric("Wear adherence", worn, width="content")
        st.metric("Goal met, observed", words.ratio(met, found["goal_days"]), width="content")
        strict = words.ratio(met, found["eligible_goal_days"])
        st.metric("Goal met, strict", strict, width="content")
    st.markdown(words.denominators(found))


def _adherence(page: Page) -> None:
    st.header("Adherence by study week")
    weeks = queries.weeks(page.con, page.cohort)
    left, right = st.columns(2)
    with left:
        st.caption("Share of eligible days, or of valid days (observed). Higher is better.")
        show(page, charts.week_adherence(weeks, page.theme), "adherence_by_week")
    with right:
        st.caption(
            "Steps a day: mean over those with a valid day, 95 % interval. Higher is better."
        )
        show(page, charts.week_steps(weeks, page.theme), "steps_by_week")
    say_small_cells(page, weeks)
    used = queries.sources(page.con, page.cohort)
    if len(used) > 1:
        found = words.bridge(common.bridges(page.con, used)) or "No day is in two of them yet."
        st.caption(f"These days come from {len(used)} sources ({', '.join(used)}). {found}")


def _days(page: Page, people: Answer) -> None:
    st.header("Every day of everyone")
    st.caption("A row is a participant, worst wear at the top; a column is a study day.")
    legend(page.theme)
    order = people.column("participant_id")
    grid = queries.day_grid(page.con, page.cohort)
    png, days = pictures.render_days(grid.table, order, vega.colours(page.theme))
    if not days:
        st.info("No study day yet.")
        return
    left, right = st.columns([3, 2])
    with left:
        chart = charts.day_picture(png, len(order), days, grid)
        st.vega_lite_chart(chart.spec, alt=chart.alt, key="days")
        download(page, grid.table, "days")
    with right:
        states = queries.days_by_state(page.con, page.cohort)
        show(page, charts.state_counts(states, page.theme), "days_by_state")


def _people(page: Page, people: Answer) -> None:
    st.header("Participants")
    st.caption("Worst first. Select a row to open the participant.")
    chosen = st.dataframe(
        _for_reading(page, people.table),
        key="participants",
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        column_config=_COLUMNS,
        placeholder="",
        alt="Participants, worst wear first",
    )
    download(page, people.table, "participants")
    if rows := chosen["selection"]["rows"]:
        who = people.column("participant_id")[rows[0]]
        st.switch_page("views/participant.py", query_params={"participant": who})


def _for_reading(page: Page, people: pa.Table) -> pa.Table:
    """The same rows with the sites' names, and shares in percent."""
    labels = {site.code: site.label for site in page.study.sites}
    sites = pa.array([labels.get(code, code) for code in people.column("site").to_pylist()])
    shown = people.set_column(people.column_names.index("site"), "site", sites)
    for name in _SHARES:
        at = shown.column_names.index(name)
        shown = shown.set_column(at, name, pc.multiply(shown.column(name), 100))
    return shown


_SHARES = {
    "wear_adherence": "Wear adherence",
    "goal_adherence_observed": "Goal met, observed",
    "goal_adherence_strict": "Goal met, strict",
}
_COLUMNS: dict[str, Any] = {
    "participant_id": st.column_config.TextColumn("Participant", pinned=True),
    "site": "Site",
    "study_days": "Study day",
    "last_day": "Last day",
    **{
        name: st.column_config.ProgressColumn(label, format="%.0f %%", min_value=0, max_value=100)
        for name, label in _SHARES.items()
    },
    "steps_per_day": st.column_config.NumberColumn("Steps a day", format="%.0f"),
    "last_valid_on": st.column_config.DateColumn("Last valid day", format="D MMM YYYY"),
    "connection": "Connection",
    "synced_at": st.column_config.DatetimeColumn("Last sync (UTC)", format="D MMM YYYY, HH:mm"),
    "next_step": "Next step",
}

if __name__ == "__main__":
    open_page(words.say("pages.adherence"), render, ["cohort"])
