"""Journeys as google_health reads them: days, minutes and beats where the clock is not home's."""

from datetime import UTC, datetime

from support.google import ask, beats, point, settings, steps

from ingestion.source import ActivityDay, Reading, Reply
from ingestion.sources.google_health import SOURCE


def read(*replies: Reply, **asked: str) -> Reading:
    return SOURCE.read(list(replies), ask(**asked))


def only_day(*replies: Reply, **asked: str) -> ActivityDay:
    (day,) = read(*replies, **asked).days
    return day


def worn_on(*replies, **asked) -> list[tuple[str, int]]:
    """Days with minutes of heart rate, and how many."""
    days = read(*replies, **asked).days
    return [
        (str(d.activity_date), int(d.wear_length.sum()))
        for d in days
        if d.wear_method == "heart_rate"
    ]


def test_a_heart_beat_is_where_the_nearest_step_was():
    here, there = point("2026-03-10T12:00:00Z", "1"), point("2026-03-11T03:30:00Z", "1", "-18000s")
    night = beats("2026-03-10T22:30:00Z", "2026-03-11T03:20:00Z")
    assert worn_on(settings(), steps(here, there), night) == [("2026-03-10", 2)]  # -5 h is nearer
    assert worn_on(settings(), steps(here), night) == [("2026-03-11", 2)]  # home, where it is 00:30
    late = point("2026-03-10T21:00:00Z", "1")  # nearer to 22:30 than the one at -5 h
    found = worn_on(settings(), steps(late, there), night)
    assert found == [("2026-03-10", 1), ("2026-03-11", 1)]


def test_the_heart_beats_of_a_step_at_home_know_of_summer_time():
    """Clocks go forward in Jerusalem at 00:00 UTC on 27 March 2026: 21:30 UTC is then 00:30."""
    found = worn_on(settings(), steps(point("2026-03-26T12:00:00Z", "1")),
                    beats("2026-03-27T20:30:00Z", "2026-03-27T21:30:00Z"))  # fmt: skip
    assert found == [("2026-03-27", 1), ("2026-03-28", 1)]


def test_where_each_worn_minute_has_its_steps_a_heart_beat_without_is_of_another_date():
    """In Auckland (+13) from 10:00 UTC on the 10th: of its 11th, not asked for, no steps came."""
    home = [f"2026-03-10T09:{minute:02d}:00Z" for minute in range(50, 60)]
    away = ["2026-03-10T12:00:00Z", "2026-03-10T12:01:00Z"]
    reading = read(
        settings(), steps(*(point(start, "0") for start in home)), beats(*home, *away),
        first_on="2026-03-10", last_on="2026-03-10",
    )  # fmt: skip
    (day,) = reading.days
    assert day.wear_length.tolist() == [10]
    count = reading.counts["heart-rate"]
    assert (count.received, count.landed, count.rejections) == (12, 10, {"no_step_minute": 2})


def test_an_offset_that_no_zone_has_is_none():
    """-12 to +14 hours are zones; with +15 a date would last longer than any does."""
    day = only_day(settings(), steps(point("2026-03-10T06:00:00Z", "7", "54000s")))
    assert (day.timezone, day.day_minutes, day.step_minute.tolist()) == (
        "Asia/Jerusalem", 1440, [480]
    )  # fmt: skip


def test_on_a_journey_a_day_is_as_long_as_it_was_and_names_no_zone():
    """East from Jerusalem (+2) to Kolkata (+5:30) during the 10th; the vendor still says home."""
    flown, there = read(
        settings(),
        steps(
            point("2026-03-10T06:00:00Z", "1"),
            point("2026-03-10T18:00:00Z", "2", "19800s"),
            point("2026-03-10T18:45:00Z", "3", "19800s"),  # 00:15 on the 11th
        ),
    ).days
    assert (flown.day_start_at, flown.day_minutes) == (datetime(2026, 3, 9, 22, tzinfo=UTC), 1230)
    assert (flown.timezone, flown.step_minute.tolist()) == (None, [480, 1200])
    assert (there.day_start_at, there.day_minutes) == (
        datetime(2026, 3, 10, 18, 30, tzinfo=UTC), 1440
    )  # fmt: skip
    assert there.step_minute.tolist() == [15]


def test_a_vendor_whose_zone_travels_along_does_not_move_the_days_at_home():
    """The settings say Kolkata; the roster's home is London, and the day has its spring change."""
    home = point("2026-03-29T12:00:00Z", "5", "3600s")
    day = only_day(settings("Asia/Kolkata"), steps(home), timezone="Europe/London")
    assert (day.timezone, day.day_minutes) == ("Europe/London", 1380)
    assert day.day_start_at == datetime(2026, 3, 29, tzinfo=UTC)


def test_a_heart_beat_between_two_step_points_is_wear_unless_they_lie_far_apart():
    """Of a device with a step point to nearly every worn minute: ten minutes without are few."""
    near = [f"2026-03-10T09:{minute:02d}:00Z" for minute in (*range(10), 19, *range(31, 40))]
    pulse = [
        f"2026-03-10T09:{minute:02d}:00Z" for minute in (*range(10), 15, 19, 25, *range(31, 40))
    ]
    reading = read(
        settings(), steps(*(point(start, "0") for start in near)), beats(*pulse),
        first_on="2026-03-10", last_on="2026-03-10",
    )  # fmt: skip
    (day,) = reading.days
    assert day.wear_length.sum() == 21  # 09:15 lies between 09:09 and 09:19; 09:25 is 12 apart
    assert reading.counts["heart-rate"].rejections == {"no_step_minute": 1}
