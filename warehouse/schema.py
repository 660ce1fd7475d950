"""A table described once, as data.

From a `Table` come the DuckDB DDL with its comments, the Parquet (Arrow) schema, the checks that a
build must pass, the data dictionary and the words on the dashboard, so that they cannot disagree.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

import duckdb
import pyarrow as pa

# A date lasts 24 hours in each zone, and the last begins it 26 hours after the first (-12 and +14).
LONGEST_DAY_MINUTES = (24 + 26) * 60


class Type(Enum):
    """A column's type: its name in DuckDB and its Arrow type."""

    TEXT = ("VARCHAR", pa.string())
    INTEGER = ("INTEGER", pa.int32())
    BIG = ("BIGINT", pa.int64())
    REAL = ("DOUBLE", pa.float64())
    BOOLEAN = ("BOOLEAN", pa.bool_())
    DATE = ("DATE", pa.date32())
    INSTANT = ("TIMESTAMP WITH TIME ZONE", pa.timestamp("us", tz="UTC"))
    SMALL_LIST = ("USMALLINT[]", pa.list_(pa.uint16()))
    INTEGER_LIST = ("INTEGER[]", pa.list_(pa.int32()))
    TEXT_LIST = ("VARCHAR[]", pa.list_(pa.string()))

    @property
    def sql(self) -> str:
        return str(self.value[0])

    @property
    def arrow(self) -> pa.DataType:
        return self.value[1]


@dataclass(frozen=True)
class Column:
    """One column: what it means, in what unit, within what bounds.

    `better` is "higher" or "lower" where one end of the range is better for the participant.
    `reveals_arm` columns are absent from the masked file; of the rows of `reveals_arm_where`, a
    condition as a table's, the column is blank there. `provenance` columns say how a fact came
    here, not what it is, and do not count in the content hash.
    """

    name: str
    type: Type
    meaning: str
    unit: str = ""
    required: bool = False
    low: float | None = None
    high: float | None = None
    allowed: tuple[str, ...] = ()
    better: str = ""
    reveals_arm: bool = False
    reveals_arm_where: str = ""
    provenance: bool = False

    @property
    def constraints(self) -> list[tuple[str, str]]:
        """Each rule as (its sentence, the SQL condition of a row that breaks it)."""
        rules = []
        if self.required:
            rules.append(("is never missing", f'"{self.name}" IS NULL'))
        if self.low is not None:
            rules.append((f"is at least {self.low:g}", f'"{self.name}" < {self.low!r}'))
        if self.high is not None:
            rules.append((f"is at most {self.high:g}", f'"{self.name}" > {self.high!r}'))
        if self.allowed:
            listed = ", ".join(f"'{value}'" for value in self.allowed)
            rules.append(
                (f"is one of {', '.join(self.allowed)}", f'"{self.name}" NOT IN ({listed})')
            )
        return rules


@dataclass(frozen=True)
class Table:
    """One table: its grain in words, its key, its columns.

    `rules` are those that join columns, each as (its sentence, the SQL condition of a row that
    breaks it). `schema` is `main` for what the trial means and `ops` for how the work went; only
    `main` counts in the content hash. `reveals_arm_where` is the SQL condition of rows left out of
    the masked file, asked of the full one, which it calls `complete`; `reveals_arm` leaves out the
    whole table.
    """

    name: str
    grain: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    meaning: str
    schema: str = "main"
    reveals_arm: bool = False
    reveals_arm_where: str = ""
    rules: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        names = [column.name for column in self.columns]
        assert len(names) == len(set(names)), f"{self.name}: a column is named twice"
        assert set(self.key) <= set(names), f"{self.name}: the key names an unknown column"

    @property
    def full_name(self) -> str:
        return self.name if self.schema == "main" else f"{self.schema}.{self.name}"

    @property
    def names(self) -> list[str]:
        return [column.name for column in self.columns]

    def column(self, name: str) -> Column:
        """The column of that name; KeyError when there is none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(f"{self.name} has no column {name!r}; it has {', '.join(self.names)}")

    @property
    def arrow(self) -> pa.Schema:
        return pa.schema([pa.field(column.name, column.type.arrow) for column in self.columns])

    def masked(self) -> Table | None:
        """The same table as people who must not know the arms may see it; None when not at all."""
        if self.reveals_arm:
            return None
        kept = tuple(column for column in self.columns if not column.reveals_arm)
        return replace(self, columns=kept)

    @property
    def is_shown_whole(self) -> bool:
        """Whether the masked file has every cell of it."""
        told: tuple[Table | Column, ...] = (self, *self.columns)
        return not any(one.reveals_arm or one.reveals_arm_where for one in told)

    @property
    def masked_query(self) -> str:
        """SQL of the masked file's rows, read from the full file attached as `complete`."""
        cells = ", ".join(
            f'CASE WHEN NOT coalesce({c.reveals_arm_where}, false) THEN "{c.name}" END'
            if c.reveals_arm_where
            else f'"{c.name}"'
            for c in self.columns
            if not c.reveals_arm
        )
        shown = f" WHERE NOT ({self.reveals_arm_where})" if self.reveals_arm_where else ""
        return f"SELECT {cells} FROM complete.{self.schema}.{self.name}{shown}"

    def create(self, con: duckdb.DuckDBPyConnection) -> None:
        """Create the empty table with its comments."""
        columns = ", ".join(f'"{c.name}" {c.type.sql}' for c in self.columns)
        comments = [
            f'COMMENT ON COLUMN {self.full_name}."{c.name}" IS {_quoted(comment_of(c))}'
            for c in self.columns
        ]
        whole = f"COMMENT ON TABLE {self.full_name} IS {_quoted(self.comment)}"
        create = f"CREATE TABLE {self.full_name} ({columns})"
        con.execute(";\n".join([create, whole, *comments]))  # one by one takes three times as long

    @property
    def comment(self) -> str:
        return f"{self.meaning} One row per {self.grain}."

    def failures(self, con: duckdb.DuckDBPyConnection, rows: str = "") -> list[tuple[str, int]]:
        """Each broken rule as (sentence, number of rows that break it), of the relation `rows`.

        It is the whole table by default; rows of one key must be all in it or none.
        """
        rows = rows or self.full_name
        rules = self._row_rules
        counts = ", ".join(f"count(*) FILTER (WHERE {broken})" for _, broken in rules)
        keys = ", ".join(f'"{name}"' for name in self.key)
        row = con.execute(
            f"WITH repeated AS (SELECT {keys} FROM {rows} GROUP BY ALL "
            f"HAVING count(*) > 1) "
            f"SELECT {counts}, (SELECT count(*) FROM repeated) FROM {rows}"
        ).fetchall()[0]
        return [(sentence, int(n)) for sentence, n in zip(self.sentences, row, strict=True) if n]

    @property
    def sentences(self) -> list[str]:
        """Every rule of this table in words; the last is that its key is one."""
        grain = f"{self.full_name} has one row per {self.grain}"
        return [*(sentence for sentence, _ in self._row_rules), grain]

    @property
    def _row_rules(self) -> list[tuple[str, str]]:
        name = self.full_name
        return [
            (f"{name}.{column.name} {sentence}", broken)
            for column in self.columns
            for sentence, broken in column.constraints
        ] + [(f"{name}: {sentence}", broken) for sentence, broken in self.rules]


def comment_of(column: Column) -> str:
    """A column's sentence: meaning, unit, direction, range, and what a blank means."""
    parts = [column.meaning]
    if column.unit:
        parts.append(f"Unit: {column.unit}.")
    if column.better:
        parts.append(f"{column.better.capitalize()} is better.")
    if column.allowed:
        parts.append(f"One of: {', '.join(column.allowed)}.")
    elif column.low is not None:
        upper = "or more" if column.high is None else f"to {column.high:g}"
        parts.append(f"Range: {column.low:g} {upper}.")
    return " ".join(parts)


def minutes_column(name: str, meaning: str, better: str = "") -> Column:
    """A count of a day's minutes."""
    return Column(
        name,
        Type.INTEGER,
        meaning,
        unit="minutes",
        low=0,
        high=LONGEST_DAY_MINUTES,
        better=better,
    )


def table_of(table: Table, rows: Iterable[dict[str, Any]]) -> pa.Table:
    """Rows as an Arrow table of exactly the declared columns; an unknown key raises KeyError."""
    listed = list(rows)
    unknown = {key for row in listed for key in row} - set(table.names)
    if unknown:
        raise KeyError(f"{table.name} has no column {sorted(unknown)}")
    return pa.Table.from_pylist(listed, schema=table.arrow)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
