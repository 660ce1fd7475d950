"""Minutes -> day metrics."""

from datetime import UTC, date, datetime

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.day_metric import derive_day_metric

from transforms.activity.kernel import CHUNK_DAYS, compute_day_metrics
from warehouse.schema import table_of
from warehouse.study import Wear
from warehouse.tables.landed import activity_day

USUAL = {
    "activity_day": {
        "participant_id": "P01",
        "source": "google_health",
        "activity_date": "2026-01-05",
        "day_start_at": "2026-01-05 00:00+00",
        "day_minutes": "1440",
        "wear_method": "heart_rate",
        "era": "google_health",
        "row_hash": "h",
    }
}


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


def test_the_worked_vector_has_its_lower_cadence_bands(spec):
    spec(
        derive_day_metric,
        activity_day=WORKED_VECTOR,
        expect="""
            cadence_0_minutes|cadence_1_19_minutes|cadence_20_39_minutes|cadence_40_59_minutes
            -----------------+--------------------+---------------------+---------------------
            4                |3                   |1                    |0
        """,
    )


def test_the_worked_vector_has_its_higher_cadence_bands(spec):
    spec(
        derive_day_metric,
        activity_day=WORKED_VECTOR,
        expect="""
            cadence_60_79_minutes|cadence_80_99_minutes|cadence_100_119_minutes|cadence_120_minutes
            ---------------------+---------------------+-----------------------+-------------------
            1                    |0                    |2                      |1
        """,
    )


def test_each_lower_band_begins_at_its_number(spec):
    spec(
        derive_day_metric,
        activity_day="""
            participant_id | step_minute  | step_count
            ---------------+--------------+---------------
            P01            | [0, 1]       | [1, 19]
            P02            | [0, 1, 2]    | [20, 39, 38]
            P03            | [0, 1, 2, 3] | [40, 59, 41, 58]
        """,
        expect="""
            participant_id | cadence_1_19_minutes | cadence_20_39_minutes | cadence_40_59_minutes
            ---------------+----------------------+-----------------------+----------------------
            P01            | 2                    | 0                     | 0
            P02            | 0                    | 3                     | 0
            P03            | 0                    | 0                     | 4
        """,
    )


def test_each_higher_band_begins_at_its_number(spec):
    spec(
        derive_day_metric,
        activity_day="""
            step_minute           | step_count
            ----------------------+-------------------------------
            [0, 1, 2, 3, 4, 5, 6] | [60, 79, 80, 99, 100, 119, 120]
        """,
        expect="""
            cadence_60_79_minutes|cadence_80_99_minutes|cadence_100_119_minutes|cadence_120_minutes
            ---------------------+---------------------+-----------------------+-------------------
            2                    |2                    |2                      |1
        """,
    )


def test_a_minute_is_moderate_from_100_steps_and_vigorous_from_130_and_then_counts_twice(spec):
    spec(
        derive_day_metric,
        activity_day="""
            participant_id | step_minute | step_count
            ---------------+-------------+-----------
            P01            | [0]         | [99]
            P02            | [0]         | [100]
            P03            | [0]         | [129]
            P04            | [0]         | [130]
            P05            | [0, 7]      | [100, 130]
        """,
        expect="""
            participant_id|moderate_minutes|vigorous_minutes|mvpa_minutes|mvpa_equivalent_minutes
            --------------+----------------+----------------+------------+-----------------------
            P01           |0               |0               |0           |0
            P02           |1               |0               |1           |1
            P03           |1               |0               |1           |1
            P04           |1               |1               |1           |2
            P05           |2               |1               |2           |3
        """,
    )


def test_the_cadences_of_moderate_and_vigorous_are_the_protocols(spec):
    spec(
        derive_day_metric,
        protocol={"wear": {"moderate_cadence": 90, "vigorous_cadence": 120}},
        activity_day="""
            step_minute  | step_count
            -------------+------------------
            [0, 1, 2, 3] | [89, 90, 119, 120]
        """,
        expect="""
            moderate_minutes | vigorous_minutes
            -----------------+-----------------
            3                | 1
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


counts_by_minute = st.dictionaries(st.integers(0, 1499), st.integers(1, 300), max_size=40)
worn_minutes = st.sets(st.integers(0, 1499), max_size=40)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(counts_by_minute, worn_minutes), min_size=1, max_size=6), st.randoms())
def test_any_days_in_any_order_have_the_metrics_of_counting_minute_by_minute(drawn, random):
    days = [day_of(number, counts, worn) for number, (counts, worn) in enumerate(drawn)]
    random.shuffle(days)
    metrics = compute_day_metrics(days_of(days), Wear()).to_pylist()
    assert [row["participant_id"] for row in metrics] == [day["participant_id"] for day in days]
    for row in metrics:
        counts, worn = drawn[int(row["participant_id"])]
        steps = [counts.get(minute, 0) for minute in range(1500)]
        unknown = not counts and not worn
        assert row["steps"] == (None if unknown else sum(steps))
        assert row["wear_minutes"] == (None if unknown else len(worn))
        assert row["max_minute_steps"] == (None if unknown else max(steps))
        still = sum(minute in worn and not steps[minute] for minute in range(1500))
        assert row["cadence_0_minutes"] == (None if unknown else still)
        brisk = sum(100 <= count < 120 for count in steps)
        assert row["cadence_100_119_minutes"] == (None if unknown else brisk)
        assert row["moderate_minutes"] == (None if unknown else sum(c >= 100 for c in steps))


def test_days_beyond_one_chunk_are_counted_like_the_first():
    days = days_of(
        {"participant_id": str(n), "step_minute": [n % 1440], "step_count": [n % 200 + 1]}
        for n in range(CHUNK_DAYS + 3)
    )
    metrics = compute_day_metrics(days, Wear())
    assert metrics["steps"].to_pylist() == [n % 200 + 1 for n in range(CHUNK_DAYS + 3)]
    assert compute_day_metrics(days.slice(CHUNK_DAYS), Wear()).equals(metrics.slice(CHUNK_DAYS))


def day_of(number: int, counts: dict[int, int], worn: set[int]) -> dict[str, object]:
    """A day whose wear is one run per worn minute."""
    return {
        "participant_id": str(number),
        "step_minute": sorted(counts),
        "step_count": [counts[minute] for minute in sorted(counts)],
        "wear_start": sorted(worn),
        "wear_length": [1] * len(worn),
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
