"""Participants: everybody at a glance, worst first, and the way to each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import streamlit as st

from dashboard import words
from dashboard.exports import download
from dashboard.packing import packed
from dashboard.parts import Figure, explained, figures
from dashboard.queries import participants as queries
from dashboard.queries.asking import Answer
from dashboard.queries.participants import Filters
from dashboard.shell import Page, open_page

LONGEST_SEARCH = 40
MOST_LISTED = 500  # at once; whom to act on stands first, and the file has everybody
KEYS = ("connection", "day_state", "overdue", "search")
# Sign and word tell the state; the colour only helps to find it.
_COLOURS = {
    "active": "green", "revoked": "red", "expired": "red", "scope_missing": "orange",
    "wrong_account": "orange", "not_linked": "orange", "retired": "gray",
    "never_connected": "red",
    "received": "green", "part": "blue", "due": "blue", "overdue": "orange", "missed": "red",
    "not_due": "gray", "outside_study": "gray",
}  # fmt: skip


def render(page: Page) -> None:
    """How many stand how, the filters, the list."""
    found = queries.counts(page.con, page.site)
    if not found.row["participants"]:
        st.info(words.say("participants.nobody"))
        return
    _counts(page, found)
    st.caption(words.say("participants.lead"))
    filters = _filters(page)
    grid = queries.grid(page.con, filters)
    shown, every = words.count(len(grid)), words.count(found.row["participants"])
    cut = words.say("participants.first", most=MOST_LISTED) if len(grid) > MOST_LISTED else ""
    st.markdown(f"{words.say('participants.showing', shown=shown, all=every)} {cut}")
    if not len(grid):
        st.info(words.say("participants.nobody_left"))
        st.button(words.say("participants.clear"), key="clear_filters", on_click=_clear)
        return
    _list(page, grid)


def _counts(page: Page, found: Answer) -> None:
    as_of = words.moment(page.build["as_of"])
    named = {"overdue": "overdue_people"}
    listed = [
        Figure(
            words.say(f"participants.{named.get(name, name)}"),
            words.count(number),
            words.say(
                "participants.help_count",
                what=words.say(f"participants.what_{named.get(name, name)}"),
                n=words.count(found.row["participants"]), as_of=as_of,
            ),
        )
        for name, number in found.row.items()
        if name != "participants"
    ]  # fmt: skip
    figures(page, found, "participant", "counts", listed)


def _filters(page: Page) -> Filters:
    """What the list is narrowed to; each is kept in the address and across pages."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        return Filters(
            site=page.site,
            connection=_one_of("connection", words.table("connection_marks")),
            day_state=_one_of("day_state", words.STATES),
            search=st.text_input(
                words.say("participants.search"), key="search", max_chars=LONGEST_SEARCH,
                bind="query-params", persist_state="session", width=220,
            ).strip(),
            overdue=st.toggle(
                words.say("participants.overdue"), key="overdue",
                bind="query-params", persist_state="session",
            ),
        )  # fmt: skip


def _one_of(name: str, known: Mapping[str, str]) -> str | None:
    """The code chosen of `known`, or None for any; the address has its words."""
    codes = {words.say("participants.any"): None, **{told: code for code, told in known.items()}}
    told = st.selectbox(
        words.say(f"participants.{name}"), list(codes), key=name,
        bind="query-params", persist_state="session", width=220,
    )  # fmt: skip
    return codes[told] if told else None


def _clear() -> None:
    empty = dict(zip(KEYS, (words.say("participants.any"),) * 2 + (False, ""), strict=True))
    st.session_state.update(empty)


def _list(page: Page, grid: Answer) -> None:
    visits = queries.visits(page.con)
    chosen = st.dataframe(
        for_reading(page, grid.table.slice(0, MOST_LISTED)),
        key="grid", hide_index=True, on_select="rerun", selection_mode="single-row",
        column_config=_columns(visits), placeholder="", height=560,
        alt=words.say("participants.alt_grid"),
    )  # fmt: skip
    download(page, grid.table, "participants")
    explained(page, grid, "participant", "grid", words.say("common.how_computed"), numbers=False)
    if rows := chosen["selection"]["rows"]:
        who = grid.column("participant_id")[rows[0]]
        st.switch_page("views/participant.py", query_params={"participant": who})


def for_reading(page: Page, grid: pa.Table) -> pa.Table:
    """The same rows for people: names of sites and states, shares in percent."""
    labels = {site.code: site.label for site in page.study.sites}
    shown = _told(grid, "site", labels, chips=False)
    shown = _told(shown, "last_day", words.STATES, chips=False)
    shown = _told(shown, "connection", words.table("connection_marks"))
    for name in grid.column_names:
        if name.startswith("visit_"):
            shown = _told(shown, name, words.table("visit_marks"))
    at = shown.column_names.index("wear_adherence")
    percent = pc.round(pc.multiply(shown.column(at), 100))
    return packed(shown.set_column(at, "wear_adherence", percent))


def _told(grid: pa.Table, name: str, known: Mapping[str, str], chips: bool = True) -> pa.Table:
    """A column of codes in words; as chips each is a list of one, which the grid colours."""
    at = grid.column_names.index(name)
    told = [None if code is None else known.get(code, code) for code in grid[name].to_pylist()]
    cells = [None if one is None else [one] for one in told] if chips else told
    kind = pa.list_(pa.dictionary(pa.int8(), pa.string())) if chips else pa.string()
    return grid.set_column(at, name, pa.array(cells, kind))


def _columns(visits: dict[str, str]) -> dict[str, Any]:
    """How each column of the list is headed and drawn."""
    make = st.column_config
    drawn: dict[str, Any] = {
        "participant_id": make.TextColumn(_head("participant_id"), pinned=True),
        "connection": _chips(_head("connection"), "connection_marks"),
        "synced_at": make.DatetimeColumn(_head("synced_at"), format="D MMM YYYY, HH:mm"),
        "valid_days_of_7": make.ProgressColumn(
            _head("valid_days_of_7"), format=words.say("participants.format_of_7"),
            min_value=0, max_value=7, help=words.say("participants.help_valid_days_of_7"),
        ),
        "worn_hours": make.NumberColumn(
            _head("worn_hours"), format="%.1f", help=words.say("participants.help_worn_hours")
        ),
        "wear_adherence": make.NumberColumn(_head("wear_adherence"), format="%.0f %%"),
        "goal_days_met": make.NumberColumn(
            _head("goal_days_met"), help=words.say("participants.help_goal_days_met")
        ),
    }  # fmt: skip
    plain = ("next_step", "site", "study_days", "days_since_sync", "last_day", "valid_days",
             "eligible_days", "goal_steps", "goal_days_of_14")  # fmt: skip
    drawn |= {name: _head(name) for name in plain}
    return drawn | {f"visit_{code}": _chips(label, "visit_marks") for code, label in visits.items()}


def _chips(label: str, table: str) -> Any:
    marks = words.table(table)
    colours = [_COLOURS[code] for code in marks]
    return st.column_config.MultiselectColumn(label, options=list(marks.values()), color=colours)


def _head(name: str) -> str:
    return words.say(f"participants.column_{name}")


if __name__ == "__main__":
    open_page(words.say("pages.participants"), render, ["site"])
