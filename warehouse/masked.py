"""The masked twin of a full build: its tables as those see them who must not know the arms."""

from __future__ import annotations

import duckdb
import pyarrow as pa

from warehouse.content import keep_hashes, lent
from warehouse.edition import Changes, bring_up, is_among
from warehouse.schema import Table
from warehouse.tables import PUBLISHED

# Each file's own: the hash of what is hidden could be guessed at.
HASHES = "content_chunk"


def fill_masked(con: duckdb.DuckDBPyConnection) -> str:
    """Fill the open, empty masked file from the full one, `complete`; returns its content hash."""
    for table, masked in masked_tables():
        if table.name != HASHES:
            con.execute(f"INSERT INTO {masked.full_name} {table.masked_query}")
    return _keep_hashes(con, {table.full_name: None for table, _ in masked_tables()})


def bring_up_masked(con: duckdb.DuckDBPyConnection, changes: Changes) -> str:
    """Bring the open copy of the last masked file up to the full one; returns its content hash.

    `changes` are the full file's. A row of which only what is masked has changed stays in its
    place, so that the order of the rows tells nothing of it either.
    """
    seen: Changes = {}
    for table, masked in masked_tables():
        if table.full_name in changes and table.name != HASHES:
            seen[table.full_name] = _bring_up(con, table, masked, changes)
    return _keep_hashes(con, seen)


def masked_tables() -> list[tuple[Table, Table]]:
    """Each table that the masked file has, and what it has of it."""
    return [(table, masked) for table in PUBLISHED if (masked := table.masked())]


def _bring_up(
    con: duckdb.DuckDBPyConnection, table: Table, masked: Table, changes: Changes
) -> pa.Table:
    names = ", ".join(f'"{name}"' for name in masked.names)
    shown, keys = f"(SELECT * FROM ({table.masked_query}) AS t({names}))", changes[table.full_name]
    if keys is None:
        return bring_up(con, masked, shown)
    among = f"AS t SEMI JOIN changed_keys ON {is_among(table, 'changed_keys')}"
    with lent(con, "changed_keys", keys):
        con.execute(f"CREATE TEMP TABLE shown AS SELECT t.* FROM {shown} {among}")
        changed = bring_up(con, masked, "shown", among)
        con.execute("DROP TABLE shown")
    return changed


def _keep_hashes(con: duckdb.DuckDBPyConnection, seen: Changes) -> str:
    """Hash what is masked in part; of a table shown whole the full file has the hashes."""
    kept = con.execute("SELECT DISTINCT table_name FROM complete.ops.content_chunk").fetchall()
    told = {str(row[0]) for row in kept}
    whole = sorted(
        table.name for table, _ in masked_tables() if table.is_shown_whole and table.name in told
    )
    con.execute("DELETE FROM ops.content_chunk WHERE list_contains(?, table_name)", [whole])
    con.execute(
        "INSERT INTO ops.content_chunk FROM complete.ops.content_chunk "
        "WHERE list_contains(?, table_name)",
        [whole],
    )
    return keep_hashes(con, {name: keys for name, keys in seen.items() if name not in whole})
