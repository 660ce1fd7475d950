"""Sedentary minutes and bouts of the waking hours."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from warehouse.metrics import Metric
from warehouse.metrics._line import Array, Ints, Spans
from warehouse.metrics._minutes import Minutes
from warehouse.schema import Column, Type, minutes_column


def compute(minutes: Minutes) -> Mapping[str, Array]:
    """Known minutes of the waking hours less the active ones, and their long runs."""
    spans = awake(minutes)
    low, high = (np.searchsorted(minutes.active_at, edge) for edge in spans)
    start, end = find_runs(minutes, spans, low, high)
    still = spans.end - spans.start - (high - low)
    return {
        "sedentary_minutes": minutes.per_day(spans.start, still),
        "sedentary_bouts": minutes.per_day(start),
        "sedentary_bout_minutes": minutes.per_day(start, end - start),
    }


def find_runs(minutes: Minutes, spans: Spans, low: Ints, high: Ints) -> Spans:
    """Runs without an active minute that are long enough; a span's are those from low to high."""
    active, least = minutes.active_at, minutes.wear.sedentary_bout_minutes
    after = np.flatnonzero(np.diff(active) > least)  # between one active minute and the next
    inside = np.searchsorted(low, after, side="right") - 1
    after = after[(inside >= 0) & (after + 1 < high[inside])] if low.size else after[:0]
    some = high > low
    until = spans.end.copy()  # from where a span begins to its first active minute, or its end
    until[some] = active[low[some]]
    last = active[high[some] - 1] + 1
    start = np.concatenate([active[after] + 1, spans.start, last])
    end = np.concatenate([active[after + 1], until, spans.end[some]])
    long = end - start >= least
    return Spans(start[long], end[long])


def awake(minutes: Minutes) -> Spans:
    """The known minutes that lie within waking hours."""
    start, end = minutes.known
    day = start // minutes.stride
    start = np.maximum(start, minutes.waking.start[day])
    end = np.minimum(end, minutes.waking.end[day])
    return Spans(start[start < end], end[start < end])


METRIC = Metric(
    columns=(
        minutes_column(
            "sedentary_minutes",
            "Worn minutes with fewer than 10 steps within the waking hours of the protocol (06:00 "
            "to 24:00): sleep is not landed, and whole days would count nights that the device "
            "was worn. A nap, or sleep within these hours, counts as sedentary.",
            better="lower",
        ),
        Column(
            "sedentary_bouts",
            Type.INTEGER,
            "Runs of at least 30 of those minutes; a minute not worn ends one.",
            unit="bouts",
            low=0,
            better="lower",
        ),
        minutes_column("sedentary_bout_minutes", "Minutes of those runs.", better="lower"),
    ),
    compute=compute,
    citation="SEDMIN, SEDBOUT30. "
    "Fewer than 10 steps a minute: RAPIDS, Fitbit steps intraday (rapids.science), here "
    "of worn minutes alone.",
    needs_wear=("sedentary_minutes", "sedentary_bouts", "sedentary_bout_minutes"),
)
