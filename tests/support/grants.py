"""Grants at a scripted vendor, with a clock that a test sets."""

import base64
import json
from datetime import UTC, datetime

from cryptography.fernet import Fernet, MultiFernet
from support.google import HASTE
from support.scripted import Says

from ingestion.grants import Grants
from ingestion.settings import SCOPES, Vendor
from ingestion.tokens import TokenReply

KEY = base64.urlsafe_b64encode(b"k" * 32)  # the same in every process of a test
GIVEN_AT = datetime(2026, 2, 1, 6, tzinfo=UTC)
ALL = frozenset(SCOPES["google_health"])


class Clock:
    def __init__(self):
        self.at = GIVEN_AT

    def __call__(self):
        return self.at


def grants_at(url, register, http, now, source="google_health"):
    vendor = Vendor(source, url, f"{url}/auth", f"{url}/token", "ours", "hush")
    return Grants(register, MultiFernet([Fernet(KEY)]), http, lambda _: vendor, now, HASTE)


def given(grants, participant_id="P001", account="111", source="google_health", scopes=ALL):
    reply = TokenReply("access-1", 3600, "refresh-1")
    return grants.keep(participant_id, source, reply, account, scopes)


def token_says(access="access-2", refresh=None, expires_in=3600):
    more = {"refresh_token": refresh} if refresh else {}
    body = {"access_token": access, "expires_in": expires_in, **more}
    return Says(body=json.dumps(body).encode())
