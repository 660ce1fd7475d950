"""One build of the warehouse: what changed is derived again, everything is checked, then swapped.

The work list is the ledger of the last build (`ops.lake_file` and the row hashes in `day_metric`)
against the lake as it is now. So nothing that landed can be missed, whoever woke the build and
however often it was killed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.metadata import version
from pathlib import Path

import duckdb
import pyarrow as pa
import sqlalchemy as sa

from transforms.activity.bridge import derive_bridge
from transforms.activity.kernel import compute_day_metrics
from transforms.activity.participant_day import derive_participant_day
from transforms.activity.week import derive_participant_week
from transforms.cohort.adherence import derive_adherence
from transforms.cohort.cohort import derive_cohort_member
from transforms.cohort.cohort_outcome import derive_cohort_outcome, derive_cohort_responder
from transforms.cohort.cohort_week import derive_cohort_week
from transforms.cohort.completeness import derive_completeness
from transforms.cohort.flow import derive_flow
from transforms.cohort.goals import derive_baseline_activity, derive_goal_proposal
from transforms.cohort.implementation import derive_implementation
from transforms.cohort.sensitivity import derive_wear_rule_sensitivity
from transforms.definitions import (
    DAYS_REST_ON,
    changed_parts,
    definitions_of,
    what_is_made_anew,
)
from transforms.outcomes.activity_outcome import derive_activity_outcome
from transforms.outcomes.outcome import derive_outcome
from transforms.outcomes.reference import derive_scale, derive_visit
from transforms.outcomes.responder import derive_responder
from transforms.outcomes.safety import derive_safety_event
from transforms.outcomes.score import derive_score
from transforms.outcomes.treatment import derive_treatment
from transforms.outcomes.week_series import derive_week_series
from transforms.quality import derive_implausible_day, derive_receipt_day, derive_rejection_day
from warehouse import publish
from warehouse import register as reg
from warehouse.day_files import among, keys_of
from warehouse.home import Store
from warehouse.lake import LakeFile
from warehouse.schema import Table, table_of
from warehouse.tables import landed, ops, quality
from warehouse.tables.derived import day_metric

RECEIPT_DAYS = 30  # receipts older than this stay in the register only
KERNEL_ROWS = 4096  # days read and computed at a time: bounds memory

_KEYS = ["participant_id", "source", "activity_date", "row_hash"]
FACTS = [c.name for c in landed.activity_day.columns if not c.provenance]


@dataclass(frozen=True)
class Built:
    """What a build did."""

    build_id: str
    days_computed: int
    days_reused: int
    content_hash: str
    made_anew: str = ""  # what has changed of protocol and code, and what that makes anew


def build_warehouse(store: Store, as_of: datetime, full: bool = False) -> Built:
    """Build, check and publish the warehouse as it is known at `as_of`.

    Days of minutes whose row_hash, and what they rest on of protocol and code, are those of the
    last build are taken from it; `full` computes all of them. Raises publish.CheckFailed, and then
    nothing is published.
    """
    with store.register.leased("warehouse", wait=900):
        build_id = publish.stamp(datetime.now(UTC))
        with publish.building(store.home, build_id) as (con, aside):
            _load(con, store, as_of)
            files = store.lake.day_files()
            changed = _changed_definitions(store)
            again = full or bool(set(changed) & set(DAYS_REST_ON))
            computed, reused = _fill_day_metric(con, store, files, again)
            _derive(con, store, as_of)
            hashes = publish.table_hashes(con)
            digest = publish.digest_of(hashes)
            _describe(con, store, build_id, as_of, files, digest, computed, reused)
            _insert(con, ops.definition, _definition_rows(store))
            publish.check(con)
        publish.publish(store.home, build_id, aside, hashes)
        return Built(build_id, computed, reused, digest, what_is_made_anew(changed))


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
    if not known:
        return _compute(con, store, store.lake.days(changed, files, FACTS)), 0
    dirty = _dirty_keys(con, store, changed, files)
    con.register("dirty", dirty)
    con.execute(
        "INSERT INTO day_metric BY NAME SELECT * FROM previous.day_metric "
        "ANTI JOIN dirty USING (participant_id, source, activity_date)"
    )
    con.unregister("dirty")
    con.execute("DETACH previous")
    reused = con.execute("SELECT count(*) FROM day_metric").fetchall()[0][0]
    return _compute(con, store, _dirty_rows(store, dirty, files)), int(reused)


def _compute(
    con: duckdb.DuckDBPyConnection, store: Store, parts: Iterable[tuple[str, pa.Table]]
) -> int:
    """Compute the days of `parts`; returns how many."""
    done = 0
    for held in in_parts(parts, KERNEL_ROWS):
        rows = pa.concat_tables(held)
        _insert_arrow(con, day_metric, compute_day_metrics(rows, store.study.wear))
        done += rows.num_rows
    return done


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


def _attach_previous(con: duckdb.DuckDBPyConnection, store: Store) -> set[LakeFile]:
    """Attach the last build as `previous` and return its ledger; empty when it is of no use."""
    path = publish.stable_path(store.home, sees_arms=True)
    if not path.exists():
        return set()
    con.execute(
        f"ATTACH '{str(path.resolve()).replace(chr(39), chr(39) * 2)}' AS previous (READ_ONLY)"
    )
    ledger = con.execute("SELECT path, size, modified_ns FROM previous.ops.lake_file").fetchall()
    if not ledger:
        con.execute("DETACH previous")
    return {LakeFile(*row) for row in ledger}


def _changed_definitions(store: Store) -> list[str]:
    """Parts of protocol and code that are not those of the last build; none without one."""
    path = publish.stable_path(store.home, sees_arms=True)
    if not path.exists():
        return []
    before = {}  # a build of before they were kept: everything is new
    with closing(publish.open_published(path)) as con:
        if ("definition",) in con.execute("SELECT table_name FROM duckdb_tables()").fetchall():
            rows = con.execute("SELECT part, definition_hash FROM ops.definition").fetchall()
            before = {str(part): str(digest) for part, digest in rows}
    return changed_parts(before, definitions_of(store.study))


def _definition_rows(store: Store) -> list[dict[str, object]]:
    defined = definitions_of(store.study)
    return [{"part": part, "definition_hash": defined[part]} for part in sorted(defined)]


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
    con.register("landed_keys", pa.concat_tables(parts))
    dirty = con.sql(
        f"SELECT * FROM landed_keys ANTI JOIN previous.day_metric USING ({', '.join(_KEYS)})"
    ).to_arrow_table()
    con.unregister("landed_keys")
    return dirty


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


def _derive(con: duckdb.DuckDBPyConnection, store: Store, as_of: datetime) -> None:
    study = store.study
    derive_scale(con, study)
    derive_visit(con, study)
    derive_participant_day(con, study, as_of)
    derive_participant_week(con, study)
    derive_adherence(con, study, as_of)
    derive_baseline_activity(con, study, as_of)
    derive_goal_proposal(con, study)
    derive_bridge(con, study)
    derive_score(con, study)
    derive_safety_event(con, study)
    derive_outcome(con, study, as_of)
    derive_activity_outcome(con, study)
    derive_responder(con, study)
    derive_completeness(con, study)
    derive_week_series(con, study)
    derive_treatment(con, study)
    derive_cohort_member(con, study)
    derive_cohort_week(con, study, as_of)
    derive_cohort_outcome(con, study)
    derive_cohort_responder(con, study)
    derive_flow(con, study, as_of)
    derive_implementation(con, study)
    derive_wear_rule_sensitivity(con, study)
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
