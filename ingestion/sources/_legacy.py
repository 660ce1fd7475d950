"""The `fitbit` package (PyPI, 0.3.1) with its known faults wrapped.

What it does badly, and what is done here about it:

* it loses rotated tokens: it never refreshes by itself here, `refresh` of the grant does;
* it calls a 410 a bad request, fails with a KeyError or ValueError on a 429 that tells no number
  of seconds, and with others on a 401 it cannot read: the reply's own status is judged, not them;
* it drops the body's bytes and the headers: a hook on its session keeps them;
* it follows redirects with the token on board, has no timeout, and asks for miles: switched off;
* its errors and its OAuth library's log can quote a token: neither is passed on.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
import msgspec
import requests
from fitbit import Fitbit
from fitbit import exceptions as faults
from oauthlib.oauth2 import OAuth2Error

from ingestion.errors import BadReply, Misconfigured, RateLimited, SourceError, VendorDown
from ingestion.http import LONGEST_WAIT_SECONDS, PATIENCE, Patience, refusal

ENDPOINT = "https://api.fitbit.com"
TIMEOUT_SECONDS = 30.0
HOUR_SECONDS = 3600.0

_NO_ANSWER = (faults.Timeout, requests.RequestException)
_FAULTS = (
    *_NO_ANSWER,
    faults.BadResponse,
    faults.HTTPException,
    OAuth2Error,
    LookupError,  # its KeyError on a 429, its IndexError on a 401 without errors
    ValueError,  # its int("Wed, 21 Oct ...") on a 429, and every JSONDecodeError
    TypeError,  # a 401 whose JSON is not an object
)

for _name in ("requests_oauthlib", "oauthlib"):
    logging.getLogger(_name).setLevel(logging.WARNING)  # at DEBUG they log tokens


@dataclass(frozen=True)
class Answer:
    """A reply as the vendor sent it; `request` is method and path, without a token."""

    request: str
    status: int
    headers: dict[str, str]
    body: bytes


class LegacyClient:
    """One participant's legacy Fitbit account.

    `refresh` gives a new access token, kept before it is returned (ingestion.grants). `requests`
    counts every call of the API, those that failed too: they spend the hourly 150 as well.
    `account` is the vendor's id of the account that consented, where it is known. `pace` is called
    before each call of the API (ingestion.budget).
    """

    pace: Callable[[], None] | None = None

    def __init__(
        self, access_token: str, refresh: Callable[[], str], *, endpoint: str = ENDPOINT,
        account: str | None = None, now: Callable[[], datetime] = lambda: datetime.now(UTC),
        patience: Patience = PATIENCE, timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> None:  # fmt: skip
        self.requests = 0
        self.account = account
        self._refresh, self._now, self._patience = refresh, now, patience
        self.last: Answer | None = None  # the last reply of any status
        self._hour: tuple[int, float] | None = None  # what is left of it, and when it ends
        self._api = self._package(endpoint, timeout_seconds)
        self._use(access_token)

    def ask(self, call: Callable[[Any], object]) -> Answer:
        """The reply to `call`, which is given the package's client. Raises errors.SourceError."""
        return self._patience.persist(lambda: self._once(call))

    @property
    def left(self) -> int | None:
        """Requests that are left of the participant's hour, as the vendor last said; None when it
        has not said, or that hour is over."""
        return self._hour[0] if self._hour and time.monotonic() < self._hour[1] else None

    @property
    def resets_in(self) -> float:
        """Seconds until the hour's budget starts anew."""
        if self._hour and (rest := self._hour[1] - time.monotonic()) > 0:
            return rest
        return _to_top_of_hour(self._now())

    def _package(self, endpoint: str, timeout_seconds: float) -> Any:
        api = Fitbit("", "", system=None, timeout=timeout_seconds)
        api.API_ENDPOINT = endpoint.rstrip("/")
        api.client.refresh_token = self._renew  # it calls this on a 401 expired_token
        session = api.client.session
        session.auto_refresh_url = None
        session.max_redirects = 0
        session.hooks["response"].append(self._keep)
        return api

    def _once(self, call: Callable[[Any], object]) -> Answer:
        self._forget()
        if self.pace:
            self.pace()
        try:
            call(self._api)
        except _FAULTS as error:
            self.requests += self.last is None
            raise self._trouble(error) from None  # its own message may quote the token
        answer = self.last
        if answer is None or answer.status != 200:  # it takes a 202 for an answer
            raise BadReply("fitbit: a reply without data")
        return answer

    def _trouble(self, error: Exception) -> SourceError:
        """What a fault of the package means: by the last reply if there was one, else by type."""
        if self.last is None:
            return _without_answer(error)
        if self.last.status == 200:
            where = f"fitbit: the reply to {self.last.request}"
            return BadReply(f"{where} is not JSON", self.last.body)
        return trouble_of(self.last, self._now)

    def _keep(self, response: requests.Response, **_: object) -> None:
        request = f"GET {response.request.path_url}"
        headers = {name.title(): value for name, value in response.headers.items()}
        self.last = Answer(request, response.status_code, headers, response.content)
        self.requests += 1
        told = [headers.get(f"Fitbit-Rate-Limit-{name}", "") for name in ("Remaining", "Reset")]
        if all(word.isdecimal() and len(word) < 9 for word in told):
            self._hour = (int(told[0]), time.monotonic() + int(told[1]))

    def _renew(self) -> dict[str, str]:
        self._forget()  # the 401 is dealt with; what comes next speaks for itself
        self._use(self._refresh())
        return {}

    def _forget(self) -> None:
        self.last = None

    def _use(self, access_token: str) -> None:
        self._api.client.session.token = {"access_token": access_token, "token_type": "Bearer"}


def _without_answer(error: Exception) -> SourceError:
    if isinstance(error, _NO_ANSWER):
        return VendorDown(f"fitbit: no whole answer ({type(error).__name__})")
    if isinstance(error, OAuth2Error):
        return Misconfigured(
            f"fitbit: {type(error).__name__}; STEPWELL_FITBIT_URL must begin with https, or set "
            "OAUTHLIB_INSECURE_TRANSPORT=1 for the simulator"
        )
    raise error  # none of the package's faults: a mistake of ours


def trouble_of(answer: Answer, now: Callable[[], datetime]) -> SourceError:
    """What a reply other than 200 means; a 429 tells how long to wait, whatever it left out."""
    where = f"fitbit: {answer.request}"
    if answer.status == 401 and _error_type(answer.body) == "expired_token":
        return VendorDown(f"{where}: a token just renewed is called expired", HOUR_SECONDS)
    headers = {k: v for k, v in answer.headers.items() if k in ("Retry-After", "Date")}
    error = refusal(httpx.Response(answer.status, headers=headers, content=answer.body), where)
    if isinstance(error, RateLimited) and error.retry_after is None:
        error.retry_after = _seconds_to_reset(answer, now)
    return error


def _error_type(body: bytes) -> str | None:
    try:
        return str(msgspec.json.decode(body)["errors"][0]["errorType"])
    except (msgspec.DecodeError, LookupError, TypeError):
        return None


def _seconds_to_reset(answer: Answer, now: Callable[[], datetime]) -> float:
    """Seconds until the budget starts anew: as the header says, else the top of the hour."""
    told = answer.headers.get("Fitbit-Rate-Limit-Reset", "").strip()
    if told.isdecimal():
        return min(float(told), LONGEST_WAIT_SECONDS)
    return _to_top_of_hour(now())


def _to_top_of_hour(at: datetime) -> float:
    return HOUR_SECONDS - (at.minute * 60 + at.second)
