"""A small trial run in this process: the DAGs' own steps, against a served world."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from support.simulated import Simulated

from dags.verdict import Verdict, reach_verdict
from ingestion.answers import pull_answers, pull_roster
from ingestion.consent import connect_headless
from ingestion.errors import NeedsParticipant
from ingestion.pull import plan_wearables, pull_connected
from ingestion.simulator.oauth import CLIENT_ID, CLIENT_SECRET
from ingestion.simulator.redcap import REDCAP_TOKEN
from transforms.build import Built, build_warehouse
from warehouse.home import Store, find_home, open_store
from warehouse.study import EXAMPLE

KEY = Fernet.generate_key().decode()


def vendor_environment(url: str) -> dict[str, str]:
    """What points the sources at a simulator."""
    named = {
        "STEPWELL_KEY": KEY,
        "STEPWELL_CLOCK_URL": f"{url}/_emu/clock",
        "STEPWELL_REDCAP_URL": f"{url}/api/",
        "STEPWELL_REDCAP_TOKEN": REDCAP_TOKEN,
        "OAUTHLIB_INSECURE_TRANSPORT": "1",
    }
    paths = {"GOOGLE_HEALTH": ("/o/oauth2/v2/auth", "/token"),
             "FITBIT": ("/oauth2/authorize", "/oauth2/token")}  # fmt: skip
    for source, (auth, token) in paths.items():
        named[f"STEPWELL_{source}_URL"] = url
        named[f"STEPWELL_{source}_AUTH_URL"] = url + auth
        named[f"STEPWELL_{source}_TOKEN_URL"] = url + token
        named[f"STEPWELL_{source}_CLIENT_ID"] = CLIENT_ID
        named[f"STEPWELL_{source}_CLIENT_SECRET"] = CLIENT_SECRET
    return named


@dataclass
class Trial:
    """A study under way beside its simulator."""

    sim: Simulated
    store: Store
    pulled_at: list[datetime]

    def enrol(self, at: datetime) -> None:
        """Move the clock, read the roster, and connect whoever consents."""
        self.sim.set_clock(at)
        pull_roster(self.store, at)
        for one in self.sim.world.participants:
            try:
                connect_headless(self.store, one.vendor, one.participant_id)
            except NeedsParticipant:
                continue

    def pull(self, at: datetime) -> None:
        """Move the clock and pull everything that is due."""
        self.sim.set_clock(at)
        for source, batch in plan_wearables(self.store):
            pull_connected(self.store, source, batch)
        for batch in pull_roster(self.store, at):
            pull_answers(self.store, batch, at)
        self.pulled_at.append(at)

    def build(self, full: bool = False) -> Built:
        """Build the warehouse as of the last pull."""
        return build_warehouse(self.store, self.pulled_at[-1], full)

    def verdict(self) -> Verdict:
        """What is published against the truth."""
        pulls = sorted(set(self.pulled_at))
        return reach_verdict(self.store.home, self.sim.world, pulls[-1], pulls)


@contextmanager
def trial(folder: Path, sim: Simulated, patch: pytest.MonkeyPatch) -> Iterator[Trial]:
    """A trial in `folder`, its environment pointed at the simulator."""
    for name, value in vendor_environment(sim.url).items():
        patch.setenv(name, value)
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "study.toml").exists():
        shutil.copy(EXAMPLE, folder / "study.toml")
    patch.setenv("STEPWELL_HOME", str(folder))
    store = open_store(find_home())
    try:
        yield Trial(sim, store, [])
    finally:
        store.register.close()
