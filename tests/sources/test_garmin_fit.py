"""Garmin FIT: what counters, 16-bit times and offsets mean, day by day."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from support.fit import (
    ACTIVITY,
    CYCLING,
    RUNNING,
    SEDENTARY,
    WALKING,
    beat,
    file_id,
    fit,
    fit_time,
    info,
    message,
    steps,
    stretch,
    summary,
)

from ingestion.source import Ask, Reading
from ingestion.sources.garmin_fit import SOURCE
from warehouse.study import EXAMPLE, read_study

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
MIDNIGHT = datetime(2026, 3, 25, 22, tzinfo=UTC)  # of 26 March in Jerusalem, two hours ahead


def at(clock: str, day: int = 26) -> datetime:
    """The instant of a clock time in March 2026, two hours ahead of UTC."""
    hour, minute = map(int, clock.split(":"))
    return datetime(2026, 3, day, hour, minute, tzinfo=UTC) - timedelta(hours=2)


def read(folder: Path, *files: bytes, zone: str | None = "Asia/Jerusalem") -> Reading:
    """The reading of files of P-014 that lie in a folder."""
    for number, content in enumerate(files):
        (folder / f"{number}.fit").write_bytes(content)
    asked = Ask(read_study(EXAMPLE), NOW, "P-014", zone)
    reading = SOURCE.read(list(SOURCE.fetch(folder, asked)), asked)
    for count in reading.counts.values():
        assert count.received == count.landed + count.rejected
    return reading


def steps_of(reading: Reading) -> dict[int, dict[int, int]]:
    """Non-zero minutes by day of March."""
    return {
        day.activity_date.day: dict(
            zip(day.step_minute.tolist(), day.step_count.tolist(), strict=True)
        )
        for day in reading.days
    }


def sums_of(reading: Reading) -> dict[int, int]:
    return {day: sum(minutes.values()) for day, minutes in steps_of(reading).items()}


def monitoring(*messages: bytes, serial: int = 4711, hours: float = 2) -> bytes:
    return fit(file_id(serial=serial), info(MIDNIGHT, hours), *messages)


# Counters


def test_a_counter_s_differences_are_spread_over_the_time_between(tmp_path):
    file = monitoring(steps(at("00:04"), 8), steps(at("08:00"), 8), steps(at("08:03"), 308))
    assert steps_of(read(tmp_path, file)) == {
        26: {0: 2, 1: 2, 2: 2, 3: 2, 480: 100, 481: 100, 482: 100}
    }


def test_each_activity_type_has_a_counter_of_its_own_and_their_steps_are_added(tmp_path):
    file = monitoring(
        steps(at("08:00"), 0), steps(at("08:00"), 0, RUNNING),
        steps(at("08:01"), 60), steps(at("08:01"), 150, RUNNING), steps(at("08:02"), 90),
    )  # fmt: skip
    assert steps_of(read(tmp_path, file)) == {26: {480: 210, 481: 30}}


def test_cycles_of_other_types_are_no_steps(tmp_path):
    file = monitoring(steps(at("08:01"), 900, CYCLING), steps(at("08:02"), 0))
    reading = read(tmp_path, file)
    assert steps_of(reading) == {26: {}}
    assert reading.counts["steps"].rejections == {"not_steps": 1}


def test_the_short_form_of_a_counter_is_read_too(tmp_path):
    short = message(55, timestamp=fit_time(at("00:02")), cycles_16=10, activity_type=WALKING)
    assert sums_of(read(tmp_path, monitoring(short))) == {26: 10}


def test_a_counter_that_says_less_began_anew(tmp_path):
    file = monitoring(steps(at("08:00"), 500), steps(at("09:00"), 40), steps(at("10:00"), 100))
    assert sums_of(read(tmp_path, file)) == {26: 600}


def test_every_day_begins_at_nothing(tmp_path):
    """60 steps on the second day, though 60 is more than the 50 at which the first ended."""
    file = monitoring(steps(at("23:00"), 50), steps(at("07:00", 27), 60))
    assert sums_of(read(tmp_path, file)) == {26: 50, 27: 60}


def test_a_word_just_after_midnight_may_still_be_the_last_one(tmp_path):
    """The device begins anew a minute late: its 3,000 are not walked again."""
    late = steps(datetime(2026, 3, 26, 22, 0, 30, tzinfo=UTC), 3000)
    file = monitoring(steps(at("23:00"), 3000), late, steps(at("07:00", 27), 20))
    assert sums_of(read(tmp_path, file)) == {26: 3000, 27: 20}


def test_field_24_tells_that_the_steps_are_of_the_stretch_since_the_last_message(tmp_path):
    file = monitoring(stretch(at("08:00"), SEDENTARY), stretch(at("08:02"), WALKING, 100))
    assert steps_of(read(tmp_path, file)) == {26: {480: 50, 481: 50}}


def test_where_the_day_s_first_files_lack_the_steps_are_since_midnight(tmp_path):
    """The stretch cannot have all of a counter that began before the file did."""
    file = fit(file_id(), info(at("08:00"), 2), stretch(at("08:00"), SEDENTARY),
               stretch(at("08:02"), WALKING, 4820))  # fmt: skip
    minutes = steps_of(read(tmp_path, file))[26]
    assert sum(minutes.values()) == 4820
    assert (minutes[0], minutes[481], max(minutes)) == (10, 10, 481)


# Times


def test_the_low_16_bits_of_a_time_roll_over(tmp_path):
    """From midnight to 19:30 are 70,200 s, more than the 65,536 after which they begin again."""
    file = monitoring(*(stretch(at(f"{h:02d}:30"), WALKING, h) for h in (1, 10, 19)))
    reading = read(tmp_path, file)
    assert sums_of(reading) == {26: 19}
    assert reading.covered_to == {"P-014": at("19:30")}


def test_messages_a_little_out_of_order_do_not_jump_a_rollover_ahead(tmp_path):
    file = monitoring(stretch(at("08:05"), WALKING, 50), beat(at("08:03"), 70))
    reading = read(tmp_path, file)
    assert reading.covered_to == {"P-014": at("08:05")}
    assert [day.wear_start.tolist() for day in reading.days] == [[482]]


def test_a_summary_stamped_at_midnight_is_of_the_day_before(tmp_path):
    file = monitoring(
        steps(at("20:00"), 3142), steps(at("20:00"), 31, RUNNING),
        summary(at("00:00", 27), 3142), summary(at("00:00", 27), 31, RUNNING),
    )  # fmt: skip
    [day] = read(tmp_path, file).days
    assert (day.activity_date, day.vendor_steps) == (date(2026, 3, 26), 3173)
    assert int(day.step_count.sum()) == 3173


def test_a_summary_that_says_less_changes_no_minute(tmp_path):
    [day] = read(tmp_path, monitoring(steps(at("20:00"), 100), summary(at("00:00", 27), 90))).days
    assert (int(day.step_count.sum()), day.vendor_steps) == (100, 90)


def test_the_day_is_the_one_at_the_file_s_own_offset(tmp_path):
    """In Tokyo 26 March begins at 15:00 UTC of the 25th; the roster's zone is Jerusalem."""
    tokyo = datetime(2026, 3, 25, 15, tzinfo=UTC)
    file = fit(file_id(), info(tokyo, 9), steps(tokyo + timedelta(minutes=10), 30))
    [day] = read(tmp_path, file).days
    assert (day.activity_date, day.day_start_at) == (date(2026, 3, 26), tokyo)
    assert (day.timezone, day.day_minutes, day.step_minute.max()) == (None, 1440, 9)


def test_a_traveller_s_day_runs_from_midnight_to_midnight_as_he_lived_it(tmp_path):
    """West by seven hours: 26 March has 31."""
    file = monitoring(steps(at("10:00"), 100), info(at("12:00"), -5), steps(at("23:00"), 400))
    [day] = read(tmp_path, file).days
    assert (day.day_start_at, day.day_minutes) == (MIDNIGHT, 31 * 60)
    assert int(day.step_count.sum()) == 400


def test_a_day_on_which_clocks_change_is_the_zone_s(tmp_path):
    """Jerusalem, 27 March 2026: two o'clock is three; the day has 1,380 minutes."""
    file = fit(file_id(), info(at("00:00", 27), 2), steps(at("01:00", 27), 60),
               info(at("03:00", 27), 3), steps(at("10:00", 27), 600))  # fmt: skip
    [day] = read(tmp_path, file).days
    assert (day.timezone, day.day_minutes) == ("Asia/Jerusalem", 1380)
    assert (day.activity_date, int(day.step_count.sum())) == (date(2026, 3, 27), 600)


def test_without_an_offset_the_day_is_that_of_the_roster_s_zone(tmp_path):
    """Then a counter begins anew only where it says less: our midnight may not be its own."""
    file = fit(file_id(), steps(at("21:00"), 500), steps(at("08:00", 27), 520))
    assert sums_of(read(tmp_path, file)) == {26: 500, 27: 20}


# Files


def test_files_in_any_order_overlapping_and_repeated_say_the_same(tmp_path):
    first = monitoring(steps(at("08:00"), 100), steps(at("09:00"), 400))
    second = fit(file_id(), info(at("08:30"), 2), steps(at("09:00"), 400), steps(at("10:00"), 900))
    readings = []
    for number, files in enumerate([(first, second), (second, first), (first, second, first)]):
        folder = tmp_path / str(number)
        folder.mkdir()
        readings.append(read(folder, *files))
    assert {str(steps_of(one)) for one in readings} == {str(steps_of(readings[0]))}
    assert [sums_of(one) for one in readings] == [{26: 900}] * 3
    assert readings[0].counts["steps"].rejections == {"repeated": 1}


def test_of_two_words_on_one_instant_the_file_that_reaches_further_wins(tmp_path):
    short = monitoring(steps(at("09:00"), 450))
    longer = monitoring(steps(at("09:00"), 400), steps(at("10:00"), 500))
    reading = read(tmp_path, short, longer)
    assert sums_of(reading) == {26: 500}
    assert sum(n for minute, n in steps_of(reading)[26].items() if minute < 9 * 60) == 400
    assert reading.counts["steps"].rejections == {"replaced_by_another_word": 1}


def test_two_devices_of_one_day_are_never_added(tmp_path):
    """The second watch counted less; only what it says after the first's last word is its own."""
    one = monitoring(steps(at("08:00"), 0), steps(at("12:00"), 4000))
    other = monitoring(
        steps(at("09:00"), 900), steps(at("13:00"), 1000), steps(at("14:00"), 1300), serial=99
    )
    reading = read(tmp_path, one, other)
    assert reading.counts["steps"].rejections == {"another_device": 1}
    minutes = steps_of(reading)[26]
    assert sum(n for minute, n in minutes.items() if 780 <= minute < 840) == 300


def test_heart_rate_is_wear(tmp_path):
    rates = [beat(at(clock), rate) for clock, rate in
             (("08:01", 71), ("08:02", 72), ("08:30", 29), ("09:00", 220))]  # fmt: skip
    reading = read(tmp_path, monitoring(*rates))
    [day] = reading.days
    assert (day.wear_method, day.wear_start.tolist(), day.wear_length.tolist()) == (
        "heart_rate",
        [480, 539],
        [2, 1],
    )
    assert reading.counts["heart_rate"].rejections == {"implausible_heart_rate": 1}


def test_without_heart_rate_there_are_no_runs_of_wear(tmp_path):
    [day] = read(tmp_path, monitoring(steps(at("08:00"), 10))).days
    assert (day.wear_method, day.wear_start.size) == ("steps", 0)


def test_what_cannot_be_used_is_counted_with_its_reason(tmp_path):
    untimed = message(55, timestamp_16=7, cycles=5, activity_type=WALKING)
    untyped = message(55, timestamp=fit_time(at("09:00")), cycles=5)
    huge = steps(at("10:00"), 2_000_000)
    fast = steps(at("11:00") + timedelta(seconds=1), 900_000)
    future = steps(NOW + timedelta(days=2), 8)
    first = steps(at("11:00"), 10)
    reading = read(
        tmp_path, fit(file_id(), untimed, info(MIDNIGHT, 2), untyped, huge, first, fast, future)
    )
    assert reading.counts["steps"].rejections == {
        "no_time": 1, "no_activity_type": 1, "impossible": 2, "in_the_future": 1,
    }  # fmt: skip
    assert sums_of(reading) == {26: 10}


def test_the_first_full_day_is_one_that_was_summed_up_or_lies_between(tmp_path):
    summed = monitoring(steps(at("08:00"), 10), summary(at("00:00", 27), 10))
    assert read(tmp_path, summed).first_full_day == {"P-014": date(2026, 3, 26)}
    between = fit(
        file_id(), info(at("08:00"), 2), *(steps(at("08:00", d), 1) for d in (26, 27, 28))
    )
    (tmp_path / "b").mkdir()
    assert read(tmp_path / "b", between).first_full_day == {"P-014": date(2026, 3, 27)}


def test_files_of_other_kinds_are_named_and_not_read(tmp_path):
    reading = read(tmp_path, monitoring(steps(at("08:00"), 10)), fit(file_id(ACTIVITY)))
    assert reading.notes == [
        "1 FIT files without monitoring were not read (activity 1); the steps of activities are in "
        "the monitoring files"
    ]
