"""A request and a reply as plain values, so that the vendors' manners are testable without HTTP."""

from __future__ import annotations

import base64
import binascii
import html
import json
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from ingestion.simulator.roster import SimParticipant

JSON = "application/json; charset=UTF-8"
HTML = "text/html; charset=utf-8"


@dataclass(frozen=True)
class Request:
    """`headers` are in lower case."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    @cached_property
    def params(self) -> dict[str, str]:
        """The query; the last of a repeated name."""
        return dict(self.query)

    @cached_property
    def form(self) -> dict[str, str]:
        """The URL-encoded body; the last of a repeated name."""
        return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))

    @property
    def bearer(self) -> str:
        """The token of `Authorization: Bearer`; empty when there is none."""
        kind, _, token = self.headers.get("authorization", "").partition(" ")
        return token.strip() if kind.lower() == "bearer" else ""

    @property
    def basic(self) -> tuple[str, str]:
        """(name, secret) of `Authorization: Basic`; empty when there is none."""
        kind, _, value = self.headers.get("authorization", "").partition(" ")
        try:
            plain = base64.b64decode(value).decode() if kind.lower() == "basic" else ""
        except (binascii.Error, UnicodeDecodeError):
            plain = ""
        name, _, secret = plain.partition(":")
        return name, secret


@dataclass(frozen=True)
class Reply:
    """`broken` is how the connection breaks: "" not at all, "reset", a "short" body, "silent" from
    the start or in the middle of the body ("stall"), until the client gives up."""

    status: int
    body: bytes = b""
    content_type: str = JSON
    headers: dict[str, str] = field(default_factory=dict)
    broken: str = ""


def as_json(value: Any, status: int = 200, **headers: str) -> Reply:
    """A JSON reply; a header `retry_after` becomes Retry-After."""
    named = {name.replace("_", "-").title(): text for name, text in headers.items()}
    body = json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
    return Reply(status, body, headers=named)


def as_text(text: str) -> Reply:
    """JSON that is already written."""
    return Reply(200, text.encode())


def as_html(title: str, status: int = 200, inner: str = "") -> Reply:
    page = f"<!DOCTYPE html><html><head><title>{title}</title></head><body><h1>{title}</h1>{inner}"
    return Reply(status, f"{page}</body></html>".encode(), HTML)


def redirect(address: str, **params: str) -> Reply:
    """To `address` with `params` added to its query."""
    parts = urlsplit(address)
    query = parse_qsl(parts.query, keep_blank_values=True) + list(params.items())
    return Reply(302, headers={"Location": urlunsplit(parts._replace(query=urlencode(query)))})


def account_page(request: Request, participants: tuple[SimParticipant, ...]) -> Reply:
    """The page on which a participant unticks permissions, then picks their account or denies.

    It comes back with the query it came with, a `granted` for each box (and a blank one, to tell
    no box from no page), and `login_hint` or `denied`.
    """

    def field(kind: str, name: str, value: str, rest: str = "") -> str:
        return f'<input type="{kind}" name="{name}" value="{html.escape(value)}"{rest}>'

    boxes = "".join(
        f"<label>{field('checkbox', 'granted', scope, ' checked')}{html.escape(scope)}</label><br>"
        for scope in request.params["scope"].split()
    )
    accounts = "".join(
        f'<li><button name="login_hint" value="{p.participant_id}">{p.participant_id}</button></li>'
        for p in participants
    )
    hidden = "".join(field("hidden", html.escape(name), value) for name, value in request.query)
    deny = '<button name="denied" value="yes">Deny</button>'
    inner = f"{hidden}{field('hidden', 'granted', '')}{boxes}<ul>{accounts}</ul>{deny}"
    return as_html("Choose an account", inner=f"<form>{inner}</form>")
