"""Outcomes: does it help, whom, and does it go with walking?"""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboard import words
from dashboard.charts import dots
from dashboard.charts import outcomes as charts
from dashboard.parts import Figure, explained, figures, say_small_cells, show
from dashboard.queries import common
from dashboard.queries import outcomes as queries
from dashboard.queries.asking import Answer, Rows
from dashboard.shell import Page, open_page

say = words.say
Scale = dict[str, Any]


def render(page: Page) -> None:
    """One scale at a time: by visit, responders, each participant, beside activity, by group."""
    scale = _pick_scale(page)
    if scale is None:
        st.info(say("outcomes.no_scale"))
        return
    found = queries.outcomes(page.con, page.cohort, scale["scale"])
    if not len(found):
        st.info(say("outcomes.nothing_yet"))
        return
    st.caption(say("outcomes.descriptive"))
    _figures(page, found, scale)
    left, right = st.columns(2)
    with left:
        st.header(say("outcomes.by_visit", scale=scale["label"]))
        st.caption(_of_scale(scale))
        show(page, charts.visit_means(found, scale, page.theme), "means")
    with right:
        st.header(say("outcomes.responders_title"))
        st.caption(say("outcomes.responders_about", threshold=words.threshold(scale)))
        show(page, charts.responders(found, scale, page.theme), "responders")
    say_small_cells(page, found)
    _thresholds(page, scale)
    _each(page, scale)
    _beside_activity(page, scale)
    _groups(page, scale)
    _wear_rules(page)


def _pick_scale(page: Page) -> Scale | None:
    """The scale of the address (`?scale=`), else the first of the protocol."""
    known = {scale["scale"]: scale for scale in common.scales(page.con)}
    listed = {known[item.scale]["label"]: known[item.scale]
              for item in page.study.outcomes if item.scale in known}  # fmt: skip
    if not listed:
        return None
    label = st.segmented_control(
        say("outcomes.scale"), list(listed), default=next(iter(listed)), required=True,
        key="scale", bind="query-params", persist_state="session",
    )  # fmt: skip
    return listed[label] if label else next(iter(listed.values()))


def _figures(page: Page, found: Any, scale: Scale) -> None:
    """The newest scheduled visit at which a change can be told."""
    judged = [row for row in found.rows if row["week"] and row["mean_improvement"] is not None]
    if not judged:
        st.markdown(say("outcomes.none_judged"))
        return
    row = judged[-1]
    at, unit = row["visit"], say("outcomes.points")
    n = say("outcomes.n_changed", n=words.count(row["changed"]), visit=at)
    ends = _interval(row, "improvement", "{:+.1f}")
    answered = say("outcomes.n_expected", n=words.count(row["expected"]), visit=at)
    told = [
        Figure(say("outcomes.fig_answered", visit=at),
               f"{words.count(row['received'])}\u202f/\u202f{words.count(row['expected'])}",
               answered),
        Figure(say("outcomes.fig_improvement", visit=at), f"{row['mean_improvement']:+.1f} {unit}",
               f"{n} {ends} {say('outcomes.up_is_better')}"),
    ]  # fmt: skip
    if row["evaluable"]:
        share = _interval(row, "responder", "{:.0%}")
        told.append(
            Figure(say("outcomes.fig_responders", visit=at),
                   f"{row['responders']}\u202f/\u202f{row['evaluable']} "
                   f"({words.share(row['responder_share'])})",
                   f"{share} {say('outcomes.responders_about', threshold=words.threshold(scale))}")
        )  # fmt: skip
    figures(page, found, "cohort_outcome", "outcome_figures", told)


def _interval(row: dict[str, Any], name: str, form: str) -> str:
    low, high = row[f"{name}_ci_low"], row[f"{name}_ci_high"]
    if low is None:
        return say("outcomes.no_interval")
    return say("outcomes.interval", low=form.format(low), high=form.format(high))


def _of_scale(scale: Scale) -> str:
    return say("outcomes.of_scale", low=f"{scale['low']:g}", high=f"{scale['high']:g}",
               direction=words.direction(scale["better"]))  # fmt: skip


def _thresholds(page: Page, scale: Scale) -> None:
    """Where the scale has more thresholds than one: the same by each of them."""
    found = queries.thresholds(page.con, page.cohort, scale["scale"])
    if len(set(found.column("rule"))) < 2:
        return
    st.header(say("outcomes.thresholds_title"))
    st.caption(say("outcomes.thresholds_about"))
    show(page, charts.thresholds(found, scale, page.theme), "thresholds")
    say_small_cells(page, found)


def _each(page: Page, scale: Scale) -> None:
    visits = queries.judged_visits(page.con, page.cohort, scale["scale"])
    if not visits:
        return
    st.header(say("outcomes.each_title"))
    labels = {row["label"]: row["visit"] for row in visits}
    chosen = st.segmented_control(
        say("outcomes.visit"), list(labels), default=list(labels)[-1], required=True,
        key="visit", bind="query-params",
    )  # fmt: skip
    visit = labels[chosen or list(labels)[-1]]
    n = next(row["changed"] for row in visits if row["visit"] == visit)
    if together := n > queries.MOST_BARS:
        people = queries.improvements_together(page.con, page.cohort, scale, visit)
    else:
        people = queries.improvements(page.con, page.cohort, scale["scale"], visit)
    about = "outcomes.together_about" if together else "outcomes.each_about"
    st.caption(say(about, threshold=words.threshold(scale), n=words.count(n)))
    show(page, charts.waterfall(people, scale, page.theme), "waterfall")
    sessions = queries.by_sessions(page.con, page.cohort, scale["scale"], visit)
    if sessions is None:
        st.caption(say("outcomes.sessions_hidden"))
        return
    st.header(say("outcomes.sessions_title"))
    _say_cells(sessions)
    show(page, dots.by_sessions(sessions, page.theme), "sessions")


def _beside_activity(page: Page, scale: Scale) -> None:
    st.header(say("outcomes.activity_title"))
    st.caption(say("outcomes.activity_about", days=page.study.activity_before_visit.days))
    found = queries.slopes(page.con, page.cohort, scale["scale"])
    by_part = {row["part"]: row for row in found.rows}
    left, right = st.columns(2)
    with left:
        visits = queries.within(page.con, page.cohort, scale["scale"])
        st.markdown(_slope(by_part.get("within"), "within"))
        if len(visits):
            line = by_part.get("within")
            drawn = line if line and line["slope"] is not None else None
            _say_cells(visits)
            show(page, dots.within(visits, drawn, page.theme), "within")
    with right:
        people = queries.between(page.con, page.cohort, scale["scale"])
        st.markdown(_slope(by_part.get("between"), "between"))
        if len(people):
            _say_cells(people)
            show(page, dots.between(people, scale, page.theme), "between")
    if len(found):
        explained(page, found, "activity_slope", "slopes", say("outcomes.slopes_how"))


def _say_cells(drawn: Answer) -> None:
    if dots.in_cells(drawn):
        st.caption(say("outcomes.cells"))


def _slope(row: dict[str, Any] | None, part: str) -> str:
    name = say(f"outcomes.{part}")
    if row is None or row["slope"] is None:
        return say("outcomes.no_slope", part=name)
    return say("outcomes.slope", part=name, slope=f"{row['slope']:+.2f}",
               interval=_interval(row, "slope", "{:+.2f}"), n=words.count(row["participants"]),
               visits=words.count(row["visits"]))  # fmt: skip


def _groups(page: Page, scale: Scale) -> None:
    """The subgroup of the study side by side; the arms too, where the open file has them."""
    labels = {"yes": say("outcomes.yes"), "no": say("outcomes.no")}
    _group(page, scale, "depression_or_anxiety", labels)
    _group(page, scale, "arm", {arm.code: arm.label for arm in page.study.arms})


def _group(page: Page, scale: Scale, kind: str, labels: dict[str, str]) -> None:
    found = queries.side_by_side(page.con, kind, scale["scale"], labels)
    if kind == "arm" and not len(found):
        st.caption(say("outcomes.arms_hidden"))
        return
    st.header(say(f"outcomes.by_{kind}"))
    if not len(found):
        st.markdown(say("outcomes.no_group"))
        return
    st.caption(say("outcomes.group_about", scale=scale["label"]) + " " + _of_scale(scale))
    show(page, charts.side_by_side(found, scale, kind, page.theme), f"by_{kind}")
    say_small_cells(page, found)


def _wear_rules(page: Page) -> None:
    rules = queries.wear_rules(page.con)
    st.header(say("outcomes.rules_title"))
    if not len(rules):
        st.markdown(say("outcomes.no_rules"))
        return
    st.caption(say("outcomes.rules_about"))
    st.markdown(_moved(rules.rows))
    with st.expander(say("outcomes.rules_open"), key="about_rules_open", on_change="rerun") as box:
        if box.open:
            for name in ("steps_change", "slope"):
                title = say(f"outcomes.rules_{name}")
                show(page, charts.wear_rules(rules, name, title, page.theme), f"rules_{name}")


def _moved(rules: Rows) -> str:
    """Which rules, if any, move a conclusion."""
    names = ("steps_change_changes", "slope_changes")
    moved = [row["rule"] for row in rules if any(row[name] for name in names)]
    if not moved:
        return say("outcomes.rules_same", n=len(rules) - 1)
    return say("outcomes.rules_move", rules="; ".join(moved))


if __name__ == "__main__":
    open_page(say("pages.outcomes"), render, ["cohort"])
