"""PROMIS short forms: the raw sum, and T from the study's own table."""

import pytest
from support.forms import answers

from transforms.instruments import read_instruments
from transforms.outcomes.score import derive_score
from warehouse.study import EXAMPLE, StudyError, read_study

USUAL = {"response": {"source": "redcap", "visit": "week_4", "repeat": "1"}}
SETTING = '\n[instrument_tables.PROMIS_PF4A]\nfile = "t.csv"\nabout = "version 2.0"\n'
FORMS = answers(
    "PROMIS_PF4A",
    """
    participant_id|1|2|3|4
    --------------+-+-+-+-
    P01           |4|4|3|3
    P02           |4|4|3|
    P03           |4|4| |
    P04           |4| | |
    P05           |5|5|5|6
    """,
)


def study_of(folder, text):
    (folder / "t.csv").write_text(text)
    path = folder / "study.toml"
    path.write_text(EXAMPLE.read_text() + SETTING)
    return read_study(path)


def test_a_raw_sum_is_made_up_to_whole_points_when_half_is_answered(spec):
    spec(
        derive_score,
        response=FORMS,
        where="scale = 'PF4A'",
        expect="""
            participant_id | score | prorated | not_scored | not_scored_detail
            ---------------+-------+----------+------------+-----------------------
            P01            | 14    | F        |            |
            P02            | 15    | T        |            |
            P03            | 16    | T        |            |
            P04            |       | F        | missing    | 3 items
            P05            |       | F        | rejected   | item 4 is out of range
        """,
    )


def test_eight_items_five_answered_are_rounded_up(spec):
    # 17 x 8 / 5 = 27.2 is 28; four answers are half, three are not.
    spec(
        derive_score,
        where="scale = 'PF8B'",
        response=answers(
            "PROMIS_PF8B",
            """
            participant_id|1|2|3|4|5|6|7|8
            --------------+-+-+-+-+-+-+-+-
            P01           |4|4|3|3|3| | |
            P02           |4|4|3|3| | | |
            P03           |4|4|3| | | | |
            """,
        ),
        expect="""
            participant_id | score | not_scored | not_scored_detail
            ---------------+-------+------------+------------------
            P01            | 28    |            |
            P02            | 28    |            |
            P03            |       | missing    | 5 items
        """,
    )


def test_t_is_looked_up_for_the_rounded_raw_sum(spec, tmp_path):
    # A made-up table: T is 20 + 2 x raw.
    rows = "".join(f"{raw},{20 + 2 * raw}\n" for raw in range(4, 21))
    study = study_of(tmp_path, "raw,t_score\n" + rows)

    def score_with_table(con, _):
        derive_score(con, study)

    spec(
        score_with_table,
        into="score",
        where="scale = 'PF4AT'",
        response=FORMS,
        expect="""
            participant_id | score | prorated | not_scored | not_scored_detail
            ---------------+-------+----------+------------+-----------------------
            P01            | 48    | F        |            |
            P02            | 50    | T        |            |
            P03            | 52    | T        |            |
            P04            |       | F        | missing    | 3 items
            P05            |       | F        | rejected   | item 4 is out of range
        """,
    )


def test_a_table_of_another_form_is_refused(spec, tmp_path):
    study = study_of(tmp_path, "raw,t_score\n" + "".join(f"{raw},50\n" for raw in range(8, 41)))

    def score_with_table(con, _):
        derive_score(con, study)

    with pytest.raises(StudyError, match=r"t.csv:15: raw 21: there are 17 from 4 to 20"):
        spec(score_with_table, into="score", expect="participant_id")


def test_more_is_better_for_function_and_worse_for_interference():
    found = {
        scale.code: (len(one.items), scale.low, scale.high, scale.better, scale.missing.at_most)
        for one in read_instruments().values()
        for scale in one.scales
        if one.code.startswith("PROMIS_") and not scale.table
    }
    assert found == {
        "PF4A": (4, 4, 20, "higher", 2),
        "PF6B": (6, 6, 30, "higher", 3),
        "PF8B": (8, 8, 40, "higher", 4),
        "PF10A": (10, 10, 50, "higher", 5),
        "PI4A": (4, 4, 20, "lower", 2),
        "PI6B": (6, 6, 30, "lower", 3),
        "PI8A": (8, 8, 40, "lower", 4),
    }
