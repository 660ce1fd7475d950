"""Pulls of one participant through a client whose waits are kept, to be compared with one another.

with faulted(folder, "google_health") as world:
    plain = world.pull()
    world.arm("503", "/dataPoints", times=2)
    assert world.pull().days == plain.days
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx
from support.google import STUDY, Simulated, simulated

from ingestion.grants import Grant
from ingestion.http import Patience, VendorClient, open_http
from ingestion.source import ActivityDay, Ask, Reading, Window, source_named
from ingestion.sources._legacy import LegacyClient

DAYS = 3
WHO = "P001"  # steady, with heart rate, and a sync every day
QUICK = 0.4  # seconds: how long a client waits for a reply that never comes


@dataclass
class Pull:
    """What came of a pull; `days` are the facts of each day without where they came from."""

    reading: Reading
    requests: int
    waits: list[float]

    @property
    def days(self) -> dict[date, tuple[Any, ...]]:
        return {day.activity_date: facts(day) for day in self.reading.days}

    def counted(self, data_type: str) -> tuple[int, dict[str, int]]:
        """(landed, rejections), once it is sure that none was lost."""
        count = self.reading.counts[data_type]
        assert count.received == count.landed + count.rejected
        return count.landed, count.rejections


def facts(day: ActivityDay) -> tuple[Any, ...]:
    """Minutes, counts, wear, the vendor's total and the length of a day."""
    arrays = (day.step_minute, day.step_count, day.wear_start, day.wear_length)
    kept = (day.vendor_steps, day.wear_method, day.day_minutes, day.day_start_at)
    return (*(array.tolist() for array in arrays), *kept)


@dataclass
class Faulted:
    """A served world in which WHO has consented and whose weeks are over."""

    world: Simulated
    source: str
    waits: list[float] = field(default_factory=list)
    requests: int = 0  # of the last pull, one that ended in an error too

    def grant(self) -> Grant:
        found = self.world.grants.find(WHO, self.source)
        assert found is not None
        return found

    def arm(self, fault: str, path: str = "", times: int = 1, **args: Any) -> None:
        """Arm a fault that befalls this source alone."""
        personality = "google" if self.source == "google_health" else "fitbit"
        spec = {"match": {"path": path, "personality": personality}, "times": times,
                "fault": fault, "args": args}  # fmt: skip
        url = f"{self.world.served.url}/_emu/faults"
        reply = self.world.http.post(url, json=spec)
        assert reply.status_code == 200, reply.text

    def disarm(self) -> None:
        """Let no armed fault befall anybody any more."""
        self.world.served.simulator.state._write("DELETE FROM fault")

    def given(self) -> int:
        """How many faults have been given."""
        rows = self.world.http.get(f"{self.world.served.url}/_emu/log").json()["requests"]
        return sum(row["count"] for row in rows if row["fault"])

    def pull(
        self, days: int = DAYS, timeout: float = 30.0, first: date | None = None, **more: Any
    ) -> Pull:
        """Fetch and read days of WHO, from the first of their study; raises errors.SourceError."""
        self.waits, source = [], source_named(self.source)
        first = first or self.world.served.simulator.world.participants[0].starts_on
        window = Window(first, first + timedelta(days=days - 1))
        now = self.world.served.now()
        asked = Ask(STUDY, now, WHO, "Asia/Jerusalem", window, **more)
        with open_http() as http:
            http.timeout = httpx.Timeout(timeout)
            client = self.client(http, timeout)
            try:
                reading = source.read(list(source.fetch(client, asked)), asked)
            finally:
                self.requests = client.requests
        return Pull(reading, client.requests, self.waits)

    def client(self, http: httpx.Client, timeout: float) -> Any:
        """The source's own client in the name of WHO's grant."""
        fresh = self.world.grants.renewed(self.grant())
        assert fresh.token is not None
        token, refresh = fresh.token.access_token, self.world.grants.refresher(fresh)
        url, patience = self.world.served.url, Patience(sleep=self.waits.append)
        if self.source == "google_health":
            return VendorClient(http, self.source, url, token, refresh, patience)
        return LegacyClient(
            token, refresh, endpoint=url, account=fresh.vendor_user_id,
            now=self.world.served.now, patience=patience, timeout_seconds=timeout,
        )  # fmt: skip


@contextmanager
def faulted(folder: Path, source: str, weeks: int = 2) -> Iterator[Faulted]:
    """A served world of one participant, whose limits are out of the way."""
    with simulated(folder, source, participants=1, weeks=weeks) as world:
        world.consent(WHO)
        sim = world.served.simulator
        sim.hourly_limit = sim.minute_limit = 10**6
        world.served.set_clock(sim.world.settles_at)
        yield Faulted(world, source)
