"""PHQ-9, PHQ-8 and PHQ-2 of one form; bands on the rounded score."""

from support.forms import answers

from transforms.outcomes.score import derive_score

USUAL = {"response": {"source": "redcap", "visit": "week_4", "repeat": "1"}}


def test_the_published_examples(spec):
    spec(
        derive_score,
        where="scale <> 'PHQ9SYM'",
        response=answers(
            "PHQ9",
            """
            participant_id|1|2|3|4|5|6|7|8|9
            --------------+-+-+-+-+-+-+-+-+-
            P01           |1|2|1|2|0|1|1|0|0
            P02           |3|2|3| |2|3|2|1|1
            P03           |3|2| | | |3|2|1|1
            P04           |3|2|4| | |3|2|1|1
            P05           |3|2| | |2|3|2|1|1
            """,
        ),
        expect="""
            participant_id|scale|score |band             |items_answered|prorated|not_scored|not_scored_detail
            --------------+-----+------+-----------------+--------------+--------+----------+-----------------
            P01           |PHQ9 |8     |mild             |9             |F       |          |
            P01           |PHQ8 |8     |mild             |8             |F       |          |
            P01           |PHQ2 |3     |positive         |2             |F       |          |
            P02           |PHQ9 |19.125|moderately severe|8             |T       |          |
            P02           |PHQ8 |18.286|moderately severe|7             |T       |          |
            P02           |PHQ2 |5     |positive         |2             |F       |          |
            P03           |PHQ9 |      |                 |6             |F       |missing   |3 items
            P03           |PHQ8 |      |                 |5             |F       |missing   |3 items
            P03           |PHQ2 |5     |positive         |2             |F       |          |
            P04           |PHQ9 |      |                 |7             |F       |rejected  |item 3 is out of range
            P04           |PHQ8 |      |                 |6             |F       |rejected  |item 3 is out of range
            P04           |PHQ2 |5     |positive         |2             |F       |          |
            P05           |PHQ9 |18    |moderately severe|7             |T       |          |
            P05           |PHQ8 |17.333|moderately severe|6             |T       |          |
            P05           |PHQ2 |5     |positive         |2             |F       |          |
        """,  # noqa: E501
    )


def test_an_answer_out_of_range_rejects_the_scales_that_have_the_item(spec):
    # P01: item 9 is not in the PHQ-8. P02: item 8 is, and not in the PHQ-2. P03: item 2 is in all.
    # P04: item 10 is in none.
    spec(
        derive_score,
        response=answers(
            "PHQ9",
            """
            participant_id|1|2|3|4|5|6|7|8|9|10
            --------------+-+-+-+-+-+-+-+-+-+--
            P01           |1|2|1|2|0|1|1|0|4|0
            P02           |1|2|1|2|0|1|1|4|0|0
            P03           |1|4|1|2|0|1|1|0|0|0
            P04           |1|2|1|2|0|1|1|0|0|4
            """,
        ),
        expect="""
            participant_id | scale   | score | not_scored | not_scored_detail
            ---------------+---------+-------+------------+-----------------------
            P01            | PHQ9    |       | rejected   | item 9 is out of range
            P01            | PHQ9SYM |       | rejected   | item 9 is out of range
            P01            | PHQ8    | 8     |            |
            P01            | PHQ2    | 3     |            |
            P02            | PHQ9    |       | rejected   | item 8 is out of range
            P02            | PHQ9SYM |       | rejected   | item 8 is out of range
            P02            | PHQ8    |       | rejected   | item 8 is out of range
            P02            | PHQ2    | 3     |            |
            P03            | PHQ9    |       | rejected   | item 2 is out of range
            P03            | PHQ9SYM |       | rejected   | item 2 is out of range
            P03            | PHQ8    |       | rejected   | item 2 is out of range
            P03            | PHQ2    |       | rejected   | item 2 is out of range
            P04            | PHQ9    | 8     |            |
            P04            | PHQ9SYM | 2     |            |
            P04            | PHQ8    | 8     |            |
            P04            | PHQ2    | 3     |            |
        """,
    )


def test_bands_end_at_4_9_14_and_19(spec):
    spec(
        derive_score,
        where="scale = 'PHQ9'",
        response=answers(
            "PHQ9",
            """
            participant_id|1|2|3|4|5|6|7|8|9
            --------------+-+-+-+-+-+-+-+-+-
            P04           |1|1|1|1|0|0|0|0|0
            P05           |1|1|1|1|1|0|0|0|0
            P09           |1|1|1|1|1|1|1|1|1
            P10           |2|1|1|1|1|1|1|1|1
            P14           |2|2|2|2|2|1|1|1|1
            P15           |2|2|2|2|2|2|1|1|1
            P19           |3|2|2|2|2|2|2|2|2
            P20           |3|3|2|2|2|2|2|2|2
            P27           |3|3|3|3|3|3|3|3|3
            """,
        ),
        expect="""
            participant_id | score | band
            ---------------+-------+------------------
            P04            | 4     | none or minimal
            P05            | 5     | mild
            P09            | 9     | mild
            P10            | 10    | moderate
            P14            | 14    | moderate
            P15            | 15    | moderately severe
            P19            | 19    | moderately severe
            P20            | 20    | severe
            P27            | 27    | severe
        """,
    )


def test_a_prorated_half_is_rounded_up_to_its_band(spec):
    # 4 x 9 / 8 = 4.5 and 8 x 9 / 8 = 9; 3 x 9 / 7 = 3.86; 13 x 9 / 8 = 14.625.
    spec(
        derive_score,
        where="scale = 'PHQ9'",
        response=answers(
            "PHQ9",
            """
            participant_id|1|2|3|4|5|6|7|8|9
            --------------+-+-+-+-+-+-+-+-+-
            P01           |1|1|1|1|0|0|0|0|
            P02           |1|1|1|1|1|1|1|1|
            P03           |1|1|1|0|0|0|0| |
            P04           |2|2|2|2|2|1|1|1|
            """,
        ),
        expect="""
            participant_id | score | band
            ---------------+-------+------------------
            P01            | 4.5   | mild
            P02            | 9     | mild
            P03            | 3.857 | none or minimal
            P04            | 14.625 | moderately severe
        """,
    )


def test_the_screen_is_positive_from_3(spec):
    spec(
        derive_score,
        where="scale = 'PHQ2'",
        response=answers(
            "PHQ9",
            """
            participant_id|1|2
            --------------+-+-
            P01           |1|1
            P02           |1|2
            P03           |3|
            """,
        ),
        expect="""
            participant_id | score | band     | not_scored | not_scored_detail
            ---------------+-------+----------+------------+------------------
            P01            | 2     | negative |            |
            P02            | 3     | positive |            |
            P03            |       |          | missing    | 1 item
        """,
    )


def test_the_algorithm_counts_items_from_2_and_item_9_from_1(spec):
    # Five with item 1 or 2 are major, two to four other; without item 1 or 2 it is neither.
    spec(
        derive_score,
        where="scale = 'PHQ9SYM'",
        response=answers(
            "PHQ9",
            """
            participant_id|1|2|3|4|5|6|7|8|9
            --------------+-+-+-+-+-+-+-+-+-
            P01           |2|0|2|2|2|0|0|0|1
            P02           |2|0|2|2|1|0|0|0|1
            P03           |1|2|1|1|1|1|1|1|1
            P04           |0|2|1|1|1|1|1|1|0
            P05           |1|1|3|3|3|3|3|3|1
            P06           |3|3|3|3|3|3|3|3|
            """,
        ),
        expect="""
            participant_id | score | band                      | not_scored | not_scored_detail
            ---------------+-------+---------------------------+------------+------------------
            P01            | 5     | major depressive syndrome |            |
            P02            | 4     | other depressive syndrome |            |
            P03            | 2     | other depressive syndrome |            |
            P04            | 1     | neither syndrome          |            |
            P05            | 7     | neither syndrome          |            |
            P06            |       |                           | missing    | 1 item
        """,
    )


def test_item_10_is_asked_and_not_scored(spec):
    spec(
        derive_score,
        where="scale = 'PHQ9'",
        response=answers(
            "PHQ9",
            """
            participant_id|1|2|3|4|5|6|7|8|9|10
            --------------+-+-+-+-+-+-+-+-+-+--
            P01           |1|1|1|1|1|1|1|1|0|3
            """,
        ),
        expect="""
            participant_id | score | items_answered | prorated
            ---------------+-------+----------------+---------
            P01            | 8     | 9              | F
        """,
    )
