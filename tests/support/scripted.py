"""A real HTTP server that gives typed replies in order, and keeps what it was asked."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl


@dataclass(frozen=True)
class Says:
    """A reply; `broken` is "" or how the connection breaks: "short", "reset" or "silent"."""

    status: int = 200
    body: bytes = b"[]"
    headers: dict[str, str] = field(default_factory=dict)
    broken: str = ""


@dataclass(frozen=True)
class Asked:
    """A request as it came; `form` is its URL-encoded body."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))


class Script:
    """The replies still to give (the last one again and again) and the requests that came."""

    def __init__(self, url: str, replies: tuple[Says, ...]) -> None:
        self.url = url
        self.replies = list(replies)
        self.asked: list[Asked] = []
        self.over = threading.Event()

    def next(self) -> Says:
        return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]


@contextmanager
def scripted(*replies: Says) -> Iterator[Script]:
    """Serve `replies` on a free loopback port."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length)
            headers = {name.title(): value for name, value in self.headers.items()}
            script.asked.append(Asked(self.command, self.path, headers, body))
            self._say(script.next())

        do_POST = do_GET

        def _say(self, says: Says) -> None:
            self.close_connection = True
            if says.broken == "reset":
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            if says.broken == "silent":
                script.over.wait(5)  # then it answers: a client that waits for ever is content
            self.send_response(says.status)
            for name, value in says.headers.items():
                self.send_header(name, value)
            extra = 100 if says.broken == "short" else 0
            self.send_header("Content-Length", str(len(says.body) + extra))
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(says.body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    script = Script(f"http://127.0.0.1:{server.server_port}", replies)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield script
    finally:
        script.over.set()
        server.shutdown()
        server.server_close()
        thread.join()
