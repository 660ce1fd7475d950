"""Step records as arrays: times in milliseconds UTC, whatever way the table writes them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ingestion.source import Reply
from ingestion.sources._health_connect_tables import read_table

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
NO_TIME = -(1 << 62)  # also an offset that is not stated
_MOST_OFFSET = 18 * 3600
_SECONDS_BELOW = 100_000_000_000  # a smaller number of a time is seconds, not milliseconds
_LEAST_TIME, _MOST_TIME = 10**8, 10**16  # as many digits as the times of these centuries
_OFFSET = re.compile(r"(?:UTC|GMT)?([+-])(\d{1,2}):?(\d{2})?")


@dataclass(frozen=True)
class Records:
    """Step records. `offset` in seconds from UTC, NO_TIME where none is stated; `modified` 0 where
    not stated; `key` is the same for all words of one record; `origin` indexes `origins`."""

    start: Ints
    end: Ints
    offset: Ints
    count: Ints
    modified: Ints
    key: Ints
    origin: Ints
    good: Flags
    origins: tuple[str, ...]

    def only(self, which: Flags | Ints) -> Records:
        columns = {
            c.name: getattr(self, c.name)[which] for c in fields(self) if c.name != "origins"
        }
        return replace(self, **columns)

    @staticmethod
    def joined(tables: Sequence[Mapping[str, pa.ChunkedArray]]) -> Records:
        """The records of all tables of one participant."""
        text = {
            name: pa.chunked_array([c for t in tables for c in t[name].chunks], pa.string())
            for name in tables[0]
        }
        start, end = instants(text["start"]), instants(text["end"])
        stated = offsets(text["start_offset"])
        offset = np.where(stated == NO_TIME, offsets(_own_offsets(text["start"])), stated)
        number = counts(text["count"])
        modified = np.maximum(instants(text["modified"]), 0)  # 0 where not stated
        origin, origins = _coded(pc.fill_null(text["origin"], ""))
        key = _keys(text["id"], (start, end, number, origin))
        good = np.ones(start.size, bool)
        return Records(start, end, offset, number, modified, key, origin, good, tuple(origins))


def read_records(reply: Reply) -> dict[str, pa.ChunkedArray]:
    """The columns of one reply, as text."""
    with reply.open() as stream:
        return read_table(stream, reply.request)


def instants(texts: pa.ChunkedArray) -> Ints:
    """Milliseconds UTC of ISO stamps that state their zone, or of numbers of milliseconds (of
    seconds, where small); NO_TIME for anything else."""
    texts = pc.utf8_trim_whitespace(texts)
    if (whole := _whole(texts)) is not None:
        ms = np.where(np.abs(whole) < _SECONDS_BELOW, whole * 1000, whole)
        return np.where((whole >= _LEAST_TIME) & (whole < _MOST_TIME), ms, NO_TIME)
    try:
        times = pc.cast(pc.cast(texts, pa.timestamp("ns", "UTC")), pa.int64())
        known = pc.is_valid(times).to_numpy().astype(bool)
        return np.where(known, pc.fill_null(times, 0).to_numpy() // 1_000_000, NO_TIME)
    except pa.ArrowInvalid:
        codes, distinct = _coded(pc.fill_null(texts, ""))
        return np.array([_instant(text) for text in distinct], np.int64)[codes]


def offsets(texts: pa.ChunkedArray) -> Ints:
    """Seconds from UTC of offsets like +02:00, Z, or a number of seconds; NO_TIME for others."""
    codes, distinct = _coded(pc.fill_null(texts, ""))
    return np.array([_offset(text.strip()) for text in distinct], np.int64)[codes]


def counts(texts: pa.ChunkedArray) -> Ints:
    """Whole counts; -1 for what is none."""
    if (whole := _whole(texts)) is not None:
        return whole
    codes, distinct = _coded(pc.fill_null(texts, ""))
    return np.array([_count(text.strip()) for text in distinct], np.int64)[codes]


def _whole(texts: pa.ChunkedArray) -> Ints | None:
    """A column of whole numbers alone; None where it has anything else, or a blank."""
    try:
        whole = pc.cast(texts, pa.int64())
    except pa.ArrowInvalid:
        return None
    return None if whole.null_count else whole.to_numpy().astype(np.int64)


def _instant(text: str) -> int:
    if re.fullmatch(r"\d{9,16}(\.0+)?", text):
        number = int(text.split(".")[0])
        return number * 1000 if number < _SECONDS_BELOW else number
    try:
        stated = datetime.fromisoformat(text)
    except ValueError:
        return NO_TIME
    if stated.tzinfo is None or not 2000 <= stated.year < 2100:
        return NO_TIME
    return int(stated.astimezone(UTC).timestamp() * 1000)


def _offset(text: str) -> int:
    if text.upper() in ("Z", "UTC"):
        return 0
    if found := _OFFSET.fullmatch(text):
        sign, hours, minutes = found.groups(default="0")
        seconds = (int(hours) * 60 + int(minutes)) * 60 * (-1 if sign == "-" else 1)
    elif re.fullmatch(r"-?\d{1,5}(\.0+)?", text):  # seconds, as the SQLite export has them
        seconds = int(float(text))
    else:
        return NO_TIME
    return seconds if abs(seconds) <= _MOST_OFFSET else NO_TIME


def _count(text: str) -> int:
    try:
        number = float(text)
    except ValueError:
        return -1
    return int(number) if number % 1 == 0 and abs(number) < _SECONDS_BELOW else -1


def _own_offsets(starts: pa.ChunkedArray) -> pa.ChunkedArray:
    """The offset in an ISO stamp itself; Z and +00:00 say nothing of where somebody was."""
    found = pc.extract_regex(starts, r"T.*(?P<own>[+-]\d{2}:?\d{2})\s*$")
    own = pc.struct_field(found, "own")
    return pc.if_else(pc.is_in(own, pa.array(["+00:00", "-00:00", "+0000"])), "", own)


def _keys(ids: pa.ChunkedArray, facts: Sequence[Ints]) -> Ints:
    """A number for each record: of its id; without one, of all that it states."""
    codes, distinct = _coded(pc.fill_null(pc.utf8_trim_whitespace(ids), ""))
    key = codes.copy()
    unnamed = np.flatnonzero(np.array([not one for one in distinct], bool)[codes])
    if unnamed.size:
        columns = np.stack([fact[unnamed] for fact in facts])
        alike = np.unique(columns, axis=1, return_inverse=True)[1].reshape(-1)
        key[unnamed] = len(distinct) + alike
    return key


def _coded(column: pa.ChunkedArray) -> tuple[Ints, list[str]]:
    """A column without nulls as codes and its distinct texts, which are in order."""
    values = column.combine_chunks()
    whole = values.chunk(0) if isinstance(values, pa.ChunkedArray) and values.chunks else values
    if not len(whole):
        return np.empty(0, np.int64), [""]
    distinct = pc.unique(whole)
    distinct = distinct.take(pc.sort_indices(distinct))
    return pc.index_in(whole, distinct).to_numpy().astype(np.int64), distinct.to_pylist()
