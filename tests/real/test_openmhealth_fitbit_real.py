"""Legacy Fitbit replies recorded by Open mHealth's Shimmer; values as one reads them in the files.

Of provenance: short replies, partly shortened by hand by their authors; daily values are strings,
intraday ones numbers.
"""

from datetime import UTC, date, datetime

from support.legacy import ask, reply
from support.shared import shared_data

from ingestion.source import Reading
from ingestion.sources.fitbit import SOURCE

ON = date(2015, 8, 21)
MIDNIGHT = datetime(2015, 8, 20, 23, tzinfo=UTC)  # in London, where the reader is told they lived


def body(name: str) -> bytes:
    return (shared_data("openmhealth_shimmer") / f"fitbit-activities-{name}.json").read_bytes()


def read(first: date, last: date, *replies) -> Reading:
    reading = SOURCE.read(replies, ask(first, last))
    for count in reading.counts.values():
        assert count.received == count.landed + count.rejected
    return reading


def test_minutes_of_steps_and_heart_rate_make_a_day():
    """7 steps at 00:00 and 52 at 14:28, a zero between; heart rate from 00:01 to 00:05; 3,212."""
    reading = read(
        ON, ON, reply("steps", body("steps-1d-1m-intraday"), ON),
        reply("heart", body("heart-1d-1m-intraday"), ON),
    )  # fmt: skip
    [day] = reading.days
    assert (day.activity_date, day.day_start_at, day.day_minutes) == (ON, MIDNIGHT, 1440)
    assert (day.step_minute.tolist(), day.step_count.tolist()) == ([0, 868], [7, 52])
    assert (day.wear_start.tolist(), day.wear_length.tolist()) == ([1], [5])
    assert (day.wear_method, day.vendor_steps) == ("heart_rate", 3212)
    assert reading.counts["steps"].received == 3
    assert reading.counts["heart"].received == 5


def test_a_series_of_totals_without_minutes_is_counted_and_lands_no_day():
    """175, 2,937 and 0 steps on 23 to 25 August: totals, of which no minutes came."""
    first, last = date(2015, 8, 23), date(2015, 8, 25)
    reading = read(first, last, reply("totals", body("steps-timeseries")))
    assert reading.days == []
    assert reading.counts["totals"].rejections == {"no_minutes_reply": 3}


def test_a_series_tells_the_total_of_a_day_whose_minutes_came():
    """2,937 on 24 August; the minutes are a body of that day with none."""
    on = date(2015, 8, 24)
    minutes = {"activities-steps": [{"dateTime": "2015-08-24", "value": "1"}],
               "activities-steps-intraday": {"dataset": []}}  # fmt: skip
    reading = read(
        on, on, reply("totals", body("steps-timeseries")), reply("steps", minutes, on),
        reply("heart", {}, on),
    )  # fmt: skip
    [day] = reading.days
    assert (day.vendor_steps, day.step_minute.size) == (2937, 0)
