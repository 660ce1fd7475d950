"""Ratios of Stepwell's work to a bare scan or a bare decode, measured in one run.

    python tests/bench/run.py [--quick | --large]

Each case runs in a process of its own, the cases of a group in turn, several times over; a figure
is the median. Times are processor time, and for queries time by the clock. Beside each stand the
process's own peak memory and the machine's load: only the ratios travel to another machine. The
data are synthetic (see synthetic.py). Nothing here passes or fails: what misses its target is named
at the end.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from rivals import CHECKED

HERE = Path(__file__).parent
DAY_MINUTES = 1440
SHARED = f"the {len(CHECKED)} that all compute"
Found = dict[str, Any]


@dataclass(frozen=True)
class Plan:
    """Sizes and repeats of a run."""

    participants: int
    days: tuple[int, int]  # the second is ten times the first
    google: tuple[int, int]  # participants of 14 days, likewise
    repeats: int
    with_rivals: bool = True


QUICK = Plan(40, (4, 40), (1, 2), 1)
DEFAULT = Plan(200, (9, 90), (1, 10), 2)
LARGE = Plan(1624, (18, 180), (1, 10), 1, with_rivals=False)


@dataclass
class Report:
    """What was printed, so that the end can name what missed its target."""

    missed: list[str] = field(default_factory=list)

    def title(self, text: str) -> None:
        print(f"\n{text}")
        print(
            f"  {'work':<43}{'ratio':>7}{'time':>12}{'M rows/s':>9}{'peak':>10}{'load':>6}  target"
        )

    def line(
        self, work: str, ratio: float, found: Found, target: str = "", met: bool | None = None,
        seconds: float | None = None, rows: int = 0,
    ) -> None:  # fmt: skip
        """One measured thing: its ratio, and its time, rate, memory and load beside it."""
        verdict = {True: "met: ", False: "MISSED: ", None: ""}[met] + target
        took = found["seconds"] if seconds is None else seconds
        rate = f"{rows / took / 1e6:.3g}" if rows else ""
        print(
            f"  {work:<43}{ratio:>7.3g}{1000 * took:>9,.1f} ms{rate:>9}"
            f"{found['peak_mib']:>6,.0f} MiB{found['load']:>6.1f}  {verdict}"
        )
        if met is False:
            self.missed.append(f"{work}: {ratio:.3g}; target {target}")

    def figure(self, what: str, value: str, target: str = "", met: bool | None = None) -> None:
        """A figure that is no time."""
        verdict = {True: "  met: ", False: "  MISSED: ", None: "  "}[met] + target
        print(f"  {what:<43}{value:>7}{verdict}")
        if met is False:
            self.missed.append(f"{what}: {value}; target {target}")


def measure(names: Sequence[str], folder: Path, size: tuple[int, int], repeats: int) -> list[Found]:
    """Each case's median, run in turn; RuntimeError when one fails."""
    runs: dict[str, list[Found]] = {name: [] for name in names}
    for _ in range(repeats):
        for name in names:
            runs[name].append(run_case(name, folder, size))
    return [_median(listed) for listed in runs.values()]


def run_case(name: str, folder: Path, size: tuple[int, int]) -> Found:
    """One case in a process of its own."""
    command = [sys.executable, str(HERE / "work.py"), name, str(folder), *map(str, size)]
    settings = {k: v for k, v in os.environ.items() if not k.startswith("STEPWELL_")}
    done = subprocess.run(
        command, env={**settings, "OMP_NUM_THREADS": "1"}, stdout=subprocess.PIPE, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{name} ended with {done.returncode}")
    found: Found = json.loads(done.stdout)
    return found


def _median(runs: list[Found]) -> Found:
    timed = {key for key in ("seconds", "landing", "peak_mib", "load") if key in runs[0]}
    return {**runs[-1], **{key: median(run[key] for run in runs) for key in timed}}


def same(what: str, *found: Found) -> None:
    """RuntimeError unless every way came to the same: a ratio of different work is no ratio."""
    for key in ("points", "steps", "metrics"):
        values = [one[key] for one in found if key in one]
        if any(value != values[0] for value in values):
            raise RuntimeError(f"{what}: {key} differ: {values}")


def bench_google(report: Report, folder: Path, plan: Plan, participants: int) -> None:
    size = (participants, 14)
    made = run_case("make_google", folder, size)
    names = ["google_decode", "google_strict", "google_read", "google_landed"]
    names += ["google_pandas", "google_polars"] if plan.with_rivals else []
    decode, strict, read, landed, *rivals = measure(names, folder, size, plan.repeats)
    same("Google bodies", made, decode, strict, read, landed, *rivals)
    bare, points = decode["seconds"], made["points"]
    report.title(
        f"1. Raw Google bodies to days: {points:,} points in pages of 5,000, "
        f"{made['bytes'] / 1e6:.0f} MB; msgspec decode alone = 1"
    )
    report.line("msgspec decode, the fields that are read", 1, decode, rows=points)
    what = "msgspec decode, every field checked"
    report.line(what, strict["seconds"] / bare, strict, rows=points)
    ratio = read["seconds"] / bare
    report.line("SOURCE.read", ratio, read, "at most 1.5", ratio <= 1.5, rows=points)
    report.line("SOURCE.read and days_table", landed["seconds"] / bare, landed, rows=points)
    for name, found in zip(("json + pandas", "json + polars"), rivals, strict=False):
        report.line(name, found["seconds"] / bare, found, rows=points)


def bench_metrics(report: Report, folder: Path, plan: Plan, days: int) -> Found:
    """Minutes to day metrics at one size; what landing made, and what the landed files took."""
    size = (plan.participants, days)
    made = run_case("make_study", folder, size)
    names = ["bare_scan", "landed_metrics", "landed_checked", "landed_day"]
    if plan.with_rivals:
        names += ["pandas_metrics", "polars_metrics", "pandas_day", "polars_day"]
    scan, landed, checked, day, *rivals = measure(names, folder, size, plan.repeats)
    whole, days_rivals = rivals[:2], rivals[2:]
    same("day metrics", landed, checked, *whole)
    same("steps", scan, {"steps": landed["metrics"]["steps"]})
    same("metrics of a day", day, *days_rivals)
    bare, minutes = scan["seconds"], plan.participants * days * DAY_MINUTES
    report.title(
        f"2. Minutes to day metrics: {plan.participants:,} x {days} days, "
        f"{minutes / 1e6:.1f} M minutes; DuckDB sum(steps) of the narrow file = 1"
    )
    report.line("bare DuckDB scan, one thread", 1, scan, rows=minutes)
    ratio = landed["seconds"] / bare
    work = f"landed files ({made['files']:,}) + kernel, all {columns()} metrics"
    report.line(work, ratio, landed, "at most 4", ratio <= 4, rows=minutes)
    report.line(f"the same, {SHARED}", checked["seconds"] / bare, checked, rows=minutes)
    for name, found in zip(("pandas", "polars"), whole, strict=False):
        report.line(f"{name}, {SHARED}", found["seconds"] / bare, found, rows=minutes)
    for name, found in zip(("pandas", "polars"), whole, strict=False):
        ahead, target = found["seconds"] / checked["seconds"], name == "pandas"
        report.figure(f"ahead of {name}, {SHARED}", f"{ahead:.1f}",
                      "at least 15" if target else "", ahead >= 15 if target else None)  # fmt: skip
        ahead = found["seconds"] / landed["seconds"]
        report.figure(f"{name}'s {len(CHECKED)} to our {columns()}", f"{ahead:.1f}")
    peak = landed["peak_mib"]
    report.figure("peak memory, landed files", f"{peak:.0f} MiB", "under 400 MiB", peak < 400)
    in_a_day = plan.participants * DAY_MINUTES
    report.line("one day alone, landed files + kernel", day["seconds"] / bare, day, rows=in_a_day)
    for name, found in zip(("pandas", "polars"), days_rivals, strict=False):
        what = f"one day alone, {name}"
        report.line(what, found["seconds"] / bare, found, rows=in_a_day)
    what = f"upkeep: {made['small_files']:,} files become {made['files']:,}"
    report.line(what, made["seconds"] / bare, made, rows=minutes)
    return {**made, "minutes": minutes, "landed": landed, "scan": scan, "rivals": whole}


def columns() -> int:
    """How many columns the kernel computes."""
    from warehouse.metrics import read_metrics

    return sum(len(metric.columns) for metric in read_metrics().values())


def report_growth(report: Report, small: Found, large: Found) -> None:
    print("\n   Ten times the minutes")
    for name in ("scan", "landed"):
        ratio = large[name]["seconds"] / small[name]["seconds"]
        target, met = ("9 to 11 times", 9 <= ratio <= 11) if name == "landed" else ("", None)
        report.figure(f"time, {name}", f"{ratio:.1f}", target, met)
    ratio = large["landed"]["peak_mib"] / small["landed"]["peak_mib"]
    report.figure("peak memory, landed", f"{ratio:.2f}", "flat (at most 1.25)", ratio <= 1.25)


def report_storage(report: Report, made: Found, days: int) -> None:
    print(f"\n3. Storage: bytes per participant-minute, {days} days")
    for name, what, target in (
        ("landed", "as upkeep leaves it", "at most 0.25"), ("small", "before upkeep", ""),
        ("narrow", "narrow", ""),
    ):  # fmt: skip
        value = made[f"{name}_bytes"] / made["minutes"]
        report.figure(what, f"{value:.3f}", target, value <= 0.25 if target else None)


def bench_builds(
    report: Report, folders: Sequence[Path], plan: Plan, made: Sequence[Found]
) -> None:
    report.title(
        f"4. Builds of {plan.participants:,} participants; the full build of each size = 1"
    )
    runs: list[tuple[Found, Found]] = []
    for folder, days, one in zip(folders, plan.days, made, strict=True):
        size, rows = (plan.participants, days), one["minutes"]
        full, day = measure(("build_full", "build_day"), folder, size, plan.repeats)
        if (full["reused"], day["computed"]) != (0, plan.participants):
            raise RuntimeError("a build computed other days than it was asked to")
        ratio, most = day["seconds"] / full["seconds"], 1 + 0.05 * full["seconds"]
        report.line(f"full, {days} days", 1, full, rows=rows)
        beside = {"bare scan of the minutes": one["scan"]}
        beside |= dict(zip(("pandas, metrics alone", "polars, metrics alone"), one["rivals"],
                           strict=False))  # fmt: skip
        for name, found in beside.items():
            report.line(f"  {name}", found["seconds"] / full["seconds"], found, rows=rows)
        report.line(
            f"one day more, {days} days", ratio, day,
            "5 % of a full build and 1 s (stated for 1,624 x 180)", day["seconds"] <= most,
            rows=plan.participants * DAY_MINUTES,
        )  # fmt: skip
        landing = day["landing"]
        report.line("  landing it, before", landing / full["seconds"], day, seconds=landing)
        runs.append((full, day))
    (small_full, small_day), (large_full, large_day) = runs
    for name, small, large in (("full", small_full, large_full), ("one day", small_day, large_day)):
        report.figure(
            f"{name}: ten times the history", f"{large['seconds'] / small['seconds']:.1f}"
        )


def bench_queries(report: Report, folder: Path, plan: Plan) -> None:
    size = (plan.participants, plan.days[1])
    found = run_case("published", folder, size)
    scan = median(found["took"]["bare scan"])
    count = len(found["took"]["bare scan"])
    report.title(
        f"5. The published file, {size[0]:,} x {size[1]} days, n={count} each; "
        "bare sum(steps) of participant_day, p50 = 1"
    )
    for name, times in found["took"].items():
        p50, p95 = median(times), quantiles(times, n=20, method="inclusive")[-1]
        most = {"bare scan": None, "timeline": 0.020, "one day's minutes": 0.050}.get(name, 0.100)
        target = f"under {1000 * most:.0f} ms (stated for 1,624 x 180)" if most else ""
        met = p95 < most if most else None
        what = f"{name}, p95 (p50 is {p50 / scan:.1f} of the scan)"
        report.line(what, p95 / scan, found, target, met, p95)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    sizes = parser.add_mutually_exclusive_group()
    sizes.add_argument("--quick", action="store_true", help="small sizes once, under 40 s")
    sizes.add_argument("--large", action="store_true", help="1,624 x 180 days; without pandas")
    chosen = parser.parse_args()
    plan = QUICK if chosen.quick else LARGE if chosen.large else DEFAULT
    begun, report = time.monotonic(), Report()
    print(
        f"Synthetic, seeded data; {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; medians "
        f"of {plan.repeats} interleaved; only ratios travel.\n"
        "Times are processor time, section 5 by the clock."
        f"{'' if plan.with_rivals else ' Left out: pandas and polars.'}"
    )
    with tempfile.TemporaryDirectory(prefix="stepwell_bench_") as place:
        for people in plan.google:
            bench_google(report, Path(place) / f"google_{people}", plan, people)
        folders = [Path(place) / f"days_{days}" for days in plan.days]
        made = [bench_metrics(report, f, plan, d) for f, d in zip(folders, plan.days, strict=True)]
        report_growth(report, *made)
        report_storage(report, made[1], plan.days[1])
        bench_builds(report, folders, plan, made)
        bench_queries(report, folders[1], plan)
    print(f"\nMissed targets ({len(report.missed)}):")
    print("\n".join(f"  {line}" for line in report.missed) or "  none")
    print(f"{time.monotonic() - begun:.0f} s in all, load {os.getloadavg()[0]:.1f} at the end")


if __name__ == "__main__":
    main()
