"""A table as small as it travels: the same cells in fewer bytes."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc


def packed(table: pa.Table) -> pa.Table:
    """The table with repeated texts as codes, and whole numbers no wider than they need."""
    for at, field in enumerate(table.schema):
        column = table.column(at)
        if pa.types.is_string(field.type):
            column = _coded(column)
        elif pa.types.is_integer(field.type) or _is_whole(column):
            column = column.cast(_narrowest(column))
        table = table.set_column(at, field.name, column)
    return table


def percents(table: pa.Table, shares: Sequence[str]) -> pa.Table:
    """The table with these columns of shares as whole percents, to be drawn; a blank stays one."""
    for name in shares:
        at = table.column_names.index(name)
        table = table.set_column(at, name, pc.round(pc.multiply(table.column(at), 100)))
    return table


def _is_whole(column: pa.ChunkedArray) -> bool:
    """Whether a column of fractions holds whole numbers alone, which fewer bytes tell as well."""
    if not pa.types.is_floating(column.type):
        return False
    most = pc.max(pc.abs(column)).as_py() or 0
    whole = pc.all(pc.equal(pc.floor(column), column)).as_py()
    return whole is not False and most < 2**31


def _coded(column: pa.ChunkedArray) -> pa.ChunkedArray:
    coded = column.combine_chunks().dictionary_encode()
    if len(coded.dictionary) * 2 > len(column):  # hardly a text comes twice
        return column
    return pa.chunked_array([coded.cast(pa.dictionary(_index(len(coded.dictionary)), pa.string()))])


def _index(texts: int) -> pa.DataType:
    return pa.int8() if texts <= 127 else pa.int16() if texts <= 32_767 else pa.int32()


def _narrowest(column: pa.ChunkedArray) -> pa.DataType:
    """The smallest signed whole number that holds every value; of blanks alone the smallest."""
    ends = pc.min_max(column).as_py()
    low, high = ends["min"] or 0, ends["max"] or 0
    for kind, most in ((pa.int8(), 127), (pa.int16(), 32_767), (pa.int32(), 2_147_483_647)):
        if -most <= low and high <= most:
            return kind
    return pa.int64()
