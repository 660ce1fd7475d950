"""Compaction: closed days move into their month's file, and no figure moves with them."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from support.grants import killed_at
from support.landed_days import AS_OF, ON, a_day, days_of, enrol, land

from ingestion.landing import days_table
from transforms.build import build_warehouse
from warehouse import publish
from warehouse import register as reg
from warehouse.compaction import Compacted, compact
from warehouse.home import Store, open_store

# AS_OF is 2026-02-10 and trailing_days is 7: open from 2026-02-03
FOLDER = "activity_day/source=google_health"


def paths(store: Store) -> list[str]:
    return [file.path for file in store.lake.day_files()]


def held(store: Store) -> list[tuple[str, date, int]]:
    """What the lake says of each day, as a build reads it."""
    files = store.lake.day_files()
    parts = store.lake.days([file.path for file in files], files)
    rows = [row for _, part in parts for row in part.to_pylist()]
    return sorted((r["participant_id"], r["activity_date"], r["steps"]) for r in rows)


def land_four(store: Store) -> None:
    enrol(store, "P1", "P2")
    land(store, a_day("P2", 2), a_day("P1", 1), a_day("P1", 3, date(2026, 1, 31)))
    land(store, a_day("P1", 4, date(2026, 2, 3)))


def content(store: Store) -> dict[str, tuple[int, str]]:
    con = publish.open_published(publish.stable_path(store.home, sees_arms=True))
    found = {name: (rows, told) for name, rows, told in publish.table_hashes(con)}
    con.close()
    return found


def test_closed_days_move_into_their_month_and_open_ones_stay(store):
    land_four(store)
    before = held(store)
    assert compact(store, AS_OF) == Compacted(months=1, dates=2)
    assert paths(store) == [
        f"{FOLDER}/date=2026-02-03/bucket=0000.parquet",
        f"{FOLDER}/month=2026-01/group=0000.parquet",
    ]
    assert held(store) == before == [
        ("P1", ON, 1), ("P1", date(2026, 1, 31), 3), ("P1", date(2026, 2, 3), 4), ("P2", ON, 2),
    ]  # fmt: skip
    [month] = [path for path in paths(store) if "month=" in path]
    rows = store.lake.read_days(month).select(["participant_id", "activity_date"]).to_pylist()
    assert [tuple(row.values()) for row in rows] == [
        ("P1", ON), ("P1", date(2026, 1, 31)), ("P2", ON),
    ]  # fmt: skip


def test_compacting_twice_is_compacting_once(store):
    land_four(store)
    compact(store, AS_OF)
    files = store.lake.day_files()
    assert compact(store, AS_OF) == Compacted(months=0, dates=0)
    assert store.lake.day_files() == files


def test_a_compacted_day_that_comes_again_is_the_same_or_overrides_the_month(store):
    land_four(store)
    compact(store, AS_OF)
    files = store.lake.day_files()
    land(store, a_day("P1", 1))  # the same word
    land(store, a_day("P1", 9, hour=0))  # an older one
    assert store.lake.day_files() == files
    land(store, a_day("P1", 10, hour=2))
    assert f"{FOLDER}/date=2026-01-20/bucket=0000.parquet" in paths(store)
    told = [("P1", ON, 10), ("P2", ON, 2)]
    assert [row for row in held(store) if row[1] == ON] == told
    assert compact(store, AS_OF) == Compacted(months=1, dates=1)
    assert [row for row in held(store) if row[1] == ON] == told


def test_what_a_compacted_day_was_before_goes_on_record(store):
    land_four(store)
    compact(store, AS_OF)
    land(store, a_day("P1", 10, hour=2))
    [row] = store.register.rows(sa.select(reg.revision))
    assert (row["participant_id"], row["steps_before"], row["steps_after"]) == ("P1", 1, 10)


def test_the_warehouse_is_the_same_before_and_after_and_nothing_is_computed_again(store):
    land_four(store)
    first = build_warehouse(store, AS_OF)
    tables = content(store)
    compact(store, AS_OF)
    second = build_warehouse(store, AS_OF)
    assert (second.days_computed, second.days_reused) == (0, 4)
    assert build_warehouse(store, AS_OF, full=True).days_computed == 4
    assert content(store) == tables
    assert second.content_hash == first.content_hash


@pytest.mark.parametrize("compacts", [pytest.param((1,), marks=pytest.mark.slow), (0, 1, 2)])
def test_increments_end_where_a_full_build_does_whenever_compaction_runs(store, compacts):
    enrol(store, "P1", "P2")
    words = [
        [a_day("P1", 100), a_day("P2", 200), a_day("P1", 50, ON + timedelta(days=12))],
        [a_day("P2", 201, hour=2), a_day("P1", 99, hour=0)],
        [a_day("P2", 7, ON + timedelta(days=1)), a_day("P1", 101, hour=3)],
    ]
    for number, said in enumerate(words):
        land(store, *said)
        if number in compacts:
            compact(store, AS_OF)
        built = build_warehouse(store, AS_OF)
    assert days_of(store) == {"P1": ("valid", 101), "P2": ("valid", 201)}
    assert build_warehouse(store, AS_OF, full=True).content_hash == built.content_hash


def test_what_lands_while_a_month_is_written_is_kept(store, monkeypatch):
    land_four(store)
    write = store.lake.write_days

    def landing_meanwhile(path: str, rows: Any) -> None:
        write(path, rows)
        land(store, a_day("P2", 20, hour=2))

    monkeypatch.setattr(store.lake, "write_days", landing_meanwhile)
    assert compact(store, AS_OF) == Compacted(months=1, dates=1)
    assert ("P2", ON, 20) in held(store)
    assert ("P2", ON, 2) not in held(store)
    monkeypatch.undo()
    compact(store, AS_OF)
    assert ("P2", ON, 20) in held(store)


@pytest.mark.parametrize("every", [60, pytest.param(7, marks=pytest.mark.slow)])
def test_killed_anywhere_it_loses_nothing_and_doubles_nothing(home, store, every):
    land_four(store)
    whole = held(store)
    before = set(paths(store))
    line, killed = 1, 0
    while killed_at(line, lambda: compact(open_store(home), AS_OF)):
        assert held(store) == whole
        land(store, a_day("P1", 0, ON, hour=0))  # an old word still finds the day, wherever it lies
        assert held(store) == whole
        killed, line = killed + 1, line + every
    assert killed > 5
    assert held(store) == whole
    assert len(paths(store)) < len(before)
    assert not list(Path(home.path, "lake", FOLDER).rglob(".*.tmp"))


def test_a_large_study_has_a_months_file_for_each_fifty_batches(store):
    for bucket in ("0049", "0050", "import"):
        store.lake.merge_days("google_health", bucket, days_table([a_day(f"P{bucket}", 1)]))
    assert compact(store, AS_OF) == Compacted(months=3, dates=3)
    assert [path.removeprefix(f"{FOLDER}/") for path in paths(store)] == [
        "month=2026-01/group=0000.parquet",
        "month=2026-01/group=0001.parquet",
        "month=2026-01/group=import.parquet",
    ]
