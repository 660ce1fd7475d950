"""A grant as it stands in the register, its token sealed there."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec
from cryptography.fernet import InvalidToken, MultiFernet

from ingestion.errors import Misconfigured
from ingestion.tokens import Given, Token


class _Sealed(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True):
    """What is encrypted in the register: the token in use, and one not yet confirmed."""

    token: Token | None = None
    unconfirmed: Given | None = None


@dataclass(frozen=True)
class Grant:
    """A participant's grant for one source, as it stands in the register.

    `token` is None where there never was one. `next_step` says what to do; None when nothing.
    `unconfirmed` is a later consent that `consent.resume_consent` has yet to finish.
    """

    participant_id: str
    source: str
    state: str
    next_step: str | None
    vendor_user_id: str | None = field(repr=False)
    scopes: frozenset[str]
    expires_at: datetime | None
    token: Token | None = field(repr=False)
    unconfirmed: Given | None = field(repr=False, default=None)

    @property
    def lease(self) -> str:
        return lease_of(self.participant_id, self.source)


def lease_of(participant_id: str, source: str) -> str:
    """The name of the one lock under which a participant's grant may be changed."""
    return f"grant {source} {participant_id}"


def seal(key: MultiFernet, token: Token | None, held: Given | None) -> bytes | None:
    """What the register keeps of a token in use and one on hold; None without either."""
    if token is None and held is None:
        return None
    return key.encrypt(msgspec.json.encode(_Sealed(token, held)))


def grant_of(row: dict[str, Any], key: MultiFernet) -> Grant:
    """The grant of a row of the register; Misconfigured when it was sealed under another key."""
    sealed = _Sealed()
    if row["token"]:
        try:
            sealed = msgspec.json.decode(key.decrypt(row["token"]), type=_Sealed)
        except InvalidToken:
            raise Misconfigured("STEPWELL_KEY is not the key of the grants kept") from None
    names = ("participant_id", "source", "state", "next_step", "vendor_user_id", "expires_at")
    scopes = frozenset((row["scopes"] or "").split())
    facts = {name: row[name] for name in names}
    return Grant(**facts, scopes=scopes, token=sealed.token, unconfirmed=sealed.unconfirmed)
