"""A participant whose account changes, pulled before and after: whose word each day is."""

from __future__ import annotations

from datetime import timedelta

import pytest
from click.testing import CliRunner
from support.simulated import simulated
from support.trial import trial

from dags.cli import main
from ingestion.answers import pull_roster
from ingestion.consent import connect_headless
from warehouse.lake import Lake


def steps_of(lake: Lake, participant_id: str) -> list[int]:
    """Their landed steps, day by day."""
    rows = [row for file in lake.day_files() for row in lake.read_days(file.path).to_pylist()]
    mine = {row["activity_date"]: row["steps"] for row in rows
            if row["participant_id"] == participant_id}  # fmt: skip
    return [mine[day] for day in sorted(mine)]


@pytest.mark.parametrize("options", [[], ["--all-days"]])
def test_the_days_that_had_landed_stay_unless_they_were_never_theirs(
    tmp_path, monkeypatch, options
):
    with simulated(6, 4) as sim, trial(tmp_path / "study", sim, monkeypatch) as run:
        at = sim.world.pull_instants(2)[1]
        sim.set_clock(at)
        pull_roster(run.store, at)
        connect_headless(run.store, "google_health", "P001")
        run.pull(at)
        before = steps_of(run.store.lake, "P001")
        asked = ["release", "google_health", "P001", "--why", "a new account", *options]
        assert CliRunner().invoke(main, asked).exit_code == 0
        connect_headless(run.store, "google_health", "P001", login_hint="P003")
        run.pull(at + timedelta(hours=1))
        after = steps_of(run.store.lake, "P001")
    whole = len(before) - 2  # the day of the last sync is asked of the next account
    assert whole >= 5
    assert sum(before[:whole]) > 0
    assert (after[:whole] == before[:whole]) == (not options)
