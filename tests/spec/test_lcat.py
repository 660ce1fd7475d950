"""The Lumbar CAT's score is imported as delivered, from 0 to 100."""

from support.forms import answers

from transforms.outcomes.score import derive_score

USUAL = {"response": {"source": "redcap", "visit": "week_4", "repeat": "1"}}


def test_the_score_is_taken_as_delivered_and_its_range_is_checked(spec):
    spec(
        derive_score,
        response=answers(
            "LCAT",
            """
            participant_id | score
            ---------------+------
            P01            | 51
            P02            | 63.4
            P03            | 0
            P04            | 100
            P05            | 100.1
            P06            | -0.1
            P07            |
            P08            | 63.45
            """,
        ),
        expect="""
            participant_id|scale|score|prorated|not_scored|not_scored_detail
            --------------+-----+-----+--------+----------+--------------------------------
            P01           |FUNC |51   |F       |          |
            P02           |FUNC |63.4 |F       |          |
            P03           |FUNC |0    |F       |          |
            P04           |FUNC |100  |F       |          |
            P05           |FUNC |     |F       |rejected  |item score is out of range
            P06           |FUNC |     |F       |rejected  |item score is out of range
            P07           |FUNC |     |F       |missing   |1 item
            P08           |FUNC |     |F       |rejected  |item score has too many decimals
        """,
    )
