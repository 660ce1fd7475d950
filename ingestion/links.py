"""Links that ask participants for consent, and the consents begun from them.

What is secret in a link or a consent (its token, its state) is in the register only as a hash;
what is needed to finish a consent is there encrypted. A link is good until the participant is
connected or it expires; a consent is good for one answer.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import msgspec
import sqlalchemy as sa
from cryptography.fernet import InvalidToken, MultiFernet

from ingestion import clock
from ingestion.consent import ConsentRequest
from ingestion.errors import Misconfigured
from warehouse import register as reg
from warehouse.register import Register

LINK_LASTS = timedelta(days=14)
# Signing in may need a password to be found; the vendor's own code lasts ten minutes after that.
REQUEST_LASTS = timedelta(minutes=30)
PATH = "/connect"
CALLBACK = f"{PATH}/back"


@dataclass(frozen=True)
class Link:
    """A link as it stands: whom it asks, and whether it has done its work."""

    participant_id: str
    source: str
    expires_at: datetime
    used: bool


class _Pending(msgspec.Struct, forbid_unknown_fields=True):
    """What is encrypted: the link a consent was begun from, and what finishing it needs."""

    token: str
    request: ConsentRequest


class Links:
    """The links of a study, in its register."""

    def __init__(
        self, register: Register, key: MultiFernet, now: Callable[[], datetime] = clock.now
    ) -> None:
        self._register, self._key, self._now = register, key, now

    def make(self, participant_id: str, source: str, who: str = "stepwell") -> str:
        """The token of a new link; an older one of the same participant and source ends.

        Misconfigured when the participant is not on the roster, or has withdrawn.
        """
        if ended := self._withdrew_on(participant_id):
            raise Misconfigured(f"{participant_id} withdrew on {ended}: nobody may ask them again")
        token, now, link = secrets.token_urlsafe(16), self._now(), reg.consent_link
        older = (link.c.participant_id == participant_id) & (link.c.source == source)
        row = {"participant_id": participant_id, "source": source, "expires_at": now + LINK_LASTS}
        with self._register.begin() as con:
            con.execute(sa.delete(link).where(older | (link.c.expires_at <= now)))
            con.execute(sa.insert(link), {"link_hash": _hash(token), **row})
        self._register.record(who, "consent link", now, f"{participant_id} {source}")
        return token

    def find(self, token: str) -> Link | None:
        """The link, used or not; None when it has expired or its participant withdrawn."""
        link = reg.consent_link
        columns = (link.c.participant_id, link.c.source, link.c.expires_at, link.c.used_at)
        where = (link.c.link_hash == _hash(token)) & (link.c.expires_at > self._now())
        for row in self._register.rows(sa.select(*columns).where(where)):
            used = row.pop("used_at") is not None
            return None if self._withdrew_on(row["participant_id"]) else Link(**row, used=used)
        return None

    def begin(self, token: str, request: ConsentRequest) -> None:
        """Keep a consent that the participant is now asked for; those that ran out go."""
        now, table = self._now(), reg.consent_request
        sealed = self._key.encrypt(msgspec.json.encode(_Pending(token, request)))
        row = {"sealed": sealed, "expires_at": now + REQUEST_LASTS}
        with self._register.begin() as con:
            con.execute(sa.delete(table).where(table.c.expires_at <= now))
            con.execute(sa.insert(table), {"state_hash": _hash(request.state), **row})

    def take(self, state: str) -> tuple[str, ConsentRequest] | None:
        """The link's token and the consent that `state` is of, once; None when there is none.

        None also where its link is used or gone by now, or its key is.
        """
        table = reg.consent_request
        where = table.c.state_hash == _hash(state)
        found = self._register.rows(sa.select(table).where(where))
        with self._register.begin() as con:
            taken = con.execute(sa.delete(table).where(where)).rowcount
        if not (found and taken) or found[0]["expires_at"] <= self._now():
            return None
        pending = self._opened(found[0]["sealed"])
        link = self.find(pending.token) if pending else None
        return (pending.token, pending.request) if pending and link and not link.used else None

    def close(self, token: str) -> None:
        """The link has done its work."""
        link = reg.consent_link
        with self._register.begin() as con:
            mine = link.c.link_hash == _hash(token)
            con.execute(sa.update(link).where(mine).values(used_at=self._now()))

    def forget(self, participant_id: str) -> None:
        """End every link of a participant, and every consent begun from one."""
        link, begun = reg.consent_link, reg.consent_request
        states = [
            row["state_hash"]
            for row in self._register.rows(sa.select(begun))
            if (request := self._opened(row["sealed"])) is None
            or request.request.participant_id == participant_id
        ]
        with self._register.begin() as con:
            con.execute(sa.delete(link).where(link.c.participant_id == participant_id))
            con.execute(sa.delete(begun).where(begun.c.state_hash.in_(states)))

    def _opened(self, sealed: bytes) -> _Pending | None:
        """What a begun consent holds; None when its key is gone."""
        try:
            return msgspec.json.decode(self._key.decrypt(sealed), type=_Pending)
        except InvalidToken:
            return None

    def _withdrew_on(self, participant_id: str) -> date | None:
        """The day of a withdrawal that has come; Misconfigured for who is not on the roster."""
        one = reg.participant.c
        query = sa.select(one.withdrawn_on).where(one.participant_id == participant_id)
        rows = self._register.rows(query)
        if not rows:
            raise Misconfigured(
                f"{participant_id} is not on the roster; mend the id, or fetch the roster first "
                "(`stepwell pull questionnaires`)"
            )
        ended: date | None = rows[0]["withdrawn_on"]
        return ended if ended and ended <= self._now().date() else None


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
