"""Which of two words on the same key is the newest: what makes the order of arrival nothing."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from warehouse.schema import Table

WORD = ("fetched_at", "raw_sha256")  # which word of the source a row is
Row = dict[str, Any]


def key_of(table: Table, row: Row) -> tuple[Any, ...]:
    """The row's key."""
    return tuple(row[name] for name in table.key)


def is_newer(row: Row, stored: Row | None) -> bool:
    """Whether `row` is a newer word than `stored`.

    Two words of one instant are told apart by their hash, so that the order of arrival is nothing.
    Where the same replies say something else than before, their reading was mended: that counts.
    """
    if stored is None:
        return True
    came, before = ((one["fetched_at"], one.get("raw_sha256")) for one in (row, stored))
    if came == before and came[1]:
        return bool(row["row_hash"] != stored["row_hash"])
    word = (row["fetched_at"], row["row_hash"])
    return bool(word > (stored["fetched_at"], stored["row_hash"]))


def is_mended(row: Row, stored: Row | None) -> bool:
    """Whether `row` reads the very replies behind `stored` otherwise: a mended reader."""
    return bool(
        stored
        and row["raw_sha256"]
        and [row[name] for name in WORD] == [stored[name] for name in WORD]
        and row["row_hash"] != stored["row_hash"]
    )


def one_per_key(table: Table, rows: pa.Table) -> pa.Table:
    """The newest of the rows of each key."""
    names = [*table.key, "fetched_at", "row_hash"]
    newest: dict[tuple[Any, ...], tuple[int, Row]] = {}
    for index, row in enumerate(rows.select(names).to_pylist()):
        key = key_of(table, row)
        if is_newer(row, newest[key][1] if key in newest else None):
            newest[key] = (index, row)
    return rows.take(pa.array(sorted(index for index, _ in newest.values()), pa.int64()))
