"""What pages are arranged of: key figures, charts and tables, each with how it is computed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from dashboard import words
from dashboard.charts.vega import Chart, light, quiet
from dashboard.exports import download
from dashboard.packing import percents
from dashboard.queries import common
from dashboard.queries.asking import Answer
from dashboard.shell import Page

More = Sequence[tuple[str, Answer, str, str]]  # heading, answer, its table, its name


@dataclass(frozen=True)
class Figure:
    """A key figure: its value as people write it; n, date, unit and direction in `help`."""

    label: str
    value: str
    help: str


def figures(
    page: Page, answer: Answer, table: str, name: str, listed: Sequence[Figure], more: More = ()
) -> None:
    """Key figures in a row, and how they are computed: `answer` holds what they are made of."""
    with st.container(horizontal=True, gap="medium"):
        for figure in listed:
            st.metric(figure.label, figure.value, help=figure.help, width="content")
    explained(page, answer, table, name, words.say("common.how_computed"), more=more)


def draw(chart: Chart, name: str, **options: Any) -> Any:
    """A chart alone, where its numbers stand beside another one."""
    return st.vega_lite_chart(light(quiet(chart.spec)), alt=chart.alt, key=name, **options)


def show(page: Page, chart: Chart, name: str, more: More = (), **options: Any) -> Any:
    """A chart, and under it its numbers; `options` go to the chart (`on_select` and such)."""
    given = draw(chart, name, **options)
    label = words.say("common.show_numbers")
    explained(page, chart.numbers, chart.table, name, label, chart.alt, more=more)
    return given


def table(
    page: Page, answer: Answer, source: str, name: str, alt: str,
    columns: dict[str, Any] | None = None, shares: Sequence[str] = (), **options: Any,
) -> Any:  # fmt: skip
    """A table of the published figures as they are, with the same foot as a chart.

    `shares` are drawn in whole percents; the files have them as they are.
    """
    if not len(answer):
        st.info(words.say("common.no_rows"))
        return None
    given = st.dataframe(
        percents(answer.table, shares), hide_index=True, column_config=columns, placeholder="",
        alt=alt, key=name, **options,
    )  # fmt: skip
    explained(page, answer, source, name, words.say("common.how_computed"), numbers=False)
    return given


def explained(
    page: Page, answer: Answer, source: str, name: str, label: str, alt: str = "",
    numbers: bool = True, more: More = (),
) -> None:  # fmt: skip
    """An expander that, once opened, holds the numbers, their files, meaning and question.

    `more` are other answers that the same thing rests on, each under a heading of its own.
    """
    with st.expander(label, key=f"about_{name}", on_change="rerun") as about:
        if not about.open:
            return
        _told(page, answer, source, name, alt or label if numbers else "")
        for title, other, table_of, called in more:
            st.markdown(f"**{title}**")
            _told(page, other, table_of, called, title)


def _told(page: Page, answer: Answer, source: str, name: str, alt: str) -> None:
    """An answer's numbers (where `alt` names them), files, meaning and question."""
    if alt:
        st.dataframe(
            answer.table, hide_index=True, placeholder="", key=f"numbers_{name}",
            alt=words.say("common.numbers_of", alt=alt),
        )  # fmt: skip
    download(page, answer.table, name)
    _meaning(page, answer, source)
    scoped = "common.the_sql_scoped" if page.prelude else "common.the_sql"
    st.caption(words.say(scoped))
    st.code(page.prelude + answer.sql, language="sql", wrap_lines=True)


def legend(theme: str) -> None:
    """The colours of days with their words, wrapping on a narrow screen."""
    chips = "".join(
        '<span style="display:inline-flex;align-items:center;gap:.4rem">'
        '<span style="width:.9rem;height:.9rem;border-radius:2px;border:1px solid #80868f;'
        f'background:{group.dark if theme == "dark" else group.light}"></span>'
        f"{group.label}</span>"
        for group in words.GROUPS
    )
    st.html(
        f'<div style="display:flex;flex-wrap:wrap;gap:.3rem 1.1rem;font-size:.875rem">{chips}</div>'
    )


def say_small_cells(page: Page, answer: Answer) -> None:
    """One line where some of the figures are withheld."""
    if any(answer.column("suppressed")):
        st.caption(words.say("common.small_cells", n=page.study.study.small_cell))


def _meaning(page: Page, answer: Answer, source: str) -> None:
    meanings = common.meanings(page.con, source)
    st.markdown(words.say("common.computed_from", table=source, meaning=meanings.get("", "")))
    named = [name for name in answer.table.column_names if name in meanings]
    st.markdown("\n".join(f"- `{name}`: {meanings[name]}" for name in named))
