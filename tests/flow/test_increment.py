"""A build that starts from the last one comes to what a build from nothing comes to."""

from __future__ import annotations

import os
from contextlib import closing
from datetime import timedelta

import pytest
from support.history import EVENTS, History, apart, differences

from transforms.build import Built, build_warehouse
from warehouse import publish
from warehouse.home import Store


def build(history: History) -> Built:
    built = build_warehouse(history.store, history.now)
    build_warehouse(apart(history.store), history.now, full=True)
    assert differences(history.store, apart(history.store)) == []
    return built


def starts_from_a_copy(built: Built) -> bool:
    return "person-days are new or differ" in built.account


FROM_NOTHING = (History.the_protocol_is_amended, History.somebody_is_no_longer_on_the_roster)
OF_A_COPY = tuple(event for event in EVENTS if event not in FROM_NOTHING)


def test_whatever_can_happen_in_a_few_steps(store):
    history = History(store, seed=7)
    build_warehouse(store, history.now)
    for first in range(2):
        for event in OF_A_COPY[first::2]:
            event(history)
        assert starts_from_a_copy(build(history))
    for event in FROM_NOTHING:
        event(history)
    assert not starts_from_a_copy(build(history))


@pytest.mark.slow
@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.__name__)
def test_whatever_happens_the_next_build_is_the_one_from_nothing(store, event):
    history = History(store, seed=7)
    build_warehouse(store, history.now)
    history.a_day_lands_and_all_have_synced()
    event(history)
    assert starts_from_a_copy(build(history)) is (event not in FROM_NOTHING)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
def test_whatever_happens_in_any_order(store, seed):
    history = History(store, int(os.environ.get("STEPWELL_SEED", "0")) or seed)
    build_warehouse(store, history.now)
    copies = 0
    for _ in range(12):
        history.something_happens()
        copies += starts_from_a_copy(build(history))
    assert copies


def test_a_row_that_changed_only_in_what_is_masked_stays_in_its_place(store):
    history = History(store, seed=7)
    build_warehouse(store, history.now)
    before = people(history.store)
    history._roster("P1", arm="usual_care", therapist_id="T02")
    history._roster("P3", arm="etmi", age_years=50)
    assert starts_from_a_copy(build(history))
    # P3, of whom a column that is seen has changed, is written anew; P1 is not
    assert people(history.store) == [one for one in before if one != "P3"] + ["P3"]


def people(store: Store) -> list[str]:
    with closing(publish.open_published(publish.stable_path(store.home))) as con:
        rows = con.execute("SELECT participant_id FROM participant ORDER BY rowid").fetchall()
    return [str(row[0]) for row in rows]


def test_a_clock_set_back_and_a_lost_masked_file_start_from_nothing(store):
    history = History(store, seed=7)
    build_warehouse(store, history.now)
    history.time_passes()
    assert starts_from_a_copy(build_warehouse(store, history.now))
    publish.stable_path(store.home).unlink()
    without = build_warehouse(store, history.now)
    assert "the last build has no masked file" in without.account
    back = build_warehouse(store, history.now - timedelta(days=30))
    assert "the clock is before that of the last build" in back.account
