"""One participant: what happened, day by day, did it help, and what is to do?"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import streamlit as st

from dashboard import lists, report, words
from dashboard.charts import minutes as minute_charts
from dashboard.charts import participant as charts
from dashboard.participant_events import Contacts, events_of, read_contacts
from dashboard.participant_facts import say_about, say_connection, say_facts
from dashboard.participant_tables import say_tables
from dashboard.parts import legend, show
from dashboard.queries import common
from dashboard.queries import minutes as minute_queries
from dashboard.queries import participant as queries
from dashboard.queries.asking import Answer
from dashboard.shell import Page, open_page
from dashboard.words import say
from warehouse.day_minutes import OutOfReach


def render(page: Page) -> None:
    """Who, what to know first, the days, one of them opened, and the rest on request."""
    who = _pick(page)
    if who is None:
        return
    scales = _scales(page)
    person = queries.facts(page.con, who, [scale["scale"] for scale in scales])
    st.header(who)
    say_facts(page, person, scales)
    say_about(page, person)
    say_connection(page, person)
    _story(page, person, scales)
    say_tables(page, person)
    report.button(page, who)


def _pick(page: Page) -> str | None:
    """The participant of the address (`?participant=`), else the first of the list."""
    asked = st.query_params.get("participant")
    if asked and not queries.known(page.con, asked):
        st.error(say("find.unknown"))  # what was asked is not repeated: anyone can write an address
        asked = None
    with st.container(horizontal=True, vertical_alignment="center"):
        listed = lists.choose(page)
        who = asked or (listed[0] if listed else None)
        if who is not None:
            lists.walk(listed, who)
    if who is None:
        is_queue = "queue" in st.query_params
        st.info(say("participant.nobody_listed" if is_queue else "participant.nobody"))
    return who


def _scales(page: Page) -> list[dict[str, Any]]:
    """The scales of the protocol's outcomes, in its order."""
    known = {scale["scale"]: scale for scale in common.scales(page.con)}
    return [known[one.scale] for one in page.study.outcomes if one.scale in known]


def _story(page: Page, person: Answer, scales: list[dict[str, Any]]) -> None:
    who = person.row["participant_id"]
    st.header(say("participant.story"))
    days = queries.days(page.con, who)
    if not len(days):
        st.info(say("participant.not_begun"))
        return
    told = read_contacts(page, who)
    story = _told_story(page, person, days, scales, told)
    legend(page.theme)
    st.caption(say("participant.key"))
    _say_events(page, story, told)
    key = f"timeline_{who}"  # another's chart is another widget: no day of theirs stays picked
    picked: dict[str, Any] = {"on_select": lambda: _open_picked(key, days), "selection_mode": "day"}
    show(page, charts.timeline(story, page.theme), key, **picked)
    _day(page, person, days)


def _told_story(
    page: Page, person: Answer, days: Answer, scales: list[dict[str, Any]], told: Contacts
) -> charts.Story:
    who = person.row["participant_id"]
    scores = queries.scores(page.con, who)
    changes = queries.changes(page.con, who)
    sessions = None if page.build["masked"] else queries.sessions(page.con, who)
    limits = {one.scale: one.reaches for one in page.study.work_list.limits}
    return charts.Story(
        days,
        queries.visits(page.con, who),
        scores,
        events_of(changes, sessions, told.rows, person.row["timezone"]),
        scales,
        {scale: at for scale, at in limits.items() if at is not None},
        _span(days, scores),
    )


def _say_events(page: Page, story: charts.Story, told: Contacts) -> None:
    """The signs that are drawn, how sources compare, and whether contacts could be read."""
    drawn = [kind for kind in charts.EVENTS if kind in story.events["kind"].to_pylist()]
    if drawn:
        kinds = ", ".join(say(f"participant.kind_{kind}") for kind in drawn)
        st.caption(say("participant.key_events", kinds=kinds))
    if "source" in drawn:
        used = sorted({one for one in story.days.column("source") if one})
        bridge = words.bridge(common.bridges(page.con, used))
        st.caption(say("participant.compare", bridge=bridge))
    if not told.readable:
        st.caption(say("participant.contacts_unreadable"))


def _span(days: Answer, scores: Answer) -> tuple[date, date]:
    """First and last day of every panel: all days and all answers, and a day after."""
    answered = [day for day in scores.column("answered_on") if day]
    every = [*days.column("activity_date"), *answered]
    return min(every), max(every) + timedelta(days=1)


def _open_picked(key: str, days: Answer) -> None:
    """Open the day whose bar was clicked."""
    picked = st.session_state[key]["selection"].get("day") or []
    by_number = dict(zip(days.column("study_day"), days.column("activity_date"), strict=True))
    on = by_number.get(picked[0].get("study_day")) if picked else None
    if on:
        _go_to(on)


def _go_to(on: date | None) -> None:
    if on is None:
        st.query_params.pop("day", None)
    else:
        st.query_params["day"] = on.isoformat()


def _day(page: Page, person: Answer, days: Answer) -> None:
    """One day opened (`?day=`): what the build says of it, then its minutes."""
    first, last = days.column("activity_date")[0], days.column("activity_date")[-1]
    on = _asked_day()
    inside = on is not None and first <= on <= last
    key = f"day_{person.row['participant_id']}_{on if inside else ''}"
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.date_input(
            say("participant.day"), value=on if inside else None, min_value=first, max_value=last,
            key=key, width=180, format="YYYY-MM-DD", help=say("participant.day_help"),
            on_change=lambda: _go_to(st.session_state[key]),
        )  # fmt: skip
        if on is not None:
            st.button(say("participant.close_day"), key="close_day", on_click=_go_to, args=[None])
    if on is None or not inside:
        if "day" in st.query_params:
            told = {"first": words.day(first), "last": words.day(last)}
            st.info(say("participant.day_outside", **told))
        return
    _open_day(page, person, on)


def _asked_day() -> date | None:
    """The day of the address; None where it is none."""
    try:
        return date.fromisoformat(st.query_params.get("day", ""))
    except ValueError:
        return None


def _open_day(page: Page, person: Answer, on: date) -> None:
    who, zone = person.row["participant_id"], person.row["timezone"]
    day = queries.day_of(page.con, who, on)
    row, wear = day.row, page.study.wear
    figures = {
        name: words.count(row[f"{name}_minutes" if name != "steps" else name])
        for name in ("steps", "moderate", "vigorous", "wear")
    }
    st.markdown(
        say("participant.day_said", day=words.day(on), study_day=row["study_day"],
            state=row["state"], worn=figures.pop("wear"), **figures)
    )  # fmt: skip
    paces = wear.moderate_cadence, wear.vigorous_cadence
    try:
        with page.register() as register:
            found = minute_queries.read(page.home.lake_url, register, who, day, zone, paces)
    except OutOfReach:
        st.info(say("participant.minutes_out_of_reach"))
        return
    if found is None:
        st.info(say("participant.minutes_none"))
        return
    if found.changed:
        st.caption(say("participant.minutes_changed"))
    chart = minute_charts.minutes(found, day, page.theme)
    show(page, chart, "minutes")
    st.caption(say("participant.minutes_caption", zone=zone, moderate=paces[0], vigorous=paces[1]))


if __name__ == "__main__":
    open_page(words.say("pages.participant"), render, ["site"])
