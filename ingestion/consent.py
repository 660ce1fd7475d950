"""Asking a participant's consent: authorization code with PKCE and state, then identity.

request = ask_consent(vendor, participant_id, redirect_uri)   # send them to request.url
grant = finish_consent(grants, http, vendor, request, callback_url)
grant = resume_consent(grants, http, vendor, participant_id)  # where that broke off
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import msgspec

from ingestion.errors import (
    BadReply,
    ConsentLost,
    Misconfigured,
    NotLinked,
    ScopeMissing,
    VendorDown,
)
from ingestion.grant_rows import Grant
from ingestion.grants import Grants
from ingestion.http import PATIENCE, Patience, VendorClient, open_http, refusal, send
from ingestion.settings import SCOPES, Vendor, read_key, read_vendor
from ingestion.tokens import Given, ask_token
from warehouse.home import Store

HEADLESS_REDIRECT = "http://127.0.0.1/consent"  # nobody listens: the answer is read on the way


@dataclass(frozen=True)
class ConsentRequest:
    """A consent under way. Keep it until the participant is back; it is good for one answer."""

    participant_id: str
    source: str
    redirect_uri: str
    url: str
    state: str = field(repr=False)
    code_verifier: str = field(repr=False)


class _Identity(msgspec.Struct, rename="camel"):
    health_user_id: str
    legacy_user_id: str | None = None  # blank where the account never had a Fitbit one


def ask_consent(
    vendor: Vendor, participant_id: str, redirect_uri: str, login_hint: str | None = None
) -> ConsentRequest:
    """The address at which the participant consents, and what is needed to finish."""
    state, verifier = secrets.token_urlsafe(24), secrets.token_urlsafe(48)
    digest = hashlib.sha256(verifier.encode()).digest()
    asked = {
        "response_type": "code",
        "client_id": vendor.client_id,
        "redirect_uri": redirect_uri,
        "scope": " ".join(SCOPES[vendor.source]),
        "state": state,
        "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
        "prompt": "consent",
    }
    if vendor.source == "google_health":
        asked["access_type"] = "offline"  # else Google gives no refresh token
    if login_hint:
        asked["login_hint"] = login_hint
    url = f"{vendor.auth_url}?{urlencode(asked)}"
    return ConsentRequest(participant_id, vendor.source, redirect_uri, url, state, verifier)


def finish_consent(
    grants: Grants, http: httpx.Client, vendor: Vendor, request: ConsentRequest, callback_url: str,
    patience: Patience = PATIENCE,
) -> Grant:  # fmt: skip
    """The grant that the participant's answer gives, stored; its state tells of missing scopes.

    `callback_url` is the address to which the vendor sent the participant back. ConsentLost when
    they said no, Misconfigured when the answer is to another request, WrongAccount from storing,
    ScopeMissing and NotLinked when the vendor would not name the account: each sets the state.
    When the vendor fails after it gave the token, that is kept: `resume_consent` goes on with it.
    """
    form = {
        "grant_type": "authorization_code",
        "code": _code(request, callback_url),
        "redirect_uri": request.redirect_uri,
        "code_verifier": request.code_verifier,
    }
    reply = ask_token(http, vendor, form)  # once: a code cannot be sent twice
    if not reply.refresh_token:
        raise Misconfigured(f"{vendor.source}: the vendor gave no refresh token; consent again")
    # RFC 6749, 5.1: an answer may leave the scopes out where all that was asked for was given.
    reply.scope = reply.scope or " ".join(SCOPES[vendor.source])
    if vendor.source == "fitbit":  # the token's answer names the account
        if not reply.user_id:
            raise BadReply("fitbit: the token's answer names no account; consent again")
        scopes = frozenset(reply.scope.split())
        return grants.keep(request.participant_id, vendor.source, reply, reply.user_id, scopes)
    held = grants.hold(request.participant_id, vendor.source, reply)  # before it is used
    return _confirmed(grants, http, vendor, request.participant_id, held, patience)


def resume_consent(
    grants: Grants, http: httpx.Client, vendor: Vendor, participant_id: str,
    patience: Patience = PATIENCE,
) -> Grant | None:  # fmt: skip
    """The grant of a consent that broke off before its account was known; None without one.

    None also when the vendor no longer takes it: then the participant has to be asked again.
    """
    grant = grants.find(participant_id, vendor.source)
    if grant is None or grant.unconfirmed is None:
        return None
    try:
        return _confirmed(grants, http, vendor, participant_id, grant.unconfirmed, patience)
    except ConsentLost:
        grants.drop(grant)
        return None


def connect_headless(
    store: Store, source: str, participant_id: str, login_hint: str | None = None
) -> Grant:
    """Consent without a person, as the simulator gives it to whom `login_hint` names.

    A consent that broke off is finished instead of asking for another. The hint is the
    participant's own id unless given. Raises as `finish_consent` does.
    """
    with open_http() as http:
        grants, vendor = Grants(store.register, read_key(), http), read_vendor(source)
        if resumed := resume_consent(grants, http, vendor, participant_id):
            return resumed
        hint = login_hint or participant_id
        request = ask_consent(vendor, participant_id, HEADLESS_REDIRECT, hint)
        answer = PATIENCE.persist(lambda: _redirect(http, vendor, request.url))
        return finish_consent(grants, http, vendor, request, answer)


def _redirect(http: httpx.Client, vendor: Vendor, url: str) -> str:
    where = f"{vendor.source}: GET the consent page"
    response = send(http, where, "GET", url)
    if response.is_redirect:
        return response.headers["Location"]
    if response.is_success:
        raise Misconfigured(f"{where}: it wants a person; only the simulator does without")
    raise refusal(response, where)


def _code(request: ConsentRequest, callback_url: str) -> str:
    told = {name: values[0] for name, values in parse_qs(urlsplit(callback_url).query).items()}
    if not secrets.compare_digest(told.get("state", ""), request.state):
        raise Misconfigured(f"{request.source}: the answer is not to this request; start again")
    if "code" in told:
        return told["code"]
    match told.get("error"):  # RFC 6749, 4.1.2.1
        case "access_denied":
            raise ConsentLost(f"{request.source}: {request.participant_id} did not give consent")
        case "server_error" | "temporarily_unavailable":
            raise VendorDown(f"{request.source}: the consent page is not well; try again later")
    raise Misconfigured(f"{request.source}: the consent page refused what we asked; see our set-up")


def _confirmed(
    grants: Grants, http: httpx.Client, vendor: Vendor, participant_id: str, held: Given,
    patience: Patience,
) -> Grant:  # fmt: skip
    """The grant of a token on hold, once the vendor has said whose account it opens."""
    newest = held

    def refresh() -> str:
        nonlocal newest
        form = {"grant_type": "refresh_token", "refresh_token": newest.token.refresh_token}
        reply = ask_token(http, vendor, form)
        reply.scope = newest.scope  # a refresh may leave out what it gives
        newest = grants.hold(participant_id, vendor.source, reply, newest.token)
        return newest.token.access_token

    token = held.token.access_token
    client = VendorClient(http, vendor.source, vendor.url, token, refresh, patience)
    try:
        response = client.get("/v4/users/me/identity")  # names the account, here and at the old API
    except (ScopeMissing, NotLinked) as error:
        grants.refuse(participant_id, vendor.source, error)
        raise
    try:
        account = msgspec.json.decode(response.content, type=_Identity)
    except msgspec.ValidationError:
        raise BadReply(f"{vendor.source}: identity names no account; consent again") from None
    scopes = frozenset(newest.scope.split())
    return grants.keep(
        participant_id, vendor.source, newest, account.health_user_id, scopes,
        account.legacy_user_id or None,
    )  # fmt: skip
