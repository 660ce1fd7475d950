"""The real export of 20 people: Furberg, Brinton, Keating, Ortiz 2016 (Zenodo 53894), export 2.

Every figure was counted from the files by hand with other tools (see PROVENANCE.md there), not by
the code under test.
"""

from datetime import UTC, datetime

import pytest
from support.fitabase import NOW, read
from support.shared import shared_data
from support.studies import new_store

from ingestion.importing import import_files
from ingestion.source import Count


@pytest.fixture(scope="module")
def export():
    return shared_data("fitbit_mobius") / "export2"


@pytest.fixture(scope="module")
def reading(export):
    return read(export, "America/New_York")


def test_twenty_people_and_all_their_minutes(reading):
    assert len(reading.covered_to) == 20
    # 13,112 wide rows of 60 minutes; the sum of all their cells.
    assert reading.counts["minute_steps"] == Count(received=786_720, landed=786_720)
    assert sum(int(day.step_count.sum(dtype="int64")) for day in reading.days) == 3_969_115


def test_minutes_equal_the_hourly_file_in_every_comparable_hour(reading):
    found = reading.reconciliation
    assert (found.hours_comparable, found.hours_equal) == (12_940, 12_940)
    # 12 April is in the hourly file alone; after the hourly file ends minutes run on.
    assert (found.hours_without_minutes, found.hours_without_total) == (480, 172)


def test_minutes_against_the_vendors_daily_totals(reading):
    found = reading.reconciliation
    assert (found.days_full, found.days_exact, found.days_within) == (528, 481, 524)
    # 12 May: all 24 hours of minutes, but its total was taken at three in the afternoon.
    assert (found.days_total_unfinished, found.days_without_total) == (10, 0)
    assert len(found.differences) == 47
    far = [(d.participant_id, str(d.activity_date)) for d in found.differences if not d.is_near]
    assert far == [
        ("F1624580081", "2016-04-15"),
        ("F5577150313", "2016-04-22"),
        ("F6775888955", "2016-05-06"),
        ("F7086361926", "2016-04-14"),
    ]


def test_totals_of_unfinished_days_are_refused(reading):
    # dailySteps and dailyActivity tell the same 570 totals; 22 were taken before the day ended.
    assert reading.counts["daily_steps"] == Count(
        received=1140, landed=548, rejections={"repeated": 570, "unfinished_day": 22}
    )


def test_one_day_to_the_step(reading):
    [day] = [
        d
        for d in reading.days
        if d.participant_id == "F1624580081" and str(d.activity_date) == "2016-04-13"
    ]
    assert day.day_start_at == datetime(2016, 4, 13, 4, 0, tzinfo=UTC)
    assert day.step_minute[:3].tolist() == [9, 10, 44]  # the file's first row: Steps09, 10 and 44
    assert day.step_count[:3].tolist() == [22, 37, 16]
    assert (int(day.step_count.sum(dtype="int64")), day.vendor_steps) == (7007, 7007)
    assert day.wear_method == "steps"


def test_the_last_truncated_day_ends_where_the_minutes_end(reading):
    # Its last wide row is 5/13/2016 8:00:00 AM, Eastern Daylight Time.
    assert reading.covered_to["F1624580081"] == datetime(2016, 5, 13, 13, 0, tzinfo=UTC)


def test_importing_it_twice_changes_nothing(export, tmp_path):
    store = new_store(tmp_path / "study")
    options = {"timezone": "America/New_York", "enrol_site": "haifa", "progress": lambda _: None}
    first = import_files(store, "fitabase", export, now=NOW, **options)
    again = import_files(store, "fitabase", export, now=NOW.replace(hour=13), **options)
    store.register.close()
    # 557 person-days with minutes, and 20 of 12 April with a total alone.
    assert (first.participants, first.enrolled, first.landed.days_new) == (20, 20, 577)
    assert (again.landed.days_new, again.landed.days_changed, again.enrolled) == (0, 0, 0)
    assert "481 of 528 full days equal the vendor's total, 524 within 1 %" in str(first)
