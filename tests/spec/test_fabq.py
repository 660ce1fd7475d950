"""FABQ: physical activity from items 2-5, work from items 6, 7, 9, 10, 11, 12 and 15."""

from support.forms import answers

from transforms.outcomes.score import derive_score

USUAL = {"response": {"source": "redcap", "visit": "week_4", "repeat": "1"}}


def test_a_complete_form_gives_two_sums_and_leaves_five_items_out(spec):
    # Items 1, 8, 13, 14 and 16 are asked and not scored (PMC4893951, table 11).
    spec(
        derive_score,
        response=answers(
            "FABQ",
            """
            participant_id|1|2|3|4|5|6|7|8|9|10|11|12|13|14|15|16
            --------------+-+-+-+-+-+-+-+-+-+--+--+--+--+--+--+--
            P01           |2|5|4|6|3|4|3|1|5|2 |3 |4 |0 |1 |2 |0
            """,
        ),
        expect="""
            participant_id|scale    |score|items_answered|prorated|not_scored|not_scored_detail
            --------------+---------+-----+--------------+--------+----------+-----------------
            P01           |FABQPA   |18   |4             |F       |          |
            P01           |FABQPA100|75   |4             |F       |          |
            P01           |FABQW    |23   |7             |F       |          |
            P01           |FABQW100 |54.76|7             |F       |          |
        """,
    )


def test_one_blank_item_of_a_scale_is_prorated_and_two_are_too_many(spec):
    spec(
        derive_score,
        response=answers(
            "FABQ",
            """
            participant_id|2|3|4|5|6|7|9|10|11|12|15
            --------------+-+-+-+-+-+-+-+--+--+--+--
            P01           |6| |5|6|0|1|0|2 |1 |  |1
            P02           |0|1|0|2|0|1|0|2 |1 |  |
            P03           |6| | |6|0|0|0|0 |0 |0 |0
            """,
        ),
        expect="""
            participant_id|scale    |score |items_answered|prorated|not_scored|not_scored_detail
            --------------+---------+------+--------------+--------+----------+-----------------
            P01           |FABQPA   |22.667|3             |T       |          |
            P01           |FABQPA100|94.444|3             |T       |          |
            P01           |FABQW    |5.833 |6             |T       |          |
            P01           |FABQW100 |13.889|6             |T       |          |
            P02           |FABQPA   |3     |4             |F       |          |
            P02           |FABQPA100|12.5  |4             |F       |          |
            P02           |FABQW    |      |5             |F       |missing   |2 items
            P02           |FABQW100 |      |5             |F       |missing   |2 items
            P03           |FABQPA   |      |2             |F       |missing   |2 items
            P03           |FABQPA100|      |2             |F       |missing   |2 items
            P03           |FABQW    |0     |7             |F       |          |
            P03           |FABQW100 |0     |7             |F       |          |
        """,
    )


def test_work_left_wholly_blank_is_not_applicable_and_never_0(spec):
    spec(
        derive_score,
        where="scale NOT LIKE '%100'",
        response=answers(
            "FABQ",
            """
            participant_id|2|3|4|5|6|7|9|10|11|12|15
            --------------+-+-+-+-+-+-+-+--+--+--+--
            P01           |1|2|3|4| | | |  |  |  |
            P02           | | | | | | | |  |  |  |
            P03           |1|2|3|4|5| | |  |  |  |
            """,
        ),
        expect="""
            participant_id | scale  | score | not_scored     | not_scored_detail
            ---------------+--------+-------+----------------+------------------
            P01            | FABQPA | 10    |                |
            P01            | FABQW  |       | not applicable | left blank
            P02            | FABQPA |       | missing        | 4 items
            P02            | FABQW  |       | missing        | 7 items
            P03            | FABQPA | 10    |                |
            P03            | FABQW  |       | missing        | 6 items
        """,
    )


def test_items_that_never_came_are_missing_too(spec):
    spec(
        derive_score,
        where="scale NOT LIKE '%100'",
        response=answers(
            "FABQ",
            """
            participant_id|2|3|4
            --------------+-+-+-
            P01           |6|3|6
            """,
        ),
        expect="""
            participant_id | scale  | score | items_answered | not_scored     | not_scored_detail
            ---------------+--------+-------+----------------+----------------+------------------
            P01            | FABQPA | 20    | 3              |                |
            P01            | FABQW  |       | 0              | not applicable | left blank
        """,
    )


def test_raised_is_above_14_for_physical_activity_and_above_29_for_work(spec):
    spec(
        derive_score,
        where="scale NOT LIKE '%100'",
        response=answers(
            "FABQ",
            """
            participant_id|2|3|4|5|6|7|9|10|11|12|15
            --------------+-+-+-+-+-+-+-+--+--+--+--
            P01           |4|4|3|3|5|4|4|4 |4 |4 |4
            P02           |4|4|4|3|5|5|4|4 |4 |4 |4
            P03           |4|4|4|4| | | |  |  |  |
            """,
        ),
        expect="""
            participant_id | scale  | score | band       | not_scored     | not_scored_detail
            ---------------+--------+-------+------------+----------------+------------------
            P01            | FABQPA | 14    | not raised |                |
            P01            | FABQW  | 29    | not raised |                |
            P02            | FABQPA | 15    | raised     |                |
            P02            | FABQW  | 30    | raised     |                |
            P03            | FABQPA | 16    | raised     |                |
            P03            | FABQW  |       |            | not applicable | left blank
        """,
    )
