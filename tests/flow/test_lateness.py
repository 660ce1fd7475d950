"""Late and restated days: the newest word wins, the ledger says how late, lateness is learned."""

from __future__ import annotations

import dataclasses
import random
import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from support.simulated import simulated
from support.trial import Trial, trial

from ingestion.landing import days_table, land, read_raw
from ingestion.lateness import compute_lateness, learn_lateness, record_revisions
from ingestion.pull import _grants
from ingestion.schedule import next_ask
from ingestion.source import ActivityDay, Ask, Reading, Window, source_named
from warehouse import register as reg
from warehouse.home import Store
from warehouse.lake import Change
from warehouse.study import EXAMPLE, Wearables, read_study

SOURCE = "google_health"
RULES = Wearables(sources=[SOURCE], trailing_days=7, most_trailing_days=28, lateness_pct=95)
# The local day in Jerusalem, UTC+2: it ends at 22:00 UTC on the 20th.
DAY = ActivityDay(
    participant_id="P1",
    source=SOURCE,
    activity_date=date(2026, 1, 20),
    timezone="Asia/Jerusalem",
    day_start_at=datetime(2026, 1, 19, 22, tzinfo=UTC),
    day_minutes=1440,
    step_minute=np.array([480, 481], np.uint16),
    step_count=np.array([90, 12], np.uint16),
    wear_start=np.array([400], np.uint16),
    wear_length=np.array([150], np.uint16),
    wear_method="heart_rate",
    vendor_steps=102,
    era=SOURCE,
    device_model="Inspire 3",
    fetched_at=datetime(2026, 1, 21, 5, tzinfo=UTC),
    raw_sha256=("a",),
)


def word(day: int, *steps: int, hour: int = 5) -> ActivityDay:
    """Another word of the vendor on the day, fetched in January."""
    at = datetime(2026, 1, day, hour, tzinfo=UTC)
    count = np.array(steps, np.uint16)
    return dataclasses.replace(DAY, step_count=count, fetched_at=at)


def landed(store: Store, *words: ActivityDay) -> list[dict[str, Any]]:
    """The ledger's lines once the words have landed one after another, by when they came."""
    for one in words:
        land(store, Reading(days=[one]), SOURCE, "0000")
    return store.register.rows(sa.select(reg.revision).order_by(reg.revision.c.changed_at))


def connected(store: Store, **marks: Any) -> None:
    """P1 with an active grant, on the roster of batch 0."""
    person = {
        "participant_id": "P1",
        "site": "haifa",
        "timezone": "Asia/Jerusalem",
        "enrolled_on": date(2026, 1, 19),
        "starts_on": date(2026, 1, 20),
        "batch": 0,
    }
    grant = {
        "participant_id": "P1",
        "source": SOURCE,
        "state": "active",
        "since": datetime(2026, 1, 19, tzinfo=UTC),
        "first_asked_on": date(2026, 1, 20),
    }
    store.register.put(reg.participant, [person])
    store.register.put(reg.grant, [grant | marks])


def steps_landed(store: Store) -> int:
    (file,) = store.lake.day_files()
    return int(store.lake.read_days(file.path)["steps"].to_pylist()[0])


def test_a_newer_word_wins_also_when_it_is_lower(store):
    lines = landed(store, DAY, word(22, 50, 3))
    assert steps_landed(store) == 53
    assert [(row["steps_before"], row["steps_after"]) for row in lines] == [(102, 53)]


def test_an_older_word_that_comes_later_changes_nothing(store):
    lines = landed(store, word(22, 50, 3), DAY)
    assert steps_landed(store) == 53
    assert lines == []


def test_the_ledger_says_how_late_and_what_was_replaced(store):
    connected(store, landed_sync_at=datetime(2026, 1, 20, 22, tzinfo=UTC))
    lines = landed(store, DAY, word(21, 90, 13, hour=21), word(22, 90, 14, hour=22))
    told = [(row["days_late"], row["replaced_at"].day, row["was_complete"]) for row in lines]
    assert told == [(0, 21, True), (2, 21, True)]  # to the second: the day ended at 22:00 UTC


def test_a_day_that_changes_back_and_forth_has_a_line_each_time(store):
    lines = landed(store, DAY, word(22, 50, 3), word(23, 90, 12), word(24, 50, 3))
    told = [(row["steps_before"], row["steps_after"], row["changed_at"].day) for row in lines]
    assert told == [(102, 53, 22), (53, 102, 23), (102, 53, 24)]


def test_a_change_said_by_a_pull_that_was_killed_is_said_once(store):
    landed(store, DAY)
    facts = days_table([DAY, word(22, 50, 3), word(23, 50, 3)])
    before, killed, again = facts.to_pylist()
    for after in (killed, again):  # the first died before it wrote the day
        record_revisions(store.register, SOURCE, [Change(before, after)])
    (line,) = store.register.rows(sa.select(reg.revision))
    assert (line["steps_after"], line["changed_at"].day) == (53, 22)


def test_a_day_that_a_late_sync_filled_in_was_not_complete(store):
    connected(store, landed_sync_at=datetime(2026, 1, 20, 21, 59, tzinfo=UTC))
    assert [row["was_complete"] for row in landed(store, DAY, word(25, 90, 13))] == [False]


@pytest.mark.parametrize(
    ("days_late", "expected"),
    [
        ([], 7),
        ([0, 0, 1], 7),  # twice the second day after its end is 4: the least holds
        ([3], 8),
        ([4], 10),
        ([0] * 19 + [9], 7),  # the 19th of twenty is the 95th percentile
        ([0] * 18 + [9, 9], 20),
        ([60], 28),
        ([-1], 7),  # a change before the day's end
    ],
)
def test_lateness_is_twice_the_percentile_within_its_bounds(days_late, expected):
    assert compute_lateness(days_late, RULES) == expected


def test_lateness_is_learned_from_restatements_alone(store):
    line = {"participant_id": "P1", "source": SOURCE, "replaced_hash": "o"}
    at = datetime(2026, 3, 1, tzinfo=UTC)
    late = [("a", 5, True), ("b", 25, False), ("c", 25, None)]
    store.register.put(reg.revision, [
        line | {"activity_date": date(2026, 2, 1), "row_hash": name, "changed_at": at,
                "days_late": days, "was_complete": complete}
        for name, days, complete in late
    ])  # fmt: skip
    with store.register.begin() as con:
        learn_lateness(store.register, con, SOURCE, ["P1", "P2"], RULES)
    assert store.register.rows(sa.select(reg.lateness)) == [
        {"participant_id": "P1", "source": SOURCE, "lateness_days": 12, "changes": 1,
         "learned_at": at}
    ]  # fmt: skip


def test_what_was_learned_widens_the_window_that_is_asked_for_again(store):
    synced_at = datetime(2026, 3, 10, 12, tzinfo=UTC)
    connected(store, landed_sync_at=synced_at, synced_at=synced_at)

    def first_on() -> date:
        (row,) = _grants(store, reg.grant.c.source == SOURCE)
        ask = next_ask(store.study, row, datetime(2026, 3, 12, tzinfo=UTC))
        assert ask is not None
        assert ask.window is not None
        return ask.window.first_on

    assert first_on() == date(2026, 3, 3)
    learned = {"participant_id": "P1", "source": SOURCE, "lateness_days": 20, "changes": 3}
    store.register.put(reg.lateness, [learned | {"learned_at": synced_at}])
    assert first_on() == date(2026, 2, 18)


def test_a_pull_that_stopped_before_the_last_sync_goes_on_from_there(store):
    midnight = datetime(2026, 3, 4, 22, tzinfo=UTC)  # the 5th in Jerusalem
    connected(store, landed_sync_at=midnight, synced_at=datetime(2026, 3, 10, 12, tzinfo=UTC))
    (row,) = _grants(store, reg.grant.c.source == SOURCE)
    ask = next_ask(store.study, row, datetime(2026, 3, 12, tzinfo=UTC))
    assert ask is not None
    assert ask.window == Window(date(2026, 3, 5), date(2026, 3, 12))


def test_the_least_is_not_above_the_most():
    with pytest.raises(ValueError, match="most_trailing_days"):
        Wearables(sources=[SOURCE], trailing_days=30, most_trailing_days=28)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trial]:
    """Three participants over two weeks, pulled at nine instants: most days came in parts."""
    with (
        pytest.MonkeyPatch.context() as patch,
        simulated(3, 2) as sim,
        trial(tmp_path_factory.mktemp("small") / "study", sim, patch) as run,
    ):
        instants = sim.world.pull_instants(9)
        run.enrol(instants[0])
        for at in instants:
            run.pull(at)
        yield run


def test_restatements_met_on_the_way_were_learned_from(small):
    rows = small.store.register.rows(sa.select(reg.lateness))
    lines = small.store.register.rows(sa.select(reg.revision))
    restated = {row["participant_id"] for row in lines if row["was_complete"]}
    assert restated
    assert {row["participant_id"] for row in rows} == restated
    assert all(7 <= row["lateness_days"] <= 28 for row in rows)


@pytest.mark.parametrize("orders", [2, pytest.param(20, marks=pytest.mark.slow)])
def test_whatever_the_order_of_arrival_it_makes_one_warehouse(small, orders):
    before = small.build(full=True).content_hash
    assert small.verdict().holds, str(small.verdict())
    zones = {p.participant_id: p.timezone for p in small.sim.world.participants}
    fetches = [
        (name, replies)
        for name in (SOURCE, "fitbit")
        for replies in read_raw(small.store.lake, name)
    ]
    assert len(fetches) > 15
    rows, hashes = _rows(small.store), set()
    for seed in range(orders):
        shutil.rmtree(small.store.home.path / "lake" / "activity_day")
        random.Random(seed).shuffle(fetches)
        for name, replies in fetches:
            window = next((reply.window for reply in replies if reply.window), None)
            who = str(replies[0].participant_id)
            ask = Ask(small.store.study, replies[0].fetched_at, who, zones[who], window)
            reading = source_named(name).read(replies, ask)
            land(small.store, Reading(days=reading.days), name, "0000")
        assert _rows(small.store) == rows  # all that a build reads of them
        hashes.add(small.build(full=True).content_hash)
    assert hashes == {before}


def _rows(store: Store) -> list[tuple[Any, ...]]:
    """Every day row of the lake: whose, when, its facts by their hash, the word that it is."""
    names = ["participant_id", "source", "activity_date", "row_hash", "fetched_at"]
    tables = [store.lake.read_days(file.path, names) for file in store.lake.day_files()]
    return sorted(tuple(row.values()) for table in tables for row in table.to_pylist())


def test_a_changed_total_changes_the_hash(small):
    before = small.build(full=True).content_hash
    day = dataclasses.replace(DAY, participant_id="P001", activity_date=date(2026, 1, 27),
                              fetched_at=datetime(2026, 12, 1, tzinfo=UTC))  # fmt: skip
    land(small.store, Reading(days=[day]), SOURCE, "0000")
    assert small.build(full=True).content_hash != before


def test_the_protocols_own_numbers_are_these():
    rules = read_study(EXAMPLE).wearables
    assert (rules.trailing_days, rules.most_trailing_days, rules.lateness_pct) == (7, 28, 95)
    assert timedelta(days=rules.final_after_days) == timedelta(days=14)
