"""ODI: percent of what was answered; two sections may be blank."""

from support.forms import answers

from transforms.outcomes.score import derive_score

USUAL = {"response": {"source": "redcap", "visit": "week_4", "repeat": "1"}}


def test_the_percent_of_the_answered_sections(spec):
    spec(
        derive_score,
        response=answers(
            "ODI",
            """
            participant_id|1|2|3|4|5|6|7|8|9|10
            --------------+-+-+-+-+-+-+-+-+-+--
            P01           |3|2|4|1|3|2|0| |2|1
            P02           |2|1|3|2|2|1|0|1|2|2
            P03           |5|4|4|5|3|4|2|5|4|5
            P04           |3|2|4|1|3|2|0| | |1
            P05           |3|2|4|1|3|2|0| | |
            """,
        ),
        expect="""
            participant_id | score | items_answered | prorated | not_scored | not_scored_detail
            ---------------+-------+----------------+----------+------------+------------------
            P01            | 40    | 9              | T        |            |
            P02            | 32    | 10             | F        |            |
            P03            | 82    | 10             | F        |            |
            P04            | 40    | 8              | T        |            |
            P05            |       | 7              | F        | missing    | 3 items
        """,
    )


def test_bands_end_at_20_40_60_and_80_unrounded(spec):
    # Nine sections answered: 9, 10, 18, 19 ... of 45.
    spec(
        derive_score,
        response=answers(
            "ODI",
            """
            participant_id|1|2|3|4|5|6|7|8|9|10
            --------------+-+-+-+-+-+-+-+-+-+--
            P20           |1|1|1|1|1|1|1| |1|1
            P21           |2|1|1|1|1|1|1| |1|1
            P40           |2|2|2|2|2|2|2| |2|2
            P41           |3|2|2|2|2|2|2| |2|2
            P60           |3|3|3|3|3|3|3| |3|3
            P61           |4|3|3|3|3|3|3| |3|3
            P80           |4|4|4|4|4|4|4| |4|4
            P81           |5|4|4|4|4|4|4| |4|4
            """,
        ),
        expect="""
            participant_id | score | band
            ---------------+-------+--------------------------
            P20            | 20    | minimal
            P21            | 22.22 | moderate
            P40            | 40    | moderate
            P41            | 42.22 | severe
            P60            | 60    | severe
            P61            | 62.22 | crippled
            P80            | 80    | crippled
            P81            | 82.22 | bed-bound or exaggerating
        """,
    )


def test_a_score_just_above_an_edge_is_not_rounded_down_to_it(spec):
    # 16 of 45 is 35.56, often printed as 35.5; 9 of 40 is 22.5.
    spec(
        derive_score,
        response=answers(
            "ODI",
            """
            participant_id|1|2|3|4|5|6|7|8|9|10
            --------------+-+-+-+-+-+-+-+-+-+--
            P01           |2|2|2|2|2|2|2| |1|1
            P02           |2|1|1|1|1|1|1| | |1
            """,
        ),
        expect="""
            participant_id | score  | band
            ---------------+--------+---------
            P01            | 35.556 | moderate
            P02            | 22.500 | moderate
        """,
    )


def test_of_two_marks_the_higher_counts_and_both_must_be_answers(spec):
    spec(
        derive_score,
        response=answers(
            "ODI",
            """
            participant_id|1    |2|3|4|5|6|7|8|9|10
            --------------+-----+-+-+-+-+-+-+-+-+--
            P01           |2;3  |1|3|2|2|1|0|1|2|2
            P02           |3, 2 |1|3|2|2|1|0|1|2|2
            P03           |2;6  |1|3|2|2|1|0|1|2|2
            P04           |-1;2 |1|3|2|2|1|0|1|2|2
            P05           |2;x  |1|3|2|2|1|0|1|2|2
            P06           |1.5;3|1|3|2|2|1|0|1|2|2
            P07           |2 3  |1|3|2|2|1|0|1|2|2
            P08           |2;   |1|3|2|2|1|0|1|2|2
            """,
        ),
        expect="""
            participant_id | score | not_scored | not_scored_detail
            ---------------+-------+------------+-----------------------------
            P01            | 34    |            |
            P02            | 34    |            |
            P03            |       | rejected   | item 1 is out of range
            P04            |       | rejected   | item 1 is out of range
            P05            |       | rejected   | item 1 is not a number
            P06            |       | rejected   | item 1 has too many decimals
            P07            | 34    |            |
            P08            |       | rejected   | item 1 is not a number
        """,
    )


def test_items_coded_1_to_6_are_told_in_study_toml_and_stored_as_they_came(spec):
    spec(
        derive_score,
        protocol={"instruments": {"ODI": {"coded_from": 1}}},
        response=answers(
            "ODI",
            """
            participant_id|1  |2|3|4|5|6|7|8|9|10
            --------------+---+-+-+-+-+-+-+-+-+--
            P01           |4  |3|5|2|4|3|1| |3|2
            P02           |6  |6|6|6|6|6|6|6|6|6
            P03           |1;2|1|1|1|1|1|1|1|1|1
            P04           |0  |1|1|1|1|1|1|1|1|1
            """,
        ),
        expect="""
            participant_id | score | not_scored | not_scored_detail
            ---------------+-------+------------+-----------------------
            P01            | 40    |            |
            P02            | 100   |            |
            P03            | 2     |            |
            P04            |       | rejected   | item 1 is out of range
        """,
    )


def test_a_6_without_that_setting_is_no_answer(spec):
    spec(
        derive_score,
        response="""
            participant_id | instrument | item | value
            ---------------+------------+------+------
            P01            | ODI        | 3    | 6
        """,
        expect="""
            participant_id | score | not_scored | not_scored_detail
            ---------------+-------+------------+-----------------------
            P01            |       | rejected   | item 3 is out of range
        """,
    )
