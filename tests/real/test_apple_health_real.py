"""Two real Apple Health exports, read in place; sums are of the first one's own StepCount.csv."""

from datetime import UTC, date, datetime

import pytest
from support.shared import shared_data
from support.studies import new_store

from ingestion.importing import import_files

NOW = datetime(2026, 4, 1, 12, tzinfo=UTC)


@pytest.fixture
def store(tmp_path):
    opened = new_store(tmp_path / "study")
    yield opened
    opened.register.close()


def days_of(store, name: str, timezone: str) -> list[dict]:
    path = shared_data("apple_health") / name
    site = store.study.sites[0].code
    import_files(store, "apple_health", path, now=NOW, timezone=timezone, enrol_site=site,
                 participant_id="P-014", progress=lambda _: None)  # fmt: skip
    tables = [store.lake.read_days(file.path) for file in store.lake.day_files()]
    return [row for table in tables for row in table.to_pylist()]


def test_the_2014_export_gives_what_its_own_table_of_steps_has(store):
    [day] = days_of(store, "applehealthdata/export6s3sample.xml", "Europe/London")
    # StepCount.csv: 329, 283, 426, 61, 10, 200, 390, 320, 216 and 282 on 13 September, of which
    # the first began at 10:27:54 and the last at 11:33:24, at +0100, which was London's.
    assert (day["activity_date"], day["steps"]) == (date(2014, 9, 13), 2517)
    assert day["step_count"] == [329, 283, 426, 61, 10, 200, 390, 320, 216, 282]
    assert (day["step_minute"][0], day["step_minute"][-1]) == (10 * 60 + 27, 11 * 60 + 33)
    assert (day["wear_method"], day["device_model"]) == ("steps", None)
    assert day["fetched_at"] == datetime(2016, 4, 15, 6, 27, 26, tzinfo=UTC)


@pytest.mark.parametrize(
    "name", ["tests_export.xml", "tests_zip_contents_apple_health_export_export.xml"]
)
def test_the_2019_export_gives_its_one_heart_rate(store, name):
    [day] = days_of(store, f"healthkit-to-sqlite/{name}", "America/Los_Angeles")
    assert (day["activity_date"], day["steps"]) == (date(2018, 9, 10), 0)
    assert (day["wear_start"], day["wear_length"]) == ([2 * 60 + 28], [1])
    assert (day["wear_method"], day["device_model"]) == ("heart_rate", "Apple Watch")
