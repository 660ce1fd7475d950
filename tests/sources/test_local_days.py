"""Clock faces and elapsed minutes on days of 1,380, 1,440 and 1,500 minutes (domain.md 3.1)."""

from datetime import UTC, date, datetime

import pytest

from ingestion.local_days import DAY, EPOCH, instant_of, local_day


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
