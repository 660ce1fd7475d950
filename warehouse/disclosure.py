"""Small cells: no published figure of a cohort rests on fewer participants than the limit.

Statistical disclosure control in one place. It withholds whole rows; it does not yet guard against
subtracting one published cohort from another.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import duckdb

from warehouse.schema import Table


def insert_shown(
    con: duckdb.DuckDBPyConnection,
    table: Table,
    rows: str,
    counts: Sequence[str],
    limit: int,
    parameters: Mapping[str, Any] | None = None,
) -> None:
    """Insert the query `rows` into a cohort table, small cells blank and flagged, never 0.

    `counts` are the columns of `rows` that count the participants behind its figures; they need
    not be columns of `table`. A row where any of them is from 1 to `limit` - 1 keeps its key and
    gets `suppressed` = true and blanks. A count of 0 is nobody's figure and stays. The withheld
    figures are never written, so nothing of them is left in the file.
    """
    small = " OR ".join(f'"{count}" BETWEEN 1 AND {limit - 1}' for count in counts)
    columns = ",\n    ".join(_shown(name, table) for name in table.names)
    con.execute(
        f"INSERT INTO {table.full_name} BY NAME\n"
        f"WITH cell AS ({rows}), judged AS (SELECT *, {small} AS small FROM cell)\n"
        f"SELECT {columns}\nFROM judged",
        parameters or {},
    )


def _shown(name: str, table: Table) -> str:
    if name in table.key:
        return f'"{name}"'
    if name == "suppressed":
        return "small AS suppressed"
    return f'CASE WHEN NOT small THEN "{name}" END AS "{name}"'
