"""The load of the work list, worked out again from the data week by week."""

from support.work import DAY, NOON, USUAL, goal_days

from transforms.cohort.cohort import derive_cohort_member
from transforms.cohort.work_load import derive_work_load as load_of

__all__ = ["USUAL"]


def derive_work_load(con, study, as_of):
    """From the roster and the days drawn."""
    derive_cohort_member(con, study)
    load_of(con, study, as_of)


# Everybody; NOON is on Monday, 9 February.
SHOW_ALL = {"study": {"small_cell": 0}, "work_list": {"load_weeks": 3}}
EVERYBODY = "cohort = 'all' AND raised > 0"
TWO = "participant_id\nP01\nP02"


def run_of(participant: str, first: int, last: int, state: str) -> str:
    """Rows under DAY for days of January 2026, counted on past 31."""
    rows = []
    for number in range(first, last + 1):
        date = f"2026-01-{number:02}" if number <= 31 else f"2026-02-{number - 31:02}"
        rows.append(f"{participant} | {date} | {state} | {'T' if state == 'valid' else 'F'}")
    return "\n".join([*rows, ""])


def test_a_run_of_days_without_consent_is_one_alert_of_its_first_week(spec):
    spec(
        derive_work_load,
        as_of=NOON,
        protocol=SHOW_ALL,
        participant=TWO,
        participant_day=DAY
        + run_of("P01", 26, 28, "valid")
        + run_of("P01", 29, 33, "consent_lost")
        + run_of("P01", 34, 34, "valid")
        + run_of("P01", 35, 36, "consent_lost")
        + run_of("P02", 26, 38, "valid"),
        where=EVERYBODY,
        expect="""
            week_starts_on | reason       | expected | raised | raised_per_100
            ---------------+--------------+----------+--------+---------------
            2026-01-26     | consent_lost | 2        | 1      | 50.0
            2026-02-02     | consent_lost | 2        | 1      | 50.0
        """,
    )


def test_weeks_without_an_alert_have_their_zero_and_those_before_the_last_three_no_row(spec):
    spec(
        derive_work_load,
        as_of=NOON,
        protocol=SHOW_ALL,
        participant=TWO,
        participant_day=DAY + run_of("P01", 19, 38, "valid") + run_of("P02", 33, 35, "paused"),
        where="cohort = 'all' AND reason = 'not_worn'",
        expect="""
            week_starts_on | expected | raised | raised_per_100
            ---------------+----------+--------+---------------
            2026-01-26     | 1        | 0      | 0.0
            2026-02-02     | 1        | 0      | 0.0
        """,
    )


def test_too_few_worn_days_is_raised_on_the_day_that_makes_them_too_few(spec):
    # Not worn from Thursday 29 January: the fourth of seven is 1 February, the last of its week.
    spec(
        derive_work_load,
        as_of=NOON,
        protocol=SHOW_ALL,
        participant="participant_id\nP01",
        participant_day=DAY + run_of("P01", 20, 28, "valid") + run_of("P01", 29, 38, "not_worn"),
        where=EVERYBODY,
        expect="""
            week_starts_on | reason   | raised
            ---------------+----------+-------
            2026-01-26     | not_worn | 1
        """,
    )


def test_goals_missed_are_raised_with_the_fourteenth_day(spec):
    days = "participant_id | activity_date | goal_met\n"
    spec(
        derive_work_load,
        as_of=NOON,
        protocol=SHOW_ALL,
        participant="participant_id\nP01",
        participant_day=days + goal_days("P01", "TFFFFFFFFFFFFFF"),
        where=EVERYBODY,
        expect="week_starts_on | reason | raised\n2026-02-02 | goal_missed | 1",
    )


def test_a_silence_is_two_days_of_asking_without_new_days(spec):
    # P01 on the 30th has nothing new since the 28th; P02 an hour less; P03 was not asked between.
    spec(
        derive_work_load,
        as_of=NOON,
        protocol=SHOW_ALL,
        participant="participant_id\nP01\nP02\nP03",
        participant_day=DAY
        + "".join(run_of(who, 26, 38, "valid") for who in ("P01", "P02", "P03")),
        receipt="""
            participant_id | source        | data_type | pull_id | asked_at            | reason
            ---------------+---------------+-----------+---------+---------------------+------------
            P01            | google_health | steps     | 1       | 2026-01-28T06:00+00 | received
            P01            | google_health | steps     | 2       | 2026-01-29T06:00+00 | nothing_new
            P01            | google_health | steps     | 3       | 2026-01-30T06:00+00 | not_synced
            P01            | google_health | steps     | 4       | 2026-01-30T18:00+00 | received
            P02            | google_health | steps     | 1       | 2026-01-28T06:00+00 | received
            P02            | google_health | steps     | 3       | 2026-01-30T05:00+00 | nothing_new
            P03            | google_health | steps     | 1       | 2026-01-28T06:00+00 | received
            P03            | google_health | steps     | 3       | 2026-02-03T06:00+00 | received
        """,
        where=EVERYBODY,
        expect="week_starts_on | reason | raised\n2026-01-26 | not_synced | 1",
    )


def test_a_silence_of_before_the_replies_that_are_kept_is_told_by_minutes_lost(spec):
    spec(
        derive_work_load,
        as_of="2026-03-09T12:00:00+00:00",
        protocol={"study": {"small_cell": 0}},
        participant="participant_id\nP01",
        participant_day=DAY
        + run_of("P01", 26, 27, "valid")
        + run_of("P01", 28, 30, "minutes_lost"),
        where=EVERYBODY,
        expect="week_starts_on | reason | raised\n2026-01-26 | not_synced | 1",
    )


def test_questionnaires_are_raised_at_their_target_and_two_days_after_it(spec):
    # P01 answered on the target day, P02 on the second after it, P03 on the third; P03 wore it.
    spec(
        derive_work_load,
        as_of=NOON,
        protocol=SHOW_ALL,
        participant="participant_id\nP01\nP02\nP03\nP04",
        participant_day=DAY
        + run_of("P01", 28, 28, "paused")
        + "".join(run_of(who, 28, 38, "pending_sync") for who in ("P02", "P04"))
        + run_of("P03", 28, 28, "valid")
        + run_of("P03", 29, 38, "pending_sync"),
        outcome="""
            participant_id | visit  | status   | target_on  | closes_on  | answered_on
            ---------------+--------+----------+------------+------------+------------
            P02            | week_4 | received | 2026-02-01 | 2026-03-10 | 2026-02-03
            P03            | week_4 | received | 2026-02-01 | 2026-03-10 | 2026-02-04
            P04            | week_4 | received | 2026-02-01 | 2026-03-10 | 2026-01-31
            P04            | week_8 | overdue  | 2026-02-02 | 2026-03-10 |
        """,
        where=EVERYBODY,
        expect="""
            week_starts_on | reason                | raised
            ---------------+-----------------------+-------
            2026-01-26     | questionnaire_due     | 2
            2026-02-02     | questionnaire_due     | 1
            2026-02-02     | wearing_but_overdue   | 1
            2026-02-02     | questionnaire_overdue | 1
        """,
    )


def test_scores_past_a_limit_and_safety_events_are_raised_the_day_they_were_given(spec):
    spec(
        derive_work_load,
        as_of=NOON,
        protocol=SHOW_ALL,
        participant="participant_id\nP01",
        participant_day=DAY + run_of("P01", 26, 38, "valid"),
        outcome="""
            participant_id | visit    | answered_on | score | improvement
            ---------------+----------+-------------+-------+------------
            P01            | baseline | 2026-01-28  | 9     |
            P01            | week_4   | 2026-02-03  | 6     | -2
        """,
        safety_event="""
            participant_id | event_number | visit     | raised_on
            ---------------+--------------+-----------+-----------
            P01            | 1            | baseline  | 2026-01-27
            P01            | 2            | discharge | 2026-02-04
        """,
        where=EVERYBODY,
        expect="""
            week_starts_on | reason       | raised
            ---------------+--------------+-------
            2026-01-26     | safety_event | 1
            2026-02-02     | score_worse  | 1
        """,
    )


def test_a_week_of_few_is_withheld(spec):
    spec(
        derive_work_load,
        as_of=NOON,
        protocol={"work_list": {"load_weeks": 1}},
        participant="participant_id\nP01",
        participant_day=DAY + "P01 | 2026-02-09 | pending_sync | F",
        where="cohort = 'all' AND reason = 'not_worn'",
        expect="week_starts_on | suppressed | expected | raised\n2026-02-09 | T | |",
    )


def test_a_window_that_closes_before_it_is_overdue_is_never_overdue(spec):
    spec(
        derive_work_load,
        as_of=NOON,
        protocol=SHOW_ALL,
        participant="participant_id\nP01",
        participant_day=DAY + run_of("P01", 33, 38, "pending_sync"),
        outcome="""
            participant_id | visit    | status | target_on  | closes_on
            ---------------+----------+--------+------------+-----------
            P01            | baseline | missed | 2026-02-02 | 2026-02-04
        """,
        where=EVERYBODY,
        expect="week_starts_on | reason | raised\n2026-02-02 | questionnaire_due | 1",
    )
