"""Activity in the 14 days before the answers, beside the outcome; answered on 2026-02-16."""

from transforms.outcomes.activity_outcome import derive_activity_outcome

USUAL = {
    "outcome": {
        "visit": "week_4",
        "scale": "NPRS",
        "status": "received",
        "answered_on": "2026-02-16",
        "score": "4",
    },
    "participant_day": {
        "study_day": "1",
        "study_week": "1",
        "day_state": "valid",
        "eligible_day": "true",
        "valid_day": "true",
        "provisional": "false",
        "mvpa_minutes": "30",
    },
}
ONE = """
    participant_id
    --------------
    P01
"""


def test_the_window_is_the_14_days_before_the_answers_and_not_their_day(spec):
    spec(
        derive_activity_outcome,
        outcome=ONE,
        participant_day="""
            participant_id | activity_date | steps
            ---------------+---------------+------
            P01            | 2026-02-01    | 90000
            P01            | 2026-02-02    | 1000
            P01            | 2026-02-07    | 2000
            P01            | 2026-02-08    | 3000
            P01            | 2026-02-15    | 4000
            P01            | 2026-02-16    | 90000
        """,
        expect="""
            window_starts_on | window_ends_on | valid_days | enough_days | steps_per_day
            -----------------+----------------+------------+-------------+--------------
            2026-02-02       | 2026-02-15     | 4          | T           | 2500
        """,
    )


def test_three_valid_days_are_too_few_and_the_means_stay_blank(spec):
    spec(
        derive_activity_outcome,
        outcome=ONE,
        participant_day="""
            participant_id | activity_date | steps
            ---------------+---------------+------
            P01            | 2026-02-02    | 1000
            P01            | 2026-02-03    | 2000
            P01            | 2026-02-04    | 3000
        """,
        expect="""
            valid_days | enough_days | steps_per_day | mvpa_minutes_per_day | score
            -----------+-------------+---------------+----------------------+------
            3          | F           |               |                      | 4
        """,
    )


def test_only_valid_days_count_and_a_valid_day_of_few_steps_does(spec):
    spec(
        derive_activity_outcome,
        outcome=ONE,
        participant_day="""
            participant_id | activity_date | valid_day | day_state         | steps | mvpa_minutes
            ---------------+---------------+-----------+-------------------+-------+-------------
            P01            | 2026-02-02    | true      | valid             | 6000  | 20
            P01            | 2026-02-03    | true      | valid             | 0     | 0
            P01            | 2026-02-04    | true      | valid             | 3000  | 10
            P01            | 2026-02-05    | true      | valid             | 3001  | 11
            P01            | 2026-02-06    | false     | insufficient_wear | 9000  | 90
            P01            | 2026-02-07    | false     | not_worn          | 0     | 0
            P01            | 2026-02-08    | false     | pending_sync      |       |
            P02            | 2026-02-09    | true      | valid             | 9000  | 90
        """,
        expect="""
            participant_id | valid_days | steps_per_day | mvpa_minutes_per_day
            ---------------+------------+---------------+---------------------
            P01            | 4          | 3000.25       | 10.25
        """,
    )


def test_a_score_without_any_day_is_kept_and_one_without_score_or_day_is_not(spec):
    spec(
        derive_activity_outcome,
        outcome="""
            participant_id | status   | answered_on | score | score_change | improvement
            ---------------+----------+-------------+-------+--------------+------------
            P01            | received | 2026-02-16  | 4     | -3           | 3
            P02            | received |             | 4     | -3           | 3
            P03            | missed   |             |       |              |
        """,
        expect="""
            participant_id | valid_days | enough_days | score | score_change | improvement
            ---------------+------------+-------------+-------+--------------+------------
            P01            | 0          | F           | 4     | -3           | 3
        """,
    )


def test_each_scale_and_visit_has_its_own_window(spec):
    spec(
        derive_activity_outcome,
        protocol={"activity_before_visit": {"days": 2, "min_valid_days": 1}},
        outcome="""
            participant_id | visit    | scale | answered_on
            ---------------+----------+-------+------------
            P01            | baseline | NPRS  | 2026-02-03
            P01            | week_4   | NPRS  | 2026-02-16
            P01            | week_4   | FUNC  | 2026-02-17
        """,
        participant_day="""
            participant_id | activity_date | steps
            ---------------+---------------+------
            P01            | 2026-02-14    | 1000
            P01            | 2026-02-16    | 3000
        """,
        expect="""
            visit    | scale | window_starts_on | valid_days | enough_days | steps_per_day
            ---------+-------+------------------+------------+-------------+--------------
            baseline | NPRS  | 2026-02-01       | 0          | F           |
            week_4   | NPRS  | 2026-02-14       | 1          | T           | 1000
            week_4   | FUNC  | 2026-02-15       | 1          | T           | 3000
        """,
    )


FOUR_WEEKS_OF_TWO = """
    participant_id | visit   | answered_on | score
    ---------------+---------+-------------+------
    P01            | week_4  | 2026-02-02  | 40
    P01            | week_8  | 2026-03-02  | 44
    P02            | week_4  | 2026-02-02  | 60
    P02            | week_8  | 2026-03-02  | 64
"""
TWO_DAYS = {"activity_before_visit": {"days": 2, "min_valid_days": 1}}


def test_what_varies_within_a_participant_is_apart_from_what_tells_two_apart(spec):
    # P01 walks 3,000 then 1,000, P02 9,000 then 7,000: both score better after walking less, while
    # who walks more scores better. Within: -4 points for 2,000 steps. Between: 20 for 6,000.
    # One slope through all four would hide that they have opposite signs.
    spec(
        derive_activity_outcome,
        protocol=TWO_DAYS,
        outcome=FOUR_WEEKS_OF_TWO,
        participant_day="""
            participant_id | activity_date | steps
            ---------------+---------------+------
            P01            | 2026-02-01    | 3000
            P01            | 2026-03-01    | 1000
            P02            | 2026-02-01    | 9000
            P02            | 2026-03-01    | 7000
        """,
        expect="""
            participant_id|visit |steps_per_day|steps_own_mean|steps_within|steps_between|score
            --------------+------+-------------+--------------+------------+-------------+-----
            P01           |week_4|3000         |2000          |1000        |-3000        |40
            P01           |week_8|1000         |2000          |-1000       |-3000        |44
            P02           |week_4|9000         |8000          |1000        |3000         |60
            P02           |week_8|7000         |8000          |-1000       |3000         |64
        """,
    )


def test_a_person_counts_once_in_the_mean_of_all_however_many_visits_they_have(spec):
    # Own means 2,000 (of two visits) and 8,000 (of one): the middle is 5,000, not 4,000.
    spec(
        derive_activity_outcome,
        protocol=TWO_DAYS,
        outcome=FOUR_WEEKS_OF_TWO,
        participant_day="""
            participant_id | activity_date | steps
            ---------------+---------------+------
            P01            | 2026-02-01    | 3000
            P01            | 2026-03-01    | 1000
            P02            | 2026-02-01    | 8000
        """,
        expect="""
            participant_id|visit |visits_with_activity|steps_own_mean|steps_within|steps_between
            --------------+------+--------------------+--------------+------------+-------------
            P01           |week_4|2                   |2000          |1000        |-3000
            P01           |week_8|2                   |2000          |-1000       |-3000
            P02           |week_4|1                   |8000          |0           |3000
            P02           |week_8|1                   |8000          |            |3000
        """,
    )


def test_a_discharge_is_set_against_the_scheduled_visits_and_is_none_of_them(spec):
    spec(
        derive_activity_outcome,
        protocol=TWO_DAYS,
        outcome="""
            participant_id | visit     | answered_on | score
            ---------------+-----------+-------------+------
            P01            | week_4    | 2026-02-02  | 40
            P01            | discharge | 2026-02-20  | 42
            P01            | week_8    | 2026-03-02  | 44
        """,
        participant_day="""
            participant_id | activity_date | steps
            ---------------+---------------+------
            P01            | 2026-02-01    | 3000
            P01            | 2026-02-19    | 9000
            P01            | 2026-03-01    | 1000
        """,
        expect="""
            visit     | steps_own_mean | steps_within | days_to_next_visit
            ----------+----------------+--------------+-------------------
            week_4    | 2000           | 1000         | 28
            discharge | 2000           | 7000         |
            week_8    | 2000           | -1000        |
        """,
    )
