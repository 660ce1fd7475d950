"""Grants at a scripted vendor, with a clock that a test sets."""

import base64
import json
import multiprocessing
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from cryptography.fernet import Fernet, MultiFernet
from support.google import HASTE, STUDY, vendor_at
from support.house import ROOT
from support.scripted import Says

from ingestion.grants import Grants
from ingestion.landing import land_roster
from ingestion.settings import SCOPES, Vendor
from ingestion.simulator.server import Served, serve
from ingestion.simulator.world import World
from ingestion.tokens import TokenReply
from warehouse.home import Store, find_home, open_store
from warehouse.study import EXAMPLE

KEY = base64.urlsafe_b64encode(b"k" * 32)  # the same in every process of a test
GIVEN_AT = datetime(2026, 2, 1, 6, tzinfo=UTC)
ALL = frozenset(SCOPES["google_health"])
OURS = (str(ROOT / "ingestion"), str(ROOT / "warehouse"))
KILLED = 77  # exit code of a process that was to die


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


@contextmanager
def at_the_simulator(
    folder: Path, patch: pytest.MonkeyPatch, participants: int = 8, public: str = "http://localhost"
) -> Iterator[tuple[Store, Served]]:
    """A study with a roster, whose vendors, clock and key are those of a pretend world."""
    world = World(STUDY, participants=participants, weeks=1, faults=False)
    with serve(world, hourly_limit=10**9, minute_limit=10**9) as served:
        for source in ("GOOGLE_HEALTH", "FITBIT"):
            vendor = vendor_at(served.url, source.lower())
            for name in ("url", "auth_url", "token_url", "client_id", "client_secret"):
                patch.setenv(f"STEPWELL_{source}_{name.upper()}", getattr(vendor, name))
        patch.setenv("STEPWELL_KEY", KEY.decode())
        patch.setenv("STEPWELL_PUBLIC_URL", public)
        patch.setenv("STEPWELL_CLOCK_URL", f"{served.url}/_emu/clock")
        patch.setenv("STEPWELL_HOME", str(folder))
        shutil.copy(EXAMPLE, folder / "study.toml")
        store = open_store(find_home())
        on = date(2026, 1, 20)
        person = {"site": "haifa", "timezone": "Asia/Jerusalem", "enrolled_on": on, "starts_on": on}
        ids = [one.participant_id for one in world.participants]
        land_roster(store, [{"participant_id": one, **person} for one in ids])
        yield store, served
        store.register.close()


def killed_at(line: int, work: Callable[[], object]) -> bool:
    """Do the work in a process that dies at the `line`-th line of ours; False when it got through.

    It dies as by `kill -9`: nothing is cleaned up, no transaction is ended, no lock let go.
    """
    process = multiprocessing.get_context("fork").Process(target=_dying, args=(line, work))
    process.start()
    process.join(60)
    assert process.exitcode in (0, KILLED), process.exitcode
    return process.exitcode == KILLED


def _dying(line: int, work: Callable[[], object]) -> None:
    reached = 0

    def trace(frame, event, _):
        nonlocal reached
        if not frame.f_code.co_filename.startswith(OURS):
            return None
        reached += event == "line"
        if reached == line:
            os._exit(KILLED)
        return trace

    sys.settrace(trace)
    work()
