"""Answers due and received by cohort, visit and scale."""

from transforms.cohort.cohort import derive_cohort_member
from transforms.cohort.cohort_completeness import derive_cohort_completeness as completeness_of

USUAL = {
    "participant": {
        "site": "haifa",
        "timezone": "Asia/Jerusalem",
        "enrolled_on": "2026-01-15",
        "starts_on": "2026-01-19",
    },
    "outcome": {"visit": "week_4", "closes_on": "2026-03-01"},
}
SHOW_ALL = {"study": {"small_cell": 0}}
CLOSED = "2026-03-02 12:00+00"
# P03's pain is still awaited: that window closes three days later.
OUTCOME = """
    participant_id | scale | status        | closes_on
    ---------------+-------+---------------+-----------
    P01            | FUNC  | received      | 2026-03-01
    P01            | NPRS  | received      | 2026-03-01
    P02            | FUNC  | received      | 2026-03-01
    P02            | NPRS  | missed        | 2026-03-01
    P03            | FUNC  | received      | 2026-03-04
    P03            | NPRS  | overdue       | 2026-03-04
    P04            | FUNC  | not_due       | 2026-05-01
    P05            | FUNC  | outside_study | 2026-03-01
"""
FIVE = "participant_id\n P01\n P02\n P03\n P04\n P05"


def derive_cohort_completeness(con, study, as_of):
    derive_cohort_member(con, study)
    completeness_of(con, study, as_of)


def test_scales_are_told_one_by_one_and_together(spec):
    spec(
        derive_cohort_completeness,
        as_of=CLOSED,
        protocol=SHOW_ALL,
        participant=FIVE,
        outcome=OUTCOME,
        where="cohort_kind = 'all'",
        expect="""
            scale|participants|due|closed|received|received_closed|received_of_due|received_of_closed
            -----+------------+---+------+--------+---------------+---------------+------------------
                 |3           |6  |4     |4       |3              |0.6667         |0.75
            FUNC |3           |3  |2     |3       |2              |1.0            |1.0
            NPRS |3           |3  |2     |1       |1              |0.3333         |0.5
        """,
    )


def test_complete_is_every_score_of_those_whose_windows_have_closed(spec):
    # P01 is complete, P02 is not and cannot be, P03 still can. Wilson's interval of 1 of 2.
    spec(
        derive_cohort_completeness,
        as_of=CLOSED,
        protocol=SHOW_ALL,
        participant=FIVE,
        outcome=OUTCOME,
        where="cohort_kind = 'all' AND scale IS NULL",
        expect="""
            participants_closed|participants_complete|complete_share|complete_ci_low|complete_ci_high
            -------------------+---------------------+--------------+---------------+----------------
            2                  |1                    |0.500         |0.095          |0.905
        """,
    )


def test_a_window_is_closed_from_the_day_after_its_last_where_the_participant_lives(spec):
    # At 21:30 UTC on 1 March it is still that day in Haifa; at 22:30 it is the next.
    for hour, drawn in (("21:30", "0 | "), ("22:30", "1 | 1.0")):
        spec(
            derive_cohort_completeness,
            as_of=f"2026-03-01 {hour}+00",
            protocol=SHOW_ALL,
            participant="participant_id\n P01",
            outcome="participant_id | scale | status\n P01 | FUNC | received",
            where="cohort = 'haifa' AND scale IS NULL",
            expect=f"closed | received_of_closed\n {drawn}",
        )


def test_a_discharge_closes_with_its_answers(spec):
    spec(
        derive_cohort_completeness,
        as_of=CLOSED,
        protocol=SHOW_ALL,
        participant=FIVE,
        outcome="""
            participant_id | visit     | scale | status   | closes_on
            ---------------+-----------+-------+----------+----------
            P01            | discharge | FUNC  | received |
            P02            | discharge | FUNC  | missed   |
            P03            | discharge | FUNC  | overdue  |
        """,
        where="cohort = 'haifa' AND scale IS NULL",
        expect="due | closed | received_of_closed\n 3 | 2 | 0.5",
    )


def test_nothing_closed_is_no_share(spec):
    spec(
        derive_cohort_completeness,
        as_of=CLOSED,
        protocol=SHOW_ALL,
        participant="participant_id\n P01",
        outcome="participant_id | scale | status | closes_on\n P01 | FUNC | due | 2026-03-02",
        where="cohort = 'haifa' AND scale IS NULL",
        expect="received_of_due | received_of_closed | complete_share\n 0.0 | | ",
    )


def test_fewer_than_the_limit_are_withheld(spec):
    four, five = (
        "participant_id | scale | status\n"
        + "\n".join(f"P{i:02} | FUNC | received" for i in range(1, n + 1))
        for n in (4, 5)
    )
    for outcome, drawn in ((four, "T | | "), (five, "F | 5 | 1.0")):
        spec(
            derive_cohort_completeness,
            as_of=CLOSED,
            participant=FIVE,
            outcome=outcome,
            where="cohort_kind = 'all' AND scale IS NULL",
            expect=f"suppressed | participants | received_of_due\n {drawn}",
        )


def test_of_fewer_whose_windows_have_closed_only_what_rests_on_them_is_blank(spec):
    outcome = "participant_id | scale | status | closes_on\n" + "\n".join(
        f"P{i:02} | FUNC | received | {'2026-03-01' if i < 5 else '2026-03-02'}"
        for i in range(1, 6)
    )
    spec(
        derive_cohort_completeness,
        as_of=CLOSED,
        participant=FIVE,
        outcome=outcome,
        where="cohort_kind = 'all' AND scale IS NULL",
        expect="suppressed | received_of_due | closed | complete_share\n F | 1.0 | | ",
    )
