"""The demo in a real Airflow: to its verdict, run again, and killed on the way."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from dags.folder import end_sessions
from dags.verdict import Line, Verdict

SIZE = ("--participants", "6", "--weeks", "2", "--steps", "2")


def command(home: Path) -> list[str]:
    return [sys.executable, "-m", "dags.cli", "demo", "--no-serve", "--home", str(home), *SIZE]


def run(home: Path) -> str:
    done = subprocess.run(command(home), capture_output=True, text=True, timeout=500, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def content(output: str) -> str:
    return re.findall(r"^content ([0-9a-f]{64})$", output, re.M)[-1]


def standing_below(home: Path) -> list[int]:
    """Pids of the processes whose working directory is below a folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            cwd = os.readlink(entry / "cwd")
        except OSError:  # ended, or somebody else's
            continue
        if f"{cwd}/".startswith(f"{home.resolve()}/"):
            found.append(int(entry.name))
    return found


def test_the_demo_ends_in_a_verdict_of_all_and_leaves_nothing_running(tmp_path):
    home = tmp_path / "demo"
    output = run(home)
    shares = re.findall(r" ([\d.]+) %$", output, re.M)
    assert len(shares) == 6  # in two weeks nobody has a goal yet
    assert "none yet" in output
    assert set(shares) == {"100.0"}
    assert "step 2 of 2" in output
    assert standing_below(home) == []
    assert not (home / "sessions").exists()
    log = "".join(path.read_text() for path in (home / "airflow" / "logs").rglob("*.log"))
    assert "published build" in log
    assert not re.search(r"P00\d.*(access_token|Bearer)", log)
    assert (home / "key").read_text() not in log


@pytest.mark.slow
def test_a_demo_run_again_adds_nothing_and_one_killed_anywhere_ends_the_same(tmp_path):
    calm = run(tmp_path / "calm")
    again = run(tmp_path / "calm")
    assert content(again) == content(calm)
    assert re.findall(r"\(\+(\d+)\)", again) == ["0"] * 4

    home, seed = tmp_path / "killed", random.randrange(1000)
    print(f"the moments of the kills: seed {seed}")
    moments = random.Random(seed)
    for _ in range(4):
        with open(tmp_path / "log", "ab") as log:
            process = subprocess.Popen(
                command(home), stdout=log, stderr=log, start_new_session=True
            )
        try:
            process.wait(moments.uniform(2, 90))
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            if moments.random() < 0.7:  # all at once, as with the power
                end_sessions(home)
        process.wait()
    assert content(run(home)) == content(calm)
    assert standing_below(home) == []


def test_a_verdict_holds_only_when_everything_expected_is_there_and_something_was():
    def verdict(*lines: Line) -> bool:
        return Verdict(list(lines), [], "").holds

    assert verdict(Line("days", 3, 3), Line("goals", 0, 0))
    assert not verdict(Line("days", 3, 2))
    assert not verdict(Line("days", 3, 4))
    assert not verdict(Line("days", 3, 3), Line("goals", 0, 1))
    assert not verdict(Line("days", 0, 0))


def test_the_verdict_says_100_percent_of_all_alone():
    assert "99.9 %" in str(Line("days", 100_000, 99_999))
    assert "100.0 %" in str(Line("days", 3, 3))
