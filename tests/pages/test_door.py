"""What the served dashboard answers to whom, over real HTTP: hosts, a proxy's word, headers."""

from __future__ import annotations

import asyncio
import base64
import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from starlette.responses import Response
from support import browser
from support.published import home_of, small_study

from dashboard.door import OTHER_NAME, Door
from dashboard.serve import command
from dashboard.signin import read_sign_in
from warehouse.register import Register
from warehouse.staff import add_staff
from warehouse.study import read_study

SECRET = "what the proxy says to us, at length"
PROXIED = {
    "STEPWELL_SIGN_IN": "proxy",
    "STEPWELL_DASHBOARD_URL": "https://stepwell.example.org",
    "STEPWELL_TRUSTED_PROXY": "127.0.0.1",
    "STEPWELL_PROXY_SECRET": SECRET,
}
FROM_PROXY = {"X-Stepwell-Proxy": SECRET, "X-Forwarded-User": "dana"}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("door")
    small_study(folder)
    with closing(Register(home_of(folder).register_url)) as register:
        study = read_study(folder / "study.toml")
        add_staff(register, study, "dana", "coordinator", [], "test", datetime.now(UTC))
    return folder


@pytest.fixture(scope="module")
def local(home: Path) -> Iterator[str]:
    with browser.serving(home) as served:
        yield served


@pytest.fixture(scope="module")
def proxied(home: Path) -> Iterator[str]:
    with browser.serving(home, **PROXIED) as served:
        yield served


def test_every_answer_keeps_the_page_to_this_server_and_out_of_frames(local):
    for path in ("/", "/healthz", "/_stcore/health", "/static/js/none.js"):
        headers = httpx.get(f"{local}{path}").headers
        assert "default-src 'self'" in headers["content-security-policy"], path
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "unsafe-eval" not in headers["content-security-policy"]
        assert "script-src 'self' 'sha256-" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["x-robots-tag"] == "noindex, nofollow"
        assert headers["referrer-policy"] == "same-origin"
        assert "strict-transport-security" not in headers  # no TLS on this machine


def test_health_says_that_the_server_lives_and_no_more(local):
    reply = httpx.get(f"{local}/healthz")
    assert (reply.status_code, reply.json()) == (200, {"status": "ok"})
    assert reply.headers["cache-control"] == "no-store"


def test_how_many_look_is_told_to_nobody(local):
    assert httpx.get(f"{local}/_stcore/metrics").status_code == 404


def test_a_file_made_for_a_page_is_kept_by_no_cache(local):
    assert httpx.get(f"{local}/media/none.csv").headers["cache-control"] == "no-store"


def test_the_first_page_is_packed(local):
    assert httpx.get(local).headers["content-encoding"] == "gzip"


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost@evil", ""])
def test_another_sites_name_is_not_answered(local, host):
    reply = httpx.get(local, headers={"Host": host})
    assert (reply.status_code, reply.text) == (400, OTHER_NAME)
    assert websocket(local, {"Host": host or "x"}) == 403


def test_two_names_at_once_are_not_answered(local):
    port = int(local.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port)) as raw:
        raw.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n")
        assert b" 400 " in raw.recv(200).partition(b"\r\n")[0]


@pytest.mark.parametrize("name", ["localhost", "LOCALHOST.", "127.0.0.1", "[::1]"])
def test_this_machines_names_are_answered(local, name):
    port = local.rpartition(":")[2]
    assert httpx.get(local, headers={"Host": f"{name}:{port}"}).status_code == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "http://localhost:1", "null"])
def test_another_sites_page_may_not_open_the_stream(local, origin):
    assert websocket(local, {"Origin": origin}) == 403
    assert websocket(local, {"Origin": local}) == 101


def test_behind_a_proxy_that_changes_the_host_the_page_may_still_open_the_stream(proxied):
    came_by = FROM_PROXY | {"Origin": PROXIED["STEPWELL_DASHBOARD_URL"]}
    assert websocket(proxied, came_by) == 101
    assert websocket(proxied, came_by | {"Origin": "https://evil.example"}) == 403


@pytest.mark.parametrize(
    ("host", "origin", "status"),
    [
        ("stepwell.example.org", "https://stepwell.example.org", 101),
        ("stepwell.example.org", "http://stepwell.example.org", 403),
        ("Stepwell.example.org.:80", "http://Stepwell.example.org.:80", 403),
        ("localhost:80", "http://localhost:80", 101),
    ],
)
def test_where_people_come_by_https_a_page_without_tls_may_not_open_the_stream(
    proxied, host, origin, status
):
    assert websocket(proxied, FROM_PROXY | {"Host": host, "Origin": origin}) == status


def test_nothing_outside_is_asked_by_a_server_on_every_address(home):
    """Streamlit would ask what this machine's address is: at its start, and of a strange origin."""
    with socket.create_server(("127.0.0.1", 0)) as outside:
        way_out = f"http://127.0.0.1:{outside.getsockname()[1]}"
        settings = {"http_proxy": way_out, "https_proxy": way_out, "no_proxy": "", "NO_PROXY": ""}
        settings["STEPWELL_ALLOW_NO_SIGN_IN"] = "1"
        with browser.serving(home, address="0.0.0.0", **settings) as served:
            assert websocket(served, {"Origin": "https://evil.example"}) == 403
        outside.settimeout(0.1)
        with pytest.raises(TimeoutError):
            outside.accept()


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Forwarded-User": "dana"},
        {"X-Forwarded-User": "dana", "X-Stepwell-Proxy": ""},
        {"X-Forwarded-User": "dana", "X-Stepwell-Proxy": SECRET[:-1]},
        {"X-Stepwell-Login": "dana"},
        {"X-Stepwell-Login": "dana", "X-Forwarded-For": "127.0.0.1"},
    ],
)
def test_what_does_not_come_from_the_proxy_is_answered_nothing(proxied, headers):
    for path in ("/", "/static/js/none.js", "/media/a.csv", "/connect/a"):
        reply = httpx.get(f"{proxied}{path}", headers=headers)
        assert (reply.status_code, reply.text) == (403, "Open the dashboard through its sign-in.")
    assert websocket(proxied, headers) == 403


def test_what_comes_from_the_proxy_is_answered(proxied):
    reply = httpx.get(proxied, headers=FROM_PROXY)
    assert reply.status_code == 200
    assert reply.headers["strict-transport-security"] == "max-age=31536000"
    assert websocket(proxied, FROM_PROXY) == 101


def test_cookies_travel_only_with_tls_where_people_come_by_https(proxied, local):
    headers = FROM_PROXY | {"Host": "stepwell.example.org"}
    cookies = httpx.get(f"{proxied}/_stcore/health", headers=headers).headers
    assert "; Secure" in cookies["set-cookie"]
    assert "; Secure" not in httpx.get(f"{local}/_stcore/health").headers["set-cookie"]


def test_health_needs_no_proxy(proxied):
    assert httpx.get(f"{proxied}/healthz").json() == {"status": "ok"}


def test_a_proxy_elsewhere_is_not_believed_even_with_the_secret():
    assert asked_from("10.9.9.9", FROM_PROXY) == (403, None)
    assert asked_from("10.0.0.7", FROM_PROXY) == (200, "dana")
    assert asked_from("::ffff:10.0.0.7", FROM_PROXY) == (200, "dana")


def test_an_address_that_a_header_claims_is_not_the_peers(home):
    """The server would rewrite the peer's address from a header; here no header may say it."""
    with browser.serving(home, **(PROXIED | {"STEPWELL_TRUSTED_PROXY": "10.0.0.7"})) as served:
        claimed = FROM_PROXY | {"X-Forwarded-For": "10.0.0.7", "Forwarded": "for=10.0.0.7"}
        assert httpx.get(served, headers=claimed).status_code == 403
        assert websocket(served, claimed) == 403


def test_a_login_told_twice_is_not_believed():
    """The browser's header and the proxy's, where the proxy adds its own and keeps the other."""
    twice = [*FROM_PROXY.items(), ("X-Forwarded-User", "admin")]
    assert asked_from("10.0.0.7", twice) == (403, None)


def test_our_own_name_for_the_login_is_the_doors_to_give():
    smuggled = FROM_PROXY | {"X-Stepwell-Login": "admin"}
    assert asked_from("10.0.0.7", smuggled) == (200, "dana")
    without = {k: v for k, v in smuggled.items() if k != "X-Forwarded-User"}
    assert asked_from("10.0.0.7", without) == (200, None)
    assert asked_from("10.0.0.7", smuggled, {"STEPWELL_SIGN_IN": "local"}) == (200, None)


@pytest.mark.parametrize("path", ["/media/abc.csv", "/_stcore/upload_file/a/b"])
def test_files_made_for_a_page_are_for_people_who_signed_in(path):
    oidc = {
        "STEPWELL_SIGN_IN": "oidc",
        "STEPWELL_OIDC_METADATA_URL": "https://id.example.org/.well-known/openid-configuration",
        "STEPWELL_OIDC_CLIENT_ID": "a",
        "STEPWELL_OIDC_CLIENT_SECRET": "b",
        "STEPWELL_COOKIE_SECRET": SECRET,
    }
    assert asked_from("10.0.0.7", {}, oidc, path)[0] == 403
    forged = {"Cookie": "_streamlit_user=eyJleHAiOjk5OTk5OTk5OTl9.x.y"}
    assert asked_from("10.0.0.7", forged, oidc, path)[0] == 403
    assert asked_from("10.0.0.7", {}, oidc, "/")[0] == 200
    nobody = {"X-Stepwell-Proxy": SECRET}  # as of a page that the proxy shows to everyone
    assert asked_from("10.0.0.7", nobody, path=path)[0] == 403
    assert asked_from("10.0.0.7", FROM_PROXY, path=path)[0] == 200


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"STEPWELL_SIGN_IN": "ldap"}, "'ldap'; it is one of local, oidc, proxy"),
        (
            {"STEPWELL_SIGN_IN": "oidc"},
            "STEPWELL_DASHBOARD_URL (in .env it is STEPWELL_UNBLINDED_URL",
        ),
        ({}, "without a sign-in it is served to this machine alone, not on 0.0.0.0"),
    ],
)
def test_a_server_that_would_let_everyone_in_does_not_start(home, settings, said):
    environ = {**os.environ, **settings}
    started = subprocess.run(
        command(browser.free_port(), home, "0.0.0.0"),
        env=environ, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert started.returncode == 1
    assert started.stderr.startswith("dashboard: ")
    assert said in started.stderr
    assert started.stderr.count("\n") == 1


def asked_from(
    peer: str,
    headers: dict[str, str] | list[tuple[str, str]],
    settings: dict[str, str] | None = None,
    path: str = "/",
) -> tuple[int, str | None]:
    """The status of the answer to a request from `peer`, and the login handed on with it."""
    seen: list[str | None] = []

    async def inside(scope, receive, send):
        told = dict(scope["headers"])
        assert b"x-stepwell-proxy" not in told, "the secret goes no further"
        seen.append(told[b"x-stepwell-login"].decode() if b"x-stepwell-login" in told else None)
        await Response("in")(scope, receive, send)

    environ = PROXIED | {"STEPWELL_TRUSTED_PROXY": "10.0.0.7"} | (settings or {})
    transport = httpx.ASGITransport(Door(inside, read_sign_in(environ)), client=(peer, 50000))

    async def ask() -> int:
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return (await client.get(path, headers=headers)).status_code

    status = asyncio.run(ask())
    return status, seen[0] if seen else None


def websocket(address: str, headers: dict[str, str]) -> int:
    """The status of the answer to opening Streamlit's stream: 101 where it is let in."""
    host, port = address.removeprefix("http://").split(":")
    asked = {
        "Host": f"{host}:{port}",
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": base64.b64encode(b"0123456789abcdef").decode(),
        "Sec-WebSocket-Protocol": "streamlit",
        **headers,
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in asked.items())
    with socket.create_connection((host, int(port)), timeout=20) as raw:
        raw.sendall(f"GET /_stcore/stream HTTP/1.1\r\n{lines}\r\n".encode())
        return int(raw.recv(300).split(b" ")[1])
