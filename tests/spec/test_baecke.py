"""Baecke: three indices of 1 to 5 and their sum."""

from support.forms import answers

from transforms.outcomes.score import derive_score

USUAL = {"response": {"source": "redcap", "visit": "week_4", "repeat": "1"}}


def rows_below(picture: str) -> str:
    """The rows of more items of the same forms, to stand below those of `answers`."""
    return "\n" + "\n".join(answers("BAECKE", picture).splitlines()[1:])


def test_the_published_examples(spec):
    # P01: 1.26 x 2.5 x .92 = 2.898 of sport, so item 9 counts 2. P03: 1.76 x 4.5 x .92 and
    # 1.26 x 1.5 x .42 are 8.0802, so item 9 counts 4.
    spec(
        derive_score,
        response=answers(
            "BAECKE",
            """
            participant_id|1|2|3|4|5|6|7|8|10|11|12|13|14|15|16
            --------------+-+-+-+-+-+-+-+-+--+--+--+--+--+--+--
            P01           |3|4|2|3|2|3|2|3|3 |2 |3 |3 |3 |4 |3
            P02           |1|5|2|2|1|2|1|2|2 |1 |1 |4 |2 |2 |2
            P03           |5|1|4|5|4|4|3|4|5 |4 |5 |2 |4 |5 |5
            """,
        )
        + rows_below(
            """
            participant_id|9|s1intensity|s1hours|s1months|s2intensity|s2hours|s2months
            --------------+-+-----------+-------+--------+-----------+-------+--------
            P01           |1|2          |3      |5       |           |       |
            P02           |0|           |       |        |           |       |
            P03           |1|3          |5      |5       |2          |2      |3
            """
        ),
        expect="""
            participant_id | scale   | score | prorated
            ---------------+---------+-------+---------
            P01            | BAECKEW | 2.50  | F
            P01            | BAECKES | 2.50  | F
            P01            | BAECKEL | 3.25  | F
            P01            | BAECKE  | 8.25  | F
            P02            | BAECKEW | 1.50  | F
            P02            | BAECKES | 1.25  | F
            P02            | BAECKEL | 2.00  | F
            P02            | BAECKE  | 4.75  | F
            P03            | BAECKEW | 4.25  | F
            P03            | BAECKES | 4.50  | F
            P03            | BAECKEL | 4.50  | F
            P03            | BAECKE  | 13.25 | F
        """,
    )


def test_item_9_counts_2_to_5_from_under_4_8_12(spec):
    # Intensity x hours x months, typed: 1.76 x 2.5 x .92 = 4.048; 1.76 x 3.5 x .42 = 2.5872;
    # 1.76 x 4.5 x .92 = 7.2864; with 1.26 x 1.5 x .42 = .7938: 8.0802; with 1.76 x 3.5 x .92 =
    # 5.6672: 12.9536; with 1.76 x 2.5 x .92 = 4.048: 11.3344. Items 10 to 12 are 1: (n + 3) / 4.
    spec(
        derive_score,
        where="scale = 'BAECKES'",
        response=answers(
            "BAECKE",
            """
            participant_id|9|s1intensity|s1hours|s1months|s2intensity|s2hours|s2months|10|11|12
            --------------+-+-----------+-------+--------+-----------+-------+--------+--+--+--
            P01           |0|           |       |        |           |       |        |1 |1 |1
            P02           |1|3          |4      |3       |           |       |        |1 |1 |1
            P03           |1|3          |3      |5       |           |       |        |1 |1 |1
            P04           |1|3          |5      |5       |           |       |        |1 |1 |1
            P05           |1|3          |5      |5       |2          |2      |3       |1 |1 |1
            P06           |1|3          |5      |5       |3          |3      |5       |1 |1 |1
            P07           |1|3          |5      |5       |3          |4      |5       |1 |1 |1
            """,
        ),
        expect="""
            participant_id | score
            ---------------+------
            P01            | 1
            P02            | 1.25
            P03            | 1.50
            P04            | 1.50
            P05            | 1.75
            P06            | 1.75
            P07            | 2.00
        """,
    )


def test_one_item_of_an_index_may_be_blank_and_item_9_is_one(spec):
    # P01: work without item 8: (3 + 2 + 2 + 3 + 2 + 3 + 2) / 7. P02: a sport half told: mean of
    # items 10 to 12. P03: two blank. P04: sport is denied and yet described.
    spec(
        derive_score,
        where="scale IN ('BAECKEW', 'BAECKES')",
        response=answers(
            "BAECKE",
            """
            participant_id|1|2|3|4|5|6|7|8|9|s1intensity|s1hours|s1months|s2intensity|10|11|12
            --------------+-+-+-+-+-+-+-+-+-+-----------+-------+--------+-----------+--+--+--
            P01           |3|4|2|3|2|3|2| |0|           |       |        |           |3 |2 |3
            P02           |3|4|2|3|2|3|2|3|1|2          |3      |        |           |3 |2 |3
            P03           |3|4|2|3|2|3| | |1|2          |3      |        |           |3 |2 |
            P04           |3|4|2|3|2|3|2|3|0|2          |3      |5       |           |3 |2 |3
            P05           |3|4|2|3|2|3|2|3|1|2          |3      |5       |1          |3 |2 |
            """,
        ),
        expect="""
            participant_id | scale   | score | prorated | not_scored | not_scored_detail
            ---------------+---------+-------+----------+------------+------------------
            P01            | BAECKEW | 2.429 | T        |            |
            P01            | BAECKES | 2.250 | F        |            |
            P02            | BAECKEW | 2.500 | F        |            |
            P02            | BAECKES | 2.667 | T        |            |
            P03            | BAECKEW |       | F        | missing    | 2 items
            P03            | BAECKES |       | F        | missing    | 2 items
            P04            | BAECKEW | 2.500 | F        |            |
            P04            | BAECKES | 2.667 | T        |            |
            P05            | BAECKEW | 2.500 | F        |            |
            P05            | BAECKES |       | F        | missing    | 2 items
        """,
    )


def test_who_does_not_work_has_no_work_index_and_no_total(spec):
    spec(
        derive_score,
        response=answers(
            "BAECKE",
            """
            participant_id|1|2|9|10|11|12|13|14|15|16
            --------------+-+-+-+--+--+--+--+--+--+--
            P01           | | |0|2 |1 |1 |4 |2 |2 |2
            """,
        ),
        expect="""
            participant_id | scale   | score | not_scored     | not_scored_detail
            ---------------+---------+-------+----------------+------------------
            P01            | BAECKEW |       | not applicable | left blank
            P01            | BAECKES | 1.25  |                |
            P01            | BAECKEL | 2     |                |
            P01            | BAECKE  |       | missing        | an index
        """,
    )


def test_the_level_of_work_is_1_3_or_5(spec):
    spec(
        derive_score,
        where="scale = 'BAECKEW'",
        response="""
            participant_id | instrument | item | value
            ---------------+------------+------+------
            P01            | BAECKE     | 1    | 2
        """,
        expect="""
            participant_id | score | not_scored | not_scored_detail
            ---------------+-------+------------+---------------------------------
            P01            |       | rejected   | item 1 is not one of its answers
        """,
    )
