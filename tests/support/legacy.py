"""Legacy Fitbit for tests: bodies typed by hand, and a served world with grants at it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet, MultiFernet
from support.google import HASTE, Simulated, simulated, vendor_at

from ingestion.grants import Grant, Grants
from ingestion.source import Ask, Reply, Window
from ingestion.sources._legacy import LegacyClient
from warehouse.study import EXAMPLE, read_study

NOW = datetime(2026, 3, 28, 9, 0, tzinfo=UTC)
PROFILE = {
    "user": {"encodedId": "B7K2QX", "displayName": "A Name", "timezone": "Asia/Jerusalem",
             "dateOfBirth": "1971-01-01", "offsetFromUTCMillis": 7200000},
}  # fmt: skip
INSPIRE = {
    "battery": "Medium", "batteryLevel": 54, "deviceVersion": "Inspire 3", "features": [],
    "id": "2710001", "lastSyncTime": "2026-03-26T21:07:41.000", "mac": "AABBCCDDEEFF",
    "type": "TRACKER",
}  # fmt: skip
ZIP = INSPIRE | {"deviceVersion": "Zip", "id": "2710002"}


def ask(first: date, last: date, **more: Any) -> Ask:
    return Ask(read_study(EXAMPLE), NOW, "P001", "Europe/London", Window(first, last), **more)


def reply(data_type: str, body: object, on: date | None = None, status: int = 200) -> Reply:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    window = Window(on, on) if on else None
    return Reply("fitbit", "P001", data_type, "GET /", NOW, status, "application/json", raw, window)


def legacy_client(world: Simulated, grant: Grant) -> LegacyClient:
    """A client of the served world in the name of a grant."""
    fresh = world.grants.renewed(grant)
    assert fresh.token is not None
    return LegacyClient(
        fresh.token.access_token, world.grants.refresher(fresh), endpoint=world.served.url,
        account=fresh.vendor_user_id, now=world.served.now, patience=HASTE,
    )  # fmt: skip


@contextmanager
def both_vendors(folder: Path, participants: int, weeks: int) -> Iterator[Simulated]:
    """A served world in which everybody who connects does so at both vendors, at its beginning."""
    with simulated(folder, participants=participants, weeks=weeks) as google:
        vendors = {name: vendor_at(google.served.url, name) for name in ("google_health", "fitbit")}
        key = MultiFernet([Fernet(Fernet.generate_key())])
        google.grants = Grants(
            google.register, key, google.http, vendors.__getitem__, google.served.now, HASTE
        )
        for one in google.served.simulator.world.participants:
            for vendor in vendors.values() if one.connects else ():
                replace(google, vendor=vendor).consent(one.participant_id)
        yield google
