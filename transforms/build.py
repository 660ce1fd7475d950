"""One build of the warehouse: what changed is derived again, everything is checked, then swapped.

The work list is the ledger of the last build (`ops.lake_file`, the row hashes in `day_metric`, and
the register's tables as it had them) against the lake and the register as they are now. So nothing
that landed can be missed, whoever woke the build and however often it was killed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import duckdb

from transforms.day_metrics import bring_up_day_metric, fill_day_metric
from transforms.definitions import definitions_of
from transforms.derivations import derive_all
from transforms.load import load_tables
from transforms.start import Start, find_start
from warehouse import publish
from warehouse.content import keep_hashes
from warehouse.edition import Edition
from warehouse.home import Store
from warehouse.lake import LakeFile
from warehouse.schema import Table, table_of
from warehouse.tables import ops
from warehouse.tables.derived import participant_day


@dataclass(frozen=True)
class Built:
    """What a build did; `account` is that in words, and why."""

    build_id: str
    days_computed: int
    days_reused: int
    content_hash: str
    account: str = ""


def build_warehouse(store: Store, as_of: datetime, full: bool = False) -> Built:
    """Build, check and publish the warehouse as it is known at `as_of`.

    It starts from a copy of the last build where everything in it holds but for what landed,
    changed or came with time (`find_start`), and comes to the tables that a build from nothing
    comes to; `full` is from nothing. Raises publish.CheckFailed, and then nothing is published.
    """
    with store.register.leased("warehouse", wait=900):
        build_id = publish.stamp(datetime.now(UTC))
        start = find_start(store, as_of, full)
        source = start.path if start.is_copy else None
        with publish.building(store.home, build_id, source) as (con, aside):
            edition = Edition(con, start.is_copy)
            with _beside_previous(con, start):
                computed, reused, digest = _fill(edition, store, as_of, start, build_id)
                publish.check(con, edition.known_changes)
        publish.publish(store.home, build_id, aside, edition.known_changes)
        return Built(build_id, computed, reused, digest, _account(edition, start, computed, reused))


@cache
def code_version() -> str:
    """Version of Stepwell and a hash of the code that gives facts their meaning."""
    root = Path(__file__).parents[1]
    files = sorted([*root.glob("transforms/**/*.py"), *root.glob("warehouse/**/*.py")])
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
    return f"{version('stepwell')}+{digest[:12]}"


@contextmanager
def _beside_previous(con: duckdb.DuckDBPyConnection, start: Start) -> Iterator[None]:
    """With the last build as `previous`; a copy of it is changed in one transaction."""
    if start.path:
        path = str(start.path).replace("'", "''")
        con.execute(f"ATTACH '{path}' AS previous (READ_ONLY)")
    if start.is_copy:
        con.execute("BEGIN")  # each statement alone would wait for the disk
    yield
    if start.is_copy:
        con.execute("COMMIT")
    if start.path:
        con.execute("DETACH previous")


def _fill(
    edition: Edition, store: Store, as_of: datetime, start: Start, build_id: str
) -> tuple[int, int, str]:
    """Fill every table; returns the days computed, those reused, and the content hash."""
    read = load_tables(edition, store, as_of, start)
    files = store.lake.day_files()
    if start.path:
        computed = bring_up_day_metric(edition, store, files, start.known)
    else:
        computed = fill_day_metric(edition, store, files)
    reused = _count(edition.con, "day_metric") - computed
    derive_all(edition, store.study, as_of)
    digest = keep_hashes(edition.con, edition.known_changes)
    facts = {"days_computed": computed, "days_reused": reused, "content_hash": digest}
    _describe(edition, store, as_of, [*files, *read], {"build_id": build_id} | facts)
    return computed, reused, digest


def _describe(
    edition: Edition,
    store: Store,
    as_of: datetime,
    files: list[LakeFile],
    facts: dict[str, object],
) -> None:
    """What this build is, was made from and rests on."""
    _put(edition, ops.lake_file, [asdict(file) for file in files])
    newest = edition.con.execute("SELECT max(activity_date) FROM day_metric").fetchall()[0][0]
    paths = [file.path for file in files]
    inputs = [*paths, store.study.digest, as_of.isoformat(), str(facts["content_hash"])]
    row = {
        "built_at": datetime.now(UTC),
        "as_of": as_of,
        "data_to": newest,
        "study": store.study.study.name,
        "protocol_hash": store.study.digest,
        "code_version": code_version(),
        "input_hash": hashlib.sha256("\n".join(inputs).encode()).hexdigest(),
        "masked": False,
        "goals_reveal_arm": store.study.goals_reveal_arm,
    }
    _put(edition, ops.build, [row | facts])
    defined = sorted(definitions_of(store.study).items())
    rows = [{"part": part, "definition_hash": digest} for part, digest in defined]
    _put(edition, ops.definition, rows)


def _put(edition: Edition, table: Table, rows: Iterable[dict[str, Any]]) -> None:
    edition.put(table, table_of(table, rows))


def _account(edition: Edition, start: Start, computed: int, reused: int) -> str:
    """What was made anew and why, for whoever ran the build."""
    if start.path is None:
        return f"{start.why}: all {computed:,} days of minutes were computed"
    days = (
        f"{computed:,} days of minutes had landed or changed and were computed, "
        f"{reused:,} are those of the build before"
    )
    if not start.is_copy:
        return f"{start.why}; {days}"
    person_days = edition.keys(participant_day).num_rows
    tables = sum(not name.startswith("ops.") for name in edition.changes)
    return f"{days}; {person_days:,} person-days are new or differ; rows of {tables} tables do"


def _count(con: duckdb.DuckDBPyConnection, table: str) -> int:
    return int(con.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0])
