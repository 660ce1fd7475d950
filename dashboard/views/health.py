"""Data health: can I trust what came? Whose trouble is what did not?"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import streamlit as st

from dashboard import parts, words
from dashboard.charts import health as charts
from dashboard.parts import Figure, figures, show
from dashboard.queries import health as queries
from dashboard.queries.asking import Answer, Con
from dashboard.shell import Page, open_page
from dashboard.worklist import STALE_HOURS, is_stale

say = words.say
_COUNTS = (
    "participants", "connected", "need_a_step", "receipts", "most_participants_a_day", "points",
    "person_days", "changes", "days", "equal", "apart", "median_steps_changed",
)  # fmt: skip
DAGS = ("wearables", "questionnaires", "warehouse", "upkeep")


@dataclass(frozen=True)
class Listing:
    """A table of the page; its title, meaning and empty state are words `health.<name>_...`."""

    name: str
    rows: Callable[[Con], Answer]
    table: str


LISTINGS = (
    Listing("failures", queries.failures, "receipt_day"),
    Listing("refusals", queries.refusals, "rejection_day"),
    Listing("implausible", queries.implausible, "implausible_day"),
    Listing("reconciled", queries.reconciled, "participant_day"),
    Listing("late_changes", queries.late_changes, "revision"),
    Listing("bridges", queries.bridges, "bridge"),
    Listing("drift", queries.drift, "drift"),
    Listing("checks", queries.checks, "check_result"),
)


def render(page: Page) -> None:
    """Key figures, runs, sources, what became of the pulls, then each trouble with its count."""
    st.caption(say("health.whole_study"))
    as_of = page.build["as_of"]
    if is_stale(as_of, page.now):
        st.error(say("health.build_old", as_of=words.moment(as_of), hours=STALE_HOURS))
    _figures(page)
    _runs()
    _sources(page)
    _pulls(page)
    _trend(page)
    clear = [listing.name for listing in LISTINGS if not _list(page, listing)]
    if clear:
        st.header(say("health.clear_title"))
        st.markdown("\n".join(f"- {say(f'health.{name}_empty')}" for name in clear))


def _figures(page: Page) -> None:
    found = queries.overview(page.con)
    row = found.row
    figures(page, found, "receipt_day", "health_figures", [
        Figure(say("health.fig_sync"), _before(row["newest_sync_at"], row["as_of"]),
               say("health.fig_sync_help", at=words.moment(row["newest_sync_at"]))),
        Figure(say("health.fig_connected"),
               f"{words.count(row['connected'])}\u202f/\u202f{words.count(row['connections'])}",
               say("health.fig_connected_help")),
        Figure(say("health.fig_ours"), words.count(row["ours"]),
               say("health.fig_ours_help", n=words.count(row["receipts"]))),
        Figure(say("health.fig_vendors"), words.count(row["vendors"]),
               say("health.fig_vendors_help", n=words.count(row["receipts"]))),
        Figure(say("health.fig_refused"), words.count(row["rejected"]),
               say("health.fig_refused_help", n=words.count(row["received"]))),
    ])  # fmt: skip


def _before(at: datetime | None, as_of: datetime) -> str:
    if at is None:
        return words.NOTHING
    return say("health.hours", n=words.whole((as_of - at).total_seconds() / 3600))


def _sources(page: Page) -> None:
    st.header(say("health.sources_title"))
    found = queries.sources(page.con)
    if not len(found):
        st.info(say("health.sources_empty"))
        return
    parts.table(page, found, "connection", "sources", say("health.sources_alt"), _columns())
    waiting = sum(found.column("need_a_step"))
    if waiting:
        st.markdown(say("health.need_a_step", n=words.count(waiting)))


def _pulls(page: Page) -> None:
    st.header(say("health.pulls_title"))
    days = queries.pulls_by_day(page.con)
    if not len(days):
        st.info(say("health.pulls_empty"))
        return
    total = {name: words.count(sum(days.column(name))) for name in ("received", "landed")}
    refused = words.count(sum(days.column("rejected")))
    st.caption(say("health.pulls_about", **total, refused=refused))
    until = page.build["as_of"].astimezone(UTC).date()
    show(page, charts.pulls_by_day(days, until, page.theme), "pulls_by_day")


def _trend(page: Page) -> None:
    st.header(say("health.trend_title"))
    weeks = queries.trend(page.con)
    if not any(weeks.column("days")):
        st.markdown(say("health.trend_empty"))
        return
    st.caption(say("health.trend_about"))
    show(page, charts.trend(weeks, page.theme), "trend")


def _list(page: Page, listing: Listing) -> bool:
    """The listing with what to do about it; whether there was anything to list."""
    rows = listing.rows(page.con)
    if not len(rows):
        return False
    title = say(f"health.{listing.name}_title")
    st.header(title)
    st.caption(say(f"health.{listing.name}_about", n=words.count(len(rows))))
    parts.table(page, rows, listing.table, listing.name, title, _columns())
    return True


def _runs() -> None:
    """The way to each DAG's runs and logs, where the environment says where Airflow is."""
    st.header(say("health.runs_title"))
    url = os.environ.get("STEPWELL_AIRFLOW_URL", "").rstrip("/")
    if not url.startswith(("http://", "https://")):
        st.markdown(say("health.runs_unknown"))
        return
    st.caption(say("health.runs_about"))
    with st.container(horizontal=True):
        for dag in DAGS:
            st.link_button(say(f"health.runs_{dag}"), f"{url}/dags/{dag}/runs")


def _columns() -> dict[str, Any]:
    named = words.table("health_columns")
    instants = ("newest_sync_at", "newest_pull_at", "first_seen_at", "last_seen_at",
                "last_changed_at")  # fmt: skip
    decimals = ("mean_difference", "difference_sd", "limit_low", "limit_high")
    configs: dict[str, Any] = dict(named)
    for name in instants:
        configs[name] = st.column_config.DatetimeColumn(
            named[name], format="D MMM YYYY, HH:mm", timezone="UTC"
        )
    for name in ("last_on", "first_on"):
        configs[name] = st.column_config.DateColumn(named[name], format="D MMM YYYY")
    for name in _COUNTS:
        configs[name] = st.column_config.NumberColumn(named[name], format="localized")
    for name in decimals:
        configs[name] = st.column_config.NumberColumn(named[name], format="%.1f")
    return configs


if __name__ == "__main__":
    open_page(say("pages.health"), render)
