"""Adherence to date, with both denominators."""

from transforms.cohort.adherence import derive_adherence

AS_OF = "2026-01-09 12:00+00"
WEEKS_LATER = "2026-03-09 12:00+00"
USUAL = {
    "participant": {
        "site": "southampton",
        "timezone": "Europe/London",
        "enrolled_on": "2026-01-02",
        "starts_on": "2026-01-05",
    },
    "participant_day": {"provisional": "F", "study_week": "1"},
    "participant_week": {"week_starts_on": "2026-01-05"},
}
P01 = """
    participant_id
    --------------
    P01
"""


def test_wear_adherence_is_valid_days_of_eligible_days(spec):
    spec(
        derive_adherence,
        as_of=AS_OF,
        participant=P01,
        participant_day="""
            participant_id | activity_date | day_state     | eligible_day | valid_day
            ---------------+---------------+---------------+--------------+----------
            P01            | 2026-01-05    | valid         | T            | T
            P01            | 2026-01-06    | not_worn      | T            | F
            P01            | 2026-01-07    | valid         | T            | T
            P01            | 2026-01-08    | paused        | F            | F
            P01            | 2026-01-09    | outside_study | F            | F
        """,
        expect="""
            study_days | eligible_days | valid_days | wear_adherence
            -----------+---------------+------------+---------------
            4          | 3             | 2          | 0.6667
        """,
    )


GOAL_DAYS = """
    participant_id|activity_date|day_state   |eligible_day|valid_day|steps|goal_steps|goal_met
    --------------+-------------+------------+------------+---------+-----+----------+--------
    P01           |2026-01-05   |valid       |T           |T        |9000 |          |
    P01           |2026-01-06   |valid       |T           |T        |6000 |5000      |T
    P01           |2026-01-07   |valid       |T           |T        |3000 |5000      |F
    P01           |2026-01-08   |not_worn    |T           |F        |0    |5000      |
    P01           |2026-01-09   |pending_sync|F           |F        |     |5000      |
"""


def test_goal_adherence_is_observed_over_valid_days_and_strict_over_eligible_ones(spec):
    spec(
        derive_adherence,
        as_of=AS_OF,
        participant=P01,
        participant_day=GOAL_DAYS,
        expect="""
            goal_days | goal_days_met | goal_adherence_observed | goal_adherence_strict
            ----------+---------------+-------------------------+----------------------
            2         | 1             | 0.5000                  | 0.3333
        """,
    )


def test_dose_is_the_steps_up_to_the_goal_of_the_steps_the_goal_asked(spec):
    spec(  # (5000 + 3000) / (5000 + 5000); the mean is over all three valid days
        derive_adherence,
        as_of=AS_OF,
        participant=P01,
        participant_day=GOAL_DAYS,
        expect="""
            dose_adherence | steps_per_day
            ---------------+--------------
            0.8            | 6000.0
        """,
    )


def test_a_participant_is_adherent_from_the_protocols_share_of_adherent_weeks(spec):
    spec(
        derive_adherence,
        as_of=WEEKS_LATER,
        protocol={"goals": {"adherent_weeks_pct": 75}},
        participant="""
            participant_id
            --------------
            P01
            P02
        """,
        participant_week="""
            participant_id | study_week | valid_week | adherent_week
            ---------------+------------+------------+--------------
            P01            | 1          | T          | T
            P01            | 2          | T          | T
            P01            | 3          | T          | T
            P01            | 4          | T          | F
            P02            | 1          | T          | T
            P02            | 2          | T          | T
            P02            | 3          | T          | T
            P02            | 4          | T          | T
            P02            | 5          | T          | T
            P02            | 6          | T          | F
            P02            | 7          | T          | F
        """,
        expect="""
            participant_id | adherent_weeks | is_adherent
            ---------------+----------------+------------
            P01            | 0.7500         | T
            P02            | 0.7143         | F
        """,
    )


def test_weeks_not_valid_or_without_a_goal_are_in_no_share(spec):
    spec(
        derive_adherence,
        as_of=WEEKS_LATER,
        participant="""
            participant_id
            --------------
            P01
            P02
        """,
        participant_week="""
            participant_id | study_week | valid_week | adherent_week
            ---------------+------------+------------+--------------
            P01            | 1          | T          |
            P01            | 2          | F          | F
            P01            | 3          | T          | T
            P02            | 1          | T          |
            P02            | 2          | F          | F
        """,
        expect="""
            participant_id | adherent_weeks | is_adherent
            ---------------+----------------+------------
            P01            | 1.0            | T
            P02            |                |
        """,
    )


def test_a_week_counts_once_its_seven_days_have_ended_where_the_participant_lives(spec):
    # 22:30 UTC on the last day of week 2: it has ended in Jerusalem, and is still on in London.
    spec(
        derive_adherence,
        as_of="2026-01-18 22:30+00",
        participant="""
            participant_id | timezone
            ---------------+---------------
            P01            | Europe/London
            P02            | Asia/Jerusalem
            P03            | Europe/London
        """,
        participant_week="""
            participant_id | study_week | week_starts_on | valid_week | adherent_week
            ---------------+------------+----------------+------------+--------------
            P01            | 1          | 2026-01-05     | T          | T
            P01            | 2          | 2026-01-12     | T          | F
            P02            | 1          | 2026-01-05     | T          | T
            P02            | 2          | 2026-01-12     | T          | F
            P03            | 1          | 2026-01-12     | T          | T
        """,
        expect="""
            participant_id | adherent_weeks | is_adherent
            ---------------+----------------+------------
            P01            | 1.0            | T
            P02            | 0.5            | F
            P03            |                |
        """,
    )


def test_without_a_denominator_a_share_is_blank(spec):
    spec(
        derive_adherence,
        as_of=AS_OF,
        participant=P01,
        participant_day="""
            participant_id | activity_date | day_state    | eligible_day | valid_day
            ---------------+---------------+--------------+--------------+----------
            P01            | 2026-01-05    | pending_sync | F            | F
        """,
        expect="""
            study_days|wear_adherence|goal_adherence_observed|goal_adherence_strict|dose_adherence
            ----------+--------------+-----------------------+---------------------+--------------
            1         |              |                       |                     |
        """,
    )


def test_a_participant_whose_study_has_not_begun_has_a_row_of_no_days(spec):
    spec(
        derive_adherence,
        as_of=AS_OF,
        participant=P01,
        expect="""
            participant_id | study_days | eligible_days | valid_days | goal_days | is_adherent
            ---------------+------------+---------------+------------+-----------+------------
            P01            | 0          | 0             | 0          | 0         |
        """,
    )


def test_the_last_day_is_the_last_that_has_ended_where_the_participant_lives(spec):
    spec(
        derive_adherence,
        as_of="2026-01-06 22:30+00",
        participant="""
            participant_id | timezone
            ---------------+---------------
            P01            | Europe/London
            P02            | Asia/Jerusalem
            P03            | Europe/London
        """,
        participant_day="""
            participant_id | activity_date | day_state    | valid_day
            ---------------+---------------+--------------+----------
            P01            | 2026-01-05    | valid        | T
            P01            | 2026-01-06    | pending_sync | F
            P02            | 2026-01-05    | valid        | T
            P02            | 2026-01-06    | not_worn     | F
            P02            | 2026-01-07    | pending_sync | F
            P03            | 2026-01-06    | pending_sync | F
        """,
        expect="""
            participant_id | last_valid_on | last_day_state
            ---------------+---------------+---------------
            P01            | 2026-01-05    | valid
            P02            | 2026-01-05    | not_worn
            P03            |               |
        """,
    )
