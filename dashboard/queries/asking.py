"""Asking the published file: every answer keeps the SQL that gives it, ready to be run again.

Values reach DuckDB as parameters. Only the text that a page shows has them written out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from inspect import cleandoc
from typing import Any

import duckdb
import pyarrow as pa

from dashboard.queries import kept

Con = duckdb.DuckDBPyConnection
Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Answer:
    """What a question found. A blank stays None."""

    table: pa.Table
    sql: str
    """The question with its values written out: run on the published file it gives `table`."""

    def __len__(self) -> int:
        return int(self.table.num_rows)

    @property
    def rows(self) -> Rows:
        return list(self.table.to_pylist())

    @property
    def row(self) -> dict[str, Any]:
        """The only row; IndexError when there is none."""
        return self.rows[0]

    def column(self, name: str) -> list[Any]:
        return list(self.table.column(name).to_pylist())


def ask(con: Con, sql: str, parameters: Mapping[str, Any] | None = None) -> Answer:
    """Run `sql`, whose values stand as $name, and keep how it can be run again."""
    values = dict(parameters or {})
    return Answer(kept.answer(con, sql, values), _written_out(cleandoc(sql), values))


def rows(con: Con, sql: str, parameters: Mapping[str, Any] | None = None) -> Rows:
    """The rows of a question whose answer no page shows as figures."""
    return list(kept.answer(con, sql, parameters or {}).to_pylist())


def _written_out(sql: str, values: dict[str, Any]) -> str:
    """`sql` with each $name as a literal; in one pass, so a value that holds a $ stays itself."""
    return re.sub(r"\$([a-z_]+)", lambda found: literal(values[found[1]]), sql)


def literal(value: Any) -> str:
    """A value as DuckDB writes it; TypeError for a kind that no question has."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    if isinstance(value, datetime):
        return f"TIMESTAMPTZ '{value.isoformat()}'"
    if isinstance(value, date):
        return f"DATE '{value.isoformat()}'"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(literal(item) for item in value) + "]"
    raise TypeError(f"no SQL literal for a {type(value).__name__}")
