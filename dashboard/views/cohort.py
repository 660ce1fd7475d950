"""The cohort: is it worn, is the goal met, does it help, and who is behind?"""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import streamlit as st

from dashboard import charts, pictures, queries, vega, words
from dashboard.shell import Page, download, legend, open_page, show

Rows = list[dict[str, Any]]


def render(page: Page) -> None:
    """Key figures, adherence by week, outcomes by visit, every day as a picture, the people."""
    people = queries.participants(page.con, page.cohort)
    if not len(people):
        st.info("No participants here yet. They appear after the first questionnaire run.")
        return
    _key_figures(page)
    _adherence(page)
    _outcomes(page)
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
    _say_suppressed(page, weeks)
    used = queries.sources(page.con, page.cohort)
    if len(used) > 1:
        found = words.bridge(queries.bridges(page.con, used)) or "No day is in two of them yet."
        st.caption(f"These days come from {len(used)} sources ({', '.join(used)}). {found}")


def _say_suppressed(page: Page, table: pa.Table) -> None:
    if pc.any(table.column("suppressed")).as_py():
        st.caption(f"Figures of fewer than {page.study.study.small_cell} participants are blank.")


def _outcomes(page: Page) -> None:
    st.header("Outcomes by visit")
    st.caption("Mean and 95 % interval of those who answered; not adjusted, not imputed.")
    outcomes = queries.outcomes(page.con, page.cohort)
    known = {scale["scale"]: scale for scale in queries.scales(page.con)}
    listed = [known[item.scale] for item in page.study.outcomes if item.scale in known]
    for first in range(0, len(listed), 3):
        columns = st.columns(3)
        for column, scale in zip(columns, listed[first : first + 3], strict=False):
            with column:
                _scale(page, scale, outcomes.filter(pc.field("scale") == scale["scale"]))
    _say_suppressed(page, outcomes)


def _scale(page: Page, scale: dict[str, Any], outcomes: pa.Table) -> None:
    st.subheader(scale["label"])
    better = words.direction(scale["better"])
    st.caption(f"{scale['low']:g} to {scale['high']:g}, {better}.")
    show(page, charts.visit_means(outcomes, scale, page.theme), f"outcome_{scale['scale']}")
    st.markdown(_responders(outcomes.to_pylist(), scale))


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


def _days(page: Page, people: pa.Table) -> None:
    st.header("Every day of everyone")
    st.caption("A row is a participant, worst wear at the top; a column is a study day.")
    legend(page.theme)
    order = people.column("participant_id").to_pylist()
    grid = queries.day_grid(page.con, page.cohort)
    png, days = pictures.render_days(grid, order, vega.colours(page.theme))
    if not days:
        st.info("No study day yet.")
        return
    left, right = st.columns([3, 2])
    with left:
        chart = charts.day_picture(png, len(order), days, grid)
        st.vega_lite_chart(chart.spec, alt=chart.alt, key="days")
        download(grid, "days")
    with right:
        states = queries.days_by_state(page.con, page.cohort)
        show(page, charts.state_counts(states, page.theme), "days_by_state")


def _people(page: Page, people: pa.Table) -> None:
    st.header("Participants")
    st.caption("Worst first. Select a row to open the participant.")
    chosen = st.dataframe(
        _for_reading(page, people),
        key="participants",
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        column_config=_COLUMNS,
        placeholder="",
        alt="Participants, worst wear first",
    )
    download(people, "participants")
    if rows := chosen["selection"]["rows"]:
        who = people.column("participant_id")[rows[0]].as_py()
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
    open_page("Cohort", render)
