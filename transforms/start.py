"""What a build starts from: nothing, the days of the last build, or a copy of it."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import duckdb
import sqlalchemy as sa

from transforms.definitions import DAYS_REST_ON, changed_parts, definitions_of, what_is_made_anew
from warehouse import publish
from warehouse import register as reg
from warehouse.home import Store
from warehouse.lake import LakeFile

MOST_FREE = 0.5  # of a file's blocks: a copy of a copy of a copy leaves holes


@dataclass(frozen=True)
class Start:
    """What the last build gives to the next, and why it does not give more.

    `path` is the last full build where its days of minutes hold, `as_of` its clock and `known` the
    files of the lake that it read. `is_copy`: every table of it holds but for what landed, changed,
    or came with time.
    """

    why: str
    path: Path | None = None
    is_copy: bool = False
    as_of: datetime | None = None
    known: set[LakeFile] = field(default_factory=set)


@dataclass(frozen=True)
class _Last:
    """What the last build says of itself."""

    build_id: str
    as_of: datetime
    definitions: dict[str, str]
    participants: set[str]
    known: set[LakeFile]


def find_start(store: Store, as_of: datetime, full: bool) -> Start:
    """What the build as of `as_of` starts from; `full` is from nothing."""
    path = publish.stable_path(store.home, sees_arms=True)
    if not path.exists():
        return Start("the first build of this study")
    with closing(publish.open_published(path)) as con:
        last, free = _read(con), _free_share(con)
    changed = changed_parts(last.definitions, definitions_of(store.study))
    erased = last.participants - _roster(store)
    if full:
        return Start("asked for in full")
    if set(changed) & set(DAYS_REST_ON):
        return Start(what_is_made_anew(changed))
    if not last.known:
        return Start("the build before has no ledger of the lake")
    if erased:
        return Start(f"{len(erased)} participants are no longer on the roster")
    why = what_is_made_anew(changed) or _why_not_a_copy(store, as_of, last, free)
    return Start(why, path.resolve(), not why, last.as_of, last.known)


def _why_not_a_copy(store: Store, as_of: datetime, last: _Last, free: float) -> str:
    if as_of < last.as_of:
        return f"the clock is before that of the last build, {last.as_of:%Y-%m-%d %H:%M} UTC"
    masked = publish.stable_path(store.home)
    if not masked.exists() or masked.resolve().name != publish.build_name(last.build_id):
        return "the last build has no masked file"
    return "the last build's file is half empty" if free > MOST_FREE else ""


def _read(con: duckdb.DuckDBPyConnection) -> _Last:
    build_id, as_of = con.execute("SELECT build_id, as_of FROM ops.build").fetchall()[0]
    definitions = {}  # of before they were kept: everything is new
    if ("definition",) in con.execute("SELECT table_name FROM duckdb_tables()").fetchall():
        definitions = dict(
            con.execute("SELECT part, definition_hash FROM ops.definition").fetchall()
        )
    files = con.execute("SELECT path, size, modified_ns FROM ops.lake_file").fetchall()
    people = con.execute("SELECT participant_id FROM participant").fetchall()
    known = {LakeFile(*row) for row in files}
    return _Last(build_id, as_of, definitions, {str(row[0]) for row in people}, known)


def _free_share(con: duckdb.DuckDBPyConnection) -> float:
    sizes = con.execute(
        "SELECT free_blocks / nullif(total_blocks, 0) FROM pragma_database_size() "
        "WHERE database_name = 'warehouse'"
    ).fetchall()
    return float(sizes[0][0] or 0)


def _roster(store: Store) -> set[str]:
    rows = store.register.rows(sa.select(reg.participant.c.participant_id))
    return {str(row["participant_id"]) for row in rows}
