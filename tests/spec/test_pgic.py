"""PGIC: one answer from 1 (very much improved) to 7 (very much worse)."""

from support.forms import answers

from transforms.outcomes.score import derive_score

USUAL = {"response": {"source": "redcap", "visit": "week_4", "repeat": "1"}}


def test_improved_is_up_to_3_and_worse_from_5(spec):
    spec(
        derive_score,
        response=answers(
            "PGIC",
            """
            participant_id | 1
            ---------------+--
            P01            | 1
            P02            | 3
            P03            | 4
            P04            | 5
            P05            | 7
            P06            | 0
            P07            | 8
            """,
        ),
        expect="""
            participant_id | score | band      | not_scored | not_scored_detail
            ---------------+-------+-----------+------------+-----------------------
            P01            | 1     | improved  |            |
            P02            | 3     | improved  |            |
            P03            | 4     | no change |            |
            P04            | 5     | worse     |            |
            P05            | 7     | worse     |            |
            P06            |       |           | rejected   | item 1 is out of range
            P07            |       |           | rejected   | item 1 is out of range
        """,
    )
