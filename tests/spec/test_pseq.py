"""PSEQ: a sum from 0 to 60, higher is better; one item may be blank."""

from support.forms import answers

from transforms.outcomes.score import derive_score

USUAL = {"response": {"source": "redcap", "visit": "week_4", "repeat": "1"}}


def test_the_published_examples_and_the_cut_at_40(spec):
    spec(
        derive_score,
        response=answers(
            "PSEQ",
            """
            participant_id|1|2|3|4|5|6|7|8|9|10
            --------------+-+-+-+-+-+-+-+-+-+--
            P01           |4|3|4|3|2|4|3|4|3|4
            P02           |6|5| |6|5|6|6|5|6|6
            P03           |6|5| | |5|6|6|5|6|6
            P04           |4|4|4|4|4|4|4|4|4|4
            P05           |4|4|4|4|4|4|4|4|4|3
            P06           |4|4|4|4|4|4|4|4|3|
            """,
        ),
        expect="""
            participant_id | score  | prorated | band | not_scored | not_scored_detail
            ---------------+--------+----------+------+------------+------------------
            P01            | 34     | F        | poor |            |
            P02            | 56.667 | T        | good |            |
            P03            |        | F        |      | missing    | 2 items
            P04            | 40     | F        | good |            |
            P05            | 39     | F        | poor |            |
            P06            | 38.889 | T        | poor |            |
        """,
    )
