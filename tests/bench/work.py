"""The work that is measured: one case to a process, so that its peak memory is its own.

`python work.py CASE FOLDER PARTICIPANTS DAYS` prints one line of JSON: seconds (of the processor,
all threads; by the clock where somebody waits for an answer), peak_mib, load, and what it found. A
case runs on one thread, builds and queries on DuckDB's, and imports what it needs itself: none pays
for another's libraries.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import Any

Found = dict[str, Any]
AGAIN_BELOW = 5.0  # seconds: shorter work is run again, after a first run that loads its code
SPENT, MOST_RUNS = 0.4, 25
QUERIES = 40


@dataclass(frozen=True)
class Bench:
    """Where a case's data lies, and how much of it there is."""

    folder: Path
    participants: int
    days: int

    @property
    def narrow(self) -> Path:
        return self.folder / "narrow.parquet"


def timed(work: Callable[[], Found]) -> Found:
    """What `work` found, and its seconds: the median of several runs where it is short."""
    seconds, found = _clocked(work)
    took: list[float] = []
    while seconds < AGAIN_BELOW and sum(took) < SPENT and len(took) < MOST_RUNS:
        took.append(_clocked(work)[0])
    return {"seconds": median(took or [seconds]), **found}


def _seconds(ask: Callable[[str], Any], who: str) -> float:
    begun = time.perf_counter()
    ask(who)
    return time.perf_counter() - begun


def _clocked(work: Callable[[], Found]) -> tuple[float, Found]:
    begun = time.process_time()  # neighbours on the machine weigh less on it than on the clock
    found = work()
    return time.process_time() - begun, found


# 1. Raw Google bodies


def make_google(bench: Bench) -> Found:
    """The bodies, as files; and how much they are."""
    from synthetic import GOOGLE_PAGE, write_google

    write_google(bench.folder, bench.participants, -(-bench.days // 7))
    sizes = [file.stat().st_size for file in bench.folder.iterdir()]
    return {"points": GOOGLE_PAGE * len(sizes), "bytes": sum(sizes)}


def google_decode(bench: Bench) -> Found:
    """msgspec alone, into the structs that the source uses."""
    from ingestion.sources._google_bodies import Points, decode

    bodies = [body for pages in _google_pages(bench).values() for body in pages]

    def work() -> Found:
        return {"points": sum(len(decode(body, Points).data_points) for body in bodies)}

    return timed(work)


def google_read(bench: Bench) -> Found:
    """SOURCE.read: bodies to activity days, hashed, checked and counted."""
    read = _google_reader(bench)

    def work() -> Found:
        days, points = read()
        return {"points": points, "steps": sum(int(d.step_count.sum(dtype="i8")) for d in days)}

    return timed(work)


def google_landed(bench: Bench) -> Found:
    """The same, and the day rows as the Arrow table that is landed."""
    from ingestion.landing import days_table

    read = _google_reader(bench)

    def work() -> Found:
        days, points = read()
        return {"points": points, "steps": sum(days_table(days)["steps"].to_pylist())}

    return timed(work)


def google_pandas(bench: Bench) -> Found:
    """json, one DataFrame a participant, pandas.to_datetime, steps by local day and minute."""
    import pandas
    from rivals import pandas_days

    assert pandas.__version__  # loaded here: loading it is not the work
    pages = _google_pages(bench)

    def work() -> Found:
        found = [pandas_days(bodies) for bodies in pages.values()]
        return {"points": sum(n for n, _ in found), "steps": sum(steps for _, steps in found)}

    return timed(work)


def google_polars(bench: Bench) -> Found:
    """json, one polars frame a participant, str.to_datetime, steps by local day and minute."""
    import polars
    from rivals import polars_days

    assert polars.__version__
    pages = _google_pages(bench)

    def work() -> Found:
        found = [polars_days(bodies) for bodies in pages.values()]
        return {"points": sum(n for n, _ in found), "steps": sum(steps for _, steps in found)}

    return timed(work)


def _google_pages(bench: Bench) -> dict[str, list[bytes]]:
    pages: dict[str, list[bytes]] = {}
    for file in sorted(bench.folder.iterdir()):
        pages.setdefault(file.name.split("_")[0], []).append(file.read_bytes())
    return pages


def _google_reader(bench: Bench) -> Callable[[], tuple[list[Any], int]]:
    from datetime import UTC, datetime

    from ingestion.source import Ask, Reply
    from ingestion.sources.google_health import SOURCE
    from warehouse.study import EXAMPLE, read_study

    study, now = read_study(EXAMPLE), datetime(2026, 11, 22, tzinfo=UTC)
    told = {
        who: [Reply("", who, "steps", str(n), now, 200, "", body) for n, body in enumerate(pages)]
        for who, pages in _google_pages(bench).items()
    }
    for replies in told.values():  # a pull has kept its replies by their hash before it reads them
        assert all(reply.sha256 for reply in replies)

    def read() -> tuple[list[Any], int]:
        days, points = [], 0
        for who, replies in told.items():
            reading = SOURCE.read(replies, Ask(study, now, who, "UTC"))
            days += reading.days
            points += reading.counts["steps"].received
        return days, points

    return read


# 2. Minutes to day metrics, and 3. their storage


def make_study(bench: Bench) -> Found:
    """The study home; what compacting it took; and how many bytes its minutes take."""
    from synthetic import morning_after, open_home, write_study

    from warehouse.compaction import compact

    write_study(bench.folder, bench.participants, bench.days)
    store = open_home(bench.folder)
    landed = store.lake.day_files()
    begun = time.process_time()
    compact(store, morning_after(bench.days - 1))
    seconds = time.process_time() - begun
    files = store.lake.day_files()
    store.register.close()
    return {
        "seconds": seconds,
        "small_files": len(landed),
        "small_bytes": sum(file.size for file in landed),
        "files": len(files),
        "landed_bytes": sum(file.size for file in files),
        "month_bytes": sum(file.size for file in files if "/month=" in file.path),
        "narrow_bytes": bench.narrow.stat().st_size,
    }


def bare_scan(bench: Bench) -> Found:
    """DuckDB on one thread: the sum of the steps of the same minutes, a row each."""
    import duckdb

    con = duckdb.connect(config={"threads": 1})

    def work() -> Found:
        query = "SELECT sum(steps) FROM read_parquet($path)"
        return {"steps": int(con.execute(query, {"path": str(bench.narrow)}).fetchall()[0][0])}

    return timed(work)


def landed_metrics(bench: Bench) -> Found:
    """The landed files as upkeep leaves them, read as a build reads them, through the kernel."""
    return _metrics(bench, "")


def landed_day(bench: Bench) -> Found:
    """The same of the last day alone."""
    return _metrics(bench, f"/date={_day_name(bench)}/")


def _day_name(bench: Bench) -> str:
    from synthetic import FIRST_DAY

    return f"{FIRST_DAY + timedelta(days=bench.days - 1):%Y-%m-%d}"


def _metrics(bench: Bench, part_of_path: str) -> Found:
    import pyarrow as pa
    from rivals import CHECKED
    from synthetic import open_home

    from transforms.activity.kernel import compute_day_metrics
    from transforms.build import FACTS, KERNEL_ROWS, in_parts

    store = open_home(bench.folder)

    def work() -> Found:
        files = store.lake.day_files()
        paths = [file.path for file in files if part_of_path in file.path]
        sums: dict[str, int] = dict.fromkeys(CHECKED, 0)
        for held in in_parts(store.lake.days(paths, files, FACTS), KERNEL_ROWS):
            done = compute_day_metrics(pa.concat_tables(held), store.study.wear)
            for name in CHECKED:
                sums[name] += int(done[name].to_numpy().sum(dtype="i8"))
        return {"metrics": sums}

    return timed(work)


def pandas_metrics(bench: Bench) -> Found:
    """pandas, vectorised: what it can do on the few minutes with steps it does on those alone."""
    import pandas
    from rivals import pandas_metrics as compute

    assert pandas.__version__  # loaded here: loading it is not the work
    return timed(lambda: {"metrics": compute(bench.narrow, None)})


def pandas_day(bench: Bench) -> Found:
    """The same of the last day alone."""
    from rivals import pandas_metrics as compute

    return timed(lambda: {"metrics": compute(bench.narrow, bench.days - 1)})


def polars_metrics(bench: Bench) -> Found:
    """polars, lazily, one pass over the narrow file."""
    import polars
    from rivals import polars_metrics as compute

    assert polars.__version__  # loaded here: loading it is not the work
    return timed(lambda: {"metrics": compute(bench.narrow, None)})


def polars_day(bench: Bench) -> Found:
    """The same of the last day alone."""
    from rivals import polars_metrics as compute

    return timed(lambda: {"metrics": compute(bench.narrow, bench.days - 1)})


# 4. Building, and 5. asking what was built


def build_full(bench: Bench) -> Found:
    """A build that takes nothing from the last one."""
    from synthetic import open_home

    store = open_home(bench.folder)
    return _build(store, _days_landed(store), full=True)


def build_day(bench: Bench) -> Found:
    """One new day for everybody: landed (timed apart), then built."""
    from synthetic import SOURCE, date_tables, know_through, open_home

    store = open_home(bench.folder)
    number = _days_landed(store)
    tables = list(date_tables(store, bench.participants, number))
    begun = time.process_time()
    for batch, rows in tables:
        store.lake.merge_days(SOURCE, batch, rows)
    landing = time.process_time() - begun
    know_through(store, bench.participants, number, number + 1)
    return {"landing": landing, **_build(store, number + 1, full=False)}


def _days_landed(store: Any) -> int:
    import sqlalchemy as sa

    from warehouse import register as reg

    return len(store.register.rows(sa.select(reg.receipt.c.first_on).distinct()))


def _build(store: Any, days: int, full: bool) -> Found:
    from synthetic import morning_after

    from transforms.build import build_warehouse

    begun = time.process_time()
    built = build_warehouse(store, morning_after(days - 1), full)
    seconds = time.process_time() - begun
    return {"seconds": seconds, "computed": built.days_computed, "reused": built.days_reused}


def published(bench: Bench) -> Found:
    """Questions of the dashboard to the masked file, in turn; each time of each."""
    from synthetic import names, open_home

    from dashboard import queries
    from warehouse.publish import open_published, stable_path

    con = open_published(stable_path(open_home(bench.folder).home))
    people, cohort = names(bench.participants), queries.Cohort()
    asked: dict[str, Callable[[str], Any]] = {
        "bare scan": lambda _: con.sql("SELECT sum(steps) FROM participant_day").fetchall(),
        "key figures": lambda _: queries.key_figures(con, cohort),
        "days by state": lambda _: queries.days_by_state(con, cohort),
        "participants": lambda _: queries.participants(con, cohort),
        "weeks": lambda _: queries.weeks(con, cohort),
        "day grid": lambda _: queries.day_grid(con, cohort),
        "timeline": lambda who: queries.days(con, who),
    }
    took: dict[str, list[float]] = {name: [] for name in asked}
    for number in range(QUERIES + 1):
        who = people[number * 37 % len(people)]
        for name, ask in asked.items():
            took[name].append(_seconds(ask, who))
    return {"took": {name: times[1:] for name, times in took.items()}}  # the first one loads


CASES = {
    case.__name__: case
    for case in (
        make_google, google_decode, google_read, google_landed, google_pandas, google_polars,
        make_study, bare_scan, landed_metrics, landed_day, pandas_metrics, pandas_day,
        polars_metrics, polars_day, build_full, build_day, published,
    )
}  # fmt: skip


def peak_mib() -> float:
    """The most memory this process ever held (getrusage would count the parent's too)."""
    for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("this system does not tell a process's peak memory")


def main() -> None:
    name, folder, participants, days = sys.argv[1:]
    found = CASES[name](Bench(Path(folder), int(participants), int(days)))
    print(json.dumps({"peak_mib": peak_mib(), "load": os.getloadavg()[0], **found}))


if __name__ == "__main__":
    main()
