"""A changed protocol or definition: what it makes anew is computed, and said."""

from __future__ import annotations

import dataclasses
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from support.landed_days import AS_OF, a_day, days_of, enrol, land

from transforms import build, definitions
from transforms.activity.kernel import compute_day_metrics
from transforms.definitions import JUDGING, changed_parts, definitions_of, what_is_made_anew
from warehouse import publish
from warehouse.home import Store
from warehouse.schema import table_of
from warehouse.study import EXAMPLE, Wear, read_study
from warehouse.tables.landed import activity_day


def amended(store: Store, part: str, **settings: Any) -> Store:
    changed = getattr(store.study, part).model_copy(update=settings)
    return dataclasses.replace(store, study=store.study.model_copy(update={part: changed}))


@pytest.fixture
def built(store: Store) -> Store:
    enrol(store, "P1")
    land(store, a_day("P1", 120))
    account = build.build_warehouse(store, AS_OF).account
    assert account == "the first build of this study: all 1 days of minutes were computed"
    return store


def test_nothing_changed_is_nothing_said(built):
    again = build.build_warehouse(built, AS_OF)
    assert again.days_computed == 0
    assert again.account == (
        "0 days of minutes had landed or changed and were computed, 1 are those of the build "
        "before; 0 person-days are new or differ; rows of 0 tables do"
    )


def test_a_setting_of_minutes_computes_every_day_again_and_says_so(built):
    assert moderate_minutes(built) == [1]
    again = build.build_warehouse(amended(built, "wear", moderate_cadence=121), AS_OF)
    assert again.days_computed == 1
    assert again.account == (
        "changed since the build before: [wear]; every day is computed again ([wear]): "
        "all 1 days of minutes were computed"
    )
    assert moderate_minutes(built) == [0]


def moderate_minutes(store: Store) -> list[int]:
    con = publish.open_published(publish.stable_path(store.home))
    query = "SELECT moderate_minutes FROM participant_day WHERE wear_minutes > 0"
    found = con.execute(query).fetchall()
    con.close()
    return [minutes for (minutes,) in found]


def test_a_setting_that_judges_computes_no_minutes_but_judges_anew_and_says_so(built):
    assert days_of(built)["P1"][0] == "valid"
    again = build.build_warehouse(amended(built, "wear", valid_day_minutes=701), AS_OF)
    assert (again.days_computed, again.days_reused) == (0, 1)
    assert again.account == (
        "changed since the build before: [wear] that judges days; every table above the days of "
        "minutes is made anew; 0 days of minutes had landed or changed and were computed, 1 are "
        "those of the build before"
    )
    assert days_of(built)["P1"][0] == "insufficient_wear"


def test_both_kinds_at_once_compute_every_day_again(built):
    store = amended(built, "wear", valid_day_minutes=701, moderate_cadence=121)
    again = build.build_warehouse(store, AS_OF)
    assert (again.days_computed, days_of(built)["P1"][0]) == (1, "insufficient_wear")
    assert again.account == (
        "changed since the build before: [wear], [wear] that judges days; "
        "every day is computed again ([wear]): all 1 days of minutes were computed"
    )


def test_the_settings_that_judge_are_those_that_no_metric_of_minutes_reads():
    read: set[str] = set()

    class Watched(Wear):
        def __getattribute__(self, name: str) -> Any:
            read.add(name)
            return super().__getattribute__(name)

    day = {"day_minutes": 1440, "step_minute": [600], "step_count": [120], "wear_start": [0],
           "wear_length": [1440], "activity_date": date(2026, 1, 5), "wear_method": "heart_rate",
           "day_start_at": datetime(2026, 1, 5, tzinfo=UTC)}  # fmt: skip
    compute_day_metrics(table_of(activity_day, [day]), Watched())
    assert read & set(Wear.model_fields) == set(Wear.model_fields) - JUDGING


def test_another_setting_computes_no_day_but_all_that_rests_on_it(built):
    store = amended(built, "goals", baseline_days=21)
    again = build.build_warehouse(store, AS_OF)
    assert (again.days_computed, again.days_reused) == (0, 1)
    assert again.account == (
        "changed since the build before: [goals]; every table above the days of minutes is made "
        "anew; 0 days of minutes had landed or changed and were computed, 1 are those of the build "
        "before"
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
    assert "every day is computed again ([wear], code of day metrics" in again.account


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
