"""Small cells are blank and flagged, never 0; both sides of the limit."""

import pytest

from warehouse.disclosure import compute_withheld, families_of, insert_shown
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


def test_a_part_with_few_of_its_own_is_blank_alone_and_with_its_row(empty_warehouse):
    con = empty_warehouse
    con.begin()
    CELLS.create(con)
    rows = "('a', 40, 4, 2.5), ('b', 40, 5, 2.5), ('c', 4, 9, 2.5), ('d', 40, 0, 2.5)"
    query = f"SELECT * FROM (VALUES {rows}) AS t(cohort, participants, answered, mean_score)"
    insert_shown(con, CELLS, query, ["participants"], 5, parts={("mean_score",): ["answered"]})
    found = con.execute("SELECT * FROM cell ORDER BY cohort").fetchall()
    con.rollback()
    assert found == [
        ("a", 40, False, None),
        ("b", 40, False, 2.5),
        ("c", None, True, None),
        ("d", 40, False, 2.5),
    ]


ALL, A, B, C, D = (("all", "all"), *(("site", name) for name in "abcd"))
SITES = [(ALL, frozenset({A, B, C, D}))]


def test_one_small_site_takes_the_next_smallest_with_it():
    # Everybody - (b + c) would tell of the three of a. With b withheld too it tells of nine.
    cells = {ALL: [29], A: [3], B: [6], C: [20]}
    assert compute_withheld(cells, 5, SITES) == {A, B}


def test_small_sites_that_are_enough_together_need_no_other():
    cells = {ALL: [26], A: [3], B: [3], C: [20]}
    assert compute_withheld(cells, 5, SITES) == {A, B}


def test_who_belongs_to_no_shown_cohort_is_told_by_subtraction_as_well():
    # Two participants have no site on record: 26 - 6 - 18.
    cells = {ALL: [26], B: [6], C: [18]}
    assert compute_withheld(cells, 5, SITES) == {B}


def test_nobody_left_out_and_five_left_out_give_nothing_away():
    assert compute_withheld({ALL: [26], B: [6], C: [20]}, 5, SITES) == set()
    assert compute_withheld({ALL: [31], B: [6], C: [20]}, 5, SITES) == set()
    assert compute_withheld({ALL: [30], B: [6], C: [20]}, 5, SITES) == {B}


def test_every_count_behind_the_figures_is_guarded():
    # b and c are everybody, but three who can be compared with their baseline are at neither.
    cells = {ALL: [26, 24], B: [6, 6], C: [20, 15]}
    assert compute_withheld(cells, 5, SITES) == {B}


def test_a_site_withheld_is_not_told_by_its_therapists():
    # a is too small and takes b with it. b's two therapists would add up to b, and a follow.
    one, two = ("therapist", "T1"), ("therapist", "T2")
    cells = {ALL: [35], A: [3], B: [12], C: [20], one: [5], two: [7]}
    families = [*SITES, (B, frozenset({one, two}))]
    assert compute_withheld(cells, 5, families) == {A, B, one}


def test_the_order_of_families_is_no_matter():
    one, two = ("therapist", "T1"), ("therapist", "T2")
    cells = {ALL: [35], A: [3], B: [12], C: [20], one: [5], two: [7]}
    families = [(B, frozenset({one, two})), *SITES]
    assert compute_withheld(cells, 5, families) == {A, B, one}


def test_a_cohort_of_the_studys_own_may_not_leave_out_a_few():
    named = ("named", "severe")
    family = [(ALL, frozenset({named}))]
    assert compute_withheld({ALL: [24], named: [20]}, 5, family) == {named}
    assert compute_withheld({ALL: [25], named: [20]}, 5, family) == set()


def test_a_limit_of_0_or_1_withholds_nothing_by_subtraction_either():
    for limit in (0, 1):
        assert compute_withheld({ALL: [26], A: [1], B: [6], C: [19]}, limit, SITES) == set()


def members(con, cohorts: dict[tuple[str, str], str]) -> None:
    for (kind, cohort), people in cohorts.items():
        for one in people:
            con.execute("INSERT INTO cohort_member VALUES (?, ?, ?)", [kind, cohort, one])


def test_families_are_the_cohorts_that_lie_in_another_kind_by_kind(empty_warehouse):
    con = empty_warehouse
    con.begin()
    named = ("named", "x"), ("named", "y")
    members(
        con,
        {ALL: "1234", A: "12", B: "34", ("arm", "etmi"): "13", named[0]: "12", named[1]: "1"},
    )
    found = families_of(con)
    con.rollback()
    assert sorted(found, key=repr) == sorted(
        [
            (ALL, frozenset({A, B})),
            (ALL, frozenset({("arm", "etmi")})),
            (ALL, frozenset({named[0]})),
            (ALL, frozenset({named[1]})),
            (A, frozenset({named[0]})),
            (A, frozenset({named[1]})),
            (named[0], frozenset({A})),
            (named[0], frozenset({named[1]})),
        ],
        key=repr,
    )


def test_a_cohort_that_everybody_sees_is_not_withheld_for_what_it_leaves_of_an_arm(
    empty_warehouse,
):
    # All eight at the site are of one arm, which has ten: a blank there would say so.
    con, arm = empty_warehouse, ("arm", "etmi")
    con.begin()
    members(con, {ALL: "123456789abcdefghijk", A: "12345678", arm: "123456789a"})
    found = families_of(con)
    con.rollback()
    cells = {ALL: [20], A: [8], arm: [10]}
    assert compute_withheld(cells, 5, found) == set()
    assert compute_withheld({**cells, ALL: [13]}, 5, found) == {arm}


def test_a_table_of_cohorts_is_guarded_place_by_place(empty_warehouse):
    # Week 1: 3 of 9 at a; b goes with it. Week 2: both large enough.
    con = empty_warehouse
    con.begin()
    members(con, {ALL: "123456789", A: "123", B: "456789"})
    insert_shown(
        con,
        cohort_week,
        "SELECT * REPLACE (n AS participants), NULL AS rest FROM (SELECT *, NULL AS participants "
        "FROM (VALUES ('all', 'all', 1, 9), ('site', 'a', 1, 3), ('site', 'b', 1, 6), "
        "('all', 'all', 2, 16), ('site', 'a', 2, 6), ('site', 'b', 2, 10)) "
        "AS t(cohort_kind, cohort, study_week, n)), "
        + "(SELECT "
        + ", ".join(f"NULL AS {name}" for name in OTHERS)
        + ")",
        ["participants"],
        5,
    )
    rows = con.execute(
        "SELECT study_week, cohort, participants, suppressed FROM cohort_week ORDER BY ALL"
    ).fetchall()
    con.rollback()
    assert rows == [
        (1, "a", None, True),
        (1, "all", 9, False),
        (1, "b", None, True),
        (2, "a", 6, False),
        (2, "all", 16, False),
        (2, "b", 10, False),
    ]


OTHERS = [
    name
    for name in cohort_week.names
    if name not in {*cohort_week.key, "participants", "suppressed"}
]


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
