"""Who was erased must not come back: a tombstone by keyed hash, asked before anything is stored.

The key is made once for the study and kept sealed with STEPWELL_KEY, so that neither the register
alone nor a list of pseudonyms tells who was erased. While nobody was, no key is needed.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

import sqlalchemy as sa
from cryptography.fernet import InvalidToken

from ingestion.errors import Misconfigured
from ingestion.settings import read_key
from ingestion.source import Reading
from warehouse import register as reg
from warehouse.register import Register

T = TypeVar("T")
KEY_NAME = "erasure key"
KEY_BYTES = 32


def hash_of(register: Register, participant_id: str) -> str:
    """The keyed hash that stands for an erased participant; Misconfigured without the key."""
    return _digest(_key(register), participant_id)


def erased_among(register: Register, participants: Iterable[str]) -> set[str]:
    """Those of `participants` who were erased, or are being erased.

    Misconfigured where somebody was and STEPWELL_KEY does not open the key of the hashes.
    """
    asked = set(participants)
    if not asked:
        return set()
    known = {row["participant_hash"] for row in register.rows(sa.select(reg.erasure))}
    if not known:
        return set()
    key = _key(register)
    return {one for one in asked if _digest(key, one) in known}


def without_erased(register: Register, reading: Reading) -> Reading:
    """The reading without rows, days, devices and counts of anybody who was erased."""
    gone = erased_among(register, people_in(reading))
    if not gone:
        return reading
    return replace(
        reading,
        days=[day for day in reading.days if day.participant_id not in gone],
        devices=[one for one in reading.devices if one.participant_id not in gone],
        rows={
            table: [row for row in rows if row["participant_id"] not in gone]
            for table, rows in reading.rows.items()
        },
        counts_of=_but(reading.counts_of, gone),
        covered_to=_but(reading.covered_to, gone),
        first_full_day=_but(reading.first_full_day, gone),
    )


def but_erased(register: Register, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Roster rows without those of anybody who was erased."""
    gone = erased_among(register, (row["participant_id"] for row in rows))
    return [row for row in rows if row["participant_id"] not in gone]


def people_in(reading: Reading) -> set[str]:
    """Everybody of whom a reading tells anything."""
    found = {one.participant_id for part in (reading.days, reading.devices) for one in part}
    found |= {row["participant_id"] for rows in reading.rows.values() for row in rows}
    for told in (reading.counts_of, reading.covered_to, reading.first_full_day):
        found |= told.keys()
    return found


def mark_erased(register: Register, participant_id: str, now: datetime, removed: str) -> str:
    """Set the tombstone, durably; what was `removed` stays as it was first said. Returns the hash.

    Whoever sets the first also makes the key.
    """
    digest = hash_of(register, participant_id)
    if not _tombstone(register, digest):
        row = {"participant_hash": digest, "begun_at": now, "removed": removed}
        register.put(reg.erasure, [row])
    return digest


def find_erasure(register: Register, participant_id: str) -> dict[str, Any] | None:
    """The tombstone of a participant, or None."""
    if not register.rows(sa.select(reg.erasure.c.begun_at).limit(1)):
        return None
    found = _tombstone(register, hash_of(register, participant_id))
    return found[0] if found else None


def _tombstone(register: Register, digest: str) -> list[dict[str, Any]]:
    mine = reg.erasure.c.participant_hash == digest
    return register.rows(sa.select(reg.erasure).where(mine))


def _but(told: Mapping[str, T], gone: Collection[str]) -> dict[str, T]:
    return {who: one for who, one in told.items() if who not in gone}


def _key(register: Register) -> bytes:
    """The key of the hashes, made on first use."""
    for _ in range(2):
        query = sa.select(reg.secret.c.sealed).where(reg.secret.c.name == KEY_NAME)
        if rows := register.rows(query):
            try:
                return read_key().decrypt(rows[0]["sealed"])
            except InvalidToken:
                raise Misconfigured(
                    "STEPWELL_KEY does not open this study's erasure key; add the key it was "
                    "sealed with (`stepwell keys rotate` seals it anew)"
                ) from None
        sealed = read_key().encrypt(secrets.token_bytes(KEY_BYTES))
        with register.begin() as con:  # of two that make one at once, the first holds
            con.execute(
                reg.insert_into(con, reg.secret)
                .values(name=KEY_NAME, sealed=sealed)
                .on_conflict_do_nothing(index_elements=["name"])
            )
    raise AssertionError("the key was just written")


def _digest(key: bytes, participant_id: str) -> str:
    return hmac.new(key, participant_id.encode(), hashlib.sha256).hexdigest()
