"""The data: what each table and figure means, ready questions, builds, rows, and files to take."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow as pa
import streamlit as st

from dashboard import access, exports, protocol, words
from dashboard.parts import table
from dashboard.pasting import WAYS, pasted
from dashboard.queries import data as queries
from dashboard.queries.asking import Answer, ask
from dashboard.queries.questions import QUESTIONS
from dashboard.scope import open_scoped
from dashboard.shell import Page, open_page
from dashboard.texts import text_table
from warehouse.publish import stable_path

MOST_FOUND = 300
MOMENT = "D MMM YYYY, HH:mm"
EXAMPLE = "FROM participant_day WHERE valid_day"


def render(page: Page) -> None:
    shown = {
        "dictionary": _dictionary,
        "definitions": _definitions,
        "questions": _questions,
        "rows": _rows,
        "builds": _builds,
        "files": _files,
    }
    part = st.radio(
        words.say("data.parts"), list(shown), key="view", horizontal=True, bind="query-params",
        format_func=lambda name: words.say(f"data.part_{name}"),
    )  # fmt: skip
    st.header(words.say(f"data.part_{part or 'dictionary'}"))
    shown[part or "dictionary"](page)


def _dictionary(page: Page) -> None:
    st.caption(words.say("data.dictionary_note"))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        find = st.text_input(
            words.say("data.find"), max_chars=100, key="find", bind="query-params",
            type="search", width=320,
        ).strip()  # fmt: skip
        name = _pick_table(page, "table", words.say("data.every_table"))
    if find:
        found = queries.dictionary(page.con, find=find)
        more = len(found) > MOST_FOUND
        told = words.say("data.found_most" if more else "data.found", n=len(found), most=MOST_FOUND)
        st.caption(told)
        _listing(page, found, "dictionary_found", "data.dictionary_alt")
    elif name:
        st.subheader(words.say("data.columns_of", table=name))
        st.text(queries.tables(page.con)[name].comment)
        columns = queries.dictionary(page.con, table=name)
        _listing(page, columns, "dictionary_columns", "data.dictionary_alt")
    else:
        _listing(page, queries.overview(page.con), "dictionary_tables", "data.overview_alt")


def _definitions(page: Page) -> None:
    st.caption(words.say("data.definitions_note"))
    st.subheader(words.say("data.metrics"))
    _listing(page, queries.metrics(page.con), "definitions_metrics", "data.metrics_alt")
    st.subheader(words.say("data.scales"))
    _listing(page, queries.scales(page.con), "definitions_scales", "data.scales_alt")


def _questions(page: Page) -> None:
    st.caption(words.say("data.questions_note"))
    way = "sql"
    if not page.viewer.sites:  # who may see some sites alone has no whole file to ask
        way = st.radio(
            words.say("data.way"), list(WAYS), key="way", horizontal=True, bind="query-params",
            format_func=lambda name: words.say(f"data.way_{name}"),
        ) or way  # fmt: skip
        st.caption(words.say("data.way_path", path=_place(page)))
    for name, sql in QUESTIONS.items():
        title = words.say(f"data_questions.{name}")
        with st.expander(title, key=f"question_{name}", on_change="rerun") as box:
            if not box.open:
                continue
            answer = ask(page.con, sql)
            shown = answer.table.slice(0, queries.ROWS_A_PAGE)
            _frame(shown, f"answer_{name}", title)
            n, every = words.count(shown.num_rows), words.count(len(answer))
            st.caption(words.say("data.first_rows", n=n, all=every))
            exports.download(page, answer.table, name)
            _code(page, way, page.prelude + sql)


def _rows(page: Page) -> None:
    st.caption(words.say("data.rows_note"))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = _pick_table(page, "rows_of")
        about = queries.is_by_participant(queries.tables(page.con)[name])
        who = _pick_participant() if about else ""
        n = queries.count_rows(page.con, name, who)
        pages = max(1, -(-n // queries.ROWS_A_PAGE))
        at = st.number_input(
            words.say("data.page", pages=pages), 1, pages, key=f"page_{name}", width=160
        )
    st.caption(words.say("data.rows_of", table=name, n=words.count(n)))
    if n:
        found = queries.some_rows(page.con, name, who, int(at or 1))
        table(page, found, name.rpartition(".")[2], "rows", words.say("data.rows_alt", table=name))
    else:
        st.info(words.say("common.no_rows"))


def _builds(page: Page) -> None:
    masked = page.build["masked"]
    folder = page.home.published if masked else page.home.unblinded
    st.caption(words.say("data.builds_note", build=page.build["build_id"]))
    _frame(_kept(folder, _state_of(folder)), "builds", words.say("data.builds_alt"))
    st.subheader(words.say("data.open_it"))
    st.caption(words.say("data.open_note"))
    for name in ("python", "r", "cli"):
        st.markdown(f"**{words.say(f'data.way_{name}')}**")
        _code(page, name, EXAMPLE)
    st.markdown(words.say("data.dbeaver"))


def _code(page: Page, way: str, sql: str) -> None:
    """What to paste into a program to ask the question of the published file."""
    st.code(pasted(way, _place(page), sql), language=WAYS[way][1], wrap_lines=True)


def _files(page: Page) -> None:
    if not access.may(page.viewer, "export"):
        st.info(words.say("data.no_export", role=page.viewer.role))
        return
    st.caption(words.say("data.files_note"))
    st.subheader(words.say("data.a_table"))
    _table_file(page)
    st.subheader(words.say("data.whole_file"))
    _masked_file(page)


def _table_file(page: Page) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = _pick_table(page, "file_of")
        kind = st.radio(
            words.say("data.kind"), list(queries.KINDS), key="kind", horizontal=True,
            format_func=lambda kind: words.say(f"data.kind_{kind}"),
        )  # fmt: skip
        if st.button(words.say("data.make"), key="make"):
            st.session_state["made_file"] = (page.build["build_id"], name, kind)
    if st.session_state.get("made_file") != (page.build["build_id"], name, kind):
        return
    folder = page.home.published if page.build["masked"] else page.home.unblinded
    path = folder / "builds" / f"warehouse_{page.build['build_id']}.duckdb"
    made = _made(path, path.stat().st_mtime_ns, page.viewer.sites, name, kind or "parquet")
    told = words.say("data.made", rows=words.count(made.rows), size=_size(len(made.content)))
    st.markdown(f"{told} SHA-256 `{made.sha256}`")
    _give(page, f"{name.replace('.', '_')}.{kind}", made)


def _masked_file(page: Page) -> None:
    """The whole masked file, for those who may see every site."""
    path = stable_path(page.home).resolve()
    if page.viewer.sites:
        st.write(words.say("data.own_sites"))
        return
    if not path.exists():
        st.write(words.say("data.no_masked"))
        return
    digest = _digest(path, path.stat().st_mtime_ns)
    told = words.say("data.masked", size=_size(path.stat().st_size))
    st.markdown(f"{told} SHA-256 `{digest}`")
    rows = sum(queries.overview(page.con).column("rows"))
    _give(page, path.name, queries.Made(b"", rows, digest), path)


def _give(page: Page, file: str, made: queries.Made, path: Path | None = None) -> None:
    """A download whose line on the audit trail tells its hash."""
    label, told = words.say("data.download", file=file), f"{file} SHA-256 {made.sha256}"
    make = path.read_bytes if path else lambda: made.content
    exports.button(page, label, file, make, made.rows, told)


@st.cache_data(scope="session", max_entries=2, show_spinner=False)
def _made(
    path: Path, written_at: int, sites: tuple[str, ...], name: str, kind: str
) -> queries.Made:
    with closing(open_scoped(path, sites)) as con:
        return queries.make_file(con, name, kind)


@st.cache_data(max_entries=20, show_spinner=False)
def _digest(path: Path, written_at: int) -> str:
    return queries.sha256_of(path)


@st.cache_data(max_entries=4, show_spinner=False)
def _kept(folder: Path, state: tuple[tuple[str, int], ...]) -> pa.Table:
    return queries.builds(folder)


def _state_of(folder: Path) -> tuple[tuple[str, int], ...]:
    files = sorted((folder / "builds").glob("warehouse_*.duckdb"))
    return tuple((file.name, file.stat().st_mtime_ns) for file in files)


def _pick_table(page: Page, key: str, every: str = "") -> str:
    """A table of the file; empty where `every` is offered and chosen."""
    names = list(queries.tables(page.con))
    chosen = st.selectbox(
        words.say("data.table"), [every, *names] if every else names, key=key,
        bind="query-params", width=280, index=0 if every else names.index("participant_day"),
    )  # fmt: skip
    return "" if chosen in (None, every) else str(chosen)


def _pick_participant() -> str:
    return st.text_input(
        words.say("data.participant"), max_chars=64, key="participant", bind="query-params",
        width=200,
    ).strip()  # fmt: skip


def _place(page: Page) -> str:
    """Where the file is for who looks: here for the local user, else as it was downloaded."""
    path = stable_path(page.home)
    if page.viewer.name == access.LOCAL_USER and not page.viewer.sites and page.build["masked"]:
        return str(path)
    return path.resolve().name


def _listing(page: Page, answer: Answer, name: str, alt: str) -> None:
    """What the file says of itself, with its files and its question."""
    text_table([_in_words(row) for row in answer.rows[:MOST_FOUND]], words.say(alt))
    with st.expander(
        words.say("common.how_computed"), key=f"about_{name}", on_change="rerun"
    ) as about:
        if about.open:
            exports.download(page, answer.table, name)
            st.code(page.prelude + answer.sql, language="sql", wrap_lines=True)


def _in_words(row: dict[str, Any]) -> dict[str, str]:
    known = words.table("data_columns")
    counted = row | {"rows": words.count(row["rows"])} if "rows" in row else row
    return {known.get(name, name): protocol.written(value) for name, value in counted.items()}


def _frame(listed: pa.Table, key: str, alt: str) -> None:
    st.dataframe(
        listed, hide_index=True, placeholder="", key=key, alt=alt, column_config=_columns(listed)
    )


def _columns(listed: pa.Table) -> dict[str, Any]:
    column, known = st.column_config, words.table("data_columns")
    made: dict[str, Any] = {name: known[name] for name in listed.column_names if name in known}
    for name in made:
        if name in ("built_at", "as_of"):
            made[name] = column.DatetimeColumn(known[name], timezone="UTC", format=MOMENT)
        elif name == "data_to":
            made[name] = column.DateColumn(known[name], format="D MMM YYYY")
        elif name.endswith(("_hash", "sha256")):  # long; a click shows it whole
            made[name] = column.TextColumn(known[name], width=110)
    return made


def _size(n: int) -> str:
    return f"{n / 1e6:,.1f} MB" if n >= 1e5 else f"{n / 1e3:,.1f} kB"


if __name__ == "__main__":
    open_page(words.say("pages.data"), render)
