"""Moderate and vigorous minutes, from cadence."""

from __future__ import annotations

from collections.abc import Mapping

from warehouse.metrics import Metric
from warehouse.metrics._line import Array
from warehouse.metrics._minutes import Minutes
from warehouse.schema import Column, Type, minutes_column


def compute(minutes: Minutes) -> Mapping[str, Array]:
    """Counts of minutes at or above each cadence; the WHO counts a vigorous minute twice."""
    moderate = minutes.at_least(minutes.wear.moderate_cadence)
    vigorous = minutes.at_least(minutes.wear.vigorous_cadence)
    return {
        "moderate_minutes": moderate,
        "vigorous_minutes": vigorous,
        "mvpa_minutes": moderate,
        "mvpa_equivalent_minutes": (moderate - vigorous) + 2 * vigorous,
    }


METRIC = Metric(
    columns=(
        minutes_column(
            "moderate_minutes",
            "Minutes at or above the moderate cadence (100 by default).",
            better="higher",
        ),
        minutes_column(
            "vigorous_minutes",
            "Minutes at or above the vigorous cadence (130 by default).",
            better="higher",
        ),
        minutes_column(
            "mvpa_minutes", "Moderate-to-vigorous minutes, from cadence.", better="higher"
        ),
        Column(
            "mvpa_equivalent_minutes",
            Type.INTEGER,
            "Moderate minutes plus twice the vigorous ones: (moderate - vigorous) + 2 x vigorous.",
            unit="minutes",
            low=0,
            better="higher",
        ),
    ),
    compute=compute,
    citation="MODMIN, VIGMIN, MVPAEQ. "
    "Thresholds: Tudor-Locke et al., Br J Sports Med 2018;52:776 (100 steps a minute is 3 "
    "METs, 130 is 6). Weights: World Health Organization guideline 2020.",
)
