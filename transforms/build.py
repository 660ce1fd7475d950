"""One build of the warehouse: what changed is derived again, everything is checked, then swapped.

The work list is the ledger of the last build (`ops.lake_file` and the row hashes in `day_metric`)
against the lake as it is now. So nothing that landed can be missed, whoever woke the build and
however often it was killed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.metadata import version
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from transforms.activity.bridge import derive_bridge
from transforms.activity.kernel import compute_day_metrics
from transforms.activity.participant_day import derive_participant_day
from transforms.activity.week import derive_participant_week
from transforms.cohort.adherence import derive_adherence
from transforms.cohort.cohort_outcome import derive_cohort_outcome
from transforms.cohort.cohort_week import derive_cohort_week
from transforms.outcomes.activity_outcome import derive_activity_outcome
from transforms.outcomes.outcome import derive_outcome
from transforms.outcomes.reference import derive_scale, derive_visit
from transforms.outcomes.score import derive_score
from transforms.quality import derive_implausible_day, derive_receipt_day, derive_rejection_day
from warehouse import publish
from warehouse import register as reg
from warehouse.home import Store
from warehouse.lake import LakeFile
from warehouse.schema import Table, table_of
from warehouse.tables import landed, ops, quality
from warehouse.tables.derived import day_metric

RECEIPT_DAYS = 30  # receipts older than this stay in the register only
KERNEL_ROWS = 4096  # days read and computed at a time: bounds memory

_KEYS = ["participant_id", "source", "activity_date", "row_hash"]


@dataclass(frozen=True)
class Built:
    """What a build did."""

    build_id: str
    days_computed: int
    days_reused: int
    content_hash: str


def build_warehouse(store: Store, as_of: datetime, full: bool = False) -> Built:
    """Build, check and publish the warehouse as it is known at `as_of`.

    Days of minutes whose row_hash, protocol and code are those of the last build are taken from
    it; `full` computes all of them. Raises publish.CheckFailed, and then nothing is published.
    """
    with store.register.leased("warehouse", wait=900):
        build_id = publish.stamp(datetime.now(UTC))
        with publish.building(store.home, build_id) as (con, aside):
            _load(con, store, as_of)
            files = store.lake.day_files()
            computed, reused = _fill_day_metric(con, store, files, full)
            _derive(con, store, as_of)
            digest = publish.content_hash(con)
            _describe(con, store, build_id, as_of, files, digest, computed, reused)
            publish.check(con)
        publish.publish(store.home, build_id, aside)
        return Built(build_id, computed, reused, digest)


@cache
def code_version() -> str:
    """Version of Stepwell and a hash of the code that gives facts their meaning."""
    root = Path(__file__).parents[1]
    files = sorted([*root.glob("transforms/**/*.py"), *root.glob("warehouse/**/*.py")])
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
    return f"{version('stepwell')}+{digest[:12]}"


def _load(con: duckdb.DuckDBPyConnection, store: Store, as_of: datetime) -> None:
    """Copy the register's and the lake's small tables into the build."""
    for table in (landed.response, landed.treatment_session, landed.goal):
        _insert_arrow(con, table, store.lake.read_rows(table))
    since = reg.receipt.c.asked_at >= as_of - timedelta(days=RECEIPT_DAYS)
    _copy(con, store, landed.participant, reg.participant)
    _copy(con, store, ops.connection, reg.grant)
    _copy(con, store, ops.device, reg.device)
    _copy(con, store, ops.receipt, reg.receipt, since)
    _copy(con, store, ops.rejection, reg.rejection)
    _copy(con, store, ops.revision, reg.revision)
    _copy(con, store, ops.lateness, reg.lateness)
    _copy(con, store, quality.drift, reg.drift)


def _copy(
    con: duckdb.DuckDBPyConnection,
    store: Store,
    table: Table,
    kept: sa.Table,
    *conditions: sa.ColumnElement[bool],
) -> None:
    """Copy a table of the register, only its declared columns: tokens are not among them."""
    query = sa.select(*(kept.c[name] for name in table.names)).where(*conditions)
    _insert_arrow(con, table, store.register.arrow(table, query))


def _fill_day_metric(
    con: duckdb.DuckDBPyConnection, store: Store, files: list[LakeFile], full: bool
) -> tuple[int, int]:
    """Fill day_metric: unchanged days from the last build, the rest from the lake's minutes."""
    known = set() if full else _attach_previous(con, store)
    changed = [file.path for file in files if file not in known]
    dirty = _dirty_keys(con, store, changed, bool(known))
    if known:
        con.register("dirty", dirty)
        con.execute(
            "INSERT INTO day_metric BY NAME SELECT * FROM previous.day_metric "
            "ANTI JOIN dirty USING (participant_id, source, activity_date)"
        )
        con.unregister("dirty")
        con.execute("DETACH previous")
    reused = con.execute("SELECT count(*) FROM day_metric").fetchall()[0][0]
    for rows in _dirty_rows(store, dirty):
        _insert_arrow(con, day_metric, compute_day_metrics(rows, store.study.wear))
    return dirty.num_rows, int(reused)


def _attach_previous(con: duckdb.DuckDBPyConnection, store: Store) -> set[LakeFile]:
    """Attach the last build as `previous` and return its ledger; empty when it is of no use."""
    path = publish.stable_path(store.home, sees_arms=True)
    if not path.exists():
        return set()
    con.execute(
        f"ATTACH '{str(path.resolve()).replace(chr(39), chr(39) * 2)}' AS previous (READ_ONLY)"
    )
    made_by = con.execute("SELECT protocol_hash, code_version FROM previous.ops.build").fetchall()
    ledger = con.execute("SELECT path, size, modified_ns FROM previous.ops.lake_file").fetchall()
    if made_by == [(store.study.digest, code_version())] and ledger:
        return {LakeFile(*row) for row in ledger}
    con.execute("DETACH previous")
    return set()


def _dirty_keys(
    con: duckdb.DuckDBPyConnection, store: Store, changed: list[str], has_previous: bool
) -> pa.Table:
    """Keys of the days to compute, with the file each lies in."""
    schema = pa.schema(
        [*(landed.activity_day.arrow.field(name) for name in _KEYS), pa.field("path", pa.string())]
    )
    parts = [schema.empty_table()]
    for path in changed:
        keys = store.lake.read_days(path, _KEYS)
        parts.append(keys.append_column("path", pa.array([path] * keys.num_rows)).cast(schema))
    keys = pa.concat_tables(parts)
    if not has_previous:
        return keys
    con.register("landed_keys", keys)
    dirty = con.sql(
        f"SELECT * FROM landed_keys ANTI JOIN previous.day_metric USING ({', '.join(_KEYS)})"
    ).to_arrow_table()
    con.unregister("landed_keys")
    return dirty


def _dirty_rows(store: Store, dirty: pa.Table) -> Iterator[pa.Table]:
    """The day rows to compute, about KERNEL_ROWS at a time, file by file."""
    wanted: dict[str, list[str]] = {}
    for path, who in zip(
        dirty["path"].to_pylist(), dirty["participant_id"].to_pylist(), strict=True
    ):
        wanted.setdefault(path, []).append(who)
    held: list[pa.Table] = []
    for path, participants in wanted.items():
        # By participant, not by hash: two may have the same facts, and a pull that lands right
        # now may already have put newer ones here. The next build finds that file changed.
        rows = store.lake.read_days(path)
        held.append(rows.filter(pc.is_in(rows["participant_id"], pa.array(participants))))
        if sum(part.num_rows for part in held) >= KERNEL_ROWS:
            yield pa.concat_tables(held)
            held = []
    if held:
        yield pa.concat_tables(held)


def _derive(con: duckdb.DuckDBPyConnection, store: Store, as_of: datetime) -> None:
    study = store.study
    derive_scale(con, study)
    derive_visit(con, study)
    derive_participant_day(con, study, as_of)
    derive_participant_week(con, study)
    derive_adherence(con, study, as_of)
    derive_bridge(con, study)
    derive_score(con, study)
    derive_outcome(con, study, as_of)
    derive_activity_outcome(con, study)
    derive_cohort_week(con, study, as_of)
    derive_cohort_outcome(con, study)
    derive_receipt_day(con, study)
    derive_rejection_day(con, study)
    derive_implausible_day(con, study)


def _describe(
    con: duckdb.DuckDBPyConnection,
    store: Store,
    build_id: str,
    as_of: datetime,
    files: list[LakeFile],
    digest: str,
    computed: int,
    reused: int,
) -> None:
    _insert(con, ops.lake_file, [asdict(file) for file in files])
    data_to = con.execute("SELECT max(activity_date) FROM day_metric").fetchall()[0][0]
    inputs = [file.path for file in files] + [store.study.digest, as_of.isoformat(), digest]
    row = {
        "build_id": build_id,
        "built_at": datetime.now(UTC),
        "as_of": as_of,
        "data_to": data_to,
        "study": store.study.study.name,
        "protocol_hash": store.study.digest,
        "code_version": code_version(),
        "input_hash": hashlib.sha256("\n".join(inputs).encode()).hexdigest(),
        "content_hash": digest,
        "masked": False,
        "days_computed": computed,
        "days_reused": reused,
    }
    _insert(con, ops.build, [row])


def _insert(con: duckdb.DuckDBPyConnection, table: Table, rows: list[dict[str, object]]) -> None:
    _insert_arrow(con, table, table_of(table, rows))


def _insert_arrow(con: duckdb.DuckDBPyConnection, table: Table, rows: pa.Table) -> None:
    con.register("incoming", rows)
    con.execute(f"INSERT INTO {table.full_name} BY NAME SELECT * FROM incoming")
    con.unregister("incoming")
