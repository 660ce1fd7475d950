"""Importing Takeout and Health Connect: into the lake, once, the later export in any order."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from support.studies import new_store
from support.takeout import NEW, NOW, OLD, STEPS_HEADER, csv, folder, heart_json, steps_json, zipped

from ingestion.errors import BadInput
from ingestion.importing import import_files, read_options
from warehouse import register as reg
from warehouse.schema import table_of
from warehouse.tables.landed import activity_day

EARLY = {
    NEW + "steps_2026-03-01.csv": csv(
        STEPS_HEADER, "2026-03-24T06:00:00Z,5,Inspire 3", "2026-03-26T06:14:00Z,10,Inspire 3"
    ),
}
LATE = {
    NEW + "steps_2026-03-01.csv": csv(
        STEPS_HEADER, "2026-03-26T06:14:00Z,12,Inspire 3", "2026-03-28T06:00:00Z,1,Inspire 3"
    ),
    OLD + "heart_rate-2026-03-27.json": heart_json(("03/27/26 08:00:00", 70, 2)),
}
EXPECTED = {
    "2026-03-24": (5, None),
    "2026-03-26": (12, None),
    "2026-03-27": (0, 1),
    "2026-03-28": (1, None),
}


def load(store, path, minute=0, source="takeout", **options):
    now = NOW + timedelta(minutes=minute)
    return import_files(
        store, source, path, now=now, progress=lambda _: None, timezone="Asia/Jerusalem",
        participant_id="P-014", enrol_site="haifa", **options,
    )  # fmt: skip


def rows_of(store):
    return [r for f in store.lake.day_files() for r in store.lake.read_days(f.path).to_pylist()]


def days_of(store):
    """date -> steps and minutes of wear of every landed day."""
    return {
        str(row["activity_date"]): (row["steps"], row["wear_minutes"]) for row in rows_of(store)
    }


@pytest.fixture
def store(tmp_path):
    opened = new_store(tmp_path / "study")
    yield opened
    opened.register.close()


def test_the_later_export_wins_whichever_is_loaded_first(tmp_path, store):
    early = zipped(tmp_path / "takeout-20260326T100000Z-001.zip", EARLY)
    late = folder(tmp_path / "late", LATE)
    load(store, late, 0)
    load(store, early, 1)
    other = new_store(tmp_path / "other")
    load(other, early, 0)
    load(other, late, 1)
    assert days_of(store) == days_of(other) == EXPECTED
    reached = datetime(2026, 3, 28, 6, 1, tzinfo=UTC)
    for one in (store, other):
        [grant] = one.register.rows(sa.select(reg.grant))
        assert (grant["state"], grant["landed_sync_at"]) == ("active", reached)
    other.register.close()


def test_loading_twice_changes_nothing(tmp_path, store):
    place = folder(tmp_path / "late", LATE | EARLY)
    first, again = load(store, place), load(store, place, 1)
    assert (first.landed.days_new, first.seen_before) == (3, False)
    assert (again.landed.days_new, again.landed.days_changed, again.seen_before) == (0, 0, True)
    assert table_of(activity_day, rows_of(store)).num_rows == 3


def test_the_report_and_receipts_add_up(tmp_path, store):
    other = {"Takeout/Fitbit/Sleep/sleep-2026-03-01.json": "[]"}
    json = {OLD + "steps-2026-03-20.json": steps_json(("03/20/26 08:00:00", "x"))}
    text = str(load(store, folder(tmp_path / "a", LATE | other | json)))
    assert "minute_steps: 3 received = 2 landed + 1 rejected (1 not_a_number)" in text
    assert "heart_rate: 1 received = 1 landed + 0 rejected" in text
    assert "P-014: not read: sleep-#.json (1)" in text
    assert "P-014: times of JSON files are ASSUMED to be local time" in text
    receipts = store.register.rows(sa.select(reg.receipt))
    assert {r["data_type"]: (r["received"], r["landed"], r["rejected"]) for r in receipts} == {
        "minute_steps": (3, 2, 1),
        "heart_rate": (1, 1, 0),
    }


def test_what_is_kept_raw_holds_no_more_than_was_read(tmp_path, store):
    private = {"Takeout/Fitbit/Your Profile/Profile.csv": "full name,Kim Doe\n"}
    load(store, zipped(tmp_path / "kim doe.zip", LATE | private))
    base = store.home.path / "lake"
    names = " ".join(str(path) for path in base.rglob("*"))
    raw = [content for _, content in store.lake.raw("takeout")]
    assert any(b"Inspire 3" in bytes(content) for content in raw)
    assert "kim" not in names.lower()
    assert not any(b"kim" in bytes(content).lower() for content in raw)


def test_health_connect_is_imported(tmp_path, store):
    path = tmp_path / "steps.csv"
    path.write_text(
        "id,startTime,endTime,count,dataOrigin\n"
        "a,2026-03-26T06:14:00Z,2026-03-26T06:16:00Z,9,com.fitbit.FitbitMobile\n"
    )
    report = load(store, path, source="health_connect")
    assert days_of(store) == {"2026-03-26": (9, None)}
    assert "step_records: 1 received = 1 landed + 0 rejected" in str(report)


def test_a_setting_of_the_source_mends_what_was_assumed(tmp_path, store):
    place = folder(
        tmp_path / "a", {OLD + "steps-2026-03-20.json": steps_json(("03/20/26 08:00:00", 9))}
    )
    load(store, place)
    report = load(store, place, 1, options=read_options(["time = utc"]))
    assert (report.seen_before, report.landed.days_changed) == (True, 1)
    [row] = rows_of(store)
    assert row["step_minute"] == [600]  # 08:00 UTC is 10:00 in Jerusalem


@pytest.mark.parametrize(
    ("pair", "message"),
    [
        ("time", "--set time: needed is NAME=VALUE, e.g. time=utc"),
        ("time=", "--set time=: needed is NAME=VALUE"),
        ("zone=utc", "takeout has no option 'zone'; it has time, prefer"),
        ("time=noon", "time='noon' is not known; it is one of detect, utc, local"),
    ],
)
def test_options_that_cannot_be_used(tmp_path, store, pair, message):
    with pytest.raises(BadInput) as caught:
        load(store, folder(tmp_path / "a", EARLY), options=read_options([pair]))
    assert message in str(caught.value)
    assert rows_of(store) == []
