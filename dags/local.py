"""A real Airflow on this machine: started, waited for, driven by its REST API, and stopped."""

from __future__ import annotations

import ctypes
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import httpx

from dags.folder import end_session, note_session, session_led_by, write_whole

DAGS = Path(__file__).parent
COMPONENTS = ("metadatabase", "scheduler", "dag_processor", "triggerer")
ACTIVE = ("queued", "running")
_PR_SET_PDEATHSIG = 1


class NotReady(Exception):
    """Something did not start, or did not finish, in time; the message says where to look."""


class LocalAirflow:
    """`airflow standalone` below a folder, for the study whose environment is `environ`."""

    def __init__(self, folder: Path, port: int, environ: Mapping[str, str]) -> None:
        self.folder, self.port = folder, port
        self.url = f"http://127.0.0.1:{port}"
        self.log = folder / "standalone.log"
        self._environ = dict(environ) | _settings(folder, port)
        self._http = httpx.Client(base_url=self.url, timeout=60)

    @property
    def password(self) -> str:
        """The password of the user `admin`, made once."""
        path = self.folder / "simple_auth_manager_passwords.json.generated"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, json.dumps({"admin": secrets.token_urlsafe(9)}), 0o600)
        return str(json.loads(path.read_text())["admin"])

    @contextmanager
    def running(self) -> Iterator[LocalAirflow]:
        """Start it; on leaving, stop it and everything it started."""
        assert self.password
        command = [sys.executable, "-m", "airflow", "standalone"]
        with started(command, self.folder, self._environ, self.log):
            yield self

    def wait_ready(self, seconds: float = 240) -> None:
        """Wait until every component reports healthy and the DAGs are known; NotReady if not."""
        give_up = time.monotonic() + seconds
        while not (self._healthy() and self._knows_dags()):
            if time.monotonic() > give_up:
                raise NotReady(f"Airflow is not ready after {seconds:g} s; see {self.log}")
            time.sleep(0.5)

    def unpause(self, dag_id: str) -> None:
        """Let a DAG run by its schedule and its assets."""
        self._call("PATCH", f"/api/v2/dags/{dag_id}", {"is_paused": False})

    def trigger(self, dag_id: str) -> str:
        """Start a run now; returns its id."""
        answer = self._call("POST", f"/api/v2/dags/{dag_id}/dagRuns", {"logical_date": None})
        return str(answer["dag_run_id"])

    def run_state(self, dag_id: str, run_id: str) -> str:
        """queued, running, success or failed."""
        return str(self._call("GET", f"/api/v2/dags/{dag_id}/dagRuns/{run_id}")["state"])

    def runs(self, dag_id: str) -> list[dict[str, Any]]:
        """The latest runs of a DAG, newest first."""
        path = f"/api/v2/dags/{dag_id}/dagRuns?limit=20&order_by=-id"
        return list(self._call("GET", path)["dag_runs"])

    def cancel(self, dag_id: str) -> int:
        """Fail what a killed Airflow left running: its tasks are dead, and it holds up new runs."""
        left = [run for run in self.runs(dag_id) if run["state"] in ACTIVE]
        for run in left:
            path = f"/api/v2/dags/{dag_id}/dagRuns/{run['dag_run_id']}"
            self._call("PATCH", path, {"state": "failed"})
        return len(left)

    def tasks_done(self, dag_id: str, run_id: str) -> tuple[int, int]:
        """How many task instances of a run have ended, and how many there are so far."""
        states = [task["state"] for task in self._tasks(dag_id, run_id)]
        ended = ("success", "failed", "skipped", "upstream_failed")
        return sum(state in ended for state in states), len(states)

    def landed_at(self, dag_id: str, run_id: str) -> datetime:
        """When the last batch of a finished run had landed."""
        ends = [
            datetime.fromisoformat(task["end_date"])
            for task in self._tasks(dag_id, run_id)
            if task["task_id"] == "pull_batch" and task["end_date"]
        ]
        return max(ends, default=datetime.min.replace(tzinfo=UTC))

    def _tasks(self, dag_id: str, run_id: str) -> list[dict[str, Any]]:
        path = f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances?limit=1000"
        return list(self._call("GET", path)["task_instances"])

    def _healthy(self) -> bool:
        try:
            health = self._http.get("/api/v2/monitor/health").json()
        except (httpx.HTTPError, ValueError):
            return False
        return all((health.get(name) or {}).get("status") == "healthy" for name in COMPONENTS)

    def _knows_dags(self) -> bool:
        known = {dag["dag_id"] for dag in self._call("GET", "/api/v2/dags")["dags"]}
        return {"wearables", "questionnaires", "warehouse"} <= known

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        reply = self._http.request(method, path, json=body)
        if reply.status_code == 401:  # no token yet, or a lapsed one
            login = {"username": "admin", "password": self.password}
            token = self._http.post("/auth/token", json=login).raise_for_status().json()
            self._http.headers["Authorization"] = f"Bearer {token['access_token']}"
            reply = self._http.request(method, path, json=body)
        return reply.raise_for_status().json()


def _settings(folder: Path, port: int) -> dict[str, str]:
    url = f"http://127.0.0.1:{port}"
    return {
        "AIRFLOW_HOME": str(folder),
        "PATH": f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}",
        "AIRFLOW__CORE__DAGS_FOLDER": str(DAGS),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__PARALLELISM": "3",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "True",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "admin:admin",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__BASE_URL": url,
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "5",
        "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(free_port()),
        "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT": str(free_port()),
    }


def free_port() -> int:
    """A port of 127.0.0.1 that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def port_is_free(port: int) -> bool:
    """Whether a server could listen on this port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        return probe.connect_ex(("127.0.0.1", port)) != 0


@contextmanager
def started(
    command: list[str], folder: Path, environ: Mapping[str, str], log: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command in a session of its own, in `folder`; on leaving, end the whole session.

    It is asked to stop as by Ctrl-C, also when this process dies; what is left is killed. The
    session is noted in the folder above, for a run that comes after this one was killed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with open(log, "ab") as out:
        process = subprocess.Popen(
            command, cwd=folder, env=dict(environ), stdin=subprocess.DEVNULL, stdout=out,
            stderr=subprocess.STDOUT, start_new_session=True,
            preexec_fn=partial(_die_with, os.getpid()),
        )  # fmt: skip
    session = session_led_by(process.pid)
    try:
        note_session(folder.parent, session)
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
        end_session(session)
        process.wait()


def _die_with(parent: int) -> None:
    """Before the command runs: have the kernel interrupt it when its parent dies."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # a background shell ignores it
    if ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGINT) or os.getppid() != parent:
        os._exit(1)  # the parent died first, and would never be missed
