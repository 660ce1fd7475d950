"""The tables of a build under way: filled from nothing, or brought up to date from the last build.

A build that starts from a copy of the last one writes only what differs: each table's new rows are
made beside it and compared with the old ones in SQL. What changed is kept by key, so that the
content hash, the checks and the masked twin look at that alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import duckdb
import pyarrow as pa

from warehouse.content import lent
from warehouse.schema import Table

# Table's full name -> keys of the rows that came, went or changed; None: any may have. A table
# that is not there is as it was.
Changes = dict[str, pa.Table | None]


@dataclass
class Edition:
    """A build's tables behind an open connection."""

    con: duckdb.DuckDBPyConnection
    is_copy: bool = False  # of the last build
    changes: Changes = field(default_factory=dict)

    @property
    def known_changes(self) -> Changes | None:
        """What differs from the last build; None where there is nothing to compare with."""
        return self.changes if self.is_copy else None

    def put(self, table: Table, rows: pa.Table, within: str = "") -> None:
        """Make the table's rows these; of a copy only those that `within`, a join, chooses."""
        with lent(self.con, "incoming", rows):
            if self.is_copy:
                self._note(table, bring_up(self.con, table, "incoming", within))
            else:
                self.con.execute(f"INSERT INTO {table.full_name} BY NAME SELECT * FROM incoming")

    @contextmanager
    def deriving(self, *tables: Table, within: str = "") -> Iterator[None]:
        """What the block inserts into the tables becomes their rows, as with `put`.

        Of a copy, the plain name of each stands for an empty one beside it while the block runs.
        """
        if not self.is_copy:
            yield
            return
        for table in tables:
            if table.schema == "main":
                beside = f'CREATE TEMP TABLE "{table.name}" AS FROM {place_of(table)} LIMIT 0'
            else:  # a small one; what is temporary has no schema
                beside = f"DELETE FROM {table.full_name}"
            self.con.execute(beside)
        yield
        for table in tables:
            if table.schema == "main":
                self._note(table, bring_up(self.con, table, _beside(table), within))
                self.con.execute(f"DROP TABLE {_beside(table)}")
            else:
                self._note(table, None)

    @contextmanager
    def reading(self, table: Table, only: str) -> Iterator[None]:
        """Inside the block the table's plain name stands for the rows of it that a join keeps."""
        kept = f"SELECT * FROM {place_of(table)} {only}"
        self.con.execute(f'CREATE TEMP VIEW "{table.name}" AS {kept}')
        yield
        self.con.execute(f"DROP VIEW {_beside(table)}")

    def keys(self, table: Table) -> pa.Table:
        """Keys of the table's rows that are known to have changed; of a copy alone."""
        changed = self.changes.get(table.full_name)
        return no_keys(table) if changed is None else changed

    def _note(self, table: Table, changed: pa.Table | None) -> None:
        if changed is None or changed.num_rows:
            self.changes[table.full_name] = changed


def bring_up(con: duckdb.DuckDBPyConnection, table: Table, new: str, within: str = "") -> pa.Table:
    """Make the rows of the open file's table those of the relation `new`; returns the keys changed.

    `within` is a join that chooses the rows that `new` speaks for; without one it speaks for all.
    Rows that are the same stay where they are.
    """
    names, key = (", ".join(f'"{name}"' for name in some) for some in (table.names, table.key))
    same = " AND ".join(f'n."{name}" IS NOT DISTINCT FROM o."{name}"' for name in table.names)
    old = f"(SELECT rowid AS place, {names} FROM {place_of(table)} {within})"
    gone = f"SELECT place, {key} FROM {old} AS o ANTI JOIN {new} AS n ON {same}"
    came = f"SELECT {names} FROM {new} AS n ANTI JOIN {old} AS o ON {same}"
    alike = f"(SELECT count(*) FROM {old}) = (SELECT count(*) FROM {new})"
    if not within and _holds(con, f"{alike} AND NOT EXISTS ({gone}) AND NOT EXISTS ({came})"):
        return no_keys(table)
    con.execute(f"CREATE TEMP TABLE gone AS {gone}; CREATE TEMP TABLE came AS {came}")
    kept = f"(SELECT count(*) FROM {old}) - (SELECT count(*) FROM gone)"
    if not _holds(con, f"{kept} + (SELECT count(*) FROM came) = (SELECT count(*) FROM {new})"):
        # A row twice: the check of the key is to see both.
        con.execute(f"CREATE OR REPLACE TEMP TABLE gone AS SELECT place, {key} FROM {old}")
        con.execute(f"CREATE OR REPLACE TEMP TABLE came AS SELECT {names} FROM {new}")
    con.execute(f"DELETE FROM {place_of(table)} WHERE rowid IN (SELECT place FROM gone)")
    con.execute(f"INSERT INTO {place_of(table)} BY NAME FROM came ORDER BY {key}")
    union = f"SELECT {key} FROM gone UNION SELECT {key} FROM came ORDER BY ALL"
    changed = con.sql(union).to_arrow_table()
    con.execute("DROP TABLE gone; DROP TABLE came")
    return changed


def no_keys(table: Table) -> pa.Table:
    """Keys of no row."""
    return pa.schema([table.arrow.field(name) for name in table.key]).empty_table()


def is_among(table: Table, keys: str, row: str = "t") -> str:
    """SQL condition: the row's key is one of the relation `keys` (`k`); a blank is like a blank."""
    return " AND ".join(
        f'{row}."{name}" IS NOT DISTINCT FROM {keys}."{name}"' for name in table.key
    )


def place_of(table: Table) -> str:
    """The table in the open file, whatever stands beside it under its plain name."""
    return f'warehouse.{table.schema}."{table.name}"'


def _beside(table: Table) -> str:
    return f'temp.main."{table.name}"'


def _holds(con: duckdb.DuckDBPyConnection, condition: str) -> bool:
    return bool(con.execute(f"SELECT {condition}").fetchall()[0][0])
