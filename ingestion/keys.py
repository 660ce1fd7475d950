"""Changing STEPWELL_KEY: every grant sealed anew under the first of its keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from ingestion.grant_rows import lease_of
from ingestion.grants import LEASE_WAIT_SECONDS
from warehouse import register as reg
from warehouse.register import LeaseBusy, Register


@dataclass
class Rotated:
    """How many grants: sealed anew, under the first key already, that no key opens, in use."""

    sealed: int = 0
    before: int = 0
    unreadable: int = 0
    busy: int = 0

    @property
    def done(self) -> bool:
        """Whether every grant is under the first key, so that the others may go."""
        return not (self.unreadable or self.busy)


def rotate_keys(register: Register, keys: Sequence[Fernet]) -> Rotated:
    """Seal every grant under the first key, one at a time, each under its lock.

    Broken off, it is run again: what is under the first key already is left alone.
    """
    query = sa.select(reg.grant.c.participant_id, reg.grant.c.source)
    rotated = Rotated()
    for row in register.rows(query.where(reg.grant.c.token.is_not(None))):
        who = (row["participant_id"], row["source"])
        try:
            with register.leased(lease_of(*who), LEASE_WAIT_SECONDS):
                what = _rotate(register, keys, *who)
        except LeaseBusy:
            what = "busy"
        setattr(rotated, what, getattr(rotated, what) + 1)
    _rotate_secrets(register, keys, rotated)
    return rotated


def _rotate_secrets(register: Register, keys: Sequence[Fernet], rotated: Rotated) -> None:
    """The same for the secrets that the study made for itself."""
    for row in register.rows(sa.select(reg.secret)):
        if _opens(keys[0], row["sealed"]):
            rotated.before += 1
            continue
        try:
            anew = MultiFernet(keys).rotate(row["sealed"])
        except InvalidToken:
            rotated.unreadable += 1
            continue
        with register.begin() as con:
            mine = reg.secret.c.name == row["name"]
            con.execute(sa.update(reg.secret).where(mine).values(sealed=anew))
        rotated.sealed += 1


def _rotate(register: Register, keys: Sequence[Fernet], participant_id: str, source: str) -> str:
    where = (reg.grant.c.participant_id == participant_id) & (reg.grant.c.source == source)
    sealed = register.rows(sa.select(reg.grant.c.token).where(where))[0]["token"]
    if sealed is None or _opens(keys[0], sealed):
        return "before"
    try:
        anew = MultiFernet(keys).rotate(sealed)
    except InvalidToken:
        return "unreadable"
    with register.begin() as con:
        con.execute(sa.update(reg.grant).where(where).values(token=anew))
    return "sealed"


def _opens(key: Fernet, sealed: bytes) -> bool:
    try:
        key.decrypt(sealed)
    except InvalidToken:
        return False
    return True
