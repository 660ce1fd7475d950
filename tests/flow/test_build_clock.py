"""`stepwell build` by hand of a demo's home, whose clock is the simulator's and may be gone."""

from __future__ import annotations

from datetime import UTC, datetime

from click.testing import CliRunner
from support.landed_days import AS_OF, enrol

from dags.cli import main
from dags.folder import clock_of_demo
from transforms.build import build_warehouse
from warehouse.publish import open_published, stable_path


def as_of(store) -> datetime:
    with open_published(stable_path(store.home)) as con:
        found = con.execute("SELECT as_of FROM ops.build").fetchall()
    return found[0][0]


def build(store, monkeypatch) -> str:
    monkeypatch.setenv("STEPWELL_HOME", str(store.home.path))
    result = CliRunner().invoke(main, ["build"])
    assert result.exit_code == 0
    return result.stderr


def test_a_demo_is_built_as_of_its_last_build_and_says_so(store, monkeypatch):
    enrol(store, "P1")
    build_warehouse(store, AS_OF)
    (store.home.path / "world.json").write_text("{}")
    assert "is a demo's: as of its last build, 2026-02-10 06:00 UTC" in build(store, monkeypatch)
    assert as_of(store) == AS_OF


def test_any_other_study_is_built_as_of_now(store, monkeypatch):
    enrol(store, "P1")
    build_warehouse(store, AS_OF)
    assert build(store, monkeypatch) == ""
    assert datetime.now(UTC).date() == as_of(store).date()


def test_a_clock_that_is_asked_for_is_asked_and_without_a_build_there_is_none(store):
    (store.home.path / "world.json").write_text("{}")
    assert clock_of_demo(store.home, {}) is None
    enrol(store, "P1")
    build_warehouse(store, AS_OF)
    assert clock_of_demo(store.home, {}) == AS_OF
    assert clock_of_demo(store.home, {"STEPWELL_CLOCK_URL": "http://localhost/clock"}) is None
