"""Taking one participant out of the lake's rows and out of every published build.

Each step can be killed at any moment and done again. Who calls it holds the locks of what it
changes: those of landing, and `warehouse` for builds and months' files.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from warehouse import publish
from warehouse.content import keep_hashes
from warehouse.day_files import GROUPED_BATCHES
from warehouse.home import Home
from warehouse.lake import Lake
from warehouse.schema import Table
from warehouse.tables import PUBLISHED, landed, ops

IDLE_SECONDS = 3600
ROWS = (landed.activity_day, landed.response, landed.treatment_session, landed.goal)


def files_of(lake: Lake, table: Table, buckets: Iterable[str]) -> list[str]:
    """The files of a table that rows of these batches (or `import`) can lie in."""
    names = set()
    for one in buckets:
        group = f"{int(one) // GROUPED_BATCHES:04d}" if one.isdigit() else one
        names |= {f"bucket={one}.parquet", f"group={group}.parquet"}
    found = (file.path for file in lake.files(table.name))
    return [path for path in found if path.rpartition("/")[2] in names]


def count_rows(lake: Lake, table: Table, buckets: Iterable[str], participant_id: str) -> int:
    """How many rows of a table are the participant's."""
    paths = files_of(lake, table, buckets)
    return sum(pc.sum(_mine(_ids(lake, path), participant_id)).as_py() or 0 for path in paths)


def erase_rows(lake: Lake, table: Table, path: str, participant_id: str) -> None:
    """Write a file without the participant's rows; a file of nobody else goes."""
    mine = _mine(_ids(lake, path), participant_id)
    if not pc.any(mine).as_py():
        return
    rest = lake.read_days(path).filter(pc.invert(mine))
    if rest.num_rows:
        lake.write_rows(table, path, rest)
    else:
        lake.delete(path)


def clear_left(home: Home) -> None:
    """Remove what killed writers left aside in the lake: what nobody has written to for an hour."""
    if "://" in home.lake_url:
        return  # there an object appears whole
    for left in Path(home.lake_url).rglob(".*.tmp"):
        with suppress(FileNotFoundError):  # its writer was done
            if left.stat().st_mtime < time.time() - IDLE_SECONDS:
                left.unlink()


def count_builds(home: Home) -> int:
    """How many stamped build files there are."""
    return len(_builds(home))


def erase_from_builds(home: Home, participant_id: str) -> None:
    """Publish the newest build again without the participant's rows, and remove every other file.

    Figures of cohorts stay as they were built, until the next build: as this one has no ledger of
    the lake, that computes everything anew.
    """
    full = publish.stable_path(home, sees_arms=True)
    if full.exists():
        _publish_without(home, full.resolve(), participant_id)
    newest = {publish.stable_path(home, arms).resolve() for arms in (True, False)}
    keep = newest if full.exists() else set()
    for path in _builds(home):
        if path.resolve() not in keep:
            path.unlink(missing_ok=True)


def _publish_without(home: Home, newest: Path, participant_id: str) -> None:
    build_id = publish.stamp(datetime.now(UTC))
    with publish.building(home, build_id) as (con, aside):
        con.execute(f"ATTACH '{str(newest).replace(chr(39), chr(39) * 2)}' AS before (READ_ONLY)")
        query = (
            "SELECT schema_name, table_name, column_name FROM duckdb_columns() "
            "WHERE database_name = 'before'"
        )
        present: dict[tuple[str, str], set[str]] = {}
        for schema, name, column in con.execute(query).fetchall():
            present.setdefault((schema, name), set()).add(column)
        for table in PUBLISHED:
            names = [n for n in table.names if n in present.get((table.schema, table.name), ())]
            if names and table not in (ops.lake_file, ops.content_chunk):
                listed = ", ".join(f'"{name}"' for name in names)
                source = f"before.{table.schema}.{table.name}"
                others = "WHERE participant_id <> $who" if "participant_id" in names else ""
                con.execute(
                    f"INSERT INTO {table.full_name} ({listed}) "
                    f"SELECT {listed} FROM {source} {others}",
                    {"who": participant_id} if others else {},
                )
        con.execute("DETACH before")
        digest = keep_hashes(con)
        con.execute("UPDATE ops.build SET build_id = ?, content_hash = ?", [build_id, digest])
    publish.publish(home, build_id, aside)


def _builds(home: Home) -> list[Path]:
    folders = (home.unblinded, home.published)
    return [path for one in folders for path in (one / "builds").glob("warehouse_*.duckdb*")]


def _ids(lake: Lake, path: str) -> pa.ChunkedArray:
    return lake.read_days(path, ["participant_id"])["participant_id"]


def _mine(ids: pa.ChunkedArray, participant_id: str) -> pa.ChunkedArray:
    return pc.equal(ids, pa.scalar(participant_id, pa.string()))
