"""What the benchmark is measured on. Everything here is synthetic and seeded: nobody's steps.

About 85 % of the minutes are zero, in bouts of a few minutes; every day has a gap in wear and some
nights are not worn. All days are UTC and have 1,440 minutes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from ingestion.landing import days_table, land_roster
from ingestion.simulator.google_points import matching_minutes, step_points
from ingestion.simulator.world import World
from ingestion.source import ActivityDay, runs_of
from warehouse import register as reg
from warehouse.home import Home, Store, open_store
from warehouse.lake import ZSTD_LEVEL
from warehouse.study import EXAMPLE, read_study

SEED = 20261122
SOURCE = "google_health"
FIRST_DAY = date(2026, 1, 19)
DAY_MINUTES = 1440
GOOGLE_PAGE = 5000  # most points that the vendor was seen to put on a page
RECEIPTS_OF = ("settings", "paired-devices", "steps", "daily-steps", "heart-rate")
BOUT_MINUTES = 4
NIGHT = 7 * 60

Steps = npt.NDArray[np.uint16]
Worn = npt.NDArray[np.bool_]


def write_study(folder: Path, participants: int, days: int) -> None:
    """A study home with its landed lake, and beside it the same minutes narrow, a row each."""
    folder.mkdir(parents=True)
    (folder / "study.toml").write_text(EXAMPLE.read_text(encoding="utf-8"), encoding="utf-8")
    store = open_home(folder)
    land_people(store, participants)
    narrow = None
    for number in range(days):
        steps, worn = draw_minutes(participants, number)
        land_date(store, participants, number, (steps, worn))
        rows = _narrow_rows(steps, worn, number)
        narrow = narrow or pq.ParquetWriter(
            folder / "narrow.parquet", rows.schema, compression="zstd", compression_level=ZSTD_LEVEL
        )
        narrow.write_table(rows)
    assert narrow is not None
    narrow.close()
    know_through(store, participants, 0, days)
    store.register.close()


def write_google(folder: Path, participants: int, weeks: int) -> None:
    """Step pages of the simulator's participants as `reconcile` sends them, a file each."""
    world = World(read_study(EXAMPLE), participants=participants, weeks=weeks, faults=False)
    folder.mkdir(parents=True)
    for person in world.participants:
        view = world.activity(person).view(world.settles_at)
        minutes = matching_minutes(world.grid, view, [], False)  # newest first
        for first in range(0, minutes.size - GOOGLE_PAGE + 1, GOOGLE_PAGE):
            page = minutes[first : first + GOOGLE_PAGE]
            points = step_points(world.grid, view, page, [""] * page.size)
            file = folder / f"{person.participant_id}_{first:06d}.json"
            file.write_text(f'{{"dataPoints":[{",".join(points)}]}}', encoding="utf-8")


def open_home(folder: Path) -> Store:
    """The study in `folder`, whatever the environment says."""
    return open_store(Home(folder, f"sqlite:///{folder}/register.sqlite", str(folder / "lake")))


def draw_minutes(participants: int, number: int) -> tuple[Steps, Worn]:
    """Steps and wear of day `number` for everybody, as (participants, 1,440)."""
    rng = np.random.default_rng([SEED, number])
    minute = np.arange(DAY_MINUTES)
    awake = (minute >= NIGHT) & (minute < 23 * 60)
    bouts = rng.random((participants, DAY_MINUTES // BOUT_MINUTES)) < 0.28
    cadence = rng.gamma(1.3, 26, (participants, DAY_MINUTES)) + 1
    gap_start = rng.integers(0, DAY_MINUTES, (participants, 1))
    gap = (minute >= gap_start) & (minute < gap_start + rng.integers(20, 300, (participants, 1)))
    worn = ~gap & ((minute >= NIGHT) | (rng.random((participants, 1)) < 0.7))
    active = np.repeat(bouts, BOUT_MINUTES, axis=1) & awake & worn
    return np.where(active, np.minimum(cadence, 200), 0).astype(np.uint16), worn


def land_people(store: Store, participants: int) -> None:
    """Roster and permissions, before anything landed."""
    site = store.study.sites[0].code
    arms = [arm.code for arm in store.study.arms]
    roster = [
        {"participant_id": name, "site": site, "arm": arms[index % len(arms)], "timezone": "UTC",
         "enrolled_on": FIRST_DAY, "starts_on": FIRST_DAY}
        for index, name in enumerate(names(participants))
    ]  # fmt: skip
    land_roster(store, roster)


def land_date(
    store: Store, participants: int, number: int, minutes: tuple[Steps, Worn] | None = None
) -> None:
    """Land day `number` of everybody, batch by batch, as the pull does."""
    for batch, rows in date_tables(store, participants, number, minutes):
        store.lake.merge_days(SOURCE, batch, rows)


def date_tables(
    store: Store, participants: int, number: int, minutes: tuple[Steps, Worn] | None = None
) -> Iterator[tuple[str, pa.Table]]:
    """Day `number` of everybody as landed rows: (bucket, table) of each batch."""
    steps, worn = minutes or draw_minutes(participants, number)
    listed, size = names(participants), store.study.wearables.batch_size
    for first in range(0, participants, size):
        people = range(first, min(first + size, participants))
        days = [_day(listed[i], number, steps[i], worn[i]) for i in people]
        yield f"{first // size:04d}", days_table(days)


def know_through(store: Store, participants: int, first: int, end: int) -> None:
    """Permissions that landed everything before day `end`, with a receipt a day and data type."""
    at = morning_after(end - 1)
    grants = [
        {"participant_id": name, "source": SOURCE, "state": "active", "since": morning_after(0),
         "last_pulled_at": at, "synced_at": at, "landed_sync_at": at}
        for name in names(participants)
    ]  # fmt: skip
    store.register.put(reg.grant, grants)
    for number in range(first, end):
        store.register.put(reg.receipt, list(_receipts(participants, number)))


def morning_after(number: int) -> datetime:
    """06:00 on the day after day `number`: pulled, landed, and known."""
    return datetime.combine(FIRST_DAY + timedelta(days=number + 1), time(6), UTC)


def names(participants: int) -> list[str]:
    return [f"S{index:05d}" for index in range(participants)]


def _day(name: str, number: int, steps: Steps, worn: Worn) -> ActivityDay:
    on = FIRST_DAY + timedelta(days=number)
    walked = np.flatnonzero(steps)
    wear_start, wear_length = runs_of(np.flatnonzero(worn))
    # steps, heart rate and total: a day is read from three replies, each hashed
    raw = (hashlib.sha256(f"{name} {on} {kind}".encode()).hexdigest() for kind in RECEIPTS_OF[2:])
    return ActivityDay(
        participant_id=name, source=SOURCE, activity_date=on, timezone="UTC",
        day_start_at=datetime.combine(on, time(), UTC), day_minutes=DAY_MINUTES,
        step_minute=walked.astype(np.uint16), step_count=steps[walked],
        wear_start=wear_start, wear_length=wear_length, wear_method="heart_rate",
        vendor_steps=int(steps.sum()), era=SOURCE, device_model="Synthetic",
        fetched_at=morning_after(number), raw_sha256=tuple(raw),
    )  # fmt: skip


def _receipts(participants: int, number: int) -> Iterator[dict[str, Any]]:
    on, at = FIRST_DAY + timedelta(days=number), morning_after(number)
    for name in names(participants):
        for data_type in RECEIPTS_OF:
            yield {
                "participant_id": name, "source": SOURCE, "data_type": data_type,
                "pull_id": f"pull-{number:05d}", "asked_at": at, "first_on": on, "last_on": on,
                "requests": 1, "received": 1, "landed": 1, "rejected": 0, "reason": "received",
            }  # fmt: skip


def _narrow_rows(steps: Steps, worn: Worn, number: int) -> pa.Table:
    people = steps.shape[0]
    who = np.repeat(np.arange(people, dtype=np.int16), DAY_MINUTES)
    columns = {
        "participant_id": pa.DictionaryArray.from_arrays(pa.array(who), pa.array(names(people))),
        "day": pa.array(np.full(steps.size, number, np.int16)),
        "minute": pa.array(np.tile(np.arange(DAY_MINUTES, dtype=np.uint16), people)),
        "steps": pa.array(steps.ravel()),
        "worn": pa.array(worn.ravel()),
    }
    return pa.table(columns)
