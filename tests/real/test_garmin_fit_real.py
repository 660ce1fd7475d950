"""Garmin FIT files of the SDK and of a watch, as their provenance tells of them."""

from datetime import UTC, date, datetime

import pytest
from support.shared import shared_data
from support.studies import new_store

from ingestion.errors import BadInput
from ingestion.importing import import_files
from ingestion.source import Ask
from ingestion.sources.garmin_fit import SOURCE
from warehouse.study import EXAMPLE, read_study

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def read(name: str, zone: str | None = None):
    asked = Ask(read_study(EXAMPLE), NOW, "P-014", zone)
    return SOURCE.read(list(SOURCE.fetch(shared_data("garmin_fit") / name, asked)), asked)


@pytest.mark.parametrize("zone", [None, "America/Chicago", "Asia/Jerusalem"])
def test_the_monitoring_day_belongs_to_the_day_before_its_summary(zone):
    """Summaries of 3,142 steps walked and 31 run are stamped 28 December 2014, 00:00 at UTC-6."""
    [day] = read("MonitoringFile.fit", zone).days
    assert day.activity_date == date(2014, 12, 27)
    assert day.day_start_at == datetime(2014, 12, 27, 6, tzinfo=UTC)
    assert (int(day.step_count.sum()), day.vendor_steps) == (3142 + 31, 3142 + 31)
    assert (day.day_minutes, day.device_model, day.wear_method) == (1440, "vivo_fit", "steps")
    assert day.timezone == ("America/Chicago" if zone == "America/Chicago" else None)


def test_its_minutes_lie_where_its_messages_say():
    """By the file's own words, UTC-6: 100 steps from 08:06 to 08:10 after a sedentary stretch, 31
    run from 10:31 to 10:32, 66 in the last four minutes from 23:55 (5 h 41 min 56 s UTC)."""
    reading = read("MonitoringFile.fit")
    [day] = reading.days
    minutes = dict(zip(day.step_minute.tolist(), day.step_count.tolist(), strict=True))
    assert {m: n for m, n in minutes.items() if m < 495} == {
        491: 25, 492: 25, 493: 25, 494: 25,
    }  # fmt: skip
    assert reading.covered_to == {"P-014": datetime(2014, 12, 28, 6, tzinfo=UTC)}
    assert reading.counts["steps"].received == reading.counts["steps"].landed == 81


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("activity-filecrc.fit", r"activity-filecrc\.fit: its checksum does not fit its content"),
        ("activity-unexpected-eof.fit", r"activity-unexpected-eof\.fit: the file is cut short"),
        ("Activity.fit", r"no monitoring file among 1 FIT files \(activity 1\)"),
        ("garmin-fenix-5-walk.fit", r"no monitoring file among 1 FIT files \(activity 1\)"),
        ("WeightScaleSingleUser.fit", r"no monitoring file among 1 FIT files \(weight 1\)"),
    ],
)
def test_the_other_files_are_refused_in_words(tmp_path, name, says):
    store = new_store(tmp_path / "study")
    with pytest.raises(BadInput, match=says):
        import_files(
            store, "garmin_fit", shared_data("garmin_fit") / name, now=NOW,
            participant_id="P-014", enrol_site="haifa", progress=lambda _: None,
        )  # fmt: skip
    assert list(store.lake.day_files()) == []
    store.register.close()
