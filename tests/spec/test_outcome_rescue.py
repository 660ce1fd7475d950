"""How many records will be complete in the end, and whose answers would help most."""

from support.work import DAY, NOON, USUAL

from transforms.cohort.cohort import derive_cohort_member
from transforms.cohort.outcome_rescue import derive_outcome_rescue as rescue_of

__all__ = ["USUAL"]
# A record: the pain of the baseline and of week 12. Week 4 has a rate too. Today: 9 February.
PAIN = {"complete_visits": ["baseline", "week_12"], "complete_scales": ["NPRS"]}
SHOW_ALL = {"study": {"small_cell": 0}, "work_list": PAIN}


def derive_outcome_rescue(con, study, as_of):
    """From the roster and the outcomes drawn."""
    derive_cohort_member(con, study)
    rescue_of(con, study, as_of)


PEOPLE = """
    participant_id | site
    ---------------+------------
    P01            | southampton
    P02            | southampton
    P03            | southampton
    P04            | southampton
    P05            | haifa
"""
# Baseline: settled for all, 4 of 5 came. Week 12: settled for P01 and P02, of whom P01's came.
OUTCOMES = """
    participant_id | visit    | status        | closes_on
    ---------------+----------+---------------+-----------
    P01            | baseline | received      | 2026-01-19
    P01            | week_12  | received      | 2026-02-08
    P02            | baseline | received      | 2026-01-19
    P02            | week_12  | missed        | 2026-02-08
    P03            | baseline | received      | 2026-01-19
    P03            | week_12  | overdue       | 2026-02-09
    P04            | baseline | missed        | 2026-01-19
    P04            | week_12  | not_due       | 2026-05-01
    P05            | baseline | received      | 2026-01-19
    P05            | week_12  | not_due       | 2026-05-01
"""


def test_everybody_is_complete_obtainable_or_lost(spec):
    spec(
        derive_outcome_rescue,
        as_of=NOON,
        protocol=SHOW_ALL,
        participant=PEOPLE,
        outcome=OUTCOMES,
        expect="""
            cohort      | participants | complete | obtainable | lost | complete_share | best_share
            ------------+--------------+----------+------------+------+----------------+-----------
            all         | 5            | 1        | 2          | 2    | 0.20           | 0.60
            southampton | 4            | 1        | 1          | 2    | 0.25           | 0.50
            haifa       | 1            | 0        | 1          | 0    | 0.00           | 1.00
        """,
    )


def test_the_rate_of_a_visit_is_of_those_whose_window_has_closed(spec):
    # Wilson for 4 of 5: 0.376 to 0.964; for 1 of 2: 0.095 to 0.905.
    spec(
        derive_outcome_rescue,
        as_of=NOON,
        into="response_rate",
        protocol=SHOW_ALL,
        participant=PEOPLE,
        outcome=OUTCOMES,
        where="cohort = 'all'",
        expect="""
            visit    | settled | received | rate | rate_ci_low | rate_ci_high | rate_of
            ---------+---------+----------+------+-------------+--------------+--------
            baseline | 5       | 4        | 0.8  | 0.376       | 0.964        | own
            week_12  | 2       | 1        | 0.5  | 0.095       | 0.905        | own
        """,
    )


def test_projected_is_what_came_and_what_the_rates_let_expect(spec):
    # Everybody: (1 + 0.5 + 0.5) / 5. Each site rests on everybody's rate, having few of its own.
    spec(
        derive_outcome_rescue,
        as_of=NOON,
        protocol=SHOW_ALL,
        participant=PEOPLE,
        outcome=OUTCOMES,
        expect="""
            cohort      | projected_share | projected_low | projected_high
            ------------+-----------------+---------------+---------------
            all         | 0.400           | 0.238         | 0.562
            southampton | 0.375           | 0.274         | 0.476
            haifa       | 0.500           | 0.095         | 0.905
        """,
    )


def test_a_site_with_enough_settled_has_its_own_rate(spec):
    for enough, rate in ((2, "own | 0.5"), (3, "all | 0.333")):
        spec(
            derive_outcome_rescue,
            as_of=NOON,
            into="response_rate",
            protocol={**SHOW_ALL, "work_list": PAIN | {"own_rate_from": enough}},
            participant=PEOPLE,
            outcome="""
                participant_id | visit   | status   | closes_on
                ---------------+---------+----------+-----------
                P01            | week_12 | received | 2026-02-08
                P02            | week_12 | missed   | 2026-02-08
                P05            | week_12 | missed   | 2026-02-08
            """,
            where="cohort = 'southampton' AND visit = 'week_12'",
            expect=f"rate_of | used_rate\n{rate}",
        )


def test_a_visit_that_is_settled_for_nobody_has_the_rate_of_the_one_before(spec):
    # Week 4, which no record needs, is nearer than the baseline.
    spec(
        derive_outcome_rescue,
        as_of=NOON,
        into="response_rate",
        protocol=SHOW_ALL,
        participant=PEOPLE,
        outcome="""
            participant_id | visit    | status   | closes_on
            ---------------+----------+----------+-----------
            P01            | baseline | received | 2026-01-19
            P01            | week_4   | missed   | 2026-02-01
            P02            | week_4   | received | 2026-02-01
            P03            | week_4   | received | 2026-02-01
            P01            | week_12  | not_due  | 2026-05-01
        """,
        where="cohort = 'all' AND visit = 'week_12'",
        expect="settled | rate | rate_of | used_rate\n0 | | visit_before | 0.667",
    )


def test_without_any_rate_nothing_is_projected(spec):
    spec(
        derive_outcome_rescue,
        as_of=NOON,
        protocol=SHOW_ALL,
        participant=PEOPLE,
        outcome="""
            participant_id | visit    | status  | closes_on
            ---------------+----------+---------+-----------
            P01            | baseline | not_due | 2026-03-01
            P01            | week_12  | not_due | 2026-05-01
        """,
        where="cohort = 'all'",
        expect="""
            participants | complete | obtainable | projected_share | projected_low | best_share
            -------------+----------+------------+-----------------+---------------+-----------
            1            | 0        | 1          |                 |               | 1.0
        """,
    )


def test_every_scale_of_the_visit_must_have_come(spec):
    spec(
        derive_outcome_rescue,
        as_of=NOON,
        protocol={"study": {"small_cell": 0}, "work_list": {"complete_visits": ["week_12"]}},
        participant=PEOPLE,
        outcome="""
            participant_id | visit   | scale  | status        | closes_on
            ---------------+---------+--------+---------------+-----------
            P01            | week_12 | NPRS   | received      | 2026-02-08
            P01            | week_12 | FABQPA | received      | 2026-02-08
            P02            | week_12 | NPRS   | received      | 2026-02-08
            P02            | week_12 | FABQPA | missed        | 2026-02-08
            P03            | week_12 | NPRS   | outside_study | 2026-05-08
            P03            | week_12 | FABQPA | outside_study | 2026-05-08
        """,
        where="cohort = 'all'",
        expect="""
            participants | complete | obtainable | lost
            -------------+----------+------------+-----
            3            | 1        | 0          | 2
        """,
    )


def test_a_small_site_is_withheld(spec):
    spec(
        derive_outcome_rescue,
        as_of=NOON,
        protocol={"study": {"small_cell": 2}, "work_list": PAIN},
        participant=PEOPLE,
        outcome=OUTCOMES,
        where="cohort = 'haifa'",
        expect="suppressed | participants | complete | projected_share\nT | | |",
    )


def test_whose_answer_leaves_least_to_chance_comes_first(spec):
    # P03's is the last of the record. P04 lacks week 12 as well, at a rate of 1 of 2. P02's record
    # is lost. P01's is complete. P05 closes before P03 by a day, and is as good.
    spec(
        derive_outcome_rescue,
        as_of=NOON,
        into="rescue_item",
        protocol=SHOW_ALL,
        participant=PEOPLE,
        participant_day=DAY + "P03 | 2026-02-02 | valid | T\nP05 | 2026-02-01 | valid | T",
        outcome="""
            participant_id | visit    | status   | closes_on
            ---------------+----------+----------+-----------
            P01            | baseline | received | 2026-01-19
            P01            | week_12  | received | 2026-02-08
            P02            | baseline | due      | 2026-02-20
            P02            | week_12  | missed   | 2026-02-08
            P03            | baseline | received | 2026-01-19
            P03            | week_12  | overdue  | 2026-02-12
            P04            | baseline | due      | 2026-02-10
            P04            | week_12  | not_due  | 2026-05-01
            P05            | baseline | received | 2026-01-19
            P05            | week_12  | due      | 2026-02-11
        """,
        expect="""
            position|participant_id|visit   |status |days_left|complete_if_answered|still_wearing
            --------+--------------+--------+-------+---------+--------------------+-------------
            1       |P05           |week_12 |due    |2        |1.0                 |F
            2       |P03           |week_12 |overdue|3        |1.0                 |T
            3       |P04           |baseline|due    |1        |0.5                 |F
        """,
    )


def test_a_visit_that_no_record_needs_is_not_missed_in_one(spec):
    spec(
        derive_outcome_rescue,
        as_of=NOON,
        protocol=SHOW_ALL,
        participant=PEOPLE,
        outcome="""
            participant_id | visit    | status   | closes_on
            ---------------+----------+----------+-----------
            P01            | baseline | received | 2026-01-19
            P01            | week_4   | missed   | 2026-02-01
            P01            | week_12  | received | 2026-02-08
        """,
        where="cohort = 'all'",
        expect="participants | complete | lost\n1 | 1 | 0",
    )
