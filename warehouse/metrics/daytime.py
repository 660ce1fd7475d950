"""When the day's steps begin and end."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from warehouse.metrics import Metric
from warehouse.metrics._line import Array, Ints
from warehouse.metrics._minutes import Minutes
from warehouse.schema import Column, Type

MIDNIGHT = 1440


def compute(minutes: Minutes) -> Mapping[str, Array]:
    """The local clock at the first and at the last minute with steps."""
    begin, end = minutes.first[:-1], minutes.first[1:]
    return {
        "first_step_minute": _clock_at(minutes, begin, begin < end),
        "last_step_minute": _clock_at(minutes, end - 1, begin < end),
    }


def _clock_at(minutes: Minutes, index: Ints, walked: Array) -> Array:
    clock = np.zeros(minutes.days, np.int64)
    clock[walked] = minutes.clock[index[walked]]
    return np.ma.array(clock, mask=~walked | (clock < 0) | (clock >= MIDNIGHT))


def _column(name: str, which: str) -> Column:
    return Column(
        name,
        Type.INTEGER,
        f"The local clock at the {which} minute with a step; blank without one. On a journey's day "
        "counted from the nearer midnight.",
        unit="minutes after midnight",
        low=0,
        high=MIDNIGHT - 1,
    )


METRIC = Metric(
    columns=(_column("first_step_minute", "first"), _column("last_step_minute", "last")),
    compute=compute,
    citation="FIRST, LAST. Local time of the first and last non-zero minute.",
)
