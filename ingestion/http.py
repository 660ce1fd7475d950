"""HTTP in the name of one grant: what can be mended by asking again is mended here.

A reply comes back only when it is a 2xx with a whole JSON body; everything else is raised as one
of ingestion.errors. Bodies are handed on as the bytes that came: nothing is parsed but errors.
"""

from __future__ import annotations

import contextlib
import logging
import random
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any, TypeVar

import httpx
import msgspec

from ingestion.errors import (
    NOT_JSON,
    BadReply,
    ConsentLost,
    Misconfigured,
    NotLinked,
    RateLimited,
    Retired,
    ScopeMissing,
    SourceError,
    Transient,
    VendorDown,
)

logging.getLogger("httpx").setLevel(logging.WARNING)  # at INFO it logs URLs with login hints

T = TypeVar("T")
TIMEOUT = httpx.Timeout(30, connect=10)
LONGEST_WAIT_SECONDS = 86_400.0
LIMITS = httpx.Limits(max_connections=32, max_keepalive_connections=16)

# Google's reasons: developers.google.com/health/reference/rest/v4/errors. Legacy: errorType.
_SCOPE = {
    "MISSING_OAUTH_SCOPE", "DISALLOWED_OAUTH_SCOPES", "ACCESS_TOKEN_SCOPE_INSUFFICIENT",
    "insufficient_scope", "insufficient_permissions",
}  # fmt: skip
_CONSENT = {"DATA_ACCESS_DENIED", "RESOURCE_PERMISSION_DENIED", "invalid_grant"}
_BUSY = {"RATE_LIMIT_EXCEEDED", "QUOTA_EXCEEDED", "RESOURCE_EXHAUSTED"}
_WHAT_TO_DO: dict[type[SourceError], str] = {
    ScopeMissing: "a permission was not given; ask the participant to consent again to all of them",
    ConsentLost: "access was withdrawn or has lapsed; ask the participant to reconnect",
    NotLinked: "the account is not linked to a wearable; ask the participant to finish setting up "
    "their device with it, or to sign in with the account their device uses",
    Retired: "the vendor has switched this API off; move the study to its successor",
    RateLimited: "too many requests; it will be asked again later",
    VendorDown: "the vendor is not well; it will be asked again later",
    BadReply: "the body is not the JSON asked for; it will be asked again later",
    Misconfigured: "our request or set-up is wrong; tell an engineer",
}


def open_http(transport: httpx.BaseTransport | None = None) -> httpx.Client:
    """One pool of connections for a process; threads may share it. Close it when done."""
    return httpx.Client(
        timeout=TIMEOUT, limits=LIMITS, follow_redirects=False, transport=transport,
        headers={"User-Agent": "stepwell"}, verify=certificates(),
    )  # fmt: skip


@cache
def certificates() -> ssl.SSLContext:
    """Who is trusted; read once, as reading takes longer than a request."""
    return httpx.create_ssl_context()


@dataclass(frozen=True)
class Patience:
    """How often to try what is Transient, and how long to wait between.

    A vendor that asks for more than `longest_wait_seconds` gets its wish: the error is raised with
    its retry_after, and the wait is the scheduler's, not a worker's. One that asks for none, or
    for an instant that has passed, is waited for twice as long each time, with full jitter.
    """

    tries: int = 4
    first_wait_seconds: float = 1.0
    longest_wait_seconds: float = 60.0
    sleep: Callable[[float], None] = time.sleep

    def persist(self, call: Callable[[], T]) -> T:
        """The result of `call`; its last SourceError when patience ends."""
        for attempt in range(1, self.tries):
            try:
                return call()
            except Transient as error:
                wait = self._wait(error, attempt)
                if wait > self.longest_wait_seconds:
                    raise
                self.sleep(wait)
        return call()

    def _wait(self, error: Transient, attempt: int) -> float:
        if error.retry_after:
            return error.retry_after
        most = min(self.longest_wait_seconds, self.first_wait_seconds * 2.0 ** (attempt - 1))
        return random.uniform(0, most)  # workers that failed together do not return together


PATIENCE = Patience()


class VendorClient:
    """One participant's vendor, or a whole project's where there is no grant.

    `refresh` gives a new access token, kept before it is returned (ingestion.grants). Raises
    errors.SourceError. `requests` counts every request sent, those that failed too; `pace` is
    called before each, and returns when the vendor's limits allow it (ingestion.budget).
    """

    pace: Callable[[], None] | None = None

    def __init__(
        self, http: httpx.Client, source: str, base_url: str, access_token: str | None = None,
        refresh: Callable[[], str] | None = None, patience: Patience = PATIENCE,
    ) -> None:  # fmt: skip
        self.requests = 0
        self._http, self._source, self._base = http, source, base_url.rstrip("/")
        self._token, self._refresh, self._patience = access_token, refresh, patience
        self._renewed = False  # since the last reply that was not a 401

    def get(self, path: str, params: dict[str, str] | None = None) -> httpx.Response:
        """The whole reply to a GET."""
        return self._patience.persist(lambda: self._once("GET", path, {"params": params}))

    def post(
        self, path: str, json: dict[str, Any] | None = None, form: dict[str, str] | None = None
    ) -> httpx.Response:
        """The whole reply to a POST that only asks: it may be sent more than once."""
        parts = {"json": json} if form is None else {"data": form}
        return self._patience.persist(lambda: self._once("POST", path, parts))

    def _once(self, method: str, path: str, parts: dict[str, Any]) -> httpx.Response:
        where = f"{self._source}: {method} {path}"
        response = self._send(method, path, parts, where)
        if response.status_code == 401 and self._refresh and not self._renewed:
            self._token, self._renewed = self._refresh(), True
            response = self._send(method, path, parts, where)
        self._renewed = self._renewed and response.status_code == 401
        return checked(response, where)

    def _send(self, method: str, path: str, parts: dict[str, Any], where: str) -> httpx.Response:
        if self.pace:
            self.pace()
        self.requests += 1
        headers = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        return send(self._http, where, method, self._base + path, headers=headers, **parts)


def send(http: httpx.Client, where: str, method: str, url: str, **parts: Any) -> httpx.Response:
    """One request and its whole reply, whatever its status; no answer is VendorDown."""
    try:
        response = http.send(http.build_request(method, url, **parts), stream=True)
    except (httpx.InvalidURL, httpx.UnsupportedProtocol):
        raise Misconfigured(f"{where}: the vendor's URL in the environment is no URL") from None
    except httpx.HTTPError as error:
        raise VendorDown(f"{where} got no answer ({type(error).__name__})") from None
    try:
        response.read()
    except httpx.TimeoutException:
        raise VendorDown(f"{where}: the reply took too long") from None
    except httpx.HTTPError as error:
        raise BadReply(f"{where}: the reply broke off ({type(error).__name__})") from None
    finally:
        response.close()
    return response


def checked(response: httpx.Response, where: str) -> httpx.Response:
    """The reply if it is a 2xx with a whole JSON body; raises the SourceError it stands for."""
    if not response.is_success:
        raise refusal(response, where)
    try:
        msgspec.json.decode(response.content, type=msgspec.Raw)  # walks the bytes, builds nothing
    except NOT_JSON:
        raise BadReply(f"{where}: {_WHAT_TO_DO[BadReply]}", response.content) from None
    return response


@contextlib.contextmanager
def withheld_body() -> Iterator[None]:
    """Around a call whose reply may name a person or a device: a BadReply leaves without its body.

    What is kept of a broken fetch is kept raw, and such a reply may only be kept in part.
    """
    try:
        yield
    except BadReply as error:
        error.body = b""
        raise


def refusal(response: httpx.Response, where: str) -> SourceError:
    """The error that a reply other than 2xx stands for; the body's words are not repeated."""
    reasons = _reasons(response.content)
    kind = _kind(response.status_code, reasons)
    named = f" ({', '.join(sorted(reasons))})" if reasons else ""
    message = f"{where} answered {response.status_code}{named}: {_WHAT_TO_DO[kind]}"
    error = kind(message)
    if isinstance(error, Transient):
        error.retry_after = seconds_to_wait(response)
    return error


def _kind(status: int, reasons: set[str]) -> type[SourceError]:
    match status:
        case 400 | 403 if "ACCOUNT_NOT_LINKED" in reasons:
            return NotLinked
        case 400 if "invalid_grant" in reasons:
            return ConsentLost
        case 401:
            return _unauthorized(reasons)
        case 403:
            return _forbidden(reasons)
        case 410:
            return Retired
        case 429:
            return RateLimited
        case 408 | 425:
            return VendorDown
    if status >= 500:
        return VendorDown
    # A redirect is followed nowhere: the token would go along.
    return Misconfigured if status >= 400 else BadReply


def _unauthorized(reasons: set[str]) -> type[SourceError]:
    if reasons & {"invalid_client", "unauthorized_client"}:
        return Misconfigured
    # Without a reason it may be a proxy's page: never the participant's fault.
    return ConsentLost if reasons else BadReply


def _forbidden(reasons: set[str]) -> type[SourceError]:
    if not reasons:
        return BadReply
    for kind, known in ((ScopeMissing, _SCOPE), (ConsentLost, _CONSENT), (RateLimited, _BUSY)):
        if reasons & known:
            return kind
    return Misconfigured  # SERVICE_DISABLED and the like; what is unknown is ours to find out


def _reasons(body: bytes) -> set[str]:
    """The vendor's codes in an error body: Google's, OAuth's or legacy; none when it is no JSON."""
    try:
        told = msgspec.json.decode(body)
    except NOT_JSON:
        return set()
    found: list[object] = []
    error = told.get("error") if isinstance(told, dict) else None
    if isinstance(error, dict):
        found += [error.get("status"), *_details(error.get("details"))]
    elif isinstance(told, dict):
        found += [error, *(_field(item, "errorType") for item in _items(told.get("errors")))]
    return {word for word in found if isinstance(word, str) and word.isidentifier()}


def _details(details: object) -> list[object]:
    found: list[object] = []
    for item in _items(details):
        more = _field(_field(item, "metadata"), "detailedReasons")
        found += [_field(item, "reason"), *(str(more).split(",") if more else [])]
    return found


def _items(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _field(value: object, name: str) -> object:
    return value.get(name) if isinstance(value, dict) else None


def seconds_to_wait(response: httpx.Response) -> float | None:
    """Seconds that Retry-After asks for, as a number or a date; None when it says nothing usable.

    A date is measured against the reply's own Date, so that a wrong clock here does no harm; one
    that has passed is 0. Nobody means more than a day.
    """
    told = response.headers.get("Retry-After", "").strip()
    if told.isdecimal():
        return min(float(told), LONGEST_WAIT_SECONDS)
    try:
        until = parsedate_to_datetime(told)
        sent = response.headers.get("Date")
        start = parsedate_to_datetime(sent) if sent else datetime.now(UTC)
        return min(max(0.0, (until - start).total_seconds()), LONGEST_WAIT_SECONDS)
    except (ValueError, TypeError, OverflowError):  # no date, or one of them without a zone
        return None
