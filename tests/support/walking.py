"""All that a page sent, whatever its elements are: for tests that hold of every page."""

from __future__ import annotations

import ast
import math
from collections.abc import Iterator
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from streamlit.testing.v1 import AppTest
from support.pages import opened

import dashboard

# Fields that show what was typed into them: no echo of the page's own.
TYPED_INTO = ("text_input", "text_area")


def elements(at: AppTest) -> Iterator[Any]:
    """Every element and box of the page, in the order they are drawn."""
    return _below(at.main)


def _below(node: Any) -> Iterator[Any]:
    for child in node.children.values():
        yield child
        if hasattr(child, "children"):
            yield from _below(child)


def unfolded(page: str, why: str = "", **address: str) -> AppTest:
    """The page at that address with all that can be opened open."""
    at, before = opened(page, why, **address), set()
    while closed := _keys(at) - before:
        before |= closed
        for key in closed:
            at.session_state[key] = True
        at.run()
        assert not at.exception, at.exception[0].message
    return at


def _keys(at: AppTest) -> set[str]:
    """The keys of the page's expanders; an id is `$$ID-<hash>-<key>`."""
    return {box.proto.id.split("-", 2)[2] for box in at.get("expander") if box.proto.id}


def choices(at: AppTest) -> Iterator[dict[str, str]]:
    """The addresses of the page's other parts: each choice of radio or pills that it keeps."""
    for kind in ("radio", "button_group"):
        for widget in at.get(kind):
            told = [getattr(one, "content", one) for one in widget.options]
            if name := widget.proto.query_param_key:
                yield from ({name: one} for one in told)


def parameters(at: AppTest) -> set[str]:
    """Every parameter that the page's address may have: of its widgets, and read by the code."""
    bound = {getattr(one.proto, "query_param_key", "") for one in elements(at)}
    return (bound - {""}) | read_from_addresses()


@cache
def read_from_addresses() -> frozenset[str]:
    """The parameters that the dashboard's code reads or writes itself, on whatever page."""
    files = Path(dashboard.__file__).parent.rglob("*.py")
    return frozenset(
        ast.literal_eval(name)
        for file in files
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        for name in _names_in(node)
    )


def _names_in(node: ast.AST) -> list[ast.expr]:
    if isinstance(node, ast.Call) and ast.unparse(node.func) == "st.query_params.get":
        return [node.args[0]]
    if isinstance(node, ast.Subscript) and ast.unparse(node.value) == "st.query_params":
        return [node.slice]
    return []


def sent(at: AppTest) -> bytes:
    """Everything that reached the browser but the text fields themselves."""
    return b"\n".join(
        one.proto.SerializeToString()
        for one in elements(at)
        if one.type not in TYPED_INTO and hasattr(one.proto, "SerializeToString")
    )


def tables(at: AppTest) -> list[pa.Table]:
    """Every table drawn as a grid, as it was sent."""
    return [_arrow(one.proto.arrow_data.data) for one in at.dataframe]


def datasets(at: AppTest) -> dict[str, list[pa.Table]]:
    """What each chart draws, by its alt text."""
    return {
        one.proto.alt: [_arrow(data.data.data) for data in one.proto.datasets]
        for one in at.get("vega_lite_chart")
    }


def shown_questions(at: AppTest) -> list[str]:
    """Every SQL on the page."""
    return [one.value for one in at.get("code") if one.proto.language == "sql"]


def asked_again(sql: str, path: Path) -> pa.Table:
    """What an analyst gets for a shown SQL: on the published file, or in its folder.

    The latter is for SQL that begins by opening the file itself, as that of a viewer of one site.
    """
    by_itself = sql.startswith("ATTACH")
    with closing(duckdb.connect() if by_itself else duckdb.connect(path, read_only=True)) as con:
        return con.sql(sql).to_arrow_table()


def cells(table: pa.Table) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
    """The names and rows of a table, comparable: no NaN, no odds of Arrow's types."""
    columns = [[_plain(cell) for cell in column.to_pylist()] for column in table.columns]
    return tuple(table.column_names), list(zip(*columns, strict=True))


def _plain(cell: Any) -> Any:
    if isinstance(cell, float) and math.isnan(cell):
        return None
    if isinstance(cell, list):
        return tuple(_plain(one) for one in cell)
    return cell


def _arrow(packed: bytes) -> pa.Table:
    with pa.ipc.open_stream(packed) as stream:
        return stream.read_all()
