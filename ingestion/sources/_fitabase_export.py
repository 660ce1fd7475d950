"""A whole Fitabase export: its files put together by participant, each data point counted once.

See ingestion.sources.fitabase for the rules that are applied here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ingestion.local_days import DAY, local_day
from ingestion.reconcile import Reconciliation
from ingestion.source import Count
from ingestion.sources._fitabase_files import Part

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
HEART_RATE = (30, 220)  # plausible beats a minute
MOST_DAY_STEPS = 24 * 60 * 30_000
MOST_MINUTE_STEPS = 30_000  # above it is no count; implausible ones below are judged per day
_BEYOND = np.iinfo(np.int64).max
_SPAN = 1 << 32  # wider than any clock minute, hour or day: participant * _SPAN + it is one key


@dataclass(frozen=True)
class Points:
    """Data points sorted by participant and clock minute (see ingestion.local_days).

    `fold` is 1 at the second passing of a repeated hour.
    """

    participant: Ints
    clock: Ints
    fold: Ints
    value: Ints
    part: npt.NDArray[np.int32]  # which of the files of this data type says so

    def take(self, which: Ints | Flags | slice) -> Points:
        return Points(
            self.participant[which],
            self.clock[which],
            self.fold[which],
            self.value[which],
            self.part[which],
        )

    def of(self, participant: int) -> Points:
        """The points of one participant."""
        low, high = np.searchsorted(self.participant, [participant, participant + 1])
        return self.take(slice(int(low), int(high)))

    def by_day(self) -> Iterator[tuple[int, Points]]:
        """Each day (counted from 1970-01-01) with one participant's points of it."""
        days = self.clock // DAY
        edges = np.flatnonzero(np.diff(days)) + 1
        for low, high in zip([0, *edges], [*edges, days.size], strict=True):
            if high > low:
                yield int(days[low]), self.take(slice(int(low), int(high)))


class Tally:
    """Data points of one type, received and refused, for each participant."""

    def __init__(self, people: int, hashes: Sequence[str]) -> None:
        self._people, self._hashes = people, hashes
        self._received = np.zeros(people, np.int64)
        self._refused: dict[str, Ints] = {}
        self._part: dict[str, Ints] = {}  # reason -> a file with such a point, by participant

    def receive(self, participant: Ints) -> None:
        self._received += np.bincount(participant, minlength=self._people)

    def refuse(self, reason: str, points: Points, which: Ints | Flags) -> None:
        none = np.zeros(self._people, np.int64)
        participant = points.participant[which]
        more = np.bincount(participant, minlength=self._people)
        self._refused[reason] = self._refused.get(reason, none) + more
        self._part.setdefault(reason, none.copy())[participant] = points.part[which]

    def count_of(self, participant: int) -> Count:
        """The count of one participant: received = landed + rejected."""
        count = Count(received=int(self._received[participant]))
        for reason, points in self._refused.items():
            held_by = self._hashes[self._part[reason][participant]]
            count.reject(reason, int(points[participant]), held_by)
        count.landed = count.received - count.rejected
        return count


class Export:
    """The parts of an export as points of `participants`, who are numbered in their order."""

    def __init__(
        self,
        parts: Sequence[Part],
        participant_of: Mapping[str, str],
        zones: Mapping[str, str | None],
    ) -> None:
        self.participants = sorted(set(participant_of.values()))
        self.zones = zones
        self._number = {p: n for n, p in enumerate(self.participants)}
        self._numbers = {
            id(part): np.array([self._number[participant_of[one]] for one in part.people])
            for part in parts
        }
        self._parts = parts
        self.tallies: dict[str, Tally] = {}
        self.steps = self._read_steps()
        self.heart = self._read_heart()
        self._hours = self._one_word_each("hourly_steps")[0]
        self._totals, self._unfinished = self._read_totals()

    def files_of(self, participant: int) -> tuple[str, ...]:
        """The hashes of the files whose rows of this participant are landed."""
        return tuple(
            sorted(
                part.sha256
                for part in self._parts
                if part.kind.data_type != "hourly_steps" and participant in self._numbers[id(part)]
            )
        )

    def totals_of(self, participant: int) -> dict[int, int]:
        """The finished daily totals of a participant, by day."""
        mine = self._totals.of(participant)
        return dict(zip((mine.clock // DAY).tolist(), mine.value.tolist(), strict=True))

    def total_unfinished(self, participant: int, day: int) -> bool:
        """Whether the export has a total of that day, taken before the day ended."""
        return participant * _SPAN + day in self._unfinished

    def compare_hours(self) -> Reconciliation:
        """Minute sums against hourly totals, both by the naive clock."""
        own, sums, minutes = self._minute_hours()
        theirs = self._hours.participant * _SPAN + self._hours.clock // 60
        at = np.searchsorted(own, theirs)
        found = own[at] == theirs
        whole, repeated = found & (minutes[at] == 60), found & (minutes[at] > 60)
        equal = whole & (sums[at] == self._hours.value)
        return Reconciliation(
            hours_comparable=int(whole.sum()),
            hours_equal=int(equal.sum()),
            hours_without_minutes=int((~whole & ~repeated).sum()),
            hours_without_total=int((~np.isin(own[minutes >= 60], theirs)).sum()),
            hours_repeated=int(repeated.sum()),
        )

    def _minute_hours(self) -> tuple[Ints, Ints, Ints]:
        """Hours with minutes, in order: their key, sum and number of minutes; then one beyond."""
        keys = self.steps.participant * _SPAN + self.steps.clock // 60
        own, starts, minutes = np.unique(keys, return_index=True, return_counts=True)
        sums = np.add.reduceat(self.steps.value, starts) if own.size else own
        return np.append(own, _BEYOND), np.append(sums, 0), np.append(minutes, 0)

    def _read_steps(self) -> Points:
        return self._one_word_each("minute_steps", most=MOST_MINUTE_STEPS)[0]

    def _read_heart(self) -> Points:
        """One point for each minute with a plausible heart rate, on days with step minutes."""
        points, _, _ = self._gathered("heart_rate")
        plausible = (points.value >= HEART_RATE[0]) & (points.value <= HEART_RATE[1])
        days = np.unique(self.steps.participant * _SPAN + self.steps.clock // DAY)
        beside_steps = np.isin(points.participant * _SPAN + points.clock // DAY, days)
        if points.participant.size:
            tally = self.tallies["heart_rate"]
            tally.refuse("implausible_heart_rate", points, ~plausible)
            tally.refuse("no_step_minutes", points, plausible & ~beside_steps)
        kept = points.take(plausible & beside_steps)
        _, first = np.unique(kept.participant * _SPAN + kept.clock, return_index=True)
        return kept.take(first)

    def _read_totals(self) -> tuple[Points, set[int]]:
        points, last = self._one_word_each("daily_steps", most=MOST_DAY_STEPS)
        hours, _, reach = self._gathered("hourly_steps", counted=False)
        ends = np.full(len(self.participants), -1, np.int64)
        np.maximum.at(ends, hours.participant, reach + 60)
        day_end = (points.clock // DAY + 1) * DAY
        over_before = (ends[points.participant] >= 0) & (ends[points.participant] < day_end)
        with_hours = np.isin(
            points.participant * _SPAN + day_end, hours.participant * _SPAN + reach + 60
        )
        unfinished = over_before | (last & ~with_hours)
        if points.participant.size:
            self.tallies["daily_steps"].refuse("unfinished_day", points, unfinished)
        keys = points.participant * _SPAN + points.clock // DAY
        return points.take(~unfinished), set(keys[unfinished].tolist())

    def _one_word_each(self, data_type: str, most: int = _SPAN) -> tuple[Points, Flags]:
        """One point for each participant and minute, and whether it is the last of its file."""
        points, last, reach = self._gathered(data_type, counted=data_type != "hourly_steps")
        known = (points.value >= 0) & (points.value <= most)
        key = points.participant * _SPAN + points.clock * 2 + points.fold
        if known.all() and (np.diff(key) > 0).all():  # as one merged file comes: sorted, all good
            return points, last
        order = np.lexsort((points.value, reach, key))
        order = order[known[order]]
        ends = np.append(np.diff(key[order]) > 0, True)[: order.size]
        winner = np.flatnonzero(ends)[np.cumsum(np.append(False, ends[:-1]))[: order.size]]
        same = points.value[order] == points.value[order[winner]]
        if tally := self.tallies.get(data_type):
            tally.refuse("blank_or_negative", points, points.value < 0)
            tally.refuse("impossible", points, points.value > most)
            tally.refuse("repeated", points, order[~ends & same])
            tally.refuse("replaced_by_another_word", points, order[~ends & ~same])
        return points.take(order[ends]), last[order[ends]]

    def _gathered(self, data_type: str, counted: bool = True) -> tuple[Points, Flags, Ints]:
        """All points of a data type; whether each is its file's last of the participant, and how
        far its file reaches for them."""
        parts = [part for part in self._parts if part.kind.data_type == data_type]
        given = [self._numbers[id(part)][part.person] for part in parts]
        reaches = [part.coverage[part.person] for part in parts]
        folds = [
            self._second_passings(participant, part)
            if data_type == "minute_steps"
            else part.clock * 0
            for participant, part in zip(given, parts, strict=True)
        ]
        points = Points(
            _joined(given),
            _joined([part.clock for part in parts]),
            _joined(folds),
            _joined([part.value for part in parts]),
            _numbered([part.value.size for part in parts]),
        )
        if counted and parts:
            hashes = [part.sha256 for part in parts]
            tally = self.tallies.setdefault(data_type, Tally(len(self.participants), hashes))
            tally.receive(points.participant)
        reach = _joined(reaches)
        return points, points.clock == reach, reach

    def _second_passings(self, participant: Ints, part: Part) -> Ints:
        """1 where a stamp of the repeated hour is the file's second word for it.

        An hour given twice in the same words is a repetition and not a second passing.
        """
        fold = np.zeros(part.clock.size, np.int64)
        number: dict[str | None, list[int]] = {zone: [] for zone in self.zones.values()}
        for name, its_zone in self.zones.items():
            number[its_zone].append(self._number[name])
        for zone, people in number.items():
            twice = _repeated_minutes(part.clock, zone)
            if not twice.size:
                continue
            at = np.flatnonzero(np.isin(part.clock, twice) & np.isin(participant, people))
            at = at[np.lexsort((part.clock[at], participant[at]))]
            again = (
                np.flatnonzero((np.diff(part.clock[at]) == 0) & (np.diff(participant[at]) == 0)) + 1
            )
            hour = participant * _SPAN + part.clock // 60
            other = part.value[at[again]] != part.value[at[again - 1]]
            second = np.isin(hour[at[again]], hour[at[again[other]]])
            fold[at[again[second]]] = 1
        return fold


def _repeated_minutes(clock: Ints, zone: str | None) -> Ints:
    if zone is None:
        return np.empty(0, np.int64)
    days = range(int(clock.min()) // DAY, int(clock.max()) // DAY + 1)
    return _joined([day * DAY + np.flatnonzero(local_day(day, zone).repeated) for day in days])


def _numbered(sizes: Sequence[int]) -> npt.NDArray[np.int32]:
    """Which part each point of parts of these sizes is of."""
    return np.repeat(np.arange(len(sizes), dtype=np.int32), np.array(sizes, np.int64))


def _joined(arrays: Sequence[Ints]) -> Ints:
    return np.concatenate([np.empty(0, np.int64), *arrays])
