"""Faults of one participant among others, and of the whole project: who is stopped, who is told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

import pytest
import sqlalchemy as sa
from support.simulated import simulated
from support.trial import Trial, trial

from ingestion.errors import Misconfigured
from ingestion.pull import plan_wearables, pull_connected
from warehouse import register as reg

ONE = "P001"


@pytest.fixture
def run(tmp_path, monkeypatch) -> Iterator[Trial]:
    """Six participants after a week; the first four with Google have consented."""
    with simulated(6, 2) as sim, trial(tmp_path / "study", sim, monkeypatch) as made:
        begin = sim.world.pull_instants(2)[0] - timedelta(days=7)
        made.enrol(begin)
        sim.set_clock(begin + timedelta(days=7))
        yield made


def pull(run: Trial) -> None:
    for source, batch in plan_wearables(run.store):
        if source == "google_health":
            pull_connected(run.store, source, batch)


def states(run: Trial) -> dict[str, str]:
    query = sa.select(reg.grant).where(reg.grant.c.source == "google_health")
    return {row["participant_id"]: row["state"] for row in run.store.register.rows(query)}


def asked_of(run: Trial, participant_id: str) -> int:
    rows = run.sim.http.get("/_emu/log").json()["requests"]
    mine = (row for row in rows if row["participant_id"] == participant_id)
    return sum(row["count"] for row in mine if row["path"].startswith("/v4/"))


def reasons(run: Trial) -> dict[str, set[str]]:
    """The reasons of each participant's receipts of Google."""
    found: dict[str, set[str]] = {}
    query = sa.select(reg.receipt).where(reg.receipt.c.source == "google_health")
    for row in run.store.register.rows(query):
        found.setdefault(row["participant_id"], set()).add(row["reason"])
    return found


@pytest.mark.parametrize(
    ("fault", "state", "reason"),
    [
        ("revoked", "revoked", "consent_lost"),
        ("wrong_account", "not_linked", "wrong_account"),
        ("scope_missing", "scope_missing", "scope_missing"),
    ],
)
def test_one_participants_trouble_is_theirs_alone(run, fault, state, reason):
    others = set(states(run)) - {ONE}
    assert len(others) >= 2
    run.sim.arm(fault, times=-1, match={"user": ONE, "path": "/v4/"})
    pull(run)  # and raises nothing
    assert states(run) == {ONE: state} | dict.fromkeys(others, "active")
    told = reasons(run)
    assert told[ONE] == {reason}
    assert all("received" in told[other] for other in others)
    before = asked_of(run, ONE)
    assert before <= 3
    run.sim.set_clock(run.sim.now() + timedelta(days=1))
    pull(run)
    assert asked_of(run, ONE) == before  # nobody is asked in their name until they consent again


@pytest.mark.parametrize("fault", ["service_disabled", "preview_denied"])
def test_the_projects_trouble_is_the_engineers_and_blames_nobody(run, fault):
    everybody = dict.fromkeys(states(run), "active")
    run.sim.arm(fault, times=-1, match={"personality": "google", "path": "/v4/"})
    before = {one: asked_of(run, one) for one in everybody}
    with pytest.raises(Misconfigured):
        pull(run)
    assert states(run) == everybody
    asked = Counter(asked_of(run, one) - before[one] for one in everybody)
    assert asked == {1: len(everybody)}
    assert set().union(*reasons(run).values()) == {"misconfigured"}


def test_what_came_before_a_fetch_broke_off_is_counted_as_refused(run):
    run.sim.arm("503", times=-1, retry_after=600, match={"user": ONE, "path": "dailyRollUp"})
    pull(run)
    mine = (reg.receipt.c.participant_id == ONE) & (reg.receipt.c.source == "google_health")
    query = sa.select(reg.receipt).where(mine)
    told = {row["data_type"]: row for row in run.store.register.rows(query)}
    assert set(told) == {"all", "paired-devices", "settings", "steps"}
    assert {row["reason"] for row in told.values()} == {"vendor_outage"}
    assert told["steps"]["received"] > 1000
    assert all(row["landed"] == 0 for row in told.values())
    lines = run.store.register.rows(sa.select(reg.rejection))
    refused = {row["data_type"]: row for row in lines if row["participant_id"] == ONE}
    assert {row["reason"] for row in refused.values()} == {"fetch_broke_off"}
    assert refused["steps"]["points"] == told["steps"]["received"]


def test_an_outage_is_nobodys_and_the_next_pull_brings_it_all(run):
    everybody = dict.fromkeys(states(run), "active")
    ends = run.sim.now() + timedelta(hours=6)
    run.sim.arm("503", times=-1, retry_after=3600, until=ends.isoformat(),
                match={"personality": "google"})  # fmt: skip
    pull(run)
    assert states(run) == everybody
    assert set().union(*reasons(run).values()) == {"vendor_outage"}
    run.sim.set_clock(ends)
    pull(run)
    told = reasons(run)
    assert all("received" in told[one] for one in everybody)
