"""Steps, wear, and what the rules of the state of a day ask for."""

from support.day_metric import A_DAY, derive_day_metric

USUAL = {"activity_day": A_DAY}


def test_24_worn_hours_without_a_step_are_suspect(spec):
    spec(
        derive_day_metric,
        activity_day="""
            participant_id | wear_method | step_minute | step_count | wear_start | wear_length
            ---------------+-------------+-------------+------------+------------+------------
            P01            | heart_rate  | []          | []         | [0]        | [1440]
            P02            | heart_rate  | []          | []         | [0]        | [1439]
            P03            | heart_rate  | [700]       | [1]        | [0]        | [1440]
            P04            | steps       | []          | []         | [0]        | [1440]
            P05            | heart_rate  |             |            |            |
        """,
        expect="""
            participant_id | suspect_heart_rate | wear_minutes | steps
            ---------------+--------------------+--------------+------
            P01            | T                  | 1440         | 0
            P02            | F                  | 1439         | 0
            P03            | F                  | 1440         | 1
            P04            |                    |              | 0
            P05            |                    |              |
        """,
    )
