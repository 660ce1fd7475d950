"""The page somebody wanted, kept while they sign in: Streamlit's sign-in ends on the first page.

The browser says on which page it was as it is sent to the provider; that waits in a cookie for the
way back. Only a page of ours is ever heeded, so that no link leads anybody elsewhere.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request

from dashboard.door import App, Receive, Scope, Send, is_signed_in
from dashboard.pages import PAGES, address_of

LOGIN, LOGOUT, CALLBACK = "/auth/login", "/auth/logout", "/oauth2callback"
FIRST = address_of(PAGES[0])
COOKIE, SECONDS = "stepwell_wanted", 600
LONGEST = 2000  # characters of an address


class Wanted:
    """The middleware: an answer of the sign-in that leads to the first page leads to the wanted."""

    def __init__(self, app: App, url: str) -> None:
        self._app, self._url = app, url

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] in (LOGIN, LOGOUT, CALLBACK):
            send = _leading_to(self._wanted(scope), send)
        await self._app(scope, receive, send)

    def _wanted(self, scope: Scope) -> str:
        """Where they want to be; the first page too for who signs out in good time."""
        if scope["path"] == CALLBACK:
            return page_of(unquote(Request(scope).cookies.get(COOKIE, "")))
        came_from = Headers(scope=scope).get("referer", "")
        is_ours = came_from.startswith(f"{self._url}/")
        if not is_ours or (scope["path"] == LOGOUT and is_signed_in(scope)):
            return FIRST
        return page_of(came_from.removeprefix(self._url))


def page_of(address: str) -> str:
    """The address on this server, made anew: one of our pages with its parameters, or the first."""
    if len(address) > LONGEST:
        return FIRST
    path, _, query = address.partition("#")[0].partition("?")
    if path not in map(address_of, PAGES):
        return FIRST
    told = urlencode(parse_qsl(query))
    return f"{path}?{told}" if told else path


def _leading_to(wanted: str, send: Send) -> Send:
    async def sending(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(raw=message.setdefault("headers", []))
            is_back = headers.get("location") == FIRST
            if is_back:
                headers["location"] = wanted
            kept = "" if is_back else wanted
            lasts = SECONDS if kept else 0
            told = f"{COOKIE}={quote(kept, safe='')}; Max-Age={lasts}; Path={CALLBACK}"
            headers.append("set-cookie", f"{told}; HttpOnly; SameSite=Lax")
        await send(message)

    return sending
