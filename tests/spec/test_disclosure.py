"""Small cells are blank and flagged, never 0; both sides of the limit."""

import pytest

from warehouse.disclosure import insert_shown
from warehouse.schema import Column, Table, Type
from warehouse.tables.derived import cohort_outcome, cohort_week

CELLS = Table(
    name="cell",
    grain="cohort",
    key=("cohort",),
    columns=(
        Column("cohort", Type.TEXT, "The cohort."),
        Column("participants", Type.INTEGER, "How many."),
        Column("suppressed", Type.BOOLEAN, "The cell is too small to show."),
        Column("mean_score", Type.REAL, "Mean score."),
    ),
    meaning="A cohort table.",
)


def shown(con, rows: str, counts: list[str], limit: int) -> list[tuple[object, ...]]:
    """What a reader of the table sees of the rows (cohort, participants, answered, mean_score)."""
    con.begin()
    CELLS.create(con)
    query = f"FROM (VALUES {rows}) AS t(cohort, participants, answered, mean_score)"
    insert_shown(con, CELLS, f"SELECT * {query}", counts, limit)
    found = con.execute("SELECT * FROM cell ORDER BY cohort").fetchall()
    con.rollback()
    return found


def test_below_the_limit_everything_but_the_key_is_blank(empty_warehouse):
    rows = "('a', 1, 1, 2.5), ('b', 4, 4, 2.5), ('c', 5, 5, 2.5)"
    assert shown(empty_warehouse, rows, ["participants"], 5) == [
        ("a", None, True, None),
        ("b", None, True, None),
        ("c", 5, False, 2.5),
    ]


def test_nobody_is_not_a_small_cell(empty_warehouse):
    rows = "('a', 0, 0, NULL)"
    assert shown(empty_warehouse, rows, ["participants"], 5) == [("a", 0, False, None)]


def test_one_small_count_behind_the_row_withholds_it_even_when_it_is_not_published(empty_warehouse):
    rows = "('a', 40, 4, 2.5), ('b', 40, 5, 2.5), ('c', 40, 0, 2.5)"
    assert shown(empty_warehouse, rows, ["participants", "answered"], 5) == [
        ("a", None, True, None),
        ("b", 40, False, 2.5),
        ("c", 40, False, 2.5),
    ]


def test_a_limit_of_0_or_1_withholds_nothing(empty_warehouse):
    for limit in (0, 1):
        found = shown(empty_warehouse, "('a', 1, 1, 2.5)", ["participants"], limit)
        assert found == [("a", 1, False, 2.5)]
    found = shown(empty_warehouse, "('a', 1, 1, 2.5)", ["participants"], 2)
    assert found == [("a", None, True, None)]


@pytest.mark.parametrize("table", [cohort_week, cohort_outcome], ids=lambda table: table.name)
def test_whatever_columns_a_cohort_table_has_they_are_withheld(empty_warehouse, table):
    con = empty_warehouse
    cells = ", ".join(
        f"{example(column)} AS {column.name}"
        for column in table.columns
        if column.name != "suppressed"
    )
    con.begin()
    insert_shown(con, table, f"SELECT {cells}, 1 AS few", ["few"], 5)
    row = con.sql(f"SELECT * FROM {table.name}").to_arrow_table().to_pylist()[0]
    con.rollback()
    assert {name for name, cell in row.items() if cell is not None} == {*table.key, "suppressed"}
    assert row["suppressed"] is True


def example(column: Column) -> str:
    return "'x'" if column.type is Type.TEXT else "1"
