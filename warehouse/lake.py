"""The lake: raw replies as they came, and landed rows in Parquet, behind a path or URL.

Where day rows lie is in warehouse/day_files.py. A file has a deterministic name, is written aside
and moved into place, so that a reader sees the old one or the new one. Who lands a batch holds its
lock (`days_lease`), so that no two writers meet in a file.
"""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from pathlib import Path
from types import MappingProxyType
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.fs
import pyarrow.parquet as pq

from warehouse.day_files import FOLDER, among, date_of, day_path, keys_of, month_path, over_months
from warehouse.newest import is_mended, is_newer, key_of, one_per_key
from warehouse.schema import Table
from warehouse.tables.landed import activity_day

ZSTD_LEVEL = 3  # higher levels gain a few percent at several times the cost
DAY_LEVEL = 6  # of day rows, which are written once or a few times and read every full build
PACKED_ROWS = 4096  # in a row group, which is read at a time: bounds memory
CHUNK = 1 << 20
PACKED = (b"PK\x03\x04", b"\x1f\x8b", b"\x28\xb5\x2f\xfd")  # zip, gzip and zstd begin so
_UNLIKE = ("row_hash", "raw_sha256")  # no two are alike: a dictionary of them is only larger
_DAY_LISTS = [c.name for c in activity_day.columns if c.type.arrow == pa.list_(pa.uint16())]
# Byte by byte is what zstd makes most of: minutes a fifth smaller than by DELTA_BINARY_PACKED,
# counts as small as by dictionary, and faster to read than either.
_DAY_ENCODINGS = {f"{name}.list.element": "BYTE_STREAM_SPLIT" for name in _DAY_LISTS}


@dataclass(frozen=True)
class LakeFile:
    """One file of the lake: the ledger of what a build was made from is a list of these."""

    path: str
    size: int
    modified_ns: int


@dataclass(frozen=True)
class Change:
    """A row that came or changed; `before` is None for a new one. Both hold the small columns."""

    before: dict[str, Any] | None
    after: dict[str, Any]


@dataclass(frozen=True)
class Merge:
    """What merging rows did: the rows that changed, and how many were already there."""

    changes: list[Change]
    same: int
    removed: int = 0

    @property
    def new(self) -> int:
        return sum(change.before is None for change in self.changes)

    @property
    def changed(self) -> int:
        return len(self.changes) - self.new


BeforeWrite = Callable[[list[Change]], None]


class Lake:
    """The lake at `url`: a folder, file:// or s3:// URL."""

    def __init__(self, url: str) -> None:
        if "://" in url:
            self._fs, self._base = pyarrow.fs.FileSystem.from_uri(url)
        else:
            self._fs, self._base = pyarrow.fs.LocalFileSystem(), os.path.abspath(url)
            # Raw replies and sessions tell the arms: the lake is its owner's alone.
            Path(self._base).mkdir(mode=0o700, parents=True, exist_ok=True)

    # Raw replies

    def keep_raw(
        self, source: str, fetched_at: datetime, name: str, body: bytes, anew: bool = False
    ) -> str:
        """Keep a bundle of raw replies, compressed; returns its path. What has the name already
        stays, unless it is to be written `anew`."""
        path = f"raw/source={source}/on={fetched_at:%Y-%m-%d}/{name}.zst"
        if anew or not self._exists(path):
            codec = pa.Codec("zstd", compression_level=ZSTD_LEVEL)
            self._put(path, codec.compress(body, asbytes=True))
        return path

    def raw(
        self, source: str, wanted: Callable[[str], bool] = lambda path: True
    ) -> Iterator[tuple[str, bytes]]:
        """Each bundle of a source whose path is wanted as (path, content), oldest first."""
        for file in filter(lambda file: wanted(file.path), self.files(f"raw/source={source}")):
            with self._fs.open_input_stream(self._full(file.path), compression="zstd") as stream:
                yield file.path, stream.read()

    def keep_raw_file(self, source: str, sha256: str, content: BinaryIO) -> str:
        """Keep a large raw reply by itself, whatever its size; returns its path.

        Streamed, and compressed unless it is packed already. It is kept once, by its hash.
        """
        first = content.read(4)
        packed = first.startswith(PACKED)
        path = f"raw_file/source={source}/{sha256}{'' if packed else '.zst'}"
        if not self._exists(path):
            with (
                self._writing(path) as sink,
                sink if packed else pa.CompressedOutputStream(sink, "zstd") as out,
            ):
                out.write(first)
                shutil.copyfileobj(content, out, CHUNK)
        return path

    def copy_raw_file(self, path: str, target: Path) -> None:
        """Write a large raw reply, as it came, to a file of this machine."""
        compression = "zstd" if path.endswith(".zst") else None
        with (
            self._fs.open_input_stream(self._full(path), compression=compression) as stream,
            target.open("wb") as file,
        ):
            shutil.copyfileobj(stream, file, CHUNK)

    # Day rows

    def merge_days(
        self, source: str, bucket: str, days: pa.Table, before_write: BeforeWrite | None = None
    ) -> Merge:
        """Land activity_day rows of one batch: the newest fetch of a day wins, same facts stay.

        Rows of other participants in the same files are kept as they are. `before_write` is given
        the changes of a file before it is written, so that a record of them cannot be missed.
        """
        changes: list[Change] = []
        same = 0
        packed = self._packed(source, bucket, days)
        for on in sorted(set(days["activity_date"].to_pylist())):
            rows = days.filter(pc.equal(days["activity_date"], pa.scalar(on, pa.date32())))
            path = day_path(source, on, bucket)
            merge = self._merge(activity_day, path, rows, before_write, packed=packed)
            changes += merge.changes
            same += merge.same
        return Merge(changes, same)

    def day_files(self) -> list[LakeFile]:
        """Every file of day rows."""
        return self.files(FOLDER)

    def read_days(self, path: str, columns: list[str] | None = None) -> pa.Table:
        """The day rows of one file, whether they hold or not."""
        return self._read(path, columns)

    def opened(self, path: str) -> Any:
        """A file of the lake to read from; FileNotFoundError where there is none."""
        return self._fs.open_input_file(self._full(path))

    def days(
        self, paths: Iterable[str], files: Iterable[LakeFile], columns: list[str] | None = None
    ) -> Iterator[tuple[str, pa.Table]]:
        """The rows of `paths` that hold, as (path, rows), a row group at a time.

        `files` is the state of the lake: where a date's file of it has a day, the month's row of
        that day is left out. `columns` must name the key.
        """
        over = over_months(file.path for file in files)
        for path in paths:
            with self._fs.open_input_file(self._full(path)) as stream:
                file = pq.ParquetFile(stream)
                dates = [one for one in over.get(path, []) if date_of(one) <= _last_date(file)]
                told = [keys_of(self._read(one, list(activity_day.key))) for one in dates]
                for group in range(file.num_row_groups):
                    rows = file.read_row_group(group, columns, use_threads=False)
                    yield path, among(rows, pa.concat_arrays(told), False) if told else rows

    def write_days(self, path: str, rows: pa.Table) -> None:
        """Put day rows in the place of a file, sorted by participant and day."""
        self.write_rows(activity_day, path, rows)

    def write_rows(self, table: Table, path: str, rows: pa.Table) -> None:
        """Put rows in the place of a file, sorted by their key."""
        self._write(table, path, rows.sort_by(_ascending(table)))

    def clear_aside(self, path: str) -> None:
        """Remove what a killed writer left beside a file that nobody else writes to now."""
        for left in Path(self._full(path)).parent.glob(".*.tmp"):
            left.unlink()

    def delete(self, path: str) -> None:
        """Take a file out of the lake."""
        self._fs.delete_file(self._full(path))

    # Small tables

    def merge_rows(
        self,
        table: Table,
        source: str,
        bucket: str,
        rows: pa.Table,
        whole_of: Collection[str] = (),
        as_of: datetime | None = None,
    ) -> Merge:
        """Land rows of a small table (response, treatment_session, goal) of one batch.

        Where `rows` are all that the source has, at `as_of`, of the participants in `whole_of`,
        their stored rows of an older word that are not among them were withdrawn, and are removed;
        and where a newer word on a participant has landed already, this one is passed over.
        """
        path = f"{table.name}/source={source}/bucket={bucket}.parquet"
        gone: set[tuple[Any, ...]] = set()
        if whole_of and as_of and self._exists(path):
            rows, gone = self._withdrawn(table, path, rows, set(whole_of), as_of)
        merge = self._merge(table, path, rows, gone=gone)
        return Merge(merge.changes, merge.same, len(gone))

    def read_rows(self, table: Table) -> pa.Table:
        """All rows of a small table.

        Where its key has no source (goal), a participant's rows are those of one: of the first
        source by name that has any, which is REDCap before a table that somebody imported.
        """
        found = table.arrow.empty_table()
        for _, files in groupby(self.files(table.name), lambda file: file.path.split("/")[1]):
            rows = pa.concat_tables([self._read(file.path) for file in files])
            if "source" not in table.key:
                told = found["participant_id"].combine_chunks()
                rows = rows.filter(pc.invert(pc.is_in(rows["participant_id"], told)))
            found = pa.concat_tables([found, rows])
        return found

    # Files

    def files(self, folder: str) -> list[LakeFile]:
        """Every finished file below a folder, by path."""
        selector = pyarrow.fs.FileSelector(self._full(folder), recursive=True, allow_not_found=True)
        found = [
            LakeFile(os.path.relpath(info.path, self._base), info.size, info.mtime_ns or 0)
            for info in self._fs.get_file_info(selector)
            if info.is_file and not info.base_name.startswith(".")
        ]
        return sorted(found, key=lambda file: file.path)

    def _withdrawn(
        self, table: Table, path: str, rows: pa.Table, whole_of: set[str], as_of: datetime
    ) -> tuple[pa.Table, set[tuple[Any, ...]]]:
        """The rows still to land, and the keys of those that the source no longer has."""
        stored = self._read(path, [*table.key, "fetched_at"]).to_pylist()
        newer = {
            row["participant_id"]
            for row in stored
            if row["participant_id"] in whole_of and row["fetched_at"] > as_of
        }
        told = {key_of(table, row) for row in rows.select(list(table.key)).to_pylist()}
        mine = (row for row in stored if row["participant_id"] in whole_of - newer)
        gone = {key_of(table, row) for row in mine} - told
        passed = pc.is_in(rows["participant_id"], pa.array(sorted(newer), pa.string()))
        return rows.filter(pc.invert(passed)), gone

    def _merge(
        self,
        table: Table,
        path: str,
        rows: pa.Table,
        before_write: BeforeWrite | None = None,
        gone: Collection[tuple[Any, ...]] = (),
        packed: Mapping[tuple[Any, ...], dict[str, Any]] = MappingProxyType({}),
    ) -> Merge:
        """Land the newer of `rows` and remove those of the keys `gone`, in one write.

        `packed` are stored rows of another file, which those in the file at `path` override.
        """
        rows, small = one_per_key(table, rows), _small(table)
        old = self._read(path) if self._exists(path) else table.arrow.empty_table()
        before = {key_of(table, row): row for row in old.select(small).to_pylist()}
        known = {**packed, **before}
        newer = [
            (index, row, known.get(key_of(table, row)))
            for index, row in enumerate(rows.select(small).to_pylist())
            if is_newer(row, known.get(key_of(table, row)))
            or is_mended(row, known.get(key_of(table, row)))
        ]
        changes = [
            Change(stored, row)
            for _, row, stored in newer
            if stored is None or stored["row_hash"] != row["row_hash"]
        ]
        if changes and before_write:
            before_write(changes)
        if newer or gone:  # even the same facts: a later word must outlive an earlier other one
            replaced = {key_of(table, row) for _, row, _ in newer} | set(gone)
            keep = [n for n, key in enumerate(before) if key not in replaced]
            taken = rows.take(pa.array([index for index, _, _ in newer], pa.int64()))
            merged = pa.concat_tables([old.take(pa.array(keep, pa.int64())), taken])
            self._write(table, path, merged.sort_by(_ascending(table)))
        return Merge(changes, rows.num_rows - len(changes))

    def _packed(
        self, source: str, bucket: str, days: pa.Table
    ) -> dict[tuple[Any, ...], dict[str, Any]]:
        """What the months' files say of the participants and dates of `days`, by key."""
        people, dates = (pc.unique(days[name]) for name in ("participant_id", "activity_date"))
        wanted = pc.field("participant_id").isin(people) & pc.field("activity_date").isin(dates)
        found: dict[tuple[Any, ...], dict[str, Any]] = {}
        for path in {month_path(source, on, bucket) for on in dates.to_pylist()}:
            if self._exists(path):
                rows = pq.read_table(
                    self._full(path), columns=_small(activity_day), filters=wanted,
                    filesystem=self._fs, partitioning=None,
                )  # fmt: skip
                found |= {key_of(activity_day, row): row for row in rows.to_pylist()}
        return found

    def _write(self, table: Table, path: str, rows: pa.Table) -> None:
        of_days = table is activity_day
        sink = pa.BufferOutputStream()
        pq.write_table(
            rows,
            sink,
            compression="zstd",
            compression_level=DAY_LEVEL if of_days else ZSTD_LEVEL,
            row_group_size=PACKED_ROWS if of_days else None,
            use_dictionary=[name for name in _small(table) if name not in _UNLIKE],
            column_encoding=_DAY_ENCODINGS if of_days else None,
            write_statistics=list(table.key),  # the rest would be most of a small file
            store_schema=not of_days,
        )
        self._put(path, sink.getvalue().to_pybytes())

    def _read(self, path: str, columns: list[str] | None = None) -> pa.Table:
        with self._fs.open_input_file(self._full(path)) as file:
            return pq.ParquetFile(file).read(columns=columns)

    def _put(self, path: str, body: bytes) -> None:
        with self._writing(path) as sink:
            sink.write(body)

    @contextmanager
    def _writing(self, path: str) -> Iterator[Any]:
        """A file of the lake to write, which appears whole or not at all."""
        full = self._full(path)
        if not isinstance(self._fs, pyarrow.fs.LocalFileSystem):
            with self._fs.open_output_stream(full) as stream:  # an object appears whole
                yield stream
            return
        target = Path(full)
        target.parent.mkdir(parents=True, exist_ok=True)
        aside = target.with_name(f".{uuid.uuid4().hex}.tmp")
        try:
            with open(aside, "wb") as file:
                yield file
            with open(aside, "rb") as file:  # a compressor closes what it wrote to
                os.fsync(file.fileno())
            os.replace(aside, target)
        finally:
            aside.unlink(missing_ok=True)

    def _exists(self, path: str) -> bool:
        info = self._fs.get_file_info(self._full(path))
        return bool(info.is_file)

    def _full(self, path: str) -> str:
        return f"{self._base}/{path}"


def days_lease(source: str, bucket: str) -> str:
    """Name of the lock on the day files of a batch."""
    return f"days {source} {bucket}"


def _ascending(table: Table) -> list[tuple[str, str]]:
    return [(name, "ascending") for name in table.key]


def _last_date(file: pq.ParquetFile) -> date:
    column = activity_day.names.index("activity_date")
    groups = [file.metadata.row_group(n).column(column) for n in range(file.num_row_groups)]
    last: date = max(group.statistics.max for group in groups)
    return last


def _small(table: Table) -> list[str]:
    """The columns that tell one word from another: all but the lists of minutes."""
    return [c.name for c in table.columns if c.name not in _DAY_LISTS]
