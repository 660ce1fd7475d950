"""Flow: who came, how far they got, whose answers are missing, how the treatment is taken up."""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboard import words
from dashboard.charts import boxes
from dashboard.charts import flow as charts
from dashboard.exports import button
from dashboard.parts import explained, say_small_cells, show, table
from dashboard.queries import flow as queries
from dashboard.shell import Page, open_page
from dashboard.words import say

Place = tuple[str, str]


def render(page: Page) -> None:
    """Recruitment, the boxes of a paper, completeness by visit, who is missing, implementation."""
    place = queries.place(page.site, page.viewer.sites)
    if page.site is None and len(page.viewer.sites) > 1:
        st.caption(say("flow.first_of_yours", site=_title(page, place)))
    _recruitment(page, place)
    _boxes(page, place)
    _completeness(page, place)
    _missing(page, place)
    _implementation(page)


def _recruitment(page: Page, place: Place) -> None:
    st.header(say("flow.recruitment_header"))
    weeks = queries.recruitment(page.con, *place)
    if not len(weeks):
        st.info(say("flow.nobody"))
        return
    last = weeks.rows[-1]
    day, n = words.day(page.build["data_to"]), words.count(last["cumulative"])
    if last["planned"] is None:
        st.caption(say("flow.recruitment_unplanned", n=n, day=day))
    else:
        told = {"planned": words.whole(last["planned"]), "n": n, "day": day}
        st.caption(say("flow.recruitment_planned", **told))
    show(page, charts.recruitment(weeks, page.theme), "recruitment")


def _boxes(page: Page, place: Place) -> None:
    """Everybody or the site of the filter; where arms are shown and no site is chosen, by arm."""
    st.header(say("flow.boxes"))
    arms = queries.arms(page.con) if place == ("all", "all") else []
    labels = {arm.code: arm.label for arm in page.study.arms}
    cohorts = [("arm", arm) for arm in arms] or [place]
    found = [queries.stages(page.con, *cohort) for cohort in cohorts]
    if not len(found[0]):
        st.info(say("flow.nobody"))
        return
    titles = {arm: labels.get(arm, arm) for arm in arms} or {place[1]: _title(page, place)}
    told = list(zip(titles.values(), found, strict=True))
    whole = [boxes.Column(title, answer.rows) for title, answer in told]
    brief = [boxes.Column(one.title, [row for row in one.stages if not row["visit"]])
             for one in whole]  # fmt: skip
    st.caption(say("flow.boxes_caption", day=words.day(page.build["data_to"])))
    left, right = st.columns([len(whole), 2])
    with left:
        st.image(boxes.draw(brief, page.theme), alt=boxes.in_words(brief))
        button(page, say("flow.svg"), "flow.svg", lambda: boxes.draw(whole, "light").encode())
    with right:
        _visits(page, cohorts[0][0], titles)
    for (_, code), (title, answer) in zip(cohorts, told, strict=True):
        label = say("flow.numbers_of", title=title)
        explained(page, answer, "flow", f"flow_{code}", label)


def _visits(page: Page, kind: str, titles: dict[str, str]) -> None:
    found = queries.visits(page.con, kind, titles)
    shown = _columns({"cohort": "", "visit": "", "complete_share": "share"})
    shown |= {name: st.column_config.NumberColumn(label, format="localized")
              for name, label in words.table("stages").items()}  # fmt: skip
    order = [name for name in found.table.column_names if name != "cohort" or len(titles) > 1]
    table(page, found, "flow", "flow_visits", say("flow.alt_visits"), shown, ["complete_share"],
          column_order=order)  # fmt: skip


def _title(page: Page, place: Place) -> str:
    kind, cohort = place
    return say("common.every_site") if kind == "all" else page.site_label(cohort)


def _completeness(page: Page, place: Place) -> None:
    st.header(say("flow.completeness_header"))
    found = queries.completeness(page.con, page.study.sites)
    if not len(found):
        st.info(say("flow.none_due"))
        return
    names = words.table("completeness_measures")
    label = st.segmented_control(
        say("flow.of_what"), list(names.values()), required=True, key="of",
        default=names["received_of_closed"], bind="query-params",
    )  # fmt: skip
    measure = next((code for code, name in names.items() if name == label), "received_of_closed")
    st.caption(say("flow.completeness_caption", day=words.day(page.build["data_to"])))
    left, right = st.columns(2)
    with left:
        st.subheader(say("flow.by_site"))
        chart = charts.completeness(found, "site", measure, "cohort_completeness")
        show(page, chart, "completeness_by_site")
    with right:
        st.subheader(say("flow.by_scale", title=_title(page, place)))
        scales = queries.by_scale(page.con, *place)
        if measure in scales.table.column_names and len(scales):
            chart = charts.completeness(scales, "scale", measure, "cohort_completeness")
            show(page, chart, "completeness_by_scale")
        else:
            st.info(say("flow.not_by_scale"))
    say_small_cells(page, found)


def _missing(page: Page, place: Place) -> None:
    st.header(say("flow.missing_header"))
    visits = queries.visits_missing(page.con, *place)
    if not visits:
        st.info(say("flow.none_missing", n=page.study.study.small_cell))
        return
    visit = st.segmented_control(
        say("flow.visit"), visits, required=True, default=visits[-1], key="visit",
        bind="query-params",
    )  # fmt: skip
    st.caption(say("flow.missing_caption"))
    found = queries.who_is_missing(page.con, *place, visit or visits[-1])
    show(page, charts.differences(found, page.theme), "who_is_missing")
    say_small_cells(page, found)
    alt = say("flow.alt_missing", visit=visit or visits[-1])
    table(page, found, "who_is_missing", "missing_table", alt, columns=_columns(_TRAITS))


def _implementation(page: Page) -> None:
    st.header(say("flow.implementation_header"))
    found = queries.implementation(page.con, page.study.sites)
    if found is None:
        st.info(say("flow.implementation_masked"))
        return
    st.caption(say("flow.implementation_caption"))
    shown = _columns(_TAKEN_UP)
    alt = say("flow.alt_implementation")
    shares = [name for name, kind in _TAKEN_UP.items() if kind == "share"]
    table(page, found, "implementation", "implementation", alt, shown, shares,
          column_order=list(shown))  # fmt: skip
    say_small_cells(page, found)


def _columns(kinds: dict[str, str]) -> dict[str, Any]:
    """Columns by name: `share` a bar in %, `number` with two decimals, `count`, else as is."""
    column = st.column_config
    made: dict[str, Any] = {}
    for name, kind in kinds.items():
        label = say(f"flow.{name}")
        if kind == "share":
            made[name] = column.ProgressColumn(label, format="%d %%", min_value=0, max_value=100)
        elif kind:
            form = "%.2f" if kind == "number" else "localized"
            made[name] = column.NumberColumn(label, format=form)
        else:
            made[name] = label
    return made


_MEAN = ("mean", "ci_low", "ci_high")
_TRAITS = {
    "trait": "",
    **{
        f"{answers}_{name}": kind
        for answers in ("complete", "incomplete")
        for name, kind in (("n", "count"), *dict.fromkeys(_MEAN, "number").items())
    },
    "standardised_difference": "number",
}
_TAKEN_UP = {
    "kind": "", "name": "", "participants": "count", "treated": "count", "reach": "share",
    "therapists": "count", "delivering": "count", "adoption": "share", "judged": "count",
    "by_protocol": "count", "fidelity": "share", "sessions_per_participant": "number",
    "attended_share": "share",
}  # fmt: skip

if __name__ == "__main__":
    open_page(words.say("pages.flow"), render, ["site"])
