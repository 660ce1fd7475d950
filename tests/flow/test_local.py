"""A demo's folder and processes: whatever is killed, and whenever, it goes on and cleans up."""

from __future__ import annotations

import errno
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from cryptography.fernet import Fernet
from support.house import ROOT

from dags.folder import (
    DemoError,
    claim,
    end_session,
    end_sessions,
    make_study,
    read_key,
    read_steps_done,
    session_led_by,
    taken,
    write_whole,
)
from dags.local import LocalAirflow, started
from warehouse.study import read_study

WORLD = {"participants": 6, "weeks": 2, "steps": 2, "seed": 1}
FILE_CALLS = {"open", "write", "flush", "fsync", "close", "replace", "mkdir", "rmdir", "unlink"}

OWNER = """
import os, sys
from pathlib import Path
from dags.local import started
home = Path(sys.argv[1])
with started(["sh", "-c", sys.argv[2]], home / "airflow", os.environ, home / "log"):
    print("noted", flush=True)
    sys.stdin.read()
"""
STUBBORN = "trap '' INT; sleep 600 & echo $$ $! > ../ready; wait"


def killed_at(moment: int, work: Callable[[], object]) -> bool:
    """Work in a fork that dies by kill -9 after so many calls on files; False if it ended first."""
    if child := os.fork():
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        assert code in (0, -signal.SIGKILL)
        return code != 0
    left = moment

    def count(_frame: FrameType, event: str, called: Any) -> None:
        nonlocal left
        if event == "c_return" and called.__name__ in FILE_CALLS:
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    try:
        sys.setprofile(count)
        work()
        sys.setprofile(None)
        os._exit(0)
    except BaseException:
        traceback.print_exc()
        os._exit(1)


def has_ended(pid: int, seconds: float = 0) -> bool:
    """Whether a process has ended, or does within so many seconds."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([handle], [], [], seconds)[0])
    finally:
        os.close(handle)


def owned_by_a_killed_process(home: Path, script: str) -> list[int]:
    """Start a script below a home, kill -9 who started it, and return the pids the script names."""
    home.mkdir()
    os.mkfifo(home / "ready")
    command = [sys.executable, "-c", OWNER, str(home), script]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == b"noted\n"
        pids = [int(pid) for pid in (home / "ready").read_text().split()]
        owner.kill()
    return pids


def test_a_demo_killed_at_any_moment_of_preparing_starts_again(tmp_path):
    home = tmp_path / "demo"
    airflow = LocalAirflow(home / "airflow", 1, {})

    def prepare() -> None:
        with taken(home):
            claim(home, WORLD, restart=False)
            read_key(home)
            make_study(home / "study.toml")
            assert airflow.password
            write_whole(home / "steps_done", "1")

    moment = 1
    while killed_at(moment, prepare):
        prepare()
        assert json.loads((home / "world.json").read_text()) == WORLD
        Fernet(read_key(home))
        assert read_study(home / "study.toml").study.name == "etmi-walk"
        assert len(airflow.password) == 12
        assert read_steps_done(home) == 1
        shutil.rmtree(home)
        moment += 1
    assert moment > 20  # five files, each opened, written, flushed and put in its place


def test_a_demo_killed_while_it_is_thrown_away_is_thrown_away_by_the_next_run(tmp_path):
    home = tmp_path / "demo"

    def throw_away() -> None:
        with taken(home):
            claim(home, WORLD | {"seed": 2}, restart=True)

    moment = 1
    while True:
        (home / "lake").mkdir(parents=True)
        for name in ("lake/day", "register.sqlite", "steps_done"):
            (home / name).write_text("old")
        (home / "world.json").write_text(json.dumps(WORLD))
        if not killed_at(moment, throw_away):
            break
        world = home / "world.json"
        if world.exists() and json.loads(world.read_text()) == WORLD:  # not begun
            assert (home / "lake" / "day").read_text() == "old"
        else:
            with taken(home):
                claim(home, WORLD | {"seed": 2}, restart=False)
            assert {path.name for path in home.iterdir()} == {"demo.lock", "world.json"}
        shutil.rmtree(home)
        moment += 1
    assert moment > 6
    assert {path.name for path in home.iterdir()} == {"demo.lock", "world.json"}


def test_a_removal_that_fails_half_way_is_said(tmp_path, monkeypatch):
    home = tmp_path / "demo"
    (home / "lake").mkdir(parents=True)
    (home / "world.json").write_text(json.dumps(WORLD))

    def refuse(path: str, dir_fd: int | None = None) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted", path)

    with taken(home), monkeypatch.context() as patched:
        patched.setattr(os, "rmdir", refuse)
        with pytest.raises(DemoError, match=r"could not be removed: \[Errno 1\]"):
            claim(home, WORLD, restart=True)


def test_secrets_are_readable_by_their_owner_alone(tmp_path):
    read_key(tmp_path)
    airflow = LocalAirflow(tmp_path / "airflow", 1, {})
    assert airflow.password
    for path in (tmp_path / "key", *airflow.folder.iterdir()):
        assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("leader_is_killed", [False, True])
def test_what_a_killed_demo_left_is_ended_and_a_shell_in_its_folder_is_not(
    tmp_path, leader_is_killed
):
    home = tmp_path / "demo"
    leader, child = owned_by_a_killed_process(home, STUBBORN)
    if leader_is_killed:
        os.kill(leader, signal.SIGKILL)
        assert has_ended(leader, 30)
    with subprocess.Popen(["cat"], cwd=home / "airflow", stdin=subprocess.PIPE) as shell:
        assert end_sessions(home) == 2 - leader_is_killed
        assert shell.poll() is None
    assert has_ended(leader)
    assert has_ended(child)
    assert end_sessions(home) == 0


def test_a_child_ends_with_the_process_that_started_it(tmp_path):
    (child,) = owned_by_a_killed_process(tmp_path / "demo", "echo $$ > ../ready; exec sleep 600")
    assert has_ended(child, 30)


def test_on_leaving_the_whole_session_is_ended_and_forgotten(tmp_path):
    home = tmp_path / "demo"
    # The leader ends when it is asked to; the process it began does not.
    command = ["sh", "-c", STUBBORN.replace("wait", "trap 'exit 0' INT; wait")]
    with taken(home):
        os.mkfifo(home / "ready")
        with started(command, home / "airflow", os.environ, home / "log"):
            leader, child = (int(pid) for pid in (home / "ready").read_text().split())
            assert (home / "sessions").read_text().split()[0] == str(leader)
            assert os.getsid(child) == leader
        assert has_ended(leader)
        assert has_ended(child)
    assert not (home / "sessions").exists()


def test_a_session_whose_number_is_anothers_by_now_is_left_alone():
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, start_new_session=True) as other:
        session = session_led_by(other.pid)
        assert end_session(replace(session, began_ticks=session.began_ticks - 1)) == 0
        assert end_session(replace(session, boot="another boot")) == 0
        assert other.poll() is None
        assert end_session(session) == 1
    assert other.returncode == -signal.SIGKILL


def test_members_without_their_leader_are_known_by_having_begun_after_it():
    script = "sleep 600 >/dev/null & echo $!; read _"
    with subprocess.Popen(
        ["sh", "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    ) as leader:
        assert leader.stdout is not None
        member = int(leader.stdout.readline())
        session = session_led_by(leader.pid)
    assert end_session(replace(session, began_ticks=session.began_ticks + 10**9)) == 0
    assert not has_ended(member)
    assert end_session(session) == 1
    assert has_ended(member)


def test_a_noted_line_that_was_cut_short_stops_nothing(tmp_path):
    (tmp_path / "sessions").write_text("1 2")
    assert end_sessions(tmp_path) == 0
    assert not (tmp_path / "sessions").exists()


def test_setup_mends_an_environment_that_was_killed_while_being_made(tmp_path):
    (tmp_path / ".ci").mkdir()
    shutil.copy(ROOT / ".ci/setup", tmp_path / ".ci/setup")
    venv = [sys.executable, "-m", "venv"]
    subprocess.run([*venv, "--without-pip", tmp_path / ".venv"], check=True)
    setup = [tmp_path / ".ci/setup", "no.lock", ".venv/runtime"]
    environ = os.environ | {"PYTHON": sys.executable}
    done = subprocess.run(setup, env=environ, capture_output=True, text=True, check=False)
    assert "build.lock" in done.stderr  # there is none here: it stops after the environment
    pip = [tmp_path / ".venv/bin/python", "-m", "pip", "--version"]
    assert subprocess.run(pip, capture_output=True, check=False).returncode == 0
    assert not (tmp_path / ".venv/runtime").exists()
