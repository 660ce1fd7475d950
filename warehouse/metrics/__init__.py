"""Metrics of a day of minutes, a file each: their columns and their formula, as `METRIC`.

To add a metric, add a file: the tables of days and weeks, the build, the dictionary and the page of
metrics follow from it. Column and formula stand together, and here, because the tables follow from
the columns and `warehouse` imports no other package of ours; `transforms/activity/kernel.py` runs
the formulas over the landed days.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from warehouse.metrics._line import Array
from warehouse.metrics._minutes import Minutes
from warehouse.schema import Column, Type

__all__ = ["Metric", "MetricError", "Minutes", "columns_of", "read_metrics", "weekly_mean"]


class MetricError(ValueError):
    """A metric's file contradicts itself or another."""


@dataclass(frozen=True)
class Metric:
    """Columns of `day_metric` and the formula that fills them.

    `compute` gets some days' minutes and returns an array per column, a value per day; a value
    that a day does not have is masked (numpy.ma). A day without a minute is blank without its
    doing, and so are the columns of `needs_wear` on a device whose wear does not rest on minutes.
    `citation` goes to the page of metrics. `carried`: participant_day has the columns too, and
    participant_week the means of those that are numbers.
    """

    columns: tuple[Column, ...]
    compute: Callable[[Minutes], Mapping[str, Array]]
    citation: str
    needs_wear: tuple[str, ...] = ()
    carried: bool = True


@cache
def read_metrics() -> dict[str, Metric]:
    """Every metric by its file's name; MetricError when two share a column."""
    found: dict[str, Metric] = {}
    for module in sorted(iter_modules(__path__), key=lambda item: item.name):
        if not module.name.startswith("_"):
            found[module.name] = import_module(f"{__name__}.{module.name}").METRIC
    assert_sound(found)
    return found


def assert_sound(metrics: Mapping[str, Metric]) -> None:
    """MetricError where a column is declared twice or `needs_wear` names none of the file's."""
    seen: set[str] = set()
    for file, metric in metrics.items():
        names = [column.name for column in metric.columns]
        if repeated := sorted(seen.intersection(names) | {n for n in names if names.count(n) > 1}):
            raise MetricError(f"{file}.py: {', '.join(repeated)} is declared twice")
        if strange := sorted(set(metric.needs_wear) - set(names)):
            raise MetricError(f"{file}.py: needs_wear names {', '.join(strange)}, not its column")
        seen.update(names)


def columns_of(carried: bool) -> tuple[Column, ...]:
    """The columns of the metrics that participant_day has too, or of those it has not."""
    metrics = (metric for metric in read_metrics().values() if metric.carried is carried)
    return tuple(column for metric in metrics for column in metric.columns)


def weekly_mean(column: Column) -> Column | None:
    """A metric's mean over a week's valid days as a column; None for one that is no number.

    >>> weekly_mean(Column("brisk_bouts", Type.INTEGER, "Bouts.", unit="bouts")).name
    'brisk_bouts_per_day'
    """
    if column.type not in (Type.INTEGER, Type.REAL):
        return None
    counted = column.unit in ("minutes", "bouts")
    changed: dict[str, Any] = {
        "name": f"{column.name}_per_day" if counted else f"mean_{column.name}",
        "unit": f"{column.unit}/day" if counted else column.unit,
        "meaning": f"Mean of `{column.name}` over the week's valid days that have it.",
    }
    return replace(column, type=Type.REAL, **changed)
