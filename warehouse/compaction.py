"""Compaction: days that are closed move from their dates' many small files into their month's.

A month's file is written whole, beside the dates' files, and those go only then: killed at any
moment, a day lies in the month's file, in its date's, or the same in both, where the date's row is
the one that holds (warehouse/day_files.py). So nothing is lost, and nothing counts twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import pyarrow as pa

from warehouse.day_files import date_of, over_months, place_of
from warehouse.home import Store
from warehouse.lake import Lake, LakeFile, days_lease
from warehouse.tables.landed import activity_day

_WORDS = [*activity_day.key, "row_hash", "fetched_at"]


@dataclass(frozen=True)
class Compacted:
    """What a compaction did: the months' files it wrote, and the dates' files that are gone."""

    months: int
    dates: int


def compact(store: Store, as_of: datetime) -> Compacted:
    """Move the days that a pull at `as_of` no longer asks for again into their months' files.

    Builds wait meanwhile (they read the files that go), landing does not. Running it again does
    nothing. Raises LeaseBusy when a build takes longer than a quarter of an hour.
    """
    open_from = as_of.date() - timedelta(days=store.study.wearables.trailing_days)
    with store.register.leased("warehouse", wait=900):
        files = store.lake.day_files()
        closed = {
            month: [path for path in paths if date_of(path) < open_from]
            for month, paths in over_months(file.path for file in files).items()
        }
        gone = [_compact_month(store, files, m, paths) for m, paths in closed.items() if paths]
    return Compacted(len(gone), sum(gone))


def _compact_month(
    store: Store, files: Sequence[LakeFile], month: str, paths: Sequence[str]
) -> int:
    """Write a month's file anew; returns how many dates' files it took in."""
    taken = {path: store.lake.read_days(path) for path in paths}
    parts = list(taken.values())
    if any(file.path == month for file in files):
        here = [file for file in files if file.path in {month, *paths}]
        parts += [rows for _, rows in store.lake.days([month], here)]
    store.lake.clear_aside(month)
    store.lake.write_days(month, pa.concat_tables(parts))
    return sum(_take_out(store, path, rows) for path, rows in taken.items())


def _take_out(store: Store, path: str, taken: pa.Table) -> bool:
    """Remove a date's file, unless something has landed in it since it was taken in."""
    place = place_of(path)
    assert place.bucket is not None
    with store.register.leased(days_lease(place.source, place.bucket), wait=600):
        same = bool(_words(store.lake, path).equals(taken.select(_WORDS)))
        if same:
            store.lake.delete(path)
    return same


def _words(lake: Lake, path: str) -> pa.Table:
    return lake.read_days(path, _WORDS)
