"""Clock faces and elapsed minutes on days of 1,380, 1,440 and 1,500 minutes (domain.md 3.1)."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion.local_days import DAY, EPOCH, instant_of, local_day
from ingestion.sources._google_days import NOTHING, Worn, placed

ZONES = sorted(available_timezones() - {"localtime", "posixrules", "Factory"})
DAYS = st.dates(date(2016, 1, 1), date(2030, 12, 31))
MINUTE, LONGEST = timedelta(minutes=1), 3000


def changes(zone: str) -> list[date]:
    """The dates from 2016 to 2030 on which a zone's clocks change, found by asking every day."""
    noons = [datetime(2016, 1, 1, 12, tzinfo=ZoneInfo(zone)) + timedelta(days=n)
             for n in range(5479)]  # fmt: skip
    return [b.date() for a, b in pairwise(noons) if a.utcoffset() != b.utcoffset()]


def number(day: str) -> int:
    return (date.fromisoformat(day) - EPOCH).days


@pytest.mark.parametrize(
    ("day", "zone", "minutes"),
    [
        ("2026-03-27", "Asia/Jerusalem", 1380),
        ("2026-10-25", "Asia/Jerusalem", 1500),
        ("2026-03-29", "Europe/London", 1380),
        ("2026-10-25", "Europe/London", 1500),
        ("2026-03-08", "America/New_York", 1380),
        ("2026-11-01", "America/New_York", 1500),
        ("2026-06-01", "Europe/London", 1440),
        ("2026-03-29", None, 1440),
    ],
)
def test_the_length_of_a_day(day, zone, minutes):
    assert local_day(number(day), zone).minutes == minutes


def test_a_day_starts_at_its_own_midnight():
    assert local_day(number("2026-06-01"), "Asia/Jerusalem").start_at == datetime(
        2026, 5, 31, 21, tzinfo=UTC
    )
    assert local_day(number("2026-06-01"), None).start_at == datetime(2026, 6, 1, tzinfo=UTC)


def test_a_plain_day_is_its_clock_face():
    day = local_day(number("2026-06-01"), "Europe/London")
    assert day.elapsed.tolist() == [list(range(1440))] * 2
    assert not day.skipped.any()
    assert not day.repeated.any()


def test_the_skipped_hour_lies_in_the_hour_after_it():
    day = local_day(number("2026-03-29"), "Europe/London")  # 01:00 becomes 02:00
    assert day.elapsed[0, [59, 60, 119, 120, 1439]].tolist() == [59, 60, 119, 60, 1379]
    assert [int(day.skipped.argmax()), int(day.skipped.sum())] == [60, 60]
    assert not day.repeated.any()


def test_the_repeated_hour_passes_twice():
    day = local_day(number("2026-10-25"), "Europe/London")  # 02:00 becomes 01:00
    assert day.elapsed[0, [59, 60, 119, 120, 1439]].tolist() == [59, 60, 119, 180, 1499]
    assert day.elapsed[1, [59, 60, 119, 120, 1439]].tolist() == [59, 120, 179, 180, 1499]
    assert [int(day.repeated.argmax()), int(day.repeated.sum())] == [60, 60]
    assert not day.skipped.any()


def test_a_clock_minute_is_an_instant():
    noon = number("2026-10-25") * DAY + 12 * 60
    assert instant_of(noon, "Europe/London") == datetime(2026, 10, 25, 12, tzinfo=UTC)
    assert instant_of(noon, "Asia/Jerusalem") == datetime(2026, 10, 25, 10, tzinfo=UTC)
    assert instant_of(noon, None) == datetime(2026, 10, 25, 12, tzinfo=UTC)


@given(st.sampled_from(ZONES), st.data())
def test_in_every_zone_a_day_holds_each_of_its_minutes_once(zone, data):
    on = data.draw(st.sampled_from(changes(zone)) | DAYS if changes(zone) else DAYS)
    day, after = local_day(number(str(on)), zone), local_day(number(str(on)) + 1, zone)
    assert day.start_at + day.minutes * MINUTE == after.start_at
    assert 1380 <= day.minutes <= 1500
    for minute in [0, day.minutes - 1, *data.draw(st.lists(st.integers(0, day.minutes - 1)))]:
        clock = (day.start_at + minute * MINUTE).astimezone(ZoneInfo(zone))
        assert clock.date() == on
        assert day.elapsed[clock.fold, clock.hour * 60 + clock.minute] == minute


def lived(legs: list[tuple[int, str]], minutes: int) -> Worn:
    """Each minute from 1 March 2026, 00:00 UTC, with the offset and date of where one then was."""
    begins = datetime(2026, 3, 1, tzinfo=UTC)
    offset = np.zeros(minutes, np.int64)
    for start, zone in legs:
        for n in range(start, minutes, 15):
            told = (begins + n * MINUTE).astimezone(ZoneInfo(zone)).utcoffset()
            offset[n : n + 15] = told // timedelta(seconds=1)
    minute = int(begins.timestamp()) // 60 + np.arange(minutes)
    day = (minute * 60 + offset) // 86_400
    return Worn(minute, day, offset, np.ones(minutes, np.int64), np.zeros(minutes, np.int64))


@given(
    st.sampled_from(ZONES),
    st.lists(st.tuples(st.integers(0, 800), st.sampled_from(ZONES)), max_size=4),
    st.lists(st.booleans(), min_size=1, max_size=7),
)
def test_whoever_travels_no_minute_is_lost_and_none_is_twice(home, stops, pattern):
    """Worn by turns of an hour and a quarter, on up to four journeys in eight days."""
    legs = [(0, home), *sorted((15 * start, zone) for start, zone in stops)]
    all_minutes = lived(legs, 8 * DAY)
    worn = np.resize(np.repeat(pattern, 75), all_minutes.minute.size)
    kept = Worn(*(getattr(all_minutes, name)[worn] for name in Worn.__dataclass_fields__))
    found, previous = [], 0
    for day, part in sorted(kept.by_day().items()):
        its = placed(day, [ZoneInfo(home)], (part, NOTHING))
        start = int(its.start_at.timestamp()) // 60
        assert its.minutes[0].max() < its.day_minutes <= LONGEST
        assert (np.diff(its.minutes[0].astype(int)) > 0).all()
        found += (start + its.minutes[0].astype(int)).tolist()
        previous += part.minute.size
    assert sorted(found) == kept.minute.tolist()
    assert previous == len(set(found))


def test_a_day_is_the_homes_where_the_clock_goes_by_home_and_its_own_where_not():
    """By hand: from Jerusalem (+2) to Kolkata (+5:30) at 10:00 UTC on 10 March 2026."""
    legs = [(0, "Asia/Jerusalem"), (9 * DAY + 600, "Asia/Kolkata")]
    days = lived(legs, 14 * DAY).by_day()
    home = [ZoneInfo("Europe/London"), ZoneInfo("Asia/Jerusalem")]
    told = {
        str(EPOCH + timedelta(days=day)): (its.start_at, its.day_minutes, its.zone)
        for day, part in days.items()
        for its in [placed(day, home, (part,))]
    }
    assert told["2026-03-09"] == (datetime(2026, 3, 8, 22, tzinfo=UTC), 1440, home[1])
    assert told["2026-03-10"] == (datetime(2026, 3, 9, 22, tzinfo=UTC), 1230, None)
    assert told["2026-03-11"] == (datetime(2026, 3, 10, 18, 30, tzinfo=UTC), 1440, None)
