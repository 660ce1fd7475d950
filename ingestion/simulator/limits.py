"""The vendors' own limits: legacy by participant and hour, Google by participant and by project
and minute, all of the simulator's clock. Failed requests count too (inferred)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ingestion.simulator.http import Request

if TYPE_CHECKING:
    from ingestion.simulator.server import Simulator

HOURLY_LIMIT = 150  # legacy requests of a participant
MINUTE_LIMIT = 300  # requests of a participant at Google
PROJECT_LIMIT = 120_000  # of all together
_COUNTED = {"google": ("/v4/",), "fitbit": ("/1/user/", "/1.2/user/")}
_WINDOW = {"google": "%Y-%m-%dT%H:%M", "fitbit": "%Y-%m-%dT%H"}


def count(sim: Simulator, personality: str, request: Request, who: str | None) -> None:
    """Count a request for data in the name of an account that is known."""
    if who and request.path.startswith(_COUNTED.get(personality, "\0")):
        for one in (who, ""):
            sim.spent[_key(sim, personality, one)] += 1


def spent(sim: Simulator, personality: str, who: str = "") -> int:
    """Requests of a participant, or of the whole project, in this hour or minute."""
    return sim.spent[_key(sim, personality, who)]


def _key(sim: Simulator, personality: str, who: str) -> tuple[str, str, str]:
    return personality, who, sim.now().strftime(_WINDOW[personality])
