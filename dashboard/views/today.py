"""Today: can the data be trusted, who needs a person and why, whose answers help most."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pyarrow as pa
import streamlit as st

from dashboard import contact_panel, exports, rescue_panel, trust, words, worklist
from dashboard.charts import today as charts
from dashboard.parts import Figure, explained, figures, say_small_cells, show
from dashboard.queries import today as queries
from dashboard.queries.asking import Answer
from dashboard.queries.today import opened_file
from dashboard.shell import Page, is_phone, open_page
from dashboard.words import say
from dashboard.worklist import Person
from warehouse.contacts import contacts_since, last_contacts, owners, resting

ACTED_DAYS = 28
MOST_LISTED = 150  # nobody calls more in a day; the files have them all
MOST_ROWS = 8  # of the list at once; it scrolls
HEAD = 38
ROW_HEIGHT = 66  # three lines: from 65 pixels on a grid breaks its text into lines
PHONE_ROW = 106  # five


@dataclass(frozen=True)
class Found:
    """What Today asks of one build, for one filter; kept while it is the newest build."""

    sources: Answer
    held: Answer
    clusters: Answer
    figures: Answer
    items: Answer
    people: Answer
    load: Answer
    rescue: Answer
    rates: Answer
    rescue_list: Answer


@dataclass(frozen=True)
class Written:
    """What the register holds of the work list at this rerun."""

    rest: dict[tuple[str, str, str], dict[str, Any]]
    owners: dict[str, str]
    last: dict[str, dict[str, Any]]
    lately: list[dict[str, Any]]


def render(page: Page) -> None:
    """The verdict on the data, the counts, the list with its panel, rescue, and the load."""
    contact_panel.open_asked("open_listed", "open_rescued")
    found = _found(page)
    if not found.figures.row["enrolled"]:
        st.info(say("today.nobody_here"))
        return
    trust.render(page, found.sources, found.held, found.clusters)
    _figures(page, found)
    written = _written(page)
    _work(page, found, written)
    rescue_panel.render(page, found.rescue, found.rates, found.rescue_list)
    _load(page, found, written)


def _found(page: Page) -> Found:
    """Asked once for a build, a viewer's sites and a filter: the file does not change."""
    return _asked(page, (*opened_file(page.con), page.viewer.sites, page.site))


@st.cache_resource(max_entries=16, ttl=3600, show_spinner=False)
def _asked(_page: Page, key: tuple[object, ...]) -> Found:
    con, site = _page.con, _page.site
    return Found(
        queries.sources(con),
        queries.held(con, site),
        queries.clusters(con, site),
        queries.figures(con, site, _page.study.study.weeks),
        queries.items(con, site),
        queries.people(con, site),
        queries.load(con, site),
        queries.rescue(con, _labels(_page)),
        queries.rates(con, site),
        queries.rescue_list(con, site, _labels(_page)),
    )


def _labels(page: Page) -> dict[str, str]:
    sites = {site.code: site.label for site in page.study.sites}
    return {"all": words.KINDS["all"], **sites}


def _written(page: Page) -> Written:
    quiet = page.study.work_list.quiet_days
    with page.register() as register:
        return Written(
            resting(register, page.now.date(), quiet),
            owners(register),
            last_contacts(register),
            contacts_since(register, page.now - timedelta(days=ACTED_DAYS)),
        )


def _figures(page: Page, asked: Found) -> None:
    found = asked.figures.row
    n = {name: words.count(number) for name, number in found.items()}
    day, as_of = words.day(page.build["data_to"]), words.moment(page.build["as_of"])
    listed = [
        ("in_follow_up", n["in_follow_up"], {"expected": n["expected"], "day": day}),
        ("need_action", n["need_action"], {"day": day}),
        ("synced", words.ratio(found["synced"], found["expected"]),
         {"n": n["synced"], "expected": n["expected"], "as_of": as_of}),
        ("valid_days", words.ratio(found["valid_days"], found["eligible_days"]),
         {"part": n["valid_days"], "whole": n["eligible_days"], "expected": n["expected"]}),
        ("overdue", n["overdue"], {"day": day}),
    ]  # fmt: skip
    shown = [
        Figure(say(f"today.{name}"), value, say(f"today.help_{name}", **told))
        for name, value, told in listed
    ]
    fresh = say("today.sources_how"), asked.sources, "connection", "sources"
    figures(page, asked.figures, "work_item", "counts", shown, more=[fresh])


def _work(page: Page, found: Found, written: Written) -> None:
    st.header(say("today.list_header"))
    facts = {row["participant_id"]: row for row in found.people.rows}
    everybody = worklist.listed(found.items.rows, facts, written.rest, written.owners, written.last)
    with st.container(horizontal=True, vertical_alignment="center"):
        people = _pick_queue(_pick_owner(page, everybody))
    resting_now = found.figures.row["need_action"] - len(everybody)
    told = [say("today.listed", n=words.count(len(people)))]
    if resting_now:
        told.append(say("today.resting", n=words.count(resting_now)))
    if people:
        told.append(say("today.pick_row"))
    st.caption(" ".join(told))
    if not everybody:
        st.success(say("today.nobody"))
    elif not people:
        st.info(say("today.nobody_in_list"))
    chosen = _list(page, people)
    contact_panel.render(page, chosen, everybody)
    if people:
        _files(page, people)
    sync = say("today.how_people"), found.people, "participant_day", "people"
    explained(page, found.items, "work_item", "items", say("today.how_list"), more=[sync])


def _pick_owner(page: Page, people: list[Person]) -> list[Person]:
    """Those of one owner: of the address (`?owner=`); not asked while nobody owns anybody."""
    mine, nobodys = say("today.mine"), say("today.nobodys")
    names = sorted({one.owner for one in people if one.owner})
    if not names and "owner" not in st.query_params:
        return people
    label = st.selectbox(
        say("today.owner"), [say("today.any_owner"), mine, nobodys, *names], key="owner",
        label_visibility="collapsed", bind="query-params", width=168,
    )  # fmt: skip
    if label == mine:
        return [one for one in people if one.owner == page.viewer.name]
    if label == nobodys:
        return [one for one in people if one.owner is None]
    return [one for one in people if one.owner == label] if label in names else people


def _pick_queue(people: list[Person]) -> list[Person]:
    """Those of one queue, by pills with counts: the address has it (`?queue=`), else the last."""
    names = words.table("work_queues")
    count = {code: sum(one.first["queue"] == code for one in people) for code in names}
    asked = st.query_params.get("queue", st.session_state.get(contact_panel.LAST_QUEUE))
    label = st.pills(
        say("today.queue"), ["", *names], key="queue_pill", on_change=_keep_queue,
        label_visibility="collapsed", wrap=True, width="content",
        default=asked if asked in names else "",
        format_func=lambda code: (
            f"{names[code]} · {count[code]}" if code
            else f"{say('today.every_queue')} · {len(people)}"
        ),
    )  # fmt: skip
    st.session_state[contact_panel.LAST_QUEUE] = label
    return [one for one in people if not label or one.first["queue"] == label]


def _keep_queue() -> None:
    if picked := st.session_state["queue_pill"]:
        st.query_params["queue"] = picked
    else:
        st.query_params.pop("queue", None)


def _list(page: Page, people: list[Person]) -> str | None:
    """The list; the participant chosen in it, who stays chosen when others leave the list."""
    if not people:
        return st.session_state.get("today_chosen")
    shown = people[:MOST_LISTED]
    ids = [one.participant_id for one in shown]
    key = f"work_{hashlib.sha256(' '.join(ids).encode()).hexdigest()[:12]}"
    if len(people) > len(shown):
        st.caption(say("today.first_of", n=len(shown), all=words.count(len(people))))
    phone = is_phone()
    row = PHONE_ROW if phone else ROW_HEIGHT
    given = st.dataframe(
        worklist.rows(shown, page.site_label, brief=phone), key=key, hide_index=True,
        on_select="rerun", selection_mode="single-row", column_config=_columns(phone),
        column_order=_order(shown, phone), placeholder="", alt=say("today.alt_list"),
        row_height=row, height=row * min(len(ids), MOST_ROWS) + HEAD,
    )  # fmt: skip
    picked = given["selection"]["rows"]
    if picked:  # a place in this very list: another list has another key
        st.session_state["today_chosen"] = ids[picked[0]]
    elif st.session_state.get("today_list") == key:
        st.session_state.pop("today_chosen", None)
    st.session_state["today_list"] = key
    return st.session_state.get("today_chosen")


def _files(page: Page, people: list[Person]) -> None:
    def whole() -> pa.Table:
        return worklist.flat(worklist.rows(people, page.site_label))

    n = len(people)
    with st.container(horizontal=True, gap="small"):
        exports.button(
            page, say("today.download_list"), "today.csv", lambda: exports.to_csv(whole()), n
        )
        exports.button(
            page, say("today.download_excel"), "today.xlsx", lambda: exports.to_excel(whole()), n
        )


def _order(people: list[Person], phone: bool) -> list[str]:
    """The columns that tell something here, what is needed first on the left."""
    order = ["participant_id", *([] if phone else ["action"]), "why", "since", "study_day",
             "days_since_sync", "valid_days", "steps"]  # fmt: skip
    tells = {
        "owner": any(one.owner for one in people),
        "last_contact": any(one.last for one in people),
        "site": len({one.first["site"] for one in people}) > 1,
    }
    return [*order, *(name for name, anything in tells.items() if anything)]


def _columns(phone: bool) -> dict[str, Any]:
    column = st.column_config
    return {
        "participant_id": contact_panel.opener("open_listed"),
        "action": column.TextColumn(say("today.col_action"), width=124),
        "why": column.TextColumn(say("today.col_why"), width=244 if phone else 376),
        "since": column.DateColumn(say("today.col_since"), format="D MMM YYYY", width=98),
        "owner": column.TextColumn(say("today.col_owner"), width=100),
        "last_contact": column.TextColumn(say("today.col_last"), width=140),
        "site": column.TextColumn(say("today.col_site"), width=98),
        "study_day": column.NumberColumn(say("today.col_study_day"), width=84),
        "days_since_sync": column.NumberColumn(say("today.col_sync"), width=114),
        "valid_days": column.ProgressColumn(
            say("today.col_wear"), min_value=0, max_value=7, format="%d", width=110
        ),
        "steps": column.BarChartColumn(
            say("today.col_steps"), y_min=0, width=144, help=say("today.col_steps_help")
        ),
    }


def _load(page: Page, found: Found, written: Written) -> None:
    st.header(say("today.load_header"))
    if len(found.load):
        st.caption(say("today.load_caption"))
        show(page, charts.load(found.load, page.theme), "load")
        say_small_cells(page, found.load)
    else:
        several = page.viewer.sites and page.site is None
        st.info(say("today.load_choose" if several else "today.load_none"))
    _acted_on(page, found, written)


def _acted_on(page: Page, found: Found, written: Written) -> None:
    mine = queries.known(page.con, page.site)
    calls = [row for row in written.lately if row["participant_id"] in mine
             and row["outcome"] != "snoozed"]  # fmt: skip
    called = {row["participant_id"] for row in calls}
    times = {(row["participant_id"], row["at"]) for row in calls}
    follow = found.figures.row["in_follow_up"]
    per_100 = f"{100 * len(times) / follow:.1f}" if follow else words.NOTHING
    st.markdown(say("today.acted", days=ACTED_DAYS, people=words.count(len(called)),
                    contacts=words.count(len(times)), per_100=per_100))  # fmt: skip
    open_now = set(found.items.column("participant_id"))
    if open_now:
        both, whole = len(open_now & called), len(open_now)
        st.markdown(say("today.acted_share", listed=words.count(whole), days=ACTED_DAYS,
                        contacted=words.count(both), share=words.ratio(both, whole)))  # fmt: skip


if __name__ == "__main__":
    open_page(say("pages.today"), render, filters=("site",))
