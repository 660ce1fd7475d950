"""The kernel as a table-to-table step, for spec tests."""

from datetime import UTC, date, datetime

import duckdb

from transforms.activity.clock import read_clocks
from transforms.activity.kernel import compute_day_metrics, minutes_of
from warehouse.metrics import Minutes
from warehouse.schema import table_of
from warehouse.study import Study, Wear
from warehouse.tables.landed import activity_day

# What the drawing of a day leaves out: `USUAL = {"activity_day": A_DAY}`.
A_DAY = {
    "participant_id": "P01",
    "source": "google_health",
    "activity_date": "2026-01-05",
    "day_start_at": "2026-01-05 00:00+00",
    "day_minutes": "1440",
    "wear_method": "heart_rate",
    "era": "google_health",
    "row_hash": "h",
}


def derive_day_metric(con: duckdb.DuckDBPyConnection, study: Study) -> None:
    """Fill day_metric from activity_day."""
    metrics = compute_day_metrics(con.sql("FROM activity_day").to_arrow_table(), study.wear)
    con.execute("INSERT INTO day_metric BY NAME SELECT * FROM metrics")
    assert metrics.num_rows


def days_drawn(start: int = 600, wear_method: str = "heart_rate", **days: str) -> str:
    """A picture of activity_day from minutes in words: `days_drawn(P01="3x0 6x110 2x-")`.

    P01's day has, from minute `start` on, 3 worn minutes without a step, 6 of 110, 2 not worn.
    """
    rows = ["participant_id | wear_method | step_minute | step_count | wear_start | wear_length"]
    for who, words in days.items():
        counts = [
            cadence
            for part in words.split()
            for times, _, cadence in [part.partition("x")]
            for _ in range(int(times))
        ]
        walked = {start + i: int(n) for i, n in enumerate(counts) if n not in ("0", "-")}
        worn = [start + i for i, n in enumerate(counts) if n != "-"]
        cells = [who, wear_method, [*walked], [*walked.values()], worn, [1] * len(worn)]
        rows.append(" | ".join(map(str, cells)))
    return "\n".join(rows)


def minutes_of_counts(counts: list[int]) -> Minutes:
    """One day of minutes, all worn, from its first on."""
    walked = [minute for minute, count in enumerate(counts) if count]
    row = {
        "activity_date": date(2026, 1, 5),
        "day_start_at": datetime(2026, 1, 5, tzinfo=UTC),
        "day_minutes": 1440,
        "wear_method": "heart_rate",
        "step_minute": walked,
        "step_count": [counts[minute] for minute in walked],
        "wear_start": [0],
        "wear_length": [len(counts)],
    }
    days = table_of(activity_day, [row])
    return minutes_of(days, Wear(), read_clocks(days))
