"""Whether an expected outcome came: each status, and both sides of each of its days.

Study day 1 is 2026-01-19. Week 4 opens on day 14 (2026-02-01), is aimed at 2026-02-16, is overdue
two days after and closes on day 42 (2026-03-01).
"""

import pytest

from transforms.outcomes.outcome import derive_outcome

USUAL = {
    "participant": {
        "site": "haifa",
        "timezone": "Asia/Jerusalem",
        "enrolled_on": "2026-01-15",
        "starts_on": "2026-01-19",
    },
    "score": {
        "scale": "NPRS",
        "instrument": "NPRS",
        "repeat": "1",
        "items_answered": "1",
        "prorated": "false",
        "scoring_version": "NPRS-1",
    },
}
PAIN_AT_WEEK_4 = "scale = 'NPRS' AND visit = 'week_4'"
PAIN_AT_BASELINE = "scale = 'NPRS' AND visit = 'baseline'"
AT_DISCHARGE = "visit = 'discharge'"

ONE = """
    participant_id
    --------------
    P01
"""


def test_a_visits_window_is_counted_in_study_days_and_there_is_no_day_0(spec):
    spec(
        derive_outcome,
        as_of="2026-01-20T12:00+00:00",
        participant=ONE,
        where="scale = 'FUNC'",
        expect="""
            participant_id | visit     | target_on  | opens_on   | closes_on
            ---------------+-----------+------------+------------+-----------
            P01            | baseline  | 2026-01-19 | 2025-12-22 | 2026-01-19
            P01            | week_4    | 2026-02-16 | 2026-02-01 | 2026-03-01
            P01            | week_8    | 2026-03-16 | 2026-03-02 | 2026-03-29
            P01            | week_12   | 2026-04-13 | 2026-03-30 | 2026-05-10
            P01            | week_26   | 2026-07-20 | 2026-06-21 | 2026-08-16
            P01            | week_52   | 2027-01-18 | 2026-12-20 | 2027-02-14
            P01            | discharge |            |            |
        """,
    )


def test_a_row_stands_for_each_scale_at_each_visit_it_is_due_at(spec):
    spec(
        derive_outcome,
        as_of="2026-01-20T12:00+00:00",
        participant=ONE,
        where="scale = 'FABQW'",
        expect="""
            participant_id | visit    | scale
            ---------------+----------+------
            P01            | baseline | FABQW
            P01            | week_12  | FABQW
            P01            | week_52  | FABQW
        """,
    )


@pytest.mark.parametrize(
    ("today", "status"),
    [
        ("2026-01-31", "not_due"),
        ("2026-02-01", "due"),
        ("2026-02-18", "due"),
        ("2026-02-19", "overdue"),
        ("2026-03-01", "overdue"),
        ("2026-03-02", "missed"),
    ],
)
def test_without_answers_a_visit_goes_from_not_due_to_missed(spec, today, status):
    spec(
        derive_outcome,
        as_of=f"{today}T12:00+00:00",
        participant=ONE,
        where=PAIN_AT_WEEK_4,
        expect=f"""
            participant_id | status   | answered_on | score
            ---------------+----------+-------------+------
            P01            | {status} |             |
        """,
    )


def test_today_is_the_participants_own(spec):
    spec(
        derive_outcome,
        as_of="2026-01-31T22:00+00:00",
        participant="""
            participant_id | timezone
            ---------------+----------------
            P01            | Asia/Jerusalem
            P02            | Europe/London
        """,
        where=PAIN_AT_WEEK_4,
        expect="""
            participant_id | status
            ---------------+--------
            P01            | due
            P02            | not_due
        """,
    )


def test_the_baseline_is_missed_from_day_2_although_two_days_would_make_it_overdue(spec):
    for as_of, status in (("2026-01-19", "due"), ("2026-01-20", "missed")):
        spec(
            derive_outcome,
            as_of=f"{as_of}T12:00+00:00",
            participant=ONE,
            where=PAIN_AT_BASELINE,
            expect=f"""
                participant_id | status
                ---------------+---------
                P01            | {status}
            """,
        )


def test_answers_count_from_the_first_to_the_last_day_of_the_window(spec):
    spec(
        derive_outcome,
        as_of="2026-03-02T12:00+00:00",
        participant="""
            participant_id
            --------------
            P01
            P02
            P03
            P04
        """,
        score="""
            participant_id | visit  | answered_on | score
            ---------------+--------+-------------+------
            P01            | week_4 | 2026-01-31  | 4
            P02            | week_4 | 2026-02-01  | 5
            P03            | week_4 | 2026-03-01  | 6
            P04            | week_4 | 2026-03-02  | 7
        """,
        where=PAIN_AT_WEEK_4,
        expect="""
            participant_id | status   | answered_on | score
            ---------------+----------+-------------+------
            P01            | missed   |             |
            P02            | received | 2026-02-01  | 5
            P03            | received | 2026-03-01  | 6
            P04            | missed   |             |
        """,
    )


def test_the_day_of_the_answers_decides_and_not_the_visit_they_were_filed_under(spec):
    spec(
        derive_outcome,
        as_of="2026-03-20T12:00+00:00",
        participant=ONE,
        score="""
            participant_id | visit  | answered_on | score
            ---------------+--------+-------------+------
            P01            | week_4 | 2026-03-02  | 7
        """,
        where="scale = 'NPRS' AND visit IN ('week_4', 'week_8')",
        expect="""
            participant_id | visit  | status   | score
            ---------------+--------+----------+------
            P01            | week_4 | missed   |
            P01            | week_8 | received | 7
        """,
    )


def test_of_several_answers_the_closest_to_the_target_counts_and_the_earlier_of_two(spec):
    spec(
        derive_outcome,
        as_of="2026-03-02T12:00+00:00",
        participant="""
            participant_id
            --------------
            P01
            P02
            P03
            P04
        """,
        score="""
            participant_id | visit  | repeat | answered_on | score
            ---------------+--------+--------+-------------+------
            P01            | week_4 | 1      | 2026-02-12  | 4
            P01            | week_4 | 2      | 2026-02-19  | 5
            P02            | week_4 | 1      | 2026-02-18  | 6
            P02            | week_4 | 2      | 2026-02-14  | 7
            P03            | week_8 | 1      | 2026-02-16  | 8
            P03            | week_4 | 1      | 2026-02-16  | 9
            P04            | week_4 | 2      | 2026-02-16  | 2
            P04            | week_4 | 1      | 2026-02-16  | 1
        """,
        where=PAIN_AT_WEEK_4,
        expect="""
            participant_id | answered_on | score
            ---------------+-------------+------
            P01            | 2026-02-19  | 5
            P02            | 2026-02-14  | 7
            P03            | 2026-02-16  | 9
            P04            | 2026-02-16  | 1
        """,
    )


def test_answers_that_gave_no_score_are_not_received_and_hide_no_others(spec):
    spec(
        derive_outcome,
        as_of="2026-02-17T12:00+00:00",
        participant="""
            participant_id
            --------------
            P01
            P02
        """,
        score="""
            participant_id | visit  | repeat | answered_on | score | not_scored | not_scored_detail
            ---------------+--------+--------+-------------+-------+------------+------------------
            P01            | week_4 | 1      | 2026-02-16  |       | missing    | 1 item
            P02            | week_4 | 1      | 2026-02-16  |       | missing    | 1 item
            P02            | week_4 | 2      | 2026-02-10  | 5     |            |
        """,
        where=PAIN_AT_WEEK_4,
        expect="""
            participant_id | status   | score
            ---------------+----------+------
            P01            | due      |
            P02            | received | 5
        """,
    )


def test_undated_answers_count_at_their_own_visit_after_any_dated_ones(spec):
    spec(
        derive_outcome,
        as_of="2026-02-17T12:00+00:00",
        participant="""
            participant_id
            --------------
            P01
            P02
        """,
        score="""
            participant_id | visit  | repeat | answered_on | score
            ---------------+--------+--------+-------------+------
            P01            | week_4 | 1      |             | 4
            P02            | week_4 | 1      |             | 4
            P02            | week_4 | 2      | 2026-02-03  | 6
        """,
        where="scale = 'NPRS' AND visit IN ('week_4', 'week_8')",
        expect="""
            participant_id | visit  | status   | answered_on | score
            ---------------+--------+----------+-------------+------
            P01            | week_4 | received |             | 4
            P01            | week_8 | not_due  |             |
            P02            | week_4 | received | 2026-02-03  | 6
            P02            | week_8 | not_due  |             |
        """,
    )


def test_answers_dated_in_the_future_do_not_count_yet(spec):
    spec(
        derive_outcome,
        as_of="2026-02-15T12:00+00:00",
        participant="""
            participant_id
            --------------
            P01
            P02
        """,
        score="""
            participant_id | visit  | answered_on | score
            ---------------+--------+-------------+------
            P01            | week_4 | 2026-02-15  | 4
            P02            | week_4 | 2026-02-16  | 4
        """,
        where=PAIN_AT_WEEK_4,
        expect="""
            participant_id | status
            ---------------+---------
            P01            | received
            P02            | due
        """,
    )


def test_withdrawal_by_the_opening_day_takes_the_visit_out_and_later_makes_it_missed(spec):
    spec(
        derive_outcome,
        as_of="2026-02-10T12:00+00:00",
        participant="""
            participant_id | withdrawn_on
            ---------------+-------------
            P01            | 2026-01-31
            P02            | 2026-02-01
            P03            | 2026-02-02
            P04            | 2026-02-10
            P05            | 2026-02-11
        """,
        where=PAIN_AT_WEEK_4,
        expect="""
            participant_id | status
            ---------------+--------------
            P01            | outside_study
            P02            | outside_study
            P03            | missed
            P04            | missed
            P05            | due
        """,
    )


def test_answers_count_up_to_the_day_of_withdrawal(spec):
    spec(
        derive_outcome,
        as_of="2026-02-20T12:00+00:00",
        participant="""
            participant_id | withdrawn_on
            ---------------+-------------
            P01            | 2026-02-10
            P02            | 2026-02-09
        """,
        score="""
            participant_id | visit  | answered_on | score
            ---------------+--------+-------------+------
            P01            | week_4 | 2026-02-10  | 4
            P02            | week_4 | 2026-02-10  | 4
        """,
        where=PAIN_AT_WEEK_4,
        expect="""
            participant_id | status   | score
            ---------------+----------+------
            P01            | received | 4
            P02            | missed   |
        """,
    )


def test_a_visit_to_come_of_a_participant_who_left_is_outside_the_study(spec):
    spec(
        derive_outcome,
        as_of="2026-01-25T12:00+00:00",
        participant="""
            participant_id | withdrawn_on
            ---------------+-------------
            P01            | 2026-01-25
        """,
        where="scale = 'NPRS' AND visit IN ('baseline', 'week_52', 'discharge')",
        expect="""
            participant_id | visit     | status
            ---------------+-----------+--------------
            P01            | baseline  | missed
            P01            | week_52   | outside_study
            P01            | discharge | outside_study
        """,
    )


def test_discharge_is_not_due_until_somebody_answered_it_or_the_participant_left(spec):
    spec(
        derive_outcome,
        as_of="2026-06-01T12:00+00:00",
        participant="""
            participant_id | withdrawn_on
            ---------------+-------------
            P01            |
            P02            | 2026-06-01
            P03            | 2026-06-02
        """,
        where="scale = 'NPRS' AND visit = 'discharge'",
        expect="""
            participant_id | target_on | status
            ---------------+-----------+--------------
            P01            |           | not_due
            P02            |           | outside_study
            P03            |           | not_due
        """,
    )


@pytest.mark.parametrize(
    ("today", "status"), [("2026-06-01", "due"), ("2026-06-03", "due"), ("2026-06-04", "missed")]
)
def test_once_discharge_is_answered_on_one_scale_the_others_are_due_for_two_days(
    spec, today, status
):
    spec(
        derive_outcome,
        as_of=f"{today}T12:00+00:00",
        participant=ONE,
        score="""
            participant_id | visit     | answered_on | score
            ---------------+-----------+-------------+------
            P01            | discharge | 2026-06-01  | 3
        """,
        where=AT_DISCHARGE,
        expect=f"""
            participant_id | scale  | status   | answered_on | score
            ---------------+--------+----------+-------------+------
            P01            | NPRS   | received | 2026-06-01  | 3
            P01            | FUNC   | {status} |             |
            P01            | FABQPA | {status} |             |
        """,
    )


def test_a_discharge_form_left_empty_makes_nothing_due(spec):
    spec(
        derive_outcome,
        as_of="2026-06-05T12:00+00:00",
        participant=ONE,
        score="""
            participant_id | visit     | answered_on | score | items_answered
            ---------------+-----------+-------------+-------+---------------
            P01            | discharge | 2026-06-01  |       | 0
        """,
        where="scale = 'NPRS' AND visit = 'discharge'",
        expect="""
            participant_id | status
            ---------------+--------
            P01            | not_due
        """,
    )


def test_the_last_discharge_counts_and_for_no_other_visit(spec):
    # 2026-04-13 is the target of week 12.
    spec(
        derive_outcome,
        as_of="2026-06-01T12:00+00:00",
        participant=ONE,
        score="""
            participant_id | visit     | repeat | answered_on | score
            ---------------+-----------+--------+-------------+------
            P01            | discharge | 1      | 2026-04-13  | 3
            P01            | discharge | 2      | 2026-04-14  | 2
        """,
        where="scale = 'NPRS' AND visit IN ('week_12', 'discharge')",
        expect="""
            participant_id | visit     | status   | answered_on | score
            ---------------+-----------+----------+-------------+------
            P01            | week_12   | missed   |             |
            P01            | discharge | received | 2026-04-14  | 2
        """,
    )
