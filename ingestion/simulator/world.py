"""The pretend trial: everybody in it, and what is true of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

from ingestion.simulator import oracle
from ingestion.simulator.activity import draw_truth
from ingestion.simulator.answers import SimResponse, SimSession, draw_responses, draw_sessions
from ingestion.simulator.goals import SimGoal, draw_goals
from ingestion.simulator.grid import Grid, Zone
from ingestion.simulator.roster import (
    HEART_RATE_MODELS,
    SimParticipant,
    draw_participant,
    world_begins_on,
)
from ingestion.simulator.scenario import Scenario
from ingestion.simulator.syncs import Activity, draw_syncs
from ingestion.simulator.travel import draw_change, draw_journeys
from warehouse.study import Study

SEED = 20260119
ROSTER = (
    "participant_id", "site", "arm", "therapist_id", "timezone", "enrolled_on", "starts_on",
    "withdrawn_on", "paused_from", "paused_to", "depression_or_anxiety", "age_years", "sex",
)  # fmt: skip
KNOWN_FROM_THEIR_DAY = ("withdrawn_on", "paused_from", "paused_to")
SKIPPED_HOUR, REPEATED_HOUR = ("absent", "zero"), ("merge", "last_wins")
MOST_CACHED = 400  # participants whose minutes stay in memory, about 0.8 MB each at 12 weeks


class World:
    """A seeded trial of `participants` over `weeks` full weeks of study each.

    The same (study, seed, weeks) gives the same bytes; a participant is the same whoever else is
    in it. `faults` says whether the servers answer a few requests with 429 or 5xx unasked.
    `journeys` sends two in three to other time zones for some days; `devices` gives every other
    one a second device. How the legacy API shows the hour that spring skips ("absent", "zero") and
    the one that autumn repeats ("merge", "last_wins") is not known, so it can be chosen.
    """

    def __init__(
        self,
        study: Study,
        seed: int = SEED,
        participants: int = 60,
        weeks: int = 12,
        faults: bool = True,
        *,
        journeys: bool = False,
        devices: bool = False,
        skipped_hour: str = "absent",
        repeated_hour: str = "merge",
    ) -> None:
        if participants < 1 or weeks < 1 or seed < 0:
            raise ValueError("a world has at least one participant, one week, and a seed from 0")
        if skipped_hour not in SKIPPED_HOUR or repeated_hour not in REPEATED_HOUR:
            raise ValueError(
                f"skipped_hour is one of {SKIPPED_HOUR}, repeated_hour {REPEATED_HOUR}"
            )
        self.study, self.seed, self.weeks, self.faults = study, seed, weeks, faults
        self.skipped_hour, self.repeated_hour = skipped_hour, repeated_hour
        first = world_begins_on(study)
        self.begins_at = datetime.combine(first - timedelta(days=1), time(6), UTC)
        self.grid = Grid(first - timedelta(days=3), 7 * (weeks + 1) + 17)
        self.participants: tuple[SimParticipant, ...] = tuple(
            self._equipped(draw_participant(study, seed, index, weeks), journeys, devices)
            for index in range(participants)
        )
        self._by_id = {p.participant_id: p for p in self.participants}
        self._by_id |= {p.legacy_id: p for p in self.participants}
        self._by_id |= {p.health_id: p for p in self.participants}
        self._activity = lru_cache(MOST_CACHED)(self._draw_activity)
        self._sessions: dict[int, tuple[SimSession, ...]] = {}
        self._responses: dict[int, tuple[SimResponse, ...]] = {}
        self._goals: dict[int, tuple[SimGoal, ...]] = {}

    @property
    def settles_at(self) -> datetime:
        """06:00 UTC once the last participant's weeks have ended, where the demo stops."""
        ends = max(
            datetime.combine(
                p.starts_on + timedelta(weeks=self.weeks), time(), ZoneInfo(p.timezone)
            )
            for p in self.participants
        ).astimezone(UTC)
        six = datetime.combine(ends.date(), time(6), UTC)
        return six if six >= ends else six + timedelta(days=1)

    def pull_instants(self, count: int) -> list[datetime]:
        """`count` instants spread evenly from the beginning, the last being `settles_at`."""
        span = self.settles_at - self.begins_at
        minutes = [span * n // count // timedelta(minutes=1) for n in range(1, count + 1)]
        return [self.begins_at + timedelta(minutes=m) for m in minutes]

    def participant(self, any_id: str) -> SimParticipant | None:
        """The participant of that study, legacy or health id."""
        return self._by_id.get(any_id)

    def zone(self, participant: SimParticipant) -> Zone:
        """The civil time that they live by, at home and on their journeys."""
        if participant.journeys:
            return self.grid.travelled(participant.timezone, participant.journeys)
        return self.grid.zone(participant.timezone)

    def activity(self, participant: SimParticipant) -> Activity:
        """Their minutes and syncs, drawn on first use."""
        return self._activity(participant.index)

    def _draw_activity(self, index: int) -> Activity:
        participant = self.participants[index]
        zone = self.zone(participant)
        truth = draw_truth(self.study, self.grid, participant, self.seed, zone)
        memory = self.study.wear.minute_memory_days
        rng = np.random.default_rng([self.seed, index, 3])
        synced = draw_syncs(self.grid, participant, memory, rng)
        return Activity(self.grid, zone, truth, synced, memory, rng)

    def _equipped(self, one: SimParticipant, journeys: bool, devices: bool) -> SimParticipant:
        """With what is asked for beyond an ordinary life; nothing else of them changes."""
        drawn = (self.seed, one.index)
        if journeys:
            legs = draw_journeys(*drawn, one.timezone, one.starts_on, self.weeks)
            one = replace(one, journeys=legs)
        if devices:
            models = HEART_RATE_MODELS if one.measures_heart_rate else (one.device_model,)
            change = draw_change(*drawn, models, one.starts_on, self.weeks)
            one = replace(one, change=change)
        return one

    def sessions(self, participant: SimParticipant) -> tuple[SimSession, ...]:
        """Every treatment session they will have."""
        if participant.index not in self._sessions:
            rng = np.random.default_rng([self.seed, participant.index, 4])
            self._sessions[participant.index] = draw_sessions(self.study, participant, rng)
        return self._sessions[participant.index]

    def responses(self, participant: SimParticipant) -> tuple[SimResponse, ...]:
        """Every questionnaire they will answer."""
        if participant.index not in self._responses:
            rng = np.random.default_rng([self.seed, participant.index, 5])
            sessions = self.sessions(participant)
            drawn = draw_responses(self.study, participant, sessions, rng)
            self._responses[participant.index] = drawn
        return self._responses[participant.index]

    def goals(self, participant: SimParticipant) -> tuple[SimGoal, ...]:
        """Every goal version they will be given."""
        if participant.index not in self._goals:
            rng = np.random.default_rng([self.seed, participant.index, 6])
            activity = self.activity(participant)
            self._goals[participant.index] = draw_goals(
                self.study, self.grid, participant, activity, self.weeks, rng
            )
        return self._goals[participant.index]

    def roster_row(self, participant: SimParticipant, today: date) -> dict[str, Any]:
        """Their roster as known on `today`, with the columns of the participant table."""
        row = {name: getattr(participant, name) for name in ROSTER}
        for name in KNOWN_FROM_THEIR_DAY:
            if row[name] is not None and row[name] > today:
                row[name] = None
        return row

    def today(self, participant: SimParticipant, now: datetime) -> date:
        """The participant's own calendar day at an instant."""
        return now.astimezone(ZoneInfo(participant.timezone)).date()

    def truth_days(
        self, as_of: datetime, pulled_at: Sequence[datetime], scenario: Scenario | None = None
    ) -> pa.Table:
        """What participant_day must hold at `as_of` after pulls at those instants."""
        return oracle.truth_days(self, as_of, pulled_at, scenario)

    def truth_responses(self, as_of: datetime) -> list[dict[str, Any]]:
        """What the response table must hold at `as_of`, without provenance."""
        return oracle.truth_responses(self, as_of)

    def truth_sessions(self, as_of: datetime) -> list[dict[str, Any]]:
        """What the treatment_session table must hold at `as_of`, without provenance."""
        return oracle.truth_sessions(self, as_of)

    def truth_goals(self, as_of: datetime) -> list[dict[str, Any]]:
        """What the goal table must hold at `as_of`."""
        return oracle.truth_goals(self, as_of)

    def truth_roster(self, as_of: datetime) -> list[dict[str, Any]]:
        """What the participant table must hold at `as_of`."""
        return oracle.truth_roster(self, as_of)
