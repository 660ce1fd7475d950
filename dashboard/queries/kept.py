"""What one file answered to a question, kept: a published file never changes.

An answer is kept for the file it came from and for those rows of it that the viewer may see, and is
given to nobody who may see others. When another file takes the place of one, what that one answered
is forgotten: a participant may have been erased from it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from threading import Lock
from typing import Any
from weakref import WeakKeyDictionary

import duckdb
import pyarrow as pa

MOST_ANSWERS, MOST_BYTES, MOST_OF_ONE = 1000, 64 * 2**20, 4 * 2**20
Mark = tuple[str, int]  # a file, and when it was written
Scope = tuple[Path, Mark, tuple[str, ...]]

_lock = Lock()
_scopes: WeakKeyDictionary[duckdb.DuckDBPyConnection, Scope] = WeakKeyDictionary()
_answers: OrderedDict[tuple[Scope, str, str], tuple[pa.Table, int]] = OrderedDict()  # and its bytes


def keep(con: duckdb.DuckDBPyConnection, link: Path, mark: Mark, sites: tuple[str, ...]) -> None:
    """Keep what `con` answers: it has the file of `mark`, found at `link`, bound to `sites`."""
    with _lock:
        _scopes[con] = (link, mark, sites)
        for key in [one for one in _answers if one[0][0] == link and one[0][1] != mark]:
            del _answers[key]


def _bytes() -> int:
    return sum(size for _, size in _answers.values())


def answer(con: duckdb.DuckDBPyConnection, sql: str, values: Mapping[str, Any]) -> pa.Table:
    """What the question gives; asked anew unless `con` is to be kept and was asked before."""
    scope = _scopes.get(con)
    if scope is None:
        return con.sql(sql, params=dict(values)).to_arrow_table()
    key = scope, sql, repr(sorted(values.items()))
    with _lock:
        if key in _answers:
            _answers.move_to_end(key)
            return _answers[key][0]
    found = con.sql(sql, params=dict(values)).to_arrow_table()
    size = found.nbytes  # which takes its time
    if size <= MOST_OF_ONE:
        with _lock:
            _answers[key] = found, size
            while len(_answers) > MOST_ANSWERS or _bytes() > MOST_BYTES:
                _answers.popitem(last=False)
    return found
