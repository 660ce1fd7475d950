"""Bouts of brisk walking."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from warehouse.metrics import Metric
from warehouse.metrics._line import Array, Spans
from warehouse.metrics._minutes import Minutes
from warehouse.schema import Column, Type, minutes_column


def compute(minutes: Minutes) -> Mapping[str, Array]:
    """Bouts long enough, and the minutes they last, pauses within included."""
    start, end = find_bouts(minutes)
    long = end - start >= minutes.wear.brisk_bout_minutes
    return {
        "brisk_bouts": minutes.per_day(start[long]),
        "brisk_bout_minutes": minutes.per_day(start[long], (end - start)[long]),
    }


def find_bouts(minutes: Minutes) -> Spans:
    """Runs from one brisk minute to another with no longer pause, nor a minute not known."""
    brisk = minutes.at(minutes.steps >= minutes.wear.moderate_cadence)
    begins = np.ones(brisk.size + 1, np.bool_)  # one more, for stretches with none after
    begins[1:-1] = np.diff(brisk) > minutes.wear.brisk_bout_pause_minutes + 1
    begins[np.searchsorted(brisk, minutes.known.start)] = True
    at = np.flatnonzero(begins[: brisk.size])
    return Spans(brisk[at], brisk[np.append(at[1:], brisk.size)[: at.size] - 1] + 1)


METRIC = Metric(
    columns=(
        Column(
            "brisk_bouts",
            Type.INTEGER,
            "Bouts of brisk walking: at least 10 minutes from one minute at the moderate cadence "
            "to another, with at most 2 consecutive minutes below it; a minute not worn ends one.",
            unit="bouts",
            low=0,
            better="higher",
        ),
        minutes_column(
            "brisk_bout_minutes",
            "Minutes of those bouts, the pauses within included.",
            better="higher",
        ),
    ),
    compute=compute,
    citation="BRISKBOUT. "
    "Ten-minute bouts, as guidelines asked until 2018 and as brisk walking is taught; 100 "
    "steps a minute: Tudor-Locke et al. 2018. Pause of 2 minutes: Troiano et al., Med Sci Sports "
    "Exerc 2008;40:181.",
    needs_wear=("brisk_bouts", "brisk_bout_minutes"),
)
