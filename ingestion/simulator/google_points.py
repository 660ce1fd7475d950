"""Data points and roll-ups of the Health API as text.

A day of a worn device is about 1,200 points of 400 bytes, so points are written from ready pieces
(`Grid.utc_text`, `Grid.civil_text`) and never pass through a JSON encoder.
"""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt

from ingestion.simulator.google_filter import Bound
from ingestion.simulator.grid import DAY, Grid, civil_date
from ingestion.simulator.syncs import View

Ints = npt.NDArray[np.int64]

# JSON leaves out a count of zero: a worn minute without a step is a point with its interval only.
COUNT = ["", *(f',"count":"{n}"' for n in range(1, 2000))]
COUNT_SUM = ["{}", *(f'{{"countSum":"{n}"}}' for n in range(1, 2000))]
HEART_SECOND = 5  # each worn minute has one sample, at its fifth second
PHONE_FROM_STEPS = 40  # minutes in which a phone in the pocket counts too, a little less


def source_text(model: str) -> str:
    """The dataSource of the participant's device."""
    return (
        '"dataSource":{"recordingMethod":"PASSIVELY_MEASURED","platform":"FITBIT","device":'
        f'{{"displayName":"{model}","formFactor":"FITNESS_BAND","manufacturer":"Fitbit"}}}},'
    )


PHONE_SOURCE = (
    '"dataSource":{"recordingMethod":"UNKNOWN","platform":"HEALTH_CONNECT",'
    '"application":{"packageName":"com.example.phone"}},'
)


def matching_minutes(grid: Grid, view: View, bounds: list[Bound], sample: bool) -> Ints:
    """Visible worn minutes within the bounds, newest first. `sample`: of heart-rate samples."""
    keep = view.worn.copy()
    if sample:
        keep &= view.heart_rate > 0
    shift = HEART_SECOND if sample else 0
    for bound in bounds:
        seconds = grid.second_of(bound.at) - shift
        first = -(-seconds // 60)  # the first minute that starts at or after the bound
        if bound.civil:
            after = view.zone.civil[: keep.size] >= first
        else:
            after = np.arange(keep.size) >= first
        keep &= after if bound.at_least else ~after
    return np.flatnonzero(keep)[::-1]


def step_points(grid: Grid, view: View, minutes: Ints, sources: list[str]) -> list[str]:
    """A point for each minute and its dataSource, which is empty in a reconciled stream."""
    counts = view.steps[minutes].tolist()
    return _steps(grid, view, minutes, counts, sources)


def phone_points(grid: Grid, view: View, minutes: Ints) -> dict[int, str]:
    """The phone's own points beside the device's, by minute."""
    walked = minutes[view.steps[minutes] >= PHONE_FROM_STEPS]
    counts = (view.steps[walked] * 15 // 16).tolist()
    texts = _steps(grid, view, walked, counts, [PHONE_SOURCE] * len(counts))
    return dict(zip(walked.tolist(), texts, strict=True))


def _steps(
    grid: Grid, view: View, minutes: Ints, counts: list[int], sources: list[str]
) -> list[str]:
    utc, civil, zone = grid.utc_text, grid.civil_text, view.zone
    columns = (
        minutes.tolist(),
        (zone.offset[minutes] * 60).tolist(),
        (zone.offset[minutes + 1] * 60).tolist(),
        (zone.civil[minutes] + DAY).tolist(),
        (zone.civil[minutes + 1] + DAY).tolist(),
        counts,
        sources,
    )
    return [
        f'{{{source}"steps":{{"interval":{{"startTime":"{utc[m]}","startUtcOffset":"{a}s",'
        f'"endTime":"{utc[m + 1]}","endUtcOffset":"{b}s","civilStartTime":{civil[c]},'
        f'"civilEndTime":{civil[d]}}}{COUNT[n]}}}}}'
        for m, a, b, c, d, n, source in zip(*columns, strict=True)
    ]


def heart_points(grid: Grid, view: View, minutes: Ints, sources: list[str]) -> list[str]:
    """One sample for each minute."""
    utc, civil, zone = grid.utc_text, grid.civil_text, view.zone
    columns = (
        minutes.tolist(),
        (zone.offset[minutes] * 60).tolist(),
        (zone.civil[minutes] + DAY).tolist(),
        view.heart_rate[minutes].tolist(),
        sources,
    )
    seconds = f'"seconds":{HEART_SECOND}}}}}'
    return [
        f'{{{source}"heartRate":{{"sampleTime":{{"physicalTime":"{utc[m][:-3]}{HEART_SECOND:02d}Z",'
        f'"utcOffset":"{a}s","civilTime":{_and(civil[c], seconds)}}},"beatsPerMinute":"{h}"}}}}'
        for m, a, c, h, source in zip(*columns, strict=True)
    ]


def _and(civil: str, seconds: str) -> str:
    """A civil minute with seconds put in before its two closing braces."""
    return civil[:-2] + ("" if civil.endswith("{}}") else ",") + seconds


def steps_value(total: int) -> str:
    """A roll-up's steps: zero is an empty object."""
    return COUNT_SUM[total] if total < len(COUNT_SUM) else f'{{"countSum":"{total}"}}'


def heart_value(average: float, low: int, high: int) -> str:
    parts = (("Avg", f"{average:.10g}"), ("Min", low), ("Max", high))
    return "{" + ",".join(f'"beatsPerMinute{name}":{value}' for name, value in parts) + "}"


HEART_OF_MINUTE = [heart_value(beat, beat, beat) for beat in range(256)]


def rolled_up(
    grid: Grid, view: View, data_type: str, span: tuple[int, int], window: int, page: slice
) -> tuple[list[tuple[int, int, str]], int]:
    """(start second, end second, value) of a page of the windows that hold data, newest first.

    `span` are seconds from the origin; the last window is cut short at its end. With the page
    comes the number of windows in all.
    """
    begin, end = span
    sample = data_type == "heart-rate"
    minutes = matching_minutes(grid, view, [], sample)[::-1]
    seconds = minutes * 60 + (HEART_SECOND if sample else 0)
    low, high = np.searchsorted(seconds, [begin, end])
    minutes, number = minutes[low:high], (seconds[low:high] - begin) // window
    starts = np.flatnonzero(np.concatenate([[True], np.diff(number) > 0])[: number.size])
    ends = np.append(starts[1:], number.size)
    chosen = slice(max(0, starts.size - page.stop), max(0, starts.size - page.start))
    if not starts[chosen].size:
        return [], starts.size
    first, last = starts[chosen][0], ends[chosen][-1]
    values = _values(view, data_type, minutes[first:last], starts[chosen] - first)
    at = (begin + number[starts[chosen]] * window).tolist()
    windows = [(a, min(a + window, end), value) for a, value in zip(at, values, strict=True)]
    return windows[::-1], starts.size


def _values(view: View, data_type: str, minutes: Ints, starts: Ints) -> list[str]:
    if data_type == "steps":
        sums = np.add.reduceat(view.steps[minutes].astype(np.int64), starts)
        return [steps_value(total) for total in sums.tolist()]
    if starts.size == minutes.size:  # windows of one minute: mean, least and most are one
        return [HEART_OF_MINUTE[beat] for beat in view.heart_rate[minutes].tolist()]
    beats = view.heart_rate[minutes].astype(np.int64)
    count = np.diff(np.append(starts, beats.size))
    average = np.add.reduceat(beats, starts) / count
    low, high = np.minimum.reduceat(beats, starts), np.maximum.reduceat(beats, starts)
    columns = (average.tolist(), low.tolist(), high.tolist())
    return [heart_value(*row) for row in zip(*columns, strict=True)]


def window_texts(grid: Grid, key: str, windows: list[tuple[int, int, str]]) -> list[str]:
    """Roll-up data points of physical windows."""
    utc = grid.utc_text

    def stamp(second: int) -> str:
        minute, rest = divmod(second, 60)
        if rest == 0 and 0 <= minute < len(utc):
            return utc[minute]
        return grid.instant(second).strftime("%Y-%m-%dT%H:%M:%SZ")

    return [
        f'{{"startTime":"{stamp(begin)}","endTime":"{stamp(end)}","{key}":{value}}}'
        for begin, end, value in windows
    ]


def daily_texts(
    grid: Grid, view: View, key: str, first: int, last: int, window_days: int
) -> list[str]:
    """Daily roll-ups of day numbers `first` to `last` - 1, newest first; days without data absent.

    Daily totals hold what the device had counted even where it had forgotten the minutes.
    """
    found = []
    for start in range(first, last, window_days):
        end = min(start + window_days, last)
        value = _daily_value(view, key, start, end)
        if value:
            begin = f'"civilStartTime":{{"date":{civil_date(grid.date_of(start))},"time":{{}}}}'
            ends = f'"civilEndTime":{{"date":{civil_date(grid.date_of(end))},"time":{{}}}}'
            found.append(f'{{{begin},{ends},"{key}":{value}}}')
    return found[::-1]


def _daily_value(view: View, key: str, start: int, end: int) -> str:
    if key == "steps":
        totals = view.totals[max(start, 0) : max(end, 0)]
        known = totals[totals >= 0]
        return steps_value(int(known.sum())) if known.size else ""
    minutes = np.concatenate([view.minutes_of(number) for number in range(start, end)])
    beats = view.heart_rate[minutes]
    beats = beats[beats > 0]
    if not beats.size:
        return ""
    return heart_value(float(beats.mean()), int(beats.min()), int(beats.max()))


def seconds_of(duration: str) -> int | None:
    """The whole seconds of a protobuf duration such as "60s"; None when it is not one."""
    match = re.fullmatch(r"(\d{1,9})(?:\.0+)?s", duration)
    return int(match.group(1)) if match else None
