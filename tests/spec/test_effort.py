"""Best effort over consecutive minutes."""

from datetime import UTC, date, datetime

import pytest
from support.day_metric import A_DAY, days_drawn, derive_day_metric

from transforms.activity.kernel import compute_day_metrics
from warehouse.metrics._sweep import SWEPT_DAYS
from warehouse.schema import table_of
from warehouse.study import Wear
from warehouse.tables.landed import activity_day

USUAL = {"activity_day": A_DAY}


def test_the_worked_vector_has_its_best_5_minutes(spec):
    spec(  # 105 0 0 64 120
        derive_day_metric,
        activity_day=days_drawn(P01="2x0 1x5 1x12 1x30 1x110 1x105 2x0 1x64 1x120 1x9"),
        expect="""
            max_5_cadence | max_20_cadence | max_30_cadence
            --------------+----------------+---------------
            57.8          |                |
        """,
    )


def test_best_effort_needs_consecutive_worn_minutes(spec):
    spec(
        derive_day_metric,
        activity_day=days_drawn(
            P01="5x100",
            P02="4x100",
            P03="1x0 4x100",
            P04="4x100 1x0",
            P05="4x100 1x- 4x100",
            P06="30x60",
            P07="10x90 10x0 10x90",
            P08="29x60 1x- 20x30",
            P09="30x0",
        ),
        expect="""
            participant_id | max_5_cadence | max_20_cadence | max_30_cadence
            ---------------+---------------+----------------+---------------
            P01            | 100           |                |
            P02            |               |                |
            P03            | 80            |                |
            P04            | 80            |                |
            P05            |               |                |
            P06            | 60            | 60             | 60
            P07            | 90            | 45             | 60
            P08            | 60            | 60             |
            P09            | 0             | 0              | 0
        """,
    )


def test_a_device_that_only_counts_steps_has_no_best_effort(spec):
    spec(
        derive_day_metric,
        activity_day=days_drawn(wear_method="steps", P01="30x100"),
        expect="""
            max_5_cadence | max_20_cadence | max_30_cadence
            --------------+----------------+---------------
                          |                |
        """,
    )


def test_a_best_effort_does_not_begin_or_end_in_minutes_not_worn(spec):
    spec(  # 45 of 150 in a row; beside the gaps the windows of 5 hold 4 or fewer of 200
        derive_day_metric,
        activity_day=days_drawn(P01="4x200 1x- 45x150 1x- 4x200", P02="1x- 4x200 1x0 1x- 5x90"),
        expect="""
            participant_id | max_5_cadence | max_20_cadence | max_30_cadence
            ---------------+---------------+----------------+---------------
            P01            | 150           | 150            | 150
            P02            | 160           |                |
        """,
    )


@pytest.mark.parametrize("steps", [2184, 2185, 65_535])  # of which 30 fit 16 bits, and do not
def test_the_best_effort_of_the_most_steps_that_a_minute_can_have(spec, steps):
    spec(
        derive_day_metric,
        activity_day=days_drawn(P01=f"30x{steps}"),
        expect=f"""
            steps         | max_5_cadence | max_30_cadence
            --------------+---------------+---------------
            {30 * steps}  | {steps}       | {steps}
        """,
    )


def test_every_day_of_many_has_its_own_best_effort():
    last = 2 * SWEPT_DAYS + 1
    rows = [
        {"participant_id": f"P{n:04d}", "source": "x", "activity_date": date(2026, 1, 5),
         "day_start_at": datetime(2026, 1, 5, tzinfo=UTC), "day_minutes": 1440,
         "step_minute": [0, 1, 2, 3, 4, 1439], "step_count": [n + 1] * 6, "wear_start": [0, 1435],
         "wear_length": [5, 5], "wear_method": "heart_rate", "era": "x", "row_hash": "h"}
        for n in range(last + 1)
    ]  # fmt: skip
    found = compute_day_metrics(table_of(activity_day, rows), Wear())
    assert found["max_5_cadence"].to_pylist() == [n + 1 for n in range(last + 1)]
    assert found["max_20_cadence"].null_count == last + 1
