"""Tables brought up to date: what differs is written, the rest stays where it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import duckdb
import pytest

from warehouse.content import compute_chunks, lent
from warehouse.edition import Edition, bring_up
from warehouse.schema import Column, Table, Type, table_of

TABLE = Table(
    name="x",
    grain="key",
    key=("k",),
    meaning="A table.",
    columns=(
        Column("k", Type.TEXT, "Key.", required=True),
        Column("v", Type.REAL, "Value."),
    ),
)
Rows = list[tuple[str, float | None]]


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as con:
        con.execute("ATTACH ':memory:' AS warehouse; USE warehouse")
        TABLE.create(con)
        fill(con, [("a", 1.0), ("b", None), ("c", 3.0)])
        yield con


def table(rows: Rows) -> Any:
    return table_of(TABLE, [{"k": k, "v": v} for k, v in rows])


def fill(con: duckdb.DuckDBPyConnection, rows: Rows) -> None:
    with lent(con, "rows", table(rows)):
        con.execute("INSERT INTO x FROM rows")


def brought_up(con: duckdb.DuckDBPyConnection, rows: Rows, within: str = "") -> list[str]:
    """The keys that changed."""
    with lent(con, "new", table(rows)):
        return [row["k"] for row in bring_up(con, TABLE, "new", within).to_pylist()]


def found(con: duckdb.DuckDBPyConnection) -> Rows:
    return con.execute("SELECT k, v FROM x ORDER BY rowid").fetchall()


def test_the_same_rows_in_another_order_are_no_change(con):
    assert brought_up(con, [("c", 3.0), ("b", None), ("a", 1.0)]) == []
    assert found(con) == [("a", 1.0), ("b", None), ("c", 3.0)]


def test_rows_that_came_went_or_changed_are_written_and_the_rest_stays(con):
    assert brought_up(con, [("d", 4.0), ("c", 3.0), ("b", 2.0)]) == ["a", "b", "d"]
    assert found(con) == [("c", 3.0), ("b", 2.0), ("d", 4.0)]


def test_rows_that_the_new_ones_do_not_speak_for_stay(con):
    assert brought_up(con, [("a", 5.0)], "WHERE k < 'c'") == ["a", "b"]
    assert found(con) == [("c", 3.0), ("a", 5.0)]


def test_a_row_twice_is_there_twice_so_that_the_check_of_the_key_sees_it(con):
    assert brought_up(con, [("a", 1.0), ("a", 1.0), ("b", None), ("c", 3.0)]) == ["a", "b", "c"]
    assert TABLE.failures(con) == [("x has one row per key", 1)]


def test_only_the_rows_asked_about_are_checked(con):
    fill(con, [("c", 3.0)])
    assert TABLE.failures(con, "(SELECT * FROM x WHERE k = 'a')") == []
    assert TABLE.failures(con, "(SELECT * FROM x WHERE k = 'c')") == [("x has one row per key", 1)]


def test_of_a_copy_a_table_is_derived_beside_itself_and_noted_if_it_differs(con):
    edition = Edition(con, is_copy=True)
    with edition.deriving(TABLE):
        assert con.execute("SELECT count(*) FROM x").fetchall() == [(0,)]
        con.execute("INSERT INTO x VALUES ('a', 1), ('b', NULL), ('c', 3)")
    assert edition.known_changes == {}
    with edition.reading(TABLE, "WHERE k = 'b'"):
        assert con.execute("SELECT k FROM x").fetchall() == [("b",)]
    with edition.deriving(TABLE):
        pass
    assert edition.keys(TABLE)["k"].to_pylist() == ["a", "b", "c"]
    assert found(con) == []


def test_zero_and_minus_zero_are_equal_and_hash_alike(con):
    before = compute_chunks(con, TABLE)
    brought_up(con, [("a", 0.0)])
    zero = compute_chunks(con, TABLE)
    assert brought_up(con, [("a", -0.0)]) == []
    con.execute("UPDATE x SET v = -0.0")
    assert compute_chunks(con, TABLE) == zero != before
