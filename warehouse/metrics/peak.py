"""Peak cadence: the highest minutes of the day, wherever they lie."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from warehouse.metrics import Metric
from warehouse.metrics._line import Array
from warehouse.metrics._minutes import Minutes
from warehouse.schema import Column, Type

SIZES = (1, 30, 60)


def compute(minutes: Minutes) -> Mapping[str, Array]:
    """The mean of each day's k highest minutes; blank with fewer than k known minutes."""
    begin, end = (edge[:, None] for edge in (minutes.first[:-1], minutes.first[1:]))
    place = end - np.arange(1, SIZES[-1] + 1)
    highest = np.zeros(place.shape, np.int64)  # a day's 60, from the highest on; the rest are zeros
    highest[place >= begin] = minutes.ranked[place[place >= begin]]
    found = {}
    for size in SIZES:
        total = highest[:, :size].sum(axis=1)
        found[f"peak_{size}_cadence"] = np.ma.array(total / size, mask=minutes.known_minutes < size)
    return found


def _column(size: int) -> Column:
    return Column(
        f"peak_{size}_cadence",
        Type.REAL,
        f"Mean of the {size} highest minutes of the day, not necessarily consecutive; blank with "
        f"fewer than {size} worn minutes."
        if size > 1
        else "Highest minute of the day; blank without a worn minute.",
        unit="steps/minute",
        low=0,
        better="higher",
    )


METRIC = Metric(
    columns=tuple(_column(size) for size in SIZES),
    compute=compute,
    citation="PK1, PK30, PK60. Peak cadence: Tudor-Locke et al., Prev Med 2012;54:117.",
    needs_wear=tuple(f"peak_{size}_cadence" for size in SIZES),
)
