"""FOTO's fear-avoidance is imported as delivered; it is not FABQPA100."""

from transforms.outcomes.score import derive_score

USUAL = {"response": {"source": "redcap", "visit": "week_4", "repeat": "1"}}


def test_the_score_is_taken_as_delivered(spec):
    spec(
        derive_score,
        response="""
            participant_id | instrument | item  | value
            ---------------+------------+-------+------
            P01            | FABQFOTO   | score | 62.5
            P02            | FABQFOTO   | score | 100.1
        """,
        expect="""
            participant_id | scale    | score | not_scored | not_scored_detail
            ---------------+----------+-------+------------+---------------------------
            P01            | FABQFOTO | 62.5  |            |
            P02            | FABQFOTO |       | rejected   | item score is out of range
        """,
    )
