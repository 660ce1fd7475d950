"""Feeds a source's `read` damaged replies: it yields valid rows or raises its own typed error.

A case is a source and a number, always the same. To see one again:

    PYTHONPATH=tests python -m support.fuzz google_health 1234
"""

from __future__ import annotations

import importlib
import resource
import signal
import sys
import traceback
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
from support.mutations import CANARY, Rng, damaged, one_of

from ingestion.errors import SourceError
from ingestion.landing import days_table, fact_hash
from ingestion.source import ActivityDay, Ask, Count, Reading, Reply, Source
from warehouse.schema import Table, table_of
from warehouse.tables import landed

SECONDS = 60  # of one case: a guard against reading for ever, not a measure of speed
MEMORY = 3 << 30  # bytes more than when a run began
SMALL = {
    table.name: table
    for table in (landed.response, landed.treatment_session, landed.goal, landed.participant)
}
TABLES = {landed.activity_day.name: landed.activity_day, **SMALL}
PARTIAL_WORDS = ("study_team",)  # a roster entry speaks of its own fields; landing joins them
SEVERAL_WORDS = ("apple_health", "redcap_export")  # read each export by itself; landing joins them


@dataclass(frozen=True)
class Seed:
    """Good replies, and what was asked; `read` makes rows of them. Of a source of files also the
    files themselves, by their path, that `fetch` makes such replies of."""

    replies: tuple[Reply, ...]
    ask: Ask
    files: tuple[tuple[str, bytes], ...] = ()


class Checked:
    """Rows of many cases, checked by their tables' own rules, all at once."""

    def __init__(self, source: str = "") -> None:
        """Of SEVERAL_WORDS rows of one key are several words on it, of which landing keeps one."""
        self._newest, self._partial = source in SEVERAL_WORDS, source in PARTIAL_WORDS
        self._rows: dict[str, list[pa.Table]] = {}

    def add(self, reading: Reading, case: int) -> None:
        """Type the rows of a case and check what no rule of a table says."""
        check_counts(reading)
        for day in reading.days:
            check_day(day)
        tables = {"activity_day": days_table(reading.days)} if reading.days else {}
        for name, rows in ((name, rows) for name, rows in reading.rows.items() if rows):
            if name == "participant" and self._partial:
                rows = _joined(rows)
            tables[name] = table_of(SMALL[name], list(_hashed(SMALL[name], rows)))
        for name, table in tables.items():
            if self._newest and "fetched_at" in table.column_names:
                table = _newest(table, TABLES[name].key)
            ids = [f"{case} {one}" for one in table["participant_id"].to_pylist()]
            at = table.schema.get_field_index("participant_id")
            self._rows.setdefault(name, []).append(table.set_column(at, "participant_id", [ids]))

    def failures(self) -> list[str]:
        """Every broken rule of a table, with the cases that break it."""
        with duckdb.connect() as con:
            return [
                fault
                for table in (landed.activity_day, *SMALL.values())
                if table.name in self._rows
                for fault in _broken(con, table, self._rows[table.name])
            ]


def source_of(name: str) -> Source:
    """The source of that name, whatever state the others are in."""
    source: Source = importlib.import_module(f"ingestion.sources.{name}").SOURCE
    return source


def check_counts(reading: Reading) -> None:
    """Rows received are rows landed and rows rejected, none of them below nothing."""
    named: list[tuple[str, Count]] = [*reading.counts.items()]
    named += [pair for counts in reading.counts_of.values() for pair in counts.items()]
    for name, count in named:
        parts = (count.received, count.landed, *count.rejections.values())
        assert min(parts) >= 0, f"{name}: {count}"
        assert count.received == count.landed + count.rejected, f"{name}: {count}"


def check_day(day: ActivityDay) -> None:
    """Minutes lie within the day, ascending, each once; so do the runs of wear."""
    where = f"{day.activity_date}: "
    minutes, counts = (_plain(values) for values in (day.step_minute, day.step_count))
    starts, lengths = (_plain(values) for values in (day.wear_start, day.wear_length))
    assert minutes.size == counts.size, where + "step lists differ in length"
    assert starts.size == lengths.size, where + "wear lists differ in length"
    assert (np.diff(minutes) > 0).all(), where + "step minutes do not ascend"
    assert (counts > 0).all(), where + "a minute without steps is listed"
    assert (minutes < day.day_minutes).all(), where + f"a minute beyond {day.day_minutes}"
    assert (lengths > 0).all(), where + "a run of nothing"
    assert (starts[1:] > starts[:-1] + lengths[:-1]).all(), where + "wear runs touch or overlap"
    assert (starts + lengths <= day.day_minutes).all(), where + f"wear beyond {day.day_minutes}"
    assert day.vendor_steps is None or 0 <= day.vendor_steps < 2**31, where + "total"
    assert day.day_start_at.tzinfo is not None, where + "a start without a zone"
    assert day.raw_sha256, where + "no raw reply is named"


def run_cases(source: str, seeds: Sequence[Seed], cases: Iterable[int]) -> list[str]:
    """What went wrong, in words, with the command that shows a case again."""
    checked, wrong = Checked(source), []
    with _bounded():
        for case in cases:
            try:
                reading = read_case(source, seeds, case)
                if reading is not None:
                    checked.add(reading, case)
            except Exception as error:
                last = traceback.extract_tb(error.__traceback__)[-1]
                what = f"{type(error).__name__}: {str(error)[:200]} ({last.name}:{last.lineno})"
                wrong.append(f"{what}\n    {command(source, case)}")
    return wrong + [f"{source}: {fault}" for fault in checked.failures()]


def read_case(source: str, seeds: Sequence[Seed], case: int) -> Reading | None:
    """The reading of a case; None where it ended in the source's own typed error."""
    signal.alarm(SECONDS)
    try:
        replies, ask = replies_of(source, seeds, case)
        return source_of(source).read(replies, ask)
    except SourceError as error:
        if CANARY in str(error):
            raise AssertionError("an error quotes a value") from error
        return None
    finally:
        signal.alarm(0)


def replies_of(source: str, seeds: Sequence[Seed], case: int) -> tuple[list[Reply], Ask]:
    """The damaged replies of a case, or what `fetch` makes of damaged files; raises SourceError."""
    rng = np.random.default_rng([zlib.crc32(source.encode()), case])
    seed = one_of(rng, [*seeds])
    if seed.files and rng.random() < 0.5:
        return _fetched(source, seed, rng), seed.ask
    replies = [_whole(reply) for reply in seed.replies]
    for _ in range(one_of(rng, [1, 1, 1, 2, 3])):
        at = int(rng.integers(len(replies)))
        replies[at] = replace(replies[at], body=damaged(replies[at].body, rng))
    return _shuffled(replies, rng), seed.ask


def _fetched(source: str, seed: Seed, rng: Rng) -> list[Reply]:
    files = dict(seed.files)
    for _ in range(one_of(rng, [1, 1, 2])):
        name = one_of(rng, [*files])
        files[name] = damaged(files[name], rng)
    with TemporaryDirectory() as place:
        folder = write_files(Path(place) / "given", files)
        return [_whole(reply) for reply in source_of(source).fetch(folder, seed.ask)]


def write_files(folder: Path, files: dict[str, bytes]) -> Path:
    """The folder, made, with these files by their paths."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def command(source: str, case: int) -> str:
    return f"PYTHONPATH=tests python -m support.fuzz {source} {case}"


def _whole(reply: Reply) -> Reply:
    with reply.open() as content:
        return replace(reply, body=content.read(), file=None)


def _shuffled(replies: list[Reply], rng: Rng) -> list[Reply]:
    """Some replies lacking, twice, in each other's place, in any order."""
    kind = rng.random()
    if kind < 0.1 and len(replies) > 1:
        del replies[int(rng.integers(len(replies)))]
    elif kind < 0.2:
        replies.append(one_of(rng, replies))
    elif kind < 0.25:
        one, other = (int(n) for n in rng.integers(0, len(replies), 2))
        bodies = replies[one].body, replies[other].body
        replies[one] = replace(replies[one], body=bodies[1])
        replies[other] = replace(replies[other], body=bodies[0])
    return [replies[int(n)] for n in rng.permutation(len(replies))]


def _plain(values: Any) -> np.ndarray:
    array = np.asarray(values)
    assert array.dtype == np.uint16, f"minutes are kept as {array.dtype}"
    return array.astype(np.int64)


def _joined(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """One row a participant: each word may speak of some fields alone, and the later holds."""
    joined: dict[object, dict[str, Any]] = {}
    for row in rows:
        joined.setdefault(row["participant_id"], dict(_ENROLLED)).update(row)
    return list(joined.values())


_ENROLLED: dict[str, Any] = {
    "site": "haifa", "timezone": "Asia/Jerusalem", "enrolled_on": date(2026, 1, 5),
    "starts_on": date(2026, 1, 6),
}  # fmt: skip


def _newest(table: pa.Table, key: Sequence[str]) -> pa.Table:
    """One row of each key, the newest word, as landing takes it (warehouse.lake)."""
    ordered = table.sort_by([("fetched_at", "ascending")])
    places = {tuple(row.values()): n for n, row in enumerate(ordered.select(key).to_pylist())}
    return ordered.take(sorted(places.values()))


def _hashed(table: Table, rows: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for row in rows:
        kept = {name: value for name, value in row.items() if name in table.names}
        if table is landed.participant:
            kept["timezone"] = kept.get("timezone") or "UTC"  # landing takes the site's
        hashed = {"row_hash": fact_hash(row.values())} if "row_hash" in table.names else {}
        yield kept | hashed


def _broken(
    con: duckdb.DuckDBPyConnection, table: Table, cases: Sequence[pa.Table]
) -> Iterator[str]:
    if not _failures(con, table, pa.concat_tables(cases)):
        return
    for rows in cases:
        for sentence, count in _failures(con, table, rows):
            case = rows["participant_id"][0].as_py().split()[0]
            yield f"{count} rows of case {case} break: {sentence}"


def _failures(
    con: duckdb.DuckDBPyConnection, table: Table, rows: pa.Table
) -> list[tuple[str, int]]:
    con.execute(f"DROP TABLE IF EXISTS {table.full_name}")
    table.create(con)
    con.register("given", rows)
    names = ", ".join(f'"{name}"' for name in table.names)
    con.execute(f"INSERT INTO {table.full_name} SELECT {names} FROM given")
    return table.failures(con)


def _out_of_time(*_: object) -> None:
    raise TimeoutError(f"one case reads for more than {SECONDS} s")


@contextmanager
def _bounded() -> Iterator[None]:
    """No more than some memory and time, for this process, until the end of the block."""
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    before = resource.getrlimit(resource.RLIMIT_AS)
    handler = signal.signal(signal.SIGALRM, _out_of_time)
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)
        signal.signal(signal.SIGALRM, handler)


if __name__ == "__main__":
    from support.fuzz_seeds import seeds_of

    name, number = sys.argv[1], int(sys.argv[2])
    given, asked = replies_of(name, seeds_of(name), number)
    for one in given:
        print(one.data_type, one.request, one.body[:2000])
    found = source_of(name).read(given, asked)
    checks = Checked(name)
    checks.add(found, number)
    print(found, *checks.failures(), sep="\n")
