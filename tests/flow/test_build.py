"""Builds: what changed is computed and nothing else, whatever lands meanwhile."""

from __future__ import annotations

import dataclasses
from datetime import UTC, date, datetime, timedelta
from typing import Any

from support.landed_days import AS_OF, ON, a_day, days_of, enrol, land

from ingestion import landing
from ingestion.schedule import landed_through, next_ask
from ingestion.source import Ask, Reading, Window
from transforms import build, day_metrics
from warehouse import publish
from warehouse.home import Store


def test_a_second_build_computes_only_the_day_that_changed(store):
    enrol(store, "P1", "P2")
    land(store, a_day("P1", 5000), a_day("P2", 6000), a_day("P1", 1, ON + timedelta(days=1)))
    assert build.build_warehouse(store, AS_OF).days_computed == 3
    land(store, a_day("P2", 6001, hour=2))
    second = build.build_warehouse(store, AS_OF)
    assert (second.days_computed, second.days_reused) == (1, 2)
    assert days_of(store) == {"P1": ("implausible", 5000), "P2": ("implausible", 6001)}


def test_two_participants_with_the_same_facts_are_two_days(store):
    enrol(store, "P1", "P2")
    land(store, a_day("P2"))
    build.build_warehouse(store, AS_OF)
    land(store, a_day("P1"))
    build.build_warehouse(store, AS_OF)
    assert days_of(store) == {"P1": ("valid", 0), "P2": ("valid", 0)}


def test_a_day_that_lands_while_a_build_reads_is_not_lost(store, monkeypatch):
    enrol(store, "P1")
    land(store, a_day("P1", 100))
    compute = day_metrics._compute

    def landing_meanwhile(con: Any, store: Store, parts: Any) -> int:
        land(store, a_day("P1", 200, hour=2))
        return compute(con, store, parts)

    monkeypatch.setattr(day_metrics, "_compute", landing_meanwhile)
    build.build_warehouse(store, AS_OF)
    assert days_of(store) == {"P1": ("valid", 200)}
    monkeypatch.undo()
    build.build_warehouse(store, AS_OF)
    assert days_of(store) == {"P1": ("valid", 200)}


def test_a_changed_protocol_computes_every_day_again(store):
    enrol(store, "P1")
    land(store, a_day("P1", 120))
    build.build_warehouse(store, AS_OF)
    wear = store.study.wear.model_copy(update={"moderate_cadence": 130})
    amended = dataclasses.replace(store, study=store.study.model_copy(update={"wear": wear}))
    assert build.build_warehouse(amended, AS_OF).days_computed == 1


def test_what_a_killed_build_left_aside_is_cleared(store):
    enrol(store, "P1")
    with publish.building(store.home, "killed") as (_, aside):
        pass
    (aside.parent / ".other.tmp.wal").touch()
    build.build_warehouse(store, AS_OF)
    assert [p.name for p in aside.parent.iterdir() if p.name.startswith(".")] == []


def test_a_participants_discharge_is_in_the_full_file_alone(store):
    enrol(store, "P1")
    answer = {"participant_id": "P1", "source": "redcap", "instrument": "NPRS", "repeat": 1,
              "item": "1", "value": "3", "answered_on": ON, "fetched_at": AS_OF}  # fmt: skip
    rows = [answer | {"visit": visit} for visit in ("discharge", "baseline")]
    landing.land(store, Reading(rows={"response": rows}), "redcap", "0000")
    build.build_warehouse(store, AS_OF)
    for sees_arms, visits in ((True, {"baseline", "discharge"}), (False, {"baseline"})):
        con = publish.open_published(publish.stable_path(store.home, sees_arms))
        for table in ("response", "score"):
            found = con.execute(f"SELECT DISTINCT visit FROM {table}").fetchall()
            assert {row[0] for row in found} == visits
        seen = con.execute("SELECT count(*) FROM outcome WHERE visit = 'discharge'").fetchall()
        assert (seen[0][0] > 0) is sees_arms
        con.close()


def test_the_lake_and_the_register_are_their_owners_alone(store):
    land(store, a_day("P1"))
    folder = store.home.path
    assert (folder / "lake").stat().st_mode & 0o077 == 0
    assert (folder / "register.sqlite").stat().st_mode & 0o077 == 0


ROW = {
    "participant_id": "P1",
    "source": "google_health",
    "timezone": "Asia/Jerusalem",
    "starts_on": ON,
    "withdrawn_on": None,
    "first_asked_on": ON,
    "landed_sync_at": datetime(2026, 2, 9, 12, tzinfo=UTC),
}


def test_a_study_day_1_moved_back_makes_everything_due_again(store):
    moved = ROW | {"starts_on": date(2026, 1, 13)}
    ask = next_ask(store.study, moved, AS_OF)
    assert ask is not None
    assert ask.window == Window(date(2026, 1, 13), date(2026, 2, 10))
    assert ask.synced_before is None
    usual = next_ask(store.study, ROW, AS_OF)
    assert usual is not None
    assert usual.window == Window(date(2026, 2, 2), date(2026, 2, 10))
    assert usual.synced_before == ROW["landed_sync_at"]


def test_days_before_the_first_one_asked_for_are_not_known_to_be_empty(store):
    enrol(store, "P1")
    land(store, a_day("P1", 200))
    person = {"participant_id": "P1", "site": "haifa", "timezone": "Asia/Jerusalem",
              "enrolled_on": ON, "starts_on": date(2026, 1, 13)}  # fmt: skip
    landing.land_roster(store, [person])
    build.build_warehouse(store, AS_OF)
    con = publish.open_published(publish.stable_path(store.home))
    query = "SELECT DISTINCT day_state FROM participant_day WHERE activity_date < ?"
    assert con.execute(query, [ON]).fetchall() == [("minutes_lost",)]


def test_the_last_day_counts_to_its_own_end_where_the_vendors_zone_is_west_of_the_rosters():
    study: Any = None
    ask = Ask(study, AS_OF, "P1", "Asia/Jerusalem", Window(ON, ON))
    west = dataclasses.replace(a_day("P1"), day_start_at=datetime(2026, 1, 20, 5, tzinfo=UTC))
    assert landed_through(ask, AS_OF, [west]) == datetime(2026, 1, 21, 5, tzinfo=UTC)
    early = datetime(2026, 1, 20, 12, tzinfo=UTC)
    assert landed_through(ask, early, [west]) == early


def test_a_window_up_to_today_has_landed_to_the_last_sync():
    study: Any = None
    ask = Ask(study, AS_OF, "P1", "Asia/Jerusalem", Window(ON, date(2026, 2, 10)))
    synced_at = datetime(2026, 2, 10, 5, tzinfo=UTC)
    assert landed_through(ask, synced_at, []) == synced_at
