"""GAD-7 and GAD-2 of one form."""

from support.forms import answers

from transforms.outcomes.score import derive_score

USUAL = {"response": {"source": "redcap", "visit": "week_4", "repeat": "1"}}


def test_the_published_examples(spec):
    spec(
        derive_score,
        response=answers(
            "GAD7",
            """
            participant_id|1|2|3|4|5|6|7
            --------------+-+-+-+-+-+-+-
            P01           |1|1|2|1|0|1|1
            P02           |3|3|2|3| |2|3
            P03           |3|3|2|3| | |3
            """,
        ),
        expect="""
            participant_id | scale | score  | prorated | band     | not_scored | not_scored_detail
            ---------------+-------+--------+----------+----------+------------+------------------
            P01            | GAD7  | 7      | F        | mild     |            |
            P01            | GAD2  | 2      | F        | negative |            |
            P02            | GAD7  | 18.667 | T        | severe   |            |
            P02            | GAD2  | 6      | F        | positive |            |
            P03            | GAD7  |        | F        |          | missing    | 2 items
            P03            | GAD2  | 6      | F        | positive |            |
        """,
    )


def test_bands_end_at_4_9_and_14_and_the_screen_is_positive_from_3(spec):
    spec(
        derive_score,
        response=answers(
            "GAD7",
            """
            participant_id|1|2|3|4|5|6|7
            --------------+-+-+-+-+-+-+-
            P04           |1|1|1|1|0|0|0
            P05           |1|2|1|1|0|0|0
            P09           |2|2|1|1|1|1|1
            P10           |2|2|2|1|1|1|1
            P14           |2|2|2|2|2|2|2
            P15           |3|2|2|2|2|2|2
            """,
        ),
        expect="""
            participant_id | scale | score | band
            ---------------+-------+-------+---------
            P04            | GAD7  | 4     | minimal
            P04            | GAD2  | 2     | negative
            P05            | GAD7  | 5     | mild
            P05            | GAD2  | 3     | positive
            P09            | GAD7  | 9     | mild
            P09            | GAD2  | 4     | positive
            P10            | GAD7  | 10    | moderate
            P10            | GAD2  | 4     | positive
            P14            | GAD7  | 14    | moderate
            P14            | GAD2  | 4     | positive
            P15            | GAD7  | 15    | severe
            P15            | GAD2  | 5     | positive
        """,
    )
