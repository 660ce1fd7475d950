"""Minutes in each band of cadence, and at the cadences of moderate and vigorous activity."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from warehouse.metrics import Metric
from warehouse.metrics._line import Array
from warehouse.metrics._minutes import Minutes
from warehouse.schema import minutes_column

# Each band begins at its number and ends at the next.
BANDS = {
    "cadence_0_minutes": 0,
    "cadence_1_19_minutes": 1,
    "cadence_20_39_minutes": 20,
    "cadence_40_59_minutes": 40,
    "cadence_60_79_minutes": 60,
    "cadence_80_99_minutes": 80,
    "cadence_100_119_minutes": 100,
    "cadence_120_minutes": 120,
}


def compute(minutes: Minutes) -> Mapping[str, Array]:
    """Counts of minutes; the still ones are those of wear without a step."""
    still, *bands = BANDS
    reached = [minutes.at_least(BANDS[name]) for name in bands] + [np.zeros(minutes.days, np.int64)]
    found = {name: reached[n] - reached[n + 1] for n, name in enumerate(bands)}
    return {still: minutes.worn_minutes - minutes.steps_in_wear} | found


METRIC = Metric(
    columns=(
        minutes_column("cadence_0_minutes", "Worn minutes without a step."),
        minutes_column(
            "cadence_1_19_minutes", "Minutes of incidental movement, 1-19 steps a minute."
        ),
        minutes_column(
            "cadence_20_39_minutes", "Minutes of sporadic movement, 20-39 steps a minute."
        ),
        minutes_column(
            "cadence_40_59_minutes", "Minutes of purposeful steps, 40-59 steps a minute."
        ),
        minutes_column("cadence_60_79_minutes", "Minutes of slow walking, 60-79 steps a minute."),
        minutes_column("cadence_80_99_minutes", "Minutes of medium walking, 80-99 steps a minute."),
        minutes_column(
            "cadence_100_119_minutes", "Minutes of brisk walking, 100-119 steps a minute."
        ),
        minutes_column(
            "cadence_120_minutes", "Minutes of faster ambulation, 120 or more a minute."
        ),
    ),
    compute=compute,
    citation="CADB0 to CADB120. Bands after Tudor-Locke et al., Br J Sports Med 2018;52:776.",
    needs_wear=("cadence_0_minutes",),
)
