"""Cohorts' improvement by visit: who is expected, means, responders, and what is withheld."""

import pytest

from transforms.cohort import cohort_outcome
from transforms.cohort.cohort import derive_cohort_member

USUAL = {
    "participant": {
        "site": "haifa",
        "timezone": "Asia/Jerusalem",
        "enrolled_on": "2026-01-15",
        "starts_on": "2026-01-19",
    },
    "outcome": {"visit": "week_4", "scale": "NPRS", "status": "received"},
}
SHOW_ALL = {"study": {"small_cell": 0}}
EVERYBODY = "cohort_kind = 'all'"


def derive_cohort_outcome(con, study):
    """The cohort table from the roster drawn."""
    derive_cohort_member(con, study)
    cohort_outcome.derive_cohort_outcome(con, study)


def people(count: int, **facts: str) -> str:
    """The picture of `participant` for P01 to P<count>, with the same facts for each."""
    header = " | ".join(["participant_id", *facts])
    rows = [" | ".join([f"P{n:02d}", *facts.values()]) for n in range(1, count + 1)]
    return "\n".join([header, *rows])


def test_each_participant_counts_in_every_cohort_they_belong_to(spec):
    spec(
        derive_cohort_outcome,
        protocol=SHOW_ALL,
        participant="""
            participant_id | site   | arm        | therapist_id | depression_or_anxiety
            ---------------+--------+------------+--------------+----------------------
            P01            | haifa  | etmi       | T01          | true
            P02            | haifa  | usual_care | T02          | false
            P03            | london | etmi       | T01          |
            P04            | london |            |              |
        """,
        outcome="""
            participant_id | score
            ---------------+------
            P01            | 2
            P02            | 4
            P03            | 6
            P04            | 8
        """,
        expect="""
            cohort_kind           | cohort     | visit  | scale | expected | received | mean_score
            ----------------------+------------+--------+-------+----------+----------+-----------
            all                   | all        | week_4 | NPRS  | 4        | 4        | 5
            site                  | haifa      | week_4 | NPRS  | 2        | 2        | 3
            site                  | london     | week_4 | NPRS  | 2        | 2        | 7
            depression_or_anxiety | yes        | week_4 | NPRS  | 1        | 1        | 2
            depression_or_anxiety | no         | week_4 | NPRS  | 1        | 1        | 4
            arm                   | etmi       | week_4 | NPRS  | 2        | 2        | 4
            arm                   | usual_care | week_4 | NPRS  | 1        | 1        | 4
            therapist             | T01        | week_4 | NPRS  | 2        | 2        | 4
            therapist             | T02        | week_4 | NPRS  | 1        | 1        | 4
        """,
    )


def test_expected_are_those_whose_visit_has_come_due(spec):
    spec(
        derive_cohort_outcome,
        protocol=SHOW_ALL,
        participant=people(6),
        outcome="""
            participant_id | visit  | status        | score
            ---------------+--------+---------------+------
            P01            | week_4 | received      | 4
            P02            | week_4 | due           |
            P03            | week_4 | overdue       |
            P04            | week_4 | missed        |
            P05            | week_4 | not_due       |
            P06            | week_4 | outside_study |
            P01            | week_8 | not_due       |
        """,
        where=EVERYBODY,
        expect="""
            visit  | expected | received
            -------+----------+---------
            week_4 | 4        | 1
        """,
    )


def test_means_have_a_t_interval_of_those_who_answered(spec):
    # Scores 2 4 4 6 9: mean 5, sd 2.6458, t(4) 2.776: ± 3.285. Improvements 1 2 3: 2 ± 4.303/√3.
    spec(
        derive_cohort_outcome,
        protocol=SHOW_ALL,
        participant=people(6),
        outcome="""
            participant_id | status   | score | improvement
            ---------------+----------+-------+------------
            P01            | received | 2     | 1
            P02            | received | 4     | 2
            P03            | received | 4     | 3
            P04            | received | 6     |
            P05            | received | 9     |
            P06            | missed   |       |
        """,
        where=EVERYBODY,
        expect="""
            mean_score | score_ci_low | score_ci_high | improvement_ci_low | improvement_ci_high
            -----------+--------------+---------------+--------------------+--------------------
            5.000      | 1.715        | 8.285         | -0.484             | 4.484
        """,
    )


def test_one_answer_has_a_mean_and_no_interval_and_none_has_neither(spec):
    spec(
        derive_cohort_outcome,
        protocol=SHOW_ALL,
        participant=people(2),
        outcome="""
            participant_id | visit  | status   | score | improvement
            ---------------+--------+----------+-------+------------
            P01            | week_4 | received | 3     | 1
            P01            | week_8 | missed   |       |
        """,
        where=EVERYBODY,
        expect="""
            visit  | received | mean_score | score_ci_low | mean_improvement | improvement_ci_low
            -------+----------+------------+--------------+------------------+-------------------
            week_4 | 1        | 3          |              | 1                |
            week_8 | 0        |            |              |                  |
        """,
    )


def test_two_answers_have_an_interval(spec):
    # 3 and 5: mean 4, sd 1.4142, t(1) 12.706: ± 12.706.
    spec(
        derive_cohort_outcome,
        protocol=SHOW_ALL,
        participant=people(2),
        outcome="""
            participant_id | score
            ---------------+------
            P01            | 3
            P02            | 5
        """,
        where=EVERYBODY,
        expect="""
            mean_score | score_ci_low | score_ci_high
            -----------+--------------+--------------
            4.000      | -8.706       | 16.706
        """,
    )


@pytest.mark.parametrize(
    ("responders", "evaluable", "share", "low", "high"),
    [(92, 108, "0.8519", "0.7728", "0.9067"), (52, 81, "0.6420", "0.5333", "0.7378")],
)
def test_responders_have_a_wilson_interval(spec, responders, evaluable, share, low, high):
    rows = [f"P{n:02d} | 3 | {n <= responders}" for n in range(1, evaluable + 1)]
    rows.append("P00 | 3 |")  # received and not evaluable
    spec(
        derive_cohort_outcome,
        participant=people(evaluable) + "\nP00",
        outcome="\n".join(["participant_id | score | is_responder", *rows]),
        where=EVERYBODY,
        expect=f"""
            evaluable   | responders   | responder_share | responder_ci_low | responder_ci_high
            ------------+--------------+-----------------+------------------+------------------
            {evaluable} | {responders} | {share}         | {low}            | {high}
        """,
    )


def test_where_nobody_can_be_judged_there_are_no_responders_rather_than_0(spec):
    spec(
        derive_cohort_outcome,
        participant=people(5),
        outcome="\n".join(["participant_id | score", *(f"P0{n} | 3" for n in range(1, 6))]),
        where=EVERYBODY,
        expect="""
            received | suppressed | evaluable | responders | responder_share | responder_ci_low
            ---------+------------+-----------+------------+-----------------+-----------------
            5        | F          | 0         |            |                 |
        """,
    )


def test_fewer_than_five_behind_any_figure_withhold_the_row(spec):
    # week_4: five answers. week_8: four. week_12: five, of whom four have a change. week_26: five,
    # of whom four can be judged. week_52: nobody answered, which is nobody's figure.
    counts = {"week_4": (5, 5, 5), "week_8": (4, 0, 0), "week_12": (5, 4, 0)}
    counts |= {"week_26": (5, 5, 4), "week_52": (0, 0, 0)}
    rows = ["participant_id | visit | status | score | improvement | is_responder"]
    for visit, (received, changed, judged) in counts.items():
        for n in range(1, 6):
            status = "received" if n <= received else "missed"
            cells = [
                "4" if n <= received else "",
                "2" if n <= changed else "",
                "true" if n <= judged else "",
            ]
            rows.append(" | ".join([f"P0{n}", visit, status, *cells]))
    spec(
        derive_cohort_outcome,
        participant=people(5),
        outcome="\n".join(rows),
        where=EVERYBODY,
        expect="""
            visit   | suppressed | expected | received | mean_score | evaluable | responders
            --------+------------+----------+----------+------------+-----------+-----------
            week_4  | F          | 5        | 5        | 4          | 5         | 5
            week_8  | T          |          |          |            |           |
            week_12 | T          |          |          |            |           |
            week_26 | T          |          |          |            |           |
            week_52 | F          | 5        | 0        |            | 0         |
        """,
    )
