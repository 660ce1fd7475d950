"""What must survive `kill -9`, in one small SQLite file: committed before a reply goes out.

The clock, spent codes, legacy token generations, revoked grants, armed faults and how far they are
consumed. Everything else the servers say is a pure function of the world and the clock.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

FILE = "simulator.sqlite"
_TABLES = """
    CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, value TEXT NOT NULL);
    CREATE TABLE IF NOT EXISTS spent (code TEXT PRIMARY KEY);
    CREATE TABLE IF NOT EXISTS revoked (family TEXT PRIMARY KEY);
    CREATE TABLE IF NOT EXISTS legacy (
        family TEXT PRIMARY KEY, generation INTEGER NOT NULL, rotated_at TEXT NOT NULL);
    CREATE TABLE IF NOT EXISTS fault (
        id INTEGER PRIMARY KEY, spec TEXT NOT NULL, used INTEGER NOT NULL DEFAULT 0);
    CREATE TABLE IF NOT EXISTS stumbled (request TEXT PRIMARY KEY);
"""


class StateError(RuntimeError):
    """The state directory cannot be used; the message says why and what to do."""


class ClockError(ValueError):
    """The clock may only go forward."""


class State:
    """`folder` None keeps the state in memory; `world` names the world it belongs to."""

    def __init__(self, folder: Path | None, world: str, begins_at: datetime) -> None:
        self._lock = threading.RLock()
        self._begins_at = begins_at
        path = ":memory:"
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            path = str(folder / FILE)
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")  # survives a killed process, which is all
        self._db.executescript(_TABLES)
        kept = self._setting("world")
        if kept not in (None, world):
            self._db.close()
            raise StateError(
                f"{path} belongs to another world (seed, participants, weeks or study differ); "
                "give another --state or remove that file"
            )
        self._write("INSERT OR IGNORE INTO setting VALUES ('world', ?)", world)
        now = self._setting("now")
        self._now = datetime.fromisoformat(now) if now else begins_at

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def now(self) -> datetime:
        """The simulator's clock."""
        return self._now

    def set_now(self, at: datetime) -> None:
        """Move the clock; ClockError when that is backwards."""
        with self._lock:
            if at < self._now:
                raise ClockError(
                    f"the clock stands at {self._now.isoformat()} and only goes forward; "
                    "POST /_emu/reset starts the world over"
                )
            self._write("INSERT OR REPLACE INTO setting VALUES ('now', ?)", at.isoformat())
            self._now = at.astimezone(UTC)

    def reset(self) -> None:
        """Start over: the clock, tokens, faults."""
        with self._lock:
            self._db.executescript(
                "BEGIN; DELETE FROM setting WHERE name <> 'world'; DELETE FROM spent; "
                "DELETE FROM revoked; DELETE FROM legacy; DELETE FROM fault; "
                "DELETE FROM stumbled; COMMIT;"
            )
            self._now = self._begins_at

    def spend(self, code: str) -> bool:
        """Use a code; False when it had been used."""
        return self._write("INSERT OR IGNORE INTO spent VALUES (?)", code) == 1

    def next_number(self, name: str) -> int:
        """1, 2, 3 ... of a named series: tells two consents at one clock apart."""
        with self._lock:
            number = int(self._setting(name) or 0) + 1
            self._write("INSERT OR REPLACE INTO setting VALUES (?, ?)", name, str(number))
            return number

    def revoke(self, family: str) -> None:
        """Kill every token of a grant."""
        self._write("INSERT OR IGNORE INTO revoked VALUES (?)", family)

    def is_revoked(self, family: str) -> bool:
        return bool(self._read("SELECT 1 FROM revoked WHERE family = ?", family))

    def generation(self, family: str) -> tuple[int, datetime]:
        """A legacy grant's newest token generation and when it was made; (0, begin) when none."""
        rows = self._read("SELECT generation, rotated_at FROM legacy WHERE family = ?", family)
        if not rows:
            return 0, self._begins_at
        return int(rows[0][0]), datetime.fromisoformat(rows[0][1])

    def rotate(self, family: str, generation: int) -> None:
        """Make `generation` the newest of a legacy grant, as of now."""
        self._write(
            "INSERT OR REPLACE INTO legacy VALUES (?, ?, ?)",
            family, generation, self._now.isoformat(),
        )  # fmt: skip

    def arm(self, spec: dict[str, Any]) -> int:
        """Keep a fault to give; its number."""
        with self._lock:
            done = self._db.execute("INSERT INTO fault (spec) VALUES (?)", [json.dumps(spec)])
            return int(done.lastrowid or 0)

    def armed(self) -> list[tuple[int, dict[str, Any], int]]:
        """(number, spec, times used) of every fault, in the order armed."""
        rows = self._read("SELECT id, spec, used FROM fault ORDER BY id")
        return [(int(n), json.loads(spec), int(used)) for n, spec, used in rows]

    def disarm(self, number: int | None = None) -> int:
        """Forget the fault of that number, or all; how many there were."""
        if number is None:
            return self._write("DELETE FROM fault")
        return self._write("DELETE FROM fault WHERE id = ?", number)

    def use(self, number: int) -> None:
        """Count one use of an armed fault."""
        self._write("UPDATE fault SET used = used + 1 WHERE id = ?", number)

    def stumble(self, request: str) -> bool:
        """Whether this request has not yet met its built-in fault; from now on it has."""
        return self._write("INSERT OR IGNORE INTO stumbled VALUES (?)", request) == 1

    def _setting(self, name: str) -> str | None:
        rows = self._read("SELECT value FROM setting WHERE name = ?", name)
        return str(rows[0][0]) if rows else None

    def _read(self, sql: str, *values: Any) -> list[Any]:
        with self._lock:
            return self._db.execute(sql, values).fetchall()

    def _write(self, sql: str, *values: Any) -> int:
        """Run one committed statement; the number of rows it changed."""
        with self._lock:
            return self._db.execute(sql, values).rowcount
