"""Minutes -> day metrics, for thousands of days at a time, without a loop over minutes.

What is computed stands in `warehouse/metrics`, a file a metric; here landed day rows become the
line of minutes that they work on, and what they find becomes `day_metric`. The sparse lists are
worked on as they are stored: a day has 1,440 minutes and about 200 with steps, and a day of 1,380,
1,500 or 2,880 minutes is no special case.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.activity.clock import Clocks, read_clocks
from warehouse.metrics import Metric, Minutes, read_metrics
from warehouse.metrics._line import APART, Array, Bools, Ints, Spans
from warehouse.schema import Column, Type
from warehouse.study import Wear
from warehouse.tables.derived import day_metric

CHUNK_DAYS = 2048  # the quickest of 64 to 4,096, and memory stays flat
THREADS = 2
MINUTE_US = 60_000_000
KEPT_BYTES = 31 << 20  # the C library keeps no more by itself


def compute_day_metrics(days: pa.Table, wear: Wear) -> pa.Table:
    """One row of day_metric per row of activity_day, in the same order.

    Columns as `day_metric` says. Where a day has no minute at all (only the vendor's total) every
    metric is NULL: unknown, not zero. Under wear_method 'steps' wear is not measured, and what
    rests on it is NULL. Raises ValueError when a day has not as many counts as minutes.
    """
    # The C library hands large arrays back to the system, and gets every page anew, until it has
    # met one of this size; nothing touches this one. That was a quarter of the time.
    np.empty(KEPT_BYTES, np.uint8)
    chunks = [days.slice(start, CHUNK_DAYS) for start in range(0, days.num_rows, CHUNK_DAYS)]
    if len(chunks) < 2:
        done = [_day_metrics(chunk, wear) for chunk in chunks]
    else:  # numpy works outside Python's lock for most of it
        with ThreadPoolExecutor(THREADS) as pool:
            done = list(pool.map(partial(_day_metrics, wear=wear), chunks))
    return pa.concat_tables(done) if done else day_metric.arrow.empty_table()


def _day_metrics(days: pa.Table, wear: Wear) -> pa.Table:
    clocks = read_clocks(days)
    minutes = minutes_of(days, wear, clocks)
    unknown = np.diff(minutes.first) + np.diff(minutes.worn_from) == 0
    length = pc.multiply(days["day_minutes"].cast(pa.int64()), MINUTE_US).cast(pa.duration("us"))
    computed = {
        "has_minutes": pa.array(~unknown),
        "day_end_at": pc.add(days["day_start_at"], length),
        "timezone_changed": pa.array(clocks.changed),
    }
    for metric in read_metrics().values():
        computed |= _columns(metric, minutes, unknown)
    columns = [computed[name] if name in computed else days[name] for name in day_metric.names]
    return pa.table(columns, day_metric.names).cast(day_metric.arrow)


def _columns(metric: Metric, minutes: Minutes, unknown: Bools) -> dict[str, pa.Array]:
    found = metric.compute(minutes)
    unworn = unknown | ~minutes.has_wear
    return {
        column.name: _array(
            column, found[column.name], unworn if column.name in metric.needs_wear else unknown
        )
        for column in metric.columns
    }


def _array(column: Column, values: Array, blank: Bools) -> pa.Array:
    """Values as the column's type; NULL where masked or blank."""
    masked = np.ma.getmaskarray(values)
    if column.type is not Type.INTEGER_LIST:
        stored = np.asarray(np.ma.getdata(values), column.type.arrow.to_pandas_dtype())
        return pa.array(stored, column.type.arrow, mask=masked | blank)
    edges = pa.array(np.arange(0, values.size + 1, values.shape[1]), pa.int32())
    cells = pa.array(np.ma.getdata(values).ravel(), pa.int32(), mask=masked.ravel())
    lists = pa.ListArray.from_arrays(edges, cells)
    return pc.if_else(pa.array(blank | masked.all(axis=1)), pa.scalar(None, lists.type), lists)


def minutes_of(days: pa.Table, wear: Wear, clocks: Clocks) -> Minutes:
    """The rows' lists on one line; ValueError when two lists of a day differ in length."""
    walked, at, steps = _lists(days, "step_minute", "step_count")
    worn, start, lasting = _lists(days, "wear_start", "wear_length")
    length = days["day_minutes"].to_numpy().astype(np.int32)
    reach = (0, *(int(found.max(initial=0)) for found in (length, at + 1, start + lasting)))
    stride = max(reach) + APART
    places = np.arange(0, days.num_rows * stride, stride, dtype=np.int32)
    place = np.repeat(places, np.diff(worn)) + start
    return Minutes(
        days=days.num_rows,
        stride=stride,
        step_at=np.repeat(places, np.diff(walked)) + at,
        steps=steps,
        clock=clocks.minutes(at, walked),
        first=walked,
        worn=Spans(place, place + lasting),
        worn_from=worn,
        length=length,
        waking=Spans(*(places + edge for edge in clocks.between(*_waking(wear)))),
        has_wear=~pc.fill_null(pc.equal(days["wear_method"], "steps"), False).to_numpy(),
        ordinary=(length == 1440) & ~clocks.changed,
        wear=wear,
    )


def _waking(wear: Wear) -> tuple[int, int]:
    return 60 * wear.waking_from_hour, 60 * wear.waking_to_hour


def _lists(days: pa.Table, first: str, second: str) -> tuple[Ints, Ints, Ints]:
    """Two parallel lists of every day end to end, after where each day's begin in them."""
    lengths = pc.fill_null(pc.list_value_length(days[first]), 0).to_numpy()
    if not np.array_equal(lengths, pc.fill_null(pc.list_value_length(days[second]), 0).to_numpy()):
        raise ValueError(f"activity_day: {first} and {second} of a day differ in length")
    flat: list[Any] = [
        pc.list_flatten(days[name]).to_numpy().astype(np.int32) for name in (first, second)
    ]
    return np.append(0, np.cumsum(lengths, dtype=np.int64)), flat[0], flat[1]
