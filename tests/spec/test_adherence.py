"""Adherence to date, with both denominators."""

from datetime import date, timedelta

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


def test_dose_is_strict_over_the_eligible_days_too(spec):
    spec(  # (5000 + 3000) / (5000 + 5000 + 5000 of the day not worn)
        derive_adherence,
        as_of=AS_OF,
        participant=P01,
        participant_day=GOAL_DAYS,
        expect="""
            eligible_goal_days | dose_adherence | dose_adherence_strict
            -------------------+----------------+----------------------
            3                  | 0.8000         | 0.5333
        """,
    )


def test_guideline_adherence_is_weeks_of_150_minutes_of_valid_and_of_eligible_weeks(spec):
    spec(
        derive_adherence,
        as_of=WEEKS_LATER,
        participant=P01,
        participant_week="""
            participant_id|study_week|eligible_days|valid_week|week_mvpa_minutes
            --------------+----------+-------------+----------+-----------------
            P01           |1         |7            |T         |150
            P01           |2         |7            |T         |149.9
            P01           |3         |7            |F         |
            P01           |4         |2            |F         |
            P01           |5         |0            |F         |
        """,
        expect="""
            eligible_weeks|valid_weeks|guideline_weeks|guideline_adherence_observed|guideline_adherence_strict
            --------------+-----------+---------------+----------------------------+--------------------------
            4             |2          |1              |0.5                         |0.25
        """,
    )


def test_adherent_weeks_are_strict_over_every_eligible_week_with_a_goal(spec):
    spec(
        derive_adherence,
        as_of=WEEKS_LATER,
        participant=P01,
        participant_week="""
            participant_id | study_week | eligible_days | valid_week | adherent_week
            ---------------+------------+---------------+------------+--------------
            P01            | 1          | 7             | T          |
            P01            | 2          | 7             | T          | T
            P01            | 3          | 7             | T          | F
            P01            | 4          | 7             | F          | F
            P01            | 5          | 0             | F          | F
        """,
        expect="""
            goal_weeks|eligible_goal_weeks|goal_weeks_met|adherent_weeks|adherent_weeks_strict
            ----------+-------------------+--------------+--------------+---------------------
            2         |3                  |1             |0.5000        |0.3333
        """,
    )


def lived(states: str) -> str:
    """participant_day of P01 from 5 January, a letter a day: Valid, Not worn, Paused, Outside."""
    kinds = {
        "V": "valid | T | T",
        "N": "not_worn | T | F",
        "P": "paused | F | F",
        "O": "outside_study | F | F",
    }
    rows = [
        f"P01 | {date(2026, 1, 4) + timedelta(n)} | {n} | {kinds[one]}"
        for n, one in enumerate(states, start=1)
    ]
    head = "participant_id | activity_date | study_day | day_state | eligible_day | valid_day"
    return "\n".join([head, *rows])


def persisted(spec, states: str, days: str, ended: str) -> None:
    spec(
        derive_adherence,
        as_of=WEEKS_LATER,
        participant=P01,
        participant_day=lived(states),
        expect=f"persistence_days | persistence_ended\n{days} | {ended}",
    )


def test_persistence_ends_at_the_last_valid_day_before_fourteen_days_without_one(spec):
    persisted(spec, "VVNV" + 14 * "N" + "VV", "4", "T")


def test_thirteen_days_without_a_valid_one_are_not_yet_a_gap(spec):
    persisted(spec, "VVNV" + 13 * "N" + "VV", "19", "F")


def test_the_first_of_two_gaps_ends_it(spec):
    persisted(spec, "VV" + 14 * "N" + "V" + 14 * "N", "2", "T")


def test_who_wears_it_on_is_censored_at_the_last_day(spec):
    persisted(spec, "VVVV" + 10 * "N", "14", "F")


def test_a_gap_from_the_first_day_is_no_persistence(spec):
    persisted(spec, 14 * "N" + "V", "0", "T")


def test_days_that_should_not_count_are_no_part_of_a_gap(spec):
    persisted(spec, "VV" + 30 * "P" + 5 * "N" + "V", "38", "F")
    persisted(spec, "VV" + 7 * "N" + 3 * "P" + 7 * "N" + "V", "2", "T")


def test_persistence_ends_with_the_study_and_not_after_it(spec):
    persisted(spec, "VVV" + 20 * "O", "3", "F")


def test_the_running_day_is_not_yet_of_the_gap_and_before_the_first_there_is_nothing(spec):
    spec(
        derive_adherence,
        as_of="2026-01-05 12:00+00",
        participant=P01,
        participant_day=lived("N"),
        expect="persistence_days | persistence_ended\n | ",
    )
