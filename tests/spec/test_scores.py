"""Answers to scores: what holds for every instrument."""

import dataclasses

import pytest
from support.forms import answers

from transforms.instruments import Instrument, Missing, Scale, read_instruments
from transforms.outcomes.score import derive_score, score_responses
from warehouse.study import StudyError

USUAL = {"response": {"source": "redcap", "visit": "week_4", "repeat": "1", "instrument": "NPRS"}}

REVERSED = Instrument(
    code="TOY",
    name="A toy with a reversed item",
    version="1",
    items=("a", "b", "c"),
    item_low=1,
    item_high=4,
    scales=(
        Scale("TOY", "Toy", ("a", "b", "c"), 3, 12, "lower", Missing(1, "prorate"), reverse=("b",)),
    ),
    recall_days=0,
    licence="Ours.",
    citation="None.",
    scoring_version="TOY-7",
)


def test_a_bad_answer_rejects_the_scales_that_rest_on_it_and_names_the_first(spec):
    # Item 1 is asked and in no scale; of P03 the first of two bad answers is named.
    spec(
        derive_score,
        where="scale NOT LIKE '%100'",  # the same sums on another range: test_fabq.py
        response=answers(
            "FABQ",
            """
            participant_id|1|2|3|4|5|6|7|9|10|11|12|15|16
            --------------+-+-+-+-+-+-+-+-+--+--+--+--+--
            P01           |2|5|4|6|3|4|3|9|7 |3 |4 |2 |9
            P02           |9|5|4|6|3| | | |  |  |  |  |
            P03           |2|5|4|6|3|4|8|0|7 |3 |9 |2 |0
            """,
        ),
        expect="""
            participant_id|scale |score|items_answered|not_scored    |not_scored_detail
            --------------+------+-----+--------------+--------------+----------------------
            P01           |FABQPA|18   |4             |              |
            P01           |FABQW |     |7             |rejected      |item 9 is out of range
            P02           |FABQPA|18   |4             |              |
            P02           |FABQW |     |0             |not applicable|left blank
            P03           |FABQPA|18   |4             |              |
            P03           |FABQW |     |7             |rejected      |item 7 is out of range
        """,
    )


def test_an_item_of_another_version_rejects_the_form_unless_it_is_blank(spec):
    spec(
        derive_score,
        response="""
            participant_id | item | value
            ---------------+------+------
            P01            | 1    | 4
            P01            | 2    | 5
            P02            | 1    | 4
            P02            | 2    |
        """,
        expect="""
            participant_id | score | not_scored | not_scored_detail
            ---------------+-------+------------+---------------------------------
            P01            |       | rejected   | item 2 is not of this instrument
            P02            | 4     |            |
        """,
    )


def test_a_whole_number_may_be_written_with_blanks_and_a_point_but_nan_is_none(spec):
    spec(
        derive_score,
        response="""
            participant_id | item | value
            ---------------+------+------
            P01            | 1    | 4.0
            P02            | 1    | NaN
            P03            | 1    | inf
        """,
        expect="""
            participant_id | score | not_scored | not_scored_detail
            ---------------+-------+------------+-----------------------
            P01            | 4     |            |
            P02            |       | rejected   | item 1 is out of range
            P03            |       | rejected   | item 1 is out of range
        """,
    )


def test_of_two_sources_one_is_taken_redcap_first_then_by_name_and_none_is_mixed(spec):
    spec(
        derive_score,
        where="scale NOT LIKE '%100'",  # the same sums on another range: test_fabq.py
        response="""
            participant_id | source       | instrument | item | value | answered_on
            ---------------+--------------+------------+------+-------+------------
            P01            | fhir         | NPRS       | 1    | 2     | 2026-02-16
            P01            | redcap       | NPRS       | 1    | 3     | 2026-02-17
            P02            | table_export | NPRS       | 1    | 5     |
            P02            | fhir         | NPRS       | 1    | 4     |
            P03            | redcap       | FABQ       | 2    | 6     |
            P03            | redcap       | FABQ       | 3    | 6     |
            P03            | fhir         | FABQ       | 4    | 1     |
            P03            | fhir         | FABQ       | 5    | 1     |
        """,
        expect="""
            participant_id | scale  | score | answered_on | not_scored     | not_scored_detail
            ---------------+--------+-------+-------------+----------------+------------------
            P01            | NPRS   | 3     | 2026-02-17  |                |
            P02            | NPRS   | 4     |             |                |
            P03            | FABQPA |       |             | missing        | 2 items
            P03            | FABQW  |       |             | not applicable | left blank
        """,
    )


def test_an_empty_form_in_redcap_gives_way_to_one_filled_in_elsewhere(spec):
    spec(
        derive_score,
        response="""
            participant_id | source       | item | value
            ---------------+--------------+------+------
            P01            | redcap       | 1    |
            P01            | table_export | 1    | 5
        """,
        expect="""
            participant_id | score | not_scored | not_scored_detail
            ---------------+-------+------------+------------------
            P01            | 5     |            |
        """,
    )


def test_the_choice_of_source_is_made_for_each_visit_and_repeats_stay_apart(spec):
    spec(
        derive_score,
        response="""
            participant_id | source | visit  | repeat | item | value
            ---------------+--------+--------+--------+------+------
            P01            | redcap | week_4 | 1      | 1    | 3
            P01            | redcap | week_4 | 2      | 1    | 4
            P01            | fhir   | week_4 | 3      | 1    | 9
            P01            | fhir   | week_8 | 1      | 1    | 5
        """,
        expect="""
            participant_id | visit  | repeat | score
            ---------------+--------+--------+------
            P01            | week_4 | 1      | 3
            P01            | week_4 | 2      | 4
            P01            | week_8 | 1      | 5
        """,
    )


def test_a_form_is_dated_by_its_last_answer(spec):
    spec(
        derive_score,
        where="scale NOT LIKE '%100'",  # the same sums on another range: test_fabq.py
        response="""
            participant_id | instrument | item | value | answered_on
            ---------------+------------+------+-------+------------
            P01            | FABQ       | 2    | 1     | 2026-02-16
            P01            | FABQ       | 3    | 1     | 2026-02-18
            P01            | FABQ       | 4    | 1     |
            P01            | FABQ       | 5    | 1     | 2026-02-17
        """,
        expect="""
            participant_id | scale  | answered_on | score | scoring_version
            ---------------+--------+-------------+-------+----------------
            P01            | FABQPA | 2026-02-18  | 4     | FABQ-1
            P01            | FABQW  | 2026-02-18  |       | FABQ-1
        """,
    )


def test_answers_to_an_instrument_without_a_record_get_no_score(spec):
    spec(
        derive_score,
        response="""
            participant_id | instrument | item | value
            ---------------+------------+------+------
            P01            | MINE       | 1    | 3
            P01            | NPRS       | 1    | 3
        """,
        expect="""
            participant_id | instrument | scale
            ---------------+------------+------
            P01            | NPRS       | NPRS
        """,
    )


def test_a_reversed_item_counts_from_the_other_end(spec):
    # b = 4 on 1 to 4 counts 1: 2 + 1 + 3 = 6; without a: (1 + 3) * 3 / 2 = 6.
    def score_toy(con, study):
        score_responses(con, [REVERSED], study)

    spec(
        score_toy,
        into="score",
        response=answers(
            "TOY",
            """
            participant_id | a | b | c
            ---------------+---+---+---
            P01            | 2 | 4 | 3
            P02            |   | 4 | 3
            P03            | 2 | 0 | 3
            """,
        ),
        expect="""
            participant_id|score|prorated|not_scored|not_scored_detail     |scoring_version
            --------------+-----+--------+----------+----------------------+---------------
            P01           |6    |F       |          |                      |TOY-7
            P02           |6    |T       |          |                      |TOY-7
            P03           |     |F       |rejected  |item b is out of range|TOY-7
        """,
    )


def test_scoring_reads_the_record_and_knows_no_instrument(spec):
    # The same answers under another record: a stricter limit is the record's to set.
    fabq = read_instruments()["FABQ"]
    strict = dataclasses.replace(
        fabq, scales=tuple(dataclasses.replace(s, missing=Missing()) for s in fabq.scales)
    )

    def score_strictly(con, study):
        score_responses(con, [strict], study)

    spec(
        score_strictly,
        into="score",
        where="scale NOT LIKE '%100'",
        response=answers(
            "FABQ",
            """
            participant_id|2|3|4|5
            --------------+-+-+-+-
            P01           |6| |5|6
            """,
        ),
        expect="""
            participant_id | scale  | score | not_scored     | not_scored_detail
            ---------------+--------+-------+----------------+------------------
            P01            | FABQPA |       | missing        | 1 item
            P01            | FABQW  |       | not applicable | left blank
        """,
    )


def test_a_band_stands_beside_the_score_and_nowhere_else(spec):
    spec(
        derive_score,
        response="""
            participant_id | instrument | item  | value
            ---------------+------------+-------+------
            P01            | NPRS       | 1     | 0
            P02            | NPRS       | 1     |
            P03            | NPRS       | 1     | 12
            P04            | LCAT       | score | 60
        """,
        expect="""
            participant_id | scale | score | band      | not_scored | not_scored_detail
            ---------------+-------+-------+-----------+------------+-----------------------
            P01            | NPRS  | 0     | recovered |            |
            P02            | NPRS  |       |           | missing    | 1 item
            P03            | NPRS  |       |           | rejected   | item 1 is out of range
            P04            | FUNC  | 60    |           |            |
        """,
    )


def test_forms_of_many_instruments_and_none_are_scored_side_by_side(spec):
    spec(
        derive_score,
        expect="""
            participant_id | scale | score
            ---------------+-------+------
        """,
    )
    spec(
        derive_score,
        response="""
            participant_id | instrument | visit  | item | value
            ---------------+------------+--------+------+------
            P02            | PGIC       | week_8 | 1    | 2
            P01            | NPRS       | week_4 | 1    | 3
            P01            | PGIC       | week_4 | 1    | 4
        """,
        expect="""
            participant_id | visit  | scale | score | band
            ---------------+--------+-------+-------+--------------
            P01            | week_4 | NPRS  | 3     | not recovered
            P01            | week_4 | PGIC  | 4     | no change
            P02            | week_8 | PGIC  | 2     | improved
        """,
    )


@pytest.mark.parametrize(
    ("part", "code", "setting"),
    [
        ("instruments", "ODI1", {"coded_from": 1}),
        ("instrument_tables", "ODI", {"file": "x.csv", "about": "none"}),
    ],
)
def test_a_setting_for_an_instrument_nobody_knows_is_refused(spec, part, code, setting):
    with pytest.raises(StudyError, match=f"{part}: unknown instrument '{code}'; known: "):
        spec(derive_score, protocol={part: {code: setting}}, expect="participant_id")
