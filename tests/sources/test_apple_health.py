"""Apple Health: what an export says, by the minute; every figure here was worked out by hand."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from support.apple import EXPORTED, export_xml, record

from ingestion.errors import BadInput
from ingestion.source import Ask, Reading
from ingestion.sources.apple_health import SOURCE
from warehouse.study import EXAMPLE, read_study

NOW = datetime(2026, 4, 1, 12, tzinfo=UTC)
DAY = "2026-03-26"


def reading_of(
    tmp_path: Path, *records: str, zone: str | None = "Europe/Berlin", **given
) -> Reading:
    path = tmp_path / "export.xml"
    path.write_bytes(export_xml(*records, **given))
    ask = Ask(read_study(EXAMPLE), NOW, "P-014", zone, scratch=tmp_path)
    return SOURCE.read(list(SOURCE.fetch(path, ask)), ask)


def minutes_of(day) -> dict[str, int]:
    """Minute of the day as a clock without changes shows it -> steps."""
    pairs = zip(day.step_minute.tolist(), day.step_count.tolist(), strict=True)
    return {f"{minute // 60:02d}:{minute % 60:02d}": count for minute, count in pairs}


def steps(start: str, end: str, value: object, by: str = "watch", **given) -> str:
    return record("steps", f"{DAY} {start}", f"{DAY} {end}", value, by, **given)


def beat(at: str, value: object = 70, by: str = "watch", on: str = DAY) -> str:
    return record("heart", f"{on} {at}", f"{on} {at}", value, by)


def test_steps_are_spread_over_their_minutes_whole_and_to_the_sum(tmp_path):
    # 08:14:00 to 08:19:10 local at +0200 is 07:14 in Berlin, where summer begins on 29 March.
    [day] = reading_of(tmp_path, steps("08:14:00", "08:19:10", 412)).days
    # 310 seconds: 79.74 steps a minute, 13.29 in the last ten seconds.
    assert minutes_of(day) == {"07:14": 80, "07:15": 80, "07:16": 80, "07:17": 80, "07:18": 79,
                               "07:19": 13}  # fmt: skip
    assert (day.participant_id, day.source, day.era) == ("P-014", "apple_health", "file")
    assert (day.activity_date, day.timezone) == (date(2026, 3, 26), "Europe/Berlin")
    assert day.day_start_at == datetime(2026, 3, 25, 23, tzinfo=UTC)
    assert (day.day_minutes, day.vendor_steps, day.device_model) == (1440, None, "Apple Watch")
    assert day.fetched_at == datetime(2026, 3, 30, 10, tzinfo=UTC)  # the export's own date


def test_a_watch_goes_before_a_phone_and_they_are_never_summed(tmp_path):
    reading = reading_of(
        tmp_path,
        steps("10:00:00", "10:02:00", 150, "phone"),
        steps("10:00:00", "10:02:00", 200, "watch"),
        steps("10:01:00", "10:03:00", 100, "app"),
        steps("10:05:00", "10:06:00", 30, "phone"),
    )
    # the app keeps the minute that nobody else has: half of its steps
    assert minutes_of(reading.days[0]) == {"09:00": 100, "09:01": 100, "09:02": 50, "09:05": 30}
    count = reading.counts_of["P-014"]["steps"]
    assert (count.received, count.landed) == (4, 3)
    assert count.rejections == {"counted_by_another_record": 1}
    assert reading.notes == ["200 steps that two records counted are counted once"]


def test_of_two_watches_the_later_one_counts(tmp_path):
    old = steps("10:00:00", "10:01:00", 50)
    new = steps("10:00:00", "10:01:00", 60).replace("Anna", "Berta")
    first = record("steps", "2026-03-25 10:00:00", "2026-03-25 10:01:00", 9)  # the old watch
    for order in ((first, old, new), (new, old, first)):
        days = reading_of(tmp_path, *order).days
        assert [minutes_of(day) for day in days] == [{"09:00": 9}, {"09:00": 60}]


def test_the_same_record_twice_counts_once_in_any_order(tmp_path):
    twice = [steps("10:00:00", "10:01:00", 50), steps("10:00:30", "10:01:30", 40)]
    for records in ([*twice, twice[0]], [twice[1], twice[0], twice[0]]):
        reading = reading_of(tmp_path, *records)
        assert minutes_of(reading.days[0]) == {"09:00": 50, "09:01": 20}
        assert reading.counts["steps"].rejections == {"counted_by_another_record": 1}


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (steps("10:00:00", "10:01:00", -5), "negative_count"),
        (steps("10:00:00", "10:01:00", "1,234"), "not_a_number"),
        (steps("10:00:00", "10:01:00", "many"), "not_a_number"),
        (steps("10:00:00", "10:01:00", "nan"), "not_a_number"),
        (steps("10:00:00", "10:01:00", 30_001), "impossible"),
        (steps("10:01:00", "10:00:00", 5), "ends_before_it_starts"),
        (record("steps", "2026-03-24 10:00:00", "2026-03-25 10:00:01", 5), "longer_than_a_day"),
        (record("steps", "1999-12-31 10:00:00", "1999-12-31 10:01:00", 5), "before_2000"),
        (record("steps", "2026-03-30 12:59:00", "2026-03-30 13:00:01", 5), "in_the_future"),
        (record("steps", "2026-02-30 10:00:00", "2026-03-01 10:00:00", 5), "no_time"),
        (steps("10:00:00", "10:01:00", 5, unit="km"), "other_unit"),
        (steps("10:00:00", "10:01:00", 5, HKWasUserEntered="1"), "entered_by_hand"),
    ],
)
def test_what_cannot_be_is_refused_and_counted(tmp_path, fault, reason):
    reading = reading_of(tmp_path, steps("09:00:00", "09:01:00", 7), fault)
    count = reading.counts_of["P-014"]["steps"]
    assert count.rejections == {reason: 1}
    assert (count.received, count.landed) == (2, 1)
    assert [minutes_of(day) for day in reading.days] == [{"08:00": 7}]


def test_what_is_just_possible_lands(tmp_path):
    reading = reading_of(
        tmp_path,
        steps("10:00:00", "10:01:00", 30_000),
        record("steps", "2026-03-24 10:00:00", "2026-03-25 10:00:00", 0),
        record("steps", "2026-03-30 12:59:00", "2026-03-30 13:00:00", 5),
        steps("11:00:00", "11:00:00", "2.5"),
        steps("12:00:00", "12:01:00", 4, HKWasUserEntered="0"),
    )
    count = reading.counts["steps"]
    assert (count.received, count.landed, count.rejected) == (5, 5, 0)
    assert minutes_of(reading.days[0]) == {"09:00": 30_000, "10:00": 3, "11:00": 4}


def test_a_minute_that_no_count_can_hold_is_refused_and_nothing_wraps_around(tmp_path):
    many = [steps(f"10:00:{s:02d}", f"10:00:{s + 10:02d}", 30_000) for s in (0, 10, 20)]
    reading = reading_of(tmp_path, *many, steps("11:00:00", "11:01:00", 6))
    assert reading.counts["steps"].rejections == {"impossible": 3}
    assert [minutes_of(day) for day in reading.days] == [{"10:00": 6}]


def test_wear_bridges_gaps_of_up_to_half_an_hour(tmp_path):
    [day] = reading_of(tmp_path, beat("09:00:20"), beat("09:30:00"), beat("10:01:00"),
                       beat("10:02:00", 29), beat("10:03:00", 221)).days  # fmt: skip
    # 31 minutes lie between 08:30 and 09:01 of Berlin's clock: off.
    assert (day.wear_start.tolist(), day.wear_length.tolist()) == ([480, 541], [31, 1])
    assert (day.wear_method, day.step_minute.size) == ("heart_rate", 0)


def test_wear_goes_on_over_midnight(tmp_path):
    evening, morning = beat("23:50:00", on="2026-03-26"), beat("00:15:00", on="2026-03-27")
    days = reading_of(tmp_path, evening, morning, zone="Etc/GMT-2").days  # its clock is at +0200
    assert [(d.wear_start.tolist(), d.wear_length.tolist()) for d in days] == [
        ([1430], [10]), ([0], [16])]  # fmt: skip


def test_days_beyond_the_first_and_last_heart_rate_rest_on_steps(tmp_path):
    on = [f"2026-03-{day}" for day in (23, 24, 25, 26)]
    walks = [record("steps", f"{one} 10:00:00", f"{one} 10:01:00", 5, "phone") for one in on]
    reading = reading_of(tmp_path, *walks, beat("10:00:00", on=on[1]), beat("10:00:00", on=on[3]))
    assert [(day.wear_method, day.wear_length.sum(), day.device_model) for day in reading.days] == [
        ("steps", 0, "iPhone"), ("heart_rate", 1, "Apple Watch"), ("heart_rate", 0, "iPhone"),
        ("heart_rate", 1, "Apple Watch")]  # fmt: skip
    assert reading.covered_to == {"P-014": datetime(2026, 3, 30, 10, tzinfo=UTC)}
    assert reading.first_full_day == {"P-014": date(2026, 3, 24)}


def test_days_on_which_clocks_change_have_their_own_length(tmp_path):
    walks = [record("steps", "2026-03-29 12:00:00", "2026-03-29 12:01:00", 8),
             record("steps", "2025-10-26 12:00:00", "2025-10-26 12:01:00", 9)]  # fmt: skip
    days = reading_of(tmp_path, *walks).days
    assert [(d.day_minutes, minutes_of(d)) for d in days] == [
        (1500, {"12:00": 9}),  # 12:00 at +0200 is 10:00 UTC, twelve hours after a +02 midnight
        (1380, {"11:00": 8}),
    ]


def test_a_record_that_names_its_zone_is_a_day_of_that_zone(tmp_path):
    walk = record("steps", "2026-03-27 06:00:00", "2026-03-27 06:01:00", 8,
                  HKTimeZone="America/New_York")  # fmt: skip
    [day] = reading_of(tmp_path, walk).days  # 04:00 UTC is midnight in New York
    assert (day.activity_date, minutes_of(day)) == (date(2026, 3, 27), {"00:00": 8})
    assert day.timezone == "America/New_York"
    [there] = reading_of(tmp_path, walk.replace("America/New_York", "Nowhere/Land")).days
    assert (there.timezone, minutes_of(there)) == ("Europe/Berlin", {"05:00": 8})


def test_a_named_zone_holds_for_a_day(tmp_path):
    first = record("steps", "2026-03-27 00:00:00", "2026-03-27 00:01:00", 8, zone="-0400",
                   HKTimeZone="America/New_York")  # fmt: skip
    same_day = record("steps", "2026-03-27 10:00:00", "2026-03-27 10:01:00", 9, zone="-0400")
    home = record("steps", "2026-03-28 02:00:00", "2026-03-28 02:01:00", 4, zone="-0400")
    days = reading_of(tmp_path, first, same_day, home).days
    assert [(str(day.activity_date), day.timezone, minutes_of(day)) for day in days] == [
        ("2026-03-27", "America/New_York", {"00:00": 8, "10:00": 9}),
        ("2026-03-28", "Europe/Berlin", {"07:00": 4}),  # 26 hours later: 06:00 UTC
    ]


def test_without_a_zone_days_are_of_utc_and_it_says_so(tmp_path):
    reading = reading_of(tmp_path, steps("10:00:00", "10:01:00", 5), zone=None)
    assert (reading.days[0].timezone, minutes_of(reading.days[0])) == (None, {"08:00": 5})
    assert "no time zone is known for 1 participants" in reading.notes[0]


def test_without_its_date_an_export_reaches_to_its_last_record(tmp_path):
    reading = reading_of(tmp_path, steps("10:00:00", "10:01:00", 5), exported=None)
    assert reading.covered_to == {"P-014": datetime(2026, 3, 26, 8, 1, tzinfo=UTC)}


def test_an_export_of_the_future_reaches_no_further_than_now(tmp_path):
    reading = reading_of(tmp_path, steps("10:00:00", "10:01:00", 5),
                         exported=EXPORTED.replace("2026", "2036"))  # fmt: skip
    assert reading.days[0].fetched_at == NOW


def test_an_export_without_steps_has_no_day_and_is_counted(tmp_path):
    reading = reading_of(tmp_path, record("energy", f"{DAY} 10:00:00", f"{DAY} 10:01:00", 5))
    assert (reading.days, reading.covered_to) == ([], {})
    assert reading.counts_of["P-014"]["steps"].received == 0


@pytest.mark.parametrize("body", [b"", b"a\tb\n1\t2\n", b"\xff\xfe\n", b"what\tstart\n"])
def test_what_is_no_distilled_export_is_bad_input(tmp_path, body):
    path = tmp_path / "export.xml"
    path.write_bytes(export_xml(steps("10:00:00", "10:01:00", 5)))
    ask = Ask(read_study(EXAMPLE), NOW, "P-014", "UTC")
    [reply] = SOURCE.fetch(path, ask)
    cut = type(reply)(**{name: getattr(reply, name) for name in reply.__dataclass_fields__}
                      | {"body": body})  # fmt: skip
    with pytest.raises(BadInput, match=r"P-014/export-1\.tsv: not the distilled records"):
        SOURCE.read([cut], ask)
