"""What stands before every page of the server: who may ask it at all, and what its answers carry.

One ASGI middleware, outermost, for HTTP and WebSocket alike:

* a Host that is not ours is refused, so that no other site's name leads here (DNS rebinding), and a
  stream that another site's page opens;
* behind a proxy, only its addresses are answered, and only with the secret it sends; the login that
  it names goes on as X-Stepwell-Login, and what a browser sent under that name is taken out;
* a file made for a page is given only to somebody whose sign-in is good, and kept by no cache;
* every answer has the headers that keep a page to this machine and out of other sites' frames.
"""

from __future__ import annotations

import hmac
import json
import re
import time
from base64 import b64encode
from collections.abc import Awaitable, Callable, MutableMapping
from hashlib import sha256
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import streamlit
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from dashboard.signin import LOGIN_HEADER, LOOPBACK, SignIn, is_fresh

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

HEALTH = "/healthz"
OTHER_NAME = (
    "This server is not known by that name. Open it by its own address, or have the name added to "
    "STEPWELL_ALLOWED_HOSTS."
)
PROXY_SECRET_HEADER = "X-Stepwell-Proxy"
# What says only that the server lives: asked for on the machine itself, without the proxy.
ALIVE = (HEALTH, "/_stcore/health")
# Of how many look and what the server holds: nobody's business.
CLOSED = ("/_stcore/metrics",)
# Files made for one page, under names that only the page knows.
MADE_FILES = ("/media/", "/_stcore/upload_file/")
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex, nofollow",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


def policy() -> str:
    """The Content-Security-Policy: everything from this server, no script but Streamlit's own.

    The one script in Streamlit's page is let through by its hash; styles it writes as it runs.
    """
    page = Path(streamlit.__file__).with_name("static") / "index.html"
    inline = re.findall(r"<script>(.*?)</script>", page.read_text(encoding="utf-8"), re.DOTALL)
    hashes = [b64encode(sha256(script.encode()).digest()).decode() for script in inline]
    return "; ".join(
        (
            "default-src 'self'",
            " ".join(["script-src 'self'", *(f"'sha256-{one}'" for one in hashes)]),
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "worker-src 'self' blob:",
            "media-src 'self' blob:",
            "object-src 'none'",
            "base-uri 'self'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )


class Door:
    """The middleware over `app`."""

    def __init__(self, app: App, sign_in: SignIn) -> None:
        self._app, self._sign_in = app, sign_in
        self._headers = {"Content-Security-Policy": policy(), **HEADERS}
        if sign_in.is_https:
            self._headers["Strict-Transport-Security"] = "max-age=31536000"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        refusal = self._refusal(scope)
        if refusal is None:
            self._name_the_login(scope)
            await self._app(scope, receive, self._adding_headers(scope, send))
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008})
        else:
            await refusal(scope, receive, self._adding_headers(scope, send))

    def _refusal(self, scope: Scope) -> Response | None:
        """The answer to who may not ask; None where they may."""
        headers = Headers(scope=scope)
        if not self._is_our_host(headers.getlist("host")):
            return PlainTextResponse(OTHER_NAME, 400)
        if scope["path"] in ALIVE:
            return None
        if scope["type"] == "websocket" and not self._is_our_page(headers):
            return PlainTextResponse("This is for pages of this server.", 403)
        if scope["path"] in CLOSED:
            return PlainTextResponse("Not found", 404)
        if self._sign_in.mode == "proxy" and not self._is_the_proxy(scope, headers):
            return PlainTextResponse("Open the dashboard through its sign-in.", 403)
        if scope["path"].startswith(MADE_FILES) and not self._is_somebody(scope, headers):
            return PlainTextResponse("Sign in first.", 403)
        return None

    def _is_somebody(self, scope: Scope, headers: Headers) -> bool:
        """Whether a sign-in, where one is asked for, says who asks."""
        if self._sign_in.mode == "proxy":
            return bool(headers.get(self._sign_in.header))
        return self._sign_in.mode == "local" or is_signed_in(scope)

    def _is_our_host(self, hosts: list[str]) -> bool:
        if len(hosts) != 1:
            return False
        return _name_in(hosts[0]) in self._sign_in.hosts

    def _is_our_page(self, headers: Headers) -> bool:
        """Streamlit would let pages of any port of this machine in, and ask outside what it is."""
        host = headers["host"]
        ours = [f"https://{host}", self._sign_in.url]
        if not self._sign_in.is_https or _name_in(host) in LOOPBACK:
            ours.append(f"http://{host}")  # else anybody on the way could have written the page
        return all(origin in ours for origin in headers.getlist("origin"))

    def _is_the_proxy(self, scope: Scope, headers: Headers) -> bool:
        """From its address, with its secret, and telling of one login at most."""
        peer = ip_address(scope["client"][0])
        peer = getattr(peer, "ipv4_mapped", None) or peer
        told = headers.get(PROXY_SECRET_HEADER, "")
        return (
            any(peer in network for network in self._sign_in.proxies)
            and hmac.compare_digest(told.encode(), self._sign_in.proxy_secret.encode())
            and len(headers.getlist(self._sign_in.header)) <= 1
        )

    def _name_the_login(self, scope: Scope) -> None:
        """Put the proxy's word under our own name, and take out what else came under it."""
        sign_in = self._sign_in
        given = Headers(scope=scope).get(sign_in.header) if sign_in.mode == "proxy" else None
        ours = (LOGIN_HEADER.lower().encode(), PROXY_SECRET_HEADER.lower().encode())
        kept = [(name, value) for name, value in scope["headers"] if name.lower() not in ours]
        if given:
            kept.append((ours[0], given.encode("latin-1")))
        scope["headers"] = kept

    def _adding_headers(self, scope: Scope, send: Send) -> Send:
        async def sending(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(raw=message.setdefault("headers", []))
                for name, value in self._headers.items():
                    headers.setdefault(name, value)  # a page of consent has stricter ones
                if scope["path"].startswith(MADE_FILES):
                    headers["Cache-Control"] = "no-store"
                if self._sign_in.is_https:
                    message["headers"] = _with_secure_cookies(message["headers"])
            await send(message)

        return sending


async def tell_health(request: Request) -> Response:
    """`GET /healthz`: the server answers. It says nothing of the study."""
    return JSONResponse({"status": "ok"}, headers={"Cache-Control": "no-store"})


def _name_in(host: str) -> str:
    """The name in a Host header, without its port."""
    name, bracket, _ = host.partition("]")
    name = name[1:] if bracket else host.rpartition(":")[0] or host
    return name.lower().rstrip(".")


def _with_secure_cookies(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Every cookie marked as one that never travels without TLS."""
    return [
        (name, value + b"; Secure")
        if name.lower() == b"set-cookie" and b"; secure" not in value.lower()
        else (name, value)
        for name, value in headers
    ]


def is_signed_in(scope: Scope) -> bool:
    """Whether the cookie of the sign-in is ours, and its token's time has not passed."""
    from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME
    from streamlit.web.server.starlette.starlette_websocket import _get_signed_cookie_with_chunks

    told = _get_signed_cookie_with_chunks(Request(scope).cookies, USER_COOKIE_NAME)
    return told is not None and is_fresh(json.loads(told), time.time())
