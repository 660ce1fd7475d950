"""Week by week: activity, and each score in its own week only; day 1 is Monday 5 January."""

from transforms.outcomes.week_series import derive_week_series

USUAL = {
    "participant": {
        "site": "southampton",
        "timezone": "Europe/London",
        "enrolled_on": "2026-01-02",
        "starts_on": "2026-01-05",
    },
    "outcome": {"scale": "NPRS", "status": "received"},
    "participant_week": {"valid_week": "true"},
}
P01 = """
    participant_id
    --------------
    P01
"""


def test_activity_has_a_row_for_each_week_with_a_figure(spec):
    spec(
        derive_week_series,
        participant=P01,
        participant_week="""
            participant_id|study_week|week_starts_on|valid_days|steps_per_day|week_mvpa_minutes
            --------------+----------+--------------+----------+-------------+-----------------
            P01           |1         |2026-01-05    |5         |6000         |150
            P01           |2         |2026-01-12    |1         |4000         |
            P01           |3         |2026-01-19    |0         |             |
        """,
        expect="""
            study_week | week_starts_on | measure           | value | valid_days | visit
            -----------+----------------+-------------------+-------+------------+------
            1          | 2026-01-05     | steps_per_day     | 6000  | 5          |
            1          | 2026-01-05     | week_mvpa_minutes | 150   | 5          |
            2          | 2026-01-12     | steps_per_day     | 4000  | 1          |
        """,
    )


def test_a_score_stands_in_the_week_of_its_answers_and_in_no_other(spec):
    # 4 January is the day before day 1: week 0. 2 February is the first day of week 5.
    spec(
        derive_week_series,
        participant=P01,
        outcome="""
            participant_id | visit    | answered_on | score | status
            ---------------+----------+-------------+-------+---------
            P01            | baseline | 2026-01-04  | 7     | received
            P01            | week_4   | 2026-02-02  | 5     | received
            P01            | week_8   |             |       | missed
            P01            | week_12  |             | 3     | received
        """,
        expect="""
            study_week | week_starts_on | measure | value | visit
            -----------+----------------+---------+-------+---------
            0          | 2025-12-29     | NPRS    | 7     | baseline
            5          | 2026-02-02     | NPRS    | 5     | week_4
        """,
    )


def test_of_two_scores_in_a_week_a_scheduled_visits_stays(spec):
    spec(
        derive_week_series,
        participant=P01,
        outcome="""
            participant_id | visit     | answered_on | score
            ---------------+-----------+-------------+------
            P01            | week_4    | 2026-02-02  | 5
            P01            | discharge | 2026-02-03  | 4
        """,
        expect="""
            study_week | value | visit
            -----------+-------+-------
            5          | 5     | week_4
        """,
    )


def test_days_to_the_next_visit_are_to_its_answers_or_to_a_target_still_open(spec):
    # From Sunday 11 January: 23 days to 3 February. From 8 February: to week 8's target.
    spec(
        derive_week_series,
        participant=P01,
        participant_week="""
            participant_id | study_week | week_starts_on | valid_days | steps_per_day
            ---------------+------------+----------------+------------+--------------
            P01            | 1          | 2026-01-05     | 5          | 6000
            P01            | 5          | 2026-02-02     | 5          | 6000
            P01            | 10         | 2026-03-09     | 5          | 6000
        """,
        outcome="""
            participant_id | visit     | target_on  | answered_on | score | status
            ---------------+-----------+------------+-------------+-------+---------
            P01            | week_4    | 2026-02-02 | 2026-02-03  |       | received
            P01            | discharge |            | 2026-02-10  |       | received
            P01            | week_8    | 2026-03-02 |             |       | not_due
            P01            | week_12   | 2026-03-30 |             |       | missed
        """,
        expect="""
            study_week | days_to_next_visit
            -----------+-------------------
            1          | 23
            5          | 22
            10         |
        """,
    )
