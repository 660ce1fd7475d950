"""Pain is one whole number from 0 to 10."""

from support.forms import answers

from transforms.outcomes.score import derive_score

USUAL = {"response": {"source": "redcap", "visit": "week_4", "repeat": "1"}}


def test_pain_is_a_whole_number_from_0_to_10(spec):
    spec(
        derive_score,
        response=answers(
            "NPRS",
            """
            participant_id | 1
            ---------------+----
            P01            | 0
            P02            | 10
            P03            | 11
            P04            | -1
            P05            | 3.5
            P06            | about 4
            P07            |
            """,
        ),
        expect="""
            participant_id|scale|score|items_answered|not_scored|not_scored_detail
            --------------+-----+-----+--------------+----------+----------------------------
            P01           |NPRS |0    |1             |          |
            P02           |NPRS |10   |1             |          |
            P03           |NPRS |     |1             |rejected  |item 1 is out of range
            P04           |NPRS |     |1             |rejected  |item 1 is out of range
            P05           |NPRS |     |1             |rejected  |item 1 has too many decimals
            P06           |NPRS |     |1             |rejected  |item 1 is not a number
            P07           |NPRS |     |0             |missing   |1 item
        """,
    )
