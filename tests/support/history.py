"""A small study to which things happen, and its builds compared table by table."""

from __future__ import annotations

import dataclasses
import random
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from support.landed_days import AS_OF, ON, a_day

from ingestion import landing
from ingestion.source import Reading
from warehouse import publish
from warehouse import register as reg
from warehouse.home import Home, Store
from warehouse.tables import PUBLISHED

MAIN, SECOND = "google_health", "fitbit"


class History:
    """A small study to which things happen, each drawn by a seed."""

    def __init__(self, store: Store, seed: int) -> None:
        self.store, self.draw = store, random.Random(seed)
        self.now, self.first, self.people, self.word = AS_OF, 0, 0, 0
        for _ in range(5):
            self.a_new_participant()
        self.days_of_everybody()

    @property
    def today(self) -> date:
        return self.now.date()

    def somebody(self) -> str:
        return f"P{self.draw.randrange(self.first, self.people)}"

    def some_day(self) -> date:
        return ON + timedelta(days=self.draw.randrange((self.today - ON).days + 1))

    # What can happen

    def a_new_participant(self) -> None:
        self.people += 1
        self._roster(
            f"P{self.people - 1}", site="haifa", timezone="Asia/Jerusalem", enrolled_on=ON,
            starts_on=ON, arm=self.draw.choice(["etmi", "usual_care"]),
        )  # fmt: skip
        self._grant(f"P{self.people - 1}", since=self.now)

    def days_of_everybody(self) -> None:
        for number in range(self.first, self.people):
            for _ in range(self.draw.randrange(6)):
                self._day(f"P{number}", self.some_day())

    def time_passes(self) -> None:
        self.now += timedelta(hours=self.draw.choice([1, 20, 24, 24, 100, 500]))

    def a_day_lands_and_all_have_synced(self) -> None:
        self.time_passes()
        for number in range(self.first, self.people):
            self._day(f"P{number}", self.today - timedelta(days=1))
            self._grant(f"P{number}")

    def a_day_comes_late_or_is_restated(self) -> None:
        self._day(self.somebody(), self.some_day())

    def a_second_source(self) -> None:
        one, on = self.somebody(), self.some_day()
        self._grant(one, SECOND, since=self.now, landed_sync_at=self._instant())
        self._day(one, on, source=SECOND, era="legacy_fitbit")

    def a_source_lands_less_far(self) -> None:
        self._grant(self.somebody(), landed_sync_at=self._instant())

    def a_source_was_asked_from_another_day(self) -> None:
        self._grant(self.somebody(), first_asked_on=self.some_day())

    def consent_is_lost(self) -> None:
        state = self.draw.choice(["revoked", "expired", "never_connected", "active"])
        self._grant(self.somebody(), state=state, landed_sync_at=None)

    def a_pull_ends(self) -> None:
        """Badly or well; now, or long ago as one that ends late says."""
        at = self.now - timedelta(hours=self.draw.choice([0, 30, 300]))
        for number in range(self.first, self.people):
            reason = self.draw.choice(["received", "vendor_outage", "our_fault", "not_synced"])
            row = {"participant_id": f"P{number}", "source": MAIN, "data_type": "steps",
                   "pull_id": f"p{self.word}", "asked_at": at, "received": 3, "landed": 2,
                   "rejected": 1, "reason": reason}  # fmt: skip
            self.store.register.put(reg.receipt, [row])
            self._grant(f"P{number}", last_pulled_at=at)

    def lateness_is_learned(self) -> None:
        row = {"participant_id": self.somebody(), "source": MAIN, "changes": 3,
               "lateness_days": self.draw.choice([0, 10, 28]), "learned_at": self.now}  # fmt: skip
        self.store.register.put(reg.lateness, [row])

    def answers(self) -> None:
        visit = self.draw.choice(["baseline", "week_6", "week_12", "discharge"])
        row = {"participant_id": self.somebody(), "instrument": "NPRS", "repeat": 1, "item": "1",
               "visit": visit, "value": str(self.draw.randrange(12)),
               "answered_on": self.some_day()}  # fmt: skip
        self._rows("response", row)

    def a_session(self) -> None:
        row = {"participant_id": self.somebody(), "session_number": self.draw.randrange(1, 4),
               "held_on": self.some_day(), "attended": self.draw.random() < 0.7}  # fmt: skip
        self._rows("treatment_session", row)

    def a_goal(self) -> None:
        row = {"participant_id": self.somebody(), "version": self.draw.randrange(1, 3),
               "goal_steps": self.draw.choice([100, 5000]), "valid_from": self.some_day(),
               "rule": "protocol"}  # fmt: skip
        self._rows("goal", row)

    def somebody_pauses_or_withdraws(self) -> None:
        name = self.draw.choice(["paused_from", "paused_to", "withdrawn_on"])
        self._roster(self.somebody(), **{name: self.draw.choice([None, self.some_day()])})

    def somebody_moves(self) -> None:
        changed: dict[str, Any] = self.draw.choice([
            {"timezone": "Pacific/Auckland"}, {"timezone": "America/Los_Angeles"},
            {"starts_on": ON - timedelta(days=3)}, {"starts_on": ON + timedelta(days=5)},
            {"arm": "usual_care"}, {"arm": "etmi"}, {"depression_or_anxiety": True},
        ])  # fmt: skip
        self._roster(self.somebody(), **changed)

    def the_protocol_is_amended(self) -> None:
        part, settings = self.draw.choice([
            ("wear", {"valid_day_minutes": self.draw.choice([600, 701])}),
            ("wear", {"moderate_cadence": self.draw.choice([100, 130])}),
            ("goals", {"baseline_days": self.draw.choice([14, 21])}),
            ("study", {"small_cell": self.draw.choice([2, 5])}),
        ])  # fmt: skip
        changed = getattr(self.store.study, part).model_copy(update=settings)
        study = self.store.study.model_copy(update={part: changed})
        self.store = dataclasses.replace(self.store, study=study)

    def somebody_is_no_longer_on_the_roster(self) -> None:
        with self.store.register.begin() as con:
            for table in (reg.participant, reg.grant, reg.receipt, reg.lateness):
                con.execute(sa.delete(table).where(table.c.participant_id == f"P{self.first}"))
        self.first += 1
        self.a_new_participant()

    def something_happens(self) -> None:
        """One to four of EVENTS."""
        for event in self.draw.choices(EVENTS, k=self.draw.randrange(1, 5)):
            event(self)

    # What it is made of

    def _day(self, participant: str, on: date, **facts: Any) -> None:
        self.word += 1
        steps = self.draw.choice([0, 90, 3000, 60000])
        fetched_at = AS_OF + timedelta(minutes=self.word)
        day = dataclasses.replace(a_day(participant, steps, on), fetched_at=fetched_at, **facts)
        landing.land(self.store, Reading(days=[day]), day.source, "0000")  # a file has one source

    def _rows(self, table: str, row: dict[str, Any]) -> None:
        self.word += 1
        told: dict[str, Any] = {"fetched_at": AS_OF + timedelta(minutes=self.word)}
        if table != "goal":
            told["source"] = "redcap"
        landing.land(self.store, Reading(rows={table: [row | told]}), "redcap", "0000")

    def _roster(self, participant: str, **facts: Any) -> None:
        landing.land_roster(self.store, [{"participant_id": participant} | facts])

    def _grant(self, participant: str, source: str = MAIN, **facts: Any) -> None:
        usual = {"state": "active", "since": AS_OF, "first_asked_on": ON,
                 "landed_sync_at": self.now, "synced_at": self.now}  # fmt: skip
        row = {"participant_id": participant, "source": source} | usual | facts
        self.store.register.put(reg.grant, [row])

    def _instant(self) -> datetime | None:
        at = self.now - timedelta(hours=self.draw.randrange(400))
        return self.draw.choice([None, at, at])


EVENTS: tuple[Callable[[History], None], ...] = (
    History.a_new_participant,
    History.days_of_everybody,
    History.time_passes,
    History.a_day_lands_and_all_have_synced,
    History.a_day_comes_late_or_is_restated,
    History.a_second_source,
    History.a_source_lands_less_far,
    History.a_source_was_asked_from_another_day,
    History.consent_is_lost,
    History.a_pull_ends,
    History.lateness_is_learned,
    History.answers,
    History.a_session,
    History.a_goal,
    History.somebody_pauses_or_withdraws,
    History.somebody_moves,
    History.the_protocol_is_amended,
    History.somebody_is_no_longer_on_the_roster,
)


@contextmanager
def both(first: Store, second: Store, sees_arms: bool) -> Iterator[Any]:
    with closing(publish.connect()) as con:
        for name, store in (("a", first), ("b", second)):
            path = publish.stable_path(store.home, sees_arms).resolve()
            con.execute(f"ATTACH '{path}' AS {name} (READ_ONLY)")
        yield con


def differences(first: Store, second: Store) -> list[str]:
    """The tables of the newest builds whose rows differ, and hashes that are not what they say."""
    found = []
    for sees_arms in (True, False):
        with both(first, second, sees_arms) as con:
            for table in PUBLISHED:
                shown = table if sees_arms else table.masked()
                if shown is None or table.name == "build":
                    continue
                names = ", ".join(f'"{name}"' for name in shown.names)
                a, b = (f"SELECT {names} FROM {one}.{table.full_name}" for one in "ab")
                for one, other in ((a, b), (b, a)):
                    if con.execute(f"{one} EXCEPT ALL {other}").fetchall():
                        found.append(f"{table.full_name}, {'full' if sees_arms else 'masked'}")
            said = con.execute(
                "SELECT content_hash FROM a.ops.build UNION SELECT content_hash FROM b.ops.build"
            ).fetchall()
        with closing(publish.open_published(publish.stable_path(first.home, sees_arms))) as con:
            if {row[0] for row in said} != {publish.content_hash(con)}:
                found.append(f"content hash, {'full' if sees_arms else 'masked'}")
    return found


def apart(store: Store) -> Store:
    """The same register and lake, published in a folder of its own."""
    folder = store.home.path.with_name("apart")
    if not folder.exists():
        folder.mkdir()
        shutil.copy(store.home.study_path, folder)
    home = Home(folder, store.home.register_url, store.home.lake_url)
    return dataclasses.replace(store, home=home)
