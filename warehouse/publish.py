"""Publishing: a build is made beside the old one, checked, stamped, and then swapped in.

Each build writes two files. The full one holds the arms and lies in `unblinded/`, readable by its
owner alone; the masked one, without anything that reveals an arm, lies in `published/`. In both
folders `warehouse.duckdb` is a link to the newest build and moves in one atomic step.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

import duckdb

from warehouse.content import (
    content_hash as content_hash,
)
from warehouse.content import (
    lent,
)
from warehouse.content import (
    table_hashes as table_hashes,
)
from warehouse.edition import Changes, is_among
from warehouse.home import Home
from warehouse.masked import bring_up_masked, fill_masked, masked_tables
from warehouse.schema import Table
from warehouse.tables import PUBLISHED

STABLE_NAME = "warehouse.duckdb"
KEEP_BUILDS = 5
# Readable by DuckDB 1.4 and every later one.
STORAGE_VERSION = "v1.4.0"


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
def building(
    home: Home, build_id: str, start: Path | None = None
) -> Iterator[tuple[duckdb.DuckDBPyConnection, Path]]:
    """A connection to a new full build beside the published ones: empty, or a copy of `start`.

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
        if start:
            _copy(con, start, aside)
        else:
            _create(con, aside, PUBLISHED)
        yield con, aside
        con.execute("USE memory")
        con.execute("DETACH warehouse")
    except BaseException:
        con.close()
        _clear_aside(home.unblinded)
        raise
    con.close()


def check(con: duckdb.DuckDBPyConnection, changes: Changes | None = None) -> None:
    """Write every table's checks to ops.check_result; CheckFailed lists those that do not hold.

    With `changes`, those of a copy of the last build, the rows that it passed are not asked again.
    """
    failures = [failure for table in PUBLISHED for failure in _failures(con, table, changes)]
    sentences = [sentence for table in PUBLISHED for sentence in table.sentences]
    con.execute("DELETE FROM ops.check_result")
    con.execute("INSERT INTO ops.check_result SELECT unnest(?), 0", [sentences])
    if failures:
        lines = [f"{sentence}: {n} rows do not" for sentence, n in failures]
        raise CheckFailed("this build was not published:\n" + "\n".join(lines))


def _failures(
    con: duckdb.DuckDBPyConnection, table: Table, changes: Changes | None
) -> list[tuple[str, int]]:
    if changes is None:
        return table.failures(con)
    if table.full_name not in changes:
        return []
    keys = changes[table.full_name]
    if keys is None:
        return table.failures(con)
    with lent(con, "changed_keys", keys):
        return table.failures(con, changed_rows(table))


def changed_rows(table: Table) -> str:
    """SQL of the rows of the table whose key is in `changed_keys`."""
    among = is_among(table, "changed_keys")
    return f"(SELECT t.* FROM {table.full_name} AS t SEMI JOIN changed_keys ON {among})"


def publish(home: Home, build_id: str, aside: Path, changes: Changes | None = None) -> Path:
    """Make the masked twin of the full build `aside`, and swap both in; returns the masked path.

    With `changes`, those of a copy of the last build, the twin starts from a copy of the last twin.
    """
    try:
        masked = _masked_twin(home, build_id, aside, changes)
    except BaseException:
        for folder in (home.unblinded, home.published):
            _clear_aside(folder)
        raise
    for folder, file in ((home.unblinded, aside), (home.published, masked)):
        final = folder / "builds" / build_name(build_id)
        os.replace(file, final)
        _point(folder / STABLE_NAME, final)
        _prune(folder)
    return stable_path(home)


def _masked_twin(home: Home, build_id: str, full: Path, changes: Changes | None) -> Path:
    aside = home.published / "builds" / f".{build_id}.tmp"
    con = connect()
    try:
        con.execute(f"ATTACH '{_sql(full)}' AS complete (READ_ONLY)")
        if changes is None:
            _create(con, aside, [masked for _, masked in masked_tables()])
        else:
            _copy(con, stable_path(home), aside)
        con.execute("BEGIN")
        digest = fill_masked(con) if changes is None else bring_up_masked(con, changes)
        con.execute("UPDATE ops.build SET masked = true, content_hash = ?", [digest])
        con.execute("COMMIT")
    finally:
        con.close()
    return aside


def _copy(con: duckdb.DuckDBPyConnection, start: Path, path: Path) -> None:
    shutil.copyfile(start, path)
    con.execute(f"ATTACH '{_sql(path)}' AS warehouse")
    con.execute("USE warehouse")


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


def build_name(build_id: str) -> str:
    """The name of a build's file."""
    return f"warehouse_{build_id}.duckdb"


def stamp(now: datetime) -> str:
    """The name of a build made at `now`: sorts by time."""
    return now.strftime("%Y%m%dT%H%M%S%fZ")
