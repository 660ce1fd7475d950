"""The study: its protocol as text, its rules and limits, who may do what, and the audit trail."""

from __future__ import annotations

from datetime import date
from functools import partial
from typing import Any

import pyarrow as pa
import streamlit as st

from dashboard import exports, protocol, words
from dashboard.access import may
from dashboard.participant_events import hides_goals
from dashboard.parts import explained
from dashboard.queries import study as queries
from dashboard.shell import Page, open_page
from dashboard.texts import text_table
from warehouse.rights import RIGHTS
from warehouse.study import Study

PARTS = ("protocol", "rules", "amendments", "people", "audit")


def render(page: Page) -> None:
    text = page.home.study_path.read_text(encoding="utf-8")
    part = st.radio(
        words.say("study.parts"), PARTS, key="part", horizontal=True, bind="query-params",
        format_func=lambda name: words.say(f"study.part_{name}"),
    )  # fmt: skip
    shown = {
        "protocol": _protocol,
        "rules": _rules,
        "amendments": _amendments,
        "people": _people,
        "audit": _audit,
    }
    shown[part or "protocol"](page, text)


def _protocol(page: Page, text: str) -> None:
    study = page.study
    st.caption(words.say("study.source"))
    same = study.digest == page.build["protocol_hash"]
    (st.caption if same else st.warning)(words.say("study.same" if same else "study.changed"))
    _listed("the_study", protocol.settings(study, "study", text))
    _listed("arms", protocol.arms(study, text))
    _listed("sites", protocol.sites(study, text))
    _listed("visits", protocol.visits(study, text), "visits_note")
    st.header(words.say("study.outcomes"))
    st.caption(words.say("study.outcomes_note"))
    named = {outcome.scale: _visits(study, outcome.visits) for outcome in study.outcomes}
    found = queries.outcomes(page.con, named)
    columns = words.table("study_outcomes")
    rows = [{columns[name]: protocol.written(value) for name, value in row.items()}
            for row in found.rows]  # fmt: skip
    text_table(rows, words.say("study.outcomes_alt"))
    explained(page, found, "scale", "study_outcomes", words.say("common.how_computed"))
    _listed("cohorts", protocol.cohorts(study, text), none="no_cohorts")
    st.header(words.say("study.safety"))
    st.caption(words.say("study.safety_note"))
    for event in study.safety_events:
        st.write(words.say("study.events", **{**vars(event), "at_least": f"{event.at_least:g}"}))
    if not study.safety_events:
        st.write(words.say("study.no_safety"))


def _visits(study: Study, codes: list[str]) -> str:
    return ", ".join(visit.label for visit in study.visits if visit.code in codes)


def _rules(page: Page, text: str) -> None:
    st.caption(words.say("study.source"))
    for section in protocol.sections(page.study):
        if section != "study":
            st.header(words.say(f"study_sections.{section}"))
            text_table(protocol.settings(page.study, section, text), section)


def _amendments(page: Page, text: str) -> None:
    _listed("part_amendments", protocol.amendments(page.study, text), none="no_amendments")


def _people(page: Page, text: str) -> None:
    _listed("roles", protocol.roles(page.study, text), "roles_note")
    allowed = [
        {words.say("study.may"): name, words.say("study.what"): RIGHTS[name]} for name in RIGHTS
    ]
    _listed("rights", allowed)
    st.header(words.say("study.people"))
    if not may(page.viewer, "staff"):
        st.info(words.say("study.people_hidden"))
        return
    st.write(words.say("study.people_note"))
    with page.register() as register:
        people = queries.people(register)
    if people.num_rows:
        _frame(people, "study.people_alt", "people", {"sites": words.say("study.every_site")})
    else:
        st.info(words.say("study.no_people"))


def _audit(page: Page, _: str) -> None:
    st.header(words.say("study.part_audit"))
    if not may(page.viewer, "audit"):
        st.info(words.say("study.audit_hidden", role=page.viewer.role))
        return
    st.caption(words.say("study.audit_note"))
    with page.register() as register:
        lines = queries.audit_lines(register, _asked(page, queries.kinds_of_change(register)))
    if not lines.num_rows:
        st.info(words.say("study.audit_none"))
        return
    if lines.num_rows > queries.MOST_LINES:
        most = words.say("study.audit_most", n=queries.MOST_LINES, all=words.count(lines.num_rows))
        st.caption(most)
    _frame(lines.slice(0, queries.MOST_LINES), "study.audit_alt", "audit_lines", {})
    csv = partial(exports.to_csv, lines)
    exports.button(page, words.say("study.audit_csv"), "audit.csv", csv, lines.num_rows)


def _asked(page: Page, kinds: list[str]) -> queries.Asked:
    """What the filters of the audit trail say."""
    every = words.say("study.audit_any")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        what = st.selectbox(
            words.say("study.audit_what"), [every, *kinds], key="what", bind="query-params",
            width=240,
        )  # fmt: skip
        who = _typed("who", "study.audit_who")
        search = _typed("find", "study.audit_search")
        first = _day("first", "study.audit_from")
        last = _day("last", "study.audit_to")
    viewer = page.viewer
    scoped = queries.participants(page.con) if viewer.sites else None
    if viewer.sites:
        st.caption(words.say("study.audit_scoped"))
    chosen = None if what in (None, every) else what
    goals = not hides_goals(page)
    if not goals:
        st.caption(words.say("study.audit_no_goals"))
    own = f"{viewer.name}, {viewer.role}"
    return queries.Asked(chosen, who, search, first, last, scoped, own, goals)


def _typed(key: str, label: str) -> str:
    return st.text_input(words.say(label), max_chars=100, key=key, bind="query-params", width=220)


def _day(key: str, label: str) -> date | None:
    chosen = st.date_input(
        words.say(label), value=None, key=key, bind="query-params", format="YYYY-MM-DD", width=150
    )
    return chosen if isinstance(chosen, date) else None


def _listed(title: str, rows: protocol.Rows, note: str = "", none: str = "") -> None:
    st.header(words.say(f"study.{title}"))
    if note:
        st.caption(words.say(f"study.{note}"))
    if rows:
        text_table(rows, title)
    else:
        st.write(words.say(f"study.{none}"))


def _column(name: str, label: str) -> Any:
    if name in ("at", "since"):
        return st.column_config.DatetimeColumn(label, timezone="UTC", format="D MMM YYYY, HH:mm")
    return label


def _frame(lines: pa.Table, alt: str, key: str, blanks: dict[str, str]) -> None:
    """Lines of the register; a blank stands for what `blanks` says of its column."""
    filled = [
        lines[name].fill_null(blanks[name]) if name in blanks else lines[name]
        for name in lines.column_names
    ]
    st.dataframe(
        pa.table(filled, names=lines.column_names), hide_index=True, placeholder="", key=key,
        alt=words.say(alt),
        column_config={
            name: _column(name, words.say(f"study_columns.{name}")) for name in lines.column_names
        },
    )  # fmt: skip


if __name__ == "__main__":
    open_page(words.say("pages.study"), render)
