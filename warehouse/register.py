"""The register: who takes part, their grants, devices, receipts, and the audit trail.

State that changes in place lives here, in SQLite by default and in PostgreSQL by URL. What the
analyst reads is copied into each build; tokens never leave.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.schema import CreateTable

from warehouse.schema import Table, Type
from warehouse.tables import landed, ops, quality


class LeaseBusy(Exception):
    """Another process holds the lock and did not let go in time."""


class Instant(sa.TypeDecorator[datetime]):
    """An aware UTC instant on any database; a naive one is refused."""

    impl = sa.DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant needs a time zone")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        return None if value is None else value.replace(tzinfo=UTC)


_TYPES: dict[Type, Any] = {
    Type.TEXT: sa.Text,
    Type.INTEGER: sa.Integer,
    Type.BIG: sa.BigInteger,
    Type.REAL: sa.Double,
    Type.BOOLEAN: sa.Boolean,
    Type.DATE: sa.Date,
    Type.INSTANT: Instant,
}
metadata = sa.MetaData()


def _mirror(table: Table, *more: sa.Column[Any]) -> sa.Table:
    """A register table with the columns and key of a declared one."""
    columns = [
        sa.Column(c.name, _TYPES[c.type], primary_key=c.name in table.key, nullable=not c.required)
        for c in table.columns
    ]
    return sa.Table(table.name, metadata, *columns, *more)


# `batch`: the task that pulls the participant and the lake files it owns. Given once, kept.
# `fetched_at`: when the newest word of a roster on the participant was fetched.
participant = _mirror(
    landed.participant,
    sa.Column("batch", sa.Integer, nullable=False),
    sa.Column("fetched_at", Instant),
)
device = _mirror(ops.device)
receipt = _mirror(ops.receipt)
rejection = _mirror(ops.rejection)
revision = _mirror(ops.revision)
lateness = _mirror(ops.lateness)
drift = _mirror(quality.drift)
# When the schedule asks a participant of a source again; no row: at the next run.
ask_again = sa.Table(
    "ask_again",
    metadata,
    sa.Column("participant_id", sa.Text, primary_key=True),
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("ask_after", Instant),
)
# Requests taken of a source's project-wide limit, by slice of time; see ingestion.budget.
budget = sa.Table(
    "budget",
    metadata,
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("slice_number", sa.BigInteger, primary_key=True),
    sa.Column("requests", sa.Integer, nullable=False),
)
grant = sa.Table(
    "grant",
    metadata,
    sa.Column("participant_id", sa.Text, primary_key=True),
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("since", Instant, nullable=False),
    sa.Column("next_step", sa.Text),
    sa.Column("vendor_user_id", sa.Text),
    sa.Column("scopes", sa.Text),
    sa.Column("token", sa.LargeBinary),  # encrypted; see ingestion.grants
    sa.Column("expires_at", Instant),
    sa.Column("last_pulled_at", Instant),
    sa.Column("synced_at", Instant),
    sa.Column("first_asked_on", sa.Date),
    sa.Column("landed_sync_at", Instant),
    sa.UniqueConstraint("source", "vendor_user_id", name="one_participant_per_vendor_account"),
)
# A link sent to a participant, and the consents begun from it, each by the hash of its secret.
consent_link = sa.Table(
    "consent_link",
    metadata,
    sa.Column("link_hash", sa.Text, primary_key=True),
    sa.Column("participant_id", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("expires_at", Instant, nullable=False),
    sa.Column("used_at", Instant),
)
consent_request = sa.Table(
    "consent_request",
    metadata,
    sa.Column("state_hash", sa.Text, primary_key=True),
    sa.Column("sealed", sa.LargeBinary, nullable=False),  # encrypted; see ingestion.links
    sa.Column("expires_at", Instant, nullable=False),
)
audit = sa.Table(
    "audit",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("at", Instant, nullable=False),
    sa.Column("who", sa.Text, nullable=False),
    sa.Column("what", sa.Text, nullable=False),
    sa.Column("subject", sa.Text),
    sa.Column("old", sa.Text),
    sa.Column("new", sa.Text),
    sa.Column("why", sa.Text),
)
# The audit trail is append-only in the database itself, not by good manners.
_APPEND_ONLY = [
    f"CREATE TRIGGER IF NOT EXISTS audit_no_{verb.lower()} BEFORE {verb} ON audit "
    f"BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END"
    for verb in ("UPDATE", "DELETE")
]
_APPEND_ONLY_POSTGRESQL = [
    "CREATE OR REPLACE FUNCTION audit_refuses() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION 'the audit trail is append-only'; END $$",
    "CREATE OR REPLACE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON audit "
    "FOR EACH STATEMENT EXECUTE FUNCTION audit_refuses()",
]


class Register:
    """The register behind a database URL; made on first use."""

    def __init__(self, url: str) -> None:
        # Parameters hold accounts, tokens and arms: no database error may print them.
        self.engine = sa.create_engine(url, connect_args=_connect_args(url), hide_parameters=True)
        if self.engine.dialect.name == "sqlite":
            _own(Path(str(self.engine.url.database)))
            _tune_sqlite(self.engine)
        self._create()

    def _create(self) -> None:
        with self.engine.connect() as con:
            tables = set(sa.inspect(con).get_table_names())
            is_old = bool(tables and _lacking(con))
        if not metadata.tables.keys() <= tables:
            self._create_tables()
        if is_old:
            self._add_columns()

    def _create_tables(self) -> None:
        triggers = _APPEND_ONLY if self.engine.dialect.name == "sqlite" else _APPEND_ONLY_POSTGRESQL
        others = [table for table in metadata.sorted_tables if table is not audit]
        with self.leased("create the register"), self.engine.begin() as con:
            for table in (*others, audit):
                con.execute(CreateTable(table, if_not_exists=True))
            for statement in triggers:
                con.execute(sa.text(statement))

    def _add_columns(self) -> None:
        """Add what an earlier version lacks, blank in the rows that there are."""
        with self.leased("create the register"), self.engine.begin() as con:
            for column in _lacking(con):
                kind = column.type.compile(self.engine.dialect)
                con.exec_driver_sql(
                    f'ALTER TABLE "{column.table.name}" ADD COLUMN "{column.name}" {kind}'
                )

    def close(self) -> None:
        """Let go of the database."""
        self.engine.dispose()

    @contextlib.contextmanager
    def begin(self) -> Iterator[sa.Connection]:
        """One transaction: all of it or nothing, durable when the block ends."""
        with self.engine.begin() as con:
            yield con

    def rows(self, query: sa.Select[Any]) -> list[dict[str, Any]]:
        """The rows of a query as dictionaries."""
        with self.engine.connect() as con:
            return [dict(row) for row in con.execute(query).mappings()]

    def arrow(self, table: Table, query: sa.Select[Any]) -> pa.Table:
        """The rows of a query that selects a declared table's columns, column by column."""
        with self.engine.connect() as con:
            rows = con.execute(query).all()
        columns: Any = zip(*rows, strict=True) if rows else [()] * len(table.columns)
        arrays = [
            pa.array(values, column.type.arrow)
            for values, column in zip(columns, table.columns, strict=True)
        ]
        return pa.Table.from_arrays(arrays, schema=table.arrow)

    def put(
        self, table: sa.Table, rows: Iterable[dict[str, Any]], con: sa.Connection | None = None
    ) -> None:
        """Insert rows, or update those whose key is there: only the columns given."""
        listed = list(rows)
        if not listed:
            return
        if con is None:
            with self.begin() as own:
                self.put(table, listed, own)
            return
        insert = sqlite.insert if con.dialect.name == "sqlite" else postgresql.insert
        keys = [column.name for column in table.primary_key]
        given = [name for name in listed[0] if name not in keys]
        statement: Any = insert(table)
        if given:
            new = {name: statement.excluded[name] for name in given}
            statement = statement.on_conflict_do_update(index_elements=keys, set_=new)
        else:
            statement = statement.on_conflict_do_nothing(index_elements=keys)
        con.execute(statement, listed)

    def record(
        self,
        who: str,
        what: str,
        at: datetime,
        subject: str = "",
        old: str = "",
        new: str = "",
        why: str = "",
    ) -> None:
        """Append a line to the audit trail."""
        row = {"at": at, "who": who, "what": what, "subject": subject, "old": old, "new": new}
        with self.begin() as con:
            con.execute(sa.insert(audit), {**row, "why": why})

    @contextlib.contextmanager
    def leased(self, name: str, wait: float = 30) -> Iterator[None]:
        """Hold the lock `name` across threads, processes and machines; LeaseBusy after `wait` s.

        The lock dies with its holder: a file lock beside SQLite, an advisory lock in PostgreSQL.
        """
        take = self._flock if self.engine.dialect.name == "sqlite" else self._advisory
        with contextlib.ExitStack() as held:
            give_up = time.monotonic() + wait
            while not take(name, held):
                if time.monotonic() > give_up:
                    raise LeaseBusy(f"{name} is held by another process; try again in a minute")
                time.sleep(0.02)
            yield

    def _flock(self, name: str, held: contextlib.ExitStack) -> bool:
        folder = Path(f"{self.engine.url.database}.locks")
        folder.mkdir(exist_ok=True)
        file = open(folder / _digest(name), "a")  # noqa: SIM115 (closed by `held`, or below)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return False
        held.callback(file.close)
        return True

    def _advisory(self, name: str, held: contextlib.ExitStack) -> bool:
        key = int(_digest(name)[:15], 16)
        # autocommit: a lock held for the length of a build must not be a transaction of that length
        con = self.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        if not con.execute(sa.select(sa.func.pg_try_advisory_lock(key))).scalar_one():
            con.close()
            return False
        held.callback(con.invalidate)  # closing the session lets the lock go
        return True


def _lacking(con: sa.Connection) -> list[sa.Column[Any]]:
    """Columns that the tables of a register of an earlier version do not have."""
    found = sa.inspect(con)
    there = set(found.get_table_names())
    return [
        column
        for table in metadata.sorted_tables
        if table.name in there
        for names in [{known["name"] for known in found.get_columns(table.name)}]
        for column in table.columns
        if column.name not in names
    ]


def _own(path: Path) -> None:
    """Make the file, readable by its owner alone, before the database does."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)


def _digest(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


def _connect_args(url: str) -> dict[str, Any]:
    return {"timeout": 60} if url.startswith("sqlite") else {}


def _tune_sqlite(engine: sa.Engine) -> None:
    @sa.event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _: object) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @sa.event.listens_for(engine, "begin")
    def _on_begin(connection: sa.Connection) -> None:
        # A read that later writes cannot be upgraded while another writes: take the lock at once.
        connection.exec_driver_sql("BEGIN IMMEDIATE")
