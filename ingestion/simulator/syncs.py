"""When a device syncs, what it then still remembers, and what the vendor shows at a given time.

A device keeps `minute_memory_days` of minutes: at a sync, a day that ended longer ago than that and
had not been synced brings its daily total only. On some days the vendor first shows slightly other
counts and replaces them at a later sync, always within `RESTATED_WITHIN_DAYS` of the day's end.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from ingestion.simulator.activity import Bool, Counts, Truth
from ingestion.simulator.grid import Grid, Zone
from ingestion.simulator.roster import SimParticipant

DAY_SECONDS = 86_400
RESTATED_WITHIN_DAYS = 5
RESTATED_SHARE = 0.12
# Local hour of a possible sync, and the chance of it, on a day of somebody who opens the app often.
OFTEN = ((7.6, 0.85), (13.0, 0.5), (18.4, 0.6), (21.8, 0.8))

Seconds = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Draft:
    """Steps of minutes `first` on as the vendor shows them before sync number `until`."""

    first: int
    steps: Counts
    until: int


@dataclass(frozen=True)
class View:
    """What the vendor has of one participant at one sync; arrays end where the sync ended.

    `steps` and `worn` leave out minutes that the device had forgotten; `all_steps` has them,
    because daily totals do.
    """

    zone: Zone
    minutes: int
    steps: Counts
    worn: Bool
    heart_rate: npt.NDArray[np.uint8]
    all_steps: Counts

    @cached_property
    def totals(self) -> npt.NDArray[np.int64]:
        """Steps by day number; -1 on a day of which the vendor has nothing."""
        total = self._by_day(self.all_steps)
        return np.where((total > 0) | (self.worn_minutes > 0), total, -1)

    @cached_property
    def worn_minutes(self) -> npt.NDArray[np.int64]:
        """Minutes with the device on the body, by day number, of those the vendor has."""
        return self._by_day(self.worn)

    def minutes_of(self, number: int) -> npt.NDArray[np.int64]:
        """The UTC minutes of a day that the vendor knows of, ascending."""
        minutes = self.zone.minutes_of(number)
        return minutes[minutes < self.minutes]

    def _by_day(self, values: Counts | Bool) -> npt.NDArray[np.int64]:
        days = self.zone.first.size - 1
        sums = np.bincount(self.zone.day[: self.minutes], values, minlength=days)
        return sums[:days].astype(np.int64)


class Activity:
    """One participant's truth with the syncs through which the vendor learns of it.

    `synced` are seconds from the grid's origin, ascending. Without `rng` no day is restated.
    """

    def __init__(
        self,
        grid: Grid,
        timezone: str | Zone,
        truth: Truth,
        synced: Seconds,
        memory_days: int,
        rng: np.random.Generator | None = None,
    ) -> None:
        self.grid, self.truth, self.synced = grid, truth, synced
        self.zone = grid.zone(timezone) if isinstance(timezone, str) else timezone
        self.lost = self._forgotten(memory_days)
        self.drafts = self._draw_drafts(rng) if rng else ()
        self._steps = np.where(self.lost, 0, truth.steps).astype(np.uint16)
        self._worn = truth.worn & ~self.lost
        self._heart = np.where(self.lost, 0, truth.heart_rate).astype(np.uint8)
        self._last: tuple[int, View] | None = None

    def sync_number(self, at: datetime) -> int:
        """The number of the last sync at or before `at`; -1 when there was none."""
        second = self.grid.second_of(at)
        return int(np.searchsorted(self.synced, second, side="right")) - 1

    def synced_at(self, at: datetime) -> datetime | None:
        """The last sync at or before `at`."""
        number = self.sync_number(at)
        return None if number < 0 else self.grid.instant(int(self.synced[number]))

    def view(self, at: datetime) -> View:
        """What the vendor shows at `at`."""
        number = self.sync_number(at)
        if self._last is None or self._last[0] != number:
            self._last = (number, self._view(number))
        return self._last[1]

    def _view(self, number: int) -> View:
        end = 0 if number < 0 else min(int(self.synced[number]) // 60, self.grid.minutes)
        steps, everything = self._steps[:end].copy(), self.truth.steps[:end].copy()
        for draft in self.drafts:
            if number < draft.until and draft.first < end:
                shown = draft.steps[: end - draft.first]
                steps[draft.first : draft.first + shown.size] = shown
                everything[draft.first : draft.first + shown.size] = shown
        return View(self.zone, end, steps, self._worn[:end], self._heart[:end], everything)

    def _forgotten(self, memory_days: int) -> Bool:
        ready = (np.arange(self.grid.minutes, dtype=np.int64) + 1) * 60
        number = np.searchsorted(self.synced, ready)
        synced = np.append(self.synced, 0)[number]  # 0: never synced, so nothing forgotten yet
        ends = self.zone.ends[self.zone.day[:-1]] * 60
        lost: Bool = (synced > 0) & (ends <= synced - memory_days * DAY_SECONDS)
        return lost

    def _draw_drafts(self, rng: np.random.Generator) -> tuple[Draft, ...]:
        chosen = np.flatnonzero(rng.random(self.grid.days) < RESTATED_SHARE) + 1
        drafts = (self._draft(int(day), rng) for day in chosen)
        return tuple(draft for draft in drafts if draft)

    def _draft(self, day: int, rng: np.random.Generator) -> Draft | None:
        """A day shown a little otherwise until a sync after its end; None where that cannot be."""
        first, last = int(self.zone.first[day]), int(self.zone.ends[day])
        delay = int(rng.integers(6 * 3600, 60 * 3600))
        until = int(np.searchsorted(self.synced, last * 60 + delay))
        steps = self.truth.steps[first:last].copy()
        change = rng.integers(-3, 4, steps.size)
        change[rng.random(steps.size) > 0.3] = 0
        soon = last * 60 + RESTATED_WITHIN_DAYS * DAY_SECONDS - 3600
        if until >= self.synced.size or self.synced[until] > soon or steps.size == 0:
            return None
        if (self.zone.day[first:last] != day).any():  # a date lived twice
            return None
        if self.lost[first:last].any() or steps.max() > 150 or steps.max() == 0:
            return None
        steps[steps > 3] = (steps + change)[steps > 3]
        return Draft(first, steps, until)


def draw_syncs(
    grid: Grid, participant: SimParticipant, memory_days: int, rng: np.random.Generator
) -> Seconds:
    """Seconds from the origin, ascending; the first is at set-up, the day before study day 1."""
    setup = grid.day_number(participant.starts_on) - 1
    seconds = [_second(grid, participant, setup, 12.5, rng)]
    for day in _sync_days(grid, participant, setup, memory_days, rng):
        often = participant.sync_habit == "often"
        for hour, chance in OFTEN if often else ((20.0, 1.0),):
            if rng.random() < chance:
                seconds.append(_second(grid, participant, day, hour, rng))
    return np.unique(np.array(seconds, np.int64))


def _sync_days(
    grid: Grid, participant: SimParticipant, setup: int, memory_days: int, rng: np.random.Generator
) -> list[int]:
    last = grid.days - 1
    if participant.stops_on:
        last = grid.day_number(participant.stops_on) - 1
    if participant.withdrawn_on:
        last = grid.day_number(participant.withdrawn_on) + 1
    days, day = [], setup
    while (day := day + _pause_between(participant.sync_habit, memory_days, rng)) <= last:
        on = grid.date_of(day)
        paused = participant.paused_from and on >= participant.paused_from
        if not (paused and (participant.paused_to is None or on <= participant.paused_to)):
            days.append(day)
    return days


def _pause_between(habit: str, memory_days: int, rng: np.random.Generator) -> int:
    """Days to the next day with a sync."""
    if habit == "often":
        return 1
    if habit == "late" and rng.random() < 0.25:
        return memory_days + int(rng.integers(2, 7))
    return int(rng.integers(2, 5))


def _second(
    grid: Grid, participant: SimParticipant, day: int, hour: float, rng: np.random.Generator
) -> int:
    minute = hour * 60 + float(np.clip(rng.normal(0, 20), -55, 55))
    midnight = datetime.combine(grid.date_of(day), time(), ZoneInfo(participant.timezone))
    at = midnight + timedelta(minutes=int(minute), seconds=int(rng.integers(60)))
    return grid.second_of(at)
