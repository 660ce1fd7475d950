"""Steps by the hour of the local clock: what the weekly regularity is made of."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from warehouse.metrics import Metric
from warehouse.metrics._line import Array, Ints, running
from warehouse.metrics._minutes import HOURS, Minutes
from warehouse.schema import Column, Type

KNOWN_MINUTES = 30  # half of an hour: our convention


def compute(minutes: Minutes) -> Mapping[str, Array]:
    """A row of 24 hours per day; an hour worn for less than half is masked."""
    blank = (_known_by_hour(minutes) < KNOWN_MINUTES) | ~minutes.ordinary[:, None]
    return {"hour_steps": np.ma.array(minutes.hour_steps, mask=blank)}


def _known_by_hour(minutes: Minutes) -> Ints:
    """Known minutes of each hour of each day, as (days, 24)."""
    start, end = minutes.known
    up_to = running(end - start)
    edges = (minutes.edges[:-1, None] + 60 * np.arange(HOURS + 1)).ravel()
    begun = np.searchsorted(start, edges)
    reach = np.append(0, end)[begun]  # where the last begun before the edge ends
    before = up_to[begun] - np.maximum(reach - edges, 0)
    known: Ints = np.diff(before.reshape(-1, HOURS + 1), axis=1)
    return known


METRIC = Metric(
    columns=(
        Column(
            "hour_steps",
            Type.INTEGER_LIST,
            "Steps of each of the 24 hours of the local clock; blank for an hour worn for less "
            "than 30 minutes, and for every hour of a day on which the clock changed.",
            unit="steps/hour",
        ),
    ),
    compute=compute,
    citation="",
    needs_wear=("hour_steps",),
    carried=False,
)
