"""What every page shares: opening the file, the header, charts with their numbers, empty states."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import streamlit as st
from pyarrow import csv

from dashboard import queries, words
from dashboard.access import UnknownRole, Viewer, record_unblinded_view, viewer_of
from dashboard.vega import Chart
from warehouse.home import Home, find_home
from warehouse.publish import NotPublished, open_published, stable_path
from warehouse.study import Study, StudyError, read_study

log = logging.getLogger(__name__)
LOOK_EVERY_SECONDS = 10


@dataclass(frozen=True)
class Page:
    """What a page may ask of: the open file, its build, the protocol, who looks, at whom."""

    con: duckdb.DuckDBPyConnection
    build: dict[str, Any]
    study: Study
    viewer: Viewer
    cohort: queries.Cohort
    theme: str


def open_page(title: str, render: Callable[[Page], None]) -> None:
    """Draw one page of the newest published file, or say plainly why there is none."""
    st.title(title)
    home = find_home()
    folders = home.published, home.unblinded  # a machine may have but one of them
    empty = _marks(folders)
    try:
        _open(title, home, render)
    except NotPublished:
        _say_nothing_yet()
        _watch(folders, empty)
    except (StudyError, UnknownRole) as error:
        st.error(str(error))
    except duckdb.Error:
        log.exception("the published file cannot be read")
        st.error(
            "The published file cannot be read. Nothing is lost: it is rebuilt from what has "
            "landed. Ask the data engineer to run `stepwell check`, then `stepwell build`."
        )


def _open(title: str, home: Home, render: Callable[[Page], None]) -> None:
    if not home.study_path.exists() and not home.published.exists():
        raise NotPublished("no study yet")
    study = read_study(home.study_path)
    viewer = viewer_of(study)
    path = stable_path(home, viewer.sees_arms)
    seen = _marks([path])
    with closing(open_published(path)) as con:
        build = queries.build(con)
        _header(study, viewer, build)
        if viewer.sees_arms:
            _record_view(viewer, home, build["build_id"], title)
        cohort = _pick_cohort(con, study, viewer)
        render(Page(con, build, study, viewer, cohort, theme()))
        _foot(build)
    _watch([path], seen)


def theme() -> str:
    """`dark` where the browser shows the dark theme, else `light`."""
    return "dark" if st.context.theme.type == "dark" else "light"


def show(page: Page, chart: Chart, name: str) -> None:
    """A chart, and under it its numbers, their meaning and their CSV."""
    st.vega_lite_chart(chart.spec, alt=chart.alt, key=name)
    with st.expander("Show the numbers"):
        st.dataframe(chart.numbers, hide_index=True, alt=f"The numbers of the chart: {chart.alt}")
        download(chart.numbers, name)
        _explain(page, chart)


def download(table: pa.Table, name: str) -> None:
    """A button that gives the table as CSV; the file is made when it is pressed."""
    st.download_button(
        "Download CSV",
        lambda: _csv(table),
        f"{name}.csv",
        "text/csv",
        key=f"csv_{name}",
        on_click="ignore",
    )


def legend(page_theme: str) -> None:
    """The colours of days with their words, wrapping on a narrow screen."""
    chips = "".join(
        '<span style="display:inline-flex;align-items:center;gap:.4rem">'
        '<span style="width:.9rem;height:.9rem;border-radius:2px;border:1px solid #80868f;'
        f'background:{group.dark if page_theme == "dark" else group.light}"></span>'
        f"{group.label}</span>"
        for group in words.GROUPS
    )
    st.html(
        f'<div style="display:flex;flex-wrap:wrap;gap:.3rem 1.1rem;font-size:.875rem">{chips}</div>'
    )


def _explain(page: Page, chart: Chart) -> None:
    meanings = queries.meanings(page.con, chart.table)
    st.markdown(f"**How this is computed.** Table `{chart.table}`: {meanings['']}")
    lines = [
        f"- `{name}`: {meanings[name]}" for name in chart.numbers.column_names if name in meanings
    ]
    st.markdown("\n".join(lines))


def _csv(table: pa.Table) -> bytes:
    with io.BytesIO() as buffer:
        csv.write_csv(table, buffer)
        return buffer.getvalue()


def _header(study: Study, viewer: Viewer, build: dict[str, Any]) -> None:
    arms = "Arms shown: this view is on the audit trail" if viewer.sees_arms else "Arms hidden"
    st.markdown(
        f"{study.study.title}  \n**Data to {words.day(build['data_to'])}** · "
        f"**{arms}** · {viewer.name}, {viewer.role}"
    )
    st.caption(
        f"As of {words.moment(build['as_of'])} UTC · built {words.moment(build['built_at'])} UTC · "
        f"build {build['build_id']}"
    )


def _foot(build: dict[str, Any]) -> None:
    """The last line of a page: what its numbers were made from."""
    with st.container(key="foot"):
        st.caption(
            f"Stepwell {build['code_version']} · protocol {build['protocol_hash'][:12]} · "
            f"input {build['input_hash'][:12]} · content {build['content_hash'][:12]}"
        )


def _pick_cohort(con: Any, study: Study, viewer: Viewer) -> queries.Cohort:
    """The cohort chosen in the address (`?cohort=`), or the first the role may see."""
    named = {_label(cohort, study): cohort for cohort in queries.cohorts(con, viewer.sites)}
    label = st.selectbox(
        "Cohort", list(named), key="cohort", bind="query-params", persist_state="session", width=360
    )
    return named[label] if label else next(iter(named.values()))


def _label(cohort: queries.Cohort, study: Study) -> str:
    if cohort.kind == "all":
        return words.KINDS["all"]
    named = {one.code: one.label for one in study.cohorts}
    labels = {
        "named": named,
        "named_by_arm": named,
        "site": {site.code: site.label for site in study.sites},
        "arm": {arm.code: arm.label for arm in study.arms},
    }
    label = labels.get(cohort.kind, {}).get(cohort.name, cohort.name)
    return f"{words.KINDS[cohort.kind]}: {label}"


def _record_view(viewer: Viewer, home: Home, build_id: str, title: str) -> None:
    """Once per session, build and page; a view that cannot be recorded is not shown."""
    noted = st.session_state.setdefault("recorded_views", set())
    if (build_id, title) not in noted:
        record_unblinded_view(viewer, home.register_url, build_id, title)
        noted.add((build_id, title))


def _say_nothing_yet() -> None:
    st.info(
        "Nothing is published yet. Run `make demo` to see a simulated trial, or start the DAGs "
        "`wearables` and `questionnaires` in Airflow; the first build appears here by itself."
    )


def _marks(paths: Sequence[Path]) -> list[tuple[str, int]]:
    """What tells one publication from the next: each path resolved, and when it was written."""
    resolved = [path.resolve() for path in paths]
    return [(str(path), path.stat().st_mtime_ns if path.exists() else 0) for path in resolved]


@st.fragment(run_every=LOOK_EVERY_SECONDS)
def _watch(paths: Sequence[Path], seen: list[tuple[str, int]]) -> None:
    """Draw the page anew as soon as another build is published."""
    if _marks(paths) != seen:
        st.rerun()
