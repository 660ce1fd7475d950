"""One participant: what happened, day by day, and did it help?"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import streamlit as st

from dashboard import words
from dashboard.charts import participant as charts
from dashboard.exports import download
from dashboard.parts import legend, show
from dashboard.queries import common
from dashboard.queries import participant as queries
from dashboard.queries.asking import Answer
from dashboard.shell import Page, open_page


def render(page: Page) -> None:
    """Who, their connection, the days with their visits, each outcome under the same days."""
    who = _pick(page)
    if who is None:
        return
    person = queries.person(page.con, who)
    _facts(page, person)
    _connection(page, person)
    _story(page, who)
    _tables(page, who)


def _pick(page: Page) -> str | None:
    """The participant of the address (`?participant=`), else the first of the cohort."""
    known = common.participants(page.con, common.Cohort()).column("participant_id")
    asked = st.query_params.get("participant")
    if asked and asked not in known:
        # What was asked is not repeated: it came from an address anyone can write.
        st.error("No participant of that name in the part of the study you may see.")
    listed = common.participants(page.con, page.cohort).column("participant_id")
    if not listed:
        st.info("No participants here yet.")
        return None
    if asked in known and asked not in listed:
        st.info(f"{asked} is not in this cohort; choose Everyone to see them.")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        who = _choose(listed, asked)
        at = listed.index(who)
        _step("Previous", listed, at - 1)
        _step("Next", listed, at + 1)
    st.caption(f"{at + 1} of {len(listed)}, worst first.")
    return who


def _choose(listed: list[str], asked: str | None) -> str:
    """The box of participants, bound to the address, which always names the one shown."""
    if st.session_state.get("participant", asked) not in listed:
        st.session_state["participant"] = listed[0]
    who = st.selectbox(
        "Participant",
        listed,
        index=None,
        required=True,
        key="participant",
        bind="query-params",
        width=160,
    )
    return who or listed[0]


def _step(label: str, listed: list[str], to: int) -> None:
    inside = 0 <= to < len(listed)
    st.button(
        label,
        disabled=not inside,
        key=label.lower(),
        on_click=_go,
        args=[listed[to] if inside else ""],
    )


def _go(participant_id: str) -> None:
    st.session_state["participant"] = participant_id


def _facts(page: Page, person: dict[str, Any]) -> None:
    with st.container(horizontal=True, gap="medium"):
        st.metric("Study day", words.count(person["study_days"]), width="content")
        st.metric("Wear adherence", words.share(person["wear_adherence"]), width="content")
        observed = words.share(person["goal_adherence_observed"])
        st.metric("Goal met, observed", observed, width="content")
        st.metric("Goal met, strict", words.share(person["goal_adherence_strict"]), width="content")
        st.metric("Steps a valid day", words.whole(person["steps_per_day"]), width="content")
    st.markdown(words.denominators(queries.person_figures(page.con, person["participant_id"])))
    site = next((s.label for s in page.study.sites if s.code == person["site"]), person["site"])
    lines = [f"Site {site}", f"study day 1 on {words.day(person['starts_on'])}"]
    if person["withdrawn_on"]:
        lines.append(f"withdrawn on {words.day(person['withdrawn_on'])}")
    if pause := words.pause(person["paused_from"], person["paused_to"]):
        lines.append(pause)
    if arm := person.get("arm"):
        lines.append(f"arm {next((a.label for a in page.study.arms if a.code == arm), arm)}")
    st.markdown(", ".join(lines) + ".")


def _connection(page: Page, person: dict[str, Any]) -> None:
    zone = person["timezone"]
    links = queries.connections(page.con, person["participant_id"])
    if not links:
        st.warning("Never connected: no source has been linked for this participant.")
    for link in links:
        state = words.CONNECTIONS.get(link["state"], link["state"])
        text = f"**{link['source']}: {state}** since {words.moment(link['since'], zone)}"
        if link["next_step"]:
            st.warning(f"{text}. Next step: {link['next_step']}")
        else:
            st.markdown(f"{text}; last sync {words.moment(link['synced_at'], zone)}.")
    for device in queries.devices(page.con, person["participant_id"]):
        battery = "" if device["battery_pct"] is None else f", battery {device['battery_pct']} %"
        st.caption(
            f"Device {device['device_model'] or 'of unknown model'}: last sync "
            f"{words.moment(device['last_sync_at'], zone)}{battery} (times in {zone})."
        )


def _story(page: Page, who: str) -> None:
    st.header("Day by day")
    days, visits = queries.days(page.con, who), queries.visits(page.con, who)
    scores = queries.scores(page.con, who)
    if not len(days):
        st.info("Study day 1 has not come yet.")
        return
    legend(page.theme)
    st.caption(
        "Dashed line: step goal. Lighter: may still change. A low flat bar: steps not known. "
        "0: known, no steps. On top: visit windows; dotted: their target days. "
        "An implausible day may be cut at the top."
    )
    span = _span(days, scores)
    changes = queries.source_changes(page.con, who)
    show(page, charts.timeline(days, visits, changes, span, page.theme), "days")
    if len(changes):
        used = sorted({*changes.column("source"), *changes.column("was")})
        st.caption(
            "Solid line: another source begins; compare across it with care. "
            + words.bridge(common.bridges(page.con, used))
        )
    known = {scale["scale"]: scale for scale in common.scales(page.con)}
    for scale in (known[item.scale] for item in page.study.outcomes if item.scale in known):
        st.subheader(f"{scale['label']} ({words.direction(scale['better'])})")
        rows = queries.scores(page.con, who, scale["scale"])
        chart = charts.score_line(rows, visits, scale, span, page.theme)
        st.vega_lite_chart(chart.spec, alt=chart.alt, key=f"score_{scale['scale']}")
    st.caption("Band: baseline plus or minus the MCID; a score beyond it is a change that matters.")


def _span(days: Answer, scores: Answer) -> tuple[date, date]:
    """First and last day of every chart: all days and all answers, and a day after."""
    answered = [day for day in scores.column("answered_on") if day]
    every = [*days.column("activity_date"), *answered]
    return min(every), max(every) + timedelta(days=1)


def _tables(page: Page, who: str) -> None:
    st.header("Outcomes by visit")
    scores = queries.scores(page.con, who)
    st.dataframe(
        scores.table.drop_columns(["scale", "band_low", "band_high"]),
        hide_index=True,
        column_config=_COLUMNS,
        placeholder="",
        alt="Outcomes by scale and visit",
    )
    download(page, scores.table, f"outcomes_{who}")
    sessions = queries.sessions(page.con, who)
    if sessions is not None:
        st.header("Treatment sessions")
        st.dataframe(sessions.table, hide_index=True, alt="Treatment sessions")


_SCORE = st.column_config.NumberColumn
_DAY = st.column_config.DateColumn
_COLUMNS: dict[str, Any] = {
    "visit": "Visit",
    "label": "Outcome",
    "status": "Status",
    "target_on": _DAY("Target", format="D MMM YYYY"),
    "answered_on": _DAY("Answered", format="D MMM YYYY"),
    "score": _SCORE("Score", format="%.1f"),
    "baseline_score": _SCORE("Baseline", format="%.1f"),
    "score_change": _SCORE("Change", format="%+.1f"),
    "improvement": _SCORE("Improvement", format="%+.1f"),
    "is_responder": "Responder",
    "not_evaluable": "Why not judged",
}

if __name__ == "__main__":
    open_page(words.say("pages.participant"), render, ["cohort"])
