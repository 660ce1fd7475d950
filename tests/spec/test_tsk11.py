"""TSK-11: a sum from 11 to 44, two items may be blank, none is reversed."""

from support.forms import answers

from transforms.outcomes.score import derive_score

USUAL = {"response": {"source": "redcap", "visit": "week_4", "repeat": "1"}}


def test_the_sum_and_its_two_parts(spec):
    # Somatic focus: items 3 to 6 and 8; activity avoidance: 1, 2, 7, 9, 10, 11.
    spec(
        derive_score,
        response=answers(
            "TSK11",
            """
            participant_id|1|2|3|4|5|6|7|8|9|10|11
            --------------+-+-+-+-+-+-+-+-+-+--+--
            P01           |2|3|2|1|3|2|2|3|2|1 |2
            P02           |4|3|4|3| |4|3|4|4|3 |4
            P03           |4|3|4| | | |3|4|4|3 |4
            P04           |0|3|4|3|4|4|3|4|4|3 |4
            """,
        ),
        expect="""
            participant_id | scale   | score | prorated | not_scored | not_scored_detail
            ---------------+---------+-------+----------+------------+-----------------------
            P01            | TSK11   | 23    | F        |            |
            P01            | TSK11SF | 11    | F        |            |
            P01            | TSK11AA | 12    | F        |            |
            P02            | TSK11   | 39.6  | T        |            |
            P02            | TSK11SF |       | F        | missing    | 1 item
            P02            | TSK11AA | 21    | F        |            |
            P03            | TSK11   |       | F        | missing    | 3 items
            P03            | TSK11SF |       | F        | missing    | 3 items
            P03            | TSK11AA | 21    | F        |            |
            P04            | TSK11   |       | F        | rejected   | item 1 is out of range
            P04            | TSK11SF | 19    | F        |            |
            P04            | TSK11AA |       | F        | rejected   | item 1 is out of range
        """,
    )


def test_bands_of_the_rounded_score_end_at_22_28_and_35(spec):
    # P24: 20 x 11 / 9 = 24.44 on nine answers; P05: 21 x 11 / 10 = 23.1.
    spec(
        derive_score,
        where="scale = 'TSK11'",
        response=answers(
            "TSK11",
            """
            participant_id|1|2|3|4|5|6|7|8|9|10|11
            --------------+-+-+-+-+-+-+-+-+-+--+--
            P22           |2|2|2|2|2|2|2|2|2|2 |2
            P23           |3|2|2|2|2|2|2|2|2|2 |2
            P28           |3|3|3|3|3|3|2|2|2|2 |2
            P29           |3|3|3|3|3|3|3|2|2|2 |2
            P35           |4|4|3|3|3|3|3|3|3|3 |3
            P36           |4|4|4|3|3|3|3|3|3|3 |3
            P05           |3|2|2|2|2|2|2|2|2|2 |
            P24           |3|3|2|2|2|2|2|2|2|  |
            """,
        ),
        expect="""
            participant_id | score | band
            ---------------+-------+---------
            P22            | 22    | minimal
            P23            | 23    | low
            P28            | 28    | low
            P29            | 29    | moderate
            P35            | 35    | moderate
            P36            | 36    | high
            P05            | 23.1  | low
            P24            | 24.44 | low
        """,
    )
