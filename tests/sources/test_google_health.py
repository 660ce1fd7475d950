"""Google Health over real HTTP: against the simulator, and against typed pages."""

import json
from datetime import UTC, date, datetime, timedelta
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import pytest
from support.google import HASTE, ask, simulated
from support.scripted import Says, scripted

from ingestion.errors import BadReply, ConsentLost
from ingestion.http import VendorClient, open_http
from ingestion.source import Source, last_sync, source_named
from ingestion.sources.google_health import SOURCE


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with simulated(tmp_path_factory.mktemp("world"), participants=16, weeks=3) as found:
        for one in people(found):
            found.consent(one.participant_id)
        found.served.set_clock(found.served.now() + timedelta(days=24))
        yield found


def people(world):
    everybody = world.served.simulator.world.participants
    return [p for p in everybody if p.connects and p.consent_revoked_at is None]


def fetched(world, one, days=14, **asked):
    client = world.grants.client(world.grants.find(one.participant_id, "google_health"))
    now = world.served.now()
    today = now.astimezone(ZoneInfo(one.timezone)).date()
    wanted = ask(
        f"{today - timedelta(days=days)}", f"{today}", now=now, participant_id=one.participant_id,
        timezone=one.timezone, **asked,
    )  # fmt: skip
    return list(SOURCE.fetch(client, wanted)), client, wanted


def shown(world, one):
    """What the vendor knows at its clock, by the simulator's own account: the truth it serves."""
    simulator = world.served.simulator
    return simulator.world.activity(one).view(simulator.now()), simulator.world.grid


def holds_something(day):
    return day.vendor_steps is not None or day.step_minute.size > 0 or day.wear_start.size > 0


def test_it_is_a_source():
    assert isinstance(SOURCE, Source)
    assert source_named("google_health") is SOURCE


def test_each_day_is_what_the_vendor_knows_to_the_step(world):
    compared = 0
    for one in people(world):
        replies, _, wanted = fetched(world, one)
        reading = SOURCE.read(replies, wanted)
        view, grid = shown(world, one)
        for day in filter(holds_something, reading.days):
            number = grid.day_number(day.activity_date)
            first, last = (min(int(view.zone.first[n]), view.minutes) for n in (number, number + 1))
            steps, worn = view.steps[first:last], view.worn[first:last]
            assert day.step_minute.tolist() == steps.nonzero()[0].tolist()
            assert day.step_count.tolist() == steps[steps > 0].tolist()
            assert int(day.wear_length.sum()) == int(worn.sum())
            assert day.vendor_steps == int(view.totals[number])
            if worn.any():
                expected = "heart_rate" if one.measures_heart_rate else "explicit_zero"
                assert day.wear_method == expected
            compared += 1
        found = {day.activity_date for day in filter(holds_something, reading.days)}
        known = [grid.date_of(n) for n, total in enumerate(view.totals) if total >= 0]
        assert found == {day for day in known if day in set(wanted.window.days)}
    assert compared > 100


def test_received_is_landed_plus_rejected_and_everything_asked_is_counted(world):
    one = next(p for p in people(world) if p.measures_heart_rate)
    replies, _, wanted = fetched(world, one)
    counts = SOURCE.read(replies, wanted).counts
    assert set(counts) == {"settings", "paired-devices", "steps", "daily-steps", "heart-rate"}
    for count in counts.values():
        assert count.received == count.landed + count.rejected
        assert count.received > 0
        assert count.rejected == 0


def test_heart_rate_is_not_asked_of_a_device_without(world):
    one = next(p for p in people(world) if not p.measures_heart_rate)
    replies, _, _ = fetched(world, one)
    assert {r.data_type for r in replies} == {"settings", "paired-devices", "steps", "daily-steps"}


def test_a_quiet_pull_is_one_request(world):
    one = people(world)[0]
    replies, _, wanted = fetched(world, one)
    newest = last_sync(SOURCE.read(replies, wanted))
    again, client, wanted = fetched(world, one, synced_before=newest)
    assert [reply.data_type for reply in again] == ["paired-devices"]
    assert client.requests == 1
    reading = SOURCE.read(again, wanted)
    assert reading.days == []
    assert last_sync(reading) == newest


def test_another_sync_than_the_one_landed_asks_for_the_window(world):
    replies, _, _ = fetched(world, people(world)[0], synced_before=datetime(2026, 1, 1, tzinfo=UTC))
    assert "steps" in {reply.data_type for reply in replies}


def test_raw_replies_of_account_and_devices_hold_no_identity(world):
    one = people(world)[0]
    replies, _, _ = fetched(world, one)
    kept = b"".join(r.body for r in replies if r.data_type in ("settings", "paired-devices"))
    for private in (one.health_id, one.device_id, "AABBCC", "macAddress", "languageLocale"):
        assert private.encode() not in kept
    told = next(reply for reply in replies if reply.data_type == "settings")
    assert set(json.loads(told.body)) == {"timeZone", "utcOffset"}


def test_a_reply_says_what_was_asked_and_holds_no_token(world):
    one = people(world)[0]
    replies, _, wanted = fetched(world, one)
    token = world.grants.find(one.participant_id, "google_health").token.access_token
    steps = next(reply for reply in replies if reply.data_type == "steps")
    assert steps.request.startswith("GET /v4/users/me/dataTypes/steps/dataPoints:reconcile?filter=")
    assert (steps.participant_id, steps.window) == (one.participant_id, wanted.window)
    assert (steps.fetched_at, steps.status) == (wanted.now, 200)
    assert all(token not in reply.request for reply in replies)
    total = next(reply for reply in replies if reply.data_type == "daily-steps")
    assert total.request.startswith("POST /v4/users/me/dataTypes/steps/dataPoints:dailyRollUp {")


@pytest.mark.parametrize("fault", ["429", "500", "502_html", "503", "truncated", "empty", "reset"])
def test_passing_faults_change_nothing(world, fault):
    one = people(world)[0]
    plain, _, _ = fetched(world, one)
    args = {"retry_after": "none"} if fault == "429" else {}
    world.arm(fault, "/dataPoints", times=2, **args)
    spoilt, client, _ = fetched(world, one)
    assert client.requests == len(plain) + 2
    assert [(r.request, r.body) for r in spoilt] == [(r.request, r.body) for r in plain]


def test_a_heart_rate_that_is_not_shared_is_a_gap_and_not_a_failure(world):
    one = next(p for p in people(world) if p.measures_heart_rate)
    world.arm("scope_missing", "/heart-rate/")
    replies, _, wanted = fetched(world, one)
    refused = replies[-1]
    assert (refused.data_type, refused.status) == ("heart-rate", 403)
    reading = SOURCE.read(replies, wanted)
    assert reading.counts["heart-rate"].received == 0
    assert {day.wear_method for day in reading.days} <= {"explicit_zero", None}


def test_lost_consent_is_raised(world):
    world.arm("revoked", "/pairedDevices")
    with pytest.raises(ConsentLost):
        fetched(world, people(world)[0])


# Typed pages

SETTINGS = Says(body=b'{"timeZone":"Asia/Jerusalem"}')
DEVICES = Says(body=b'{"pairedDevices":[{"features":["HEART_RATE"]}]}')
EMPTY = Says(body=b"{}")


def page(*starts, token=""):
    interval = {"startUtcOffset": "7200s"}
    points = [{"steps": {"interval": {**interval, "startTime": s}, "count": "1"}} for s in starts]
    body = {"dataPoints": points} if points else {}
    return Says(body=json.dumps({**body, **({"nextPageToken": token} if token else {})}).encode())


def fetch(*says, **asked):
    with scripted(DEVICES, SETTINGS, *says) as script, open_http() as http:
        client = VendorClient(http, "google_health", script.url, "t", patience=HASTE)
        return list(SOURCE.fetch(client, ask(**asked))), script.asked


def test_the_filter_is_by_civil_time_and_the_days_after_the_last_are_left_out():
    _, asked = fetch(EMPTY, EMPTY, EMPTY, first_on="2026-03-26", last_on="2026-03-27")
    params = {k: v[0] for k, v in parse_qs(urlsplit(asked[2].path).query).items()}
    assert params == {
        "filter": 'steps.interval.civil_start_time >= "2026-03-26T00:00:00" AND '
        'steps.interval.civil_start_time < "2026-03-28T00:00:00"',
        "dataSourceFamily": "users/me/dataSourceFamilies/google-wearables",
        "pageSize": "10000",
    }
    assert json.loads(asked[3].body)["range"] == {
        "start": {"date": {"year": 2026, "month": 3, "day": 26}},
        "end": {"date": {"year": 2026, "month": 3, "day": 28}},
    }
    # Midnight of the 26th (+2) to midnight of the 28th (+3): 47 hours.
    assert json.loads(asked[4].body) == {
        "range": {"startTime": "2026-03-25T22:00:00Z", "endTime": "2026-03-27T21:00:00Z"},
        "windowSize": "60s",
        "pageSize": 10000,
        "dataSourceFamily": "users/me/dataSourceFamilies/google-wearables",
    }


def test_an_empty_page_with_a_token_is_followed():
    pages = (page(token="a"), page("2026-03-26T06:14:00Z", token="b"), page("2026-03-26T06:15:00Z"))
    replies, asked = fetch(*pages, EMPTY, EMPTY)
    steps = [reply for reply in replies if reply.data_type == "steps"]
    assert len(steps) == 3
    assert "pageToken=b" in asked[4].path
    days = filter(holds_something, SOURCE.read(replies, ask()).days)
    assert [day.step_minute.tolist() for day in days] == [[494, 495]]


CUT = Says(body=b'{"pairedDevices":[{"name":"users/A Name","macAddress":"AABB')


@pytest.mark.parametrize("says", [(CUT,), (DEVICES, CUT)], ids=["devices", "settings"])
def test_a_broken_reply_that_may_name_somebody_is_not_handed_on(says):
    with scripted(*says) as script, open_http() as http:
        client = VendorClient(http, "google_health", script.url, "t", patience=HASTE)
        with pytest.raises(BadReply) as caught:
            list(SOURCE.fetch(client, ask()))
    assert caught.value.body == b""
    assert "Name" not in str(caught.value)


def test_a_broken_page_of_steps_is_handed_on_to_be_kept():
    with pytest.raises(BadReply) as caught:
        fetch(Says(body=b'{"dataPoints":[{"st'))
    assert caught.value.body == b'{"dataPoints":[{"st'


def test_points_at_the_ends_of_time_do_not_break_the_fetch():
    ends = page("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2026-03-26T06:14:00Z")
    replies, _ = fetch(ends, EMPTY, EMPTY, first_on="2026-03-26", last_on="2026-03-26")
    count = SOURCE.read(replies, ask()).counts["steps"]
    assert (count.received, count.landed, count.rejections) == (3, 1, {"no_time": 2})


@pytest.mark.parametrize("told", ["0001-01-01T00:00:00+14:00", "0001-01-02T00:00:00Z",
                                  "2026-04-22T06:00:00Z", "9999-12-31T23:59:59-12:00"])  # fmt: skip
def test_a_sync_that_cannot_be_true_is_not_stated(told):
    body = {"pairedDevices": [{"name": "1", "features": [], "lastSyncTime": told}]}
    listed = Says(body=json.dumps(body).encode())
    with scripted(listed, SETTINGS, EMPTY) as script, open_http() as http:
        client = VendorClient(http, "google_health", script.url, "t", patience=HASTE)
        replies = list(SOURCE.fetch(client, ask()))
    assert [device.last_sync_at for device in SOURCE.read(replies, ask()).devices] == [None]
    assert "steps" in {reply.data_type for reply in replies}  # as for a device that says nothing


@pytest.mark.parametrize("told", [("a", "a"), ("a", "b", "a")])
def test_pages_that_go_in_a_circle_are_a_bad_reply(told):
    # The page after the circle would be the last: only the repeated token can stop the fetch.
    with pytest.raises(BadReply, match="do not end"):
        fetch(*(page(token=token) for token in told), EMPTY)


def test_pages_without_end_are_a_bad_reply(monkeypatch):
    monkeypatch.setattr("ingestion.sources._google_asks.MOST_PAGES", 3)
    with pytest.raises(BadReply, match="do not end"):
        fetch(*(page(token=token) for token in "abcdef"))


def test_roll_ups_are_paged_by_body():
    more = Says(body=b'{"nextPageToken":"x"}')
    _, asked = fetch(EMPTY, more, EMPTY, EMPTY)
    assert json.loads(asked[4].body) == {**json.loads(asked[3].body), "pageToken": "x"}


def test_long_windows_are_cut_to_what_one_roll_up_may_span():
    _, asked = fetch(EMPTY, first_on="2026-01-01", last_on="2026-04-10")
    ranges = [json.loads(request.body)["range"] for request in asked[3:]]
    totals = [(span["start"]["date"], span["end"]["date"]) for span in ranges[:2]]
    assert [(date(**a) - date(**b)).days for b, a in totals] == [90, 10]
    beats = [
        datetime.fromisoformat(span["endTime"]) - datetime.fromisoformat(span["startTime"])
        for span in ranges[2:]
    ]
    assert max(beats) == timedelta(days=14)
    assert sum(beats, timedelta()) == timedelta(days=100) - timedelta(
        hours=1
    )  # clocks went forward
    ends = [span["endTime"] for span in ranges[2:]]
    assert [span["startTime"] for span in ranges[3:]] == ends[:-1]


def test_heart_rate_is_not_asked_of_the_future():
    now = datetime(2026, 3, 26, 12, 34, 56, tzinfo=UTC)
    _, asked = fetch(EMPTY, first_on="2026-03-26", last_on="2026-03-26", now=now)
    assert json.loads(asked[4].body)["range"]["endTime"] == "2026-03-26T12:34:56Z"


def test_heart_rate_is_asked_for_where_a_traveller_was():
    # 18:00 on the 26th in New York is 01:00 on the 27th in Jerusalem: outside home's 26th.
    abroad = page("2026-03-26T22:59:00Z")
    _, asked = fetch(abroad, EMPTY, EMPTY, first_on="2026-03-26", last_on="2026-03-26")
    assert json.loads(asked[4].body)["range"]["endTime"] == "2026-03-26T23:00:00Z"
    bogus = page("1999-03-26T22:59:00Z", "2031-03-26T22:59:00Z")
    _, asked = fetch(bogus, EMPTY, EMPTY, first_on="2026-03-26", last_on="2026-03-26")
    assert json.loads(asked[4].body)["range"] == {
        "startTime": "2026-03-24T20:00:00Z",
        "endTime": "2026-03-28T00:00:00Z",
    }


def test_without_a_stated_sync_the_window_is_always_asked_for():
    replies, _ = fetch(EMPTY, EMPTY, EMPTY, synced_before=datetime(2026, 3, 1, tzinfo=UTC))
    assert "steps" in {reply.data_type for reply in replies}
