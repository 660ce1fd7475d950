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
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.schema import CreateTable

from warehouse.register_tables import (
    ask_again as ask_again,
)
from warehouse.register_tables import (
    audit as audit,
)
from warehouse.register_tables import (
    budget as budget,
)
from warehouse.register_tables import (
    consent_link as consent_link,
)
from warehouse.register_tables import (
    consent_request as consent_request,
)
from warehouse.register_tables import (
    device as device,
)
from warehouse.register_tables import (
    drift as drift,
)
from warehouse.register_tables import (
    erasure as erasure,
)
from warehouse.register_tables import (
    grant as grant,
)
from warehouse.register_tables import (
    lateness as lateness,
)
from warehouse.register_tables import (
    metadata as metadata,
)
from warehouse.register_tables import (
    participant as participant,
)
from warehouse.register_tables import (
    receipt as receipt,
)
from warehouse.register_tables import (
    rejection as rejection,
)
from warehouse.register_tables import (
    revision as revision,
)
from warehouse.register_tables import (
    roster_word as roster_word,
)
from warehouse.register_tables import (
    secret as secret,
)
from warehouse.schema import Table


class LeaseBusy(Exception):
    """Another process holds the lock and did not let go in time."""


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


# Registers of this process whose tables were found whole: pages open theirs at every rerun.
_SOUND: set[tuple[str, int, int]] = set()
# Which database it is, and what changes with each table or column that is made or dropped.
_POSTGRESQL_SCHEMA = """
    SELECT current_database(), max(c.oid::bigint), count(*) FROM pg_class c
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r'"""


class Register:
    """The register behind a database URL; made on first use."""

    def __init__(self, url: str) -> None:
        # Parameters hold accounts, tokens and arms: no database error may print them.
        self.engine = sa.create_engine(url, connect_args=_connect_args(url), hide_parameters=True)
        if self.engine.dialect.name == "sqlite":
            _own(Path(str(self.engine.url.database)))
            _tune_sqlite(self.engine)
        # Who holds a lock needs another connection for the work: never out of the same pool.
        self._locks = sa.create_engine(url, poolclass=sa.NullPool, isolation_level="AUTOCOMMIT")
        self._create()

    def _create(self) -> None:
        with self.engine.connect() as con:
            schema = self._schema(con)
            if schema in _SOUND:
                return
            tables = set(sa.inspect(con).get_table_names())
            is_old = bool(tables and (_lacking(con) or _keyed_otherwise(con)))
        if not metadata.tables.keys() <= tables:
            self._create_tables()
        if is_old:
            self._mend_old()
        elif metadata.tables.keys() <= tables:
            _SOUND.add(schema)

    def _schema(self, con: sa.Connection) -> tuple[str, int, int]:
        """What tells a register and its schema from any other, at the cost of one read."""
        if self.engine.dialect.name != "sqlite":
            name, newest, columns = con.exec_driver_sql(_POSTGRESQL_SCHEMA).one()
            return f"{self.engine.url.set(database=name)}", newest or 0, columns
        path = str(self.engine.url.database)
        version = con.exec_driver_sql("PRAGMA schema_version").scalar_one()
        return path, Path(path).stat().st_ino, int(version)

    def _create_tables(self) -> None:
        triggers = _APPEND_ONLY if self.engine.dialect.name == "sqlite" else _APPEND_ONLY_POSTGRESQL
        others = [table for table in metadata.sorted_tables if table is not audit]
        with self.leased("create the register"), self.engine.begin() as con:
            for table in (*others, audit):
                con.execute(CreateTable(table, if_not_exists=True))
            for statement in triggers:
                con.execute(sa.text(statement))

    def _mend_old(self) -> None:
        """Add the columns that an earlier version lacks, blank, and give each table its key."""
        with self.leased("create the register"), self.engine.begin() as con:
            for column in _lacking(con):
                kind = column.type.compile(self.engine.dialect)
                con.exec_driver_sql(
                    f'ALTER TABLE "{column.table.name}" ADD COLUMN "{column.name}" {kind}'
                )
            for table in _keyed_otherwise(con):
                names = ", ".join(f'"{column.name}"' for column in table.columns)
                con.exec_driver_sql(f'ALTER TABLE "{table.name}" RENAME TO "{table.name} before"')
                con.execute(CreateTable(table))
                con.exec_driver_sql(
                    f'INSERT INTO "{table.name}" ({names}) '
                    f'SELECT {names} FROM "{table.name} before"'
                )
                con.exec_driver_sql(f'DROP TABLE "{table.name} before"')

    def empty_log(self) -> None:
        """Leave nothing of deleted rows in SQLite's log; PostgreSQL has its own vacuum."""
        if self.engine.dialect.name == "sqlite":
            with closing(self.engine.raw_connection()) as con:
                con.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")

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
        keys = [column.name for column in table.primary_key]
        given = [name for name in listed[0] if name not in keys]
        statement: Any = insert_into(con, table)
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
        con = self._locks.connect()
        if not con.execute(sa.select(sa.func.pg_try_advisory_lock(key))).scalar_one():
            con.close()
            return False
        held.callback(con.close)  # no pool keeps the session: its end lets the lock go
        return True


def insert_into(con: sa.Connection, table: sa.Table) -> Any:
    """An INSERT that can say ON CONFLICT, which each database spells for itself."""
    return (sqlite if con.dialect.name == "sqlite" else postgresql).insert(table)


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


def _keyed_otherwise(con: sa.Connection) -> list[sa.Table]:
    """Tables whose key an earlier version had narrower."""
    found = sa.inspect(con)
    there = set(found.get_table_names())
    return [
        table
        for table in metadata.sorted_tables
        if table.name in there
        and set(found.get_pk_constraint(table.name)["constrained_columns"])
        < {column.name for column in table.primary_key}
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
        # secure_delete: who was erased is in no free page either
        for pragma in (
            "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON",
        ):  # fmt: skip
            connection.execute(f"PRAGMA {pragma}")

    @sa.event.listens_for(engine, "begin")
    def _on_begin(connection: sa.Connection) -> None:
        # A read that later writes cannot be upgraded while another writes: take the lock at once.
        connection.exec_driver_sql("BEGIN IMMEDIATE")
