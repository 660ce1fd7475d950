"""RMDQ-24, electronic: endorsed items, in proportion to those answered when few are blank."""

from support.forms import answers

from transforms.outcomes.score import derive_score

USUAL = {"response": {"source": "redcap", "visit": "week_4", "repeat": "1"}}


def form(participant_id: str, yes: int, no: int, blank: int) -> list[str]:
    """A form's cells: `yes` ones, then `no` noughts, then blanks, 24 in all."""
    return [participant_id, *["1"] * yes, *["0"] * no, *[""] * blank]


def test_up_to_four_blanks_are_made_up_in_proportion(spec):
    header = ["participant_id", *map(str, range(1, 25))]
    forms = [
        header,
        ["---"],
        form("P01", yes=11, no=13, blank=0),
        form("P02", yes=9, no=12, blank=3),
        form("P03", yes=10, no=10, blank=4),
        form("P04", yes=9, no=10, blank=5),
        form("P05", yes=24, no=0, blank=0),
    ]
    spec(
        derive_score,
        response=answers("RMDQ24", "\n".join("|".join(cells) for cells in forms)),
        expect="""
            participant_id|scale |score  |items_answered|prorated|not_scored|not_scored_detail
            --------------+------+-------+--------------+--------+----------+-----------------
            P01           |RMDQ24|11     |24            |F       |          |
            P02           |RMDQ24|10.2857|21            |T       |          |
            P03           |RMDQ24|12     |20            |T       |          |
            P04           |RMDQ24|       |19            |F       |missing   |5 items
            P05           |RMDQ24|24     |24            |F       |          |
        """,
    )


def test_recovered_is_2_or_less(spec):
    # Kamper 2010. P03 is prorated: 2 x 24 / 23 = 2.087.
    header = ["participant_id", *map(str, range(1, 25))]
    forms = [
        header,
        ["---"],
        form("P01", yes=2, no=22, blank=0),
        form("P02", yes=3, no=21, blank=0),
        form("P03", yes=2, no=21, blank=1),
    ]
    spec(
        derive_score,
        response=answers("RMDQ24", "\n".join("|".join(cells) for cells in forms)),
        expect="""
            participant_id | score | band
            ---------------+-------+--------------
            P01            | 2     | recovered
            P02            | 3     | not recovered
            P03            | 2.087 | not recovered
        """,
    )
