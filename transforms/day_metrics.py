"""Days of minutes to `day_metric`: those that landed or changed, the rest from the last build."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import duckdb
import pyarrow as pa

from transforms.activity.kernel import compute_day_metrics
from warehouse.content import lent
from warehouse.day_files import among, keys_of
from warehouse.edition import Edition
from warehouse.home import Store
from warehouse.lake import LakeFile
from warehouse.tables import landed
from warehouse.tables.derived import day_metric

KERNEL_ROWS = 4096  # days read and computed at a time: bounds memory

_KEYS = ["participant_id", "source", "activity_date", "row_hash"]
FACTS = [c.name for c in landed.activity_day.columns if not c.provenance]
_OF_DIRTY = "JOIN dirty USING (participant_id, source, activity_date)"


def fill_day_metric(edition: Edition, store: Store, files: list[LakeFile]) -> int:
    """Fill `day_metric` from all of the lake's minutes; returns how many days."""
    days = store.lake.days((file.path for file in files), files, FACTS)
    return _compute(edition.con, store, days)


def bring_up_day_metric(
    edition: Edition, store: Store, files: list[LakeFile], known: set[LakeFile]
) -> int:
    """Take the days of the last build, `previous`, but for those that landed or changed since.

    `known` are the files that it read. Returns how many days were computed.
    """
    changed = [file.path for file in files if file not in known]
    dirty = _dirty_keys(edition.con, store, changed, files)
    with lent(edition.con, "dirty", dirty):
        if not edition.is_copy:
            edition.con.execute(
                "INSERT INTO day_metric BY NAME SELECT * FROM previous.day_metric ANTI " + _OF_DIRTY
            )
        with edition.deriving(day_metric, within=f"SEMI {_OF_DIRTY}"):
            return _compute(edition.con, store, _dirty_rows(store, dirty, files))


def in_parts(parts: Iterable[tuple[str, pa.Table]], size: int) -> Iterator[list[pa.Table]]:
    """The rows of many small files together, until they are `size` or more."""
    held: list[pa.Table] = []
    for _, rows in parts:
        held.append(rows)
        if sum(one.num_rows for one in held) >= size:
            yield held
            held = []
    if held:
        yield held


def _compute(
    con: duckdb.DuckDBPyConnection, store: Store, parts: Iterable[tuple[str, pa.Table]]
) -> int:
    """Compute the days of `parts` into `day_metric`; returns how many."""
    done = 0
    for held in in_parts(parts, KERNEL_ROWS):
        rows = pa.concat_tables(held)
        with lent(con, "computed", compute_day_metrics(rows, store.study.wear)):
            con.execute("INSERT INTO day_metric BY NAME SELECT * FROM computed")
        done += rows.num_rows
    return done


def _dirty_keys(
    con: duckdb.DuckDBPyConnection, store: Store, changed: list[str], files: list[LakeFile]
) -> pa.Table:
    """Keys of the days to compute, with the file each lies in."""
    schema = pa.schema(
        [*(landed.activity_day.arrow.field(name) for name in _KEYS), pa.field("path", pa.string())]
    )
    parts = [schema.empty_table()]
    for path, keys in store.lake.days(changed, files, _KEYS):
        parts.append(keys.append_column("path", pa.array([path] * keys.num_rows)).cast(schema))
    with lent(con, "landed_keys", pa.concat_tables(parts)):
        return con.sql(
            f"SELECT * FROM landed_keys ANTI JOIN previous.day_metric USING ({', '.join(_KEYS)})"
        ).to_arrow_table()


def _dirty_rows(
    store: Store, dirty: pa.Table, files: list[LakeFile]
) -> Iterator[tuple[str, pa.Table]]:
    """The day rows to compute, file by file."""
    wanted: dict[str, list[str]] = {}
    for path, key in zip(dirty["path"].to_pylist(), keys_of(dirty).to_pylist(), strict=True):
        wanted.setdefault(path, []).append(key)
    for path, rows in store.lake.days(wanted, files, FACTS):
        # By participant and date, not by hash: a pull that lands right now may already have put
        # newer facts here. The next build finds that file changed.
        yield path, among(rows, pa.array(wanted[path]))
