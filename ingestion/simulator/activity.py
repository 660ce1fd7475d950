"""A participant's truth by the minute: worn, steps and heart rate, drawn on their own local days.

Every number here is assumed unless a study is named; the package's docstring says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

from ingestion.simulator.grid import DAY, Grid, Zone
from ingestion.simulator.roster import SimParticipant
from warehouse.study import Study

# Gain in steps a day over baseline, reached in week 6. A walking programme for chronic low back
# pain gained 2,776 (McDonough 2013); the loss afterwards is WalkIT's (2017) adaptive arm.
GAIN_STEPS = {"first_arm": 2300, "other": 350}
GAIN_WEEKS = 6
LOSS_PER_DAY = 7.7
BOUT_STEPS = 1900  # an average brisk bout: 18 minutes at 106 steps a minute

Bool = npt.NDArray[np.bool_]
Reals = npt.NDArray[np.float64]
Counts = npt.NDArray[np.uint16]
Days = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Truth:
    """Per UTC minute of the grid. Steps and heart rate are 0 where the device is not worn."""

    steps: Counts
    worn: Bool
    heart_rate: npt.NDArray[np.uint8]  # 0 throughout for a device without heart rate


@dataclass(frozen=True)
class _Person:
    wake: int
    bed: int
    night_wear: bool
    busy: float  # chance that five minutes of waking hold incidental steps
    bouts: float  # brisk bouts a day at baseline
    cadence: float
    unworn: float
    resting: int


def draw_truth(
    study: Study, grid: Grid, participant: SimParticipant, seed: int, zone: Zone
) -> Truth:
    """The truth of one participant over the whole grid, lived by the clock of `zone`."""
    rng = np.random.default_rng([seed, participant.index, 1])
    person = _Person(
        wake=int(rng.normal(395, 30)),
        bed=int(rng.normal(1370, 30)),
        night_wear=bool(rng.random() < 0.85),
        busy=float(rng.uniform(0.22, 0.42)),
        bouts=float(rng.uniform(0.2, 0.9)),
        cadence=float(rng.normal(107, 5)),
        unworn=float(rng.uniform(0.01, 0.06)),
        resting=int(rng.normal(64, 6)),
    )
    days = _Days(study, grid, participant, person, rng)
    steps, worn = days.steps(), days.worn()
    steps[~worn] = 0
    _plant_implausible(steps, worn, study.wear.implausible_minute_steps, rng)
    heart = _heart_rate(steps, person.resting, rng) if participant.measures_heart_rate else None
    return _on_utc(grid, zone, steps, worn, heart)


def _on_utc(
    grid: Grid, zone: Zone, steps: Counts, worn: Bool, heart: npt.NDArray[np.uint8] | None
) -> Truth:
    """Local days to UTC minutes: the hour that spring skips is dropped, autumn's comes twice."""
    at = (zone.day[:-1], zone.minute[:-1])
    beats = np.zeros(grid.minutes, np.uint8) if heart is None else heart[at]
    on = worn[at]
    beats[~on] = 0
    return Truth(steps[at], on, beats)


class _Days:
    """One participant's local days, as matrices of days by 1,440 minutes of the clock."""

    def __init__(
        self,
        study: Study,
        grid: Grid,
        participant: SimParticipant,
        person: _Person,
        rng: np.random.Generator,
    ) -> None:
        self.person, self.rng = person, rng
        self.count = grid.days + 3
        number = np.arange(self.count)
        self.weekend = ((grid.date_of(0).weekday() + number) % 7) >= 5
        self.study_day = number - grid.day_number(participant.starts_on)  # 0 on study day 1
        gain = GAIN_STEPS["first_arm" if participant.arm == study.arms[0].code else "other"]
        self.gain = _gain(self.study_day, gain)
        self.last = _last_worn(grid, participant, self.count)
        self.paused = _between(grid, number, participant.paused_from, participant.paused_to)
        clock = np.arange(DAY)[None, :]
        noise = rng.normal(0, 25, (2, self.count))
        self.wake = np.clip(person.wake + noise[0] + 50 * self.weekend, 240, 660).astype(int)
        self.bed = np.clip(person.bed + noise[1], 1200, DAY - 5).astype(int)
        self.awake: Bool = (clock >= self.wake[:, None]) & (clock < self.bed[:, None])

    def steps(self) -> Counts:
        """Incidental steps in waking hours, then brisk bouts over them."""
        rng, shape = self.rng, (self.count, DAY)
        hours = np.where(self.weekend[:, None], _WEEKEND, _WEEKDAY)
        busy = self.person.busy * (1 + 0.3 * self.gain / 6000)[:, None] * hours
        blocks = rng.random((self.count, DAY // 5)) < np.repeat(busy, 12, axis=1)
        moving = np.repeat(blocks, 5, axis=1) & (rng.random(shape, np.float32) < 0.6)
        steps = rng.integers(3, 46, shape, np.uint16)
        steps[~(moving & self.awake)] = 0
        self._walk(steps)
        return steps

    def _walk(self, steps: Counts) -> None:
        rng = self.rng
        rate = np.clip(self.person.bouts + 0.85 * self.gain / BOUT_STEPS, 0, None)
        for day in np.repeat(np.arange(self.count), rng.poisson(rate)):
            length = int(rng.integers(8, 29))
            start = int(rng.integers(self.wake[day] + 30, self.bed[day] - 120))
            cadence = rng.normal(self.person.cadence, 4, length)
            steps[day, start : start + length] = np.clip(cadence, 85, 150).astype(np.uint16)

    def worn(self) -> Bool:
        """Worn through most nights; off for the shower, the charger, and some days altogether."""
        rng = self.rng
        nights = self.person.night_wear & (rng.random(self.count + 1) < 0.9)
        clock = np.arange(DAY)[None, :]
        early = (clock < self.wake[:, None]) & nights[:-1, None]
        late = (clock >= self.bed[:, None]) & nights[1:, None]
        worn: Bool = self.awake | early | late
        for day in range(self.count):
            self._take_off(worn[day], day)
        worn[: max(0, int(np.searchsorted(self.study_day, -1)))] = False
        worn[self.study_day == -1, : 12 * 60] = False  # set-up is at noon of the day before day 1
        worn[self.last + 1 :] = False
        worn[self.paused] = False
        return worn

    def _take_off(self, worn: Bool, day: int) -> None:
        rng, wake, bed = self.rng, int(self.wake[day]), int(self.bed[day])
        gaps = [(wake + int(rng.integers(5, 40)), int(rng.integers(12, 35)))]
        if rng.random() < 0.85:
            gaps.append((bed - int(rng.integers(200, 320)), int(rng.integers(80, 260))))
        if rng.random() < 0.7:
            gaps.append((int(rng.integers(wake, bed - 60)), int(rng.integers(30, 150))))
        for start, length in gaps:
            worn[start : start + length] = False
        kind = rng.random()
        if kind < self.person.unworn + 0.0004 * max(0, int(self.study_day[day])):
            keep = int(rng.integers(3, 9)) if rng.random() < 0.2 else 0  # moved in its drawer
            worn[:] = False
            worn[13 * 60 : 13 * 60 + keep] = True
        elif kind > 0.94:
            start, length = int(rng.integers(wake, bed - 240)), int(rng.integers(60, 520))
            worn[:start] = False
            worn[start + length :] = False


def _profile(*pieces: tuple[int, float]) -> Reals:
    """24 hourly weights from (hours, weight) pieces."""
    return np.concatenate([np.full(hours, weight) for hours, weight in pieces])


# How busy each hour is against the day's mean; weekdays have two peaks of coming and going.
_WEEKDAY = _profile((6, 0.3), (1, 1.0), (2, 1.6), (3, 0.9), (2, 1.2), (2, 0.9), (3, 1.5), (5, 0.6))
_WEEKEND = _profile((7, 0.3), (2, 0.7), (5, 1.3), (3, 0.9), (3, 1.1), (4, 0.6))


def _gain(study_day: Days, full: int) -> Reals:
    """Steps a day above baseline: a ramp to the full gain, then a slow loss, never below zero."""
    reached = GAIN_WEEKS * 7
    gain = full * np.clip(study_day / reached, 0, 1)
    return np.clip(gain - LOSS_PER_DAY * np.clip(study_day - reached, 0, None), 0, None)


def _last_worn(grid: Grid, participant: SimParticipant, count: int) -> int:
    """Day number of the last day with the device; a withdrawn participant hands it in next day."""
    if participant.withdrawn_on:
        return grid.day_number(participant.withdrawn_on) + 1
    if participant.stops_on:
        return grid.day_number(participant.stops_on) - 1
    return count


def _between(grid: Grid, number: Days, first: date | None, last: date | None) -> Bool:
    if first is None:
        return np.zeros(number.size, np.bool_)
    end = grid.day_number(last) if last else number.size
    return (number >= grid.day_number(first)) & (number <= end)


def _plant_implausible(steps: Counts, worn: Bool, most: int, rng: np.random.Generator) -> None:
    """On about one day in 250, one worn minute that nobody can walk."""
    for day in np.flatnonzero(rng.random(len(steps)) < 0.004):
        minute = int(rng.integers(600, 1200))
        if worn[day, minute]:
            steps[day, minute] = most + int(rng.integers(1, 150))


def _heart_rate(steps: Counts, resting: int, rng: np.random.Generator) -> npt.NDArray[np.uint8]:
    noise = rng.integers(-4, 9, steps.shape, np.int16)
    beats = resting + 0.45 * np.minimum(steps, 150) + noise
    rounded: npt.NDArray[np.uint8] = np.clip(beats, 40, 190).astype(np.uint8)
    return rounded
