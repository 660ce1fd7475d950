"""Takeout: what its files mean, minute by minute."""

from datetime import UTC, datetime

import pytest
from support.takeout import (
    NEW,
    OLD,
    STEPS_HEADER,
    ask,
    csv,
    folder,
    heart_json,
    read,
    steps_json,
    steps_of,
    wear_of,
)

from ingestion.errors import BadInput
from ingestion.sources.takeout import SOURCE

HEART_HEADER = "timestamp,beats per minute,data source"


def test_old_json_is_read_as_local_minutes(tmp_path):
    points = ("03/26/26 08:14:00", "97"), ("03/26/26 08:15:00", "0"), ("03/27/26 23:59:00", 12)
    place = folder(tmp_path, {OLD + "steps-2026-03-26.json": steps_json(*points)})
    reading = read(place, ask("Europe/Berlin"))
    assert steps_of(reading) == {"2026-03-26": {494: 97}, "2026-03-27": {1439: 12}}
    [first, second] = reading.days
    assert first.day_start_at == datetime(2026, 3, 25, 23, tzinfo=UTC)
    assert (first.day_minutes, first.timezone, first.wear_method) == (
        1440,
        "Europe/Berlin",
        "steps",
    )
    assert reading.covered_to == {"P-014": datetime(2026, 3, 27, 23, tzinfo=UTC)}
    assert str(reading.first_full_day["P-014"]) == "2026-03-27"
    assert first.raw_sha256 == second.raw_sha256 != ()


def test_zero_minutes_tell_how_far_an_export_reaches(tmp_path):
    points = ("03/26/26 08:14:00", "97"), ("03/26/26 23:59:00", "0")
    place = folder(tmp_path, {OLD + "steps-2026-03-26.json": steps_json(*points)})
    reading = read(place, ask("UTC"))
    assert reading.covered_to == {"P-014": datetime(2026, 3, 27, tzinfo=UTC)}
    assert reading.days[0].fetched_at == datetime(2026, 3, 27, tzinfo=UTC)


def test_new_csv_is_utc_in_the_zone_of_the_roster(tmp_path):
    lines = (STEPS_HEADER, "2026-03-26T06:14:00Z,97,Inspire 3", "2026-03-26T22:30:00Z,8,Inspire 3")
    place = folder(tmp_path, {NEW + "steps_2026-03-01.csv": csv(*lines)})
    assert steps_of(read(place)) == {"2026-03-26": {494: 97}, "2026-03-27": {30: 8}}
    kolkata = read(place, ask("UTC", zones={"P-014": "Asia/Kolkata"}))
    assert steps_of(kolkata) == {"2026-03-26": {704: 97}, "2026-03-27": {240: 8}}


def test_days_on_which_clocks_change(tmp_path):
    """Berlin: 29 March 2026 has 23 hours, 25 October 25; 00:30 UTC lies before, 01:30 after."""
    lines = [STEPS_HEADER]
    lines += [f"2026-03-29T{at}:00Z,5,Inspire 3" for at in ("00:30", "01:30", "21:59")]
    lines += [f"2026-10-25T{at}:00Z,5,Inspire 3" for at in ("00:30", "01:30", "22:59")]
    place = folder(tmp_path, {NEW + "Steps/steps_2026-03-01.csv": csv(*lines)})
    reading = read(place, ask("Europe/Berlin"))
    assert steps_of(reading) == {
        "2026-03-29": {90: 5, 150: 5, 1379: 5},
        "2026-10-25": {150: 5, 210: 5, 1499: 5},
    }
    assert [day.day_minutes for day in reading.days] == [1380, 1500]


def test_the_repeated_hour_of_a_local_clock_is_both_passings(tmp_path):
    points = [("10/25/26 02:10:00", 4), ("10/25/26 02:11:00", 6), ("10/25/26 02:10:00", 9)]
    place = folder(tmp_path, {OLD + "steps-2026-10-01.json": steps_json(*points)})
    assert steps_of(read(place, ask("Europe/Berlin"))) == {"2026-10-25": {130: 4, 131: 6, 190: 9}}


def test_steps_in_the_hour_that_spring_skips_are_not_lost(tmp_path):
    points = ("03/29/26 02:10:00", 4), ("03/29/26 03:10:00", 6)
    place = folder(tmp_path, {OLD + "steps-2026-03-01.json": steps_json(*points)})
    assert steps_of(read(place, ask("Europe/Berlin"))) == {"2026-03-29": {130: 10}}


def test_several_sources_of_a_minute_are_never_summed(tmp_path):
    lines = (
        STEPS_HEADER,
        "2026-03-26T06:14:00Z,88,Example App Health Connect",
        "2026-03-26T06:14:00Z,97,Inspire 3",
        "2026-03-26T06:14:00Z,191,MobileTrack",
        "2026-03-26T06:15:00Z,30,MobileTrack",
        "2026-03-26T06:15:00Z,60,Example App Health Connect",
        "2026-03-26T06:16:00Z,7,Inspire 3",
        "2026-03-26T06:16:00Z,9,Charge 6",
    )
    place = folder(tmp_path, {NEW + "steps_2026-03-01.csv": csv(*lines)})
    reading = read(place, ask("UTC"))
    assert steps_of(reading) == {"2026-03-26": {374: 97, 375: 30, 376: 9}}
    count = reading.counts_of["P-014"]["minute_steps"]
    assert (count.received, count.landed) == (7, 3)
    assert count.rejections == {"counted_by_another_source": 4}
    preferred = ask("UTC", options={"prefer": "MobileTrack, inspire 3"})
    assert steps_of(read(place, preferred)) == {"2026-03-26": {374: 191, 375: 30, 376: 7}}


def test_a_stamp_twice_counts_once_and_seconds_of_a_minute_are_summed(tmp_path):
    lines = (
        STEPS_HEADER,
        "2026-03-26T06:14:00Z,40,Inspire 3",
        "2026-03-26T06:14:00Z,40,Inspire 3",
        "2026-03-26T06:14:30Z,5,Inspire 3",
        "2026-03-26T06:15:00Z,3,Inspire 3",
    )
    again = (STEPS_HEADER, "2026-03-26T06:15:00Z,4,Inspire 3")
    place = folder(
        tmp_path,
        {NEW + "steps_2026-03-01.csv": csv(*lines), NEW + "steps_2026-03-01(1).csv": csv(*again)},
    )
    reading = read(place, ask("UTC"))
    assert steps_of(reading) == {"2026-03-26": {374: 45, 375: 4}}
    assert reading.counts["minute_steps"].rejections == {
        "repeated": 1,
        "replaced_by_another_word": 1,
    }


def test_one_day_is_never_of_both_formats(tmp_path):
    old = [("03/26/26 08:14:00", 97), ("03/26/26 08:20:00", 11), ("03/25/26 12:00:00", 50)]
    place = folder(
        tmp_path,
        {
            OLD + "steps-2026-03-01.json": steps_json(*old),
            NEW + "steps_2026-03-01.csv": csv(STEPS_HEADER, "2026-03-26T08:14:00Z,99,Inspire 3"),
        },
    )
    reading = read(place, ask("UTC"))
    assert steps_of(reading) == {"2026-03-25": {720: 50}, "2026-03-26": {494: 99}}
    count = reading.counts["minute_steps"]
    assert (count.received, count.landed) == (4, 2)
    assert count.rejections == {"counted_from_the_other_format": 2}


def test_the_day_that_the_first_csv_period_cuts_is_of_json(tmp_path):
    """In New York the CSV of 1 April (UTC) has only the evening of 31 March."""
    old = [("03/31/26 12:00:00", 70), ("03/31/26 21:00:00", 8), ("04/01/26 09:00:00", 1)]
    new = (STEPS_HEADER, "2026-04-01T01:00:00Z,8,Inspire 3", "2026-04-01T13:00:00Z,2,Inspire 3")
    place = folder(
        tmp_path,
        {
            OLD + "steps-2026-03-01.json": steps_json(*old),
            NEW + "steps_2026-04-01.csv": csv(*new),
        },
    )
    assert steps_of(read(place, ask("America/New_York", options={"time": "local"}))) == {
        "2026-03-31": {720: 70, 1260: 8},
        "2026-04-01": {540: 2},
    }


def test_wear_is_minutes_with_a_plausible_heart_rate(tmp_path):
    beats = [
        ("03/26/26 08:14:05", 104, 3), ("03/26/26 08:14:35", 104, 2), ("03/26/26 08:15:05", 30, 1),
        ("03/26/26 08:17:05", 29, 1), ("03/26/26 08:18:05", 221, 1), ("03/26/26 08:19:05", 70, 0),
        ("03/26/26 08:20:05", 220, 1), ("03/28/26 00:00:00", 60, 2),
    ]  # fmt: skip
    steps = [("03/25/26 09:00:00", 5), ("03/27/26 09:00:00", 6)]
    place = folder(
        tmp_path,
        {
            OLD + "heart_rate-2026-03-26.json": heart_json(*beats),
            OLD + "steps-2026-03-01.json": steps_json(*steps),
        },
    )
    reading = read(place, ask("UTC"))
    assert wear_of(reading) == {
        "2026-03-25": [],
        "2026-03-26": [(494, 2), (500, 1)],
        "2026-03-27": [],
        "2026-03-28": [(0, 1)],
    }
    methods = [day.wear_method for day in reading.days]
    assert methods == ["steps", "heart_rate", "heart_rate", "heart_rate"]
    count = reading.counts["heart_rate"]
    assert (count.received, count.landed) == (8, 5)
    assert count.rejections == {"implausible_heart_rate": 2, "no_confidence": 1}


def test_heart_rate_of_csv_is_wear(tmp_path):
    lines = (
        HEART_HEADER,
        "2026-03-26T06:14:05Z,64,Inspire 3",
        "2026-03-26T06:15:59Z,64.0,Inspire 3",
    )
    place = folder(tmp_path, {NEW + "heart_rate_2026-03-01.csv": csv(*lines)})
    reading = read(place)
    assert wear_of(reading) == {"2026-03-26": [(494, 2)]}
    assert steps_of(reading) == {"2026-03-26": {}}


def test_points_that_cannot_be_one_are_counted_by_reason(tmp_path):
    old = [
        ("02/30/26 08:14:00", 1), ("2/3/26", 1), (None, 1), ("03/26/26 08:14:00", "NaN"),
        ("03/26/26 08:15:00", None), ("03/26/26 08:16:00", -3), ("03/26/26 08:17:00", 30_001),
        ("11/24/26 08:14:00", 1), ("03/26/26 08:18:00", "2.5"), ("03/26/26 08:19:00", {"x": 1}),
        ("03/26/26 08:20:00", "4"),
    ]  # fmt: skip
    new = (
        STEPS_HEADER,
        "2026-03-27T06:14:00Z,NaN,Inspire 3",
        '2026-03-27T06:15:00Z,6,"Watch, blue"',
        "2026-03-27 06:16:00,6,Inspire 3",
        ",6,Inspire 3",
        "2026-03-27T08:17:00.250+02:00,7,Inspire 3",
    )
    place = folder(
        tmp_path,
        {OLD + "steps-2026-03-01.json": steps_json(*old), NEW + "steps_2026-03-01.csv": csv(*new)},
    )
    reading = read(place, ask("UTC"))
    assert steps_of(reading) == {"2026-03-26": {500: 4}, "2026-03-27": {375: 6, 377: 7}}
    count = reading.counts["minute_steps"]
    assert (count.received, count.landed) == (16, 3)
    assert count.rejections == {
        "no_time": 5,
        "in_the_future": 1,
        "not_a_number": 5,
        "impossible": 2,
    }


@pytest.mark.parametrize(
    "text",
    [
        "\ufefftimestamp,steps,data source\n2026-03-26T06:14:00Z,97,Inspire 3\n",
        "Timestamp , STEPS,Data_Source\r\n2026-03-26T06:14:00Z,97,Inspire 3\r\n",
        "steps,timestamp\n97,2026-03-26T06:14:00Z",
        "data source;timestamp;steps\nInspire 3;2026-03-26T06:14Z; 97 \n",
    ],
)
def test_spellings_of_the_csv(tmp_path, text):
    place = folder(tmp_path, {NEW + "steps_2026-03-01.csv": text})
    assert steps_of(read(place)) == {"2026-03-26": {494: 97}}


def test_files_without_data_are_no_fault(tmp_path):
    place = folder(
        tmp_path,
        {
            NEW + "steps_2026-03-01.csv": csv(STEPS_HEADER, "2026-03-26T06:14:00Z,97,Inspire 3"),
            NEW + "steps_2026-04-01.csv": "No data\n",
            NEW + "steps_2026-05-01.csv": "",
            OLD + "steps-2026-05-01.json": "[]",
            NEW + "steps_2026-06-01.csv": csv(STEPS_HEADER),
        },
    )
    reading = read(place)
    assert steps_of(reading) == {"2026-03-26": {494: 97}}
    assert "P-014: 2 files say that they have no data" in reading.notes


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("steps-2026-03-01.json", '[{"dateTime":"03/26/26 08:1', "P-014/1/steps-2026-03-01.json: "
         "not a list of data points, or cut short; export it again"),
        ("steps-2026-03-01.json", '{"a": 1}', "P-014/1/steps-2026-03-01.json: not a list"),
        ("steps-2026-03-01.json", "[1, 2]", "P-014/1/steps-2026-03-01.json: not a list"),
        ("steps_2026-03-01.csv", "timestamp,meters\n2026-03-26T06:14:00Z,9\n",
         "P-014/1/steps_2026-03-01.csv: no column steps in its header; it needs them"),
        ("steps_2026-03-01.csv", f"{STEPS_HEADER}\n2026-03-26T06:14:00Z,97\n",
         "P-014/1/steps_2026-03-01.csv: line 2 has 2 fields where the header has 3"),
    ],
)  # fmt: skip
def test_a_broken_file_is_refused_by_name(tmp_path, name, text, message):
    place = folder(tmp_path, {OLD + name: text})
    with pytest.raises(BadInput) as caught:
        read(place)
    assert message in str(caught.value)


def test_a_day_of_two_exports_is_of_the_one_that_reaches_further(tmp_path):
    early = csv(
        STEPS_HEADER, "2026-03-25T06:00:00Z,5,Inspire 3", "2026-03-26T06:14:00Z,10,Inspire 3"
    )
    late = csv(
        STEPS_HEADER, "2026-03-26T06:14:00Z,12,Inspire 3", "2026-03-28T06:00:00Z,1,Inspire 3"
    )
    one, two = "b-early/" + NEW, "a-late/" + NEW
    place = folder(
        tmp_path, {one + "steps_2026-03-01.csv": early, two + "steps_2026-03-01.csv": late}
    )
    reading = read(place, ask("UTC"))
    assert steps_of(reading) == {
        "2026-03-25": {360: 5}, "2026-03-26": {374: 12}, "2026-03-28": {360: 1},
    }  # fmt: skip
    assert [day.fetched_at for day in reading.days] == [
        datetime(2026, 3, 26, 6, 15, tzinfo=UTC), datetime(2026, 3, 28, 6, 1, tzinfo=UTC),
        datetime(2026, 3, 28, 6, 1, tzinfo=UTC),
    ]  # fmt: skip
    assert reading.counts["minute_steps"].rejections == {"replaced_by_a_later_export": 1}


def test_without_a_zone_days_are_of_utc_and_it_says_so(tmp_path):
    lines = (STEPS_HEADER, "2026-03-26T23:14:00Z,97,Inspire 3")
    reading = read(folder(tmp_path, {NEW + "steps_2026-03-01.csv": csv(*lines)}), ask(None))
    assert steps_of(reading) == {"2026-03-26": {1394: 97}}
    assert reading.days[0].timezone is None
    assert "no time zone is known for 1 participants" in reading.notes[-1]


def test_the_order_of_replies_is_nothing(tmp_path):
    files = {
        OLD + "steps-2026-03-01.json": steps_json(
            ("03/26/26 08:14:00", 97), ("03/20/26 08:14:00", 9)
        ),
        NEW + "steps_2026-03-01.csv": csv(
            STEPS_HEADER, "2026-03-26T06:14:00Z,7,Inspire 3", "2026-03-26T06:14:00Z,8,Charge 6"
        ),
        OLD + "heart_rate-2026-03-26.json": heart_json(("03/26/26 08:14:05", 104, 3)),
    }
    asked = ask()
    replies = list(SOURCE.fetch(folder(tmp_path, files), asked))
    one, two = SOURCE.read(replies, asked), SOURCE.read(replies[::-1], asked)
    assert (steps_of(one), wear_of(one)) == (steps_of(two), wear_of(two))
    assert one.counts == two.counts
