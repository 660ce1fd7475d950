"""Being listed for a goal tells the arm where one alone has goals: then it is left out."""

from __future__ import annotations

import duckdb
import pytest

from warehouse.tables import table_named

REASONS = ("goal_missed", "not_synced")


@pytest.mark.parametrize(
    ("tells", "seen"), [("true", ["not_synced"]), ("false", ["goal_missed", "not_synced"])]
)
@pytest.mark.parametrize("name", ["work_item", "work_load"])
def test_who_misses_a_goal_is_hidden_where_goals_tell_the_arm(name, tells, seen):
    table = table_named(name)
    with duckdb.connect() as con:
        con.execute("ATTACH ':memory:' AS complete; USE complete; CREATE SCHEMA ops")
        for one in (table, table_named("ops.build")):
            one.create(con)
        con.execute(f"INSERT INTO ops.build (goals_reveal_arm) VALUES ({tells})")
        for reason in REASONS:
            con.execute(f"INSERT INTO {table.full_name} (reason) VALUES (?)", [reason])
        rows = con.sql(f"SELECT reason FROM ({table.masked_query}) ORDER BY reason").fetchall()
    assert [row[0] for row in rows] == seen
