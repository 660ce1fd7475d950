"""How activity is broken up into bouts."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from warehouse.metrics import Metric
from warehouse.metrics._minutes import Array, Minutes, running, runs_of
from warehouse.schema import Column, Type


def compute(minutes: Minutes) -> Mapping[str, Array]:
    """ASTP = bouts / active minutes; Gini = sum((2i - n - 1) x_i) / (n sum x), x ascending."""
    start, end = runs_of(minutes.active_at)
    first = np.searchsorted(start, minutes.edges)
    bouts = np.diff(first)
    day = np.repeat(np.arange(minutes.days), bouts)
    ordered = np.sort((day << 20) | (end - start)) & 0xFFFFF
    rank = np.arange(1, day.size + 1) - first[day]
    weighed = np.diff(running((2 * rank - bouts[day] - 1) * ordered)[first])
    none, active = bouts == 0, np.maximum(np.diff(running(ordered)[first]), 1)
    return {
        "active_to_sedentary_per_minute": np.ma.array(bouts / active, mask=none),
        "active_bout_gini": np.ma.array(weighed / (np.maximum(bouts, 1) * active), mask=none),
    }


METRIC = Metric(
    columns=(
        Column(
            "active_to_sedentary_per_minute",
            Type.REAL,
            "Fragmentation: 1 / mean length of a run of minutes with 10 or more steps (the "
            "active-to-sedentary transition probability); blank without one.",
            unit="1/minute",
            low=0,
            high=1,
            better="lower",
        ),
        Column(
            "active_bout_gini",
            Type.REAL,
            "Gini index of the lengths of those runs: 0 when all are alike; blank without one.",
            unit="0-1",
            low=0,
            high=1,
        ),
    ),
    compute=compute,
    citation="ASTP, GINI. "
    "Di et al., Patterns of sedentary and active time accumulation, bioRxiv 2017, doi "
    "10.1101/182337.",
)
