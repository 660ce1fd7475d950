"""A changed protocol or definition: what it makes anew is computed, and said."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from support.landed_days import AS_OF, a_day, days_of, enrol, land

from transforms import build, definitions
from transforms.definitions import changed_parts, definitions_of, what_is_made_anew
from warehouse import publish
from warehouse.home import Store
from warehouse.study import EXAMPLE, read_study


def amended(store: Store, part: str, **settings: Any) -> Store:
    changed = getattr(store.study, part).model_copy(update=settings)
    return dataclasses.replace(store, study=store.study.model_copy(update={part: changed}))


@pytest.fixture
def built(store: Store) -> Store:
    enrol(store, "P1")
    land(store, a_day("P1", 120))
    assert build.build_warehouse(store, AS_OF).made_anew == ""
    return store


def test_nothing_changed_is_nothing_said(built):
    again = build.build_warehouse(built, AS_OF)
    assert (again.days_computed, again.made_anew) == (0, "")


def test_a_wear_setting_computes_every_day_again_and_says_so(built):
    assert days_of(built)["P1"][0] == "valid"
    again = build.build_warehouse(amended(built, "wear", valid_day_minutes=701), AS_OF)
    assert again.days_computed == 1
    assert again.made_anew == (
        "changed since the build before: [wear]; every day is computed again ([wear])"
    )
    assert days_of(built)["P1"][0] == "insufficient_wear"


def test_another_setting_computes_no_day_but_all_that_rests_on_it(built):
    store = amended(built, "goals", baseline_days=21)
    again = build.build_warehouse(store, AS_OF)
    assert (again.days_computed, again.days_reused) == (0, 1)
    assert again.made_anew == (
        "changed since the build before: [goals]; no day is computed again, all above the days is"
    )
    con = publish.open_published(publish.stable_path(store.home))
    days = con.execute("SELECT window_ends_on - starts_on FROM baseline_activity JOIN participant "
                       "USING (participant_id)").fetchall()  # fmt: skip
    con.close()
    assert days == [(20,)]


def test_a_build_that_did_not_keep_what_it_rests_on_is_not_trusted(built):
    path = publish.stable_path(built.home, sees_arms=True).resolve()
    path.chmod(0o600)
    con = publish.connect()
    con.execute(f"ATTACH '{path}' AS old")
    con.execute("DROP TABLE old.ops.definition")
    con.close()
    again = build.build_warehouse(built, AS_OF)
    assert again.days_computed == 1
    assert "every day is computed again ([wear], code of day metrics)" in again.made_anew


def test_a_part_that_comes_or_goes_has_changed():
    assert changed_parts({"a": "1", "b": "1"}, {"b": "2", "c": "1"}) == ["a", "b", "c"]
    assert changed_parts({"a": "1"}, {"a": "1"}) == []


def test_code_of_a_day_and_other_code_are_told_apart(tmp_path, monkeypatch):
    def parts() -> dict[str, str]:
        definitions._code.cache_clear()
        return definitions_of(study)

    study = read_study(EXAMPLE)
    for name in ("transforms/activity/kernel.py", "warehouse/metrics/x.py", "transforms/y.py"):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("1")
    monkeypatch.setattr(definitions, "ROOT", Path(tmp_path))
    before = parts()
    (tmp_path / "transforms/y.py").write_text("2")
    other = parts()
    (tmp_path / "warehouse/metrics/x.py").write_text("2")
    day = parts()
    monkeypatch.undo()
    definitions._code.cache_clear()
    assert changed_parts(before, other) == ["other code"]
    assert changed_parts(other, day) == ["code of day metrics"]
    assert "every day" in what_is_made_anew(["code of day metrics"])
