"""Tokens: what a vendor answers when it gives one, and what is kept of that."""

from __future__ import annotations

import base64
import secrets
from datetime import datetime, timedelta
from urllib.parse import urljoin

import httpx
import msgspec

from ingestion import settings
from ingestion.errors import BadReply, ConsentLost
from ingestion.http import checked, refusal, send

LONGEST_SECONDS = 366 * 86_400  # no access token is believed to last longer


class TokenReply(msgspec.Struct):
    """A token endpoint's answer; Google's refresh has no new refresh_token."""

    access_token: str
    expires_in: int = 3600
    refresh_token: str = ""
    scope: str = ""
    user_id: str = ""  # legacy only


class Token(msgspec.Struct, frozen=True):
    """What opens an account. `granted_at`: when the participant consented; `consent` tells one
    consent from the next, and stays through every refresh."""

    access_token: str
    refresh_token: str
    granted_at: datetime
    consent: str = ""

    def __repr__(self) -> str:
        return "Token(...)"


class Given(msgspec.Struct, frozen=True):
    """A token as it was given: with the permissions, space separated, and when it lapses."""

    token: Token
    scope: str
    expires_at: datetime


def given(reply: TokenReply, now: datetime, old: Token | None = None) -> Given:
    """What an answer gives: of the same consent as `old` when that was refreshed, else a new one.

    A refresh without a refresh token leaves the old one good.
    """
    expires_at = now + timedelta(seconds=min(max(reply.expires_in, 0), LONGEST_SECONDS))
    if old is None:
        token = Token(reply.access_token, reply.refresh_token, now, secrets.token_hex(8))
    else:
        refresh_token = reply.refresh_token or old.refresh_token
        token = Token(reply.access_token, refresh_token, old.granted_at, old.consent)
    return Given(token, reply.scope, expires_at)


def ask_token(http: httpx.Client, vendor: settings.Vendor, form: dict[str, str]) -> TokenReply:
    """One POST to the token endpoint, asked in the vendor's own way; raises SourceError."""
    where = f"{vendor.source}: POST to the token endpoint"
    form, headers = _signed(vendor, form)
    response = send(http, where, "POST", vendor.token_url, data=form, headers=headers)
    try:
        return msgspec.json.decode(checked(response, where).content, type=TokenReply, strict=False)
    except msgspec.ValidationError:
        raise BadReply(f"{where}: the answer holds no token; it will be asked again") from None


def revoke_token(http: httpx.Client, vendor: settings.Vendor, token: Token) -> None:
    """End a consent at the vendor (RFC 7009); ConsentLost when it had ended, else SourceError."""
    where = f"{vendor.source}: POST to revoke a token"
    form, headers = _signed(vendor, {"token": token.refresh_token})
    url = urljoin(vendor.token_url, "revoke")  # beside the token endpoint, at both vendors
    response = send(http, where, "POST", url, data=form, headers=headers)
    if response.status_code == 400:  # Google: invalid_token; Fitbit: a token it does not know
        raise ConsentLost(f"{where} answered 400: there is no such consent any more")
    if not response.is_success:
        raise refusal(response, where)


def _signed(vendor: settings.Vendor, form: dict[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """The form and headers that say who we are: Fitbit wants Basic, Google both in the form."""
    if vendor.source == "fitbit":
        pair = f"{vendor.client_id}:{vendor.client_secret}".encode()
        return form, {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}
    return {**form, "client_id": vendor.client_id, "client_secret": vendor.client_secret}, {}
