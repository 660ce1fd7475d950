"""Landed rows: the newest word wins in any order, and twice is once."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
import pytest

from warehouse.lake import Lake
from warehouse.schema import table_of
from warehouse.tables.landed import activity_day, goal

ON = date(2026, 1, 20)


def day(participant: str, row_hash: str, hour: int, on: date = ON) -> dict[str, Any]:
    return {
        "participant_id": participant,
        "source": "google_health",
        "activity_date": on,
        "day_start_at": datetime(2026, 1, 19, 22, tzinfo=UTC),
        "day_minutes": 1440,
        "step_minute": [480, 481],
        "step_count": [90, 12],
        "wear_start": [400],
        "wear_length": [600],
        "era": "google_health",
        "row_hash": row_hash,
        "fetched_at": datetime(2026, 1, 21, hour, tzinfo=UTC),
        "raw_sha256": [f"of {row_hash}"],
    }


def days(*rows: dict[str, Any]) -> pa.Table:
    return table_of(activity_day, rows)


def stored(lake: Lake) -> list[tuple[str, date, str]]:
    parts = [lake.read_days(file.path) for file in lake.day_files()]
    rows = [row for part in parts for row in part.to_pylist()]
    return sorted((r["participant_id"], r["activity_date"], r["row_hash"]) for r in rows)


def test_landing_the_same_days_again_changes_nothing(tmp_path):
    lake = Lake(str(tmp_path))
    rows = days(day("P1", "a", 1), day("P2", "b", 1))
    assert lake.merge_days("google_health", "0000", rows).new == 2
    files = lake.day_files()
    again = lake.merge_days("google_health", "0000", rows)
    assert (again.new, again.changed, again.same) == (0, 0, 2)
    assert lake.day_files() == files


def test_a_changed_day_replaces_the_old_one_and_leaves_the_others(tmp_path):
    lake = Lake(str(tmp_path))
    lake.merge_days("google_health", "0000", days(day("P1", "a", 1), day("P2", "b", 1)))
    merge = lake.merge_days("google_health", "0000", days(day("P1", "c", 2)))
    assert (merge.new, merge.changed) == (0, 1)
    assert merge.changes[0].before is not None
    assert merge.changes[0].before["row_hash"] == "a"
    assert stored(lake) == [("P1", ON, "c"), ("P2", ON, "b")]


def test_the_newest_word_wins_whatever_the_order_of_arrival(tmp_path):
    # "a" was said at 1 and again at 5, "b" at 3: whoever arrives last, "a" at 5 is the newest.
    words = [day("P1", "a", 1), day("P1", "b", 3), day("P1", "a", 5)]
    for number, order in enumerate(itertools.permutations(words)):
        lake = Lake(str(tmp_path / str(number)))
        for word in order:
            lake.merge_days("google_health", "0000", days(word))
        assert stored(lake) == [("P1", ON, "a")]


def test_two_words_of_one_instant_end_the_same_in_either_order(tmp_path):
    ends = []
    for order in ("xy", "yx"):
        lake = Lake(str(tmp_path / order))
        for word in order:
            lake.merge_days("google_health", "0000", days(day("P1", word, 1)))
        ends.append(stored(lake))
    assert ends[0] == ends[1]


def test_one_reading_that_says_a_day_twice_keeps_the_newer(tmp_path):
    lake = Lake(str(tmp_path))
    lake.merge_days("google_health", "0000", days(day("P1", "new", 2), day("P1", "old", 1)))
    assert stored(lake) == [("P1", ON, "new")]


def test_each_date_and_batch_has_a_file_of_its_own(tmp_path):
    lake = Lake(str(tmp_path))
    other = date(2026, 1, 21)
    lake.merge_days("google_health", "0000", days(day("P1", "a", 1), day("P1", "b", 1, other)))
    lake.merge_days("google_health", "0001", days(day("P2", "c", 1)))
    assert [file.path for file in lake.day_files()] == [
        "activity_day/source=google_health/date=2026-01-20/bucket=0000.parquet",
        "activity_day/source=google_health/date=2026-01-20/bucket=0001.parquet",
        "activity_day/source=google_health/date=2026-01-21/bucket=0000.parquet",
    ]


def test_minutes_come_back_as_they_went_in(tmp_path):
    lake = Lake(str(tmp_path))
    lake.merge_days("google_health", "0000", days(day("P1", "a", 1)))
    row = lake.read_days(lake.day_files()[0].path).to_pylist()[0]
    assert row["step_minute"] == [480, 481]
    assert row["step_count"] == [90, 12]
    assert row["wear_start"] == [400]
    assert row["day_start_at"] == datetime(2026, 1, 19, 22, tzinfo=UTC)


def test_small_tables_are_merged_by_key(tmp_path):
    lake = Lake(str(tmp_path))
    row = {"participant_id": "P1", "version": 1, "valid_from": ON, "goal_steps": 5000,
           "rule": "protocol"}  # fmt: skip
    lake.merge_rows(goal, "redcap", "0000", goals(row, "a", 1))
    merge = lake.merge_rows(goal, "redcap", "0000", goals(row | {"goal_steps": 6000}, "b", 2))
    assert (merge.new, merge.changed) == (0, 1)
    assert lake.read_rows(goal).to_pylist()[0]["goal_steps"] == 6000


def goals(row: dict[str, Any], row_hash: str, hour: int) -> pa.Table:
    at = datetime(2026, 1, 21, hour, tzinfo=UTC)
    return table_of(goal, [row | {"row_hash": row_hash, "fetched_at": at}])


def test_raw_replies_come_back_oldest_first_and_are_kept_once(tmp_path):
    lake = Lake(str(tmp_path))
    later, earlier = datetime(2026, 1, 22, tzinfo=UTC), datetime(2026, 1, 21, tzinfo=UTC)
    lake.keep_raw("redcap", later, "b", b"second" * 100)
    path = lake.keep_raw("redcap", earlier, "a", b"first" * 100)
    assert lake.keep_raw("redcap", earlier, "a", b"other") == path
    assert [body[:6] for _, body in lake.raw("redcap")] == [b"firstf", b"second"]
    assert (tmp_path / path).stat().st_size < 100


@pytest.mark.parametrize("words", ["xy", "yx"])
def test_the_same_replies_read_by_a_mended_reader_replace_what_was_read_before(tmp_path, words):
    lake = Lake(str(tmp_path / "lake"))
    for word in words:
        row = day("P1", word, 1) | {"raw_sha256": ["the same reply"]}
        lake.merge_days("google_health", "0000", days(row))
    assert [found for *_, found in stored(lake)] == [words[-1]]
