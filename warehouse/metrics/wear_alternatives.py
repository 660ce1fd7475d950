"""Wear by other rules than the protocol's: for comparison, and for devices that only count steps.

Every rule sees one day on its own, so a night without movement is told by the part of it that lies
in each day.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from warehouse.metrics import Metric
from warehouse.metrics._line import Array, Ints, Spans, run_ends
from warehouse.metrics._minutes import Minutes
from warehouse.metrics._nonwear import (
    TROIANO_STOP,
    Movement,
    find_choi,
    find_troiano,
    high_runs,
)
from warehouse.schema import minutes_column


def compute(minutes: Minutes) -> Mapping[str, Array]:
    """Minutes of the day that each rule does not call non-wear, and those of wear or steps."""
    movement = movement_of_days(minutes)
    return {
        "wear_choi_minutes": _worn(minutes, find_choi(movement, minutes.wear.choi_window_minutes)),
        "wear_troiano_minutes": _worn(minutes, find_troiano(movement)),
        "wear_or_steps_minutes": minutes.known_minutes,
    }


def movement_of_days(minutes: Minutes) -> Movement:
    """Runs of minutes with steps, a record per day."""
    first, last = run_ends(minutes.step_at)
    begin = minutes.edges[:-1]
    return Movement(
        minutes.step_at[first],
        minutes.step_at[last] + 1,
        high_runs(first, np.flatnonzero(minutes.steps >= TROIANO_STOP)),
        np.searchsorted(first, minutes.first),
        begin,
        begin + minutes.length,
    )


def _worn(minutes: Minutes, nonwear: Spans) -> Ints:
    return minutes.length - minutes.per_day(nonwear.start, nonwear.end - nonwear.start)


METRIC = Metric(
    columns=(
        minutes_column(
            "wear_choi_minutes",
            "Wear by Choi 2011 from the step minutes of the day alone: not worn are 90 minutes or "
            "more without a step, one or two with steps overlooked where choi_window_minutes "
            "before and after have none. Made for counts, not validated on steps.",
        ),
        minutes_column(
            "wear_troiano_minutes",
            "Wear by Troiano 2008 (NCI) from the step minutes of the day alone: not worn are 60 "
            "minutes or more without a step, ended by 100 steps in a minute or by a third minute "
            "with steps in a row. Made for counts, not validated on steps.",
        ),
        minutes_column("wear_or_steps_minutes", "Minutes worn or with steps."),
    ),
    compute=compute,
    citation="Choi et al., Med Sci Sports Exerc 2011;43:357. Troiano et al., Med Sci Sports Exerc "
    "2008;40:181.",
    needs_wear=("wear_or_steps_minutes",),
    carried=False,
)
