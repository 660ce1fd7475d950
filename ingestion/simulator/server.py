"""One server for every vendor of the pretend world, on loopback.

Google Health API, legacy Fitbit Web API and REDCap answer under one root; `/_emu/...` moves the
clock, arms faults, shows the request log and starts over. Every reply's Date is the world's clock.
"""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request as HttpRequest
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ingestion.simulator import control, fault_google, faults, fitbit, google, limits, redcap
from ingestion.simulator.http import Reply, Request
from ingestion.simulator.limits import HOURLY_LIMIT, MINUTE_LIMIT
from ingestion.simulator.state import State
from ingestion.simulator.tokens import Signer, digest
from ingestion.simulator.world import World

LONG = re.compile(r"[^/]{40,}")
PERSONALITIES = {"google": google, "fitbit": fitbit, "redcap": redcap}


class PortInUse(OSError):
    """Another program listens there."""


class Simulator:
    """The servers' one state: world, clock, signer, log. Requests are answered one at a time."""

    def __init__(
        self, world: World, folder: Path | None = None, hourly_limit: int = HOURLY_LIMIT,
        minute_limit: int = MINUTE_LIMIT,
    ) -> None:  # fmt: skip
        self.world = world
        self.signer = Signer(world.seed)
        self.hourly_limit, self.minute_limit = hourly_limit, minute_limit
        name = digest(
            world.study.digest, *map(str, (world.seed, len(world.participants), world.weeks))
        )
        self.state = State(folder, name, world.begins_at)
        # Requests by personality, path (without its query), participant, status and fault given.
        self.log: Counter[tuple[str, str, str, int, str]] = Counter()
        self.spent: Counter[tuple[str, str, str]] = Counter()  # see limits.py

    def now(self) -> datetime:
        """The clock."""
        return self.state.now()

    def answer(self, personality: str, request: Request) -> Reply:
        """The reply of one vendor, with the fault that is due, if any; logged."""
        vendor = PERSONALITIES[personality]
        who = vendor.account_of(self, request)
        limits.count(self, personality, request, who)
        if personality == "google":
            request = fault_google.unwrapped(request)
        reply, fault = faults.answer(self, vendor, personality, request, who)
        if personality == "fitbit" and (fault is None or fault.args.get("rate_headers", True)):
            reply = fitbit.with_rate_headers(self, who, reply)
        name = fault.name if fault else ""
        path = LONG.sub("[long]", request.path)  # somebody may have put a token there
        self.log[(personality, path, who or "", reply.status, name)] += 1
        return reply


def application(sim: Simulator) -> ASGIApp:
    """The servers as an ASGI application."""
    everything = ["GET", "POST", "PUT", "DELETE", "PATCH"]

    def route(path: str, personality: str) -> Route:
        async def endpoint(http: HttpRequest) -> _Plain:
            return _Plain(sim.answer(personality, await _read(http)))

        return Route(path, endpoint, methods=everything)

    async def controlled(http: HttpRequest) -> _Plain:
        return _Plain(control.answer(sim, await _read(http)))

    routes = [
        *(route(p, "google") for p in ("/o/oauth2/v2/auth", "/token", "/revoke", "/v4/{x:path}")),
        *(route(p, "fitbit") for p in ("/oauth2/{x:path}", "/1/{x:path}", "/1.1/{x:path}",
                                       "/1.2/{x:path}")),
        route("/api/", "redcap"),
        Route("/_emu/{x:path}", controlled, methods=everything),
        Route("/{x:path}", controlled, methods=everything),
    ]  # fmt: skip
    return _Dated(Starlette(routes=routes), sim)


async def _read(http: HttpRequest) -> Request:
    return Request(
        method=http.method,
        path=http.scope["path"],
        query=tuple(http.query_params.multi_items()),
        headers={name.lower(): value for name, value in http.headers.items()},
        body=await http.body(),
    )


class _Plain:
    """A Reply as an ASGI response, broken connections included."""

    def __init__(self, reply: Reply) -> None:
        self.reply = reply

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        reply = self.reply
        if reply.broken == "silent":
            return await _given_up(receive)
        half = reply.broken in ("short", "stall")
        body = reply.body[: len(reply.body) // 2] if half else reply.body
        headers = {"content-length": str(len(reply.body)), "content-type": reply.content_type}
        headers |= reply.headers
        start: Message = {
            "type": "http.response.start",
            "status": reply.status,
            "headers": [(k.lower().encode(), v.encode("latin-1")) for k, v in headers.items()],
        }
        if reply.broken == "reset":
            start["reset"] = True
        await send(start)
        if reply.broken == "reset":
            return
        stall = reply.broken == "stall"
        await send({"type": "http.response.body", "body": body, "more_body": stall})
        if stall:
            await _given_up(receive)


async def _given_up(receive: Receive) -> None:
    """Wait until the client closes the connection."""
    while (await receive())["type"] != "http.disconnect":
        pass


class _Dated:
    """Puts the clock's Date on every reply, and breaks the connection where a reply says so."""

    def __init__(self, app: ASGIApp, sim: Simulator) -> None:
        self.app, self.sim = app, sim

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def dated(message: Message) -> None:
            if message.pop("reset", False):
                # uvicorn has no message for it; `send` is bound to the request that holds the
                # connection.
                send.__self__.transport.abort()  # type: ignore[attr-defined]
                return
            if message["type"] == "http.response.start":
                date = format_datetime(self.sim.now(), usegmt=True).encode()
                message["headers"] = [*message["headers"], (b"date", date)]
            await send(message)

        await self.app(scope, receive, dated)


class Served:
    """A running server: where it is, and its clock."""

    def __init__(self, sim: Simulator, url: str) -> None:
        self.simulator, self.url = sim, url

    def now(self) -> datetime:
        """The clock."""
        return self.simulator.now()

    def set_clock(self, at: datetime) -> None:
        """Move the clock forward to an instant; ClockError when that is backwards."""
        self.simulator.state.set_now(at.astimezone(UTC))


def server_for(app: ASGIApp, port: int) -> uvicorn.Server:
    """A quiet loopback server whose Date and logging are not uvicorn's own."""
    return uvicorn.Server(
        uvicorn.Config(
            app, host="127.0.0.1", port=port, log_config=None, log_level="critical",
            access_log=False, date_header=False, server_header=False, proxy_headers=False,
            lifespan="off", timeout_keep_alive=60, timeout_graceful_shutdown=1, ws="none",
        )
    )  # fmt: skip


@contextmanager
def serve(
    world: World, port: int = 0, state: Path | None = None, hourly_limit: int = HOURLY_LIMIT,
    minute_limit: int = MINUTE_LIMIT,
) -> Iterator[Served]:  # fmt: skip
    """Serve a world from a thread, on a free port when `port` is 0, until the block ends.

    Raises PortInUse, and StateError when `state` belongs to another world.
    """
    sim = Simulator(world, state, hourly_limit, minute_limit)
    listening = bind(port)
    server = server_for(application(sim), port)
    thread = threading.Thread(target=server.run, args=([listening],), name="simulator", daemon=True)
    thread.start()
    try:
        yield Served(sim, f"http://127.0.0.1:{listening.getsockname()[1]}")
    finally:
        server.should_exit = True
        thread.join()
        listening.close()
        sim.state.close()


def bind(port: int) -> Any:
    """A listening socket on loopback; PortInUse says what to do."""
    import socket

    found = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind(("127.0.0.1", port))
    except OSError as error:
        found.close()
        raise PortInUse(f"port {port} is in use ({error.strerror}); give another --port") from None
    found.listen(128)
    return found
