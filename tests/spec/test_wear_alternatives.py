"""Wear told from steps alone, and from wear or steps."""

from support.day_metric import A_DAY, days_drawn, derive_day_metric

USUAL = {"activity_day": A_DAY}


def test_choi_and_troiano_see_the_day_on_its_own(spec):
    spec(
        derive_day_metric,
        activity_day="""
            participant_id | step_minute      | step_count   | wear_start | wear_length
            ---------------+------------------+--------------+------------+------------
            P01            | []               | []           | [0]        | [10]
            P02            | [59]             | [5]          | [0]        | [10]
            P03            | [89, 1350]       | [5, 5]       | [0]        | [10]
            P04            | [90, 180]        | [5, 100]     | [0]        | [10]
            P05            | [0, 1439]        | [5, 5]       | [0]        | [1440]
            P06            | [0, 1, 2, 60]    | [5, 5, 5, 5] | [0]        | [10]
        """,
        expect="""
            participant_id | wear_choi_minutes | wear_troiano_minutes | wear_or_steps_minutes
            ---------------+-------------------+----------------------+----------------------
            P01            | 0                 | 0                    | 10
            P02            | 0                 | 0                    | 11
            P03            | 0                 | 0                    | 12
            P04            | 0                 | 1                    | 12
            P05            | 2                 | 2                    | 1440
            P06            | 3                 | 3                    | 11
        """,
    )


def test_the_window_of_choi_is_the_protocols(spec):
    for window, worn in ((35, 0), (36, 36)):
        spec(
            derive_day_metric,
            protocol={"wear": {"choi_window_minutes": window}},
            activity_day="""
                step_minute | step_count
                ------------+-----------
                [35]        | [15]
            """,
            expect=f"""
                wear_choi_minutes
                -----------------
                {worn}
            """,
        )


def test_the_wear_of_a_device_that_only_counts_steps_is_told_by_steps_alone(spec):
    spec(
        derive_day_metric,
        activity_day=days_drawn(wear_method="steps", P01="100x20"),
        expect="""
            wear_minutes | wear_choi_minutes | wear_troiano_minutes | wear_or_steps_minutes
            -------------+-------------------+----------------------+----------------------
                         | 100               | 100                  |
        """,
    )
