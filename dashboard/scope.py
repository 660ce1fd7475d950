"""The file as one viewer may see it: bound to sites, every table holds those sites' rows alone.

The connection of a viewer bound to sites has, under each table's own name, a view of the rows they
may see. So no page can forget the restriction, and no address can ask around it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb

from dashboard.queries.asking import Con, literal
from warehouse.publish import open_published
from warehouse.schema import Table
from warehouse.tables import PUBLISHED


def open_scoped(path: Path, sites: Sequence[str]) -> Con:
    """Open the build at `path` for a viewer of these sites; none given is every site."""
    con = open_published(path)
    if sites:
        con.execute("USE memory; CREATE SCHEMA ops")
        for statement in views_of(con, sites):
            con.execute(statement)
    return con


def views_of(con: duckdb.DuckDBPyConnection, sites: Sequence[str]) -> list[str]:
    """The statements that make the views: one for each table in the open file."""
    query = "SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = 'warehouse'"
    present = set(con.execute(query).fetchall())
    return [
        f"CREATE VIEW {table.full_name} AS "
        f"SELECT * FROM warehouse.{table.schema}.{table.name}{_rows_of(table, sites)}"
        for table in PUBLISHED
        if (table.schema, table.name) in present
    ]


def prelude(con: duckdb.DuckDBPyConnection, sites: Sequence[str]) -> str:
    """What to run before a question so that it sees these sites alone; empty for every site."""
    if not sites:
        return ""
    lines = ["ATTACH 'warehouse.duckdb' AS warehouse (READ_ONLY)", "CREATE SCHEMA ops"]
    return ";\n".join([*lines, *views_of(con, sites)]) + ";\n"


def _rows_of(table: Table, sites: Sequence[str]) -> str:
    listed = f"list_contains({literal(list(sites))}, {{}})"
    if "site" in table.names:
        return " WHERE " + listed.format("site")
    if "participant_id" in table.names:
        mine = "SELECT participant_id FROM warehouse.main.participant WHERE "
        return f" WHERE participant_id IN ({mine}{listed.format('site')})"
    if "cohort_kind" in table.names:
        return " WHERE cohort_kind = 'site' AND " + listed.format("cohort")
    return ""  # of the whole study, about nobody: the protocol, the checks, the sources
