"""Steps, wear, and what the rules of the day's state ask for."""

from __future__ import annotations

from collections.abc import Mapping

from warehouse.metrics import Metric
from warehouse.metrics._line import Array
from warehouse.metrics._minutes import Minutes
from warehouse.schema import Column, Type, minutes_column

STEP_HOURS = slice(6, 24)  # 06:00 to 24:00, waking hours: our convention
WHOLE_DAY = 1440


def compute(minutes: Minutes) -> Mapping[str, Array]:
    """Sums, the highest minute, hours with steps, and wear of a whole day without a step."""
    steps, worn = minutes.day_steps, minutes.worn_minutes
    return {
        "steps": steps,
        "wear_minutes": worn,
        "max_minute_steps": minutes.most_steps,
        "wear_hours_with_steps": (minutes.hour_steps[:, STEP_HOURS] > 0).sum(axis=1),
        "suspect_heart_rate": (worn >= WHOLE_DAY) & (steps == 0),
    }


METRIC = Metric(
    columns=(
        Column("steps", Type.INTEGER, "Sum of the minute steps.", unit="steps", low=0),
        minutes_column("wear_minutes", "Minutes with the device on the body."),
        Column(
            "max_minute_steps", Type.INTEGER, "Most steps in one minute.", "steps/minute", low=0
        ),
        Column(
            "wear_hours_with_steps",
            Type.INTEGER,
            "Hours between 06:00 and 24:00 with a step: the wear rule of devices without "
            "heart rate or explicit zeros.",
            unit="hours",
            low=0,
            high=48,
        ),
        Column(
            "suspect_heart_rate",
            Type.BOOLEAN,
            "Worn for 24 hours of the day without a step: the device may lie on an object. The "
            "other sign, one heart rate for two hours, cannot be told: wear is landed, heart "
            "rates are not.",
        ),
    ),
    compute=compute,
    citation="",
    needs_wear=("wear_minutes", "suspect_heart_rate"),
    carried=False,
)
