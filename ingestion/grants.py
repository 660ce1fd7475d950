"""A participant's permission to read their data: its state, and its token, encrypted at rest.

A token is never lost: the new pair is committed before anyone may use it, one process at a time
changes a grant, and whoever waited uses the pair that the first one stored.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import httpx
import sqlalchemy as sa
from cryptography.fernet import MultiFernet

from ingestion import clock, settings
from ingestion.errors import (
    ConsentLost,
    Misconfigured,
    Retired,
    ScopeMissing,
    SourceError,
    VendorDown,
    WrongAccount,
)
from ingestion.grant_rows import Grant, grant_of, lease_of, seal
from ingestion.grant_states import how_lost, loses_a_gain, next_step, state_after
from ingestion.http import PATIENCE, Patience, VendorClient
from ingestion.tokens import Given, Token, TokenReply, ask_token, given
from warehouse import register as reg
from warehouse.register import LeaseBusy, Register
from warehouse.tables.ops import CONNECTION_STATES

LEASE_WAIT_SECONDS = 45  # longer than one token request may take
_OF_AN_ACCOUNT = ("vendor_user_id", "scopes", "token", "expires_at")
_MARKS = ("synced_at", "first_asked_on", "landed_sync_at", "account_since")
FRESH_FOR = timedelta(minutes=5)  # a token with less left is renewed before it is used


class Grants:
    """The grants of a study. Threads may share it; processes and machines share the register.

    `requests` are those it sent to refresh tokens, by participant.
    """

    def __init__(
        self, register: Register, key: MultiFernet, http: httpx.Client,
        vendor: Callable[[str], settings.Vendor] = settings.read_vendor,
        now: Callable[[], datetime] = clock.now, patience: Patience = PATIENCE,
    ) -> None:  # fmt: skip
        self._register, self._key, self._http = register, key, http
        self._vendor, self._now, self._patience = vendor, now, patience
        self.requests: Counter[str] = Counter()

    def find(self, participant_id: str, source: str) -> Grant | None:
        """The grant, or None; Misconfigured when STEPWELL_KEY is not the key it was kept under."""
        rows = self._register.rows(sa.select(reg.grant).where(_is(participant_id, source)))
        return grant_of(rows[0], self._key) if rows else None

    def hold(
        self, participant_id: str, source: str, reply: TokenReply, old: Token | None = None
    ) -> Given:
        """Store a consent, durably, before its account is asked for; the grant stays as it is.

        `old` is the token that was refreshed to get this one; None for a new consent.
        """
        held = given(reply, self._now(), old)
        with self._leased(participant_id, source):
            before = self.find(participant_id, source)
            state, token = (before.state, before.token) if before else ("never_connected", None)
            self._put(participant_id, source, state, token=self._seal(token, held))
        return held

    def drop(self, grant: Grant) -> None:
        """Forget the grant's unconfirmed consent: the vendor no longer takes it."""
        with self._leased(grant.participant_id, grant.source):
            current = self._must_find(grant.participant_id, grant.source)
            if _consent(current.unconfirmed) == _consent(grant.unconfirmed):
                self._forget_held(current)

    def refuse(self, participant_id: str, source: str, error: SourceError) -> None:
        """Set the state that a consent on hold met; a grant that works goes on as it is.

        A consent without its permissions is forgotten; one whose account has no wearable yet is
        kept: `resume_consent` finishes it once the participant has set the device up.
        """
        with self._leased(participant_id, source):
            current = self._must_find(participant_id, source)
            if current.state != "active":
                self._note(current, error)
            if isinstance(error, ScopeMissing):
                self._forget_held(self._must_find(participant_id, source))

    def keep(
        self, participant_id: str, source: str, reply: TokenReply | Given, vendor_user_id: str,
        scopes: frozenset[str], legacy_user_id: str | None = None,
    ) -> Grant:  # fmt: skip
        """Store a new consent, durably; state active, or scope_missing where NEEDED is not met.

        `reply` is the token's answer, or what `hold` made of it; `legacy_user_id` is what the
        vendor says this account was at the legacy API. WrongAccount when the account is, or was
        there, another participant's, or not the one this participant gave: nothing of it is kept,
        and a grant that works goes on. VendorDown when the grant's lock hangs. A consent that gives
        less than the one before it is not asked for the days that have landed whole with that.
        """
        kept = reply if isinstance(reply, Given) else given(reply, self._now())
        state = "active" if settings.NEEDED[source] <= scopes else "scope_missing"
        facts: dict[str, Any] = {
            "vendor_user_id": vendor_user_id,
            "scopes": " ".join(sorted(scopes)),
        }
        facts |= {"token": self._seal(kept.token), "expires_at": kept.expires_at}
        with self._leased(participant_id, source):
            before = self.find(participant_id, source)
            if before and before.vendor_user_id not in (None, vendor_user_id):
                raise self._refuse_account(participant_id, source, "not the account given before")
            self._check_former(participant_id, source, legacy_user_id)
            if before and loses_a_gain(source, " ".join(before.scopes), facts["scopes"]):
                facts["account_since"] = reg.grant.c.landed_sync_at
            try:
                self._put(participant_id, source, state, **facts)
            except sa.exc.IntegrityError:
                what = "already connected to another participant"
                raise self._refuse_account(participant_id, source, what, taken=True) from None
            return self._must_find(participant_id, source)

    def client(self, grant: Grant) -> VendorClient:
        """HTTP in the name of the grant, its token refreshed when it is about to lapse."""
        fresh = self.renewed(grant)
        vendor, refresh = self._vendor(grant.source), self.refresher(fresh)
        token = _token(fresh).access_token
        return VendorClient(self._http, grant.source, vendor.url, token, refresh, self._patience)

    def refresher(self, grant: Grant) -> Callable[[], str]:
        """A function that gives a new access token, stored before it is returned."""
        newest = grant

        def refresh() -> str:
            nonlocal newest
            newest = self.refresh(newest)
            return _token(newest).access_token

        return refresh

    def renewed(self, grant: Grant) -> Grant:
        """The grant with a token good for minutes: itself when it is, else after a refresh."""
        if grant.expires_at and grant.expires_at - self._now() > FRESH_FOR:
            return grant
        return self._patience.persist(lambda: self.refresh(grant))

    def refresh(self, grant: Grant) -> Grant:
        """The grant with another access token than the one given.

        A token stored by somebody else in the meantime is used as it is. ConsentLost, and the
        state is set, when the vendor says the permission is gone; Transient when it says nothing
        clear: then the old pair stays.
        """
        with self._leased(grant.participant_id, grant.source):
            current = self._must_find(grant.participant_id, grant.source)
            return current if current.token != grant.token else self._refresh(current)

    def note(self, grant: Grant, error: SourceError) -> None:
        """Set the state that an error of this grant stands for; others leave it as it is.

        `grant` is the one whose token met the error, as it was found before it was used: when the
        participant has consented anew since, the error says nothing of that and is passed over.
        """
        with self._leased(grant.participant_id, grant.source):
            current = self._must_find(grant.participant_id, grant.source)
            if _consent(current) == _consent(grant):
                self._note(current, error)

    def mark(self, participant_id: str, source: str, state: str) -> None:
        """Set the state, with its next step, and its line in the audit trail."""
        assert state in CONNECTION_STATES, f"unknown state {state!r}"
        with self._leased(participant_id, source):
            self._put(participant_id, source, state)

    def release(
        self, participant_id: str, source: str, why: str, all_days: bool = False,
        who: str = "stepwell",
    ) -> Grant:  # fmt: skip
        """Let go of the account, so that the participant can connect another one.

        Days that have landed whole stay; the next account is asked from the day after them on.
        With `all_days` the account was never theirs: the next one is asked for every day, and its
        word replaces what had landed. Misconfigured where there is no grant.
        """
        with self._leased(participant_id, source):
            before = self._must_find(participant_id, source)
            facts: dict[str, Any] = dict.fromkeys(_OF_AN_ACCOUNT)
            landed = reg.grant.c.landed_sync_at
            facts |= dict.fromkeys(_MARKS) if all_days else {"account_since": landed}
            subject = f"{participant_id} {source}"
            self._register.record(who, "account released", self._now(), subject, why=why)
            state = before.state if before.state == "retired" else "wrong_account"
            self._put(participant_id, source, state, **facts)
            return self._must_find(participant_id, source)

    @contextlib.contextmanager
    def _leased(self, participant_id: str, source: str) -> Iterator[None]:
        """Hold the grant's one lock; it cannot be taken twice, so nothing inside may take it."""
        try:
            with self._register.leased(lease_of(participant_id, source), LEASE_WAIT_SECONDS):
                yield
        except LeaseBusy:
            raise VendorDown(f"{source}: another worker's token refresh hangs") from None

    def _note(self, grant: Grant, error: SourceError) -> None:
        self._put(grant.participant_id, grant.source, state_after(grant.state, error))

    def _refresh(self, grant: Grant) -> Grant:
        old = _token(grant)
        form = {"grant_type": "refresh_token", "refresh_token": old.refresh_token}
        self.requests[grant.participant_id] += 1
        try:
            reply = ask_token(self._http, self._vendor(grant.source), form)
        except ConsentLost:
            state = how_lost(grant.source, old.granted_at, self._now())
            self._put(grant.participant_id, grant.source, state)
            raise
        except Retired as error:
            self._note(grant, error)
            raise
        fresh = given(reply, self._now(), old)
        facts = {"token": self._seal(fresh.token, grant.unconfirmed)}
        # The state stays: a refresh proves no more than that the account can still be opened.
        self._put(
            grant.participant_id, grant.source, grant.state, **facts, expires_at=fresh.expires_at
        )
        return self._must_find(grant.participant_id, grant.source)

    def _check_former(self, participant_id: str, source: str, legacy_user_id: str | None) -> None:
        """The mapping of identities: who moves from the legacy API moves with their own account."""
        if legacy_user_id is None:
            return
        former = reg.grant.c
        query = sa.select(former.participant_id, former.vendor_user_id).where(
            former.source == "fitbit",
            (former.participant_id == participant_id) | (former.vendor_user_id == legacy_user_id),
        )
        known = {row["participant_id"]: row["vendor_user_id"] for row in self._register.rows(query)}
        if known.pop(participant_id, None) not in (None, legacy_user_id):
            what = "not the one of their legacy Fitbit connection"
            raise self._refuse_account(participant_id, source, what)
        if known:
            what = "connected to another participant at the legacy Fitbit API"
            raise self._refuse_account(participant_id, source, what, taken=True)

    def _refuse_account(
        self, participant_id: str, source: str, what: str, taken: bool = False
    ) -> WrongAccount:
        """The error; a grant that works stays so: a stray sign-in must not stop its pulling."""
        subject = f"{participant_id} {source}"
        self._register.record("stepwell", "account refused", self._now(), subject, why=what)
        before = self.find(participant_id, source)
        if before and before.unconfirmed:
            self._forget_held(before)
        if not (before and before.state == "active"):
            self._put(participant_id, source, "wrong_account")
        message = f"{source}: the account signed in with is {what}; nothing was stored"
        return WrongAccount(message, taken)

    def _put(self, participant_id: str, source: str, state: str, **facts: Any) -> None:
        where, now = _is(participant_id, source), self._now()
        with self._register.begin() as con:
            columns = (reg.grant.c.state, reg.grant.c.scopes)
            before, scopes = con.execute(sa.select(*columns).where(where)).first() or (None, None)
            if before != state:
                facts |= {"state": state, "since": now}
            if before != state or "scopes" in facts:
                facts["next_step"] = next_step(source, state, facts.get("scopes", scopes))
            if before is None:
                row = {"participant_id": participant_id, "source": source, **facts}
                con.execute(sa.insert(reg.grant), row)
            elif facts:
                con.execute(sa.update(reg.grant).where(where).values(facts))
        if before != state:
            subject = f"{participant_id} {source}"
            self._register.record("stepwell", "grant state", now, subject, before or "", state)

    def _forget_held(self, grant: Grant) -> None:
        sealed = self._seal(grant.token)
        self._put(grant.participant_id, grant.source, grant.state, token=sealed)

    def _seal(self, token: Token | None, held: Given | None = None) -> bytes | None:
        return seal(self._key, token, held)

    def _must_find(self, participant_id: str, source: str) -> Grant:
        found = self.find(participant_id, source)
        if found is None:
            raise Misconfigured(f"{source}: {participant_id} has no grant; `stepwell connect` them")
        return found


def _token(grant: Grant) -> Token:
    if grant.token is None:
        raise ConsentLost(f"{grant.source}: {grant.participant_id} never gave a token; reconnect")
    return grant.token


def _consent(held: Grant | Given | None) -> str | None:
    return held.token.consent if held and held.token else None


def _is(participant_id: str, source: str) -> sa.ColumnElement[bool]:
    return sa.and_(reg.grant.c.participant_id == participant_id, reg.grant.c.source == source)
