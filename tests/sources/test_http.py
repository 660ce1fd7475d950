"""What each reply, and each silence, of a vendor becomes."""

import json
import logging
from datetime import UTC, datetime

import httpx
import pytest
from support.scripted import Says, scripted

from ingestion import clock
from ingestion.errors import (
    BadReply,
    ConsentLost,
    Misconfigured,
    NotLinked,
    RateLimited,
    Retired,
    ScopeMissing,
    VendorDown,
)
from ingestion.http import Patience, VendorClient, open_http

SLEPT: list[float] = []


@pytest.fixture(autouse=True)
def _nobody_sleeps():
    SLEPT.clear()


def client(url, *, tries=4, refresh=None, http=None, token="first"):
    patience = Patience(tries=tries, sleep=SLEPT.append)
    return VendorClient(http or open_http(), "google_health", url, token, refresh, patience)


def google(code, status="", reason="", **more):
    details = [{"@type": "x", "reason": reason, **more}] if reason or more else []
    return json.dumps({"error": {"code": code, "status": status, "details": details}}).encode()


def legacy(kind):
    return json.dumps({"errors": [{"errorType": kind, "message": "m"}]}).encode()


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, google(400, "INVALID_ARGUMENT", "INVALID_DATA_POINT_FILTER"), Misconfigured),
        (400, google(400, "INVALID_ARGUMENT", "INVALID_TIME_RANGE"), Misconfigured),
        (400, google(400, "INVALID_ARGUMENT", "ACCOUNT_NOT_LINKED"), NotLinked),
        (400, google(400, "FAILED_PRECONDITION", "ACCOUNT_NOT_LINKED"), NotLinked),
        (400, b'{"error":"invalid_grant"}', ConsentLost),
        (400, b"<html>", Misconfigured),
        (401, google(401, "UNAUTHENTICATED"), ConsentLost),
        (401, legacy("invalid_token"), ConsentLost),
        (401, legacy("invalid_client"), Misconfigured),
        (401, b'{"error":"invalid_client"}', Misconfigured),
        (401, b"<html>sign in</html>", BadReply),
        (401, b'{"errors":[]}', BadReply),
        (401, b"", BadReply),
        (403, google(403, "PERMISSION_DENIED", "MISSING_OAUTH_SCOPE"), ScopeMissing),
        (403, google(403, "PERMISSION_DENIED", "DISALLOWED_OAUTH_SCOPES"), ScopeMissing),
        (403, google(403, "PERMISSION_DENIED", "ACCESS_TOKEN_SCOPE_INSUFFICIENT"), ScopeMissing),
        (403, legacy("insufficient_scope"), ScopeMissing),
        (403, google(403, "PERMISSION_DENIED", "DATA_ACCESS_DENIED"), ConsentLost),
        (403, google(403, "PERMISSION_DENIED", "RESOURCE_PERMISSION_DENIED"), ConsentLost),
        (403, google(403, "PERMISSION_DENIED", "SERVICE_DISABLED"), Misconfigured),
        (403, google(403, "PERMISSION_DENIED", "API_PRIVATE_PREVIEW_ACCESS_DENIED"), Misconfigured),
        (403, google(403, "PERMISSION_DENIED", "SOMETHING_NEW"), Misconfigured),
        (403, google(403, "PERMISSION_DENIED", "RATE_LIMIT_EXCEEDED"), RateLimited),
        (403, b"<html>blocked</html>", BadReply),
        (404, google(404, "NOT_FOUND", "RESOURCE_NOT_FOUND"), Misconfigured),
        (410, google(410), Retired),
        (410, b"<html>Gone</html>", Retired),
        (410, b"", Retired),
        (429, google(429, "RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED"), RateLimited),
        (429, b"", RateLimited),
        (408, b"", VendorDown),
        (500, google(500, "INTERNAL", "INTERNAL_ERROR"), VendorDown),
        (502, b"<html>Bad Gateway</html>", VendorDown),
        (503, google(503, "UNAVAILABLE"), VendorDown),
        (200, b"", BadReply),
        (200, b"<html>Down for maintenance</html>", BadReply),
        (200, b'{"dataPoints":[{"steps"', BadReply),
        (200, b'{"a":1}{', BadReply),
        (204, b"", BadReply),
        (302, b"", BadReply),
    ],
)
def test_each_reply_is_its_error(status, body, kind):
    answer = httpx.MockTransport(lambda request: httpx.Response(status, content=body))
    with open_http(answer) as http, pytest.raises(kind) as caught:
        client("https://vendor.example", tries=1, http=http).get("/v4/users/me/settings")
    assert type(caught.value) is kind
    assert "google_health: GET /v4/users/me/settings" in str(caught.value)


def test_a_page_that_is_no_reply_keeps_the_wait_it_asks_for_apart_from_its_body():
    headers = {"Retry-After": "120"}
    page = httpx.MockTransport(lambda _: httpx.Response(403, content=b"<html>", headers=headers))
    with open_http(page) as http, pytest.raises(BadReply) as caught:
        client("https://vendor.example", http=http).get("/v4/x")
    assert (caught.value.body, caught.value.retry_after) == (b"", 120)


@pytest.mark.parametrize("told", ["\u00b2", "Mon, 01 Jan 99999999999 00:00:00 GMT"])
def test_an_odd_wait_is_no_wait(told):
    headers = {"Retry-After": told.encode("latin-1")}
    busy = httpx.MockTransport(lambda _: httpx.Response(429, headers=list(headers.items())))
    with open_http(busy) as http, pytest.raises(RateLimited) as caught:
        client("https://vendor.example", tries=1, http=http).get("/v4/x")
    assert caught.value.retry_after is None


def test_a_reason_in_the_detailed_reasons_counts_too():
    body = google(403, "PERMISSION_DENIED", metadata={"detailedReasons": "X,MISSING_OAUTH_SCOPE"})
    answer = httpx.MockTransport(lambda request: httpx.Response(403, content=body))
    with open_http(answer) as http, pytest.raises(ScopeMissing):
        client("https://vendor.example", http=http).get("/v4/users/me/settings")


@pytest.mark.parametrize(
    "body", [b"3", b'"no"', b"[1]", b'{"error":3}', b'{"error":{"details":3}}']
)
def test_an_odd_error_body_is_no_trouble(body):
    answer = httpx.MockTransport(lambda request: httpx.Response(404, content=body))
    with open_http(answer) as http, pytest.raises(Misconfigured):
        client("https://vendor.example", http=http).get("/")


def test_messages_do_not_repeat_the_vendors_words():
    body = b'{"error":{"code":403,"message":"Access token expired: s3cret","status":"X"}}'
    answer = httpx.MockTransport(lambda request: httpx.Response(403, content=body))
    with open_http(answer) as http, pytest.raises(Misconfigured) as caught:
        client("https://vendor.example", http=http).get("/")
    assert "s3cret" not in str(caught.value)


def test_what_passes_is_tried_again_and_counted():
    with scripted(Says(503), Says(429), Says(body=b"<html>"), Says(body=b'{"a":1}')) as script:
        ours = client(script.url)
        assert ours.get("/v4/x").content == b'{"a":1}'
    assert ours.requests == 4
    assert len(SLEPT) == 3
    assert all(0 <= wait <= most for wait, most in zip(SLEPT, (1, 2, 4), strict=True))


def test_the_wait_between_tries_is_drawn_from_all_of_its_range():
    patience = Patience(sleep=SLEPT.append, tries=2)

    def fail():
        raise VendorDown("down")

    for _ in range(200):
        with pytest.raises(VendorDown):
            patience.persist(fail)
    assert min(SLEPT) < 0.2
    assert max(SLEPT) > 0.8
    assert max(SLEPT) <= 1


def test_patience_ends_with_the_vendors_last_word():
    with scripted(Says(503)) as script, pytest.raises(VendorDown):
        client(script.url, tries=3).get("/v4/x")
    assert len(script.asked) == 3


@pytest.mark.parametrize("broken", ["short", "reset"])
def test_a_broken_connection_is_tried_again(broken):
    with scripted(Says(body=b'{"a":1}', broken=broken), Says(body=b'{"a":2}')) as script:
        assert client(script.url).get("/v4/x").content == b'{"a":2}'


def test_a_reply_shorter_than_it_said_is_a_bad_reply():
    with scripted(Says(body=b'{"a":1}', broken="short")) as script, pytest.raises(BadReply):
        client(script.url, tries=1).get("/v4/x")


def test_a_vendor_that_says_nothing_is_down():
    quick = httpx.Client(timeout=0.2)
    with scripted(Says(broken="silent")) as script, quick, pytest.raises(VendorDown):
        client(script.url, tries=1, http=quick).get("/v4/x")


def test_nobody_listening_is_down_and_no_url_is_misconfigured():
    with pytest.raises(VendorDown, match="got no answer"):
        client("http://127.0.0.1:9", tries=1).get("/v4/x")
    for url in ("vendor.example", "ftp://vendor.example"):
        with pytest.raises(Misconfigured, match="URL"):
            client(url).get("/v4/x")


def test_every_request_has_a_time_limit():
    with open_http() as http:
        assert None not in http.timeout.as_dict().values()


@pytest.mark.parametrize(
    ("headers", "waits"),
    [
        ({"Retry-After": "7"}, [7.0]),
        (
            {
                "Date": "Wed, 01 Apr 2026 06:00:00 GMT",
                "Retry-After": "Wed, 01 Apr 2026 06:00:09 GMT",
            },
            [9.0],
        ),
    ],
)
def test_a_wait_that_is_asked_for_is_kept(headers, waits):
    replies = iter([httpx.Response(429, headers=headers), httpx.Response(200, content=b"{}")])
    with open_http(httpx.MockTransport(lambda request: next(replies))) as http:
        client("https://vendor.example", http=http).get("/v4/x")
    assert waits == SLEPT


@pytest.mark.parametrize("told", ["soon", "", "-5", "0", "Wed, 01 Apr 2020 06:00:00 GMT"])
def test_a_wait_that_cannot_be_read_is_ours_to_choose(told):
    replies = iter(
        [httpx.Response(429, headers={"Retry-After": told}), httpx.Response(200, content=b"{}")]
    )
    with open_http(httpx.MockTransport(lambda request: next(replies))) as http:
        client("https://vendor.example", http=http).get("/v4/x")
    assert 0 <= SLEPT[0] <= 1


@pytest.mark.parametrize("told", ["9" * 400, "9999999", "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_nobody_means_more_than_a_day(told):
    answer = httpx.MockTransport(lambda r: httpx.Response(429, headers={"Retry-After": told}))
    with open_http(answer) as http, pytest.raises(RateLimited) as caught:
        client("https://vendor.example", http=http).get("/v4/x")
    assert caught.value.retry_after == 86_400
    assert SLEPT == []


def test_each_request_waits_for_its_turn():
    with scripted(Says(503), Says()) as script:
        ours, turns = client(script.url), []
        ours.pace = lambda: turns.append(len(script.asked))
        ours.get("/v4/x")
    assert turns == [0, 1]  # a retry waits too


def test_a_wait_beyond_a_minute_is_left_to_the_schedule():
    answer = httpx.MockTransport(lambda r: httpx.Response(429, headers={"Retry-After": "1800"}))
    with open_http(answer) as http, pytest.raises(RateLimited) as caught:
        client("https://vendor.example", http=http).get("/v4/x")
    assert caught.value.retry_after == 1800
    assert SLEPT == []


def test_an_expired_token_is_refreshed_once_and_the_request_sent_again():
    replies = (Says(401, google(401, "UNAUTHENTICATED")), Says(body=b'{"a":1}'))
    with scripted(*replies) as script:
        ours = client(script.url, refresh=lambda: "second")
        assert ours.get("/v4/x").content == b'{"a":1}'
    bearers = [asked.headers["Authorization"] for asked in script.asked]
    assert bearers == ["Bearer first", "Bearer second"]


def test_a_fresh_token_that_is_refused_ends_it():
    made = iter(["second", "third"])
    with scripted(Says(401, google(401, "UNAUTHENTICATED"))) as script, pytest.raises(ConsentLost):
        client(script.url, refresh=lambda: next(made)).get("/v4/x")
    assert len(script.asked) == 2


def test_a_401_without_a_reason_is_tried_again_but_refreshed_only_once():
    made = []
    page = Says(401, b"<html>sign in</html>")
    with scripted(page) as script, pytest.raises(BadReply):
        client(script.url, refresh=lambda: made.append(1) or "second").get("/v4/x")
    assert (len(script.asked), len(made)) == (5, 1)


def test_a_token_that_expires_later_is_refreshed_again():
    spent = Says(401, google(401, "UNAUTHENTICATED"))
    made = iter(["second", "third"])
    with scripted(spent, Says(), spent, Says()) as script:
        ours = client(script.url, refresh=lambda: next(made))
        ours.get("/v4/x")
        ours.get("/v4/x")
    assert script.asked[-1].headers["Authorization"] == "Bearer third"


def test_a_redirect_is_not_followed_with_the_token():
    elsewhere = Says(302, headers={"Location": "/elsewhere"})
    with scripted(elsewhere) as script, pytest.raises(BadReply):
        client(script.url, tries=1).get("/v4/x")
    assert len(script.asked) == 1


def test_post_sends_json_or_a_form_and_no_token_when_there_is_none():
    with scripted(Says()) as script:
        ours = client(script.url, token=None)
        ours.post("/v4/x", json={"a": 1})
        ours.post("/api/", form={"content": "record"})
    assert json.loads(script.asked[0].body) == {"a": 1}
    assert script.asked[1].form == {"content": "record"}
    assert all("Authorization" not in asked.headers for asked in script.asked)


def test_the_http_library_does_not_log_addresses():
    assert logging.getLogger("httpx").getEffectiveLevel() >= logging.WARNING


def test_the_clock_is_the_systems_or_the_one_named():
    before = datetime.now(UTC)
    assert before <= clock.now({}) <= datetime.now(UTC)
    with scripted(Says(body=b'{"now": "2026-02-02T08:00:00+02:00"}')) as script:
        told = clock.now({"STEPWELL_CLOCK_URL": script.url})
    assert told == datetime(2026, 2, 2, 6, tzinfo=UTC)


@pytest.mark.parametrize(
    ("says", "kind"),
    [
        (Says(500), Misconfigured),
        (Says(body=b"<html>"), Misconfigured),
        (Says(body=b'{"now": "2026-02-02T08:00:00"}'), Misconfigured),
        (Says(broken="reset"), Misconfigured),
    ],
)
def test_a_clock_that_tells_no_time_is_said(says, kind):
    with scripted(says) as script, pytest.raises(kind, match="STEPWELL_CLOCK_URL"):
        clock.now({"STEPWELL_CLOCK_URL": script.url})


def test_a_clock_that_does_not_answer_is_down():
    with pytest.raises(VendorDown, match="STEPWELL_CLOCK_URL"):
        clock.now({"STEPWELL_CLOCK_URL": "http://127.0.0.1:9"})
