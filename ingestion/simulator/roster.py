"""Who takes part in the pretend trial, drawn from (seed, index) alone.

A participant's story (who never connects, who revokes, who drops out ...) follows from the index,
so that a world of six already holds one of each that matters most; arm and site are drawn in
blocks, so that neither follows the story.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import numpy as np

from ingestion.simulator.travel import DeviceChange, Legs
from warehouse.study import Study

# One in eight is on the legacy vendor; a story repeats every 24 participants.
STORIES = (
    "steady", "fitbit", "no_heart_rate", "revokes", "withdraws", "never_connects",
    "late", "sparse", "steady", "fitbit_sparse", "pauses", "no_heart_rate",
    "steady", "late", "steady", "drawer", "steady", "fitbit",
    "sparse", "steady", "no_heart_rate_late", "steady", "stays_paused", "steady",
)  # fmt: skip
HEART_RATE_MODELS = ("Fitbit Air", "Inspire 3", "Charge 6")
STEPS_ONLY_MODEL = "Zip"


@dataclass(frozen=True)
class SimParticipant:
    """A pretend participant; `stops_on` is the first day a drop-out no longer wears the device."""

    index: int
    participant_id: str
    story: str
    site: str
    arm: str
    therapist_id: str | None
    timezone: str
    enrolled_on: date
    starts_on: date
    withdrawn_on: date | None
    paused_from: date | None
    paused_to: date | None
    stops_on: date | None
    depression_or_anxiety: bool
    age_years: int
    sex: str
    vendor: str  # the vendor they consent with: "google_health" or "fitbit"
    legacy_id: str
    health_id: str
    device_id: str
    device_model: str
    measures_heart_rate: bool
    connects: bool
    consent_revoked_at: datetime | None
    sync_habit: str  # "often", "sparse" (every 2 to 4 days) or "late" (beyond the device's memory)
    journeys: Legs = ()  # away from home
    change: DeviceChange | None = None

    def model_at(self, at: datetime) -> str:
        """The model of the device they wear; the newest, of two worn at once."""
        changed = self.change is not None and at >= self.change.at
        return self.change.device_model if self.change and changed else self.device_model

    def paired_at(
        self, at: datetime, synced_at: datetime | None
    ) -> tuple[tuple[str, str, datetime], ...]:
        """(id, model, last sync) of each device paired by then, given the last sync of any.

        One that was replaced stays paired, and last synced when it was.
        """
        if synced_at is None:
            return ()
        first, change = (self.device_id, self.device_model), self.change
        if change is None or synced_at < change.at:
            return ((*first, synced_at),)
        second = (change.device_id, change.device_model, synced_at)
        return (*first, synced_at if change.beside else change.at), second


def world_begins_on(study: Study) -> date:
    """The earliest study day 1: recruitment opens two weeks before, so that nobody is enrolled
    earlier than that."""
    return study.study.first_day + timedelta(weeks=2)


def draw_participant(study: Study, seed: int, index: int, weeks: int) -> SimParticipant:
    """Participant number `index` (from 0) of the world of `seed`, whoever else is in it."""
    rng = np.random.default_rng([seed, index, 0])
    story = STORIES[index % len(STORIES)]
    site = study.sites[_in_block(seed, index, len(study.sites), 1)]
    arm_number = _in_block(seed, index, len(study.arms), 2)
    therapists = sorted(t.code for t in study.therapists if t.site == site.code)
    starts_on = world_begins_on(study) + timedelta(days=int(rng.integers(0, 7)))
    measures = not story.startswith("no_heart_rate")
    model = HEART_RATE_MODELS[int(rng.integers(len(HEART_RATE_MODELS)))]
    return SimParticipant(
        index=index,
        participant_id=f"P{index + 1:03d}",
        story=story,
        site=site.code,
        arm=study.arms[arm_number].code,
        therapist_id=therapists[arm_number % len(therapists)] if therapists else None,
        timezone=site.timezone,
        starts_on=starts_on,
        enrolled_on=starts_on - timedelta(days=int(rng.integers(2, 13))),
        depression_or_anxiety=bool(rng.random() < 0.25),
        age_years=int(np.clip(rng.normal(55.85, 18.08), 19, 90)),
        sex="female" if rng.random() < 0.585 else "male",
        vendor="fitbit" if story.startswith("fitbit") else "google_health",
        legacy_id=f"{_letters(rng)}{index + 1:03d}",
        health_id=f"{int(rng.integers(10**6, 10**7))}{index + 1:04d}",
        device_id=str(2_710_001 + index),
        device_model=model if measures else STEPS_ONLY_MODEL,
        measures_heart_rate=measures,
        connects=story != "never_connects",
        sync_habit=_habit(story),
        **_course(story, starts_on, weeks, rng),
    )


def _course(story: str, starts_on: date, weeks: int, rng: np.random.Generator) -> dict[str, Any]:
    """What befalls them, at a place in the weeks that their story fixes within a few days."""

    def on(share: float) -> date:
        return starts_on + timedelta(days=int(share * 7 * weeks + rng.integers(0, 3)))

    revoked = on(0.55) if story == "revokes" else None
    hour = time(int(rng.integers(9, 20)), int(rng.integers(60)), 41, tzinfo=UTC)
    course: dict[str, Any] = {
        "withdrawn_on": on(0.6) if story == "withdraws" else None,
        "paused_from": None,
        "paused_to": None,
        "stops_on": on(0.65) if story == "drawer" else None,
        "consent_revoked_at": datetime.combine(revoked, hour) if revoked else None,
    }
    if story == "pauses":
        course["paused_from"], course["paused_to"] = on(0.4), on(0.55)
    if story == "stays_paused":
        course["paused_from"] = on(0.8)
    return course


def _habit(story: str) -> str:
    if story.endswith("late"):
        return "late"
    return "sparse" if story.endswith("sparse") else "often"


def _in_block(seed: int, index: int, size: int, salt: int) -> int:
    """This index's place in a shuffled block of `size`: every `size` participants get each once."""
    order = np.random.default_rng([seed, index // size, 100 + salt]).permutation(size)
    return int(order[index % size])


def _letters(rng: np.random.Generator) -> str:
    return "".join("BCDFGHJKLMNPQRSTVWXZ"[int(n)] for n in rng.integers(0, 20, size=3))
