"""The `fitbit` package's faults, each over real HTTP, and what they become."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from support.scripted import Says, scripted

from ingestion.errors import (
    BadReply,
    ConsentLost,
    Misconfigured,
    RateLimited,
    Retired,
    ScopeMissing,
    SourceError,
    VendorDown,
)
from ingestion.http import Patience
from ingestion.sources._legacy import LegacyClient

TOKEN = "eyJ.token-of-P001"
NOW = datetime(2026, 3, 26, 10, 40, 0, tzinfo=UTC)
GOOD = Says(body=b'[{"id":"1"}]', headers={"Content-Type": "application/json"})


@pytest.fixture(autouse=True)
def _plain_http(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")


def client_of(
    url: str, waits: list[float], refresh: Callable[[], str] = lambda: pytest.fail("refreshed"),
    **more: Any,
) -> LegacyClient:  # fmt: skip
    patience = Patience(sleep=waits.append)
    return LegacyClient(TOKEN, refresh, endpoint=url, now=lambda: NOW, patience=patience, **more)


def error(*errors: str) -> bytes:
    listed = ",".join(f'{{"errorType":"{kind}","message":"{kind}: {TOKEN}."}}' for kind in errors)
    return f'{{"errors":[{listed}],"success":false}}'.encode()


def devices(client: LegacyClient) -> bytes:
    return client.ask(lambda api: api.get_devices()).body


def test_the_reply_is_the_bytes_that_came_with_status_headers_and_path() -> None:
    says = Says(body=b'[ {"id" : "1"}\n]', headers={"Fitbit-Rate-Limit-Remaining": "149"})
    with scripted(says) as server:
        client = client_of(server.url, [])
        answer = client.ask(lambda api: api.get_devices())
    assert answer.body == b'[ {"id" : "1"}\n]'
    assert answer.status == 200
    assert answer.request == "GET /1/user/-/devices.json"
    assert answer.headers["Fitbit-Rate-Limit-Remaining"] == "149"
    assert client.requests == 1


def test_it_asks_with_the_token_and_in_metric_units() -> None:
    with scripted(GOOD) as server:
        devices(client_of(server.url, []))
    headers = server.asked[0].headers
    assert headers["Authorization"] == f"Bearer {TOKEN}"
    assert "Accept-Language" not in headers  # en_US would mean miles


@pytest.mark.parametrize(
    ("says", "expected", "requests"),
    [
        pytest.param(Says(410, error("gone")), Retired, 1, id="410 json"),
        pytest.param(Says(410, b"<html>Gone</html>"), Retired, 1, id="410 html"),
        pytest.param(Says(410, b""), Retired, 1, id="410 empty"),
        pytest.param(Says(400, error("validation")), Misconfigured, 1, id="400"),
        pytest.param(Says(404, error("not_found")), Misconfigured, 1, id="404"),
        pytest.param(Says(409, error("conflict")), Misconfigured, 1, id="409"),
        pytest.param(Says(403, error("insufficient_scope")), ScopeMissing, 1, id="403"),
        pytest.param(Says(401, error("invalid_token")), ConsentLost, 1, id="401 invalid_token"),
        pytest.param(Says(401, error("invalid_client")), Misconfigured, 1, id="401 client"),
        pytest.param(Says(401, b"<html>"), BadReply, 4, id="401 html"),
        pytest.param(Says(401, error()), BadReply, 4, id="401 without errors"),
        pytest.param(Says(401, b"[]"), BadReply, 4, id="401 list"),
        pytest.param(Says(500, error("system")), VendorDown, 4, id="500"),
        pytest.param(Says(502, b"<html>Bad gateway</html>"), VendorDown, 4, id="502 html"),
        pytest.param(Says(503, b""), VendorDown, 4, id="503 empty"),
        pytest.param(Says(200, b'[{"id":"1"'), BadReply, 4, id="truncated json"),
        pytest.param(Says(200, b"<html>Sign in</html>"), BadReply, 4, id="200 html"),
        pytest.param(Says(200, b""), BadReply, 4, id="200 empty"),
        pytest.param(Says(204, b""), BadReply, 4, id="204"),
        pytest.param(Says(202, b"{}"), BadReply, 4, id="202"),
        pytest.param(Says(200, b"\xff\xfe"), BadReply, 4, id="not utf-8"),
        pytest.param(Says(200, b"[]", broken="short"), VendorDown, 4, id="short body"),
        pytest.param(Says(broken="reset"), VendorDown, 4, id="reset"),
    ],
)
def test_each_fault_becomes_its_error(
    says: Says, expected: type[SourceError], requests: int
) -> None:
    with scripted(says) as server:
        client = client_of(server.url, [])
        with pytest.raises(SourceError) as caught:
            devices(client)
    assert type(caught.value) is expected
    assert client.requests == requests == len(server.asked)
    assert TOKEN not in f"{caught.value}{caught.value.__cause__}"
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_a_server_that_says_nothing_in_time_is_down() -> None:
    with scripted(Says(broken="silent")) as server:
        client = client_of(server.url, [], timeout_seconds=0.05)
        with pytest.raises(VendorDown):
            devices(client)
    assert client.requests == 4


def test_a_refused_connection_is_down() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    client = client_of(f"http://127.0.0.1:{port}", [])
    with pytest.raises(VendorDown):
        devices(client)
    assert client.requests == 4


def test_it_recovers_when_the_vendor_does() -> None:
    waits: list[float] = []
    with scripted(Says(502, b""), Says(200, b"{"), GOOD) as server:
        assert devices(client_of(server.url, waits)) == GOOD.body
    assert len(waits) == 2


def test_a_redirect_is_not_followed_with_the_token() -> None:
    with scripted(GOOD) as other:
        away = Says(302, b"", {"Location": f"{other.url}/1/user/-/devices.json"})
        with scripted(away) as server, pytest.raises(BadReply):
            devices(client_of(server.url, []))
    assert other.asked == []


def test_a_wait_of_seconds_is_waited() -> None:
    waits: list[float] = []
    with scripted(Says(429, error("system"), {"Retry-After": "12"}), GOOD) as server:
        assert devices(client_of(server.url, waits)) == GOOD.body
    assert waits == [12.0]


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        pytest.param({"Retry-After": "1800"}, 1800, id="a number"),
        pytest.param(
            {"Retry-After": "Thu, 26 Mar 2026 11:00:00 GMT",
             "Date": "Thu, 26 Mar 2026 10:40:00 GMT"}, 1200, id="a date",
        ),
        pytest.param({"Fitbit-Rate-Limit-Reset": "900"}, 900, id="only the reset"),
        pytest.param({}, 1200, id="nothing: the top of the hour"),
    ],
)  # fmt: skip
def test_a_long_wait_is_left_to_the_scheduler(headers: dict[str, str], seconds: float) -> None:
    waits: list[float] = []
    with scripted(Says(429, error("system"), headers)) as server:
        client = client_of(server.url, waits)
        with pytest.raises(RateLimited) as caught:
            devices(client)
    assert caught.value.retry_after == seconds
    assert waits == []
    assert client.requests == 1


def test_an_expired_token_is_renewed_once_and_the_request_repeated() -> None:
    with scripted(Says(401, error("expired_token")), GOOD) as server:
        client = client_of(server.url, [], refresh=lambda: "fresh")
        assert devices(client) == GOOD.body
    sent = [asked.headers["Authorization"] for asked in server.asked]
    assert sent == [f"Bearer {TOKEN}", "Bearer fresh"]
    assert client.requests == 2
    assert {asked.method for asked in server.asked} == {"GET"}  # the package renewed nothing


def test_a_fresh_token_that_is_called_expired_causes_no_storm() -> None:
    renewed: list[str] = []

    def refresh() -> str:
        renewed.append("fresh")
        return "fresh"

    with scripted(Says(401, error("expired_token"))) as server, pytest.raises(VendorDown):
        devices(client_of(server.url, [], refresh=refresh))
    assert renewed == ["fresh"]


def test_what_the_refresh_raises_is_what_is_raised() -> None:
    def refresh() -> str:
        raise ConsentLost("fitbit: access was withdrawn")

    with scripted(Says(401, error("expired_token"))) as server, pytest.raises(ConsentLost):
        devices(client_of(server.url, [], refresh=refresh))


def test_silence_after_a_renewed_token_is_not_taken_for_the_401_before_it() -> None:
    with scripted(Says(401, error("expired_token")), Says(broken="reset")) as server:
        client = client_of(server.url, [], refresh=lambda: "fresh")
        with pytest.raises(VendorDown):
            devices(client)
    assert client.requests == 5  # the 401, and four tries that met silence


def test_plain_http_needs_to_be_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OAUTHLIB_INSECURE_TRANSPORT")
    with pytest.raises(Misconfigured, match="OAUTHLIB_INSECURE_TRANSPORT=1"):
        devices(client_of("http://127.0.0.1:1", []))


def test_a_mistake_of_ours_is_not_called_the_vendors() -> None:
    with pytest.raises(KeyError):
        client_of("http://127.0.0.1:1", []).ask(lambda api: {}["no such key"])


def test_the_packages_libraries_log_no_tokens() -> None:
    for name in ("requests_oauthlib", "requests_oauthlib.oauth2_session", "oauthlib.oauth2"):
        assert not logging.getLogger(name).isEnabledFor(logging.DEBUG)
