"""Serving the dashboard: the command that starts it, and every setting of its server."""

from __future__ import annotations

import argparse
import importlib
import os
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

SETTINGS: dict[str, Any] = {
    "server.headless": True,
    "server.fileWatcherType": "none",
    "browser.gatherUsageStats": False,  # nothing leaves the machine
    "client.toolbarMode": "viewer",
    "client.showErrorDetails": "none",  # an error text could hold a participant's values
    "theme.headingFontSizes": ["2rem", "1.5rem", "1.125rem"],
    "theme.light.primaryColor": "#004E7C",
    "theme.light.textColor": "#10151C",
    "theme.dark.backgroundColor": "#0E1117",
    "theme.dark.secondaryBackgroundColor": "#1C222B",
    "theme.dark.primaryColor": "#8CCBF5",
    "theme.dark.textColor": "#F2F4F7",
}
# What a first visitor would otherwise wait for.
PRELOADED = ("pandas", "altair", "PIL.Image", "dashboard.shell", "dashboard.timelines")


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
    given = parser.parse_args(arguments)
    if given.home:
        os.environ["STEPWELL_HOME"] = given.home
    _assert_free(given.address, given.port)
    app = _app(_more_routes(given.routes) if given.routes else [])
    app.run(config={**SETTINGS, "server.port": given.port, "server.address": given.address})


def _more_routes(name: str) -> list[Any]:
    """What the function `name` gives. Named, not imported: this layer knows no other one."""
    module, _, function = name.partition(":")
    return list(getattr(importlib.import_module(module), function)())


def _app(routes: list[Any]) -> Any:
    import streamlit as st
    from starlette.middleware import Middleware
    from starlette.middleware.gzip import GZipMiddleware

    return st.App(
        Path(__file__).with_name("app.py"),
        lifespan=_preload,
        routes=routes,
        middleware=[Middleware(GZipMiddleware, minimum_size=1024)],
    )


@asynccontextmanager
async def _preload(app: Any) -> AsyncIterator[dict[str, Any]]:
    for module in PRELOADED:
        importlib.import_module(module)
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
