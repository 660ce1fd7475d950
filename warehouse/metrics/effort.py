"""Best effort: the highest mean cadence over consecutive minutes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from warehouse.metrics import Metric
from warehouse.metrics._line import Array
from warehouse.metrics._minutes import Minutes
from warehouse.metrics._sweep import WINDOWS
from warehouse.schema import Column, Type


def compute(minutes: Minutes) -> Mapping[str, Array]:
    """The highest sum of k consecutive known minutes / k; blank where there are none."""
    start, end = minutes.known
    found = {}
    for size, best in minutes.swept.best.items():
        none = minutes.per_day(start[end - start >= size]) == 0
        found[f"max_{size}_cadence"] = np.ma.array(best / size, mask=none)
    return found


def _column(size: int) -> Column:
    return Column(
        f"max_{size}_cadence",
        Type.REAL,
        f"Highest mean over {size} consecutive worn minutes; blank where no {size} follow each "
        "other.",
        unit="steps/minute",
        low=0,
        better="higher",
    )


METRIC = Metric(
    columns=tuple(_column(size) for size in WINDOWS),
    compute=compute,
    citation="MAX5, MAX20, MAX30. "
    "Best consecutive cadence: Tudor-Locke et al., Br J Sports Med 2018;52:776.",
    needs_wear=tuple(f"max_{size}_cadence" for size in WINDOWS),
)
