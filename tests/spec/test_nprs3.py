"""Three ratings of pain give their mean, and nothing where one is blank."""

from support.forms import answers

from transforms.outcomes.score import derive_score

USUAL = {"response": {"source": "redcap", "visit": "week_4", "repeat": "1"}}


def test_the_composite_is_the_mean_of_now_best_and_worst(spec):
    spec(
        derive_score,
        response=answers(
            "NPRS3",
            """
            participant_id | current | best | worst
            ---------------+---------+------+------
            P01            | 4       | 2    | 7
            P02            | 4       | 2    | 8
            P03            | 4       |      | 8
            P04            | 4       | 2    | 11
            """,
        ),
        expect="""
            participant_id | scale | score | not_scored | not_scored_detail
            ---------------+-------+-------+------------+---------------------------
            P01            | NPRS3 | 4.333 |            |
            P02            | NPRS3 | 4.667 |            |
            P03            | NPRS3 |       | missing    | 1 item
            P04            | NPRS3 |       | rejected   | item worst is out of range
        """,
    )
