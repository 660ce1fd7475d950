"""The demo: a pretend trial run for real, from the simulated wrists to the published file.

Everything runs in processes of its own: the vendors (simulator), Airflow with the project's DAGs,
and the dashboard. The clock moves in steps, so that late syncs, restatements and increments are
seen. State is on disk after every step: a demo killed anywhere goes on where it was.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import httpx
import sqlalchemy as sa

from dags.folder import (
    DemoError,
    claim,
    make_study,
    read_key,
    read_steps_done,
    taken,
    write_whole,
)
from dags.local import ACTIVE, LocalAirflow, NotReady, free_port, port_is_free, started
from dags.verdict import Verdict, reach_verdict
from ingestion.answers import pull_roster
from ingestion.consent import connect_headless
from ingestion.errors import NeedsParticipant
from ingestion.simulator.oauth import CLIENT_ID, CLIENT_SECRET
from ingestion.simulator.redcap import REDCAP_TOKEN
from ingestion.simulator.roster import SimParticipant
from ingestion.simulator.world import World
from warehouse import register as reg
from warehouse.home import Home, find_home, open_store
from warehouse.publish import open_published, stable_path, stamp
from warehouse.study import read_study

NEEDED_DISK_BYTES = 2 * 10**9
BUILD_WAIT_SECONDS = 8  # then the demo plays the clock, which is the DAG's own safety net

Say = Callable[[str], None]


@dataclass(frozen=True)
class Settings:
    """What the demo is asked to do. A port of None is any free one."""

    folder: Path
    participants: int = 60
    weeks: int = 12
    steps: int = 5
    seed: int = 20260119
    airflow_port: int | None = None
    dashboard_port: int | None = None
    restart: bool = False  # remove the demo of that folder first

    @property
    def world(self) -> dict[str, int]:
        """What makes one pretend world another."""
        names = ("participants", "weeks", "steps", "seed")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True)
class Demo:
    """A demo under way."""

    settings: Settings
    home: Home
    world: World
    airflow: LocalAirflow
    vendor_url: str
    environ: dict[str, str]
    say: Say

    def wait(self) -> None:
        """Wait until somebody presses Ctrl-C."""
        signal.pause()

    @property
    def instants(self) -> list[datetime]:
        return self.world.pull_instants(self.settings.steps)


@contextmanager
def demo(settings: Settings, say: Say) -> Iterator[tuple[Demo, Verdict]]:
    """Run the demo to its verdict; the processes go on until the block is left.

    DemoError when it cannot start or a step fails; what it has done so far stays.
    """
    begun = time.monotonic()

    def timed(line: str) -> None:
        say(f"{time.monotonic() - begun:5.0f} s  {line}")

    with ExitStack() as running:
        if killed := running.enter_context(taken(settings.folder)):
            timed(f"ended {killed} processes that an earlier run had left behind")
        _check_ports(settings)
        claim(settings.folder, settings.world, settings.restart)
        _check_disk(settings)
        state = _prepare(settings, timed)
        running.enter_context(
            started(_simulator(state), settings.folder / "simulator", state.environ,
                    settings.folder / "simulator.log")
        )  # fmt: skip
        running.enter_context(state.airflow.running())
        _wait_for_vendor(state)
        _run(state)
        verdict = reach_verdict(state.home, state.world, state.instants[-1], state.instants)
        yield state, verdict


@contextmanager
def serve_dashboard(demo: Demo) -> Iterator[str]:
    """Serve the dashboard of a demo; yields its address."""
    port = demo.settings.dashboard_port or free_port()
    actions = ["--actions", "ingestion.actions:actions"]
    command = [sys.executable, "-m", "dashboard", "--port", str(port), *actions]
    folder = demo.settings.folder / "dashboard"
    environ = {**demo.environ, "STEPWELL_AIRFLOW_URL": demo.airflow.url}
    with started(command, folder, environ, demo.settings.folder / "dashboard.log") as process:
        give_up = time.monotonic() + 60
        while port_is_free(port):
            if process.poll() is not None or time.monotonic() > give_up:
                raise DemoError(f"the dashboard did not start; see {folder}.log")
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"


def _run(demo: Demo) -> None:
    done = read_steps_done(demo.settings.folder)
    if done == 0:
        _move_clock(demo, demo.instants[0])
        _enrol(demo)
    demo.say("waiting for Airflow to start (half a minute to two)")
    try:
        demo.airflow.wait_ready()
        for dag_id in ("wearables", "questionnaires", "warehouse"):
            if left := demo.airflow.cancel(dag_id):
                demo.say(f"  {dag_id}: {left} runs of a killed demo were given up; nothing is lost")
            demo.airflow.unpause(dag_id)
        # A finished demo runs its last step once more: nothing may be added.
        for step in range(min(done, demo.settings.steps - 1), demo.settings.steps):
            _step(demo, step)
    except NotReady as error:
        raise DemoError(str(error)) from None


def _step(demo: Demo, step: int) -> None:
    instant = demo.instants[step]
    _move_clock(demo, instant)
    before = _landed_rows(demo.home)
    demo.say(f"step {step + 1} of {demo.settings.steps}: it is {instant:%d %B %Y %H:%M} UTC")
    earlier = {run["dag_run_id"] for run in demo.airflow.runs("warehouse")}
    runs = {dag_id: demo.airflow.trigger(dag_id) for dag_id in ("wearables", "questionnaires")}
    for dag_id, run_id in runs.items():
        _wait_for_run(demo, dag_id, run_id)
    landed_at = max(demo.airflow.landed_at(dag_id, run_id) for dag_id, run_id in runs.items())
    _wait_for_build(demo, instant, earlier, landed_at)
    after = _landed_rows(demo.home)
    demo.say(
        "  published: "
        + ", ".join(
            f"{name} {rows:,} (+{rows - before.get(name, 0):,})" for name, rows in after.items()
        )
    )
    write_whole(demo.settings.folder / "steps_done", str(step + 1))


def _wait_for_run(demo: Demo, dag_id: str, run_id: str, seconds: float = 600) -> None:
    give_up, shown = time.monotonic() + seconds, ""
    while (state := demo.airflow.run_state(dag_id, run_id)) in ACTIVE:
        done, known = demo.airflow.tasks_done(dag_id, run_id)
        if (line := f"  {dag_id}: {done} of {known} tasks") != shown and sys.stdout.isatty():
            demo.say(line)
            shown = line
        if time.monotonic() > give_up:
            raise NotReady(f"{dag_id} did not finish in {seconds:g} s; see {demo.airflow.url}")
        time.sleep(0.5)
    if state != "success":
        raise DemoError(f"the {dag_id} run failed; its log is at {demo.airflow.url}/dags/{dag_id}")
    demo.say(f"  {dag_id}: done")


def _wait_for_build(
    demo: Demo, instant: datetime, earlier: set[str], landed_at: datetime, seconds: float = 300
) -> None:
    """Wait for a build made of everything that has landed, woken by the assets or by the clock."""
    give_up, woken = time.monotonic() + seconds, time.monotonic() + BUILD_WAIT_SECONDS
    while not _is_current(demo, instant, landed_at):
        runs = [r for r in demo.airflow.runs("warehouse") if r["dag_run_id"] not in earlier]
        if runs and runs[0]["state"] == "failed":
            raise DemoError(f"the build failed; its log is at {demo.airflow.url}/dags/warehouse")
        active = any(run["state"] in ACTIVE for run in runs)
        if not active and time.monotonic() > woken:
            demo.airflow.trigger("warehouse")
            demo.say("  warehouse: no asset event came through; the clock wakes it")
            woken = time.monotonic() + BUILD_WAIT_SECONDS
        if time.monotonic() > give_up:
            raise NotReady(f"no build was published in {seconds:g} s; see {demo.airflow.url}")
        time.sleep(0.5)
    demo.say("  warehouse: built, checked and published")


def _is_current(demo: Demo, instant: datetime, landed_at: datetime) -> bool:
    """Whether the published build is of this instant and was begun after everything landed."""
    path = stable_path(demo.home, sees_arms=True)
    if not path.exists() or any(r["state"] in ACTIVE for r in demo.airflow.runs("warehouse")):
        return False
    con = open_published(path)
    try:
        row = con.execute("SELECT as_of, build_id FROM ops.build").fetchall()[0]
    finally:
        con.close()
    return bool(row[0] == instant and row[1] > stamp(landed_at))  # named by its beginning


def _enrol(demo: Demo) -> None:
    """Read the roster, and let each participant who will connect give consent."""
    store = open_store(demo.home)
    pull_roster(store, demo.instants[0])
    begun = sa.select(reg.grant).where(reg.grant.c.state != "never_connected")
    known = {row["participant_id"] for row in store.register.rows(begun)}
    due = [p for p in demo.world.participants if p.participant_id not in known]

    def connect(one: SimParticipant) -> bool:
        try:
            connect_headless(store, one.vendor, one.participant_id)
        except NeedsParticipant:
            return False  # they said no: never_connected is a state of theirs, not our failure
        return True

    with ThreadPoolExecutor(4) as threads:
        connected = sum(threads.map(connect, due))
    if due:
        demo.say(f"{connected} of {len(due)} participants connected their wearable")


def _landed_rows(home: Home) -> dict[str, int]:
    path = stable_path(home, sees_arms=True)
    if not path.exists():
        return {}
    con = open_published(path)
    try:
        names = ("participant_day", "day_metric", "response", "treatment_session")
        return {
            name: con.execute(f"SELECT count(*) FROM {name}").fetchall()[0][0] for name in names
        }
    finally:
        con.close()


def _prepare(settings: Settings, say: Say) -> Demo:
    folder = settings.folder
    vendor_port = free_port()
    environ = _environ(folder, f"http://127.0.0.1:{vendor_port}")
    home = find_home(environ)
    if make_study(home.study_path):
        say(f"a new study in {folder}")
    os.environ.update({k: v for k, v in environ.items() if k.startswith(("STEPWELL_", "OAUTHLIB"))})
    world = World(read_study(home.study_path), settings.seed, settings.participants, settings.weeks)
    airflow = LocalAirflow(folder / "airflow", settings.airflow_port or free_port(), environ)
    return Demo(settings, home, world, airflow, f"http://127.0.0.1:{vendor_port}", environ, say)


def _environ(folder: Path, vendor: str) -> dict[str, str]:
    settings = {
        "STEPWELL_HOME": str(folder),
        "STEPWELL_KEY": read_key(folder),
        "STEPWELL_CLOCK_URL": f"{vendor}/_emu/clock",
        "STEPWELL_GOOGLE_HEALTH_URL": vendor,
        "STEPWELL_GOOGLE_HEALTH_AUTH_URL": f"{vendor}/o/oauth2/v2/auth",
        "STEPWELL_GOOGLE_HEALTH_TOKEN_URL": f"{vendor}/token",
        "STEPWELL_FITBIT_URL": vendor,
        "STEPWELL_FITBIT_AUTH_URL": f"{vendor}/oauth2/authorize",
        "STEPWELL_FITBIT_TOKEN_URL": f"{vendor}/oauth2/token",
        "STEPWELL_REDCAP_URL": f"{vendor}/api/",
        "STEPWELL_REDCAP_TOKEN": REDCAP_TOKEN,
        # The `fitbit` package refuses plain http; these vendors are on this machine.
        "OAUTHLIB_INSECURE_TRANSPORT": "1",
    }
    for source in ("GOOGLE_HEALTH", "FITBIT"):
        settings[f"STEPWELL_{source}_CLIENT_ID"] = CLIENT_ID
        settings[f"STEPWELL_{source}_CLIENT_SECRET"] = CLIENT_SECRET
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("STEPWELL_", "AIRFLOW"))}
    return inherited | settings


def _simulator(demo: Demo) -> list[str]:
    settings = demo.settings
    command = [sys.executable, "-m", "ingestion.simulator", "--study", str(demo.home.study_path)]
    options = {
        "seed": settings.seed,
        "participants": settings.participants,
        "weeks": settings.weeks,
        "port": demo.vendor_url.rpartition(":")[2],
        "state": settings.folder / "simulator",
    }
    return command + [part for key, value in options.items() for part in (f"--{key}", str(value))]


def _wait_for_vendor(demo: Demo, seconds: float = 60) -> None:
    give_up = time.monotonic() + seconds
    while True:
        try:
            httpx.get(f"{demo.vendor_url}/_emu/clock").raise_for_status()
            return
        except httpx.HTTPError:
            if time.monotonic() > give_up:
                log = demo.settings.folder / "simulator.log"
                raise DemoError(f"the simulator did not start; see {log}") from None
            time.sleep(0.2)


def _move_clock(demo: Demo, instant: datetime) -> None:
    url = f"{demo.vendor_url}/_emu/clock"
    if datetime.fromisoformat(httpx.get(url).json()["now"]) != instant:
        httpx.put(url, json={"now": instant.isoformat()}).raise_for_status()


def _check_disk(settings: Settings) -> None:
    free = shutil.disk_usage(settings.folder).free
    if free < NEEDED_DISK_BYTES:
        raise DemoError(
            f"{settings.folder}: {free / 1e9:.1f} GB of disk is free and the demo "
            f"needs {NEEDED_DISK_BYTES / 1e9:.0f}; make room or choose --home"
        )


def _check_ports(settings: Settings) -> None:
    for name, port in (("airflow", settings.airflow_port), ("dashboard", settings.dashboard_port)):
        if port is not None and not port_is_free(port):
            raise DemoError(
                f"port {port} is in use; stop what uses it, or choose another with --{name}-port"
            )
