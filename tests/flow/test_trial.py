"""The whole slice in one process: simulator, sources, lake, transforms, published file, oracle."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from support.simulated import simulated
from support.trial import Trial, trial

from ingestion.landing import land, read_raw
from ingestion.reread import reread
from ingestion.source import Ask, source_named
from warehouse import register as reg
from warehouse.publish import open_published, stable_path


@pytest.fixture(scope="module")
def settled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trial]:
    """Twelve participants over four weeks, pulled at three instants, with the unasked faults."""
    with (
        pytest.MonkeyPatch.context() as patch,
        simulated(12, 4, faults=True) as sim,
        trial(tmp_path_factory.mktemp("trial") / "study", sim, patch) as run,
    ):
        instants = sim.world.pull_instants(3)
        run.enrol(instants[0])
        for at in instants:
            run.pull(at)
            run.build()
        yield run


def test_every_person_day_answer_and_session_equals_the_truth(settled):
    verdict = settled.verdict()
    assert verdict.holds, str(verdict)
    assert len(dict(verdict.states)) >= 8  # many kinds of day, not one


def test_pulling_and_building_again_adds_nothing_and_leaves_the_hash(settled):
    before = settled.build()
    rows = settled.store.register.rows(sa.select(sa.func.count()).select_from(reg.revision))
    settled.pull(settled.pulled_at[-1])
    after = settled.build()
    assert after.content_hash == before.content_hash
    assert after.days_computed == 0
    again = settled.store.register.rows(sa.select(sa.func.count()).select_from(reg.revision))
    assert again == rows


def test_a_full_build_says_what_the_increments_say(settled):
    increment = settled.build()
    full = settled.build(full=True)
    assert full.days_reused == 0
    assert full.days_computed == increment.days_reused > 200
    assert full.content_hash == increment.content_hash


def test_reading_the_raw_replies_again_makes_the_same_warehouse(settled):
    before = settled.build().content_hash
    lake = settled.store.home.path / "lake"
    for folder in ("activity_day", "response", "treatment_session", "goal"):
        shutil.move(lake / folder, lake.parent / f"kept_{folder}")
    for source in ("google_health", "fitbit", "redcap"):
        reread(settled.store, source, progress=lambda line: None)
    assert settled.build(full=True).content_hash == before
    for folder in ("activity_day", "response", "treatment_session", "goal"):
        shutil.rmtree(lake.parent / f"kept_{folder}")


@pytest.mark.slow  # test_lateness.py has two orders of a smaller trial
@pytest.mark.parametrize("seed", range(5))
def test_the_order_in_which_replies_land_does_not_matter(settled, seed):
    before = settled.build().content_hash
    lake = settled.store.home.path / "lake"
    shutil.rmtree(lake / "activity_day")
    source = source_named("google_health")
    fetches = [("google_health", replies) for replies in read_raw(settled.store.lake, source.name)]
    fetches += [("fitbit", replies) for replies in read_raw(settled.store.lake, "fitbit")]
    random.Random(seed).shuffle(fetches)
    zones = {p.participant_id: p.timezone for p in settled.sim.world.participants}
    for name, replies in fetches:
        first = replies[0]
        window = next((reply.window for reply in replies if reply.window), None)
        zone = zones[str(first.participant_id)]
        ask = Ask(settled.store.study, first.fetched_at, first.participant_id, zone, window)
        reading = source_named(name).read(replies, ask)
        reading.rows.clear()
        land(settled.store, reading, name, "0000")
    assert settled.build(full=True).content_hash == before


def test_received_is_landed_and_rejected_on_every_receipt(settled):
    receipts = settled.store.register.rows(sa.select(reg.receipt))
    assert len(receipts) > 50
    assert all(r["received"] == r["landed"] + r["rejected"] for r in receipts)


def test_restated_days_are_on_record(settled):
    revisions = settled.store.register.rows(sa.select(reg.revision))
    assert revisions
    assert any(row["steps_before"] != row["steps_after"] for row in revisions)


def test_no_token_name_or_serial_is_in_the_lake_or_the_published_files(settled):
    rows = settled.store.register.rows(sa.select(reg.grant))
    folder = settled.store.home.path
    files = [*(folder / "published").rglob("*.duckdb"), *(folder / "lake").rglob("*.parquet")]
    assert rows
    assert files
    for secret in [row["vendor_user_id"] for row in rows] + ["AABBCCDDEEFF"]:
        assert not any(secret.encode() in file.read_bytes() for file in files)
    raw = [reply for source in ("google_health", "fitbit")
           for fetch in read_raw(settled.store.lake, source) for reply in fetch]  # fmt: skip
    profiles = [r for r in raw if r.data_type in ("profile", "settings", "paired-devices")]
    assert profiles
    assert not any(b"macAddress" in r.body or b"displayName" in r.body for r in profiles)
    assert not any("Bearer" in reply.request for reply in raw)


def test_one_participants_trouble_is_theirs_alone(tmp_path):
    with (
        pytest.MonkeyPatch.context() as patch,
        simulated(3, 2) as sim,
        trial(tmp_path / "study", sim, patch) as run,
    ):
        at = sim.world.pull_instants(1)[0]
        run.enrol(at)
        sim.arm("truncated", -1, {"path": "reconcile", "user": "P001"})
        patch.setattr("time.sleep", lambda seconds: None)  # the client's back-off
        run.pull(at)
        run.build()
        con = open_published(stable_path(run.store.home))
        states = dict(
            con.execute(
                "SELECT participant_id, list(DISTINCT day_state) FROM participant_day "
                "WHERE activity_date < DATE '2026-02-01' GROUP BY 1"
            ).fetchall()
        )
        reasons = con.execute(
            "SELECT DISTINCT reason FROM ops.receipt WHERE participant_id = 'P001' "
            "AND source = 'google_health'"
        ).fetchall()
    assert states["P001"] == ["fetch_failed"]
    assert "valid" in states["P002"]
    assert "valid" in states["P003"]
    assert reasons == [("bad_reply",)]


def test_an_outage_is_the_vendors_and_heals_when_it_ends(tmp_path):
    with (
        pytest.MonkeyPatch.context() as patch,
        simulated(3, 2) as sim,
        trial(tmp_path / "study", sim, patch) as run,
    ):
        first, last = datetime(2026, 2, 1, 6, tzinfo=UTC), sim.world.settles_at
        run.enrol(first)
        sim.arm("503", -1, {"personality": "google"}, until="2026-02-02T00:00:00Z")
        patch.setattr("time.sleep", lambda seconds: None)
        run.pull(first)
        run.build()
        query = (
            "SELECT DISTINCT day_state FROM participant_day WHERE participant_id = 'P001' "
            "AND day_state <> 'pending_sync'"
        )
        during = open_published(stable_path(run.store.home)).execute(query).fetchall()
        run.pulled_at.clear()
        run.pull(last)
        run.build()
        assert during == [("vendor_outage",)]
        assert all(line.holds for line in run.verdict().lines[:3]), str(run.verdict())
