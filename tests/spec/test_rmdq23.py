"""RMDQ-23 is another instrument than RMDQ-24: its own code, items and range."""

from support.forms import answers

from transforms.outcomes.score import derive_score

USUAL = {"response": {"source": "redcap", "visit": "week_4", "repeat": "1"}}


def test_23_items_are_summed_and_made_up_in_proportion(spec):
    header = ["participant_id", *map(str, range(1, 24))]
    forms = [
        header,
        ["---"],
        ["P01", *["1"] * 23],
        ["P02", *["1"] * 7, *["0"] * 14, *[""] * 2],
        ["P03", *["1"] * 7, *["0"] * 11, *[""] * 5],
    ]
    spec(
        derive_score,
        response=answers("RMDQ23", "\n".join("|".join(cells) for cells in forms)),
        expect="""
            participant_id | instrument | scale  | score | prorated | not_scored | not_scored_detail
            ---------------+------------+--------+-------+----------+------------+------------------
            P01            | RMDQ23     | RMDQ23 | 23    | F        |            |
            P02            | RMDQ23     | RMDQ23 | 7.667 | T        |            |
            P03            | RMDQ23     | RMDQ23 |       | F        | missing    | 5 items
        """,
    )


def test_a_24th_item_rejects_the_form_it_is_of_the_other_version(spec):
    spec(
        derive_score,
        response="""
            participant_id | instrument | item | value
            ---------------+------------+------+------
            P01            | RMDQ23     | 24   | 1
        """,
        expect="""
            participant_id | score | not_scored | not_scored_detail
            ---------------+-------+------------+----------------------------------
            P01            |       | rejected   | item 24 is not of this instrument
        """,
    )
