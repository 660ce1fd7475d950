"""Asking a participant's consent: authorization code with PKCE and state, then identity.

request = ask_consent(vendor, participant_id, redirect_uri)   # send them to request.url
grant = finish_consent(grants, http, vendor, request, callback_url)
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import msgspec

from ingestion.errors import BadReply, ConsentLost, Misconfigured
from ingestion.grants import Grant, Grants, TokenReply, ask_token
from ingestion.http import PATIENCE, Patience, VendorClient, open_http, refusal, send
from ingestion.settings import SCOPES, Vendor, read_key, read_vendor
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
    they said no, Misconfigured when the answer is to another request, WrongAccount from storing.
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
    account = _account(http, vendor, reply, patience)
    scopes = frozenset(reply.scope.split())
    return grants.keep(request.participant_id, vendor.source, reply, account, scopes)


def connect_headless(
    store: Store, source: str, participant_id: str, login_hint: str | None = None
) -> Grant:
    """Consent without a person, as the simulator gives it to whom `login_hint` names.

    The hint is the participant's own id unless given. Raises as `finish_consent` does.
    """
    with open_http() as http:
        grants, vendor = Grants(store.register, read_key(), http), read_vendor(source)
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
    if "code" not in told:
        raise ConsentLost(f"{request.source}: {request.participant_id} did not give consent")
    return told["code"]


def _account(http: httpx.Client, vendor: Vendor, reply: TokenReply, patience: Patience) -> str:
    """The vendor's id of the account; legacy states it in the token's answer."""
    if vendor.source == "fitbit":
        if not reply.user_id:
            raise BadReply("fitbit: the token's answer names no account; consent again")
        return reply.user_id
    client = VendorClient(http, vendor.source, vendor.url, reply.access_token, patience=patience)
    response = client.get("/v4/users/me/identity")
    try:
        return msgspec.json.decode(response.content, type=_Identity).health_user_id
    except msgspec.ValidationError:
        raise BadReply(f"{vendor.source}: identity names no account; consent again") from None
