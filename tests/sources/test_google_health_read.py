"""Google Health bodies, typed by hand, as days of minutes."""

import json
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.google import NOW, ask, beats, point, reply, settings, steps, total

from ingestion.errors import BadReply
from ingestion.source import runs_of
from ingestion.sources.google_health import SOURCE


def read(*replies, **asked):
    return SOURCE.read(replies, ask(**asked))


def only_day(*replies, **asked):
    (day,) = read(*replies, **asked).days
    return day


def test_a_minute_lies_at_its_elapsed_minutes_from_local_midnight():
    day = only_day(settings(), steps(point("2026-03-26T06:14:00Z", "97")))
    assert (day.participant_id, day.source, day.era) == ("P001", "google_health", "google_health")
    assert (day.activity_date, day.timezone) == (date(2026, 3, 26), "Asia/Jerusalem")
    assert day.day_start_at == datetime(2026, 3, 25, 22, tzinfo=UTC)
    assert day.day_minutes == 1440
    assert day.step_minute.tolist() == [494]  # 08:14 in Jerusalem
    assert day.step_count.tolist() == [97]
    assert day.fetched_at == NOW


def test_a_worn_minute_without_steps_is_wear_and_no_step_minute():
    day = only_day(
        settings(),
        steps(
            point("2026-03-26T06:14:00Z", "97"),
            point("2026-03-26T06:15:00Z"),
            point("2026-03-26T06:17:00Z", "0"),
        ),
    )
    assert day.step_minute.tolist() == [494]
    assert (day.wear_start.tolist(), day.wear_length.tolist()) == ([494, 497], [2, 1])
    assert day.wear_method == "explicit_zero"


def test_heart_rate_minutes_go_before_explicit_zeros():
    day = only_day(
        settings(),
        steps(point("2026-03-26T06:14:00Z", "97")),
        beats("2026-03-26T06:20:00Z", "2026-03-26T06:21:00Z"),
    )
    assert (day.wear_start.tolist(), day.wear_length.tolist()) == ([500], [2])
    assert day.wear_method == "heart_rate"


def test_a_day_without_a_heart_beat_falls_back_to_explicit_zeros():
    worn, other = read(
        settings(),
        steps(point("2026-03-26T06:14:00Z", "97"), point("2026-03-27T06:14:00Z", "9", "10800s")),
        beats("2026-03-26T06:20:00Z"),
    ).days
    assert (worn.wear_method, other.wear_method) == ("heart_rate", "explicit_zero")


def test_a_day_with_only_a_total_has_no_minutes_and_no_wear_method():
    day = only_day(settings(), total("2026-03-26", "6312"))
    assert day.vendor_steps == 6312
    assert day.wear_method is None
    assert not day.step_minute.size
    assert not day.wear_start.size


@pytest.mark.parametrize(("told", "steps_"), [("6312", 6312), (6312, 6312), (None, 0)])
def test_a_total_is_a_string_or_a_number_and_zero_when_left_out(told, steps_):
    assert only_day(settings(), total("2026-03-26", told)).vendor_steps == steps_


def test_a_day_of_which_nothing_is_known_has_no_row():
    assert [day.activity_date.day for day in read(settings(), total("2026-03-26", "1")).days] == [
        26
    ]


@pytest.mark.parametrize(
    ("zone", "day", "minutes"),
    [
        ("Asia/Jerusalem", "2026-03-27", 1380),
        ("Asia/Jerusalem", "2026-10-25", 1500),
        ("Europe/London", "2026-03-29", 1380),
        ("Europe/London", "2026-10-25", 1500),
        ("Australia/Lord_Howe", "2026-04-05", 1470),
        ("Asia/Jerusalem", "2026-03-26", 1440),
    ],
)
def test_a_day_is_as_long_as_the_clocks_make_it(zone, day, minutes):
    found = only_day(settings(zone), total(day, "1"), last_on="2026-12-31")
    assert found.day_minutes == minutes


def test_minutes_after_the_clocks_change_are_counted_in_elapsed_time():
    # Jerusalem, 27 March 2026: 02:00 +02:00 becomes 03:00 +03:00. 23:59 is minute 1379.
    day = only_day(
        settings(),
        steps(
            point("2026-03-26T23:59:00Z", "5", "7200s"),  # 01:59
            point("2026-03-27T00:00:00Z", "6", "10800s"),  # 03:00
            point("2026-03-27T20:59:00Z", "7", "10800s"),  # 23:59
        ),
    )
    assert day.activity_date == date(2026, 3, 27)
    assert day.step_minute.tolist() == [119, 120, 1379]


def test_a_travellers_day_is_that_of_the_offset_of_each_point():
    # Home is Jerusalem (+2). In New York (-5) at 22:30 it is 05:30 of the next day at home.
    first, second = read(
        settings(),
        steps(
            point("2026-03-11T03:30:00Z", "11", "-18000s"),
            point("2026-03-11T05:10:00Z", "4", "-18000s"),
        ),
        last_on="2026-03-12",
    ).days
    assert (first.activity_date, second.activity_date) == (date(2026, 3, 10), date(2026, 3, 11))
    assert first.step_count.tolist() == [11]
    assert second.step_count.tolist() == [4]


def test_a_minute_before_the_zones_midnight_moves_midnight_and_is_not_lost():
    # In Tokyo (+9), 00:30 on the 11th is 15:30 UTC of the 10th, before midnight in Jerusalem.
    day = only_day(settings(), steps(point("2026-03-10T15:30:00Z", "8", "32400s")))
    assert day.activity_date == date(2026, 3, 11)
    assert day.day_start_at == datetime(2026, 3, 10, 15, tzinfo=UTC)
    assert day.step_minute.tolist() == [30]


def test_over_the_date_line_a_day_that_is_lived_twice_is_one_day():
    # Auckland (+13) at 23:00 on the 10th; then Honolulu (-10), where it is the 10th again.
    day, next_day = read(
        settings("Pacific/Auckland"),
        steps(
            point("2026-03-10T10:00:00Z", "1", "46800s"),
            point("2026-03-10T11:30:00Z", "2", "46800s"),  # 00:30 on the 11th
            point("2026-03-10T20:00:00Z", "3", "-36000s"),  # 10:00 on the 10th
        ),
    ).days
    assert (day.activity_date, day.step_count.tolist()) == (date(2026, 3, 10), [1, 3])
    assert (next_day.activity_date, next_day.step_count.tolist()) == (date(2026, 3, 11), [2])


def test_heart_beats_take_the_offset_of_the_steps_before_them():
    day = only_day(
        settings(),
        steps(point("2026-03-11T03:30:00Z", "11", "-18000s")),
        beats("2026-03-11T03:31:00Z"),  # in Jerusalem already the 11th
    )
    assert day.activity_date == date(2026, 3, 10)
    assert day.wear_length.tolist() == [1]


def test_a_point_of_several_minutes_is_spread_with_the_rest_on_the_first():
    day = only_day(
        settings(), steps(point("2026-03-26T06:00:00Z", "17", end="2026-03-26T06:05:00Z"))
    )
    assert day.step_minute.tolist() == [480, 481, 482, 483, 484]
    assert day.step_count.tolist() == [4, 4, 3, 3, 3]


def test_a_point_over_midnight_stays_on_the_day_it_began():
    # The window's filter goes by the civil start: the next day's window will not bring it again.
    day = only_day(
        settings(), steps(point("2026-03-26T21:58:00Z", "10", end="2026-03-26T22:03:00Z"))
    )
    assert day.step_minute.tolist() == [1438, 1439]
    assert day.step_count.tolist() == [5, 5]


def test_the_same_point_on_two_pages_counts_once():
    one, two = (steps(point("2026-03-26T06:14:00Z", "97"), other) for other in (
        point("2026-03-26T06:15:00Z", "3"), point("2026-03-26T06:16:00Z", "4")))  # fmt: skip
    reading = read(settings(), one, two)
    assert reading.days[0].step_count.tolist() == [97, 3, 4]
    count = reading.counts["steps"]
    assert (count.received, count.landed, count.rejections) == (4, 3, {"duplicate": 1})


def test_the_newest_reply_wins_a_minute_and_a_total():
    old, new = NOW - timedelta(hours=1), NOW
    replies = [
        steps(point("2026-03-26T06:14:00Z", "97"), at=old),
        steps(point("2026-03-26T06:14:00Z", "90"), at=new),
        total("2026-03-26", "97", at=old),
        total("2026-03-26", "90", at=new),
    ]
    for told in (replies, replies[::-1]):
        day = only_day(settings(), *told)
        assert (day.step_count.tolist(), day.vendor_steps) == ([90], 90)


def test_a_newer_reply_wins_even_when_it_is_coarser():
    old = steps(point("2026-03-26T06:14:00Z", "97"), at=NOW - timedelta(hours=1))
    new = steps(point("2026-03-26T06:14:00Z", "100", end="2026-03-26T06:16:00Z"))
    assert only_day(settings(), old, new).step_count.tolist() == [50, 50]


def test_of_two_claims_in_one_fetch_the_finer_wins():
    coarse = point("2026-03-26T06:14:00Z", "300", end="2026-03-26T06:16:00Z")
    fine = point("2026-03-26T06:14:00Z", "97", end="2026-03-26T06:15:00Z")
    for points in ((coarse, fine), (fine, coarse)):
        assert only_day(settings(), steps(*points)).step_count.tolist() == [97, 150]


@given(st.permutations(range(5)))
def test_the_order_of_replies_does_not_matter(order):
    replies = [
        settings(),
        steps(point("2026-03-26T06:14:00Z", "97"), point("2026-03-26T06:14:00Z", "91")),
        steps(point("2026-03-26T06:14:00Z", "93"), point("2026-03-26T06:15:00Z", "2")),
        total("2026-03-26", "99"),
        beats("2026-03-26T06:14:00Z"),
    ]
    day = only_day(*(replies[i] for i in order))
    assert day.step_count.tolist() == [97, 2]
    assert day.raw_sha256 == tuple(sorted(r.sha256 for r in replies[1:]))


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (point("2026-03-26T06:14:00Z", "-3"), "negative_count"),
        (point("2026-03-26T06:14:00Z", "NaN"), "not_a_number"),
        (point("2026-03-26T06:14:00Z", "many"), "not_a_number"),
        (point("yesterday", "3"), "no_time"),
        (point("2026-02-30T06:14:00Z", "3"), "no_time"),
        (point("0001-01-01T00:00:00Z", "3", None), "no_time"),
        (point("0001-01-01T00:00:00+14:00", "3"), "no_time"),
        (point("9999-12-31T23:59:59Z", "3", None), "no_time"),
        (point("2026-03-26T06:14:00Z", 10**400), "not_a_number"),
        ({"steps": {}}, "no_time"),
        ({"distance": {"millimeters": "71230"}}, "no_value"),
        (point("2026-02-27T06:14:00Z", "3"), "outside_window"),
        (point("2026-04-21T06:14:00Z", "3", "10800s"), "outside_window"),
        (point("2026-03-26T06:14:00Z", "70000"), "not_of_minutes"),
        (point("2026-03-26T06:14:00Z", "9", end="2026-03-28T06:14:00Z"), "not_of_minutes"),
    ],
)
def test_a_point_that_cannot_be_used_is_counted_with_its_reason(bad, reason):
    good = point("2026-03-26T06:20:00Z", "5")
    pages = steps(good, bad)
    reading = read(settings(), pages)
    count = reading.counts["steps"]
    assert (count.received, count.landed, count.rejections) == (2, 1, {reason: 1})
    assert [day.step_count.tolist() for day in reading.days] == [[5]]


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (total("2026-03-26", "-3"), "negative_count"),
        (total("2026-03-26", "NaN"), "not_a_number"),
        (total("2026-04-21", "3"), "outside_window"),
        (reply("daily-steps", {"rollupDataPoints": [{"steps": {"countSum": "3"}}]}), "no_time"),
        (total(f"{2**40}-01-01", "3"), "no_time"),
        (total("2026-03-26", 10**400), "not_a_number"),
    ],
)
def test_a_total_that_cannot_be_used_is_counted_with_its_reason(bad, reason):
    reading = read(settings(), bad)
    count = reading.counts["daily-steps"]
    assert (count.received, count.landed, count.rejections) == (1, 0, {reason: 1})
    assert reading.days == []


@pytest.mark.parametrize("average", [None, "NaN", 0])
def test_a_minute_without_a_heart_rate_is_not_worn(average):
    reading = read(settings(), beats("2026-03-26T06:20:00Z", average=average))
    count = reading.counts["heart-rate"]
    assert (count.received, count.landed, count.rejections) == (1, 0, {"no_value": 1})
    assert reading.days == []


@pytest.mark.parametrize("start", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
def test_a_heart_rate_at_the_end_of_time_is_refused(start):
    count = read(settings("America/New_York"), beats(start)).counts["heart-rate"]
    assert (count.received, count.landed, count.rejections) == (1, 0, {"no_time": 1})


def test_a_heart_rate_minute_received_twice_counts_once():
    count = read(settings(), beats("2026-03-26T06:20:00Z", "2026-03-26T06:20:00Z")).counts[
        "heart-rate"
    ]
    assert (count.received, count.landed, count.rejections) == (2, 1, {"duplicate": 1})


def test_unknown_fields_and_plain_numbers_and_offset_stamps_are_read():
    drifted = {
        "steps": {
            "interval": {"startTime": "2026-03-26T08:14:00.250+02:00", "startUtcOffset": "7200s"},
            "count": 97,
            "confidence": "SPLENDID",
        },
        "quality": {"score": 3},
    }
    assert only_day(settings(), steps(drifted)).step_minute.tolist() == [494]


@pytest.mark.parametrize("offset", [None, "", "noon", "64801s"])  # no zone is beyond 18 hours
def test_a_point_without_a_usable_offset_takes_the_zone(offset):
    day = only_day(settings(), steps(point("2026-03-27T20:59:00Z", "7", offset)))
    assert (day.activity_date, day.step_minute.tolist()) == (date(2026, 3, 27), [1379])


@pytest.mark.parametrize(
    ("zone", "roster", "start_hour"),
    [
        ("Europe/London", "Asia/Jerusalem", 0),  # the vendor's word goes first
        ("Mars/Olympus", "Asia/Jerusalem", -2),
        ("", "Asia/Jerusalem", -2),
        ("", None, -2),  # the offset in the settings
    ],
)
def test_the_zone_is_the_vendors_else_the_rosters(zone, roster, start_hour):
    day = only_day(settings(zone), total("2026-03-10", "1"), timezone=roster)
    assert day.day_start_at == datetime(2026, 3, 10, tzinfo=UTC) + timedelta(hours=start_hour)


def test_what_was_not_asked_has_no_count():
    assert set(read(settings()).counts) == {"settings"}


def test_a_refused_heart_rate_has_a_count_of_nothing():
    refused = reply("heart-rate", b"not shared", status=403)
    reading = read(settings(), steps(point("2026-03-26T06:14:00Z", "1")), refused)
    assert reading.counts["heart-rate"].received == 0
    assert reading.days[0].wear_method == "explicit_zero"


@pytest.mark.parametrize("body", [b'{"dataPoints": [', b"<html>", b"[]", b'{"dataPoints": 3}'])
def test_a_body_that_is_something_else_is_a_bad_reply(body):
    with pytest.raises(BadReply, match="points"):
        read(settings(), reply("steps", body))


@given(
    st.lists(
        st.tuples(st.integers(0, 2879), st.integers(0, 250)), unique_by=lambda p: p[0], max_size=60
    )
)
def test_no_step_is_lost_or_made_whatever_the_minutes(minutes):
    begins = datetime(2026, 3, 25, 22, tzinfo=UTC)  # midnight of the 26th in Jerusalem
    stamps = [(begins + timedelta(minutes=m)).strftime("%Y-%m-%dT%H:%M:00Z") for m, _ in minutes]
    points = [point(s, str(n), "7200s") for s, (_, n) in zip(stamps, minutes, strict=True)]
    days = read(settings("Etc/GMT-2"), steps(*points)).days
    assert sum(int(day.step_count.sum()) for day in days) == sum(n for _, n in minutes)
    worn = sorted(m for m, _ in minutes)
    found = [
        (day.activity_date.day - 26) * 1440 + int(start) + i
        for day in days
        for start, length in zip(day.wear_start, day.wear_length, strict=True)
        for i in range(length)
    ]
    assert found == worn
    assert len(runs_of(worn)[0]) <= sum(day.wear_start.size for day in days)


def test_a_page_as_the_vendor_writes_it():
    body = json.loads(
        '{"dataPoints":[{"steps":{"interval":{"startTime":"2026-03-26T06:14:00Z",'
        '"startUtcOffset":"7200s","endTime":"2026-03-26T06:15:00Z","endUtcOffset":"7200s",'
        '"civilStartTime":{"date":{"year":2026,"month":3,"day":26},"time":{"hours":8,"minutes":14}},'
        '"civilEndTime":{"date":{"year":2026,"month":3,"day":26},"time":{"hours":8,"minutes":15}}},'
        '"count":"97"}}],"nextPageToken":"emu-p2"}'
    )
    day = only_day(settings(), reply("steps", body))
    assert (day.step_minute.tolist(), day.step_count.tolist()) == ([494], [97])
