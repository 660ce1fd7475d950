"""The class of a day by its steps."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from warehouse.metrics import Metric
from warehouse.metrics._line import Array
from warehouse.metrics._minutes import Minutes
from warehouse.schema import Column, Type

# Each class begins at its number of steps and ends at the next.
CLASSES = {
    "sedentary": 0,
    "low_active": 5_000,
    "somewhat_active": 7_500,
    "active": 10_000,
    "highly_active": 12_500,
}


def compute(minutes: Minutes) -> Mapping[str, Array]:
    """The name of the class that the day's sum of steps lies in."""
    place = np.searchsorted(list(CLASSES.values()), minutes.day_steps, side="right") - 1
    return {"step_class": np.array(list(CLASSES), object)[place]}


METRIC = Metric(
    columns=(
        Column(
            "step_class",
            Type.TEXT,
            "Class of the day's steps: sedentary below 5,000, low_active from 5,000, "
            "somewhat_active from 7,500, active from 10,000, highly_active from 12,500.",
            allowed=tuple(CLASSES),
        ),
    ),
    compute=compute,
    citation="STEPCAT. Tudor-Locke and Bassett, Sports Med 2004;34:1.",
)
