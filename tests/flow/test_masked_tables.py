"""What is derived and would betray an arm is in the full file alone; the rest is in both."""

from __future__ import annotations

import dataclasses

import pytest
from support.landed_days import AS_OF, ON, a_day, land

from ingestion import landing
from ingestion.source import Reading
from transforms.build import build_warehouse
from warehouse import publish
from warehouse import register as reg
from warehouse.home import Store
from warehouse.study import NamedCohort

NAMED = [
    {"code": "in_arm", "label": "x", "where": [{"column": "arm", "one_of": ["etmi"]}]},
    {"code": "here", "label": "x", "where": [{"column": "site", "one_of": ["haifa"]}]},
]


@pytest.fixture
def built(store: Store) -> Store:
    """One participant of an arm, with a day, a session, and answers at two visits."""
    study = store.study.model_copy(
        update={"cohorts": [NamedCohort.model_validate(one) for one in NAMED]}
    )
    store = dataclasses.replace(store, study=study)
    one = {"participant_id": "P1"}
    landing.land_roster(
        store,
        [one | {"site": "haifa", "arm": "etmi", "therapist_id": "T01", "enrolled_on": ON,
                "timezone": "Asia/Jerusalem", "starts_on": ON}],
    )  # fmt: skip
    grant = {"source": "google_health", "state": "active", "since": AS_OF, "first_asked_on": ON,
             "landed_sync_at": AS_OF}  # fmt: skip
    store.register.put(reg.grant, [one | grant])
    land(store, a_day("P1", 120))
    told = one | {"source": "redcap", "fetched_at": AS_OF}
    answers = [
        told | {"instrument": "NPRS", "repeat": 1, "item": "1", "value": "3", "answered_on": ON,
                "visit": visit}
        for visit in ("baseline", "discharge")
    ]  # fmt: skip
    session = told | {"session_number": 1, "held_on": ON, "attended": True, "therapist_id": "T01"}
    reading = Reading(rows={"response": answers, "treatment_session": [session]})
    landing.land(store, reading, "redcap", "0000")
    build_warehouse(store, AS_OF)
    return store


def seen(store: Store, sees_arms: bool, query: str) -> set[str]:
    con = publish.open_published(publish.stable_path(store.home, sees_arms))
    rows = con.execute(query).fetchall()
    con.close()
    return {str(row[0]) for row in rows}


def test_cohorts_by_arm_or_therapist_are_in_the_full_file_alone(built):
    kinds = {"all", "site", "era", "named"}
    query = "SELECT DISTINCT cohort_kind FROM cohort_member"
    assert seen(built, False, query) == kinds
    assert seen(built, True, query) == kinds | {"arm", "therapist", "named_by_arm"}
    for table in ("cohort_outcome", "cohort_responder", "cohort_week"):
        query = f"SELECT DISTINCT cohort_kind FROM {table}"
        assert seen(built, False, query) <= kinds
        assert seen(built, True, query) >= {"all"}
    assert seen(built, False, "SELECT DISTINCT cohort_kind FROM flow") == {"all", "site"}


def test_sessions_and_what_is_made_of_them_are_in_the_full_file_alone(built):
    tables = "SELECT table_name FROM duckdb_tables()"
    assert {"treatment", "implementation"} <= seen(built, True, tables)
    assert {"treatment", "implementation"} & seen(built, False, tables) == set()


@pytest.mark.parametrize("table", ["completeness", "responder", "activity_outcome", "week_series"])
def test_a_participants_discharge_is_in_no_masked_table(built, table):
    visits = f"SELECT DISTINCT visit FROM {table} WHERE visit IS NOT NULL"
    assert "discharge" not in seen(built, False, visits)
    if table in ("completeness", "activity_outcome"):
        assert seen(built, True, visits) >= {"discharge", "baseline"}


def test_how_many_answers_came_is_in_the_full_file_alone(built):
    # What was received beyond the answers shown is of discharge, and dates it to the pull.
    asked = {"participant_id": "P1", "source": "redcap", "pull_id": "x", "asked_at": AS_OF}
    kinds = {"steps", "goals", "responses", "response", "forms", "sessions", "treatment_session"}
    receipts = [
        asked | {"data_type": kind, "received": 2, "landed": 1, "rejected": 1, "reason": "received"}
        for kind in kinds
    ]
    refused = [asked | {"data_type": kind, "reason": "repeated", "points": 1} for kind in kinds]
    built.register.put(reg.receipt, receipts)
    built.register.put(reg.rejection, refused)
    build_warehouse(built, AS_OF)
    for table in ("receipt", "rejection"):
        query = f"SELECT DISTINCT data_type FROM ops.{table} WHERE pull_id = 'x'"
        assert seen(built, True, query) == kinds
        assert seen(built, False, query) == {"steps", "goals"}


def test_a_small_sites_count_of_discharges_is_in_the_full_file_alone(built):
    # The build in which it goes from 0 to 1 has the day of the one who was discharged.
    query = "SELECT visit FROM flow WHERE cohort_kind = '{}' AND visit IS NOT NULL"
    assert seen(built, True, query.format("site")) >= {"discharge", "baseline"}
    assert "discharge" not in seen(built, False, query.format("site"))
    assert seen(built, False, query.format("site")) >= {"baseline"}
    assert seen(built, False, query.format("all")) >= {"discharge", "baseline"}


def test_activity_by_week_is_in_both_files_though_it_has_no_visit(built):
    measures = "SELECT DISTINCT measure FROM week_series"
    assert seen(built, True, measures) == {"NPRS", "steps_per_day"}
    assert seen(built, False, measures) == {"NPRS", "steps_per_day"}
