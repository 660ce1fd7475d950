"""Spec tests: tables drawn as pictures go in, the picture of a table comes out.

    def test_a_day_counts_from_ten_hours_of_wear(spec):
        spec(
            derive_participant_week,
            participant_day='''
                participant_id | activity_date | study_week | valid_day
                ---------------+---------------+------------+----------
                P01            | 2026-01-05    | 1          | T
            ''',
            expect='''
                participant_id | study_week | valid_days | steps_per_day
                ---------------+------------+------------+--------------
                P01            | 1          | 1          |
            ''',
        )

A blank cell is NULL. A column left out of a picture has the value the test module gives it in
`USUAL = {"participant": {"site": "haifa"}}`, else NULL. Rows may be drawn in any order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import duckdb
import pytest

from warehouse import tables
from warehouse.schema import Table, Type
from warehouse.study import EXAMPLE, Study, read_study

Rows = list[dict[str, str | None]]


@pytest.fixture(scope="session")
def empty_warehouse() -> Iterator[duckdb.DuckDBPyConnection]:
    """Every table of the contract, without a row."""
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'UTC'")
        con.execute("CREATE SCHEMA ops")
        for table in (*tables.LANDED, *tables.DERIVED, *tables.OPS):
            table.create(con)
        yield con


@pytest.fixture
def spec(empty_warehouse: duckdb.DuckDBPyConnection, request: pytest.FixtureRequest) -> Any:
    """Draw tables, derive one, compare it with its picture; see this file's docstring.

    `spec(derive, expect=..., **pictures)` calls `derive(con, study)`, or `derive(con, study,
    as_of)` when `as_of` (ISO text with offset) is given, and compares the columns drawn in
    `expect` of the table `derive` is named for (`into` overrides it; `where` chooses rows). A
    number with decimals is compared to the decimals drawn. The table must also keep its own
    contract. `protocol` overrides settings of the example study: {"wear": {"valid_week_days": 3}}.
    """
    con = empty_warehouse
    usual = getattr(request.module, "USUAL", {})

    def run(
        derive: Callable[..., None],
        *,
        expect: str,
        into: str | None = None,
        where: str = "true",
        as_of: str | None = None,
        protocol: dict[str, dict[str, Any]] | None = None,
        **pictures: str,
    ) -> None:
        derived = tables.table_named(into or derive.__name__.removeprefix("derive_"))
        moment = () if as_of is None else (datetime.fromisoformat(as_of),)
        con.begin()
        try:
            for name, picture in pictures.items():
                table = tables.table_named(name)
                fill(con, table, [{**usual.get(name, {}), **row} for row in rows_of(picture)])
            derive(con, study_with(protocol or {}), *moment)
            drawn = columns_of(expect)
            found = fetched(con, derived, drawn, where)
            broken = derived.failures(con)
        finally:
            con.rollback()
        wanted = [[row[name] for name in drawn] for row in rows_of(expect)]
        decimals = decimals_drawn(derived, drawn, rows_of(expect))
        assert drawing(drawn, found, decimals) == drawing(drawn, wanted, decimals)
        assert broken == []

    return run


def columns_of(picture: str) -> list[str]:
    """The names in the first line of a picture."""
    return [name.strip() for name in picture.strip().splitlines()[0].split("|")]


def rows_of(picture: str) -> Rows:
    """The rows of a picture as text, by column; a blank cell is None."""
    header = columns_of(picture)
    lines = [line.strip() for line in picture.strip().splitlines()[1:]]
    rows = []
    for line in lines:
        if line and set(line) - set("-+"):
            cells = [cell.strip() or None for cell in line.split("|")]
            rows.append(dict(zip(header, cells, strict=True)))
    return rows


def fill(con: duckdb.DuckDBPyConnection, table: Table, rows: Rows) -> None:
    """Insert rows drawn as text; a name the table does not have raises KeyError."""
    for row in rows:
        cells = ", ".join(f"CAST(? AS {table.column(name).type.sql})" for name in row)
        names = ", ".join(f'"{name}"' for name in row)
        con.execute(f"INSERT INTO {table.full_name} ({names}) VALUES ({cells})", [*row.values()])


def fetched(
    con: duckdb.DuckDBPyConnection, table: Table, names: list[str], where: str
) -> list[list[str | None]]:
    """The named columns as text: T and F for booleans, instants in UTC."""
    flags = {Type.BOOLEAN: "CASE WHEN {0} THEN 'T' WHEN NOT {0} THEN 'F' END"}
    cells = ", ".join(
        flags.get(table.column(name).type, "CAST({0} AS VARCHAR)").format(f'"{name}"')
        for name in names
    )
    rows = con.execute(f"SELECT {cells} FROM {table.full_name} WHERE {where}").fetchall()
    return [list(row) for row in rows]


def study_with(overrides: dict[str, dict[str, Any]]) -> Study:
    """The example study with some settings replaced, by part and name."""
    settings = read_study(EXAMPLE).model_dump()
    for part, values in overrides.items():
        settings[part] = {**settings[part], **values}
    return Study.model_validate(settings)


def decimals_drawn(table: Table, names: list[str], rows: Rows) -> list[int | None]:
    """Decimals to compare each column to: the most drawn, at least one; None unless a REAL."""
    return [
        max([1, *(len((row[name] or "").partition(".")[2]) for row in rows)])
        if table.column(name).type is Type.REAL
        else None
        for name in names
    ]


def drawing(names: list[str], rows: list[list[str | None]], decimals: list[int | None]) -> str:
    """Rows in order of their text, so that two drawings of the same rows are the same text."""

    def cell(text: str | None, digits: int | None) -> str:
        if text is None or digits is None:
            return text or ""
        return f"{float(text):.{digits}f}"

    lines = [
        [cell(text, digits) for text, digits in zip(row, decimals, strict=True)] for row in rows
    ]
    widths = [max(map(len, column)) for column in zip(names, *lines, strict=True)]
    table = [names, *sorted(lines)]
    return "\n".join(
        " | ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip()
        for line in table
    )
