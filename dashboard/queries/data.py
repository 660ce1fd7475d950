"""What the Data page asks: the dictionary in the file, rows of a table, files of builds.

A table is only ever one that the file has, by its name there: nothing typed becomes SQL.
"""

from __future__ import annotations

import hashlib
import tempfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from dashboard.queries.asking import Answer, Con, ask, rows
from warehouse.metrics import read_metrics
from warehouse.publish import open_published
from warehouse.schema import Table
from warehouse.tables import PUBLISHED

ROWS_A_PAGE = 200
KINDS = {"parquet": "(FORMAT parquet)", "csv": "(FORMAT csv, HEADER)"}
_FULL_NAME = (
    "CASE schema_name WHEN 'main' THEN table_name ELSE schema_name || '.' || table_name END"
)
_ABOUT_DAYS = ("participant_day", "participant_week", "adherence")


@dataclass(frozen=True)
class Made:
    """A table as a file: its bytes, its rows and the SHA-256 of the bytes."""

    content: bytes
    rows: int
    sha256: str


def tables(con: Con) -> dict[str, Table]:
    """The tables of the open file, by name, in the order of the dictionary."""
    present = {row["name"] for row in rows(con, f"SELECT {_FULL_NAME} AS name {_of_the_file()}")}
    return {table.full_name: table for table in PUBLISHED if table.full_name in present}


def is_by_participant(table: Table) -> bool:
    """Whether rows of the table are about one participant each."""
    return "participant_id" in table.names


def overview(con: Con) -> Answer:
    """Each table with its meaning and its rows, as many as the viewer may see."""
    counts = " UNION ALL ".join(
        f"SELECT '{name}' AS name, count(*) AS rows FROM {_quoted(table)}"
        for name, table in tables(con).items()
    )
    return ask(
        con,
        f"""
        WITH counted AS ({counts})
        SELECT name, rows, comment AS meaning
        FROM counted JOIN (SELECT {_FULL_NAME} AS name, * {_of_the_file()}) USING (name)
        ORDER BY name
        """,
    )


def dictionary(con: Con, find: str = "", table: str | None = None) -> Answer:
    """Columns with meaning and type: of one table, or all whose name or meaning has `find`."""
    return ask(
        con,
        f"""
        SELECT if($table IS NULL, {_FULL_NAME} || '.', '') || column_name AS column_name,
            comment AS meaning, data_type
        FROM duckdb_columns()
        WHERE database_name = 'warehouse' AND NOT internal
            AND ($table IS NULL OR {_FULL_NAME} = $table)
            AND ($find = '' OR contains(lower({_FULL_NAME}), lower($find))
                OR contains(lower(column_name), lower($find))
                OR contains(lower(comment), lower($find)))
        ORDER BY {_FULL_NAME}, column_index
        """,
        {"find": find, "table": table},
    )


def metrics(con: Con) -> Answer:
    """Every figure of days, weeks and adherence: definition with unit and direction, and source."""
    cited = {
        column.name: metric.citation
        for metric in read_metrics().values()
        for column in metric.columns
    }
    return ask(
        con,
        """
        WITH cited AS (SELECT unnest($names) AS column_name, unnest($sources) AS source)
        SELECT table_name, column_name AS metric, comment AS definition, source
        FROM duckdb_columns() LEFT JOIN cited USING (column_name)
        WHERE database_name = 'warehouse' AND list_contains($tables, table_name)
            AND NOT list_contains($keys, column_name)
        ORDER BY list_position($tables, table_name), column_index
        """,
        {
            "names": list(cited),
            "sources": list(cited.values()),
            "tables": list(_ABOUT_DAYS),
            "keys": ["participant_id", "activity_date", "study_day", "study_week"],
        },
    )


def scales(con: Con) -> Answer:
    """Every scale: instrument, range, direction, threshold, recall, and where they come from."""
    return ask(
        con,
        """
        SELECT scale, instrument, label, low, high, better, mcid, mcid_kind, recall_days, citation
        FROM scale ORDER BY scale
        """,
    )


def some_rows(con: Con, name: str, participant: str, page: int) -> Answer:
    """One page of a table's rows in the order of its key; KeyError for a table not in the file."""
    table = tables(con)[name]
    return ask(
        con,
        f"""
        SELECT * FROM {_quoted(table)} {_of_participant(table)}
        ORDER BY {_order(con, table)} LIMIT $most OFFSET $skipped
        """,
        {**_named(table, participant), "most": ROWS_A_PAGE, "skipped": (page - 1) * ROWS_A_PAGE},
    )


def count_rows(con: Con, name: str, participant: str) -> int:
    """How many rows of the table the viewer may see, of this participant where one is named."""
    table = tables(con)[name]
    query = f"SELECT count(*) AS n FROM {_quoted(table)} {_of_participant(table)}"
    return int(rows(con, query, _named(table, participant))[0]["n"])


def make_file(con: Con, name: str, kind: str) -> Made:
    """The whole table as the viewer may see it, as Parquet or CSV, in the order of its key."""
    table = tables(con)[name]
    ordered = f"SELECT * FROM {_quoted(table)} ORDER BY {_order(con, table)}"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"table.{kind}"
        written = con.execute(f"COPY ({ordered}) TO '{path}' {KINDS[kind]}").fetchall()
        content = path.read_bytes()
    return Made(content, int(written[0][0]), hashlib.sha256(content).hexdigest())


def builds(folder: Path) -> pa.Table:
    """The builds kept in a folder, newest first; one that cannot be read has its name alone."""
    files = sorted((folder / "builds").glob("warehouse_*.duckdb"), reverse=True)
    return pa.Table.from_pylist([_build(path) for path in files], schema=_BUILD)


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


_INSTANT = pa.timestamp("us", tz="UTC")
_BUILD = pa.schema(
    [
        ("build_id", pa.string()),
        ("built_at", _INSTANT),
        ("as_of", _INSTANT),
        ("data_to", pa.date32()),
        ("code_version", pa.string()),
        ("protocol_hash", pa.string()),
        ("input_hash", pa.string()),
        ("content_hash", pa.string()),
        ("bytes", pa.int64()),
        ("file_sha256", pa.string()),
    ]
)


def _build(path: Path) -> dict[str, Any]:
    told: dict[str, Any] = {"build_id": path.stem.removeprefix("warehouse_")}
    try:
        with closing(open_published(path)) as con:
            told |= rows(con, "SELECT * EXCLUDE (build_id) FROM ops.build")[0]
        told |= {"bytes": path.stat().st_size, "file_sha256": sha256_of(path)}
    except (duckdb.Error, OSError, IndexError):  # damaged, or pruned as it was read
        return {"build_id": told["build_id"]}
    return told


def _of_the_file() -> str:
    return "FROM duckdb_tables() WHERE database_name = 'warehouse'"


def _quoted(table: Table) -> str:
    return f'"{table.schema}"."{table.name}"' if table.schema != "main" else f'"{table.name}"'


def _of_participant(table: Table) -> str:
    named = is_by_participant(table)
    return "WHERE ($participant = '' OR participant_id = $participant)" if named else ""


def _named(table: Table, participant: str) -> dict[str, Any]:
    return {"participant": participant} if is_by_participant(table) else {}


def _order(con: Con, table: Table) -> str:
    """The key, of those of its columns that this file has."""
    present = set(dictionary(con, table=table.full_name).column("column_name"))
    return ", ".join(f'"{name}"' for name in table.key if name in present) or "ALL"
