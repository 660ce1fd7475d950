"""The content hash: what the tables of `main` say, whatever the order of their rows.

A table is hashed in chunks, by its day or its week where its key has one, and the chunks' hashes
are kept in `ops.content_chunk`: a build that starts from the last one hashes only the chunks in
which something changed, and comes to the hash that a build from nothing comes to.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

import duckdb
import pyarrow as pa

from warehouse.schema import Table, Type
from warehouse.tables import PUBLISHED

TableHash = tuple[str, int, str]  # name, rows, hash of what they say
Chunk = tuple[str, int, str]  # which part of the table, rows, hash of what they say
CHUNK_COLUMNS = ("activity_date", "study_week")


def content_hash(con: duckdb.DuckDBPyConnection) -> str:
    """SHA-256 of what the tables of `main` say, whatever the order of their rows."""
    return digest_of(table_hashes(con))


def digest_of(hashes: Iterable[TableHash]) -> str:
    """The content hash that those of the tables make."""
    total = hashlib.sha256()
    for name, rows, digest in hashes:
        total.update(f"{name} {rows} {digest}\n".encode())
    return total.hexdigest()


def table_hashes(con: duckdb.DuckDBPyConnection) -> list[TableHash]:
    """Each table of `main` in the open file as (name, rows, hash); provenance does not count."""
    return [_of_chunks(con, table, compute_chunks(con, table)) for table in hashed_tables(con)]


def kept_hashes(con: duckdb.DuckDBPyConnection) -> list[TableHash]:
    """The same from the hashes kept in `ops.content_chunk`."""
    kept: dict[str, list[Chunk]] = {}
    query = "SELECT table_name, chunk, rows, chunk_hash FROM ops.content_chunk"
    for name, *chunk in con.execute(query).fetchall():
        kept.setdefault(name, []).append((chunk[0], chunk[1], chunk[2]))
    return [_of_chunks(con, table, kept.get(table.name, [])) for table in hashed_tables(con)]


def keep_hashes(
    con: duckdb.DuckDBPyConnection, changes: Mapping[str, pa.Table | None] | None = None
) -> str:
    """Bring the kept hashes of the open file up to date; returns its content hash.

    `changes` has, by table, the keys of the rows that changed, or None for any; a table that it
    lacks is as it was. Without it everything is hashed.
    """
    for table in hashed_tables(con):
        if changes is None:
            keep_chunks(con, table)
        elif table.full_name in changes:
            keep_chunks(con, table, changes[table.full_name])
    return digest_of(kept_hashes(con))


def keep_chunks(
    con: duckdb.DuckDBPyConnection, table: Table, changed: pa.Table | None = None
) -> None:
    """Bring `ops.content_chunk` up to date: with the rows of the keys `changed`, or with all."""
    column = _chunk_column(table)
    if changed is None or column is None:
        con.execute("DELETE FROM ops.content_chunk WHERE table_name = ?", [table.name])
        rows = compute_chunks(con, table)
    else:
        query = f"SELECT DISTINCT {_chunk_of(column)} FROM changed_keys"
        with lent(con, "changed_keys", changed):
            con.execute(
                f"DELETE FROM ops.content_chunk WHERE table_name = ? AND chunk IN ({query})",
                [table.name],
            )
            rows = compute_chunks(con, table, f"WHERE {_chunk_of(column)} IN ({query})")
    listed = [
        {"table_name": table.name, "chunk": c, "rows": n, "chunk_hash": h} for c, n, h in rows
    ]
    schema = pa.schema(
        {
            "table_name": pa.string(),
            "chunk": pa.string(),
            "rows": pa.int64(),
            "chunk_hash": pa.string(),
        }
    )
    with lent(con, "chunks", pa.Table.from_pylist(listed, schema=schema)):
        con.execute("INSERT INTO ops.content_chunk BY NAME FROM chunks")


def compute_chunks(con: duckdb.DuckDBPyConnection, table: Table, where: str = "") -> list[Chunk]:
    """The table's chunks as (which, rows, hash)."""
    column = _chunk_column(table)
    chunk = _chunk_of(column) if column else "''"
    return con.execute(
        f"SELECT chunk, count(*), sha256(string_agg(line, '' ORDER BY line)) FROM (SELECT "
        f"{chunk} AS chunk, md5(row({', '.join(_cells(con, table))})::VARCHAR) AS line "
        f"FROM {table.full_name} {where}) GROUP BY chunk"
    ).fetchall()


def hashed_tables(con: duckdb.DuckDBPyConnection) -> list[Table]:
    """The tables of the open file that count, by name."""
    query = (
        "SELECT table_name FROM duckdb_tables() "
        "WHERE database_name = current_database() AND schema_name = 'main'"
    )
    present = {row[0] for row in con.execute(query).fetchall()}
    known = (table for table in PUBLISHED if table.schema == "main" and table.name in present)
    return sorted(known, key=lambda table: table.name)


@contextmanager
def lent(con: duckdb.DuckDBPyConnection, name: str, rows: pa.Table) -> Iterator[None]:
    """`rows` can be queried by `name` inside the block; after an error the error is what counts."""
    con.register(name, rows)
    yield
    con.unregister(name)


def _of_chunks(con: duckdb.DuckDBPyConnection, table: Table, chunks: Iterable[Chunk]) -> TableHash:
    listed = sorted(chunks)
    told = "".join(f"{chunk} {rows} {digest}\n" for chunk, rows, digest in listed)
    columns = ", ".join(_cells(con, table))
    digest = hashlib.sha256(f"{columns}\n{told}".encode()).hexdigest()
    return table.name, sum(rows for _, rows, _ in listed), digest


def _cells(con: duckdb.DuckDBPyConnection, table: Table) -> list[str]:
    """What of a row counts; 0 and -0, which are equal, must read alike."""
    present = {row[0] for row in con.execute(f"DESCRIBE {table.full_name}").fetchall()}
    return [
        f'"{c.name}" + 0.0' if c.type is Type.REAL else f'"{c.name}"'
        for c in table.columns
        if c.name in present and not c.provenance
    ]


def _chunk_column(table: Table) -> str | None:
    return next((name for name in CHUNK_COLUMNS if name in table.key), None)


def _chunk_of(column: str) -> str:
    return f"CAST({column} AS VARCHAR)"
