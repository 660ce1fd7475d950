"""Adverse and red-flag events by the protocol's own rules, of any form that is landed."""

from transforms.outcomes.safety import derive_safety_event as events_of
from warehouse.study import SafetyEvent

USUAL = {
    "response": {
        "source": "redcap",
        "visit": "week_4",
        "repeat": "1",
        "answered_on": "2026-02-16",
        "row_hash": "h",
    }
}


def test_an_answer_from_the_rules_number_is_an_event_of_its_kind(spec):
    rules = [
        SafetyEvent(kind="red_flag", instrument="REDFLAG", item="saddle_numbness"),
        SafetyEvent(kind="adverse_event", instrument="AE", item="grade", at_least=2),
    ]

    def derive(con, study):
        events_of(con, study.model_copy(update={"safety_events": rules}))

    spec(
        derive,
        into="safety_event",
        response="""
            participant_id | instrument | item            | value
            ---------------+------------+-----------------+------
            P01            | REDFLAG    | saddle_numbness | 1
            P02            | REDFLAG    | saddle_numbness | 0
            P03            | REDFLAG    | saddle_numbness |
            P04            | AE         | grade           | 1
            P05            | AE         | grade           | 2
            P06            | AE         | other           | 9
        """,
        expect="""
            participant_id | instrument | kind          | raised_on
            ---------------+------------+---------------+-----------
            P01            | REDFLAG    | red_flag      | 2026-02-16
            P05            | AE         | adverse_event | 2026-02-16
        """,
    )
