"""Moderate and vigorous minutes."""

from support.day_metric import A_DAY, derive_day_metric

USUAL = {"activity_day": A_DAY}


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
