"""What those are like whose answers came, beside those whose did not."""

from transforms.cohort.cohort import derive_cohort_member
from transforms.cohort.who_is_missing import derive_who_is_missing as who_is_missing_of

USUAL = {
    "participant": {
        "site": "haifa",
        "timezone": "Asia/Jerusalem",
        "enrolled_on": "2026-01-15",
        "starts_on": "2026-01-19",
    },
    "visit": {"label": "Week 4", "visit": "week_4", "week": "4"},
    "outcome": {"visit": "week_4", "status": "received", "closes_on": "2026-03-01"},
    "participant_week": {"week_starts_on": "2026-01-19", "valid_week": "true"},
    "baseline_activity": {"window_starts_on": "2026-01-21", "window_ends_on": "2026-02-01"},
}
SHOW_ALL = {"study": {"small_cell": 0}}
CLOSED = "2026-03-02 12:00+00"
# P01 and P02 answered all, P03 and P04 did not; P05's window is still open: in neither.
OUTCOME = """
    participant_id | scale | status   | closes_on
    ---------------+-------+----------+-----------
    P01            | FUNC  | received | 2026-03-01
    P01            | NPRS  | received | 2026-03-01
    P02            | FUNC  | received | 2026-03-01
    P02            | NPRS  | received | 2026-03-01
    P03            | FUNC  | received | 2026-03-01
    P03            | NPRS  | missed   | 2026-03-01
    P04            | FUNC  | missed   | 2026-03-01
    P04            | NPRS  | missed   | 2026-03-01
    P05            | FUNC  | received | 2026-03-02
"""


def derive_who_is_missing(con, study, as_of):
    derive_cohort_member(con, study)
    who_is_missing_of(con, study, as_of)


def test_means_of_age_have_a_t_interval(spec):
    # 40 and 50: 45 +- 12.706 * 7.071 / sqrt(2) = 45 +- 63.53. The difference is 15 years, and the
    # pooled deviation sqrt((50 + 200) / 2) = 11.18.
    spec(
        derive_who_is_missing,
        as_of=CLOSED,
        protocol=SHOW_ALL,
        visit="week\n 4",
        participant="""
            participant_id | age_years
            ---------------+----------
            P01            | 40
            P02            | 50
            P03            | 50
            P04            | 70
            P05            | 99
        """,
        outcome=OUTCOME,
        where="cohort_kind = 'all' AND trait = 'age_years'",
        expect="""
            answers    | participants | mean | ci_low | ci_high | standardised_difference
            -----------+--------------+------+--------+---------+------------------------
            complete   | 2            | 45.0 | -18.53 | 108.53  | 1.342
            incomplete | 2            | 60.0 | -67.06 | 187.06  | 1.342
        """,
    )


def test_a_share_has_wilsons_interval_and_a_blank_is_in_neither(spec):
    # One of two, and none of one: P04's sex is not known. (0 - 0.5) / sqrt((0.25 + 0) / 2).
    spec(
        derive_who_is_missing,
        as_of=CLOSED,
        protocol=SHOW_ALL,
        visit="week\n 4",
        participant="""
            participant_id | sex
            ---------------+-------
            P01            | female
            P02            | male
            P03            | male
            P04            |
        """,
        outcome=OUTCOME,
        where="cohort_kind = 'all' AND trait = 'female'",
        expect="""
            answers    | participants | mean  | ci_low | ci_high | standardised_difference
            -----------+--------------+-------+--------+---------+------------------------
            complete   | 2            | 0.500 | 0.095  | 0.905   | -1.414
            incomplete | 1            | 0.000 | 0.000  | 0.793   | -1.414
        """,
    )


def test_wear_counts_up_to_the_visits_week_and_steps_are_those_of_the_run_in(spec):
    spec(
        derive_who_is_missing,
        as_of=CLOSED,
        protocol=SHOW_ALL,
        visit="week\n 4",
        participant="participant_id\n P01\n P03",
        outcome=OUTCOME,
        participant_week="""
            participant_id | study_week | eligible_days | valid_days
            ---------------+------------+---------------+-----------
            P01            | 1          | 7             | 7
            P01            | 4          | 7             | 0
            P01            | 5          | 7             | 7
            P03            | 4          | 0             | 0
        """,
        baseline_activity="participant_id | baseline_steps\n P01 | 5000\n P03 | ",
        where="cohort_kind = 'all' AND trait IN ('wear_adherence', 'baseline_steps')",
        expect="""
            trait          | answers  | participants | mean
            ---------------+----------+--------------+-------
            wear_adherence | complete | 1            | 0.5
            baseline_steps | complete | 1            | 5000.0
        """,
    )


def test_baseline_scores_are_told_scale_by_scale_whoever_answered_later(spec):
    spec(
        derive_who_is_missing,
        as_of=CLOSED,
        protocol=SHOW_ALL,
        visit="week\n 4",
        participant="participant_id\n P01\n P03",
        outcome="""
            participant_id | visit  | scale | baseline_score | status   | closes_on
            ---------------+--------+-------+----------------+----------+-----------
            P01            | week_4 | NPRS  | 4              | received | 2026-03-01
            P01            | week_8 | NPRS  | 4              | due      | 2026-05-01
            P03            | week_4 | NPRS  | 7              | missed   | 2026-03-01
            P03            | week_4 | FUNC  | 50             | received | 2026-03-01
        """,
        where="cohort_kind = 'all' AND trait = 'baseline_score'",
        expect="""
            scale | answers    | participants | mean
            ------+------------+--------------+-----
            NPRS  | complete   | 1            | 4.0
            NPRS  | incomplete | 1            | 7.0
            FUNC  | incomplete | 1            | 50.0
        """,
    )


def group(complete, incomplete):
    """So many of each, all of one age: the roster and their answers."""
    people = [f"P{i:02}" for i in range(1, complete + incomplete + 1)]
    roster = "participant_id | age_years\n" + "\n".join(f"{one} | 40" for one in people)
    outcome = "participant_id | scale | status\n" + "\n".join(
        f"{one} | FUNC | {'received' if i < complete else 'missed'}" for i, one in enumerate(people)
    )
    return {"participant": roster, "outcome": outcome, "visit": "week\n 4"}


def test_neither_is_shown_when_one_of_them_is_too_few(spec):
    for incomplete, drawn in ((4, ("T | | ", "T | | ")), (5, ("F | 9 | 40", "F | 5 | 40"))):
        complete_row, incomplete_row = drawn
        spec(
            derive_who_is_missing,
            as_of=CLOSED,
            **group(9, incomplete),
            where="cohort_kind = 'all' AND trait = 'age_years'",
            expect=f"answers | suppressed | participants | mean\n complete | {complete_row}\n"
            f"incomplete | {incomplete_row}",
        )


def test_with_nobody_missing_the_rest_are_told_alone(spec):
    spec(
        derive_who_is_missing,
        as_of=CLOSED,
        **group(5, 0),
        where="cohort_kind = 'all' AND trait = 'age_years'",
        expect="answers | participants | mean | standardised_difference\n complete | 5 | 40 | ",
    )
