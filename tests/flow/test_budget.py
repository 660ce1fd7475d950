"""Requests: paced below the vendor's limits, spent where change is likely, and counted."""

from __future__ import annotations

import math
import multiprocessing
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from support.simulated import Simulated, simulated
from support.trial import Trial, trial

from ingestion.budget import SHARE, Budget, Limits, take_share
from ingestion.errors import ConsentLost, OutOfBudget, RateLimited, VendorDown
from ingestion.pull import plan_wearables, pull_connected
from ingestion.schedule import ask_after, is_due
from ingestion.simulator.google_data import MOST_ON_PAGE
from ingestion.summary import Summary
from warehouse import register as reg
from warehouse.register import Register
from warehouse.study import EXAMPLE, read_study

NOW = datetime(2026, 3, 20, 6, tzinfo=UTC)
STUDY = read_study(EXAMPLE)
MANY = 10**9


class Clock:
    """A clock that only sleeping moves; it keeps when each request went."""

    def __init__(self) -> None:
        self.now, self.slept = 30_000.0, 0

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.slept += 1
        self.now += seconds


@pytest.fixture
def register(tmp_path: Path) -> Iterator[Register]:
    opened = Register(f"sqlite:///{tmp_path}/register.sqlite")
    yield opened
    opened.close()


def most_in_a_minute(sent: list[float]) -> int:
    return max(sum(at <= other < at + 60 for other in sent) for at in sent)


def test_a_participant_is_never_asked_more_often_a_minute_than_allowed(register):
    clock = Clock()
    budget = Budget(register, "google_health", Limits(30, MANY), lambda: clock.now, clock.sleep)
    sent = []
    for _ in range(100):
        budget.wait("P1")
        sent.append(clock.now)
        clock.now += 0.1
    assert most_in_a_minute(sent) == 30
    assert clock.slept == 3
    budget.wait("P2")  # whose own minute is empty
    assert clock.slept == 3


def test_the_projects_limit_is_shared_by_processes(register):
    clock = Clock()
    budgets = [
        Budget(register, "google_health", Limits(MANY, 6 * SHARE), lambda: clock.now, clock.sleep)
        for _ in range(2)  # as of two processes: they share nothing but the register
    ]
    sent = []
    for n in range(8 * SHARE):
        budgets[n % 2].wait("P1")
        sent.append(clock.now)
    assert most_in_a_minute(sent) <= 6 * SHARE
    assert clock.slept >= 2


def test_another_sources_budget_is_its_own(register):
    assert take_share(register, "google_health", 1, SHARE)
    assert not take_share(register, "google_health", 1, SHARE)
    assert take_share(register, "another", 1, SHARE)
    assert take_share(register, "google_health", 2, SHARE)
    rows = register.rows(sa.select(reg.budget).where(reg.budget.c.source == "google_health"))
    assert [row["slice_number"] for row in rows] == [2]  # what is past is forgotten


def _take(url: str, found: Any) -> None:
    opened = Register(url)
    found.put(sum(take_share(opened, "google_health", 7, 20 * SHARE) for _ in range(20)))
    opened.close()


def test_three_processes_at_once_take_no_share_twice(tmp_path):
    url = f"sqlite:///{tmp_path}/register.sqlite"
    Register(url).close()
    context = multiprocessing.get_context("spawn")
    found = context.Queue()
    workers = [context.Process(target=_take, args=(url, found)) for _ in range(3)]
    for worker in workers:
        worker.start()
    assert sum(found.get(timeout=60) for _ in workers) == 20
    for worker in workers:
        worker.join()


def test_threads_share_one_budget(register):
    clock, lock, sent = Clock(), threading.Lock(), []
    budget = Budget(register, "google_health", Limits(50, MANY), lambda: clock.now, clock.sleep)

    def work() -> None:
        for _ in range(25):
            budget.wait("P1")
            with lock:
                sent.append(clock.now)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most_in_a_minute(sent) <= 50


def test_a_source_without_a_limit_by_the_minute_is_not_held_up(register):
    clock = Clock()
    budget = Budget(register, "fitbit", None, lambda: clock.now, clock.sleep)
    for _ in range(1000):
        budget.pace("P1")()
    assert clock.slept == 0


# Who is due


def row(**marks: Any) -> dict[str, Any]:
    usual = {"since": NOW - timedelta(days=30), "last_pulled_at": NOW, "ask_after": None}
    return usual | marks


def test_who_answered_rests_for_the_protocols_hours():
    rests_until = ask_after(STUDY, NOW, None)
    assert rests_until == NOW + timedelta(hours=12) - timedelta(minutes=5)
    assert not is_due(row(ask_after=rests_until), NOW + timedelta(hours=11))
    assert is_due(row(ask_after=rests_until), NOW + timedelta(hours=12))
    assert is_due(row(), NOW)


def test_a_busy_vendor_rests_as_long_as_it_asks_within_reason():
    assert ask_after(STUDY, NOW, RateLimited("busy", 1800)) == NOW + timedelta(minutes=30)
    assert ask_after(STUDY, NOW, RateLimited("busy", 86_400)) == NOW + timedelta(hours=6)
    assert ask_after(STUDY, NOW, OutOfBudget("near", NOW.date(), 600)) == NOW + timedelta(
        minutes=10
    )
    assert ask_after(STUDY, NOW, VendorDown("unwell", 7200)) == NOW + timedelta(hours=2)
    assert ask_after(STUDY, NOW, RateLimited("busy")) is None
    assert ask_after(STUDY, NOW, ConsentLost("gone")) is None


def test_a_new_consent_ends_the_rest():
    later = NOW + timedelta(hours=1)
    assert is_due(row(ask_after=NOW + timedelta(hours=9), since=later), later)


def test_the_cost_is_told_by_the_participant_day():
    summary = Summary(asked=4, answered=4, requests=6, participant_days=3.0)
    assert "4 of 4 answered with 6 requests (2.00 a participant-day)" in str(summary)
    assert "participant-day" not in str(Summary())


# Against the simulator, by its own log


@pytest.fixture
def sim() -> Iterator[Simulated]:
    with simulated(2, 14) as served:
        yield served


def logged(sim: Simulated, who: str) -> Counter[tuple[str, int]]:
    """Data requests of one participant, by path and status."""
    rows = sim.http.get("/_emu/log").json()["requests"]
    found: Counter[tuple[str, int]] = Counter()
    for row in rows:
        is_data = row["path"].startswith(("/v4/", "/1/"))
        if row["participant_id"] == who and is_data:
            found[(row["path"], row["status"])] += row["count"]
    return found


def pull(run: Trial, source: str, due_only: bool = False) -> Summary:
    return pull_connected(run.store, source, 0, due_only)


def test_a_quiet_day_of_hourly_runs_is_two_requests(tmp_path, sim, monkeypatch):
    with trial(tmp_path / "study", sim, monkeypatch) as run:
        complete_at = sim.world.settles_at + timedelta(hours=1)
        run.enrol(sim.world.settles_at)
        pull(run, "fitbit")  # ninety days of it take two hours' requests
        sim.set_clock(complete_at)
        for source in ("google_health", "fitbit"):
            pull(run, source)
        before = {who: logged(sim, who) for who in ("P001", "P002")}
        syncs = {p.participant_id: sim.world.activity(p) for p in sim.world.participants}
        for activity in syncs.values():  # the devices stay in their drawers from here on
            activity.synced = activity.synced[: activity.sync_number(sim.now()) + 1]
        for hour in range(1, 25):
            sim.set_clock(complete_at + timedelta(hours=hour))
            for source, batch in plan_wearables(run.store, sim.now()):
                pull_connected(run.store, source, batch, due_only=True)
        spent = {who: logged(sim, who) - before[who] for who in before}
    assert {who: sum(count.values()) for who, count in spent.items()} == {"P001": 2, "P002": 2}


def test_ninety_days_cost_one_request_a_page(tmp_path, sim, monkeypatch):
    with trial(tmp_path / "study", sim, monkeypatch) as run:
        run.enrol(sim.world.settles_at)
        before = logged(sim, "P001")
        summary = pull(run, "google_health")
        spent = logged(sim, "P001") - before
        one = sim.world.participants[0]
        view = sim.world.activity(one).view(sim.now())
        first = int(view.zone.first[sim.world.grid.day_number(one.starts_on)])
        worn = int(view.worn[first:].sum())
    data = {
        path.rpartition("/dataTypes/")[2]: n for (path, _), n in spent.items() if "Types" in path
    }
    days = (run.sim.now().date() - one.starts_on).days
    assert days >= 90
    assert data["steps/dataPoints:reconcile"] == math.ceil(worn / MOST_ON_PAGE)
    assert data["steps/dataPoints:dailyRollUp"] == math.ceil((days + 1) / 90)
    # A roll-up spans 14 days at most: each begins a page of its own.
    least = math.ceil(worn / MOST_ON_PAGE)
    assert least <= data["heart-rate/dataPoints:rollUp"] <= least + math.ceil((days + 1) / 14)
    assert sum(spent.values()) == summary.requests == sum(data.values()) + 2
    assert summary.requests / summary.participant_days < 1


def test_a_backfill_beyond_the_hourly_limit_goes_on_where_it_was(tmp_path, monkeypatch):
    with simulated(2, 3, hourly_limit=20) as sim, trial(tmp_path / "s", sim, monkeypatch) as run:
        at = sim.world.settles_at
        run.enrol(at)
        pulls = 0
        while not pulls or _unasked(run):
            pulls += 1
            assert pulls < 8, "it does not go on"
            run.pull(at + timedelta(hours=pulls))
        run.build()
        statuses = {status for _, status in logged(sim, "P002")}
        assert 3 <= pulls <= 5  # twenty-one days, six an hour
        assert statuses == {200}  # never 429
        assert run.verdict().holds, str(run.verdict())


def _unasked(run: Trial) -> bool:
    """Whether the newest pull of P002 left days for the next."""
    newest = sa.select(sa.func.max(reg.receipt.c.asked_at)).where(reg.receipt.c.source == "fitbit")
    query = sa.select(reg.receipt).where(
        reg.receipt.c.source == "fitbit", reg.receipt.c.asked_at == newest.scalar_subquery()
    )
    rows = run.store.register.rows(query)
    rest = [row for row in rows if row["reason"] == "rate_limited"]
    assert all(row["data_type"] == "all" and row["received"] == 0 for row in rest)
    assert all(row["first_on"] <= row["last_on"] for row in rest)
    return bool(rest)
