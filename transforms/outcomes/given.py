"""Small tables made in Python, lent to SQL."""

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb
import pyarrow as pa


@contextmanager
def given(con: duckdb.DuckDBPyConnection, **lent: pa.Table) -> Iterator[None]:
    """Each table of `lent` can be queried by its name inside the block, and not after it.

    After an error they stay: a failed transaction lets nothing be dropped, and taking them back
    would hide the error behind that one.
    """
    for name, rows in lent.items():
        con.register(name, rows)
    yield
    for name in lent:
        con.unregister(name)
