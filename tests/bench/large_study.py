"""A whole trial to look at and to measure the pages on: 1,624 participants by 180 days.

Minutes as in synthetic.py, and besides what a trial has: sites, people who come in over two months,
wear it less and less, pause and leave, answer some of their questionnaires, and have goals. All of
it is drawn from one seed; nobody's data.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import synthetic

from ingestion.landing import fact_hash, land_roster
from transforms.build import build_warehouse
from warehouse import register as reg
from warehouse.home import Store
from warehouse.schema import Table
from warehouse.study import EXAMPLE
from warehouse.tables import landed

WAVES = 8  # weeks over which people come in
ITEMS = {"LCAT": ("score",), "NPRS": ("1",), "FABQ": tuple(str(n) for n in range(1, 17)),
         "RMDQ24": tuple(str(n) for n in range(1, 25))}  # fmt: skip
MOST = {"LCAT": 100, "NPRS": 10, "FABQ": 6, "RMDQ24": 1}


def write_trial(folder: Path, participants: int = 1624, days: int = 180) -> Store:
    """Land the trial in `folder` and build it; returns the study opened."""
    folder.mkdir(parents=True)
    (folder / "study.toml").write_text(EXAMPLE.read_text(encoding="utf-8"), encoding="utf-8")
    store = synthetic.open_home(folder)
    rng = np.random.default_rng(synthetic.SEED)
    people = _people(store, participants, days, rng)
    land_roster(store, people)
    keenness = rng.beta(6, 2, participants)
    for number in range(days):
        steps, worn = synthetic.draw_minutes(participants, number)
        off = rng.random(participants) > keenness * (1 - 0.3 * number / days)
        steps[off], worn[off] = 0, False
        synthetic.land_date(store, participants, number, (steps, worn))
    synthetic.know_through(store, participants, 0, days)
    _lose_some(store, people, days, rng)
    end = synthetic.FIRST_DAY + timedelta(days=days)
    _land(store, landed.response, people, _answers(store, people, end, rng))
    _land(store, landed.goal, people, _goals(people, rng))
    build_warehouse(store, synthetic.morning_after(days - 1))
    return store


def _people(
    store: Store, participants: int, days: int, rng: np.random.Generator
) -> list[dict[str, Any]]:
    sites = [site.code for site in store.study.sites]
    arms = [arm.code for arm in store.study.arms]
    rows = []
    for index, name in enumerate(synthetic.names(participants)):
        starts = synthetic.FIRST_DAY + timedelta(days=int(rng.integers(0, WAVES)) * 7)
        leaves = rng.random() < 0.15
        rows.append({
            "participant_id": name, "site": sites[index % len(sites)],
            "arm": arms[int(rng.integers(0, len(arms)))], "timezone": "UTC",
            "enrolled_on": starts - timedelta(days=3), "starts_on": starts,
            "withdrawn_on": starts + timedelta(days=int(rng.integers(10, days))) if leaves
            else None,
            "depression_or_anxiety": bool(rng.random() < 0.35),
            "age_years": int(rng.integers(21, 75)), "sex": ("female", "male")[index % 2],
        })  # fmt: skip
    return rows


def _lose_some(
    store: Store, people: list[dict[str, Any]], days: int, rng: np.random.Generator
) -> None:
    """Some consents end, and some devices have not synced for days."""
    end = synthetic.morning_after(days - 1)
    lost = [
        {"participant_id": row["participant_id"], "source": synthetic.SOURCE, "state": "revoked",
         "since": end - timedelta(days=int(rng.integers(1, 20))), "next_step": "ask to reconnect"}
        for row in people if rng.random() < 0.03
    ]  # fmt: skip
    store.register.put(reg.grant, lost)
    late = [
        {"participant_id": row["participant_id"], "source": synthetic.SOURCE,
         "synced_at": end - timedelta(days=int(rng.integers(2, 12)))}
        for row in people if rng.random() < 0.08
    ]  # fmt: skip
    with store.register.begin() as con:
        for row in late:
            con.execute(
                reg.grant.update()
                .where(reg.grant.c.participant_id == row["participant_id"])
                .values(synced_at=row["synced_at"], landed_sync_at=row["synced_at"])
            )


def _answers(
    store: Store, people: list[dict[str, Any]], end: date, rng: np.random.Generator
) -> Iterator[dict[str, Any]]:
    for row in people:
        better = rng.normal(0.08, 0.06)
        for visit in store.study.visits:
            on = row["starts_on"] + timedelta(days=7 * (visit.week or 0) - (visit.week == 0))
            if visit.week is None or on >= end or rng.random() > 0.9 - 0.06 * visit.week / 4:
                continue
            level = np.clip(0.5 - better * visit.week / 6 + rng.normal(0, 0.08), 0.02, 0.98)
            for instrument, items in ITEMS.items():
                part = 1 - level if instrument == "LCAT" else level
                for item in items:
                    near = float(np.clip(part + rng.normal(0, 0.1), 0, 1))
                    value = round(near * MOST[instrument])
                    yield {
                        "participant_id": row["participant_id"], "visit": visit.code,
                        "instrument": instrument, "repeat": 1, "item": item, "value": str(value),
                        "answered_on": on,
                    }  # fmt: skip


def _goals(people: list[dict[str, Any]], rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    for row in people:
        yield {
            "participant_id": row["participant_id"], "version": 1, "valid_to": None,
            "valid_from": row["starts_on"] + timedelta(days=14), "rule": "protocol",
            "goal_steps": int(rng.integers(60, 110)) * 100,
        }  # fmt: skip


def _land(
    store: Store, table: Table, people: list[dict[str, Any]], rows: Iterator[dict[str, Any]]
) -> None:
    """Land the rows of a small table batch by batch, each with its hash."""
    size = store.study.wearables.batch_size
    bucket = {row["participant_id"]: f"{n // size:04d}" for n, row in enumerate(people)}
    parts: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        whole = {name: None for name in table.names} | row | {
            "row_hash": fact_hash(row.values()), "raw_sha256": [],
            "fetched_at": datetime.combine(synthetic.FIRST_DAY, datetime.min.time(), UTC),
        }  # fmt: skip
        if "source" in table.names:
            whole["source"] = "redcap"
        parts.setdefault(bucket[row["participant_id"]], []).append(whole)
    for name, listed in parts.items():
        store.lake.merge_rows(table, "redcap", name, pa.Table.from_pylist(listed, table.arrow))


if __name__ == "__main__":
    size = [int(part) for part in sys.argv[2:4]] or [1624, 180]
    write_trial(Path(sys.argv[1]), *size)
