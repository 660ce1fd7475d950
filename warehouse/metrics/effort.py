"""Best effort: the highest mean cadence over consecutive minutes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from warehouse.metrics import Metric
from warehouse.metrics._minutes import Array, Ints, Minutes
from warehouse.schema import Column, Type

SIZES = (5, 20, 30)


def compute(minutes: Minutes) -> Mapping[str, Array]:
    """The highest sum of k consecutive known minutes / k; blank where there are none."""
    # The best window begins with a step, or ends where the known minutes do: any other moves there.
    line = np.zeros(minutes.days * minutes.stride + 1, np.int32)
    line[minutes.step_at + 1] = minutes.steps
    up_to = np.cumsum(line, dtype=np.int32, out=line)  # steps before each place of the line
    left = _known_after(minutes)
    found = {}
    for size in SIZES:
        sums = up_to.take(minutes.step_at + size)
        sums -= minutes.steps_before[:-1]
        sums[left < size] = -1
        best = np.maximum(minutes.highest(sums), _at_ends(minutes, up_to, size))
        found[f"max_{size}_cadence"] = np.ma.array(best / size, mask=best < 0)
    return found


def _known_after(minutes: Minutes) -> Ints:
    """Known minutes in a row from each minute with steps on, itself included."""
    firsts = np.searchsorted(minutes.step_at, minutes.known.start)
    end = np.repeat(minutes.known.end, np.diff(firsts, append=minutes.step_at.size))
    return end - minutes.step_at


def _at_ends(minutes: Minutes, up_to: Array, size: int) -> Ints:
    best = np.full(minutes.days, -1)
    start, end = minutes.known
    last = end[end - start >= size]
    np.maximum.at(best, (last - 1) // minutes.stride, up_to[last] - up_to[last - size])
    return best


def _column(size: int) -> Column:
    return Column(
        f"max_{size}_cadence",
        Type.REAL,
        f"Highest mean over {size} consecutive worn minutes; blank where no {size} follow each "
        "other.",
        unit="steps/minute",
        low=0,
        better="higher",
    )


METRIC = Metric(
    columns=tuple(_column(size) for size in SIZES),
    compute=compute,
    citation="MAX5, MAX20, MAX30. "
    "Best consecutive cadence: Tudor-Locke et al., Br J Sports Med 2018;52:776.",
    needs_wear=tuple(f"max_{size}_cadence" for size in SIZES),
)
