"""How activity is broken up into bouts."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from warehouse.metrics import Metric
from warehouse.metrics._line import COUNT, Array, ascending_keys, running, runs_of
from warehouse.metrics._minutes import Minutes
from warehouse.schema import Column, Type


def compute(minutes: Minutes) -> Mapping[str, Array]:
    """ASTP = bouts / active minutes; Gini = sum((2i - n - 1) x_i) / (n sum x), x ascending."""
    start, end = runs_of(minutes.active_at)
    first = np.searchsorted(start, minutes.edges)
    bouts = np.diff(first)
    ordered = (ascending_keys(end - start, bouts) & COUNT).astype(np.int64)
    of_all = np.diff(running(ordered)[first])
    # i counts on from day to day: what the days before have is taken off again
    ranked = np.diff(running(ordered * np.arange(1, ordered.size + 1))[first]) - first[:-1] * of_all
    weighed = 2 * ranked - (bouts + 1) * of_all
    none, active = bouts == 0, np.maximum(of_all, 1)
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
