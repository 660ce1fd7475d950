"""Steps by the hour of the clock."""

from support.day_metric import A_DAY, derive_day_metric

USUAL = {"activity_day": A_DAY}


def test_an_hour_is_known_when_it_was_worn_for_half_of_it(spec):
    blank = ", ".join(["NULL"] * 21)
    spec(
        derive_day_metric,
        activity_day="""
            participant_id | step_minute    | step_count     | wear_start | wear_length
            ---------------+----------------+----------------+------------+------------
            P01            | [59, 60, 125]  | [7, 20, 30]    | [0]        | [150]
            P02            | [59, 60, 125]  | [7, 20, 30]    | [0]        | [149]
        """,
        expect=f"""
            participant_id | hour_steps
            ---------------+--------------------
            P01            | [7, 20, 30, {blank}]
            P02            | [7, 20, NULL, {blank}]
        """,
    )


def test_the_hours_of_a_day_on_which_a_clock_changed_are_not_told(spec):
    spec(
        derive_day_metric,
        activity_day="""
            participant_id | day_minutes | wear_method | wear_start | wear_length
            ---------------+-------------+-------------+------------+------------
            P01            | 1380        | heart_rate  | [0]        | [1380]
            P02            | 1500        | heart_rate  | [0]        | [1500]
            P03            | 1440        | steps       | [0]        | [1440]
        """,
        expect="""
            participant_id | hour_steps
            ---------------+-----------
            P01            |
            P02            |
            P03            |
        """,
    )
