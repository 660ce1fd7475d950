"""A scenario run through the real ingestion, over HTTP, and held against the oracle.

with scenario_run(draw_scenario(17), folder, patch) as run:
    for verdict in run.verdicts():      # one for each build
        assert not verdict.wrong
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import httpx
import pytest
import sqlalchemy as sa
from support.simulated import Simulated
from support.trial import Trial, trial

from ingestion.answers import pull_answers, pull_roster
from ingestion.consent import connect_headless
from ingestion.errors import SourceError
from ingestion.http import PATIENCE
from ingestion.pull import plan_wearables, pull_connected
from ingestion.simulator.oauth import gone
from ingestion.simulator.outcomes import answered_at
from ingestion.simulator.scenario import Scenario
from ingestion.simulator.server import serve
from ingestion.simulator.world import World
from warehouse import register as reg
from warehouse.home import Store, find_home, open_store
from warehouse.publish import open_published, stable_path
from warehouse.study import EXAMPLE, read_study

TESTS = Path(__file__).parents[1]
WRONG_DAYS = """
    SELECT participant_id, activity_date,
        t.day_state, d.day_state, t.steps, d.steps, t.wear_minutes, d.wear_minutes
    FROM truth t FULL JOIN participant_day d USING (participant_id, activity_date)
    WHERE (t.day_state, t.steps, t.wear_minutes)
        IS DISTINCT FROM (d.day_state, d.steps, d.wear_minutes)
    ORDER BY ALL
"""
ANSWERS = {
    "response": ("participant_id", "visit", "instrument", "item", "value", "answered_on"),
    "treatment_session": ("participant_id", "session_number", "held_on", "attended"),
    "goal": ("participant_id", "version", "valid_from", "valid_to", "goal_steps"),
}
HEAD = ("participant", "day", "state", "steps", "wear")


@dataclass(frozen=True)
class Found:
    """One build against the truth: how many person-days there are, by state, and which differ."""

    as_of: datetime
    days: int
    states: dict[str, int]
    wrong: list[tuple[Any, ...]]
    wrong_answers: dict[str, int]  # rows that differ, by table; none where all are right

    def table(self, most: int = 12) -> str:
        """The first wrong person-days, what was expected before what was found."""
        lines = [f"as of {self.as_of:%Y-%m-%d %H:%M}: {len(self.wrong)} of {self.days} days wrong",
                 "{:<12} {:<10} {:>37} {:>15} {:>13}".format(*HEAD)]  # fmt: skip
        for who, on, *pairs in self.wrong[:most]:
            told = [f"{pairs[n]} -> {pairs[n + 1]}" for n in (0, 2, 4)]
            lines.append(f"{who:<12} {on} {told[0]:>37} {told[1]:>15} {told[2]:>13}")
        return "\n".join(lines)


class ScenarioRun:
    """A scenario under way: pulls are made, troubles befall them, and builds are judged."""

    def __init__(self, scenario: Scenario, run: Trial) -> None:
        self.scenario, self.run = scenario, run

    def verdicts(self) -> Iterator[Found]:
        """Consent, then every pull with its troubles; a verdict after each build."""
        self._consent()
        for spec in self.scenario.specs():
            self.run.sim.http.post("/_emu/faults", json=spec).raise_for_status()
        for number, at in enumerate(self.scenario.pulls):
            self.run.sim.set_clock(at)
            if number == self.scenario.killed:
                self._pull_and_kill()
            pull_all(self.run.store, at)
            self.run.pulled_at.append(at)
            if number in self.scenario.builds:
                self.run.build()
                yield self._found()

    def receipts(self) -> list[dict[str, Any]]:
        """Every receipt of the trial."""
        return self.run.store.register.rows(sa.select(reg.receipt))

    def _consent(self) -> None:
        at = self.scenario.consented_at
        self.run.sim.set_clock(at)
        pull_roster(self.run.store, at)
        for one in self.run.sim.world.participants:
            both = one.participant_id in self.scenario.both
            for source in ("google_health", "fitbit") if both else (one.vendor,):
                if one.connects and not gone(one, at):
                    connect_headless(self.run.store, source, one.participant_id)

    def _pull_and_kill(self) -> None:
        """The same pull in a process of its own, killed after some requests, whatever it was at."""
        enough = sum(self.run.sim.served.simulator.log.values()) + 3 + 7 * self.scenario.seed % 60
        code = "from support.oracle import pull_alone; pull_alone()"
        child = subprocess.Popen(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONPATH": str(TESTS)}, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        while child.poll() is None:
            if sum(list(self.run.sim.served.simulator.log.values())) >= enough:
                child.kill()
            time.sleep(0.001)

    def _found(self) -> Found:
        as_of = self.run.pulled_at[-1]
        truth = self.run.sim.world.truth_days(as_of, self.run.pulled_at, self.scenario)
        con = open_published(stable_path(self.run.store.home, sees_arms=True))
        try:
            con.register("truth", truth)
            wrong = con.execute(WRONG_DAYS).fetchall()
            return Found(as_of, truth.num_rows, _states(con), wrong, self._wrong_answers(con))
        finally:
            con.close()

    def _wrong_answers(self, con: duckdb.DuckDBPyConnection) -> dict[str, int]:
        """Answers, sessions and goals against what REDCap had when it last answered."""
        at = answered_at(self.run.pulled_at, self.scenario)
        asked = at is not None and at >= self.scenario.pulls[0]  # at the consent: the roster alone
        world = self.run.sim.world
        truths = {"response": world.truth_responses, "treatment_session": world.truth_sessions,
                  "goal": world.truth_goals}  # fmt: skip
        differing = {
            table: len(_rows(con, table) ^ {tuple(row[name] for name in ANSWERS[table])
                                            for row in (truth(at) if asked else ())})
            for table, truth in truths.items()
        }  # fmt: skip
        return {table: rows for table, rows in differing.items() if rows}


def pull_all(store: Store, at: datetime) -> None:
    """Everything that is due at `at`, as the DAGs do it: a trouble fails its own task alone."""
    for source, batch in plan_wearables(store):
        _survived(lambda source=source, batch=batch: pull_connected(store, source, batch))
    for batch in _survived(lambda: pull_roster(store, at)) or ():
        _survived(lambda batch=batch: pull_answers(store, batch, at))


def pull_alone() -> None:
    """The body of a process that pulls the study of the environment at its clock."""
    store = open_store(find_home())
    now = httpx.get(os.environ["STEPWELL_CLOCK_URL"], trust_env=False).json()["now"]
    pull_all(store, datetime.fromisoformat(now))


def _survived(task: Any) -> Any:
    try:
        return task()
    except SourceError:
        return None  # the task would be red; what it left is judged by the oracle


def _rows(con: duckdb.DuckDBPyConnection, table: str) -> set[tuple[Any, ...]]:
    return set(con.execute(f"SELECT {', '.join(ANSWERS[table])} FROM {table}").fetchall())


def _states(con: duckdb.DuckDBPyConnection) -> dict[str, int]:
    rows = con.execute("SELECT day_state, count(*) FROM participant_day GROUP BY 1").fetchall()
    return {str(state): int(days) for state, days in rows}


@contextmanager
def scenario_run(
    scenario: Scenario, folder: Path, patch: pytest.MonkeyPatch
) -> Iterator[ScenarioRun]:
    """The scenario's world, served, with a study of its own in `folder`; no wait is waited."""
    patch.setitem(PATIENCE.__dict__, "sleep", lambda seconds: None)
    folder.mkdir(parents=True)
    (folder / "study.toml").write_text(_protocol(scenario), encoding="utf-8")
    world = World(read_study(folder / "study.toml"), **scenario.world)
    with (
        serve(world) as served,
        httpx.Client(base_url=served.url, trust_env=False) as client,
        trial(folder, Simulated(world, served, client), patch) as run,
    ):
        yield ScenarioRun(scenario, run)


def _protocol(scenario: Scenario) -> str:
    """The example protocol, beginning on the scenario's day, its sites where the scenario says."""
    text = EXAMPLE.read_text(encoding="utf-8")
    opens = scenario.first_day - timedelta(weeks=2)
    text = re.sub(r"first_day = \S+", f"first_day = {opens}", text)
    text = re.sub(r"(?m)^(recruitment_ends_on|planned) = .*$", "", text)  # of other days
    homes = iter(scenario.homes)
    return re.sub(r'timezone = "\w+/\w+"', lambda _: f'timezone = "{next(homes)}"', text)
