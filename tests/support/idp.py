"""An OpenID Connect provider on this machine: discovery, RS256, and whoever `claims` says."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT_ID, CLIENT_SECRET = "stepwell", "only-between-these-tests"


class Provider:
    """Whom it says is asking, for how long, and what it was asked."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.claims: dict[str, Any] = {"sub": "17", "email": "Dana@example.org"}
        self.lifetime_seconds = 3600
        self.asked: list[str] = []
        self.key = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})
        self._nonces: dict[str, str] = {}

    def answer(self, method: str, path: str, query: dict[str, str], body: str, basic: str) -> Any:
        """JSON to give, or an address (text) to send the browser to."""
        self.asked.append(path)
        if path == "/.well-known/openid-configuration":
            return {
                "issuer": self.url,
                **{name: f"{self.url}/{name}" for name in ("token_endpoint", "jwks_uri")},
                "authorization_endpoint": f"{self.url}/authorize",
                "end_session_endpoint": f"{self.url}/end",
                "id_token_signing_alg_values_supported": ["RS256"],
                "code_challenge_methods_supported": ["S256"],
            }
        if path == "/jwks_uri":
            return {"keys": [self.key.as_dict(private=False)]}
        if path == "/authorize":
            self._nonces["a-code"] = query["nonce"]
            back = urlencode({"code": "a-code", "state": query["state"]})
            return f"{query['redirect_uri']}?{back}"
        if path == "/end":
            return query["post_logout_redirect_uri"]
        assert basic == f"{CLIENT_ID}:{CLIENT_SECRET}", "the client did not say who it is"
        assert "code_verifier" in body, "no proof of possession"
        return {"access_token": "a", "token_type": "Bearer", "id_token": self._token()}

    def _token(self) -> str:
        now = int(time.time())
        times = {"iat": now - 600, "exp": now + self.lifetime_seconds}
        more = {"iss": self.url, "aud": CLIENT_ID, "nonce": self._nonces["a-code"]}
        return jwt.encode(
            {"alg": "RS256", "kid": "one"}, {**self.claims, **times, **more}, self.key
        )


@contextmanager
def providing() -> Iterator[Provider]:
    """A provider that answers until the block ends."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    provider = Provider(server.server_port)
    server.RequestHandlerClass = _handler_of(provider)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _handler_of(provider: Provider) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            body = self.rfile.read(int(self.headers.get("content-length") or 0)).decode()
            scheme, _, packed = (self.headers.get("authorization") or "").partition(" ")
            basic = base64.b64decode(packed).decode() if scheme == "Basic" else ""
            told = provider.answer(self.command, parts.path, query, body, basic)
            if isinstance(told, str):
                self.send_response(302)
                self.send_header("location", told)
                self.end_headers()
                return
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(told).encode())

        do_POST = do_GET

        def log_message(self, *_: Any) -> None:
            """Say nothing: the tests' output is theirs."""

    return Handler
