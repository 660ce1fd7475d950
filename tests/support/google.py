"""Google Health for tests: bodies typed by hand, and the simulator with grants on it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import httpx
from cryptography.fernet import Fernet, MultiFernet

from ingestion.consent import HEADLESS_REDIRECT, ask_consent, finish_consent
from ingestion.grants import Grant, Grants
from ingestion.http import Patience, open_http
from ingestion.settings import Vendor
from ingestion.simulator.oauth import CLIENT_ID, CLIENT_SECRET
from ingestion.simulator.server import Served, serve
from ingestion.simulator.world import World
from ingestion.source import Ask, Reply, Window
from warehouse.register import Register
from warehouse.study import EXAMPLE, read_study

STUDY = read_study(EXAMPLE)
NOW = datetime(2026, 4, 20, 6, tzinfo=UTC)
HASTE = Patience(sleep=lambda seconds: None)


def ask(
    first_on: str = "2026-03-01", last_on: str = "2026-04-20", *, timezone: str | None = None,
    synced_before: datetime | None = None, now: datetime = NOW, participant_id: str = "P001",
) -> Ask:  # fmt: skip
    """What is asked of P001 for the local days of a window."""
    window = Window(date.fromisoformat(first_on), date.fromisoformat(last_on))
    return Ask(STUDY, now, participant_id, timezone, window, synced_before)


def reply(data_type: str, body: Any, *, at: datetime = NOW, status: int = 200) -> Reply:
    """A reply with a body given as JSON or as what becomes JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = f"GET /{data_type}"
    return Reply("google_health", "P001", data_type, request, at, status, "", content)


def settings(zone: str = "Asia/Jerusalem") -> Reply:
    return reply("settings", {"timeZone": zone, "utcOffset": "7200s"})


def point(
    start: str, count: Any = None, offset: str | None = "7200s", end: str | None = None
) -> Any:
    """A step point; a count of None is left out, as the vendor leaves out zeros."""
    interval = {"startTime": start, "startUtcOffset": offset, "endTime": end}
    steps: dict[str, Any] = {"interval": {k: v for k, v in interval.items() if v is not None}}
    return {"steps": steps if count is None else {**steps, "count": count}}


def steps(*points: Any, at: datetime = NOW) -> Reply:
    return reply("steps", {"dataPoints": list(points)}, at=at)


def total(day: str, count: Any, at: datetime = NOW) -> Reply:
    year, month, number = map(int, day.split("-"))
    start = {"date": {"year": year, "month": month, "day": number}, "time": {}}
    value = {} if count is None else {"countSum": count}
    return reply(
        "daily-steps", {"rollupDataPoints": [{"civilStartTime": start, "steps": value}]}, at=at
    )


def beats(*starts: str, average: Any = 71.5) -> Reply:
    value = {} if average is None else {"beatsPerMinuteAvg": average}
    points = [{"startTime": start, "heartRate": value} for start in starts]
    return reply("heart-rate", {"rollupDataPoints": points})


@dataclass
class Simulated:
    """A running simulator, and a study's grants on it."""

    served: Served
    vendor: Vendor
    register: Register
    grants: Grants
    http: httpx.Client

    def consent(self, participant_id: str, account: str | None = None) -> Grant:
        """The participant consents; with `account`, signed in as somebody else."""
        request = ask_consent(
            self.vendor, participant_id, HEADLESS_REDIRECT, account or participant_id
        )
        answer = self.http.get(request.url).headers["Location"]
        return finish_consent(self.grants, self.http, self.vendor, request, answer, HASTE)

    def arm(self, fault: str, path: str = "/v4/", times: int = 1, **args: Any) -> None:
        """Arm a fault for the next requests to `path`."""
        spec = {"match": {"path": path}, "times": times, "fault": fault, "args": args}
        assert self.http.post(f"{self.served.url}/_emu/faults", json=spec).status_code == 200

    def asked(self, path: str = "") -> int:
        """How many requests to paths that hold `path` the simulator has had."""
        log = self.http.get(f"{self.served.url}/_emu/log").json()["requests"]
        return sum(row["count"] for row in log if path in row["path"])


@contextmanager
def simulated(
    folder: Path, source: str = "google_health", participants: int = 8, weeks: int = 1
) -> Iterator[Simulated]:
    """A small world without unasked faults, served; the register is in `folder`."""
    world = World(STUDY, participants=participants, weeks=weeks, faults=False)
    register = Register(f"sqlite:///{folder}/register.sqlite")
    with serve(world) as served, open_http() as http:
        vendor = vendor_at(served.url, source)
        key = MultiFernet([Fernet(Fernet.generate_key())])
        grants = Grants(register, key, http, lambda _: vendor, served.now, HASTE)
        yield Simulated(served, vendor, register, grants, http)
    register.close()


def vendor_at(url: str, source: str = "google_health") -> Vendor:
    """The vendor of `source` at a simulator's address."""
    paths = {
        "google_health": ("/o/oauth2/v2/auth", "/token"),
        "fitbit": ("/oauth2/authorize", "/oauth2/token"),
    }
    auth, token = (url + path for path in paths[source])
    return Vendor(source, url, auth, token, CLIENT_ID, CLIENT_SECRET)
