"""EQ-5D-5L: profile, level sum, VAS, and an index only from the study's own value set."""

from itertools import product

import pytest
from support.forms import answers

from transforms.instruments import read_instruments
from transforms.outcomes.reference import derive_scale
from transforms.outcomes.score import derive_score, score_responses
from warehouse.study import EXAMPLE, StudyError, read_study

USUAL = {"response": {"source": "redcap", "visit": "week_4", "repeat": "1"}}
FORMS = answers(
    "EQ5D5L",
    """
    participant_id|1|2|3|4|5|vas
    --------------+-+-+-+-+-+---
    P01           |2|1|3|3|2|70
    P02           |1|1|1|1|1|100
    P03           |1| |1|1|1|0
    P04           |1|6|1|1|1|50
    P05           |5|5|5|5|5|101
    P06           |5|5|5|5|5|
    """,
)
SETTING = '\n[instrument_tables.EQ5D5L]\nfile = "values.csv"\nabout = "Nowhere, 2026"\n'


def value_set(levels_off: float = 0.05) -> str:
    """A made-up value set: each level above 1 takes off so much (21332: 6 x .05)."""
    lines = ["profile,value"]
    for levels in product("12345", repeat=5):
        off = levels_off * (sum(map(int, levels)) - 5)
        lines.append(f"{''.join(levels)},{1 - off:.3f}")
    return "\n".join(lines) + "\n"


def study_of(folder, text):
    (folder / "values.csv").write_text(text)
    path = folder / "study.toml"
    path.write_text(EXAMPLE.read_text() + SETTING)
    return read_study(path)


def test_profile_level_sum_and_vas(spec):
    spec(
        derive_score,
        where="scale <> 'EQ5DIDX'",
        response=FORMS,
        expect="""
            participant_id | scale   | score | band  | not_scored | not_scored_detail
            ---------------+---------+-------+-------+------------+-------------------------
            P01            | EQ5DLSS | 11    | 21332 |            |
            P01            | EQ5DVAS | 70    |       |            |
            P02            | EQ5DLSS | 5     | 11111 |            |
            P02            | EQ5DVAS | 100   |       |            |
            P03            | EQ5DLSS |       |       | missing    | 1 item
            P03            | EQ5DVAS | 0     |       |            |
            P04            | EQ5DLSS |       |       | rejected   | item 2 is out of range
            P04            | EQ5DVAS | 50    |       |            |
            P05            | EQ5DLSS | 25    | 55555 |            |
            P05            | EQ5DVAS |       |       | rejected   | item vas is out of range
            P06            | EQ5DLSS | 25    | 55555 |            |
            P06            | EQ5DVAS |       |       | missing    | 1 item
        """,
    )


def test_without_a_value_set_there_is_no_index(spec):
    spec(
        derive_score,
        where="scale = 'EQ5DIDX' AND participant_id < 'P05'",
        response=FORMS,
        expect="""
            participant_id | score | not_scored | not_scored_detail      | scoring_version
            ---------------+-------+------------+------------------------+----------------
            P01            |       | no table   | none in study.toml     | EQ5D5L-1
            P02            |       | no table   | none in study.toml     | EQ5D5L-1
            P03            |       | missing    | 1 item                 | EQ5D5L-1
            P04            |       | rejected   | item 2 is out of range | EQ5D5L-1
        """,
    )


def test_the_studys_value_set_gives_the_index_and_its_hash_the_version(spec, tmp_path):
    study = study_of(tmp_path, "\ufeff" + value_set().replace(",", ";"))

    def score_with_values(con, _):
        derive_score(con, study)

    spec(
        score_with_values,
        into="score",
        where="scale = 'EQ5DIDX' AND participant_id IN ('P01', 'P02', 'P03', 'P06') "
        f"AND scoring_version = 'EQ5D5L-1+{study.instrument_tables['EQ5D5L'].sha256[:12]}'",
        response=FORMS,
        expect="""
            participant_id | score | band | not_scored | not_scored_detail
            ---------------+-------+------+------------+------------------
            P01            | 0.70  |      |            |
            P02            | 1.00  |      |            |
            P03            |       |      | missing    | 1 item
            P06            | 0.00  |      |            |
        """,
    )

    def scale_with_values(con, _):
        derive_scale(con, study)

    spec(
        scale_with_values,
        into="scale",
        where="scale = 'EQ5DIDX'",
        expect="""
            scale   | citation
            --------+------------------------------------------------------------------------
            EQ5DIDX | Herdman et al., Qual Life Res 2011;20:1727; table: Nowhere, 2026
        """,
    )


def test_a_value_set_is_of_no_matter_to_other_instruments(spec, tmp_path):
    study = study_of(tmp_path, value_set())

    def score_pain(con, _):
        score_responses(con, [read_instruments()["NPRS"]], study)

    spec(
        score_pain,
        into="score",
        response=answers("NPRS", "participant_id|1\n---\nP01|4"),
        expect="""
            participant_id | scale | score | scoring_version
            ---------------+-------+-------+----------------
            P01            | NPRS  | 4     | NPRS-1
        """,
    )


def test_other_values_are_another_protocol(tmp_path):
    first = study_of(tmp_path, value_set())
    second = study_of(tmp_path, value_set(0.04))
    assert first.digest != second.digest


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("raw,t_score\n11111,1\n", "values.csv:1: its columns are raw, t_score; they must be"),
        ("profile,value\n11111,1\n11116,0.5\n", "values.csv:3: profile 11116: there are 3125"),
        ("profile,value\n11111,1.01\n", r"values.csv:2: value 1.01 is not between -1 and 1"),
        ("profile,value\n11111,1\n", "values.csv: 3124 of 3125 rows are missing, the first is"),
    ],
)
def test_a_value_set_that_does_not_fit_names_its_line(spec, tmp_path, text, sentence):
    study = study_of(tmp_path, text)

    def score_with_values(con, _):
        derive_score(con, study)

    with pytest.raises(StudyError, match=sentence):
        spec(score_with_values, into="score", response=FORMS, expect="participant_id")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("profile\n11111\n", r"values.csv:1: it needs a header of two columns"),
        ("", r"values.csv:1: it needs a header of two columns"),
        ("profile,value\n11111,1\n11112,0,95\n", r"values.csv:3: a row is a whole number and"),
        ("profile,value\n11111,one\n", r"values.csv:2: a row is a whole number and"),
        ("profile,value\n11111,nan\n", r"values.csv:2: the value is not a finite number"),
        ("profile,value\n11111,1\n11112,1\n11111,1\n", r"values.csv:4: 11111 comes twice"),
    ],
)
def test_a_file_that_is_no_table_names_its_line_when_the_study_is_read(tmp_path, text, sentence):
    with pytest.raises(StudyError, match=f"instrument_tables.EQ5D5L: {sentence}"):
        study_of(tmp_path, text)


def test_a_table_without_its_file_is_refused(tmp_path):
    path = tmp_path / "study.toml"
    path.write_text(EXAMPLE.read_text() + SETTING)
    with pytest.raises(StudyError, match=r"values\.csv: cannot be read"):
        read_study(path)
