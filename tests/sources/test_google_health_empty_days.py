"""Google Health: a day that its restatement emptied is told as empty, and only such a day."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from support.google import NOW, ask, beats, point, reply, settings, steps, total

from ingestion.source import Window
from ingestion.sources.google_health import SOURCE

FIRST, LAST = "2026-03-26", "2026-03-29"  # Jerusalem: +2, and +3 from the 27th on


def synced(*instants):
    found = [{"name": f"{n}", "lastSyncTime": at} for n, at in enumerate(instants)]
    return reply("paired-devices", {"pairedDevices": found})


def asked(*points, first_on=FIRST, last_on=LAST):
    window = Window(date.fromisoformat(first_on), date.fromisoformat(last_on))
    return replace(steps(*points), window=window)


def read(*replies, first_on=FIRST, last_on=LAST):
    return SOURCE.read([settings(), *replies], ask(first_on, last_on)).days


def test_a_day_that_ended_before_the_last_sync_and_holds_nothing_is_an_empty_day():
    walked = point("2026-03-28T06:14:00Z", "97", "10800s")
    page = asked(walked)
    day, spring, full = read(page, synced("2026-03-01T00:00:00Z", "2026-03-29T20:59:59Z"))
    assert [d.activity_date.day for d in (day, spring, full)] == [26, 27, 28]
    assert full.step_count.tolist() == [97]
    for empty in (day, spring):
        lists = (empty.step_minute, empty.step_count, empty.wear_start, empty.wear_length)
        assert [part.size for part in lists] == [0, 0, 0, 0]
        assert (empty.wear_method, empty.vendor_steps) == (None, None)
        assert (empty.participant_id, empty.source, empty.era) == (
            "P001", "google_health", "google_health",
        )  # fmt: skip
        assert (empty.timezone, empty.fetched_at) == ("Asia/Jerusalem", NOW)
        assert empty.raw_sha256 == (page.sha256,)
    assert day.day_start_at == datetime(2026, 3, 25, 22, tzinfo=UTC)
    assert (day.day_minutes, spring.day_minutes) == (1440, 1380)


@pytest.mark.parametrize(
    ("sync", "days"), [("2026-03-27T20:59:59Z", [26]), ("2026-03-27T21:00:00Z", [26, 27])]
)
def test_a_day_that_the_last_sync_did_not_pass_is_not_known_to_be_empty(sync, days):
    assert [day.activity_date.day for day in read(asked(), synced(sync))] == days


def test_where_no_sync_is_stated_the_newest_minute_tells_what_has_passed():
    walked = point("2026-03-28T06:14:00Z", "97", "10800s")
    assert [day.activity_date.day for day in read(asked(walked))] == [26, 27, 28]
    assert read(asked()) == []


@pytest.mark.parametrize("more", [total("2026-03-26", "0"), beats("2026-03-26T06:14:00Z")])
def test_a_day_with_a_total_or_a_pulse_is_not_empty(more):
    (day,) = read(asked(last_on=FIRST), more, synced("2026-03-30T00:00:00Z"), last_on=FIRST)
    assert (day.vendor_steps, day.wear_start.size) in {(0, 0), (None, 1)}


def test_only_days_that_were_asked_for_are_told():
    assert read(synced("2026-03-30T00:00:00Z")) == []  # a quiet day: nothing new to ask for
    days = read(asked(first_on="2026-03-01"), synced("2026-03-30T00:00:00Z"), last_on=FIRST)
    assert [day.activity_date.day for day in days] == [26]


def test_a_point_that_is_not_understood_leaves_the_days_as_they_were():
    odd = point("26/03/2026 08:14", "97")
    assert read(asked(odd), synced("2026-03-30T00:00:00Z")) == []
