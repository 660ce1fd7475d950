"""Mutated files of Takeout and Health Connect: rows that add up, or one clear refusal."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.takeout import STEPS_HEADER, ask, csv, heart_json, steps_json

from ingestion.errors import BadInput
from ingestion.landing import days_table
from ingestion.source import Reply
from ingestion.sources import health_connect, takeout

GOOD = {
    "steps-2026-03-01.json": steps_json(("03/29/26 02:14:00", "97"), ("10/25/26 02:15:00", 5)),
    "heart_rate-2026-03-26.json": heart_json(("03/26/26 08:14:05", 104, 3)),
    "steps_2026-03-01.csv": csv(STEPS_HEADER, "2026-03-26T06:14:00Z,97,Inspire 3"),
    "heart_rate_2026-03-01.csv": csv(
        "timestamp,beats per minute,data source", "2026-03-26T06:14:00Z,64,Inspire 3"
    ),
}
TABLE = (
    "id,start,start_offset,end,count,origin,modified\n"
    "a,2026-03-26T06:14:00Z,+02:00,2026-03-26T06:17:00Z,100,x,1774509240000\n"
    ",1774505700000,7200,1774505760000,12,android,\n"
)
PIECES = st.sampled_from(
    [b"", b",", b'"', b"\n", b"-", b"1e9", b"NaN", b"null", b"[]", b"{", b"99", b"\x00", b"\xff",
     b"9" * 30, b"0001", "٣".encode(), b"true", b"+14:00", b"Infinity"]
)  # fmt: skip
CUTS = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 12), PIECES), min_size=1, max_size=4)


def mutated(body: bytes, cuts) -> bytes:
    for at, length, piece in cuts:
        place = int(at * len(body))
        body = body[:place] + piece + body[place + length :]
    return body


def check(source, name, body):
    asked = ask("Europe/Berlin")
    reply = Reply(source.name, "P-014", "", f"P-014/1/{name}", asked.now, 200, "", body)
    try:
        reading = source.read([reply], asked)
    except BadInput:
        return
    assert days_table(reading.days).num_rows == len(reading.days)
    for count in reading.counts.values():
        assert count.received == count.landed + count.rejected
        assert count.landed >= 0
    for day in reading.days:
        assert (day.step_minute < day.day_minutes).all()
        assert (day.step_count > 0).all()


@pytest.mark.parametrize("name", GOOD)
@given(cuts=CUTS)
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_mutated_takeout(name, cuts):
    check(takeout.SOURCE, name, mutated(GOOD[name].encode(), cuts))


@given(cuts=CUTS)
@settings(deadline=None)
def test_mutated_health_connect(cuts):
    check(health_connect.SOURCE, "steps-1.csv", mutated(TABLE.encode(), cuts))
