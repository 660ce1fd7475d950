"""Minutes -> day metrics, for thousands of days at a time, without a loop over minutes.

Worked on the sparse lists as they are stored: a day has 1,440 minutes and about 200 with steps, so
nothing is expanded, and a day of 1,380, 1,500 or 2,000 minutes is no special case.
"""

from __future__ import annotations

from bisect import bisect_left
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from warehouse.study import Wear
from warehouse.tables.derived import day_metric

Ints = npt.NDArray[np.int64]

# Cadence bands and their names: Tudor-Locke 2018. Each begins where it says and ends at the next.
BANDS = {
    "cadence_0_minutes": 0,
    "cadence_1_19_minutes": 1,
    "cadence_20_39_minutes": 20,
    "cadence_40_59_minutes": 40,
    "cadence_60_79_minutes": 60,
    "cadence_80_99_minutes": 80,
    "cadence_100_119_minutes": 100,
    "cadence_120_minutes": 120,
}
STEP_HOURS = slice(6, 24)  # 06:00 to 24:00, waking hours: our convention
CHUNK_DAYS = 512  # keeps the working set in the processor's cache, and memory flat
MINUTE_US = 60_000_000
DAY_APART = 1 << 17  # minutes and lengths are unsigned 16-bit
CLOCK = ("activity_date", "timezone", "day_start_at", "day_minutes")
OF_WEAR = ("wear_minutes", "cadence_0_minutes")
_BAND_OF = np.searchsorted(list(BANDS.values()), np.arange(1 << 16), side="right") - 1


class _Spans(NamedTuple):
    """Two parallel lists of every day, end to end; `day` is the row each element is of."""

    day: Ints
    first: Ints
    second: Ints

    def per_day(self, rows: int, where: Any = slice(None), weights: Ints | None = None) -> Ints:
        """Elements of each day, or the sum of their `weights`."""
        weighed = None if weights is None else weights[where]
        return np.bincount(self.day[where], weighed, minlength=rows).astype(np.int64)


def compute_day_metrics(days: pa.Table, wear: Wear) -> pa.Table:
    """One row of day_metric per row of activity_day, in the same order.

    Minutes, steps and hours as the columns of `day_metric` say. Where a day has no minute at all
    (only the vendor's total) every count of minutes is NULL: unknown, not zero. Under
    wear_method 'steps' wear is not measured, so wear_minutes and cadence_0_minutes are NULL.
    Raises ValueError when a day has not as many counts as minutes. Bands and thresholds:
    Tudor-Locke et al., Br J Sports Med 2018;52:776.
    """
    starts = range(0, days.num_rows, CHUNK_DAYS)
    chunks = [_day_metrics(days.slice(start, CHUNK_DAYS), wear) for start in starts]
    return pa.concat_tables(chunks) if chunks else day_metric.arrow.empty_table()


def _day_metrics(days: pa.Table, wear: Wear) -> pa.Table:
    steps = _spans(days, "step_minute", "step_count")
    runs = _spans(days, "wear_start", "wear_length")
    unknown = steps.per_day(days.num_rows) + runs.per_day(days.num_rows) == 0
    unworn = unknown | pc.fill_null(pc.equal(days["wear_method"], "steps"), False).to_numpy()
    counts = {
        **_counts(steps, runs, days.num_rows, wear),
        "wear_hours_with_steps": _hours_with_steps(steps, days),
    }
    masks = dict.fromkeys(counts, unknown) | dict.fromkeys(OF_WEAR, unworn)
    length = pc.multiply(days["day_minutes"].cast(pa.int64()), MINUTE_US).cast(pa.duration("us"))
    computed = {
        **{name: pa.array(counts[name], pa.int32(), mask=masks[name]) for name in counts},
        "has_minutes": pa.array(~unknown),
        "day_end_at": pc.add(days["day_start_at"], length),
    }
    columns = [computed[name] if name in computed else days[name] for name in day_metric.names]
    return pa.table(columns, day_metric.names).cast(day_metric.arrow)


def _counts(steps: _Spans, runs: _Spans, rows: int, wear: Wear) -> dict[str, Ints]:
    count = steps.second
    cells = np.bincount(steps.day * len(BANDS) + _BAND_OF[count], minlength=rows * len(BANDS))
    bands = dict(zip(BANDS, cells.reshape(rows, len(BANDS)).T, strict=True))
    worn = runs.per_day(rows, weights=runs.second)
    moderate = steps.per_day(rows, count >= wear.moderate_cadence)
    vigorous = steps.per_day(rows, count >= wear.vigorous_cadence)
    most = np.zeros(rows, np.int64)
    np.maximum.at(most, steps.day, count)
    return {
        **bands,
        "cadence_0_minutes": worn - runs.per_day(rows, weights=_steps_within(runs, steps)),
        "steps": steps.per_day(rows, weights=count),
        "wear_minutes": worn,
        "max_minute_steps": most,
        "moderate_minutes": moderate,
        "vigorous_minutes": vigorous,
        "mvpa_minutes": moderate,
        # the WHO guideline counts a vigorous minute as two moderate ones
        "mvpa_equivalent_minutes": (moderate - vigorous) + 2 * vigorous,
    }


def _spans(days: pa.Table, first: str, second: str) -> _Spans:
    lengths = pc.fill_null(pc.list_value_length(days[first]), 0).to_numpy()
    if not np.array_equal(lengths, pc.fill_null(pc.list_value_length(days[second]), 0).to_numpy()):
        raise ValueError(f"activity_day: {first} and {second} of a day differ in length")
    flat = [pc.list_flatten(days[name]).to_numpy().astype(np.int64) for name in (first, second)]
    return _Spans(np.repeat(np.arange(days.num_rows), lengths), *flat)


def _steps_within(runs: _Spans, steps: _Spans) -> Ints:
    """How many minutes with steps each run of wear holds."""
    # Days are laid end to end on one line, far enough apart that no run reaches the next day.
    minutes = steps.day * DAY_APART + steps.first
    starts = runs.day * DAY_APART + runs.first
    ends = np.searchsorted(minutes, starts + runs.second)
    return np.subtract(ends, np.searchsorted(minutes, starts))


def _hours_with_steps(steps: _Spans, days: pa.Table) -> Ints:
    hours = np.clip(_clock_minutes(steps, days) // 60, 0, 24)  # 24: past midnight, not counted
    with_steps = np.zeros((days.num_rows, 25), np.bool_)
    with_steps[steps.day, hours] = True
    counted: Ints = with_steps[:, STEP_HOURS].sum(axis=1)
    return counted


def _clock_minutes(steps: _Spans, days: pa.Table) -> Ints:
    """Minutes of the local clock since midnight; elapsed minutes where the zone is not stated."""
    clock = steps.first.copy()
    odd = pc.and_(pc.not_equal(days["day_minutes"], 1440), pc.is_valid(days["timezone"]))
    for row in np.flatnonzero(odd.to_numpy()):  # about two days a year
        before, change, after = _clock_change(*(days[name][row].as_py() for name in CLOCK))
        mine = slice(*np.searchsorted(steps.day, (row, row + 1)))
        clock[mine] += np.where(clock[mine] < change, before, after)
    return clock


@lru_cache(maxsize=4096)
def _clock_change(
    activity_date: date, zone: str, day_start_at: datetime, day_minutes: int
) -> tuple[int, int, int]:
    """(what to add to elapsed minutes before the clocks change, the minute they do, after it)."""
    midnight = datetime(activity_date.year, activity_date.month, activity_date.day)
    local_zone = ZoneInfo(zone)

    def ahead(minute: int) -> int:
        instant = day_start_at + timedelta(minutes=minute)
        clock = instant.astimezone(local_zone).replace(tzinfo=None)
        return int((clock - midnight) / timedelta(minutes=1)) - minute

    before, after = ahead(0), ahead(day_minutes - 1)
    return before, bisect_left(range(day_minutes), True, key=lambda m: ahead(m) != before), after
