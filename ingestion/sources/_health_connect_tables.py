"""Tables of step records in CSV, Parquet or SQLite, brought to one form: text under known names.

Names of columns are compared without case and punctuation, and structures are flattened: `count`,
`Start Time`, `metadata.dataOrigin.packageName`. A SQLite export of Health Connect keeps records in
`steps_record_table`, with milliseconds, offsets in seconds, and apps in `application_info_table`.
Only these columns are taken: such a database holds far more of a person than steps.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path, PurePosixPath
from shutil import copyfileobj
from tempfile import TemporaryDirectory
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from ingestion.archives import open_archive
from ingestion.delimited import first_line, header_of, normal, read_strict
from ingestion.errors import BadInput

COLUMNS = {  # the name here -> what tables call it, compared as `normal` makes them
    "id": ("id", "uuid", "metadataid", "recordid"),
    "start": ("starttime", "start", "startdatetime"),
    "start_offset": ("startzoneoffset", "startoffset", "zoneoffset"),
    "end": ("endtime", "end", "enddatetime"),
    "count": ("count", "steps", "stepcount"),
    "origin": (
        "dataorigin", "metadatadataorigin", "dataoriginpackagename",
        "metadatadataoriginpackagename", "packagename",
    ),
    "modified": ("lastmodifiedtime", "metadatalastmodifiedtime", "lastmodified"),
}  # fmt: skip
REQUIRED = ("start", "end", "count")
NEEDED = (
    "needed is a table of steps (CSV, Parquet or SQLite) with columns startTime, endTime and "
    "count, and where present id, startZoneOffset, dataOrigin and lastModifiedTime"
)
_ENDS = (".csv", ".csv.gz", ".parquet", ".db", ".sqlite", ".sqlite3")


def step_tables(paths: Sequence[Path]) -> Iterator[bytes]:
    """Each table of step records at the paths of one participant, as CSV under COLUMNS' names.

    In a folder or zip a CSV or Parquet file is one of steps when its name says so.
    """
    for path in paths:
        if path.is_dir():
            yield from step_tables([
                one for one in sorted(path.rglob("*"))
                if one.is_file() and (_is_table(one.name) or one.suffix.lower() == ".zip")
            ])  # fmt: skip
        elif path.suffix.lower() == ".zip":
            yield from _zipped(path)
        elif path.name.lower().endswith(_ENDS):
            yield from _tables(path)
        else:
            raise BadInput(f"{path.name}: not a table of steps; {NEEDED}")


def _is_table(name: str) -> bool:
    low = name.lower()
    return low.endswith(_ENDS) and ("step" in low or low.endswith((".db", ".sqlite", ".sqlite3")))


def _zipped(path: Path) -> Iterator[bytes]:
    with ExitStack() as stack:
        archive = stack.enter_context(open_archive(path, path.name))
        aside = Path(stack.enter_context(TemporaryDirectory()))
        for number, member in enumerate(archive.members):
            name = PurePosixPath(member.name).name
            if _is_table(name):
                file = aside / f"{number}" / name
                file.parent.mkdir()
                with archive.open(member.name) as content, file.open("wb") as target:
                    copyfileobj(content, target)
                yield from _tables(file)


def _tables(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        begins = file.read(16)
    if begins == b"SQLite format 3\0":
        yield from _sqlite(path)
    elif begins[:4] == b"PAR1":
        yield _as_csv(_parquet(path))
    else:
        yield _as_csv(_csv(path))


def _csv(path: Path) -> pa.Table:
    body = path.read_bytes()
    columns = header_of(first_line(path.name, body))
    wanted = _wanted(path.name, columns)
    if not path.name.lower().endswith(".gz") and not body.endswith(b"\n"):
        body += b"\n"  # a row that was cut lacks fields
    table = read_strict(path.name, body, {normal(c): pa.string() for c in wanted.values()})
    return pa.table({name: table[normal(column)] for name, column in wanted.items()})


def _parquet(path: Path) -> pa.Table:
    try:
        table = pq.read_table(path)
    except (pa.ArrowInvalid, OSError):
        raise BadInput(f"{path.name}: a damaged Parquet file; copy or export it again") from None
    while any(pa.types.is_struct(field.type) for field in table.schema):
        table = table.flatten()
    wanted = _wanted(path.name, table.column_names)
    return pa.table({name: _text(table[column]) for name, column in wanted.items()})


def _text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_timestamp(column.type) and column.type.tz:
        column = pc.cast(pc.cast(column, pa.timestamp("ms", "UTC")), pa.int64())
    if pa.types.is_binary(column.type):
        return pa.chunked_array([[one and one.hex() for one in column.to_pylist()]], pa.string())
    return pc.cast(column, pa.string())


def _sqlite(path: Path) -> Iterator[bytes]:
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as con:
            names = [row[0] for row in con.execute("SELECT name FROM sqlite_master")]
            tables = [one for one in names if normal(one) in ("stepsrecordtable", "stepsrecord")]
            if not tables:
                raise BadInput(f"{path.name}: no table steps_record_table in it; {NEEDED}")
            for table in tables:
                yield _as_csv(_sqlite_table(con, path.name, table, names))
    except sqlite3.DatabaseError:
        raise BadInput(f"{path.name}: a damaged SQLite file; copy or export it again") from None


def _sqlite_table(
    con: sqlite3.Connection, file: str, table: str, tables: Sequence[str]
) -> pa.Table:
    quoted = '"' + table.replace('"', '""') + '"'
    columns = [row[1] for row in con.execute(f"PRAGMA table_info({quoted})")]
    wanted = _wanted(file, columns)
    shown = {
        name: f'lower(hex(r."{column}"))' if name == "id" else f'CAST(r."{column}" AS TEXT)'
        for name, column in wanted.items()
    }
    join = ""
    if "app_info_id" in columns and "application_info_table" in tables:
        shown["origin"] = "a.package_name"
        join = "LEFT JOIN application_info_table AS a ON a.row_id = r.app_info_id"
    rows = con.execute(f"SELECT {', '.join(shown.values())} FROM {quoted} AS r {join}").fetchall()
    return pa.table({
        name: pa.array([row[n] for row in rows], pa.string()) for n, name in enumerate(shown)
    })  # fmt: skip


def _wanted(file: str, columns: Sequence[str]) -> dict[str, str]:
    """The table's own name of each column that it has; BadInput when a required one is missing."""
    given = {normal(column): column for column in columns}
    found = {
        name: given[alias]
        for name, aliases in COLUMNS.items()
        if (alias := next((one for one in aliases if one in given), None))
    }
    if missing := [COLUMNS[name][0] for name in REQUIRED if name not in found]:
        raise BadInput(f"{file}: no column {', '.join(missing)}; {NEEDED}")
    return found


def _as_csv(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    pyarrow.csv.write_csv(table, sink, pyarrow.csv.WriteOptions(quoting_style="needed"))
    return bytes(sink.getvalue())


def read_table(stream: BinaryIO, name: str) -> dict[str, pa.ChunkedArray]:
    """The columns of what `step_tables` wrote, as text; absent ones are null throughout."""
    body = stream.read()
    header = header_of(first_line(name, body))
    table = read_strict(name, body, dict.fromkeys(map(normal, header), pa.string()))
    nothing = pa.chunked_array([pa.nulls(table.num_rows, pa.string())])
    return {one: table[normal(one)] if one in header else nothing for one in COLUMNS}
