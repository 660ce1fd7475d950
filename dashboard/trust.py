"""The top of Today: can the data be trusted, and what is our doing or the vendor's."""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboard import words
from dashboard.queries.asking import Answer
from dashboard.shell import Page
from dashboard.words import say
from dashboard.worklist import STALE_HOURS, is_stale


def render(page: Page, sources: Answer, held: Answer, clusters: Answer) -> None:
    """One verdict, and under it a sentence for each thing that is the matter."""
    old = _old(page, sources.rows)
    told = [_cluster(row) for row in clusters.rows if row["holds"]]
    told += [_held(row) for row in held.rows if row["held_because"] != "paused"]
    if old:
        box, verdict = st.error, "today.trust_no"
    elif told:
        box, verdict = st.warning, "today.trust_care"
    else:
        box, verdict = st.success, "today.trust_yes"
    box("\n\n".join([say(verdict), *old, *told]))
    quiet = [_held(row) for row in held.rows if row["held_because"] == "paused"]
    st.caption(" ".join([*map(_line, sources.rows), *quiet]))


def _old(page: Page, sources: list[dict[str, Any]]) -> list[str]:
    as_of = page.build["as_of"]
    found = []
    if is_stale(as_of, page.now):
        found.append(say("today.build_old", as_of=words.moment(as_of), hours=STALE_HOURS))
    for row in sources:
        at, source = row["answered_at"], words.named("sources", row["source"])
        if row["participants"] and at is None:
            found.append(say("today.source_never", source=source))
        elif row["participants"] and is_stale(at, as_of):
            when = _when(row, "answered_at")
            found.append(say("today.source_old", source=source, at=when, hours=STALE_HOURS))
    return found


def _line(row: dict[str, Any]) -> str:
    at, newest = _when(row, "answered_at"), _when(row, "newest_at")
    source = words.named("sources", row["source"])
    return say("today.source_line", source=source, at=at, newest=newest)


def _when(row: dict[str, Any], name: str) -> str:
    """The instant, or the day where no more is kept of a source."""
    at = row[name]
    if row["by_day"]:
        return words.day(at.date() if at else None)
    return f"{words.moment(at)} UTC"


def _held(row: dict[str, Any]) -> str:
    return say(f"today.held_{row['held_because']}", n=words.count(row["participants"]))


def _cluster(row: dict[str, Any]) -> str:
    return say(
        f"today.cluster_{row['reason']}",
        n=words.count(row["here"]),
        of=words.count(row["of_participants"]),
        source=words.named("sources", row["source"]),
        **{name: words.moment(row[name]) for name in ("from_at", "to_at")},
        until=words.moment(row["until_at"]),
    )
