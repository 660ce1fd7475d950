"""Person-days -> protocol weeks."""

from transforms.activity.week import derive_participant_week

USUAL = {
    "participant_day": {
        "participant_id": "P01",
        "study_week": "1",
        "valid_day": "T",
        "eligible_day": "T",
        "day_state": "valid",
        "provisional": "F",
    }
}


def test_a_week_begins_with_study_day_1_8_15_and_not_with_a_monday(spec):
    spec(
        derive_participant_week,
        participant_day="""
            participant_id | activity_date | study_day | study_week
            ---------------+---------------+-----------+-----------
            P01            | 2026-01-08    | 1         | 1
            P01            | 2026-01-14    | 7         | 1
            P01            | 2026-01-15    | 8         | 2
            P02            | 2026-01-09    | 1         | 1
        """,
        expect="""
            participant_id | study_week | week_starts_on
            ---------------+------------+---------------
            P01            | 1          | 2026-01-08
            P01            | 2          | 2026-01-15
            P02            | 1          | 2026-01-09
        """,
    )


def test_a_week_is_valid_from_4_valid_days_of_7(spec):
    spec(
        derive_participant_week,
        participant_day="""
            participant_id | activity_date | valid_day | eligible_day
            ---------------+---------------+-----------+-------------
            P01            | 2026-01-05    | T         | T
            P01            | 2026-01-06    | T         | T
            P01            | 2026-01-07    | T         | T
            P01            | 2026-01-08    | T         | T
            P01            | 2026-01-09    | F         | T
            P01            | 2026-01-10    | F         | F
            P01            | 2026-01-11    | F         | F
            P02            | 2026-01-05    | T         | T
            P02            | 2026-01-06    | T         | T
            P02            | 2026-01-07    | T         | T
            P02            | 2026-01-08    | F         | T
        """,
        expect="""
            participant_id | eligible_days | valid_days | valid_week
            ---------------+---------------+------------+-----------
            P01            | 5             | 4          | T
            P02            | 4             | 3          | F
        """,
    )


def test_the_number_of_valid_days_a_week_needs_is_the_protocols(spec):
    spec(
        derive_participant_week,
        protocol={"wear": {"valid_week_days": 1}},
        participant_day="""
            participant_id | activity_date
            ---------------+--------------
            P01            | 2026-01-05
        """,
        expect="""
            valid_days | valid_week
            -----------+-----------
            1          | T
        """,
    )


def test_means_are_over_valid_days_and_blank_without_one(spec):
    spec(
        derive_participant_week,
        participant_day="""
            participant_id | activity_date | valid_day | steps | wear_minutes
            ---------------+---------------+-----------+-------+-------------
            P01            | 2026-01-05    | T         | 5000  | 700
            P01            | 2026-01-06    | T         | 6001  |
            P01            | 2026-01-07    | F         | 100   | 30
            P01            | 2026-01-08    | F         |       |
            P02            | 2026-01-05    | F         | 100   | 30
        """,
        expect="""
            participant_id | steps_per_day | wear_minutes_per_day
            ---------------+---------------+---------------------
            P01            | 5500.5        | 700.0
            P02            |               |
        """,
    )


def test_weekly_mvpa_is_7_times_the_mean_of_the_valid_days_of_a_valid_week(spec):
    spec(  # (10 + 20 + 30 + 41) / 4 * 7 = 176.75
        derive_participant_week,
        participant_day="""
            participant_id | activity_date | valid_day | mvpa_equivalent_minutes
            ---------------+---------------+-----------+------------------------
            P01            | 2026-01-05    | T         | 10
            P01            | 2026-01-06    | T         | 20
            P01            | 2026-01-07    | T         | 30
            P01            | 2026-01-08    | T         | 41
            P01            | 2026-01-09    | F         | 90
            P02            | 2026-01-05    | T         | 10
            P02            | 2026-01-06    | T         | 20
            P02            | 2026-01-07    | T         | 30
        """,
        expect="""
            participant_id | valid_week | week_mvpa_minutes
            ---------------+------------+------------------
            P01            | T          | 176.75
            P02            | F          |
        """,
    )


def test_a_week_is_adherent_when_the_goal_is_met_on_5_days(spec):
    spec(
        derive_participant_week,
        participant_day="""
            participant_id | activity_date | valid_day | goal_steps | goal_met
            ---------------+---------------+-----------+------------+---------
            P01            | 2026-01-05    | T         | 6000       | T
            P01            | 2026-01-06    | T         | 6000       | T
            P01            | 2026-01-07    | T         | 6000       | T
            P01            | 2026-01-08    | T         | 6000       | T
            P01            | 2026-01-09    | T         | 6000       | T
            P01            | 2026-01-10    | T         | 6000       | F
            P01            | 2026-01-11    | F         | 6000       |
            P02            | 2026-01-05    | T         | 6000       | T
            P02            | 2026-01-06    | T         | 6000       | T
            P02            | 2026-01-07    | T         | 6000       | T
            P02            | 2026-01-08    | T         | 6000       | T
            P02            | 2026-01-09    | T         | 6000       | F
        """,
        expect="""
            participant_id | goal_days | goal_days_met | adherent_week
            ---------------+-----------+---------------+--------------
            P01            | 6         | 5             | T
            P02            | 5         | 4             | F
        """,
    )


def test_a_week_that_is_not_valid_is_not_adherent_and_one_without_a_goal_is_neither(spec):
    spec(
        derive_participant_week,
        protocol={"goals": {"adherent_week_goal_days": 3}},
        participant_day="""
            participant_id | activity_date | valid_day | goal_steps | goal_met
            ---------------+---------------+-----------+------------+---------
            P01            | 2026-01-05    | T         | 6000       | T
            P01            | 2026-01-06    | T         | 6000       | T
            P01            | 2026-01-07    | T         | 6000       | T
            P02            | 2026-01-05    | T         | 6000       | T
            P02            | 2026-01-06    | T         | 6000       | T
            P02            | 2026-01-07    | T         | 6000       | T
            P02            | 2026-01-08    | T         |            |
            P03            | 2026-01-05    | T         |            |
            P03            | 2026-01-06    | T         |            |
            P03            | 2026-01-07    | T         |            |
            P03            | 2026-01-08    | T         |            |
            P04            | 2026-01-05    | F         | 6000       |
        """,
        expect="""
            participant_id | valid_week | goal_days | goal_days_met | adherent_week
            ---------------+------------+-----------+---------------+--------------
            P01            | F          | 3         | 3             | F
            P02            | T          | 3         | 3             | T
            P03            | T          | 0         | 0             |
            P04            | F          | 0         | 0             | F
        """,
    )


def test_the_activity_class_is_the_guidelines_with_150_and_300_in_the_middle(spec):
    spec(
        derive_participant_week,
        protocol={"wear": {"valid_week_days": 1}},
        participant_day="""
            participant_id | activity_date | valid_day | mvpa_equivalent_minutes
            ---------------+---------------+-----------+------------------------
            P01            | 2026-01-05    | T         | 21
            P02            | 2026-01-05    | T         | 21
            P02            | 2026-01-06    | T         | 22
            P02            | 2026-01-07    | T         | 22
            P02            | 2026-01-08    | T         | 21
            P02            | 2026-01-09    | T         | 21
            P02            | 2026-01-10    | T         | 22
            P02            | 2026-01-11    | T         | 21
            P03            | 2026-01-05    | T         | 42
            P03            | 2026-01-06    | T         | 43
            P03            | 2026-01-07    | T         | 43
            P03            | 2026-01-08    | T         | 43
            P03            | 2026-01-09    | T         | 43
            P03            | 2026-01-10    | T         | 43
            P03            | 2026-01-11    | T         | 43
            P04            | 2026-01-05    | T         | 43
            P05            | 2026-01-05    | F         | 43
        """,
        expect="""
            participant_id | week_mvpa_minutes | activity_class
            ---------------+-------------------+---------------
            P01            | 147               | under_150
            P02            | 150               | 150_to_300
            P03            | 300               | 150_to_300
            P04            | 301               | over_300
            P05            |                   |
        """,
    )


def test_daily_metrics_have_their_mean_over_the_valid_days_that_have_them(spec):
    spec(
        derive_participant_week,
        participant_day="""
            activity_date|valid_day|sedentary_minutes|brisk_bouts|peak_30_cadence|first_step_minute
            -------------+---------+-----------------+-----------+---------------+-----------------
            2026-01-05   |T        |400              |1          |90.5           |420
            2026-01-06   |T        |500              |0          |100.5          |
            2026-01-07   |T        |                 |3          |               |431
            2026-01-08   |F        |900              |9          |10             |900
        """,
        expect="""
            sedentary_minutes_per_day|brisk_bouts_per_day|mean_peak_30_cadence|mean_first_step_minute
            -------------------------+-------------------+--------------------+----------------------
            450                      |1.3333             |95.5                |425.5
        """,
    )
