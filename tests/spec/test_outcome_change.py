"""Baseline, change, improvement and response; worked examples of the instruments' papers.

Study day 1 is 2026-01-19; 2026-02-16 is the target of week 4.
"""

from functools import partial

import pytest

from transforms.outcomes.outcome import compute_baseline, derive_outcome
from warehouse.study import EXAMPLE, NamedCohort, Outcome, StudyError, read_study

USUAL = {
    "participant": {
        "site": "haifa",
        "timezone": "Asia/Jerusalem",
        "enrolled_on": "2026-01-15",
        "starts_on": "2026-01-19",
    },
    "score": {
        "scale": "NPRS",
        "instrument": "any",
        "repeat": "1",
        "items_answered": "1",
        "prorated": "false",
        "scoring_version": "1",
    },
}


def before_and_after(scale: str, pairs: dict[str, tuple[str, str]]) -> dict[str, str]:
    """Pictures of participants with a baseline and a week 4 score; "" is no score."""
    scores = ["participant_id | scale | visit | answered_on | score"]
    for participant_id, (before, after) in pairs.items():
        scores.append(f"{participant_id} | {scale} | baseline | 2026-01-18 | {before}")
        scores.append(f"{participant_id} | {scale} | week_4 | 2026-02-16 | {after}")
    return {
        "participant": "\n".join(["participant_id", *pairs]),
        "score": "\n".join(scores),
    }


def outcome_of(con, study, as_of, outcome):
    """derive_outcome under a protocol with this one outcome."""
    derive_outcome(con, study.model_copy(update={"outcomes": [outcome]}), as_of)


def judged(spec, outcome: Outcome, scores: dict[str, tuple[str, str]], expect: str) -> None:
    """The week 4 outcomes of participants with these scores before and after."""
    spec(
        partial(outcome_of, outcome=outcome),
        into="outcome",
        as_of="2026-02-20T12:00+00:00",
        where="visit = 'week_4'",
        **before_and_after(outcome.scale, scores),
        expect=expect,
    )


def at_week_4(scale: str, mcid: float | None, kind: str = "points") -> Outcome:
    return Outcome(scale=scale, visits=["baseline", "week_4"], mcid=mcid, mcid_kind=kind)


def test_the_baseline_is_the_last_score_on_or_before_study_day_1(spec):
    spec(
        derive_outcome,
        as_of="2026-02-20T12:00+00:00",
        participant="""
            participant_id
            --------------
            P01
            P02
            P03
            P04
        """,
        score="""
            participant_id|visit   |repeat|answered_on|score|not_scored|not_scored_detail
            --------------+--------+------+-----------+-----+----------+-----------------
            P01           |baseline|1     |2026-01-10 |8    |          |
            P01           |week_4  |1     |2026-01-19 |7    |          |
            P02           |baseline|1     |2026-01-20 |8    |          |
            P03           |baseline|1     |2025-11-30 |6    |          |
            P03           |baseline|2     |2026-01-18 |     |missing   |1 item
            P04           |baseline|2     |2026-01-18 |5    |          |
            P04           |baseline|1     |2026-01-18 |4    |          |
        """,
        where="scale = 'NPRS' AND visit = 'baseline'",
        expect="""
            participant_id | status   | answered_on | score | baseline_score
            ---------------+----------+-------------+-------+---------------
            P01            | received | 2026-01-19  | 7     | 7
            P02            | missed   |             |       |
            P03            | received | 2025-11-30  | 6     | 6
            P04            | received | 2026-01-18  | 5     | 5
        """,
    )


def test_an_undated_baseline_counts_only_where_no_dated_one_does(spec):
    spec(
        derive_outcome,
        as_of="2026-02-20T12:00+00:00",
        participant="""
            participant_id
            --------------
            P01
            P02
            P03
        """,
        score="""
            participant_id | visit    | repeat | answered_on | score
            ---------------+----------+--------+-------------+------
            P01            | baseline | 1      |             | 8
            P02            | baseline | 2      |             | 8
            P02            | baseline | 1      | 2026-01-10  | 7
            P03            | week_4   | 1      |             | 8
        """,
        where="scale = 'NPRS' AND visit = 'baseline'",
        expect="""
            participant_id | status   | answered_on | baseline_score
            ---------------+----------+-------------+---------------
            P01            | received |             | 8
            P02            | received | 2026-01-10  | 7
            P03            | missed   |             |
        """,
    )


def test_who_has_no_baseline_has_no_row_among_baselines(empty_warehouse):
    con = empty_warehouse
    con.begin()
    con.execute("INSERT INTO participant (participant_id, starts_on) VALUES ('P01', '2026-01-19')")
    con.execute(
        "INSERT INTO score (participant_id, visit, scale, repeat, answered_on, score) VALUES "
        "('P01', 'baseline', 'NPRS', 1, '2026-01-20', 6), "
        "('P01', 'baseline', 'FUNC', 1, '2026-01-19', 51)"
    )
    found = compute_baseline(con, read_study(EXAMPLE)).to_pylist()
    con.rollback()
    assert [(row["scale"], row["baseline_score"]) for row in found] == [("FUNC", 51)]


def test_change_is_later_minus_baseline_and_improvement_points_to_better(spec):
    scores = """
        participant_id | scale | visit    | answered_on | score
        ---------------+-------+----------+-------------+------
        P01            | NPRS  | baseline | 2026-01-18  | 8
        P01            | NPRS  | week_4   | 2026-02-16  | 6
        P01            | FUNC  | baseline | 2026-01-18  | 50
        P01            | FUNC  | week_4   | 2026-02-16  | 44
    """
    spec(
        derive_outcome,
        as_of="2026-02-20T12:00+00:00",
        participant="participant_id\nP01",
        score=scores,
        where="visit = 'week_4' AND scale IN ('NPRS', 'FUNC')",
        expect="""
            scale | baseline_score | score_change | change_pct | improvement | mcid | is_responder
            ------+----------------+--------------+------------+-------------+------+-------------
            NPRS  | 8              | -2           | -25        | 2           | 2    | T
            FUNC  | 50             | -6           | -12        | -6          | 5    | F
        """,
    )


def test_at_the_baseline_visit_there_is_no_change(spec):
    spec(
        derive_outcome,
        as_of="2026-02-20T12:00+00:00",
        **before_and_after("NPRS", {"P01": ("8", "6")}),
        where="visit = 'baseline' AND scale = 'NPRS'",
        expect="""
            score | score_change | change_pct | improvement | is_responder | not_evaluable
            ------+--------------+------------+-------------+--------------+---------------
            8     |              |            |             |              | baseline visit
        """,
    )


def test_a_change_in_percent_is_blank_at_baseline_0(spec):
    judged(
        spec,
        at_week_4("NPRS", 2),
        {"P01": ("0", "2"), "P02": ("", "2"), "P03": ("4", "")},
        """
            participant_id | score_change | change_pct | improvement
            ---------------+--------------+------------+------------
            P01            | 2            |            | -2
            P02            |              |            |
            P03            |              |            |
        """,
    )


FUNCTION = {"P01": ("51", "58"), "P02": ("44", "54"), "P03": ("97", "100")}


def test_function_responds_from_5_points(spec):
    judged(
        spec,
        at_week_4("FUNC", 5),
        FUNCTION,
        """
            participant_id | score_change | is_responder | not_evaluable
            ---------------+--------------+--------------+--------------
            P01            | 7            | T            |
            P02            | 10           | T            |
            P03            | 3            |              | ceiling
        """,
    )


def test_function_responds_from_8_points_where_the_protocol_says_so(spec):
    judged(
        spec,
        at_week_4("FUNC", 8),
        FUNCTION,
        """
            participant_id | is_responder | not_evaluable
            ---------------+--------------+--------------
            P01            | F            |
            P02            | T            |
            P03            |              | ceiling
        """,
    )


def test_the_threshold_itself_responds_and_a_tenth_less_does_not(spec):
    # As binary fractions 68.1 - 63.1 is a little under 5.
    judged(
        spec,
        at_week_4("FUNC", 5),
        {"P01": ("63.1", "68.1"), "P02": ("63.1", "68.0"), "P03": ("50", "55")},
        """
            participant_id | score_change | is_responder
            ---------------+--------------+-------------
            P01            | 5.0          | T
            P02            | 4.9          | F
            P03            | 5.0          | T
        """,
    )


def test_who_cannot_improve_by_the_threshold_is_not_evaluable(spec):
    judged(
        spec,
        at_week_4("FUNC", 5),
        {"P01": ("95", "100"), "P02": ("95.1", "100"), "P03": ("95", "94")},
        """
            participant_id | is_responder | not_evaluable
            ---------------+--------------+--------------
            P01            | T            |
            P02            |              | ceiling
            P03            | F            |
        """,
    )
    judged(
        spec,
        at_week_4("NPRS", 2),
        {"P01": ("2", "0"), "P02": ("1", "0"), "P03": ("0", "0")},
        """
            participant_id | is_responder | not_evaluable
            ---------------+--------------+--------------
            P01            | T            |
            P02            |              | floor
            P03            |              | floor
        """,
    )


PAIN = {"P01": ("7", "4"), "P02": ("5", "4"), "P03": ("8", "4"), "P04": ("10", "7")}


def test_pain_responds_from_2_points(spec):
    judged(
        spec,
        at_week_4("NPRS", 2),
        PAIN,
        """
            participant_id | change_pct | is_responder
            ---------------+------------+-------------
            P01            | -42.9      | T
            P02            | -20.0      | F
            P03            | -50.0      | T
            P04            | -30.0      | T
        """,
    )


def test_pain_responds_from_30_percent_of_baseline(spec):
    judged(
        spec,
        at_week_4("NPRS", 30, "percent"),
        PAIN,
        """
            participant_id | mcid | is_responder
            ---------------+------+-------------
            P01            | 30   | T
            P02            | 30   | F
            P03            | 30   | T
            P04            | 30   | T
        """,
    )


def test_a_percentage_needs_a_baseline_of_2_and_none_exists_of_0(spec):
    judged(
        spec,
        at_week_4("NPRS", 30, "percent"),
        {"P01": ("2", "1"), "P02": ("1", "0"), "P03": ("0", "0")},
        """
            participant_id | is_responder | not_evaluable
            ---------------+--------------+----------------------------
            P01            | T            |
            P02            |              | baseline too low for percent
            P03            |              | baseline 0 has no percent
        """,
    )


def test_a_percentage_of_a_score_where_higher_is_better_meets_the_ceiling(spec):
    judged(
        spec,
        at_week_4("FUNC", 25, "percent"),
        {"P01": ("80", "100"), "P02": ("80.1", "100"), "P03": ("40", "49.9")},
        """
            participant_id | is_responder | not_evaluable
            ---------------+--------------+--------------
            P01            | T            |
            P02            |              | ceiling
            P03            | F            |
        """,
    )


def test_what_is_missing_is_named_and_never_counts_as_no_response(spec):
    judged(
        spec,
        at_week_4("NPRS", 2),
        {"P01": ("", "4"), "P02": ("7", ""), "P03": ("", "")},
        """
            participant_id | is_responder | not_evaluable
            ---------------+--------------+--------------
            P01            |              | no baseline
            P02            |              | no score
            P03            |              | no score
        """,
    )


def test_without_a_threshold_nobody_is_judged(spec):
    judged(
        spec,
        at_week_4("NPRS", None),
        {"P01": ("7", "4")},
        """
            participant_id | improvement | mcid | is_responder | not_evaluable
            ---------------+-------------+------+--------------+-----------------------------
            P01            | 3           |      |              | no threshold in the protocol
        """,
    )


def test_an_unknown_scale_is_refused_before_anything_is_derived(empty_warehouse):
    study = read_study(EXAMPLE).model_copy(update={"outcomes": [at_week_4("ODDI", 10)]})
    with pytest.raises(StudyError, match="unknown scale 'ODDI'"):
        derive_outcome(empty_warehouse, study, None)


def test_an_unknown_scale_of_a_named_cohort_is_refused_too(empty_warehouse):
    bad = NamedCohort.model_validate(
        {"code": "c", "label": "C", "where": [{"scale": "NPRX", "at_least": 7}]}
    )
    study = read_study(EXAMPLE).model_copy(update={"cohorts": [bad]})
    said = r"cohorts\.0\.where\.0\.scale: unknown scale 'NPRX'; known: "
    with pytest.raises(StudyError, match=said):
        derive_outcome(empty_warehouse, study, None)
