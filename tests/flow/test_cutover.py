"""The legacy API is switched off midway: who must consent again, and what came before and after."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from support.simulated import simulated
from support.trial import Trial, trial

from dags.cli import main
from ingestion.consent import connect_headless
from ingestion.cutover import find_reconsents, summarise
from ingestion.errors import Retired, WrongAccount
from ingestion.pull import plan_wearables, pull_connected
from warehouse import register as reg
from warehouse.publish import open_published, stable_path

OLD = "P002"  # the legacy participant of the first six


@pytest.fixture(
    params=["json", *(pytest.param(n, marks=pytest.mark.slow) for n in ("html", "empty"))]
)
def switched_off(request, tmp_path, monkeypatch) -> Iterator[Trial]:
    """Two of four weeks pulled; then every path of the legacy API, tokens too, answers 410."""
    with simulated(6, 4) as sim, trial(tmp_path / "study", sim, monkeypatch) as run:
        begin, midway = (
            sim.world.pull_instants(2)[0] - timedelta(days=7),
            sim.world.pull_instants(2)[0],
        )
        run.enrol(begin)
        run.pull(midway)
        sim.arm("410", times=-1, match={"personality": "fitbit"}, body=request.param)
        sim.set_clock(midway + timedelta(days=1))
        yield run


def state_of(run: Trial, source: str) -> tuple[str, str]:
    found = run.store.register.rows(
        sa.select(reg.grant).where(reg.grant.c.participant_id == OLD, reg.grant.c.source == source)
    )
    return found[0]["state"], found[0]["next_step"]


def test_one_request_retires_the_connection_and_no_more_are_sent(switched_off):
    before = switched_off.sim.requests("/oauth2/") + switched_off.sim.requests("/1/user/")
    [batch] = [pair for pair in plan_wearables(switched_off.store) if pair[0] == "fitbit"]
    with pytest.raises(Retired):
        pull_connected(switched_off.store, *batch)
    after = switched_off.sim.requests("/oauth2/") + switched_off.sim.requests("/1/user/")
    assert after == before + 1
    assert state_of(switched_off, "fitbit") == (
        "retired",
        "The vendor has switched this API off: move the participant to its successor.",
    )
    assert [source for source, _ in plan_wearables(switched_off.store)] == ["google_health"]


def test_the_successor_fills_the_gap_and_the_bridge_compares_the_overlap(switched_off, tmp_path):
    run, world = switched_off, switched_off.sim.world
    with pytest.raises(Retired):
        run.pull(switched_off.sim.now())
    [waiting] = find_reconsents(run.store, run.sim.now())
    midway = world.pull_instants(2)[0]
    assert (waiting.participant_id, waiting.source, waiting.state) == (OLD, "fitbit", "retired")
    assert (waiting.successor, waiting.successor_state) == ("google_health", "never_connected")
    assert waiting.next_step == f"stepwell connect google_health {OLD}"
    assert waiting.landed_to is not None
    assert midway.date() - timedelta(days=3) <= waiting.landed_to <= midway.date()
    assert (
        summarise([waiting]) == "1 participants must consent again; 1 of them are without data now"
    )

    listed = tmp_path / "list.csv"
    shown = CliRunner().invoke(main, ["cutover", "--csv", str(listed)])
    assert shown.exit_code == 0, shown.output
    assert f"{OLD}  " in shown.output
    assert "no build is published yet" in shown.output
    assert [row["participant_id"] for row in csv.DictReader(listed.read_text().splitlines())] == [
        OLD
    ]

    run.pulled_at.append(run.sim.now())
    run.build()
    shown = CliRunner().invoke(main, ["cutover"])
    nothing = "no day to compare yet: in two sources, in full and worn long enough by both"
    assert shown.output.splitlines()[-1] == nothing

    connect_headless(run.store, "google_health", OLD)
    assert find_reconsents(run.store, run.sim.now()) == []
    run.pull(world.settles_at)
    run.build()
    with closing(open_published(stable_path(run.store.home))) as con:
        days = con.execute(
            "SELECT era, count(*) FILTER (WHERE valid_day) FROM participant_day "
            "WHERE participant_id = ? AND valid_day GROUP BY era",
            [OLD],
        ).fetchall()
        steps = con.execute(
            "SELECT participants, days, mean_difference, limit_low, limit_high FROM bridge "
            "WHERE measure = 'steps' AND from_source = 'fitbit' AND to_source = 'google_health'"
        ).fetchall()
    # The successor serves the history too, and counts where both have the day: one device, so they
    # differ only on days restated after the legacy API was last asked.
    [(era, valid)] = days
    assert era == "google_health"
    assert valid > 14
    [(participants, paired, difference, low, high)] = steps
    assert participants == 1
    assert low <= difference <= high
    assert abs(difference) < 5
    assert paired >= 5
    shown = CliRunner().invoke(main, ["cutover"])
    assert "nobody has to consent again" in shown.output
    assert f"steps         fitbit       google_health  1             {paired}" in shown.output


def test_who_has_left_the_study_is_not_asked_again(switched_off):
    run = switched_off
    with run.store.register.begin() as con:
        left = run.sim.now().date()
        con.execute(
            sa.update(reg.participant)
            .where(reg.participant.c.participant_id == OLD)
            .values(withdrawn_on=left)
        )
    assert find_reconsents(run.store, run.sim.now()) == []


def test_who_moves_brings_their_own_account(switched_off):
    run = switched_off
    with pytest.raises(WrongAccount, match="not the one of their legacy Fitbit connection"):
        connect_headless(run.store, "google_health", OLD, login_hint="P003")
    assert state_of(run, "google_health")[0] == "wrong_account"
    with pytest.raises(WrongAccount, match="connected to another participant at the legacy"):
        connect_headless(run.store, "google_health", "P006", login_hint=OLD)
    connect_headless(run.store, "google_health", OLD)
    assert state_of(run, "google_health")[0] == "active"
