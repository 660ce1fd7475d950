"""Where day rows lie in the lake, and which of two rows of a day holds.

A day that may still change lies in a file of its source, date and batch. Days that are closed lie
together in a file of their source, month and group of batches, sorted by participant and day
(warehouse/compaction.py). What comes for such a day after all lies in its date's file again, and a
row there holds instead of the month's until the next compaction.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

FOLDER = "activity_day"
GROUPED_BATCHES = 50  # to a month's file: bounds it, and what it takes to write it
IMPORTED = "import"  # imported rows have files of their own, whatever a participant's batch


@dataclass(frozen=True)
class Place:
    """What the path of a day file says; `on` and `bucket` are None for a month's file."""

    month: str  # path of the month's file that the rows belong to
    on: date | None = None
    bucket: str | None = None
    source: str = ""


def day_path(source: str, on: date, bucket: str) -> str:
    """Where the day rows of a source, local date and batch live."""
    return f"{FOLDER}/source={source}/date={on:%Y-%m-%d}/bucket={bucket}.parquet"


def month_path(source: str, on: date, bucket: str) -> str:
    """Where they live once they are compacted."""
    group = f"{int(bucket) // GROUPED_BATCHES:04d}" if bucket.isdigit() else bucket
    return f"{FOLDER}/source={source}/month={on:%Y-%m}/group={group}.parquet"


def place_of(path: str) -> Place:
    """What a day file's path says."""
    _, *parts = path.removesuffix(".parquet").split("/")
    said = dict(part.split("=", 1) for part in parts)
    if "month" in said:
        return Place(path, source=said["source"])
    on, bucket = date.fromisoformat(said["date"]), said["bucket"]
    return Place(month_path(said["source"], on, bucket), on, bucket, said["source"])


def date_of(path: str) -> date:
    """The date of a date's file; ValueError where it is no such file."""
    on = place_of(path).on
    if on is None:
        raise ValueError(f"{path} is no date's file")
    return on


def over_months(paths: Iterable[str]) -> dict[str, list[str]]:
    """The date files of each month's file, whose rows hold instead of those in it."""
    found: dict[str, list[str]] = {}
    for path in paths:
        place = place_of(path)
        if place.on:
            found.setdefault(place.month, []).append(path)
    return found


def keys_of(rows: pa.Table) -> pa.Array:
    """Participant and date of each row of one source, as one text."""
    on = rows["activity_date"].cast(pa.string())
    joined = pc.binary_join_element_wise(rows["participant_id"], on, "\x1f")
    return pa.concat_arrays(joined.chunks) if joined.num_chunks else pa.array([], pa.string())


def among(rows: pa.Table, keys: pa.Array, there: bool = True) -> pa.Table:
    """The rows that are among `keys` (see keys_of), or those that are not `there`."""
    found = pc.is_in(keys_of(rows), value_set=keys)
    return rows.filter(found if there else pc.invert(found))
