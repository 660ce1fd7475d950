"""A build killed at any moment leaves the last one whole, and the next is the one from nothing."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from contextlib import closing
from datetime import datetime

import pytest
from support.history import History, apart, differences

from transforms.build import build_warehouse
from warehouse import publish
from warehouse.home import Store

BUILD = """
import sys
from datetime import datetime
from transforms.build import build_warehouse
from warehouse.home import open_store

store = open_store()
print("ready", flush=True)
build_warehouse(store, datetime.fromisoformat(sys.argv[1]))
"""


def started(store: Store, at: datetime) -> subprocess.Popen[str]:
    """A process of its own, about to build."""
    settings = {**os.environ, "STEPWELL_HOME": str(store.home.path)}
    process = subprocess.Popen(
        [sys.executable, "-c", BUILD, at.isoformat()],
        stdout=subprocess.PIPE,
        text=True,
        env=settings,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def killed(process: subprocess.Popen[str], after_seconds: float) -> bool:
    """Kill the process after a while; False when it had already ended."""
    with process:
        try:
            assert process.wait(after_seconds) == 0
        except subprocess.TimeoutExpired:
            os.kill(process.pid, signal.SIGKILL)
            return process.wait() == -signal.SIGKILL
    return False


def is_whole(store: Store, sees_arms: bool) -> bool:
    with closing(publish.open_published(publish.stable_path(store.home, sees_arms))) as con:
        said = con.execute("SELECT content_hash FROM ops.build").fetchall()[0][0]
        return bool(said == publish.content_hash(con))


@pytest.mark.parametrize(
    "kills", [pytest.param(1), pytest.param(60, marks=pytest.mark.slow)], ids="{}-kills".format
)
def test_a_build_killed_at_any_moment_and_run_again_is_the_one_from_nothing(store, kills):
    seed = int(os.environ.get("STEPWELL_SEED", "0")) or random.randrange(10**6)
    print(f"what happens and the moments of the kills: STEPWELL_SEED={seed}")
    history, done = History(store, seed), 0
    build_warehouse(store, history.now)
    history.a_day_lands_and_all_have_synced()
    begun = time.monotonic()
    with started(store, history.now) as undisturbed:
        assert undisturbed.wait(300) == 0
    seconds = time.monotonic() - begun
    while done < kills:
        history.something_happens()
        done += killed(started(store, history.now), history.draw.uniform(0, seconds))
        assert is_whole(store, True)
        assert is_whole(store, False)
    history.time_passes()
    build_warehouse(store, history.now)
    build_warehouse(apart(store), history.now, full=True)
    assert differences(store, apart(store)) == []
