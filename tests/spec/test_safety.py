"""Safety events: PHQ-9 item 9 above 0, whatever else the form holds."""

from support.forms import answers

from transforms.outcomes.safety import derive_safety_event
from warehouse.tables.derived import safety_event

USUAL = {"response": {"source": "redcap", "visit": "week_4", "repeat": "1"}}


def test_item_9_from_1_raises_an_event_and_0_and_blank_do_not(spec):
    spec(
        derive_safety_event,
        response=answers(
            "PHQ9",
            """
            participant_id|answered_on|1|2|3|4|5|6|7|8|9
            --------------+-----------+-+-+-+-+-+-+-+-+-
            P01           |2026-02-16 |3|2|3| |2|3|2|1|1
            P02           |2026-02-16 |0|0|0|0|0|0|0|0|3
            P03           |2026-02-16 |3|3|3|3|3|3|3|3|0
            P04           |2026-02-16 |3|3|3|3|3|3|3|3|
            """,
        ),
        expect="""
            participant_id | source | visit  | instrument | kind        | raised_on
            ---------------+--------+--------+------------+-------------+-----------
            P01            | redcap | week_4 | PHQ9       | phq9_item_9 | 2026-02-16
            P02            | redcap | week_4 | PHQ9       | phq9_item_9 | 2026-02-16
        """,
    )


def test_it_is_raised_of_forms_that_are_not_scored_or_rejected_and_of_a_number_too_high(spec):
    spec(
        derive_safety_event,
        response=answers(
            "PHQ9",
            """
            participant_id|1|2|3|4|9
            --------------+-+-+-+-+---
            P01           | | | | |1
            P02           |7|x| | |2
            P03           |1|1|1|1|4
            P04           |1|1|1|1|no
            P05           |1|1|1|1|NaN
            P06           |1|1|1|1|-99
            P07           |1|1|1|1|0.5
            """,
        ),
        expect="""
            participant_id | kind        | raised_on
            ---------------+-------------+----------
            P01            | phq9_item_9 |
            P02            | phq9_item_9 |
            P03            | phq9_item_9 |
        """,
    )


def test_every_source_is_heard_and_item_9_of_another_instrument_is_not(spec):
    # Of two sources one is scored; an event of either stays.
    spec(
        derive_safety_event,
        response="""
            participant_id | source | instrument | item | value
            ---------------+--------+------------+------+------
            P01            | redcap | PHQ9       | 9    | 0
            P01            | fhir   | PHQ9       | 9    | 1
            P02            | redcap | FABQ       | 9    | 5
        """,
        expect="""
            participant_id | source | instrument
            ---------------+--------+-----------
            P01            | fhir   | PHQ9
        """,
    )


def test_items_coded_from_1_raise_it_from_2(spec):
    spec(
        derive_safety_event,
        protocol={"instruments": {"PHQ9": {"coded_from": 1}}},
        response="""
            participant_id | instrument | item | value
            ---------------+------------+------+------
            P01            | PHQ9       | 9    | 1
            P02            | PHQ9       | 9    | 2
        """,
        expect="""
            participant_id | kind
            ---------------+------------
            P02            | phq9_item_9
        """,
    )


def test_events_are_numbered_by_their_day_and_an_undated_one_is_last(spec):
    spec(
        derive_safety_event,
        response="""
            participant_id | visit    | instrument | item | value | answered_on
            ---------------+----------+------------+------+-------+------------
            P01            | baseline | PHQ9       | 9    | 2     |
            P01            | week_4   | PHQ9       | 9    | 1     | 2026-02-16
            P01            | week_8   | PHQ9       | 9    | 1     | 2026-02-15
            P02            | week_8   | PHQ9       | 9    | 1     | 2026-03-01
        """,
        expect="""
            participant_id | visit    | event_number | raised_on
            ---------------+----------+--------------+-----------
            P01            | baseline | 3            |
            P01            | week_4   | 2            | 2026-02-16
            P01            | week_8   | 1            | 2026-02-15
            P02            | week_8   | 1            | 2026-03-01
        """,
    )


def test_the_masked_file_has_the_event_without_its_visit():
    masked = safety_event.masked()
    assert masked is not None
    assert masked.names == [
        "participant_id",
        "event_number",
        "source",
        "instrument",
        "repeat",
        "kind",
        "raised_on",
    ]
    assert safety_event.reveals_arm_where == ""
    assert safety_event.column("raised_on").reveals_arm_where  # tests/flow/test_masked_tables.py
