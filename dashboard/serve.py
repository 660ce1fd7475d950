"""Serving the dashboard: the command that starts it, and every setting of its server."""

from __future__ import annotations

import argparse
import gc
import importlib
import json
import os
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from dashboard.pages import PAGES
from dashboard.signin import LOGIN_HEADER, LOGIN_KEY, LOOPBACK, SignIn, SignInError, read_sign_in

SETTINGS: dict[str, Any] = {
    "server.headless": True,
    "server.fileWatcherType": "none",
    "browser.gatherUsageStats": False,  # nothing leaves the machine
    "global.minCachedMessageSize": 1e3,  # bytes of what is sent once while it stays the same
    "client.toolbarMode": "viewer",
    "client.disableDataExport": True,  # a table's own button takes rows along unrecorded
    "client.showErrorDetails": "none",  # an error text could hold a participant's values
    "server.enableXsrfProtection": True,
    "server.enableCORS": True,
    "server.enableAgentApi": False,
    "theme.headingFontSizes": ["2rem", "1.5rem", "1.125rem"],
    "theme.metricValueFontSize": "1.75rem",
    "theme.light.primaryColor": "#004E7C",
    "theme.light.textColor": "#10151C",
    "theme.dark.backgroundColor": "#0E1117",
    "theme.dark.secondaryBackgroundColor": "#1C222B",
    "theme.dark.primaryColor": "#8CCBF5",
    "theme.dark.textColor": "#F2F4F7",
}
# What a first visitor would otherwise wait for.
PRELOADED = ("pandas", "altair", "PIL.Image", *(f"dashboard.views.{page.name}" for page in PAGES))


def command(port: int, home: Path, address: str = "127.0.0.1") -> list[str]:
    """The command line that serves the study of `home` on `port` until it is stopped."""
    options = ["--port", str(port), "--home", str(home), "--address", address]
    return [sys.executable, "-m", "dashboard", *options]


def main(arguments: list[str] | None = None) -> None:
    """Serve until stopped; one clear line when the port is taken."""
    parser = argparse.ArgumentParser(prog="python -m dashboard", description=__doc__)
    parser.add_argument("--port", type=int, default=8501)
    parser.add_argument("--address", default="127.0.0.1")
    parser.add_argument("--home", help="folder of the study (default STEPWELL_HOME)")
    parser.add_argument("--routes", metavar="MODULE:FUNCTION", help="gives more pages to serve")
    parser.add_argument("--actions", metavar="MODULE:FUNCTION", help="gives what enrolment may do")
    given = parser.parse_args(arguments)
    if given.actions:
        os.environ["STEPWELL_ACTIONS"] = given.actions
    if given.home:
        os.environ["STEPWELL_HOME"] = given.home
    sign_in = _settle_sign_in(given.address).served_on(given.address)
    _assert_free(given.address, given.port)
    app = _app(_more_routes(given.routes) if given.routes else [], sign_in)
    here = {"server.port": given.port, "server.address": given.address}
    # Told, lest Streamlit ask the internet what this machine's address is.
    here["browser.serverAddress"] = urlsplit(sign_in.url).hostname or given.address
    app.run(config={**SETTINGS, **here})


def _settle_sign_in(address: str) -> SignIn:
    """How people sign in; one clear line, and no server, where that cannot be right."""
    try:
        sign_in = read_sign_in()
    except SignInError as error:
        sys.exit(f"dashboard: {error}")
    if sign_in.mode == "local" and address not in LOOPBACK and not sign_in.open_to_all:
        sys.exit(
            f"dashboard: without a sign-in it is served to this machine alone, not on {address}; "
            "set STEPWELL_SIGN_IN to oidc or proxy (docs/access.md), or STEPWELL_ALLOW_NO_SIGN_IN=1"
            " where something else keeps everyone out"
        )
    # The peer's own address counts, not what a header says of it.
    os.environ["FORWARDED_ALLOW_IPS"] = ""
    if sign_in.cookie_secret:
        os.environ["STREAMLIT_SERVER_COOKIE_SECRET"] = sign_in.cookie_secret
    if sign_in.mode == "proxy":
        os.environ["STREAMLIT_SERVER_TRUSTED_USER_HEADERS"] = json.dumps({LOGIN_HEADER: LOGIN_KEY})
    return sign_in


def _more_routes(name: str) -> list[Any]:
    """What the function `name` gives. Named, not imported: this layer knows no other one."""
    module, _, function = name.partition(":")
    return list(getattr(importlib.import_module(module), function)())


def _app(routes: list[Any], sign_in: SignIn) -> Any:
    import streamlit as st
    from starlette.middleware import Middleware
    from starlette.middleware.gzip import GZipMiddleware
    from starlette.routing import Route

    from dashboard.door import HEALTH, Door, tell_health
    from dashboard.wanted import Wanted

    sign_in_pages = [Middleware(Wanted, url=sign_in.url)] if sign_in.mode == "oidc" else []
    return st.App(
        Path(__file__).with_name("app.py"),
        secrets=sign_in.secrets,
        lifespan=_preload,
        routes=[Route(HEALTH, tell_health, methods=["GET"]), *routes],
        middleware=[
            Middleware(Door, sign_in=sign_in),
            *sign_in_pages,
            Middleware(GZipMiddleware, minimum_size=1024),
        ],
    )


@asynccontextmanager
async def _preload(app: Any) -> AsyncIterator[dict[str, Any]]:
    for module in PRELOADED:
        importlib.import_module(module)
    gc.collect()
    gc.freeze()  # Streamlit collects after each rerun: all that stays for good is not gone through
    yield {}


def _assert_free(address: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError:
            sys.exit(
                f"dashboard: port {port} of {address} is in use; "
                "stop what uses it or choose another with --port"
            )
