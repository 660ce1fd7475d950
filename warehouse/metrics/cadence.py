"""Minutes in each band of cadence, and at the cadences of moderate and vigorous activity."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from warehouse.metrics import Metric
from warehouse.metrics._minutes import Array, Minutes
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
_BAND_OF = (np.searchsorted(list(BANDS.values()), np.arange(1 << 16), side="right") - 1).astype(
    np.int64
)


def compute(minutes: Minutes) -> Mapping[str, Array]:
    """Counts of minutes; the still ones are those of wear without a step."""
    cells = minutes.day * len(BANDS)
    cells += _BAND_OF[minutes.steps]
    bands = np.bincount(cells, minlength=minutes.days * len(BANDS)).reshape(-1, len(BANDS)).T
    still = {"cadence_0_minutes": minutes.worn_minutes - minutes.steps_in_wear}
    return dict(zip(BANDS, bands, strict=True)) | still


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
