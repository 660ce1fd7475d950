"""An answer is kept for one file and one viewer's rows of it, and given to nobody else."""

from pathlib import Path

import duckdb
import pytest

from dashboard.queries import kept
from dashboard.queries.asking import ask, rows

LINK, FIRST, SECOND = Path("warehouse.duckdb"), ("builds/1", 1), ("builds/2", 2)
ASKED = "SELECT n FROM t WHERE n <= $most ORDER BY n"


@pytest.fixture(autouse=True)
def nothing_kept(monkeypatch):
    monkeypatch.setattr(kept, "_answers", type(kept._answers)())


def holding(n: int, *scope) -> duckdb.DuckDBPyConnection:
    """A connection whose table has that one row; what it is asked is kept for `scope`, if any."""
    con = duckdb.connect()
    con.execute("CREATE TABLE t AS SELECT $n AS n", {"n": n})
    if scope:
        kept.keep(con, *scope)
    return con


def numbers(con: duckdb.DuckDBPyConnection, most: int = 9) -> list[int]:
    return [row["n"] for row in rows(con, ASKED, {"most": most})]


def test_the_same_question_of_the_same_file_is_asked_once():
    assert numbers(holding(1, LINK, FIRST, ())) == [1]
    other = holding(2, LINK, FIRST, ())
    assert numbers(other) == [1]  # kept: this connection was not asked
    assert ask(other, ASKED, {"most": 9}).column("n") == [1]
    assert numbers(other, most=8) == [2]  # another value is another question


def test_who_may_see_other_rows_is_answered_from_those():
    assert numbers(holding(1, LINK, FIRST, ())) == [1]
    assert numbers(holding(2, LINK, FIRST, ("haifa",))) == [2]
    assert numbers(holding(3, LINK, FIRST, ("southampton",))) == [3]
    assert numbers(holding(4, Path("unblinded.duckdb"), ("arms/1", 1), ())) == [4]


def test_another_file_in_its_place_makes_the_old_answers_forgotten():
    assert numbers(holding(1, LINK, FIRST, ())) == [1]
    assert numbers(holding(2, LINK, SECOND, ())) == [2]
    assert numbers(holding(3, LINK, FIRST, ())) == [3]


def test_nothing_is_kept_unless_it_is_said_of_what():
    assert numbers(holding(1)) == [1]
    assert numbers(holding(2)) == [2]


@pytest.mark.parametrize("most", ["MOST_ANSWERS", "MOST_BYTES"])
def test_what_is_not_asked_for_of_late_makes_room(monkeypatch, most):
    con = holding(1, LINK, FIRST, ())
    one = ask(con, ASKED, {"most": 1}).table.nbytes
    monkeypatch.setattr(kept, most, {"MOST_ANSWERS": 3, "MOST_BYTES": 3 * one}[most])
    assert [numbers(con, n) for n in (1, 2, 3, 1, 4)] == [[1]] * 5
    con.execute("UPDATE t SET n = 0")
    assert [numbers(con, n) for n in (1, 3, 4)] == [[1]] * 3
    assert numbers(con, 2) == [0]


def test_the_very_large_is_not_kept(monkeypatch):
    con = holding(1, LINK, FIRST, ())
    monkeypatch.setattr(kept, "MOST_OF_ONE", ask(con, ASKED, {"most": 1}).table.nbytes - 1)
    assert numbers(con) == [1]
    con.execute("UPDATE t SET n = 5")
    assert numbers(con) == [5]
