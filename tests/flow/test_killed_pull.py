"""A pull killed at any moment, and run again, ends as the one that nobody disturbed."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from support.simulated import Simulated, simulated
from support.trial import Trial, trial

PULL = """
import sys
from datetime import datetime
from ingestion.answers import pull_answers, pull_roster
from ingestion.pull import plan_wearables, pull_connected
from warehouse.home import open_store

store, at = open_store(), datetime.fromisoformat(sys.argv[1])
print("ready", flush=True)
for source, batch in plan_wearables(store):
    pull_connected(store, source, batch)
for batch in pull_roster(store, at):
    pull_answers(store, batch, at)
"""


def started(at: datetime) -> subprocess.Popen[str]:
    """A process of its own that pulls what is due at `at`, about to begin."""
    process = subprocess.Popen(
        [sys.executable, "-c", PULL, at.isoformat()], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def finished(process: subprocess.Popen[str]) -> None:
    with process:
        assert process.wait(120) == 0


def killed(process: subprocess.Popen[str], after_seconds: float) -> bool:
    """Kill the process after a while, as a power cut would; False when it had already ended."""
    with process:
        try:
            assert process.wait(after_seconds) == 0
        except subprocess.TimeoutExpired:
            os.kill(process.pid, signal.SIGKILL)
            return process.wait() == -signal.SIGKILL
    return False


def instants(sim: Simulated, steps: int) -> list[datetime]:
    last = sim.world.settles_at
    return [last - timedelta(days=5 * n) for n in reversed(range(steps))]


def undisturbed(folder: Path, patch: pytest.MonkeyPatch, steps: int) -> tuple[list[str], float]:
    """The content hash after each pull, and the seconds that the shortest took."""
    with simulated(6, 3) as sim, trial(folder, sim, patch) as run:
        run.enrol(instants(sim, steps)[0] - timedelta(days=1))
        hashes, seconds = [], []
        for at in instants(sim, steps):
            sim.set_clock(at)
            process = started(at)
            begun = time.monotonic()
            finished(process)
            seconds.append(time.monotonic() - begun)
            hashes.append(built(run, at))
    return hashes, min(seconds)


def built(run: Trial, at: datetime) -> str:
    run.pulled_at.append(at)
    return run.build().content_hash


@pytest.mark.parametrize(("steps", "kills"), [(2, 2), pytest.param(4, 100, marks=pytest.mark.slow)])
def test_a_pull_killed_at_any_moment_and_resumed_is_the_undisturbed_one(
    tmp_path, monkeypatch, steps, kills
):
    calm, seconds = undisturbed(tmp_path / "calm", monkeypatch, steps)
    seed = int(os.environ.get("STEPWELL_SEED", "0")) or random.randrange(10**6)
    print(f"the moments of the kills: STEPWELL_SEED={seed}")
    moments, done = random.Random(seed), 0
    with simulated(6, 3) as sim, trial(tmp_path / "killed", sim, monkeypatch) as run:
        run.enrol(instants(sim, steps)[0] - timedelta(days=1))
        for step, at in enumerate(instants(sim, steps), start=1):
            sim.set_clock(at)
            while done < kills * step // steps:
                if not killed(started(at), moments.uniform(0, seconds)):
                    continue  # it had ended: everything is here, and the next finds nothing to do
                done += 1
            finished(started(at))
            assert built(run, at) == calm[step - 1], f"step {step}, STEPWELL_SEED={seed}"
    assert done == kills
