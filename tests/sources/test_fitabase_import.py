"""Importing an export: all or nothing, once, and the later export wins in any order."""

from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa
from support.fitabase import NARROW_HEADER, NOW, WIDE_HEADER, wide_day, write
from support.studies import new_store

from ingestion.errors import BadInput
from ingestion.importing import import_files, read_ids
from warehouse import register as reg
from warehouse.schema import table_of
from warehouse.tables.landed import activity_day


def days_of(store) -> dict[str, list[int]]:
    """date -> [steps, vendor_steps] of every landed day."""
    tables = [store.lake.read_days(file.path) for file in store.lake.day_files()]
    return {
        str(row["activity_date"]): [row["steps"], row["vendor_steps"]]
        for table in tables
        for row in table.to_pylist()
    }


def load(store, folder, minute=0, **options):
    now = NOW + timedelta(minutes=minute)
    return import_files(store, "fitabase", folder, now=now, progress=lambda _: None, **options)


def contents(store) -> dict[str, bytes]:
    base = store.home.path / "lake"
    return {str(p): p.read_bytes() for p in sorted(base.rglob("*")) if p.is_file()}


@pytest.fixture
def store(tmp_path):
    opened = new_store(tmp_path / "study")
    yield opened
    opened.register.close()


def early_and_late(tmp_path):
    """Two exports: 10 March is whole in both and restated in the later; 11 March is cut short in
    the earlier; 9 March is a total alone in the later."""
    early = wide_day("7", "3/9/2026", {"08:00": 90}) + wide_day("7", "3/10/2026", {"08:00": 10})
    early += wide_day("7", "3/11/2026", {"08:00": 1}, range(9))
    late = wide_day("7", "3/10/2026", {"08:00": 12})
    late += wide_day("7", "3/11/2026", {"08:00": 1, "20:00": 30})
    late += wide_day("7", "3/12/2026", {"07:00": 2}, range(8))
    totals = ["Id,ActivityDay,StepTotal", "7,3/9/2026,95", "7,3/10/2026,12", "7,3/11/2026,31"]
    totals += ["7,3/12/2026,2"]
    return (
        write(tmp_path / "early", minuteStepsWide_merged=[WIDE_HEADER, *early]),
        write(tmp_path / "late", minuteStepsWide_merged=[WIDE_HEADER, *late], dailySteps=totals),
    )


EXPECTED = {
    "2026-03-09": [90, None],
    "2026-03-10": [12, 12],
    "2026-03-11": [31, 31],
    "2026-03-12": [2, None],
}


def test_the_later_export_wins_whichever_is_loaded_first(tmp_path):
    early, late = early_and_late(tmp_path)
    one, two = new_store(tmp_path / "one"), new_store(tmp_path / "two")
    load(one, early, 0)
    assert load(one, late, 1).landed.days_changed == 2
    load(two, late, 0)
    assert load(two, early, 1).landed.days_changed == 1  # 9 March gains its minutes
    assert days_of(one) == EXPECTED
    assert days_of(two) == EXPECTED
    reached = datetime(2026, 3, 12, 8, tzinfo=UTC)
    for store in (one, two):
        [grant] = store.register.rows(sa.select(reg.grant))
        assert (grant["state"], grant["landed_sync_at"]) == ("active", reached)
        assert grant["synced_at"] == reached
        store.register.close()


def test_loading_twice_changes_nothing(tmp_path, store):
    _, late = early_and_late(tmp_path)
    first = load(store, late)
    before = contents(store)
    again = load(store, late, 1)
    assert (first.landed.days_new, first.seen_before) == (4, False)
    assert (again.landed.days_new, again.landed.days_changed, again.landed.days_same) == (0, 0, 4)
    assert again.seen_before
    assert contents(store) == before


def test_nothing_is_stored_when_one_file_is_bad(tmp_path, store):
    _, late = early_and_late(tmp_path)
    write(late, other_minuteStepsNarrow=[NARROW_HEADER, "7,3/10/2026"])
    with pytest.raises(BadInput, match="line 2 has 2 fields where the header has 3"):
        load(store, late, enrol_site="haifa")
    assert contents(store) == {}
    for table in (reg.participant, reg.grant, reg.receipt, reg.rejection):
        assert store.register.rows(sa.select(table)) == []


def test_unknown_participants_are_enrolled_on_their_first_full_day(tmp_path, store):
    rows = wide_day("7", "3/9/2026", {"20:00": 5}, range(20, 24)) + wide_day("7", "3/10/2026", {})
    rows += wide_day("8", "3/9/2026", {}, range(3))
    report = load(
        store, write(tmp_path / "x", minuteStepsWide=[WIDE_HEADER, *rows]), enrol_site="haifa"
    )
    [row] = store.register.rows(sa.select(reg.participant))
    assert report.enrolled == 1
    assert row["participant_id"] == "F7"
    assert (row["site"], row["timezone"]) == ("haifa", "Asia/Jerusalem")
    assert row["starts_on"] == date(2026, 3, 10)
    assert row["arm"] is None
    load(store, tmp_path / "x", 1, enrol_site="southampton")
    assert [r["site"] for r in store.register.rows(sa.select(reg.participant))] == ["haifa"]


def test_the_zone_is_the_options_else_the_rosters(tmp_path, store):
    folder = write(
        tmp_path / "x", minuteStepsWide=[WIDE_HEADER, *wide_day("7", "7/1/2026", {"08:05": 7})]
    )

    def zones():
        tables = [store.lake.read_days(file.path) for file in store.lake.day_files()]
        return [row["timezone"] for table in tables for row in table.to_pylist()]

    load(store, folder, enrol_site="southampton")
    assert zones() == ["Europe/London"]
    assert "no time zone" not in str(load(store, folder, 1))


def test_an_option_that_cannot_be_used_is_told_with_what_can(tmp_path, store):
    with pytest.raises(BadInput, match=r"unknown site 'hafia'; study\.toml has beer_sheva, haifa,"):
        load(store, tmp_path, enrol_site="hafia")
    with pytest.raises(BadInput, match="unknown time zone 'Haifa'; give an IANA zone"):
        load(store, tmp_path, timezone="Haifa")
    with pytest.raises(
        BadInput, match=r"'fitbit' reads no files; importable: apple_health, .*fitabase, "
    ):
        import_files(store, "fitbit", tmp_path, now=NOW)


def test_receipts_and_rejections_are_kept_for_each_participant(tmp_path, store):
    lines = [NARROW_HEADER, "7,3/10/2026 1:00:00 AM,4", "7,3/10/2026 1:00:00 AM,9"]
    load(store, write(tmp_path / "x", minuteStepsNarrow=lines))
    [receipt] = store.register.rows(sa.select(reg.receipt))
    assert (receipt["participant_id"], receipt["data_type"]) == ("F7", "minute_steps")
    assert (receipt["received"], receipt["landed"], receipt["rejected"]) == (2, 1, 1)
    assert (receipt["reason"], receipt["first_on"]) == ("received", date(2026, 3, 10))
    [rejection] = store.register.rows(sa.select(reg.rejection))
    assert (rejection["reason"], rejection["points"]) == ("replaced_by_another_word", 1)


def test_the_report_says_what_was_found(tmp_path, store):
    _, late = early_and_late(tmp_path)
    write(late, sleepDay=["Id,SleepDay"])
    assert str(load(store, late, timezone="Europe/London")).splitlines() == [
        "fitabase: 1 participant from 2 files",
        "not read: sleepDay.csv",
        "days 2026-03-09 to 2026-03-12: 4 new, 0 changed, 0 as before; 3,360 minutes",
        "daily_steps: 4 received = 3 landed + 1 rejected (1 unfinished_day)",
        "minute_steps: 3,360 received = 3,360 landed + 0 rejected",
        "hours: 0 of 0 comparable hours equal; not comparable: 0 without all minutes, "
        "56 without the vendor's total, 0 repeated by the clock",
        "days: 2 of 2 full days equal the vendor's total, 2 within 1 %; left out: 0 whose total "
        "was taken before the day ended, 0 without one",
        "for reconciliation, landed unchanged: 0 days that differ; by more than 1 %: none",
        "not on the roster: 1 participant, whose days count in no table until they are enrolled",
    ]


def test_landed_rows_fit_the_table(tmp_path, store):
    _, late = early_and_late(tmp_path)
    load(store, late)
    rows = [r for f in store.lake.day_files() for r in store.lake.read_days(f.path).to_pylist()]
    assert table_of(activity_day, rows).num_rows == 4


def ids_file(tmp_path, *lines):
    path = tmp_path / "ids.csv"
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def test_ids_are_read_from_a_file(tmp_path, store):
    path = ids_file(tmp_path, "Participant ID;comment;Id", "P01;x;7", "P01;;8")
    assert read_ids(path) == {"7": "P01", "8": "P01"}
    lines = [NARROW_HEADER, "7,3/10/2026 1:00:00 AM,4", "8,3/10/2026 2:00:00 AM,5"]
    folder = write(tmp_path / "x", minuteStepsNarrow=lines)
    assert load(store, folder, ids=read_ids(path)).participants == 1
    assert days_of(store) == {"2026-03-10": [9, None]}


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["id,who", "7,P01"], "ids.csv: no column participant_id in its header; it needs them"),
        (["id,participant_id", "7,"], "ids.csv: line 2 lacks its id or its participant_id"),
        (
            ["id,participant_id", "7,P01", "7,P02"],
            "ids.csv: line 3 gives an id to a second participant",
        ),
    ],
)
def test_ids_that_cannot_be_used(tmp_path, lines, message):
    with pytest.raises(BadInput) as caught:
        read_ids(ids_file(tmp_path, *lines))
    assert str(caught.value) == message
