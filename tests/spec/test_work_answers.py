"""Who needs a person for what was answered, or was not: questionnaires, limits, safety."""

from support.work import DAY, NOON, USUAL

from transforms.cohort.work_list import derive_work_item

__all__ = ["USUAL"]
ONE = "participant_id\nP01"


def test_a_questionnaire_is_asked_for_from_its_target_day_and_overdue_by_its_status(spec):
    # P03 wore it a week ago, P04 the day before that.
    spec(
        derive_work_item,
        as_of=NOON,
        participant="participant_id\nP01\nP02\nP03\nP04",
        connection="participant_id\nP01\nP02\nP03\nP04",
        participant_day=DAY + "P03 | 2026-02-02 | valid | T\nP04 | 2026-02-01 | valid | T",
        outcome="""
            participant_id | scale  | status  | target_on  | closes_on
            ---------------+--------+---------+------------+-----------
            P01            | NPRS   | due     | 2026-02-10 | 2026-03-10
            P02            | NPRS   | due     | 2026-02-09 | 2026-03-10
            P03            | NPRS   | overdue | 2026-02-01 | 2026-03-10
            P03            | FABQPA | overdue | 2026-02-01 | 2026-03-10
            P04            | NPRS   | overdue | 2026-02-01 | 2026-03-10
        """,
        expect="""
            participant_id | reason                | level | queue | scales_open | closes_on  | days
            ---------------+-----------------------+-------+-------+-------------+------------+-----
            P02            | questionnaire_due     | amber | chase | 1           | 2026-03-10 | 0
            P03            | wearing_but_overdue   | red   | chase | 2           | 2026-03-10 | 8
            P04            | questionnaire_overdue | amber | chase | 1           | 2026-03-10 | 8
        """,
    )


def test_answers_are_still_chased_after_the_weeks_of_follow_up_and_not_at_discharge(spec):
    spec(
        derive_work_item,
        as_of=NOON,
        participant="participant_id | starts_on\nP01 | 2025-02-01\nP02 | 2025-02-01",
        outcome="""
            participant_id | visit     | status  | target_on  | closes_on
            ---------------+-----------+---------+------------+-----------
            P01            | week_52   | overdue | 2026-01-31 | 2026-02-27
            P02            | discharge | overdue |            |
        """,
        expect="""
            participant_id | reason                | visit
            ---------------+-----------------------+--------
            P01            | questionnaire_overdue | week_52
        """,
    )


def test_of_two_open_visits_the_one_that_closes_first_is_named(spec):
    spec(
        derive_work_item,
        as_of=NOON,
        participant=ONE,
        connection=ONE,
        outcome="""
            participant_id | visit   | status  | target_on  | closes_on
            ---------------+---------+---------+------------+-----------
            P01            | week_8  | overdue | 2026-02-02 | 2026-02-10
            P01            | week_12 | overdue | 2026-02-01 | 2026-02-11
        """,
        expect="""
            participant_id | reason                | visit
            ---------------+-----------------------+-------
            P01            | questionnaire_overdue | week_8
        """,
    )


def test_pain_is_listed_from_2_worse_than_at_baseline_or_from_8(spec):
    # P05's baseline is 8; P06 was worse, and is no longer; P07's answer is older than 28 days.
    spec(
        derive_work_item,
        as_of=NOON,
        participant="participant_id\nP01\nP02\nP03\nP04\nP05\nP06\nP07\nP08",
        connection="participant_id\nP01\nP02\nP03\nP04\nP05\nP06\nP07\nP08",
        outcome="""
            participant_id | visit    | answered_on | score | baseline_score | improvement
            ---------------+----------+-------------+-------+----------------+------------
            P01            | week_4   | 2026-02-08  | 6.9   | 5              | -1.9
            P02            | week_4   | 2026-02-08  | 7     | 5              | -2
            P03            | week_4   | 2026-02-08  | 7.9   | 7              | -0.9
            P04            | week_4   | 2026-02-08  | 8     | 7              | -1
            P05            | baseline | 2026-01-19  | 8     | 8              |
            P06            | week_4   | 2026-02-01  | 9     | 7              | -2
            P06            | week_8   | 2026-02-08  | 7     | 7              | 0
            P07            | week_4   | 2026-01-11  | 9     | 7              | -2
            P08            | week_4   | 2026-01-12  | 9     |                |
        """,
        expect="""
            participant_id | reason      | scale | value | of_value | limit_value | since_on
            ---------------+-------------+-------+-------+----------+-------------+-----------
            P02            | score_worse | NPRS  | 7     | 5        | 2           | 2026-02-08
            P04            | score_worse | NPRS  | 8     | 7        | 8           | 2026-02-08
            P08            | score_worse | NPRS  | 9     |          | 8           | 2026-01-12
        """,
    )


def test_a_limit_of_a_scale_whose_high_end_is_better_is_reached_from_above(spec):
    limits = [{"scale": "FUNC", "reaches": 30.0, "worse_by": None}]
    spec(
        derive_work_item,
        as_of=NOON,
        protocol={"work_list": {"limits": limits}},
        participant="participant_id\nP01\nP02",
        connection="participant_id\nP01\nP02",
        outcome="""
            participant_id | scale | answered_on | score | baseline_score | improvement
            ---------------+-------+-------------+-------+----------------+------------
            P01            | FUNC  | 2026-02-08  | 30.1  | 60             | -29.9
            P02            | FUNC  | 2026-02-08  | 30    | 60             | -30
        """,
        expect="""
            participant_id | reason      | scale | limit_value
            ---------------+-------------+-------+------------
            P02            | score_worse | FUNC  | 30
        """,
    )


def test_no_day_of_a_safety_event_is_told_where_one_is_of_discharge(spec):
    # P02's other event has its day; the two together would tell which is which.
    spec(
        derive_work_item,
        as_of=NOON,
        participant="participant_id\nP01\nP02\nP03",
        connection="participant_id\nP01\nP02\nP03",
        safety_event="""
            participant_id | event_number | visit     | raised_on
            ---------------+--------------+-----------+-----------
            P01            | 1            | discharge | 2026-02-03
            P02            | 1            | week_4    | 2026-02-02
            P02            | 2            | discharge | 2026-02-05
            P03            | 1            | week_4    | 2026-02-06
        """,
        expect="""
            participant_id | reason       | since_on   | days | value | occurrence
            ---------------+--------------+------------+------+-------+-------------
            P01            | safety_event |            |      | 1     | 1
            P02            | safety_event |            |      | 2     | 2
            P03            | safety_event | 2026-02-06 | 3    | 1     | 2026-02-06 1
        """,
    )


def test_a_safety_event_is_listed_whoever_it_is_of_and_never_held_back(spec):
    # P01 has withdrawn, P02 is paused.
    spec(
        derive_work_item,
        as_of=NOON,
        participant="""
            participant_id | withdrawn_on | paused_from
            ---------------+--------------+------------
            P01            | 2026-02-01   |
            P02            |              | 2026-02-01
        """,
        connection="participant_id\nP02",
        safety_event="""
            participant_id | event_number | raised_on
            ---------------+--------------+-----------
            P01            | 1            | 2026-01-20
            P02            | 1            | 2026-01-20
            P02            | 2            | 2026-02-05
        """,
        expect="""
            participant_id | queue           | kind        | value | held_back | occurrence
            ---------------+-----------------+-------------+-------+-----------+-------------
            P01            | clinical_review | phq9_item_9 | 1     | F         | 2026-01-20 1
            P02            | clinical_review | phq9_item_9 | 2     | F         | 2026-02-05 2
        """,
    )


def test_a_questionnaire_is_not_chased_while_answers_cannot_be_read(spec):
    # Of P03 the newest reply came.
    spec(
        derive_work_item,
        as_of=NOON,
        participant="participant_id\nP01\nP02\nP03",
        connection="participant_id\nP01\nP02\nP03",
        outcome="""
            participant_id | status  | target_on  | closes_on
            ---------------+---------+------------+-----------
            P01            | overdue | 2026-02-01 | 2026-03-10
            P02            | due     | 2026-02-09 | 2026-03-10
            P03            | overdue | 2026-02-01 | 2026-03-10
        """,
        receipt="""
            participant_id | data_type | pull_id | asked_at            | reason
            ---------------+-----------+---------+---------------------+--------------
            P01            | responses | 1       | 2026-02-09T05:00+00 | misconfigured
            P02            | responses | 1       | 2026-02-09T05:00+00 | vendor_outage
            P03            | responses | 1       | 2026-02-08T05:00+00 | vendor_outage
            P03            | responses | 2       | 2026-02-09T05:00+00 | received
        """,
        expect="""
            participant_id | reason                | held_because
            ---------------+-----------------------+--------------
            P01            | questionnaire_overdue | our_fault
            P02            | questionnaire_due     | vendor_outage
            P03            | questionnaire_overdue |
        """,
    )
