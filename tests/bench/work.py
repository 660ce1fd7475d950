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
from datetime import timedelta
from pathlib import Path
from typing import Any

import google_work
from timing import Bench, Found, timed

QUERIES = 40


def _seconds(ask: Callable[[str], Any], who: str) -> float:
    begun = time.perf_counter()
    ask(who)
    return time.perf_counter() - begun


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


def landed_checked(bench: Bench) -> Found:
    """The same for the metrics alone that pandas and polars compute (rivals.CHECKED)."""
    import numpy as np
    import pyarrow as pa
    from rivals import CHECKED

    from transforms.activity.clock import read_clocks
    from transforms.activity.kernel import minutes_of
    from warehouse.metrics import read_metrics

    metrics = [
        metric for metric in read_metrics().values()
        if {column.name for column in metric.columns} & set(CHECKED) - {"steps"}
    ]  # fmt: skip

    def compute(days: pa.Table, wear: Any) -> dict[str, Any]:
        minutes, found = minutes_of(days, wear, read_clocks(days)), dict[str, Any]()
        for metric in metrics:
            found |= metric.compute(minutes)
        return {name: np.ma.getdata(found[name]) for name in CHECKED}

    return _metrics(bench, "", compute)


def landed_day(bench: Bench) -> Found:
    """The same of the last day alone."""
    return _metrics(bench, f"/date={_day_name(bench)}/")


def _day_name(bench: Bench) -> str:
    from synthetic import FIRST_DAY

    return f"{FIRST_DAY + timedelta(days=bench.days - 1):%Y-%m-%d}"


def _metrics(bench: Bench, part_of_path: str, compute: Any = None) -> Found:
    import numpy as np
    import pyarrow as pa
    from rivals import CHECKED
    from synthetic import open_home

    from transforms.activity import kernel
    from transforms.day_metrics import FACTS, KERNEL_ROWS, in_parts

    kernel.THREADS = 1  # as the scan beside it has
    compute = compute or kernel.compute_day_metrics
    store = open_home(bench.folder)

    def work() -> Found:
        files = store.lake.day_files()
        paths = [file.path for file in files if part_of_path in file.path]
        sums: dict[str, int] = dict.fromkeys(CHECKED, 0)
        for held in in_parts(store.lake.days(paths, files, FACTS), KERNEL_ROWS):
            done = compute(pa.concat_tables(held), store.study.wear)
            for name in CHECKED:
                sums[name] += int(np.asarray(done[name]).sum(dtype="i8"))
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
    from synthetic import FIRST_DAY, names, open_home

    from dashboard.queries import adherence, common, minutes, participant
    from warehouse.publish import open_published, stable_path

    store = open_home(bench.folder)
    con = open_published(stable_path(store.home))
    people, cohort = names(bench.participants), common.Cohort()
    on = FIRST_DAY + timedelta(days=bench.days - 2)

    def day(who: str) -> Any:
        of = participant.day_of(con, who, on)
        return minutes.read(store.home.lake_url, store.register, who, of, "UTC", (100, 130))

    asked: dict[str, Callable[[str], Any]] = {
        "bare scan": lambda _: con.sql("SELECT sum(steps) FROM participant_day").fetchall(),
        "key figures": lambda _: adherence.key_figures(con, cohort),
        "days by state": lambda _: adherence.days_by_state(con, cohort),
        "participants": lambda _: common.participants(con, cohort),
        "weeks": lambda _: adherence.weeks(con, cohort),
        "day grid": lambda _: adherence.day_grid(con, cohort),
        "timeline": lambda who: participant.days(con, who),
        "one day's minutes": day,
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
        *google_work.CASES, make_study, bare_scan, landed_metrics, landed_checked, landed_day,
        pandas_metrics, pandas_day, polars_metrics, polars_day, build_full, build_day, published,
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
