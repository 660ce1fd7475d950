"""Series and intraday data of the legacy API: naive local clock, strings, zeros for everything.

The series runs by the local clock, of the journey too. Where clocks change the hour that is skipped
is absent or zero, and the one that is repeated is one hour: its steps added, or the later ones
alone, and its later heart rate (inferred: no statement of the vendor was found; `World` chooses).
Zeros stand for unworn and unsynced minutes alike.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from ingestion.simulator.grid import DAY
from ingestion.simulator.http import Reply, as_json, as_text
from ingestion.simulator.roster import SimParticipant
from ingestion.simulator.syncs import View

if TYPE_CHECKING:
    from ingestion.simulator.server import Simulator

Ints = npt.NDArray[np.int64]

MOST_DAYS = 1095
KM_PER_STEP, MILES_PER_KM = 0.00072, 0.621371
PERIOD_DAYS = {"1d": 1, "7d": 7, "1w": 7, "30d": 30, "1m": 30, "3m": 90, "6m": 180, "1y": 365}
DETAIL_MINUTES = {"1min": 1, "5min": 5, "15min": 15}
CLOCK = [f"{m // 60:02d}:{m % 60:02d}:00" for m in range(DAY)]
ZONES = (("Out of Range", 30, 97), ("Fat Burn", 97, 123), ("Cardio", 123, 152), ("Peak", 152, 220))


class Refused(Exception):
    """A request that the legacy API refuses, with its status, errorType and fieldName."""

    def __init__(self, status: int, kind: str, message: str, field_name: str = "") -> None:
        super().__init__(message)
        self.status, self.kind, self.field_name = status, kind, field_name


def answer_series(
    sim: Simulator, participant: SimParticipant, asked: Sequence[str | Any], miles: bool
) -> Reply:
    """Daily totals as strings, ascending, every day of the range; "0" where there is nothing.

    `asked` is resource, start and end or period.
    """
    resource, start, end = asked
    days = _days(sim, participant, start, end)
    totals = [_total(sim, participant, on) for on in days]
    if resource == "distance":
        unit = KM_PER_STEP * (MILES_PER_KM if miles else 1)
        values = [f"{total * unit:.4f}" for total in totals]
    else:
        values = [str(total) for total in totals]
    rows = [
        {"dateTime": on.isoformat(), "value": value} for on, value in zip(days, values, strict=True)
    ]
    return as_json({f"activities-{resource}": rows})


def answer_heart(sim: Simulator, participant: SimParticipant, start: str, end: str) -> Reply:
    """Daily heart-rate zones; restingHeartRate is missing on a day that was not worn."""
    days = _days(sim, participant, start, end)
    return as_json({"activities-heart": [_heart_day(sim, participant, on) for on in days]})


def answer_minutes(
    sim: Simulator, participant: SimParticipant, asked: Sequence[str | Any]
) -> Reply:
    """Intraday data of one day, or of a part of it between two clock times, both included.

    `asked` is resource, start, end, detail and the clock times of the path, None where absent.
    """
    resource, start, end, detail, first, last = asked
    days = _days(sim, participant, start, end)
    if len(days) != 1:
        raise Refused(400, "validation", "Intraday data spans at most 24 hours.", "endDate")
    if detail not in DETAIL_MINUTES or (resource == "heart" and detail != "1min"):
        raise Refused(400, "validation", f"Detail level {detail} is not available.", "detailLevel")
    on, every = days[0], DETAIL_MINUTES[detail]
    begin, finish = _clock(first, 0), _clock(last, DAY - 1)
    if resource == "heart":
        clock, values = _heart_minutes(sim, participant, on)
        head = [_heart_day(sim, participant, on)]
    else:
        clock, values = _step_minutes(sim, participant, on)
        clock, values = _coarse(clock, values, every)
        head = []
    kept = (clock >= begin) & (clock <= finish)
    clock, values = clock[kept], values[kept]
    if resource == "steps":
        total = int(values.sum()) if first else _total(sim, participant, on)
        head = [{"dateTime": on.isoformat(), "value": str(total)}]
    rows = ",".join(
        f'{{"time":"{CLOCK[m]}","value":{n}}}'
        for m, n in zip(clock.tolist(), values.tolist(), strict=True)
    )
    daily = as_json({f"activities-{resource}": head}).body.decode().removesuffix("}")
    return as_text(
        f'{daily},"activities-{resource}-intraday":{{"dataset":[{rows}],'
        f'"datasetInterval":{every},"datasetType":"minute"}}}}'
    )


def _days(sim: Simulator, participant: SimParticipant, start: str, end: str) -> list[date]:
    """The days of a range, or of a period that ends on `start`."""
    first = _date(sim, participant, start)
    if end in PERIOD_DAYS:
        last, first = first, first - timedelta(days=PERIOD_DAYS[end] - 1)
    else:
        last = _date(sim, participant, end)
    count = (last - first).days + 1
    if count < 1:
        raise Refused(400, "validation", "The start date is after the end date.", "endDate")
    if count > MOST_DAYS:
        raise Refused(400, "validation", f"The range is over {MOST_DAYS} days.", "endDate")
    return [first + timedelta(days=n) for n in range(count)]


def _date(sim: Simulator, participant: SimParticipant, text: str) -> date:
    if text == "today":
        return sim.world.today(participant, sim.now())
    try:
        if not re.fullmatch(r"\d{4}-\d\d-\d\d", text):
            raise ValueError
        return date.fromisoformat(text)
    except ValueError:
        raise Refused(400, "validation", f"Invalid date: {text}", "date") from None


def _clock(text: str | None, default: int) -> int:
    if text is None:
        return default
    match = re.fullmatch(r"([01]\d|2[0-3]):([0-5]\d)(?::00)?", text)
    if not match:
        raise Refused(400, "validation", f"Invalid time: {text}", "time")
    return int(match.group(1)) * 60 + int(match.group(2))


def _span(sim: Simulator, participant: SimParticipant, on: date) -> tuple[View, Ints]:
    """What the vendor has, and the UTC minutes of it that lie in a local day."""
    view = sim.world.activity(participant).view(sim.now())
    return view, view.minutes_of(sim.world.grid.day_number(on))


def _total(sim: Simulator, participant: SimParticipant, on: date) -> int:
    view = sim.world.activity(participant).view(sim.now())
    number = sim.world.grid.day_number(on)
    known = 0 <= number < view.totals.size
    return max(0, int(view.totals[number])) if known else 0


def _step_minutes(sim: Simulator, participant: SimParticipant, on: date) -> tuple[Ints, Ints]:
    """(minute of the clock, steps) for every minute of the day that has begun."""
    view, minutes = _span(sim, participant, on)
    begun = _begun(sim, participant, on)
    steps = np.zeros(DAY, np.int64)
    clock, counts = view.zone.minute[minutes], view.steps[minutes].astype(np.int64)
    if sim.world.repeated_hour == "merge":
        np.add.at(steps, clock, counts)
    else:
        steps[clock] = counts
    return begun, steps[begun]


def _begun(sim: Simulator, participant: SimParticipant, on: date) -> Ints:
    """Minutes of the clock that the day has and that have begun; the future is not returned."""
    zone, grid = sim.world.activity(participant).zone, sim.world.grid
    minutes = zone.minutes_of(grid.day_number(on))
    if not minutes.size:
        midnight = datetime(on.year, on.month, on.day, tzinfo=ZoneInfo(participant.timezone))
        clock = np.arange(DAY, dtype=np.int64)
        return clock[clock * 60 + int(midnight.timestamp()) < int(sim.now().timestamp())]
    clock = np.unique(zone.minute[minutes[minutes * 60 < grid.second_of(sim.now())]])
    if sim.world.skipped_hour == "zero" and clock.size:
        return np.arange(clock[-1] + 1)
    return clock


def _heart_minutes(sim: Simulator, participant: SimParticipant, on: date) -> tuple[Ints, Ints]:
    """(minute of the clock, beats) for every worn minute that the vendor has."""
    view, minutes = _span(sim, participant, on)
    beats = np.zeros(DAY, np.int64)
    minutes = minutes[view.heart_rate[minutes] > 0]
    beats[view.zone.minute[minutes]] = view.heart_rate[minutes]
    clock = np.flatnonzero(beats)
    return clock, beats[clock]


def _coarse(clock: Ints, values: Ints, every: int) -> tuple[Ints, Ints]:
    """Values summed over pieces of `every` minutes of the clock."""
    if every == 1 or not clock.size:
        return clock, values
    piece = clock // every
    starts = np.flatnonzero(np.concatenate([[True], np.diff(piece) > 0]))
    return piece[starts] * every, np.add.reduceat(values, starts)


def _heart_day(sim: Simulator, participant: SimParticipant, on: date) -> dict[str, Any]:
    _, beats = _heart_minutes(sim, participant, on)
    zones = [
        {"caloriesOut": 0, "max": high, "min": low, "name": name,
         "minutes": int(((beats >= low) & (beats < high)).sum())}
        for name, low, high in ZONES
    ]  # fmt: skip
    value: dict[str, Any] = {"customHeartRateZones": [], "heartRateZones": zones}
    if beats.size:
        value["restingHeartRate"] = int(np.percentile(beats, 5))
    return {"dateTime": on.isoformat(), "value": value}
