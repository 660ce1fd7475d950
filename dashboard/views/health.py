"""Data quality: can I trust what came? Of the whole study; nobody is named here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import streamlit as st

from dashboard import words
from dashboard.charts import health as charts
from dashboard.exports import download
from dashboard.parts import show
from dashboard.queries import health as queries
from dashboard.queries.asking import Answer, Con
from dashboard.shell import Page, open_page


@dataclass(frozen=True)
class Listing:
    """A table of the page: what it asks, what it says, and what an empty one means."""

    title: str
    name: str
    rows: Callable[[Con], Answer]
    meaning: str
    empty: str


LISTINGS = (
    Listing(
        "Pulls that failed",
        "failures",
        queries.failures,
        "By reason. The vendor's and our own faults are never counted against a participant.",
        "No pull failed.",
    ),
    Listing(
        "Refused data points",
        "refusals",
        queries.refusals,
        "Received, and not landed, each with its reason; the raw reply is kept.",
        "Nothing was refused.",
    ),
    Listing(
        "Implausible days",
        "implausible",
        queries.implausible,
        "Landed and flagged by the protocol's bounds; nothing is dropped.",
        "No day is implausible.",
    ),
    Listing(
        "Days that changed after they had landed",
        "late_changes",
        queries.late_changes,
        "The vendor's newest word counts; what it replaced stays on record (`ops.revision`).",
        "No day has changed.",
    ),
    Listing(
        "Sources compared",
        "bridges",
        queries.bridges,
        "Days that two sources both have: mean difference and limits of agreement.",
        "No day is in two sources.",
    ),
    Listing(
        "Changes of the vendors' replies",
        "drift",
        queries.drift,
        "Fields and values that the vendor's published contract does not have: tolerated, counted.",
        "Replies are as the vendors publish them.",
    ),
    Listing(
        "Checks of this build",
        "checks",
        queries.checks,
        "A build that fails one is never published.",
        "No check is on record.",
    ),
)


def render(page: Page) -> None:
    """Sources, what became of the pulls, then each kind of trouble with its count."""
    st.caption("Of the whole study, whichever cohort is chosen. Days of pulls are UTC days.")
    _sources(page)
    _pulls(page)
    for listing in LISTINGS:
        _list(page, listing)


def _sources(page: Page) -> None:
    st.header("Sources")
    found = queries.sources(page.con)
    if not len(found):
        st.info("No source is connected yet: `stepwell connect`, or `stepwell import`.")
        return
    st.dataframe(
        found.table, hide_index=True, column_config=_COLUMNS, alt="Freshness of each source"
    )
    waiting = sum(found.column("need_a_step"))
    if waiting:
        st.markdown(f"Connections that need a step: {words.count(waiting)}; see Participant.")


def _pulls(page: Page) -> None:
    st.header("What became of each pull")
    days = queries.pulls_by_day(page.con)
    if not len(days):
        st.info("Nothing was pulled in the last 30 days.")
        return
    total = {name: sum(days.column(name)) for name in ("received", "landed", "rejected")}
    st.caption(
        f"Data points of the last 30 days: {words.count(total['received'])} received = "
        f"{words.count(total['landed'])} landed + {words.count(total['rejected'])} refused."
    )
    show(page, charts.pulls_by_day(days, page.theme), "pulls_by_day")


def _list(page: Page, listing: Listing) -> None:
    st.header(listing.title)
    rows = listing.rows(page.con)
    if not len(rows):
        st.markdown(listing.empty)
        return
    st.caption(listing.meaning)
    st.dataframe(rows.table, hide_index=True, column_config=_COLUMNS, alt=listing.title)
    download(page, rows.table, listing.name)


_AT, _DAY = "D MMM YYYY, HH:mm", "D MMM YYYY"
_COLUMNS: dict[str, Any] = {
    **{
        name: st.column_config.DatetimeColumn(title, format=_AT, timezone="UTC")
        for name, title in (
            ("newest_sync_at", "Newest sync (UTC)"),
            ("newest_pull_at", "Newest pull (UTC)"),
            ("first_seen_at", "First seen (UTC)"),
            ("last_seen_at", "Last seen (UTC)"),
            ("last_changed_at", "Last changed (UTC)"),
        )
    },
    "last_on": st.column_config.DateColumn("Last on", format=_DAY),
    "first_on": st.column_config.DateColumn("First on", format=_DAY),
    "source": "Source",
    "data_type": "Data type",
    "reason": "Reason",
    "points": "Points",
    "receipts": "Receipts",
    "participants": "Participants",
    "connected": "Connected",
    "need_a_step": "Need a step",
    "most_participants_a_day": "Most participants a day",
    "person_days": "Person-days",
    "field_path": "Field",
    "kind": "Kind",
    "changes": "Changes",
    "median_days_late": "Days late, median",
    "p95_days_late": "Days late, 95th percentile",
    "median_steps_changed": "Steps changed, median",
    "check_name": "Check",
    "failures": "Failures",
    "measure": "Measure",
    "from_source": "From",
    "to_source": "To",
    "days": "Days",
    **{
        name: st.column_config.NumberColumn(title, format="%.1f")
        for name, title in (
            ("mean_difference", "Mean difference"),
            ("difference_sd", "SD"),
            ("limit_low", "Lower limit"),
            ("limit_high", "Upper limit"),
        )
    },
}

if __name__ == "__main__":
    open_page(words.say("pages.health"), render)
