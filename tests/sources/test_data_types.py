"""What a source counts by is declared where it could betray an arm: tables/ops.py lists it.

Receipts of answers, sessions and goals are left out of the masked file by the name of their data
type. A new name that is not listed would show them.
"""

import pytest
from support.fuzz import source_of
from support.fuzz_seeds import SEEDS, seeds_of

from ingestion.source import Count, Reading
from warehouse.tables.ops import (
    ABOUT_DISCHARGE,
    ABOUT_SESSIONS,
    ANSWER_TYPES,
    GOAL_TYPES,
    ROSTER_TYPES,
    SESSION_TYPES,
)

# Tables by the data types whose receipts tell of their rows.
ABOUT = {
    "response": ANSWER_TYPES,
    "treatment_session": SESSION_TYPES,
    "goal": GOAL_TYPES,
    "participant": ROSTER_TYPES,
}
ENTERED = ("study_team",)  # by hand, never pulled: no receipt counts its rows
LISTED = {name for names in ABOUT.values() for name in names}


def undeclared(delivers: set[str], reading: Reading) -> list[str]:
    """Data types of a reading that are not listed, of a source that delivers a table of `ABOUT`."""
    counted = set(reading.counts).union(*reading.counts_of.values())
    allowed = {name for table in delivers & set(ABOUT) for name in ABOUT[table]}
    return sorted(counted - allowed) if allowed else sorted(counted & LISTED)


@pytest.mark.parametrize("source", sorted(SEEDS))
def test_every_data_type_of_answers_sessions_and_goals_is_listed(source):
    found = source_of(source)
    for seed in seeds_of(source):
        reading = found.read(seed.replies, seed.ask)
        assert reading.counts or source in ENTERED
        assert undeclared(set(found.delivers), reading) == []


def test_a_new_data_type_is_found():
    of_answers = Reading(counts={"responses": Count(), "diaries": Count()})
    assert undeclared({"response"}, of_answers) == ["diaries"]
    by_participant = Reading(counts_of={"P1": {"diaries": Count()}})
    assert undeclared({"response"}, by_participant) == ["diaries"]
    assert undeclared({"activity_day"}, Reading(counts={"steps": Count()})) == []
    assert undeclared({"activity_day"}, Reading(counts={"forms": Count()})) == ["forms"]


def test_what_is_listed_is_hidden():
    for name in (*ANSWER_TYPES, *SESSION_TYPES, *GOAL_TYPES):
        assert f"'{name}'" in ABOUT_DISCHARGE
    for name in (*SESSION_TYPES, *GOAL_TYPES):
        assert f"'{name}'" in ABOUT_SESSIONS
