"""Publishing: a build is made beside the old one, checked, stamped, and then swapped in.

Each build writes two files. The full one holds the arms and lies in `unblinded/`, readable by its
owner alone; the masked one, without anything that reveals an arm, lies in `published/`. In both
folders `warehouse.duckdb` is a link to the newest build and moves in one atomic step.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from types import MappingProxyType

import duckdb

from warehouse.home import Home
from warehouse.schema import Table
from warehouse.tables import PUBLISHED

STABLE_NAME = "warehouse.duckdb"
KEEP_BUILDS = 5
# Readable by DuckDB 1.4 and every later one.
STORAGE_VERSION = "v1.4.0"

TableHash = tuple[str, int, str]  # name, rows, hash of what they say


class CheckFailed(Exception):
    """A build broke its own rules and was not published; the message lists them."""


class NotPublished(Exception):
    """There is no published file yet."""


def stable_path(home: Home, sees_arms: bool = False) -> Path:
    """The link that always names the newest build a role may open."""
    return (home.unblinded if sees_arms else home.published) / STABLE_NAME


def connect() -> duckdb.DuckDBPyConnection:
    """An in-memory connection with the settings every reader and builder needs."""
    con = duckdb.connect(config={"autoinstall_known_extensions": False})
    con.execute("SET TimeZone = 'UTC'")
    return con


def open_published(path: Path) -> duckdb.DuckDBPyConnection:
    """Open the build that `path` names now, read-only; NotPublished when there is none.

    The link is resolved first: within one process DuckDB would otherwise go on serving the old
    file under the same name.
    """
    if not path.exists():
        raise NotPublished(f"{path}: nothing is published yet; run `stepwell build`")
    con = connect()
    con.execute(f"ATTACH '{_sql(path.resolve())}' AS warehouse (READ_ONLY)")
    con.execute("USE warehouse")
    return con


@contextmanager
def building(home: Home, build_id: str) -> Iterator[tuple[duckdb.DuckDBPyConnection, Path]]:
    """A connection to a new, empty full build beside the published ones, every table created.

    Left without an error the file is closed and stays aside for `publish`; with one it is removed.
    One build at a time (Register.leased): what an earlier, killed one left aside is cleared.
    """
    for folder in (home.unblinded, home.published):
        (folder / "builds").mkdir(parents=True, exist_ok=True)
        _clear_aside(folder)
    home.unblinded.chmod(0o700)
    aside = home.unblinded / "builds" / f".{build_id}.tmp"
    con = connect()
    try:
        _create(con, aside, PUBLISHED)
        yield con, aside
        con.execute("USE memory")
        con.execute("DETACH warehouse")
    except BaseException:
        con.close()
        _clear_aside(home.unblinded)
        raise
    con.close()


def check(con: duckdb.DuckDBPyConnection) -> None:
    """Write every table's checks to ops.check_result; CheckFailed lists those that do not hold."""
    failures = [failure for table in PUBLISHED for failure in table.failures(con)]
    sentences = [sentence for table in PUBLISHED for sentence in table.sentences]
    con.execute("INSERT INTO ops.check_result SELECT unnest(?), 0", [sentences])
    if failures:
        lines = [f"{sentence}: {n} rows do not" for sentence, n in failures]
        raise CheckFailed("this build was not published:\n" + "\n".join(lines))


def publish(home: Home, build_id: str, aside: Path, hashes: Sequence[TableHash] = ()) -> Path:
    """Make the masked twin of the full build `aside`, and swap both in; returns the masked path.

    `hashes` are those of the full build's tables, where they are known.
    """
    try:
        masked = _masked_twin(home, build_id, aside, hashes)
    except BaseException:
        for folder in (home.unblinded, home.published):
            _clear_aside(folder)
        raise
    for folder, file in ((home.unblinded, aside), (home.published, masked)):
        final = folder / "builds" / f"warehouse_{build_id}.duckdb"
        os.replace(file, final)
        _point(folder / STABLE_NAME, final)
        _prune(folder)
    return stable_path(home)


def content_hash(con: duckdb.DuckDBPyConnection) -> str:
    """SHA-256 of what the tables of `main` say, whatever the order of their rows."""
    return digest_of(table_hashes(con))


def digest_of(hashes: Iterable[TableHash]) -> str:
    """The content hash that those of the tables make."""
    total = hashlib.sha256()
    for name, rows, digest in hashes:
        total.update(f"{name} {rows} {digest}\n".encode())
    return total.hexdigest()


def table_hashes(
    con: duckdb.DuckDBPyConnection, known: Mapping[str, TableHash] = MappingProxyType({})
) -> list[TableHash]:
    """Each table of `main` in the open file as (name, rows, hash); provenance does not count.

    Those of `known` are taken from there.
    """
    query = (
        "SELECT table_name FROM duckdb_tables() "
        "WHERE database_name = current_database() AND schema_name = 'main'"
    )
    present = {row[0] for row in con.execute(query).fetchall()}
    return [
        known.get(table.name) or (table.name, *_table_hash(con, table))
        for table in sorted(PUBLISHED, key=lambda table: table.name)
        if table.schema == "main" and table.name in present
    ]


def _table_hash(con: duckdb.DuckDBPyConnection, table: Table) -> tuple[int, str]:
    present = {row[0] for row in con.execute(f"DESCRIBE {table.full_name}").fetchall()}
    columns = [c.name for c in table.columns if c.name in present and not c.provenance]
    listed = ", ".join(f'"{name}"' for name in columns)
    rows, told = con.execute(
        f"SELECT count(*), coalesce(string_agg(line, '' ORDER BY line), '') FROM "
        f"(SELECT md5(row({listed})::VARCHAR) AS line FROM {table.full_name})"
    ).fetchall()[0]
    return int(rows), hashlib.sha256(f"{listed}\n{told}".encode()).hexdigest()


def _masked_twin(home: Home, build_id: str, full: Path, hashes: Sequence[TableHash]) -> Path:
    aside = home.published / "builds" / f".{build_id}.tmp"
    con = connect()
    try:
        con.execute(f"ATTACH '{_sql(full)}' AS complete (READ_ONLY)")
        shown = [(table, masked) for table in PUBLISHED if (masked := table.masked())]
        whole = {t.name for t, m in shown if t.names == m.names and not t.reveals_arm_where}
        same = {one[0]: one for one in hashes if one[0] in whole}
        _create(con, aside, [masked for _, masked in shown])
        con.execute("BEGIN")
        for table, masked in shown:
            columns = ", ".join(f'"{name}"' for name in masked.names)
            hidden = f"WHERE NOT ({table.reveals_arm_where})" if table.reveals_arm_where else ""
            source = f"complete.{table.schema}.{table.name}"
            con.execute(f"INSERT INTO {masked.full_name} SELECT {columns} FROM {source} {hidden}")
        digest = digest_of(table_hashes(con, same))
        con.execute("UPDATE ops.build SET masked = true, content_hash = ?", [digest])
        con.execute("COMMIT")
    finally:
        con.close()
    return aside


def _create(
    con: duckdb.DuckDBPyConnection, path: Path, tables: tuple[Table, ...] | list[Table]
) -> None:
    con.execute(f"ATTACH '{_sql(path)}' AS warehouse (STORAGE_VERSION '{STORAGE_VERSION}')")
    con.execute("USE warehouse")
    con.execute("BEGIN")  # each statement alone would wait for the disk
    con.execute("CREATE SCHEMA ops")
    for table in tables:
        table.create(con)
    con.execute("COMMIT")


def _point(link: Path, target: Path) -> None:
    aside = link.with_name(f".{link.name}.{os.getpid()}")
    with suppress(FileNotFoundError):
        aside.unlink()
    aside.symlink_to(os.path.relpath(target, link.parent))
    os.replace(aside, link)


def _prune(folder: Path) -> None:
    newest = (folder / STABLE_NAME).resolve()
    builds = sorted((folder / "builds").glob("warehouse_*.duckdb"))
    for old in builds[:-KEEP_BUILDS]:
        if old != newest:  # a clock set back gives the newest build an old name
            old.unlink(missing_ok=True)


def _clear_aside(folder: Path) -> None:
    for left in (folder / "builds").glob(".*.tmp*"):
        left.unlink(missing_ok=True)


def _sql(path: Path) -> str:
    return str(path).replace("'", "''")


def stamp(now: datetime) -> str:
    """The name of a build made at `now`: sorts by time."""
    return now.strftime("%Y%m%dT%H%M%S%fZ")
