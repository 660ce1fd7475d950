"""What of the monitoring tables tells an arm is left out of the masked file; the rest is in it."""

from __future__ import annotations

from collections.abc import Callable

import duckdb
import pytest

from warehouse.tables import table_named

KINDS = ("all", "site", "device", "arm", "therapist", "named_by_arm")
VISITS = ("week_4", "discharge")

Masked = Callable[..., list[str]]


@pytest.fixture
def masked() -> Masked:
    """`masked(table, column, rows, tells)`: the values of `column` left of `rows`, in order.

    `tells` is whether having a goal tells the arm in this build.
    """

    def left(name: str, column: str, rows: list[dict[str, str]], tells: bool = False) -> list[str]:
        table = table_named(name)
        with duckdb.connect() as con:
            con.execute("ATTACH ':memory:' AS complete; USE complete; CREATE SCHEMA ops")
            for one in (table, table_named("ops.build"), table_named("visit")):
                one.create(con)
            con.execute("INSERT INTO ops.build (goals_reveal_arm) VALUES (?)", [tells])
            con.execute("INSERT INTO visit (visit, week) VALUES ('week_4', 4), ('discharge', NULL)")
            for row in rows:
                names, marks = ", ".join(row), ", ".join("?" for _ in row)
                con.execute(f"INSERT INTO {name} ({names}) VALUES ({marks})", [*row.values()])
            found = con.sql(f"SELECT DISTINCT {column} FROM ({table.masked_query})").fetchall()
        return sorted(row[0] for row in found)

    return left


@pytest.mark.parametrize("table", ["retention", "cohort_completeness"])
def test_cohorts_by_arm_or_therapist_are_left_out(masked, table):
    rows = [
        {"cohort_kind": kind, **({"visit": "week_4"} if table == "cohort_completeness" else {})}
        for kind in KINDS
    ]
    assert masked(table, "cohort_kind", rows) == ["all", "device", "site"]


@pytest.mark.parametrize("table", ["cohort_completeness", "who_is_missing"])
def test_whatever_dates_a_discharge_is_left_out(masked, table):
    rows = [{"cohort_kind": "all", "visit": visit} for visit in VISITS]
    assert masked(table, "visit", rows) == ["week_4"]


@pytest.mark.parametrize(
    ("tells", "seen"),
    [
        (True, ["wear_adherence"]),
        (False, ["goal_adherence_observed", "goal_adherence_strict", "wear_adherence"]),
    ],
)
def test_goal_adherence_of_a_site_is_left_out_where_goals_tell_the_arm(masked, tells, seen):
    figures = ("wear_adherence", "goal_adherence_observed", "goal_adherence_strict")
    rows = [{"cohort_kind": "site", "figure": figure} for figure in figures]
    assert masked("site_figure", "figure", rows, tells) == seen


def test_recruitment_is_of_everybody_and_sites_alone_and_is_shown_whole():
    assert table_named("recruitment").is_shown_whole
