"""Metrics are found by their files: a column, its formula, and all that follows from them."""

from types import ModuleType

import numpy as np
import pytest
from support.day_metric import minutes_of_counts

from transforms.activity.kernel import _columns
from warehouse import metrics
from warehouse.metrics import Metric, MetricError, read_metrics, weekly_mean
from warehouse.schema import Column, Type, minutes_column
from warehouse.tables.derived import day_metric, participant_day, participant_week

STAIRS = Metric(
    columns=(minutes_column("stair_minutes", "Minutes of 50 to 69 steps."),),
    compute=lambda minutes: {"stair_minutes": minutes.count(abs(minutes.steps - 59.5) < 10)},
    citation="Planted.",
)


def test_every_metric_has_its_columns_in_the_tables_of_days():
    carried, other = metrics.columns_of(carried=True), metrics.columns_of(carried=False)
    assert {column.name for column in (*carried, *other)} <= set(day_metric.names)
    assert {column.name for column in carried} <= set(participant_day.names)
    means = [mean.name for column in carried if (mean := weekly_mean(column))]
    assert len(means) == len(carried) - 1  # step_class is no number
    assert set(means) <= set(participant_week.names)


def test_every_file_says_where_its_definition_is_from():
    assert {name for name, metric in read_metrics().items() if not metric.citation} == {
        "hours",  # what regularity is made of, which has its own
        "totals",
    }


def test_a_metric_is_found_by_its_file(monkeypatch):
    module = ModuleType("warehouse.metrics.stairs")
    module.METRIC = STAIRS
    monkeypatch.setattr(metrics, "import_module", lambda name: module)
    monkeypatch.setattr(metrics, "iter_modules", lambda _: [module_named("stairs")])
    assert read_metrics.__wrapped__() == {"stairs": STAIRS}


def test_a_files_name_that_begins_with_an_underscore_is_no_metric(monkeypatch):
    monkeypatch.setattr(metrics, "iter_modules", lambda _: [module_named("_helper")])
    assert read_metrics.__wrapped__() == {}


def module_named(name):
    return type("Found", (), {"name": name})


def test_a_metrics_values_become_its_column_with_blanks():
    minutes = minutes_of_counts([49, 50, 69, 70])
    found = _columns(STAIRS, minutes, np.array([False]))
    assert found["stair_minutes"].to_pylist() == [2]
    assert _columns(STAIRS, minutes, np.array([True]))["stair_minutes"].to_pylist() == [None]


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"a": STAIRS, "b": STAIRS}, "b.py: stair_minutes is declared twice"),
        (
            {"a": Metric((*STAIRS.columns, *STAIRS.columns), STAIRS.compute, "Planted.")},
            "a.py: stair_minutes is declared twice",
        ),
        (
            {"a": Metric(STAIRS.columns, STAIRS.compute, "Planted.", needs_wear=("lifts",))},
            "a.py: needs_wear names lifts, not its column",
        ),
    ],
)
def test_files_that_contradict_themselves_are_named(files, message):
    with pytest.raises(MetricError, match=message):
        metrics.assert_sound(files)


@pytest.mark.parametrize(
    ("column", "name", "unit"),
    [
        (minutes_column("stair_minutes", "Minutes."), "stair_minutes_per_day", "minutes/day"),
        (Column("pace", Type.REAL, "Pace.", unit="steps/minute"), "mean_pace", "steps/minute"),
    ],
)
def test_the_mean_of_a_week_is_named_for_its_unit(column, name, unit):
    mean = weekly_mean(column)
    assert (mean.name, mean.unit, mean.type) == (name, unit, Type.REAL)


def test_a_class_has_no_mean():
    assert weekly_mean(Column("class", Type.TEXT, "Class.")) is None
