"""Minutes -> day metrics."""

from datetime import UTC, date, datetime
from itertools import groupby

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.day_metric import A_DAY, derive_day_metric

from transforms.activity import kernel
from transforms.activity.kernel import CHUNK_DAYS, compute_day_metrics
from warehouse.schema import table_of
from warehouse.study import Wear
from warehouse.tables.landed import activity_day

USUAL = {"activity_day": A_DAY}


# The vector 0 0 5 12 30 110 105 0 0 64 120 9, all worn, and its answers, counted by hand.
WORKED_VECTOR = """
    step_minute                | step_count                        | wear_start | wear_length
    ---------------------------+-----------------------------------+------------+------------
    [2, 3, 4, 5, 6, 9, 10, 11] | [5, 12, 30, 110, 105, 64, 120, 9] | [0]        | [12]
"""


def test_the_worked_vector_has_its_steps_and_moderate_minutes(spec):
    spec(
        derive_day_metric,
        activity_day=WORKED_VECTOR,
        expect="""
            steps | max_minute_steps | wear_minutes | moderate_minutes | vigorous_minutes
            ------+------------------+--------------+------------------+-----------------
            455   | 120              | 12           | 3                | 0
        """,
    )


def test_minutes_with_steps_count_without_wear_and_minutes_without_either_do_not(spec):
    spec(
        derive_day_metric,
        activity_day="""
            participant_id | step_minute  | step_count   | wear_start | wear_length
            ---------------+--------------+--------------+------------+------------
            P01            | [9, 10, 30]  | [5, 5, 5]    | [10, 20]   | [5, 10]
            P02            | [10, 14, 15] | [5, 5, 5]    | [10]       | [5]
            P03            | [10]         | [5]          |            |
        """,
        expect="""
            participant_id | steps | wear_minutes | cadence_0_minutes | cadence_1_19_minutes
            ---------------+-------+--------------+-------------------+---------------------
            P01            | 15    | 15           | 14                | 3
            P02            | 15    | 5            | 3                 | 3
            P03            | 5     | 0            | 0                 | 1
        """,
    )


def test_worn_and_still_is_zero_steps_but_a_bare_total_leaves_the_minutes_unknown(spec):
    spec(
        derive_day_metric,
        activity_day="""
            participant_id | wear_start | wear_length | vendor_steps | step_minute | step_count
            ---------------+------------+-------------+--------------+-------------+-----------
            P01            | [0]        | [700]       | 0            |             |
            P02            | []         | []          | 4000         | []          | []
            P03            |            |             | 4000         |             |
        """,
        expect="""
            participant_id | has_minutes | steps | wear_minutes | max_minute_steps | vendor_steps
            ---------------+-------------+-------+--------------+------------------+-------------
            P01            | T           | 0     | 700          | 0                | 0
            P02            | F           |       |              |                  | 4000
            P03            | F           |       |              |                  | 4000
        """,
    )


def test_a_device_that_only_counts_steps_has_no_wear_minutes(spec):
    spec(
        derive_day_metric,
        activity_day="""
            wear_method | step_minute | step_count | wear_start | wear_length
            ------------+-------------+------------+------------+------------
            steps       | [400, 410]  | [30, 30]   | [360]      | [60]
        """,
        expect="""
            steps | wear_minutes | cadence_0_minutes | cadence_20_39_minutes | wear_hours_with_steps
            ------+--------------+-------------------+-----------------------+----------------------
            60    |              |                   | 2                     | 1
        """,
    )


def test_a_travellers_day_may_have_1860_minutes(spec):
    spec(
        derive_day_metric,
        activity_day="""
            day_minutes | step_minute | step_count | wear_start | wear_length
            ------------+-------------+------------+------------+------------
            1860        | [0, 1859]   | [50, 70]   | [0, 1800]  | [1500, 60]
        """,
        expect="""
            steps | wear_minutes | cadence_0_minutes | day_minutes | day_end_at
            ------+--------------+-------------------+-------------+-----------------------
            120   | 1560         | 1558              | 1860        | 2026-01-06 07:00:00+00
        """,
    )


def test_what_the_source_said_of_the_day_is_carried_along(spec):
    spec(
        derive_day_metric,
        activity_day="""
            source | era           | device_model | wear_method   | vendor_steps | row_hash
            -------+---------------+--------------+---------------+--------------+---------
            fitbit | legacy_fitbit | Inspire 3    | explicit_zero | 812          | abc
        """,
        expect="""
            source | era           | device_model | wear_method   | vendor_steps | row_hash
            -------+---------------+--------------+---------------+--------------+---------
            fitbit | legacy_fitbit | Inspire 3    | explicit_zero | 812          | abc
        """,
    )


def test_no_days_have_no_metrics():
    assert compute_day_metrics(activity_day.arrow.empty_table(), Wear()).num_rows == 0


def test_a_day_with_more_minutes_than_counts_is_refused():
    days = days_of([{"step_minute": [1, 2], "step_count": [5]}])
    with pytest.raises(ValueError, match="step_minute and step_count of a day differ in length"):
        compute_day_metrics(days, Wear())


counts_by_minute = st.dictionaries(
    st.integers(0, 99), st.one_of(st.integers(1, 130), st.just(9), st.just(100)), max_size=90
)
worn_minutes = st.lists(st.tuples(st.integers(0, 99), st.integers(1, 50)), max_size=4)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(counts_by_minute, worn_minutes), min_size=1, max_size=6), st.randoms())
def test_any_days_in_any_order_have_the_metrics_of_counting_minute_by_minute(drawn, random):
    wear = Wear(
        brisk_bout_minutes=4, sedentary_bout_minutes=5, waking_from_hour=0, waking_to_hour=1
    )
    days = [day_of(number, counts, runs) for number, (counts, runs) in enumerate(drawn)]
    random.shuffle(days)
    metrics = compute_day_metrics(days_of(days), wear).to_pylist()
    assert [row["participant_id"] for row in metrics] == [day["participant_id"] for day in days]
    for row in metrics:
        expected = counted_by_hand(*drawn[int(row["participant_id"])], wear)
        assert {name: row[name] for name in expected} == pytest.approx(expected)


def counted_by_hand(counts, runs, wear: Wear) -> dict[str, float | None]:
    """Metrics of a day by going through its minutes one after the other."""
    worn = {minute for start, length in runs for minute in range(start, start + length)}
    known = [minute in worn or minute in counts for minute in range(200)]
    steps = [counts.get(minute, 0) for minute in range(200)]
    if not any(known):
        return {"steps": None, "sedentary_minutes": None, "peak_1_cadence": None}
    still = runs_where([known[m] and steps[m] < 10 for m in range(60)])
    active = sorted(runs_where([count >= 10 for count in steps]))
    bouts = [bout for bout in brisk_by_hand(steps, known) if bout >= wear.brisk_bout_minutes]
    found = {
        "steps": sum(steps),
        "max_minute_steps": max(steps),
        "cadence_100_119_minutes": sum(100 <= count < 120 for count in steps),
        "moderate_minutes": sum(count >= 100 for count in steps),
        "wear_or_steps_minutes": sum(known),
        "sedentary_minutes": sum(still),
        "sedentary_bouts": sum(run >= 5 for run in still),
        "sedentary_bout_minutes": sum(run for run in still if run >= 5),
        "brisk_bouts": len(bouts),
        "brisk_bout_minutes": sum(bouts),
        "peak_30_cadence": sum(sorted(steps)[-30:]) / 30 if sum(known) >= 30 else None,
        "first_step_minute": min(counts) if counts else None,
        "last_step_minute": max(counts) if counts else None,
        "active_to_sedentary_per_minute": len(active) / sum(active) if active else None,
    }
    for size in (5, 20, 30):
        sums = [sum(steps[m : m + size]) for m in range(200 - size) if all(known[m : m + size])]
        found[f"max_{size}_cadence"] = max(sums) / size if sums else None
    return found


def runs_where(chosen: list[bool]) -> list[int]:
    """Lengths of the runs of true."""
    return [len([*group]) for flag, group in groupby(chosen) if flag]


def brisk_by_hand(steps: list[int], known: list[bool]) -> list[int]:
    bouts, begun, last = [], None, None
    for minute, count in enumerate(steps):
        if begun is not None and (not known[minute] or minute - last > 3):
            bouts.append(last - begun + 1)
            begun = None
        if count >= 100:
            begun, last = minute if begun is None else begun, minute
    return bouts if begun is None else [*bouts, last - begun + 1]


def apart(runs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The minutes of the runs as runs that do not overlap; some of them touch."""
    minutes = sorted({minute for start, length in runs for minute in range(start, start + length)})
    starts = [m for m in minutes if m - 1 not in minutes or m % 10 == 0]
    ends = [*starts[1:], 1 << 16][: len(starts)]
    return [
        (start, sum(start <= m < end for m in minutes))
        for start, end in zip(starts, ends, strict=True)
    ]


def varied_days(many: int) -> pa.Table:
    return days_of(
        {
            "participant_id": str(n),
            "step_minute": sorted({(n * 7 + k * k) % 1400 for k in range(n % 60)}),
            "step_count": [
                (minute * 13 + n) % 140 + 1
                for minute in sorted({(n * 7 + k * k) % 1400 for k in range(n % 60)})
            ],
            "wear_start": [n % 300],
            "wear_length": [n % 900 + 1],
            "day_minutes": (1380, 1440, 1500, 2880)[n % 4],
        }
        for n in range(many)
    )


@pytest.mark.parametrize(("chunk", "threads"), [(1, 1), (7, 2), (64, 4), (10_000, 1)])
def test_metrics_are_the_same_in_chunks_of_any_size_and_on_any_number_of_threads(
    monkeypatch, chunk, threads
):
    days = varied_days(257)
    usual = compute_day_metrics(days, Wear())
    monkeypatch.setattr(kernel, "CHUNK_DAYS", chunk)
    monkeypatch.setattr(kernel, "THREADS", threads)
    assert compute_day_metrics(days, Wear()).equals(usual)
    backwards = compute_day_metrics(days.take(list(range(256, -1, -1))), Wear())
    assert backwards.take(list(range(256, -1, -1))).equals(usual)


def test_days_beyond_one_chunk_are_counted_like_the_first():
    days = days_of(
        {"participant_id": str(n), "step_minute": [n % 1440], "step_count": [n % 200 + 1]}
        for n in range(CHUNK_DAYS + 3)
    )
    metrics = compute_day_metrics(days, Wear())
    assert metrics["steps"].to_pylist() == [n % 200 + 1 for n in range(CHUNK_DAYS + 3)]
    assert compute_day_metrics(days.slice(CHUNK_DAYS), Wear()).equals(metrics.slice(CHUNK_DAYS))


def day_of(number: int, counts: dict[int, int], runs: list[tuple[int, int]]) -> dict[str, object]:
    """A day of counts by minute and of runs of wear."""
    return {
        "participant_id": str(number),
        "step_minute": sorted(counts),
        "step_count": [counts[minute] for minute in sorted(counts)],
        "wear_start": [start for start, _ in apart(runs)],
        "wear_length": [length for _, length in apart(runs)],
    }


def days_of(rows) -> pa.Table:
    usual = {
        "activity_date": date(2026, 1, 5),
        "day_start_at": datetime(2026, 1, 5, tzinfo=UTC),
        "day_minutes": 1500,
        "wear_method": "heart_rate",
        "era": "file",
    }
    return table_of(activity_day, [{**usual, **row} for row in rows])
