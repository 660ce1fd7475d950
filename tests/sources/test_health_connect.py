"""Health Connect's step records: CSV, Parquet and its SQLite export, by hand."""

import sqlite3
import zipfile
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.fuzz_seeds import NOW, STUDY, files_seed
from support.takeout import ask, steps_of

from ingestion.errors import BadInput
from ingestion.source import Ask
from ingestion.sources.health_connect import SOURCE, rank_of

HEADER = "id,startTime,startZoneOffset,endTime,endZoneOffset,count,dataOrigin,lastModifiedTime"
FITBIT, PHONE, OTHER = "com.fitbit.FitbitMobile", "android", "org.example.steps"


def fuzz_seeds():
    """Two apps that overlap, by hours with and without offset, and milliseconds."""
    rows = (
        b"id,startTime,startZoneOffset,endTime,count,dataOrigin,lastModifiedTime\r\n"
        b"a,2026-03-26T06:14:00Z,+02:00,2026-03-26T06:19:00Z,97,com.fitbit.FitbitMobile,\r\n"
        b"b,2026-03-26T06:16:00Z,,2026-03-26T06:20:00Z,50,android,2026-03-26T07:00:00Z\r\n"
        b"c,1774505700000,7200,1774506600000,12,android,1774506600001\r\n"
    )
    asked = Ask(STUDY, NOW, "P-014", "Asia/Jerusalem")
    yield files_seed("health_connect", {"steps.csv": rows}, asked)


def at(clock: str, day: int = 26) -> str:
    return f"2026-03-{day:02}T{clock}:00Z"


def table(path, *rows, header=HEADER):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{row}\n" for row in (header, *rows)))
    return path


def read(path, asked=None):
    asked = asked or ask("UTC")
    return SOURCE.read(list(SOURCE.fetch(path, asked)), asked)


def record(one, start, end, count, origin=FITBIT, modified="", offset=""):
    return f"{one},{at(start)},{offset},{at(end)},{offset},{count},{origin},{modified}"


def test_a_count_is_spread_and_keeps_its_sum(tmp_path):
    reading = read(table(tmp_path / "steps.csv", record("a", "06:14", "06:17", 100)))
    assert steps_of(reading) == {"2026-03-26": {374: 34, 375: 33, 376: 33}}
    [day] = reading.days
    assert (day.wear_method, day.wear_start.size, day.vendor_steps) == ("steps", 0, None)
    assert reading.covered_to == {"P-014": datetime(2026, 3, 26, 6, 17, tzinfo=UTC)}
    assert day.fetched_at == datetime(2026, 3, 26, 6, 17, tzinfo=UTC)


def test_of_one_id_the_newest_word_counts(tmp_path):
    rows = [
        record("a", "06:14", "06:15", 90, modified=at("09:00")),
        record("a", "06:14", "06:15", 70, modified=at("08:00")),
        record("b", "06:20", "06:21", 5),
        record("b", "06:20", "06:21", 6),
        record("", "06:30", "06:31", 7),
        record("", "06:30", "06:31", 7),
        record("", "06:40", "06:41", 7),
    ]
    for ordered in (rows, rows[::-1]):
        reading = read(table(tmp_path / "steps.csv", *ordered))
        assert steps_of(reading) == {"2026-03-26": {374: 90, 380: 6, 390: 7, 400: 7}}
        count = reading.counts_of["P-014"]["step_records"]
        assert (count.received, count.landed) == (7, 4)
        assert count.rejections == {"replaced_by_a_newer_record": 3}
        assert reading.days[0].fetched_at == datetime(2026, 3, 26, 9, tzinfo=UTC)


def test_several_apps_are_never_summed(tmp_path):
    place = table(
        tmp_path / "steps.csv",
        record("a", "06:14", "06:16", 100, FITBIT),
        record("b", "06:15", "06:17", 60, PHONE),
        record("c", "06:14", "06:15", 80, OTHER),
    )
    reading = read(place)
    assert steps_of(reading) == {"2026-03-26": {374: 50, 375: 50, 376: 30}}
    count = reading.counts["step_records"]
    assert (count.landed, count.rejections) == (2, {"counted_by_another_source": 1})
    assert "110 steps are of records that overlap" in reading.notes[0]
    preferred = read(place, ask("UTC", options={"prefer": f"{OTHER},{PHONE}"}))
    assert steps_of(preferred) == {"2026-03-26": {374: 80, 375: 30, 376: 30}}


def test_wearables_go_before_other_apps_and_phones():
    apps = ["android", "app.walk", "com.garmin.android.apps.connectmobile", "org.example"]
    assert sorted(apps, key=lambda one: rank_of(one, ["ORG.example"])) == [
        "org.example", "com.garmin.android.apps.connectmobile", "app.walk", "android",
    ]  # fmt: skip


def test_of_one_app_the_newer_of_two_that_overlap_counts(tmp_path):
    reading = read(
        table(
            tmp_path / "steps.csv",
            record("a", "06:14", "06:16", 100, modified=at("07:00")),
            record("b", "06:15", "06:16", 9, modified=at("08:00")),
        )
    )
    assert steps_of(reading) == {"2026-03-26": {374: 50, 375: 9}}


def test_the_day_is_of_the_records_own_offset(tmp_path):
    """In Tokyo it is already the 27th; the roster says Berlin."""
    place = table(
        tmp_path / "steps.csv",
        record("a", "08:00", "08:01", 5, offset="+01:00"),
        record("b", "15:30", "15:31", 6, offset="+09:00"),
        record("c", "23:30", "23:31", 7, offset="32400"),
    )
    reading = read(place, ask("Europe/Berlin"))
    assert steps_of(reading) == {"2026-03-26": {540: 5}, "2026-03-27": {30: 6, 510: 7}}
    assert reading.days[0].day_start_at == datetime(2026, 3, 25, 23, tzinfo=UTC)
    assert reading.days[1].day_start_at == datetime(2026, 3, 26, 15, tzinfo=UTC)
    assert [day.timezone for day in reading.days] == ["Europe/Berlin", None]


def test_without_an_offset_the_rosters_zone_is_taken(tmp_path):
    place = table(tmp_path / "steps.csv", record("a", "23:30", "23:31", 5))
    assert steps_of(read(place, ask("Europe/Berlin"))) == {"2026-03-27": {30: 5}}
    # 29 March has 23 hours: 21:30 UTC is half past ten on the 28th, half past eleven on the 29th.
    days = [f"{d},{at('21:30', d)},,{at('21:31', d)},,5,x," for d in (28, 29)]
    reading = read(table(tmp_path / "dst.csv", *days), ask("Europe/Berlin"))
    assert steps_of(reading) == {"2026-03-28": {1350: 5}, "2026-03-29": {1350: 5}}
    assert [day.day_minutes for day in reading.days] == [1440, 1380]


@pytest.mark.parametrize(
    ("start", "offset", "expected"),
    [
        ("2026-03-26T08:14:00+02:00", "", {"2026-03-26": {494: 5}}),
        ("2026-03-26 06:14:00+00:00", "PT2H", {"2026-03-26": {374: 5}}),
        ("1774505640000", "7200", {"2026-03-26": {494: 5}}),
        ("1774505640", "Z", {"2026-03-26": {374: 5}}),
        ("2026-03-26T06:14:00.000Z", "-0330", {"2026-03-26": {164: 5}}),
        ("2026-03-26T06:14:00Z", "+99:00", {"2026-03-26": {374: 5}}),
    ],
)
def test_ways_to_write_a_time(tmp_path, start, offset, expected):
    place = table(tmp_path / "steps.csv", f"a,{start},{offset},{at('06:15')},,5,x,")
    assert steps_of(read(place)) == expected


def test_records_that_cannot_be_one_are_counted_by_reason(tmp_path):
    rows = [
        "a,2026-03-26T06:14:00,,2026-03-26T06:15:00Z,,5,x,",
        f"b,{at('06:14')},,,,5,x,",
        record("c", "06:15", "06:14", 5),
        f"d,{at('06:14', 25)},,{at('06:15', 26)},,5,x,",
        record("e", "06:14", "06:15", 0),
        record("f", "06:14", "06:15", "many"),
        record("g", "06:14", "06:15", "2.5"),
        record("h", "06:14", "08:15", 1_000_001),
        record("i", "06:14", "06:15", 90_000),
        record("j", "06:20", "06:21", 4),
        "k,2026-11-24T06:14:00Z,,2026-11-24T06:15:00Z,,5,x,",
    ]
    reading = read(table(tmp_path / "steps.csv", *rows))
    assert steps_of(reading) == {"2026-03-26": {380: 4}}
    count = reading.counts["step_records"]
    assert (count.received, count.landed) == (11, 1)
    assert count.rejections == {
        "no_time": 2,
        "in_the_future": 1,
        "ends_before_it_starts": 1,
        "longer_than_a_day": 1,
        "no_count_from_1_to_a_million": 4,
        "impossible": 1,
    }


def test_an_impossible_minute_stays_implausible_and_does_not_overflow(tmp_path):
    rows = [
        f"{n},2026-03-26T06:14:{n:02}Z,,2026-03-26T06:14:{n + 1:02}Z,,29999,x," for n in range(3)
    ]
    reading = read(table(tmp_path / "steps.csv", *rows))
    assert steps_of(reading) == {"2026-03-26": {374: 65_535}}


def test_only_refused_records_give_no_day(tmp_path):
    reading = read(table(tmp_path / "steps.csv", record("e", "06:14", "06:15", 0)))
    assert (reading.days, reading.covered_to) == ([], {})
    assert reading.counts["step_records"].rejected == 1


def sqlite_export(path):
    """As Android writes it, with a name that has no place in a study."""
    with closing(sqlite3.connect(path)) as con:
        con.executescript("""
            CREATE TABLE application_info_table (row_id INTEGER, package_name TEXT, app_name TEXT);
            INSERT INTO application_info_table VALUES (1, 'android', 'Kim''s phone'),
                (2, 'com.fitbit.FitbitMobile', 'Fitbit');
            CREATE TABLE steps_record_table (row_id INTEGER PRIMARY KEY, uuid BLOB NOT NULL,
                last_modified_time INTEGER, client_record_id TEXT, app_info_id INTEGER,
                start_time INTEGER, start_zone_offset INTEGER, end_time INTEGER,
                end_zone_offset INTEGER, local_date INTEGER, count INTEGER);
            INSERT INTO steps_record_table VALUES
                (1, x'01', 1774509240000, 'Kim', 1, 1774505640000, 7200,
                 1774505700000, 7200, 0, 90),
                (2, x'02', 1774509240000, 'Kim', 2, 1774505640000, 7200,
                 1774505700000, 7200, 0, 80),
                (3, x'03', 1774509240000, 'Kim', 1, 1774505700000, 7200,
                 1774505760000, 7200, 0, 3);
            CREATE TABLE nutrition_record_table (meal_name TEXT);
            INSERT INTO nutrition_record_table VALUES ('Kim''s breakfast');
        """)
    return path


def test_the_sqlite_export(tmp_path):
    """1774505640000 is 06:14 UTC on 26 March 2026."""
    database = sqlite_export(tmp_path / "health_connect_export.db")
    with zipfile.ZipFile(tmp_path / "Health Connect.zip", "w") as archive:
        archive.write(database, "health_connect_export.db")
    for path in (database, tmp_path / "Health Connect.zip"):
        replies = list(SOURCE.fetch(path, ask("UTC")))
        reading = SOURCE.read(replies, ask("UTC"))
        assert steps_of(reading) == {"2026-03-26": {494: 80, 495: 3}}
        assert reading.days[0].fetched_at == datetime(2026, 3, 26, 7, 14, tzinfo=UTC)
        assert not any(b"Kim" in reply.body for reply in replies)


def test_parquet_with_structures(tmp_path):
    start = datetime(2026, 3, 26, 8, 14, tzinfo=timezone(timedelta(hours=2)))
    rows = [
        {
            "startTime": start,
            "endTime": start + timedelta(minutes=1),
            "startZoneOffset": "+02:00",
            "count": 12,
            "metadata": {"id": "a", "dataOrigin": {"packageName": FITBIT}},
        },
        {
            "startTime": start,
            "endTime": start + timedelta(minutes=1),
            "startZoneOffset": "+02:00",
            "count": 99,
            "metadata": {"id": "b", "dataOrigin": {"packageName": PHONE}},
        },
    ]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "StepsRecord.parquet")
    assert steps_of(read(tmp_path)) == {"2026-03-26": {494: 12}}


def test_a_folder_with_other_records_beside(tmp_path):
    table(tmp_path / "x" / "StepsRecord.csv", record("a", "06:14", "06:15", 5))
    table(tmp_path / "x" / "WheelchairPushes.csv", record("b", "06:20", "06:21", 5))
    assert steps_of(read(tmp_path)) == {"2026-03-26": {374: 5}}


def test_a_table_for_each_participant(tmp_path):
    table(tmp_path / "P-014.csv", record("a", "06:14", "06:15", 5))
    table(tmp_path / "P-015.csv", record("a", "06:14", "06:15", 6))
    reading = read(tmp_path, ask("UTC", participant_id=None, participants=("P-014", "P-015")))
    assert [(day.participant_id, day.step_count.tolist()) for day in reading.days] == [
        ("P-014", [5]),
        ("P-015", [6]),
    ]


def test_a_large_table_waits_on_disk(tmp_path):
    rows = [f"{n:040},{at('06:14')},,{at('06:15')},,5,x," for n in range(20_000)]
    asked = ask("UTC", scratch=tmp_path)
    [reply] = SOURCE.fetch(table(tmp_path / "t" / "steps.csv", *rows), asked)
    assert reply.body == b""
    assert steps_of(SOURCE.read([reply], asked)) == {"2026-03-26": {374: 5}}


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("steps.csv", b"startTime,count\n1,2\n", "steps.csv: no column endtime; needed is a table"),
        ("steps.csv", b"startTime,endTime,count\n1,2\n", "line 2 has 2 fields where the header"),
        ("steps.parquet", b"PAR1 and no more", "steps.parquet: a damaged Parquet file"),
        ("x.db", b"SQLite format 3\0 and no more", "x.db: a damaged SQLite file"),
        ("steps.xlsx", b"x", "steps.xlsx: not a table of steps; needed is"),
    ],
)
def test_what_is_no_table_is_refused(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(BadInput) as caught:
        read(tmp_path / name)
    assert message in str(caught.value)


def test_nothing_of_steps_is_refused(tmp_path):
    (tmp_path / "x").mkdir()
    with pytest.raises(BadInput, match="P-014: no table of steps found; needed is"):
        read(tmp_path / "x")
    with closing(sqlite3.connect(tmp_path / "x.db")) as con:
        con.execute("CREATE TABLE other (x)")
    with pytest.raises(BadInput, match="no table steps_record_table in it"):
        read(tmp_path / "x.db")


def test_a_change_after_the_last_record_is_how_far_the_export_reaches(tmp_path):
    place = table(
        tmp_path / "steps.csv", record("a", "21:14", "21:15", 90, modified=at("12:30", 27))
    )
    assert read(place).covered_to == {"P-014": datetime(2026, 3, 27, 12, 30, tzinfo=UTC)}
