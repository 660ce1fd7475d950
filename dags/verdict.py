"""The demo's verdict: the published warehouse against the simulator's own truth."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import duckdb
import pyarrow as pa

from ingestion.simulator.world import World
from warehouse.home import Home
from warehouse.publish import open_published, stable_path

# What makes two rows of a small table the same fact; the rest of a row is compared too.
_FACTS: dict[str, tuple[str, ...]] = {
    "response": ("participant_id", "visit", "instrument", "repeat", "item", "value", "answered_on"),
    "treatment_session": (
        "participant_id",
        "session_number",
        "held_on",
        "attended",
        "therapist_id",
    ),
    "goal": ("participant_id", "version", "valid_from", "valid_to", "goal_steps"),
}


@dataclass(frozen=True)
class Line:
    """One line of the verdict: how many were expected, and how many are so."""

    what: str
    expected: int
    found: int

    @property
    def holds(self) -> bool:
        return self.expected == self.found

    def __str__(self) -> str:
        head = f"{self.what:<34}{self.expected:>10,}{self.found:>10,}"
        if not self.expected:
            return f"{head}  none yet"
        # floored, so that 100 % is said only of all
        return f"{head}{int(1000 * self.found / self.expected) / 10:>9} %"


@dataclass(frozen=True)
class Verdict:
    """The lines, the days by state, and the hash of what was published."""

    lines: list[Line]
    states: list[tuple[str, int]]
    content_hash: str

    @property
    def holds(self) -> bool:
        return self.lines[0].expected > 0 and all(line.holds for line in self.lines)

    def __str__(self) -> str:
        head = f"{'':<34}{'expected':>10}{'landed':>10}{'':>11}"
        states = "\n".join(f"  {state:<32}{days:>10,}" for state, days in self.states)
        body = "\n".join(str(line) for line in self.lines)
        return f"{head}\n{body}\n\nperson-days by state\n{states}\n\ncontent {self.content_hash}"


def reach_verdict(
    home: Home, world: World, as_of: datetime, pulled_at: Sequence[datetime]
) -> Verdict:
    """Compare what is published with the truth as it could be known after those pulls."""
    con = open_published(stable_path(home, sees_arms=True))
    try:
        lines = _days(con, world.truth_days(as_of, pulled_at))
        truths = {
            "response": world.truth_responses(as_of),
            "treatment_session": world.truth_sessions(as_of),
            "goal": world.truth_goals(as_of),
        }
        lines += [_questionnaires(con, truths["response"])]
        lines += [_small(con, table, rows) for table, rows in truths.items()]
        return Verdict(lines, _states(con), _hash(con))
    finally:
        con.close()


def _days(con: duckdb.DuckDBPyConnection, truth: pa.Table) -> list[Line]:
    con.register("truth", truth)
    extra = con.execute(
        "SELECT count(*) FROM participant_day ANTI JOIN truth USING (participant_id, activity_date)"
    ).fetchall()[0][0]
    row = con.execute(
        "SELECT count(*), count(d.participant_id), "
        "count(*) FILTER (d.steps IS NOT DISTINCT FROM t.steps "
        "  AND d.wear_minutes IS NOT DISTINCT FROM t.wear_minutes "
        "  AND d.participant_id IS NOT NULL), "
        "count(*) FILTER (d.day_state = t.day_state) "
        "FROM truth t LEFT JOIN participant_day d USING (participant_id, activity_date)"
    ).fetchall()[0]
    con.unregister("truth")
    expected, found, equal, reasoned = (int(n) for n in row)
    return [
        Line("person-days, none besides", expected, found - int(extra)),
        Line("  equal to the truth", expected, equal),
        Line("  with the right reason", expected, reasoned),
    ]


def _questionnaires(con: duckdb.DuckDBPyConnection, truth: Iterable[dict[str, Any]]) -> Line:
    form = ("participant_id", "visit", "instrument", "repeat")
    expected = {tuple(row[name] for name in form) for row in truth}
    rows = con.execute(f"SELECT DISTINCT {_names(form)} FROM response").fetchall()
    return Line("questionnaires", len(expected), len(expected & set(rows)))


def _small(con: duckdb.DuckDBPyConnection, table: str, truth: Iterable[dict[str, Any]]) -> Line:
    facts = _FACTS[table]
    expected = {tuple(row[name] for name in facts) for row in truth}
    found = set(con.execute(f"SELECT {_names(facts)} FROM {table}").fetchall())
    what = {"response": "  answers", "treatment_session": "treatment sessions", "goal": "goals"}
    return Line(what[table], len(expected), len(expected & found) - len(found - expected))


def _states(con: duckdb.DuckDBPyConnection) -> list[tuple[str, int]]:
    query = "SELECT day_state, count(*) AS days FROM participant_day GROUP BY 1 ORDER BY 2 DESC, 1"
    return [(str(state), int(days)) for state, days in con.execute(query).fetchall()]


def _hash(con: duckdb.DuckDBPyConnection) -> str:
    return str(con.execute("SELECT content_hash FROM ops.build").fetchall()[0][0])


def _names(columns: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in columns)
