"""What `stepwell pull` says: every batch goes on, troubles are told at the end, and exit 2."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result
from support.simulated import simulated
from support.trial import Trial, trial

from dags.cli import main
from ingestion.http import PATIENCE
from warehouse import register as reg

OLD = "P002"  # the legacy participant of the first six


@pytest.fixture
def run(tmp_path, monkeypatch) -> Iterator[Trial]:
    """Six participants in their second week, connected."""
    monkeypatch.setitem(PATIENCE.__dict__, "sleep", lambda seconds: None)
    with simulated(6, 4) as sim, trial(tmp_path / "study", sim, monkeypatch) as it:
        it.enrol(sim.world.pull_instants(2)[0])
        yield it


def pull(what: str) -> Result:
    return CliRunner().invoke(main, ["pull", what])


def test_one_retired_api_stops_nobody_else(run):
    run.sim.arm("410", times=-1, match={"personality": "fitbit"})
    result = pull("wearables")
    assert result.exit_code == 2
    assert "google_health batch 0: " in result.stdout
    assert "answered with" in result.stdout
    told = result.stderr.strip().splitlines()
    assert len(told) == 1
    assert told[0].startswith("stepwell: fitbit batch 0: fitbit: ")
    assert "410" in told[0]
    assert "Traceback" not in result.output


def test_when_nobody_answers_it_is_said_and_each_request_for_a_token_counts(run):
    run.sim.set_clock(run.sim.now() + timedelta(hours=2))  # every token has lapsed
    run.sim.arm("503", times=-1, match={"path": "/token"})
    before = run.sim.requests("/token")
    result = pull("wearables")
    sent = run.sim.requests("/token") - before
    assert sent >= 4
    assert result.exit_code == 2
    assert "google_health batch 0: nobody answered" in result.stderr
    receipts = run.store.register.rows(
        sa.select(reg.receipt).where(reg.receipt.c.reason == "vendor_outage")
    )
    assert sum(row["requests"] for row in receipts) == sent


def test_a_pull_that_is_answered_exits_0(run):
    result = pull("wearables")
    assert (result.exit_code, result.stderr) == (0, "")
    assert pull("questionnaires").exit_code == 0


def test_questionnaires_are_told_in_a_sentence(run):
    result = pull("questionnaires")
    assert result.stdout.startswith("batch 0: ")
    assert "answers, sessions and goals: " in result.stdout
    assert " new, 0 changed, 0 as before, 0 taken away" in result.stdout
    assert "Landed(" not in result.output


def test_a_roster_that_fails_stops_no_batch_and_the_same_trouble_is_told_once(run):
    run.sim.arm("html_200", times=4, match={"personality": "redcap"})  # as often as it is tried
    first = pull("questionnaires")
    assert first.exit_code == 2
    assert first.stderr.startswith("stepwell: roster: redcap: ")
    assert first.stdout.startswith("batch 0: ")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("STEPWELL_REDCAP_TOKEN")
        second = pull("questionnaires")
    assert second.exit_code == 2
    assert second.stderr.startswith("stepwell: roster, batch 0: ")
    assert len(second.stderr.strip().splitlines()) == 1
