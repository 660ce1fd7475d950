"""A Fitabase export becomes days of minutes, whatever its shape, names, times and clocks."""

import hashlib
from datetime import UTC, date, datetime

import pytest
from support.fitabase import NARROW_HEADER, WIDE_HEADER, ask, read, steps_of, wide_day, write

from ingestion.source import Count
from ingestion.sources.fitabase import SOURCE, understood


def test_a_wide_file_is_minutes_of_the_local_day(tmp_path):
    rows = wide_day("7", "3/10/2026", {"08:05": 7, "23:59": 120})
    reading = read(write(tmp_path, minuteStepsWide_merged=[WIDE_HEADER, *rows]), "Europe/London")
    [day] = reading.days
    assert day.participant_id == "F7"
    assert day.activity_date == date(2026, 3, 10)
    assert day.day_start_at == datetime(2026, 3, 10, 0, 0, tzinfo=UTC)
    assert (day.day_minutes, day.timezone, day.era) == (1440, "Europe/London", "file")
    assert day.step_minute.tolist() == [485, 1439]
    assert day.step_count.tolist() == [7, 120]
    assert (day.wear_method, day.wear_start.tolist(), day.vendor_steps) == ("steps", [], None)
    assert reading.covered_to == {"F7": datetime(2026, 3, 11, 0, 0, tzinfo=UTC)}
    assert reading.counts["minute_steps"] == Count(received=1440, landed=1440)


@pytest.mark.parametrize(
    "stamp",
    [
        "3/10/2026 2:07:00 PM",
        "03/10/2026 02:07:00 pm",
        "3/10/2026 2:07 PM",
        "3/10/2026 14:07",
        "3/10/2026 14:07:00",
        "2026-03-10 14:07:00",
        "2026-03-10T14:07:00",
        "2026-03-10 14:07",
    ],
)
def test_times_are_read_in_each_format_of_an_export(tmp_path, stamp):
    folder = write(tmp_path, minuteStepsNarrow_merged=[NARROW_HEADER, f"7,{stamp},31"])
    assert steps_of(read(folder)) == {("F7", "2026-03-10"): {847: 31}}


def test_one_day_after_the_twelfth_makes_a_whole_file_day_first(tmp_path):
    lines = [NARROW_HEADER, "7,04/03/2026 10:00,5", "7,13/03/2026 10:00,6"]
    folder = write(tmp_path, minuteStepsNarrow_merged=lines)
    assert steps_of(read(folder)) == {
        ("F7", "2026-03-04"): {600: 5},
        ("F7", "2026-03-13"): {600: 6},
    }


def test_names_columns_and_delimiters_vary(tmp_path):
    lines = ["\ufeffsteps ;ACTIVITY MINUTE;ID", "12;3/10/2026 12:00:00 AM;7"]
    folder = write(tmp_path, Study_A_MINUTESTEPSNARROW_20260310_gz=lines)
    assert steps_of(read(folder)) == {("F7", "2026-03-10"): {0: 12}}


def test_an_unmerged_file_is_of_the_participant_in_its_name(tmp_path):
    header = "ActivityMinute,Steps"
    write(tmp_path, **{"ID 1003_minuteStepsNarrow_20260310": [header, "3/10/2026 1:00:00 AM,4"]})
    write(tmp_path, **{"P-04_minuteStepsNarrow_20260310": [header, "3/10/2026 1:00:00 AM,5"]})
    assert steps_of(read(tmp_path)) == {
        ("F1003", "2026-03-10"): {60: 4},
        ("Fp04", "2026-03-10"): {60: 5},
    }


def test_ids_become_participants(tmp_path):
    folder = write(tmp_path, minuteStepsNarrow=[NARROW_HEADER, "7,3/10/2026 1:00:00 AM,4"])
    assert steps_of(read(folder, ids={"7": "P01"})) == {("P01", "2026-03-10"): {60: 4}}


def test_the_id_in_a_files_name_may_be_spelt_otherwise(tmp_path):
    lines = ["ActivityMinute,Steps", "3/10/2026 1:00:00 AM,4"]
    write(tmp_path, **{"ID P-04_minuteStepsNarrow_20260310": lines})
    assert steps_of(read(tmp_path, ids={"P-04": "P01"})) == {("P01", "2026-03-10"): {60: 4}}


def test_a_repeated_minute_counts_once_and_of_two_the_larger_stands(tmp_path):
    lines = [NARROW_HEADER]
    lines += ["7,3/10/2026 1:00:00 AM,4", "7,3/10/2026 1:00:00 AM,4"]
    lines += ["7,3/10/2026 1:01:00 AM,9", "7,3/10/2026 1:01:00 AM,2"]
    reading = read(write(tmp_path, minuteStepsNarrow=lines))
    assert steps_of(reading) == {("F7", "2026-03-10"): {60: 4, 61: 9}}
    assert reading.counts["minute_steps"] == Count(
        received=4, landed=2, rejections={"repeated": 1, "replaced_by_another_word": 1}
    )


def test_the_file_that_reaches_later_has_the_word(tmp_path):
    early = [NARROW_HEADER, "7,3/10/2026 1:00:00 AM,40", "7,3/10/2026 2:00:00 AM,1"]
    late = [NARROW_HEADER, "7,3/10/2026 1:00:00 AM,4", "7,3/10/2026 3:00:00 AM,1"]
    expected = {("F7", "2026-03-10"): {60: 4, 120: 1, 180: 1}}
    first = write(tmp_path / "a", a_minuteStepsNarrow=early, b_minuteStepsNarrow=late)
    other = write(tmp_path / "b", a_minuteStepsNarrow=late, b_minuteStepsNarrow=early)
    assert steps_of(read(first)) == expected
    assert steps_of(read(other)) == expected


def test_a_file_reaches_as_far_as_its_last_minute_that_is_not_blank(tmp_path):
    early = [NARROW_HEADER, "7,3/10/2026 1:00:00 AM,40", "7,3/10/2026 4:00:00 AM,"]
    late = [NARROW_HEADER, "7,3/10/2026 1:00:00 AM,4", "7,3/10/2026 3:00:00 AM,1"]
    folder = write(tmp_path, a_minuteStepsNarrow=early, b_minuteStepsNarrow=late)
    reading = read(folder, "Europe/London")
    assert steps_of(reading) == {("F7", "2026-03-10"): {60: 4, 180: 1}}
    assert reading.covered_to == {"F7": datetime(2026, 3, 10, 3, 1, tzinfo=UTC)}


def test_narrow_and_wide_together_are_one_day(tmp_path):
    wide = [WIDE_HEADER, *wide_day("7", "3/10/2026", {"08:05": 7}, range(8, 10))]
    narrow = [NARROW_HEADER, "7,3/10/2026 8:05:00 AM,7", "7,3/10/2026 7:30:00 AM,3"]
    reading = read(write(tmp_path, minuteStepsWide=wide, minuteStepsNarrow=narrow))
    assert steps_of(reading) == {("F7", "2026-03-10"): {450: 3, 485: 7}}
    assert reading.counts["minute_steps"].rejections == {"repeated": 1}


def test_blank_and_impossible_minutes_are_refused_and_counted(tmp_path):
    lines = [NARROW_HEADER, "7,3/10/2026 1:00:00 AM,", "7,3/10/2026 1:01:00 AM,-3"]
    lines += ["7,3/10/2026 1:02:00 AM,30001", "7,3/10/2026 1:03:00 AM,30000"]
    reading = read(write(tmp_path, minuteStepsNarrow=lines))
    assert steps_of(reading) == {("F7", "2026-03-10"): {63: 30000}}
    assert reading.counts["minute_steps"] == Count(
        received=4, landed=1, rejections={"blank_or_negative": 2, "impossible": 1}
    )


def test_counts_are_kept_for_each_participant(tmp_path):
    lines = [NARROW_HEADER, "7,3/10/2026 1:00:00 AM,4", "8,3/10/2026 1:00:00 AM,4"]
    lines += ["8,3/10/2026 1:00:00 AM,4"]
    folder = write(tmp_path, minuteStepsNarrow=lines)
    [file] = folder.iterdir()
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    repeated = Count(2, 1, {"repeated": 1}, {"repeated": sha256})
    assert read(folder).counts_of == {
        "F7": {"minute_steps": Count(received=1, landed=1)},
        "F8": {"minute_steps": repeated},
    }


# Clocks that change. Europe/London: forward at 01:00 on 2026-03-29, back at 02:00 on 2026-10-25.


def test_the_hour_that_spring_skips_lands_an_hour_later_and_is_counted(tmp_path):
    steps = {"00:59": 1, "01:10": 20, "02:10": 5, "02:11": 6, "23:59": 9}
    rows = wide_day("7", "3/29/2026", steps)
    reading = read(write(tmp_path, minuteStepsWide=[WIDE_HEADER, *rows]), "Europe/London")
    assert reading.days[0].day_minutes == 1380
    # 01:10 by the clock not yet set is 02:10 by the new one: 70 minutes after midnight, both.
    assert steps_of(reading) == {("F7", "2026-03-29"): {59: 1, 70: 25, 71: 6, 1379: 9}}
    assert (reading.moved_minutes, reading.moved_steps) == (1, 20)
    assert any("1 minutes with 20 steps" in note for note in reading.notes)


def test_the_hour_that_comes_twice_is_its_first_passing(tmp_path):
    rows = wide_day("7", "10/25/2026", {"00:30": 1, "01:10": 20, "02:10": 5})
    reading = read(write(tmp_path, minuteStepsWide=[WIDE_HEADER, *rows]), "Europe/London")
    assert reading.days[0].day_minutes == 1500
    assert steps_of(reading) == {("F7", "2026-10-25"): {30: 1, 70: 20, 190: 5}}


def test_two_words_for_the_hour_that_comes_twice_are_its_two_passings(tmp_path):
    rows = wide_day("7", "10/25/2026", {"01:10": 20}, range(2))
    rows += wide_day("7", "10/25/2026", {"01:10": 8, "01:11": 9}, range(1, 2))
    reading = read(write(tmp_path, minuteStepsWide=[WIDE_HEADER, *rows]), "Europe/London")
    assert steps_of(reading) == {("F7", "2026-10-25"): {70: 20, 130: 8, 131: 9}}
    assert reading.counts["minute_steps"] == Count(received=180, landed=180)


def test_an_hour_written_twice_in_the_same_words_is_no_second_passing(tmp_path):
    rows = 2 * wide_day("7", "10/25/2026", {"01:10": 20}, range(1, 2))
    reading = read(write(tmp_path, minuteStepsWide=[WIDE_HEADER, *rows]), "Europe/London")
    assert steps_of(reading) == {("F7", "2026-10-25"): {70: 20}}
    assert reading.counts["minute_steps"].rejections == {"repeated": 60}


def test_a_participants_own_zone_goes_before_the_asked_one(tmp_path):
    rows = wide_day("7", "7/1/2026", {"08:05": 7})
    folder = write(tmp_path, minuteStepsWide=[WIDE_HEADER, *rows])
    [day] = read(folder, "Europe/London", zones={"F7": "Asia/Jerusalem"}).days
    assert day.day_start_at == datetime(2026, 6, 30, 21, 0, tzinfo=UTC)
    assert day.timezone == "Asia/Jerusalem"


def test_without_a_zone_days_are_plain_and_the_report_says_so(tmp_path):
    rows = wide_day("7", "3/29/2026", {"02:10": 5})
    reading = read(write(tmp_path, minuteStepsWide=[WIDE_HEADER, *rows]))
    [day] = reading.days
    assert (day.timezone, day.day_minutes) == (None, 1440)
    assert day.step_minute.tolist() == [130]
    assert any("no time zone is known for 1 participants" in note for note in reading.notes)


# Heart rate


def test_wear_is_minutes_with_a_plausible_heart_rate(tmp_path):
    rows = wide_day("7", "3/10/2026", {"08:05": 7}) + wide_day("8", "3/10/2026", {})
    beats = ["Id,Time,Value", "7,3/10/2026 8:00:05 AM,72", "7,3/10/2026 8:00:10 AM,75"]
    beats += ["7,3/10/2026 8:01:00 AM,30", "7,3/10/2026 8:02:00 AM,29"]
    beats += ["7,3/10/2026 8:03:00 AM,221", "7,3/10/2026 9:00:00 AM,220"]
    beats += ["7,3/11/2026 9:00:00 AM,80"]
    folder = write(tmp_path, minuteStepsWide=[WIDE_HEADER, *rows], heartrate_seconds_merged=beats)
    reading = read(folder)
    worn, other = reading.days
    assert (worn.wear_method, other.wear_method) == ("heart_rate", "steps")
    assert worn.wear_start.tolist() == [480, 540]
    assert worn.wear_length.tolist() == [2, 1]
    assert other.wear_start.tolist() == []
    assert reading.counts["heart_rate"] == Count(
        received=7, landed=4, rejections={"implausible_heart_rate": 2, "no_step_minutes": 1}
    )


def test_a_day_between_heart_rates_is_a_day_without_wear(tmp_path):
    rows = [row for day in (9, 10, 11, 12) for row in wide_day("7", f"3/{day}/2026", {})]
    beats = ["Time,Value", "3/9/2026 8:00:00 AM,72", "3/11/2026 8:00:00 AM,72"]
    write(tmp_path, minuteStepsWide=[WIDE_HEADER, *rows])
    write(tmp_path, **{"7_heartrate_1min_20260309": beats})
    methods = [(day.wear_method, day.wear_start.tolist()) for day in read(tmp_path).days]
    assert methods == [
        ("heart_rate", [480]),
        ("heart_rate", []),
        ("heart_rate", [480]),
        ("steps", []),
    ]


# The vendor's totals


def export(tmp_path, hours=range(24), **more):
    rows = wide_day("7", "3/10/2026", {"08:05": 100}) + wide_day("7", "3/11/2026", {"09:00": 50})
    hourly = ["Id,ActivityHour,StepTotal"]
    hourly += [f"7,3/10/2026 {hour:02d}:00,{100 if hour == 8 else 0}" for hour in range(24)]
    hourly += [f"7,3/11/2026 {hour:02d}:00,{50 if hour == 9 else 0}" for hour in hours]
    return write(tmp_path, minuteStepsWide=[WIDE_HEADER, *rows], hourlySteps=hourly, **more)


def totals(reading):
    return {str(day.activity_date): day.vendor_steps for day in reading.days}


def test_daily_totals_are_the_vendors_and_never_change_minutes(tmp_path):
    daily = ["Id,ActivityDate,TotalSteps", "7,3/10/2026,101", "7,3/11/2026,50"]
    reading = read(export(tmp_path, dailyActivity_merged=daily))
    assert totals(reading) == {"2026-03-10": 101, "2026-03-11": 50}
    assert steps_of(reading)["F7", "2026-03-10"] == {485: 100}
    found = reading.reconciliation
    assert (found.days_full, found.days_exact, found.days_within) == (2, 1, 2)
    assert [str(day.activity_date) for day in found.differences] == ["2026-03-10"]
    assert (found.hours_comparable, found.hours_equal) == (48, 48)
    assert reading.first_full_day == {"F7": date(2026, 3, 10)}


def test_a_total_taken_before_the_day_ended_is_refused(tmp_path):
    daily = ["Id,ActivityDay,StepTotal", "7,3/10/2026,100", "7,3/11/2026,50"]
    reading = read(export(tmp_path, hours=range(16), dailySteps=daily))
    assert totals(reading) == {"2026-03-10": 100, "2026-03-11": None}
    assert reading.counts["daily_steps"] == Count(
        received=2, landed=1, rejections={"unfinished_day": 1}
    )
    found = reading.reconciliation
    assert (found.days_full, found.days_total_unfinished, found.days_without_total) == (1, 1, 0)
    assert (found.hours_comparable, found.hours_without_total) == (40, 8)


def test_totals_after_the_last_hour_are_unfinished(tmp_path):
    daily = ["Id,ActivityDay,StepTotal", "7,3/10/2026,100", "7,3/11/2026,50", "7,3/12/2026,0"]
    reading = read(export(tmp_path, hours=range(16), dailySteps=daily))
    assert totals(reading) == {"2026-03-10": 100, "2026-03-11": None}
    assert reading.counts["daily_steps"].rejections == {"unfinished_day": 2}


def test_a_day_names_the_files_it_came_from_and_not_those_only_compared(tmp_path):
    folder = export(tmp_path, dailySteps=["Id,ActivityDay,StepTotal", "7,3/10/2026,100"])
    wide, daily = (
        hashlib.sha256((folder / name).read_bytes()).hexdigest()
        for name in ("minuteStepsWide.csv", "dailySteps.csv")
    )
    assert {day.raw_sha256 for day in read(folder).days} == {tuple(sorted([wide, daily]))}


def test_without_hours_the_last_total_of_a_file_is_unfinished(tmp_path):
    daily = ["Id,ActivityDay,StepTotal", "7,3/10/2026,100", "7,3/11/2026,50"]
    folder = export(tmp_path, dailySteps=daily)
    (folder / "hourlySteps.csv").unlink()
    assert totals(read(folder)) == {"2026-03-10": 100, "2026-03-11": None}


def test_a_day_with_a_total_alone_never_outlives_one_with_minutes(tmp_path):
    daily = ["Id,ActivityDay,StepTotal", "7,3/9/2026,900", "7,3/10/2026,100", "7,3/11/2026,50"]
    alone, both, _ = read(export(tmp_path, dailySteps=daily), "Europe/London").days
    assert (alone.wear_method, alone.vendor_steps, alone.step_minute.tolist()) == (None, 900, [])
    assert alone.fetched_at == datetime(2026, 3, 9, tzinfo=UTC)  # its own start
    assert both.fetched_at == datetime(2026, 3, 12, tzinfo=UTC)  # how far the export reaches


def test_an_hour_that_differs_or_lacks_minutes_is_counted_and_kept(tmp_path):
    rows = wide_day("7", "3/10/2026", {"08:05": 100}, range(8, 10))
    rows[1] = rows[1].removesuffix(",0") + ","  # 09:59 is blank
    hourly = ["Id,ActivityHour,StepTotal", "7,3/10/2026 8:00:00 AM,90", "7,3/10/2026 9:00:00 AM,0"]
    hourly += ["7,3/10/2026 10:00:00 AM,0"]
    folder = write(tmp_path, minuteStepsWide=[WIDE_HEADER, *rows], hourlySteps=hourly)
    reading = read(folder)
    found = reading.reconciliation
    assert (found.hours_comparable, found.hours_equal, found.hours_without_minutes) == (1, 0, 2)
    assert steps_of(reading) == {("F7", "2026-03-10"): {485: 100}}
    assert (found.days_full, reading.first_full_day) == (0, {})


def test_a_repeated_hour_is_not_compared(tmp_path):
    rows = wide_day("7", "10/25/2026", {"01:10": 20}, range(2))
    rows += wide_day("7", "10/25/2026", {"01:10": 8}, range(1, 2))
    hourly = ["Id,ActivityHour,StepTotal", "7,10/25/2026 12:00:00 AM,0"]
    hourly += ["7,10/25/2026 1:00:00 AM,28"]
    folder = write(tmp_path, minuteStepsWide=[WIDE_HEADER, *rows], hourlySteps=hourly)
    found = read(folder, "Europe/London").reconciliation
    assert (found.hours_comparable, found.hours_equal, found.hours_repeated) == (1, 1, 1)


def test_fetch_gives_the_bytes_as_they_are(tmp_path):
    folder = write(tmp_path, minuteStepsNarrow_gz=[NARROW_HEADER, "7,3/10/2026 1:00:00 AM,4"])
    write(tmp_path, minuteIntensitiesNarrow=["Id,ActivityMinute,Intensity"], notes=["hello"])
    (folder / "readme.txt").write_text("not a table")
    [reply] = SOURCE.fetch(folder, ask())
    assert reply.body == (folder / "minuteStepsNarrow.csv.gz").read_bytes()
    assert (reply.request, reply.data_type) == ("minuteStepsNarrow.csv.gz", "minute_steps")
    assert reply.fetched_at == ask().now
    assert understood(folder) == [folder / "minuteStepsNarrow.csv.gz"]
