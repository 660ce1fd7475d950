"""The files of a Fitabase export: which they are, and their columns as arrays.

A file is known by its header, whatever its name, case, suffix or order of columns; merged files
hold every person (a column Id), unmerged ones one person each, named in front:
`ID 1003_minuteStepsNarrow_20171001_20171007.csv`. Times are naive clock times; one format holds
for a whole file, month before day (as Fitabase writes) wherever that is possible.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ingestion.delimited import first_line, header_of, normal, read_strict
from ingestion.errors import BadInput
from ingestion.source import Reply

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Kind:
    """A kind of file: its data type, the column of its times, its values, and how it is named."""

    data_type: str
    title: str
    stamp: str
    values: tuple[str, ...]
    named: str  # a pattern of its usual name
    by_name: bool = False  # the header alone does not tell it

    @property
    def needs(self) -> set[str]:
        return {self.stamp, *self.values}


WIDE = tuple(f"steps{minute:02d}" for minute in range(60))
_TOO_LARGE = 1 << 40  # for any count
KINDS = (
    Kind(
        "minute_steps",
        "minute steps, narrow",
        "activityminute",
        ("steps",),
        r"minute[ _-]*steps[ _-]*narrow",
    ),
    Kind(
        "minute_steps", "minute steps, wide", "activityhour", WIDE, r"minute[ _-]*steps[ _-]*wide"
    ),
    Kind("hourly_steps", "hourly steps", "activityhour", ("steptotal",), r"hourly[ _-]*steps"),
    Kind("daily_steps", "daily steps", "activityday", ("steptotal",), r"daily[ _-]*steps"),
    Kind("daily_steps", "daily activity", "activitydate", ("totalsteps",), r"daily[ _-]*activity"),
    Kind(
        "heart_rate",
        "heart rate",
        "time",
        ("value",),
        r"heart[ _-]*rate[ _-]*(seconds|1[ _-]*min)",
        by_name=True,
    ),
)
NEEDED = (
    "needed is minuteStepsNarrow or minuteStepsWide; hourlySteps, dailySteps or dailyActivity and "
    "heartrate_seconds or heartrate_1min are read where present"
)
_TIMES = (" %I:%M:%S %p", " %I:%M %p", " %H:%M:%S", " %H:%M", "")
FORMATS = tuple(f"{day}{time}" for day in ("%m/%d/%Y", "%d/%m/%Y", "%Y-%m-%d") for time in _TIMES)
_PLAUSIBLE = (np.datetime64("2000-01-01"), np.datetime64("2100-01-01"))


@dataclass(frozen=True)
class Part:
    """One file as arrays, one entry per value; a wide row is 60 of them.

    `person` indexes `people` (ids as the file writes them), `clock` counts minutes of the naive
    clock from 1970-01-01 00:00, `value` is -1 where the file has a blank.
    """

    name: str
    kind: Kind
    sha256: str
    people: list[str]
    person: Ints
    clock: Ints
    value: Ints
    day_first: bool

    @property
    def coverage(self) -> Ints:
        """The last clock minute with a value, for each of `people`; -1 where there is none."""
        last = np.full(len(self.people), -1, np.int64)
        known = self.value >= 0
        np.maximum.at(last, self.person[known], self.clock[known])
        return last


def kind_of(name: str, body: bytes) -> Kind | None:
    """The kind of a file by its header; None for one that is not read here.

    Raises BadInput when the name says one kind and a column of it is missing.
    """
    named = next((kind for kind in KINDS if re.search(kind.named, name, re.I)), None)
    if not named and not name.lower().endswith((".csv", ".csv.gz")):
        return None
    header = _header(name, body)
    for kind in KINDS:
        if kind.needs <= set(header) and (kind is named or not kind.by_name):
            return kind
    if named:
        missing = [c for c in (named.stamp, *named.values) if c not in header]
        raise BadInput(
            f"{name}: no column {', '.join(missing[:3])}{' ...' * (len(missing) > 3)} "
            f"(found {len(header)} columns); a file of {named.title} needs {named.stamp} and "
            f"{named.values[0]}{f' to {named.values[-1]}' if len(named.values) > 1 else ''}, "
            f"in upper or lower case"
        )
    return None


def read_part(reply: Reply) -> Part:
    """The arrays of one file; BadInput names what is wrong with it."""
    name = reply.request
    kind = kind_of(name, reply.body)
    if kind is None:
        raise BadInput(f"{name}: not a file of a Fitabase export; {NEEDED}")
    merged = "id" in _header(name, reply.body)
    text = pa.dictionary(pa.int32(), pa.string())
    types = {"id": text} if merged else {}
    number = pa.float64() if kind.data_type == "heart_rate" else pa.int64()
    table = read_strict(
        name, reply.body, types | {kind.stamp: text} | dict.fromkeys(kind.values, number)
    )
    if table.num_rows == 0:
        raise BadInput(f"{name}: no rows under the header; export it again")
    clock, day_first = _clock(name, table[kind.stamp])
    person, people = _people(name, kind, table)
    width = len(kind.values)
    columns = [_whole(table[v].fill_null(-1).to_numpy()) for v in kind.values]
    return Part(
        name=name,
        kind=kind,
        sha256=reply.sha256,
        people=people,
        person=np.repeat(person, width),
        clock=(clock[:, None] + np.arange(width)).ravel(),
        value=np.stack(columns, axis=1).ravel(),
        day_first=day_first,
    )


def _whole(values: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """Numbers without what follows the point; those that are none, or too large, are impossible."""
    if values.dtype.kind == "f":
        values = np.nan_to_num(values, nan=-1, posinf=_TOO_LARGE, neginf=-1)
    return values.clip(-1, _TOO_LARGE).astype(np.int64)


def check_formats(parts: Sequence[Part]) -> None:
    """Raise BadInput when one file writes the day first and another the month."""
    first = [part.name for part in parts if part.day_first]
    other = [part.name for part in parts if not part.day_first]
    if first and other:
        raise BadInput(
            f"{first[0]}: its dates can only be day/month, those of {other[0]} read as "
            f"month/day; export both in one format"
        )


def _header(name: str, body: bytes) -> list[str]:
    return [normal(column) for column in header_of(first_line(name, body))]


def _people(name: str, kind: Kind, table: pa.Table) -> tuple[Ints, list[str]]:
    if "id" not in table.column_names:
        return np.zeros(table.num_rows, np.int64), [_named_person(name, kind)]
    codes, ids = _encoded(table["id"])
    if (codes < 0).any():
        line = int(np.argmax(codes < 0)) + 2
        raise BadInput(f"{name}: line {line} has no Id; every line of a merged file needs one")
    return codes, [str(one).strip() for one in ids.to_pylist()]


def _named_person(name: str, kind: Kind) -> str:
    before = re.split(kind.named, name, maxsplit=1, flags=re.I)[0]
    person = normal(re.sub(r"^(id|user)[ _-]+", "", before, flags=re.I))
    if not person:
        raise BadInput(
            f"{name}: whose file is it? It has no column Id and no id in front of its name; "
            f"needed is either"
        )
    return person


def _clock(name: str, stamps: pa.ChunkedArray) -> tuple[Ints, bool]:
    """Clock minutes of the stamps, and whether they write the day before the month."""
    codes, texts = _encoded(stamps)
    texts = pc.replace_substring(pc.utf8_trim_whitespace(texts), "T", " ")
    for wanted in FORMATS:
        times = pc.strptime(texts, format=wanted, unit="s", error_is_null=True)
        if times.null_count == 0 and (codes >= 0).all():
            break
    else:
        raise BadInput(
            f"{name}: its times are in no one format known; needed are times such as "
            f"4/12/2016 1:05:00 PM, 4/12/2016 13:05 or 2016-04-12 13:05:00 on every line"
        )
    seconds = times.to_numpy(zero_copy_only=False).astype("datetime64[s]")
    if seconds.min() < _PLAUSIBLE[0] or seconds.max() >= _PLAUSIBLE[1]:
        raise BadInput(f"{name}: it has a year before 2000 or after 2099; write years in full")
    return (seconds.astype(np.int64) // 60)[codes], wanted.startswith("%d")


def _encoded(column: pa.ChunkedArray) -> tuple[Ints, pa.Array]:
    """A dictionary column as codes (-1 for blank) and its distinct texts."""
    whole = column.unify_dictionaries().combine_chunks()
    if isinstance(whole, pa.ChunkedArray):
        whole = whole.chunk(0)
    return whole.indices.fill_null(-1).to_numpy().astype(np.int64), whole.dictionary
