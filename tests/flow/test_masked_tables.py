"""What is derived and would betray an arm is in the full file alone; the rest is in both."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator

import pytest
from support.landed_days import AS_OF, ON, a_day, land
from support.studies import new_store

from ingestion import landing
from ingestion.source import Reading
from transforms.build import build_warehouse
from warehouse import publish
from warehouse import register as reg
from warehouse.home import Store
from warehouse.study import Goals, NamedCohort
from warehouse.tables import PUBLISHED
from warehouse.tables.landed import GOALS_TELL
from warehouse.tables.ops import GOAL_TYPES

NAMED = [
    {"code": "in_arm", "label": "x", "where": [{"column": "arm", "one_of": ["etmi"]}]},
    {"code": "here", "label": "x", "where": [{"column": "site", "one_of": ["haifa"]}]},
]


GOAL = {"version": 1, "valid_from": ON, "goal_steps": 4321, "rule": "protocol"}


def build(store: Store, **changes: object) -> Store:
    """One participant of an arm, with a day, a session, a goal, and answers at two visits."""
    cohorts = [NamedCohort.model_validate(one) for one in NAMED]
    study = store.study.model_copy(update={"cohorts": cohorts, **changes})
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
        told | {"instrument": "PHQ9", "repeat": 1, "item": "9", "value": "1", "answered_on": ON,
                "visit": visit}
        for visit in ("baseline", "discharge")
    ] + [
        told | {"instrument": "NPRS", "repeat": 1, "item": "1", "value": "3", "answered_on": ON,
                "visit": visit}
        for visit in ("baseline", "discharge")
    ]  # fmt: skip
    session = told | {"session_number": 1, "held_on": ON, "attended": True, "therapist_id": "T01"}
    rows = {
        "response": answers,
        "treatment_session": [session],
        "goal": [one | GOAL | {"fetched_at": AS_OF}],
    }
    reading = Reading(rows=rows)
    landing.land(store, reading, "redcap", "0000")
    asked = one | {"source": "redcap", "pull_id": "g", "asked_at": AS_OF, "data_type": "goals"}
    counted = {"received": 2, "landed": 1, "rejected": 1, "reason": "received"}
    store.register.put(reg.receipt, [asked | counted])
    store.register.put(reg.rejection, [asked | {"reason": "repeated", "points": 1}])
    build_warehouse(store, AS_OF)
    return store


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """The study of `build`; its tests only read it."""
    store = new_store(tmp_path_factory.mktemp("built"))
    yield build(store)
    store.register.close()


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


def test_how_many_answers_came_is_in_the_full_file_alone(store):
    built = build(store)
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


@pytest.mark.parametrize("table", ["cohort_outcome", "cohort_responder"])
def test_a_small_sites_outcomes_at_discharge_are_withheld_as_its_counts_are(built, table):
    query = "SELECT DISTINCT visit FROM {} WHERE cohort_kind {}"
    assert "discharge" in seen(built, True, query.format(table, "<> 'all'"))
    assert "discharge" not in seen(built, False, query.format(table, "<> 'all'"))
    assert "discharge" in seen(built, False, query.format(table, "= 'all'"))


def test_a_safety_event_at_discharge_is_there_without_its_day(built):
    query = "SELECT event_number || ' ' || coalesce(CAST(raised_on AS VARCHAR), '') "
    query += "FROM safety_event"
    assert seen(built, True, query) == {f"1 {ON}", f"2 {ON}"}
    assert seen(built, False, query) == {f"1 {ON}", "2 "}


def told_of_goals(store: Store, sees_arms: bool) -> set[str]:
    """Every place of a published file that tells of a goal: its cells, rows and receipts."""
    con = publish.open_published(publish.stable_path(store.home, sees_arms))
    found = set()
    for table in PUBLISHED:
        if table.masked() is None:
            continue
        shown = [name for name in table.names if sees_arms or name in table.masked().names]
        rows = con.execute(f"SELECT {', '.join(shown)} FROM {table.full_name}").fetchall()
        for name, values in zip(shown, zip(*rows, strict=True), strict=False):
            speaks = GOAL_WORDS.search(f"{table.name}.{name}")
            if speaks and any(value is not None for value in values):
                found.add(f"{table.full_name}.{name}")
            if any(value == GOAL["goal_steps"] or value in GOAL_TYPES for value in values):
                found.add(f"{table.full_name}.{name}")
    con.close()
    return found - {"ops.build.goals_reveal_arm"}


# What a column or table that rests on a goal is called.
GOAL_WORDS = re.compile(r"goal|dose|adherent_week|is_adherent")
ONE_ARM = Goals(arms=["etmi"])
BOTH_ARMS = Goals(arms=["etmi", "usual_care"])


def test_where_one_arm_alone_has_goals_the_masked_file_has_none(store):
    build(store, goals=ONE_ARM, study=store.study.study.model_copy(update={"small_cell": 0}))
    assert told_of_goals(store, sees_arms=False) == set()
    assert {
        "goal.goal_steps",
        "participant_day.goal_steps",
        "participant_week.goal_days",
        "adherence.goal_adherence_strict",
        "adherence.dose_adherence",
        "cohort_week.participants_with_goal",
        "ops.receipt.data_type",
        "ops.rejection.data_type",
        "ops.receipt_day.data_type",
        "ops.rejection_day.data_type",
    } <= told_of_goals(store, sees_arms=True)


@pytest.mark.parametrize("goals", [Goals(), BOTH_ARMS], ids=["not said", "every arm"])
def test_where_every_arm_has_goals_both_files_have_them(store, goals):
    build(store, goals=goals)
    shown = told_of_goals(store, sees_arms=False)
    assert shown == told_of_goals(store, sees_arms=True)
    assert {"goal.goal_steps", "participant_day.goal_steps", "ops.receipt.data_type"} <= shown


def test_goals_that_were_shown_are_gone_once_the_protocol_says_that_one_arm_alone_has_them(store):
    before = build(store, goals=BOTH_ARMS)
    assert "goal.goal_steps" in told_of_goals(before, sees_arms=False)
    study = before.study.model_copy(update={"goals": ONE_ARM})
    build_warehouse(dataclasses.replace(before, study=study), AS_OF)
    assert told_of_goals(before, sees_arms=False) == set()


def test_a_column_named_for_goals_is_declared_to_tell_of_them():
    undeclared = [
        f"{table.name}.{column.name}"
        for table in PUBLISHED
        for column in table.columns
        if GOAL_WORDS.search(column.name)
        and not (table.reveals_arm or column.reveals_arm)
        and GOALS_TELL not in table.reveals_arm_where + column.reveals_arm_where
    ]
    assert undeclared == ["build.goals_reveal_arm"]


def test_activity_by_week_is_in_both_files_though_it_has_no_visit(built):
    measures = "SELECT DISTINCT measure FROM week_series"
    assert seen(built, True, measures) == {"NPRS", "steps_per_day"}
    assert seen(built, False, measures) == {"NPRS", "steps_per_day"}
