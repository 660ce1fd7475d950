"""The distilled records of Apple Health exports as arrays, with what is refused counted by reason.

Memory grows with the step records alone: of heart rates only the minutes are held.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from ingestion.errors import BadInput
from ingestion.source import Count, Reply
from ingestion.sources._apple_export import COLUMNS, KINDS

Ints = npt.NDArray[np.int64]
Whole = npt.NDArray[np.signedinteger[Any]]  # small where millions of them are held
Flags = npt.NDArray[np.bool_]
HEART_RATE = (30, 220)  # plausible beats a minute, as for Fitabase
MOST_STEPS = 100_000  # in one record of at most a day
MOST_MINUTE_STEPS = 30_000  # above it is no count, as for Fitabase; a day judges what is below
DAY = 86_400  # seconds
UNITS = {"steps": "count", "heart_rate": "count/min"}
_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC).timestamp()
_STILL_RECORDED = 3_600  # a phone counts on while it writes its export
_KINDS = len(KINDS)
_NO_TIME = np.iinfo(np.int64).min
_NUMBER = r"^[+-]?\d+(\.\d+)?([eE][+-]?\d+)?$"
_STAMP = r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4}$"
_BLOCK = 1 << 20


@dataclass
class Records:
    """What one export holds. `reach` is its ExportDate, else the end of its last record.

    Of a step record: seconds from 1970 UTC, steps, and its source as an index of `kinds`.
    `worn` are the minutes (from 1970 UTC) with a heart rate, ascending, each once; `worn_by` the
    best kind among those that measured it. `named` are records that name their zone: second, zone.
    """

    reach: datetime
    start: Ints
    end: Ints
    steps: Ints
    source: Ints
    kinds: dict[int, int]  # source -> index of KINDS
    worn: Whole
    worn_by: Whole
    named: list[tuple[int, str]]
    counts: dict[str, Count]


@dataclass
class _Gathered:
    steps: list[Ints] = field(default_factory=list)
    beats: list[Whole] = field(default_factory=list)  # minute * _KINDS + kind
    kinds: dict[int, int] = field(default_factory=dict)
    named: dict[int, str] = field(default_factory=dict)
    counts: dict[str, Count] = field(default_factory=dict)
    last: int = 0


def read_records(reply: Reply) -> Records:
    """The records of a distilled export; BadInput where it is none."""
    try:
        return _read(reply)
    except pa.ArrowInvalid:
        raise BadInput(
            f"{reply.request}: not the distilled records of a health export; import it again"
        ) from None


def _read(reply: Reply) -> Records:
    reach = _export_date(reply)
    latest = min(reach or reply.fetched_at, reply.fetched_at)
    found = _Gathered(counts={what: Count() for what in UNITS})
    for batch in _batches(reply):
        for what in UNITS:
            part = batch.filter(pc.equal(batch["what"], what))
            if part.num_rows:
                _gather(what, part, latest.timestamp() + _STILL_RECORDED, reply.sha256, found)
    reach = latest if reach else datetime.fromtimestamp(found.last, UTC)
    start, end, steps, source = np.concatenate([np.empty((4, 0), np.int64), *found.steps], axis=1)
    worn, worn_by = _best_of_each(np.concatenate([np.empty(0, np.int32), *found.beats]))
    return Records(reach, start, end, steps, source, found.kinds, worn, worn_by,
                   sorted(found.named.items()), found.counts)  # fmt: skip


def _batches(reply: Reply) -> Iterator[pa.RecordBatch]:
    """The records, some at a time. Arrow's own streaming reads far ahead, so it is not used."""
    with reply.open() as content:
        header = content.readline()
        if header.decode("utf-8", "replace").rstrip("\n").split("\t") != [*COLUMNS]:
            raise pa.ArrowInvalid("other columns")
        while lines := content.readlines(_BLOCK):
            table = pyarrow.csv.read_csv(
                pa.BufferReader(b"".join([header, *lines])),
                pyarrow.csv.ReadOptions(use_threads=False),
                pyarrow.csv.ParseOptions(delimiter="\t", quote_char=False),
                pyarrow.csv.ConvertOptions(column_types=dict.fromkeys(COLUMNS, pa.string())),
            )
            yield from table.combine_chunks().to_batches()


def _export_date(reply: Reply) -> datetime | None:
    """When the phone wrote the export, by its own word: what stands first in it."""
    with reply.open() as content:
        content.readline()
        what, at, *_ = [*content.readline(1000).decode("utf-8", "replace").split("\t"), "", ""]
    seconds = int(_seconds(pa.array([at]))[0]) if what == "export" else _NO_TIME
    return datetime.fromtimestamp(seconds, UTC) if seconds > _EARLIEST else None


def _gather(
    what: str, batch: pa.RecordBatch, latest: float, raw_sha256: str, found: _Gathered
) -> None:
    count = found.counts[what]
    count.received += batch.num_rows
    start, end, value = _seconds(batch["start"]), _seconds(batch["end"]), _numbers(batch["value"])
    good = np.ones(batch.num_rows, np.bool_)
    for reason, bad in _faults(what, batch, start, end, value, latest):
        count.reject(reason, int((bad & good).sum()), raw_sha256)
        good &= ~bad
    count.landed += int(good.sum())
    if not good.any():
        return
    batch, start, end, value = batch.filter(pa.array(good)), start[good], end[good], value[good]
    source = pc.cast(batch["source"], pa.int64()).to_numpy()
    kind = _codes(batch["kind"], KINDS)
    found.last = max(found.last, int(end.max()))
    if what == "steps":
        found.kinds.update(_best_kinds(source, kind))
        rounded = np.floor(value + 0.5).astype(np.int64)
        found.steps.append(np.stack([start, end, rounded, source]))
        _gather_zones(batch["zone"], start, found)
    else:
        minutes = np.concatenate([start // 60, end // 60])
        found.beats.append(np.unique(minutes * _KINDS + np.tile(kind, 2)).astype(np.int32))


def _faults(
    what: str, batch: pa.RecordBatch, start: Ints, end: Ints, value: npt.NDArray[np.float64],
    latest: float,
) -> Iterator[tuple[str, Flags]]:  # fmt: skip
    """Why a record is refused, the first reason that holds."""
    yield "no_time", (start == _NO_TIME) | (end == _NO_TIME)
    yield "other_unit", ~_flags(pc.equal(batch["unit"], UNITS[what]))
    yield "not_a_number", ~np.isfinite(value)
    yield "entered_by_hand", _flags(pc.equal(batch["by_hand"], "1"))
    yield "ends_before_it_starts", end < start
    yield "longer_than_a_day", end - start > DAY
    yield "before_2000", start < _EARLIEST
    yield "in_the_future", end > latest
    if what == "steps":
        yield "negative_count", value < 0
        minutes = np.maximum(end - start, 60) / 60
        yield "impossible", value > np.minimum(MOST_STEPS, MOST_MINUTE_STEPS * minutes)
    else:
        yield "implausible_heart_rate", (value < HEART_RATE[0]) | (value > HEART_RATE[1])


def _gather_zones(zones: pa.Array, start: Ints, found: _Gathered) -> None:
    """Zones that records name, where they are zones; most records name none."""
    has = np.flatnonzero(_flags(pc.not_equal(zones, "")))
    if not has.size:
        return
    known = _known_zones()
    for at, zone in zip(start[has].tolist(), zones.take(pa.array(has)).to_pylist(), strict=True):
        if zone in known:
            found.named[at] = zone


@lru_cache(maxsize=1)
def _known_zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _best_kinds(source: Ints, kind: Ints) -> dict[int, int]:
    found: dict[int, int] = {}
    for one, its in np.unique(np.stack([source, kind]), axis=1).T.tolist():
        found[one] = min(its, found.get(one, its))
    return found


def _best_of_each(beats: Whole) -> tuple[Whole, Whole]:
    """Minutes ascending, each once, with the first of the kinds that has it, of minutes and kinds
    in one number."""
    beats.sort()  # in place: there may be millions
    minute, kind = np.divmod(beats, _KINDS)
    first = np.append(True, np.diff(minute) > 0)[: minute.size]
    return minute[first], kind[first].astype(np.int8)


def _seconds(stamps: pa.Array) -> Ints:
    """Seconds from 1970 UTC of stamps such as 2026-03-26 08:14:00 +0200."""
    good = pc.match_substring_regex(stamps, _STAMP)
    plain = pc.if_else(good, stamps, "1970-01-01 00:00:00 +0000")
    faces = pc.strptime(
        pc.utf8_slice_codeunits(plain, 0, 19), format="%Y-%m-%d %H:%M:%S", unit="s",
        error_is_null=True,
    )  # fmt: skip
    seconds = pc.cast(faces, pa.int64()).to_numpy(zero_copy_only=False)
    hours = pc.cast(pc.utf8_slice_codeunits(plain, 21, 23), pa.int64()).to_numpy()
    minutes = pc.cast(pc.utf8_slice_codeunits(plain, 23, 25), pa.int64()).to_numpy()
    west = _flags(pc.equal(pc.utf8_slice_codeunits(plain, 20, 21), "-"))
    offset = (hours * 60 + minutes) * 60
    day = pc.cast(pc.utf8_slice_codeunits(plain, 8, 10), pa.int64())
    real = pc.fill_null(pc.equal(pc.day(faces), day), False)  # 30 February is read as 2 March
    known = _flags(good) & _flags(real) & (hours <= 14) & (minutes < 60)
    found = np.nan_to_num(seconds).astype(np.int64) - np.where(west, -offset, offset)
    return np.where(known, found, _NO_TIME)


def _numbers(texts: pa.Array) -> npt.NDArray[np.float64]:
    good = pc.match_substring_regex(texts, _NUMBER)
    found: npt.NDArray[np.float64] = pc.cast(
        pc.if_else(good, texts, "nan"), pa.float64()
    ).to_numpy()
    return found


def _codes(texts: pa.Array, names: tuple[str, ...]) -> Ints:
    codes = pc.index_in(texts, pa.array(names)).fill_null(len(names) - 1)
    found: Ints = codes.to_numpy().astype(np.int64)
    return found


def _flags(values: pa.Array) -> Flags:
    found: Flags = values.to_numpy(zero_copy_only=False).astype(np.bool_)
    return found


def offsets_of(minute: Ints, named: list[tuple[int, str]], home: Ints) -> Ints:
    """The UTC offset in seconds at each minute: `home`, unless a record of the day before, or of
    that minute, names a zone."""
    if not named:
        return home
    at = np.array([second // 60 for second, _ in named])
    last = np.searchsorted(at, minute, side="right") - 1
    holds = (last >= 0) & (minute - at[last] <= DAY // 60)
    found = home.copy()
    for one in np.flatnonzero(holds).tolist():
        found[one] = _offset(int(minute[one]) // 30, named[last[one]][1])
    return found


@lru_cache(maxsize=65_536)
def _offset(half_hour: int, zone: str) -> int:
    offset = datetime.fromtimestamp(half_hour * 1800, ZoneInfo(zone)).utcoffset()
    return int((offset or timedelta()).total_seconds())
