"""Pulling: what a fetch leaves on the grant, and a bug of ours kept to one participant."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest

from ingestion import pull
from ingestion.errors import BadReply, ConsentLost, ReaderFault
from ingestion.pulled import Pulled, marks_of
from ingestion.source import Ask, Device, Reading, Reply, Window, source_named
from warehouse.study import EXAMPLE, read_study

NOW = datetime(2026, 3, 20, 6, tzinfo=UTC)
MARCH = datetime(2026, 3, 19, 20, tzinfo=UTC)
GOOGLE = source_named("google_health")


def pulled(last_sync_at: datetime | None, landed: datetime | None) -> Pulled:
    ask = Ask(read_study(EXAMPLE), NOW, "P1", "Asia/Jerusalem",
              Window(date(2026, 3, 10), date(2026, 3, 20)), landed)  # fmt: skip
    device = Device("P1", "google_health", "d", "Inspire 3", True, last_sync_at, 50, NOW)
    return Pulled("P1", ask, reading=Reading(devices=[device]))


def test_a_pull_marks_how_far_it_landed():
    first = marks_of(pulled(MARCH, None), NOW)
    assert first["landed_sync_at"] == first["synced_at"] == MARCH
    assert first["first_asked_on"] == date(2026, 3, 10)
    later = marks_of(pulled(MARCH, datetime(2026, 3, 17, tzinfo=UTC)), NOW)
    assert "first_asked_on" not in later


def test_a_clock_that_is_fast_completes_no_day_before_its_end():
    tonight = datetime(2026, 3, 20, 23, tzinfo=UTC)  # told at six in the morning
    marks = marks_of(pulled(tonight, MARCH), NOW)
    assert (marks["landed_sync_at"], marks["synced_at"]) == (NOW, NOW)


def test_an_unpaired_device_does_not_take_back_what_has_landed():
    january = datetime(2026, 1, 20, tzinfo=UTC)
    assert marks_of(pulled(january, MARCH), NOW)["landed_sync_at"] == MARCH


def test_a_pull_that_failed_marks_nothing():
    one = pulled(MARCH, None)
    one.error = ConsentLost("gone")
    assert marks_of(one, NOW) == {}


def test_a_device_that_never_synced_leaves_the_days_incomplete():
    marks = marks_of(pulled(None, None), NOW)
    assert marks == {"last_pulled_at": NOW}


def test_a_bug_while_fetching_or_reading_is_told_without_the_value():
    def broken() -> Iterator[Reply]:
        raise KeyError("Jane Doe")
        yield

    with pytest.raises(ReaderFault, match=r"KeyError at test_pull\.py:\d+") as caught:
        list(pull._typed(GOOGLE, broken()))
    assert "Jane" not in str(caught.value)


def test_a_sources_own_error_passes_as_it_is():
    def refused() -> Iterator[Reply]:
        raise BadReply("cut short")
        yield

    with pytest.raises(BadReply, match="cut short"):
        list(pull._typed(GOOGLE, refused()))
