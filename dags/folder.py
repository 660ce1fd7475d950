"""The folder of a demo: that it is one, what is written into it once, and what it has running.

A file is written aside and then put in its place: a demo that is killed finds it whole or not at
all. Processes are known by their session, never by where they stand: a shell that somebody opened
in the folder is theirs.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from cryptography.fernet import Fernet

from warehouse.home import Home
from warehouse.publish import open_published, stable_path
from warehouse.study import EXAMPLE

_THROWN_AWAY = ".thrown-away"  # what world.json is called while the rest is being removed
_BEFORE_WORLD = {"demo.lock", ".world.json"}  # all that is written before world.json


class DemoError(Exception):
    """The demo cannot go on; the message says what to do."""


def write_whole(path: Path, text: str, mode: int = 0o644) -> None:
    """Write a file so that it is there whole or not at all, whenever this process is killed."""
    aside = path.with_name(f".{path.name}")
    with open(aside, "w", encoding="utf-8", opener=lambda p, f: os.open(p, f, mode)) as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    os.replace(aside, path)


@contextmanager
def taken(folder: Path) -> Iterator[int]:
    """Have the folder alone; yields how many processes of an earlier, killed demo were ended.

    DemoError where another demo runs, or where something else is kept: nothing is written then.
    """
    _refuse_other_use(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "demo.lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DemoError(
                f"a demo is already running in {folder}; use it, stop it, or choose "
                "another folder with --home"
            ) from None
        killed = end_sessions(folder)
        try:
            yield killed
        finally:
            end_sessions(folder)


def claim(folder: Path, world: dict[str, int], restart: bool) -> None:
    """Say which pretend world the folder is of; with `restart`, remove what is there first.

    DemoError where it holds a demo of another world.
    """
    if restart or (folder / _THROWN_AWAY).exists():
        _throw_away(folder)
    before = _read_world(folder)
    if before is None:
        write_whole(folder / "world.json", json.dumps(world))
    elif before != world:
        said = ", ".join(f"{value} {name}" for name, value in before.items())
        raise DemoError(
            f"{folder} holds a demo of {said}; the same options go on with it, --restart throws "
            "it away, and --home chooses another folder"
        )


def clock_of_demo(home: Home, environ: Mapping[str, str] = os.environ) -> datetime | None:
    """The clock of a demo's last build, where no other is asked for; None of any other study.

    By today's date every participant of a demo would have been silent for months.
    """
    path = stable_path(home, sees_arms=True)
    is_demo = (home.path / "world.json").exists()
    if not is_demo or environ.get("STEPWELL_CLOCK_URL") or not path.exists():
        return None
    with closing(open_published(path)) as con:
        as_of: datetime = con.execute("SELECT as_of FROM ops.build").fetchall()[0][0]
    return as_of


def read_key(folder: Path) -> str:
    """The key of the demo's register, made once and readable by its owner alone."""
    path = folder / "key"
    if not path.exists():
        write_whole(path, Fernet.generate_key().decode(), 0o600)
    return path.read_text()


def make_study(path: Path) -> bool:
    """Put the example study where there is none; whether there was none."""
    if path.exists():
        return False
    write_whole(path, EXAMPLE.read_text(encoding="utf-8"))
    return True


def read_steps_done(folder: Path) -> int:
    """How many steps the demo of this folder has made."""
    path = folder / "steps_done"
    return int(path.read_text()) if path.exists() else 0


@dataclass(frozen=True)
class Session:
    """A session of processes: its leader's pid, when that began in ticks since boot, which boot."""

    leader: int
    began_ticks: int
    boot: str


def session_led_by(pid: int) -> Session:
    """The session that a child, not yet waited for, has just begun."""
    leader = _process(pid)
    assert leader is not None, "a child that was not waited for has an entry in /proc"
    return Session(pid, leader.began_ticks, _boot())


def note_session(folder: Path, session: Session) -> None:
    """Note a session in the folder, so that whoever finds the folder can end it."""
    with open(folder / "sessions", "a", encoding="ascii") as out:
        out.write(f"{session.leader} {session.began_ticks} {session.boot}\n")
        out.flush()
        os.fsync(out.fileno())


def end_sessions(folder: Path) -> int:
    """Kill what is left of the sessions noted in the folder and forget them; returns how many."""
    path = folder / "sessions"
    killed = 0
    for line in path.read_text(encoding="ascii").splitlines() if path.exists() else []:
        words = line.split()
        if len(words) == 3:  # a line cut short is of a child that the kernel ended with its parent
            killed += end_session(Session(int(words[0]), int(words[1]), words[2]))
    path.unlink(missing_ok=True)
    return killed


def end_session(session: Session, seconds: float = 20) -> int:
    """Kill every process of a session and wait until they are gone; returns how many they were.

    DemoError when one outlives `seconds`: it hangs in the kernel.
    """
    killed: set[int] = set()
    give_up = time.monotonic() + seconds
    while members := _members(session):
        if time.monotonic() > give_up:
            raise DemoError(f"process {members[0]} does not end; end it, and run this again")
        for pid in members:
            with suppress(ProcessLookupError):  # it ended by itself in between
                os.kill(pid, signal.SIGKILL)
        killed.update(members)
        time.sleep(0.02)
    return len(killed)


class _Process(NamedTuple):
    pid: int
    state: str
    session: int
    began_ticks: int


def _members(session: Session) -> list[int]:
    """Pids of the living processes of a session; none when its number is another's by now."""
    if session.boot != _boot():
        return []
    leader = _process(session.leader)
    if leader is not None and leader.began_ticks != session.began_ticks:
        return []
    seen = (_process(int(entry.name)) for entry in Path("/proc").glob("[0-9]*"))
    return [
        one.pid
        for one in seen
        if one is not None
        and one.session == session.leader
        and one.began_ticks >= session.began_ticks
        and one.state not in "ZX"  # dead, and not yet waited for
    ]


def _process(pid: int) -> _Process | None:
    """A process as /proc/<pid>/stat tells (man 5 proc_pid_stat); None when it is gone."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = stat.rpartition(b")")[2].split()  # from the third on: a name may hold any byte
    return _Process(pid, fields[0].decode(), int(fields[3]), int(fields[19]))


def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def _refuse_other_use(folder: Path) -> None:
    names = {entry.name for entry in folder.iterdir()} if folder.exists() else set()
    if names <= _BEFORE_WORLD or _THROWN_AWAY in names or _read_world(folder) is not None:
        return
    raise DemoError(
        f"{folder} does not hold a demo, and nothing was removed or written there; "
        "choose another folder with --home"
    )


def _read_world(folder: Path) -> dict[str, int] | None:
    """The world a demo's folder is of; None where there is no world.json, or another's."""
    try:
        world = json.loads((folder / "world.json").read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return world if isinstance(world, dict) and {"participants", "seed"} <= world.keys() else None


def _throw_away(folder: Path) -> None:
    """Remove all but the lock; a demo killed here is known by its mark, and this done again."""
    mark = folder / _THROWN_AWAY
    try:
        if (folder / "world.json").exists():
            os.replace(folder / "world.json", mark)
        for entry in list(folder.iterdir()):
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            elif entry.name not in (mark.name, "demo.lock"):
                entry.unlink()
        mark.unlink(missing_ok=True)
    except OSError as error:
        raise DemoError(
            f"{folder} could not be removed: {error}; mend that, and run this again"
        ) from None
