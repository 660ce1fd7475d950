"""Minutes in each band of cadence."""

from support.day_metric import A_DAY, derive_day_metric

USUAL = {"activity_day": A_DAY}


# The vector 0 0 5 12 30 110 105 0 0 64 120 9, all worn, and its answers, counted by hand.
WORKED_VECTOR = """
    step_minute                | step_count                        | wear_start | wear_length
    ---------------------------+-----------------------------------+------------+------------
    [2, 3, 4, 5, 6, 9, 10, 11] | [5, 12, 30, 110, 105, 64, 120, 9] | [0]        | [12]
"""


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
