"""A small pretend world, served, with the consents a test needs.

    with simulated(participants=6, weeks=3) as sim:
        sim.set_clock(sim.world.settles_at)
        tokens = sim.google_grant("P001")        # the token reply of the vendor, as a dict
        httpx.get(sim.url + "/v4/users/me/identity", headers=bearer(tokens))

The first six participants are: P001 ordinary, P002 legacy, P003 without heart rate, P004 revokes,
P005 withdraws, P006 never connects. Unasked faults are off unless `faults=True`.
"""

import base64
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import httpx

from ingestion.simulator.google import SCOPE
from ingestion.simulator.limits import HOURLY_LIMIT, MINUTE_LIMIT
from ingestion.simulator.oauth import CLIENT_ID, CLIENT_SECRET
from ingestion.simulator.server import Served, serve
from ingestion.simulator.world import SEED, World
from warehouse.study import EXAMPLE, Study, read_study

CALLBACK = "http://127.0.0.1:1/callback"
GOOGLE_SCOPES = " ".join(
    f"{SCOPE}{bundle}.readonly"
    for bundle in ("activity_and_fitness", "health_metrics_and_measurements", "settings")
)
FITBIT_SCOPES = "activity heartrate profile settings"
VERIFIER = "v" * 64
CHALLENGE = (
    base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
)


class Simulated:
    """A served world."""

    def __init__(self, world: World, served: Served, client: httpx.Client) -> None:
        self.world, self.served, self.http, self.url = world, served, client, served.url

    def now(self) -> datetime:
        return self.served.now()

    def set_clock(self, at: datetime) -> None:
        self.served.set_clock(at)

    def arm(self, fault: str, times: int = 1, match: dict | None = None, **args: object) -> None:
        """Arm a fault; see ingestion.simulator.faults."""
        spec = {"match": match or {}, "times": times, "fault": fault, "args": args}
        self.http.post("/_emu/faults", json=spec).raise_for_status()

    def requests(self, part: str = "") -> int:
        """Requests so far whose path holds `part`."""
        rows = self.http.get("/_emu/log").json()["requests"]
        return sum(row["count"] for row in rows if part in row["path"])

    def google_code(self, participant_id: str, scope: str = GOOGLE_SCOPES, **more: str) -> dict:
        """What consent sends back: code and state, or error."""
        return self._consent("/o/oauth2/v2/auth", participant_id, scope, access_type="offline",
                             **more)  # fmt: skip

    def google_grant(self, participant_id: str, scope: str = GOOGLE_SCOPES) -> dict:
        """The token reply after consent."""
        code = self.google_code(participant_id, scope)["code"]
        reply = self.http.post("/token", data=exchange(code, client=True))
        return reply.raise_for_status().json()

    def fitbit_grant(self, participant_id: str, scope: str = FITBIT_SCOPES) -> dict:
        """The token reply after consent."""
        code = self._consent("/oauth2/authorize", participant_id, scope)["code"]
        reply = self.http.post("/oauth2/token", data=exchange(code), auth=CLIENT)
        return reply.raise_for_status().json()

    def _consent(self, path: str, participant_id: str, scope: str, **more: str) -> dict:
        asked = {
            "response_type": "code",
            "client_id": CLIENT_ID,
            "redirect_uri": CALLBACK,
            "scope": scope,
            "state": "a-state",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
            "login_hint": participant_id,
            **more,
        }
        reply = self.http.get(path, params=asked)
        assert reply.status_code == 302, reply.text
        return dict(parse_qsl(urlsplit(reply.headers["location"]).query))


CLIENT = (CLIENT_ID, CLIENT_SECRET)


def exchange(code: str, client: bool = False) -> dict[str, str]:
    """The form that turns a code into tokens."""
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "code_verifier": VERIFIER,
        "redirect_uri": CALLBACK,
    }
    named = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
    return {**form, **named} if client else form


def bearer(tokens: dict) -> dict[str, str]:
    """The header for a token reply."""
    return {"authorization": f"Bearer {tokens['access_token']}"}


@contextmanager
def simulated(
    participants: int = 6,
    weeks: int = 3,
    faults: bool = False,
    seed: int = SEED,
    study: Study | None = None,
    state: Path | None = None,
    hourly_limit: int = HOURLY_LIMIT,
    minute_limit: int = MINUTE_LIMIT,
) -> Iterator[Simulated]:
    """A served world until the block ends."""
    world = World(study or read_study(EXAMPLE), seed, participants, weeks, faults)
    with (
        serve(world, state=state, hourly_limit=hourly_limit, minute_limit=minute_limit) as served,
        httpx.Client(base_url=served.url, trust_env=False) as client,
    ):
        yield Simulated(world, served, client)
