"""Questionnaires, treatment sessions and goals of the pretend trial, with its known effect.

From the ETMI papers: sessions (2.6, SD 0.6, against 4.1, SD 1.5) and the function scale's spread.
Every effect size is assumed: function +6 and fear-avoidance -10 of 100 more in the first arm, pain
equal. They are larger than is likely, so that a demonstration of sixty shows them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from ingestion.simulator.roster import SimParticipant
from warehouse.study import Study, Visit

INSTRUMENT_OF_SCALE = {"FUNC": "LCAT", "FABQPA": "FABQ", "FABQW": "FABQ"}
FABQ_ITEMS = tuple(str(n) for n in range(1, 17))
RMDQ_ITEMS = tuple(str(n) for n in range(1, 25))
SESSIONS = {"first_arm": (18.78, 0.1385), "other": (7.471, 0.5488)}  # gamma shape and scale
MISSED_AT_BASELINE, MISSED_FIRST, MISSED_PER_WEEK = 0.03, 0.08, 0.004
SKIPPED_INSTRUMENT = 0.03
BLANKS = 0.08  # share of long questionnaires with one to five blank items


@dataclass(frozen=True)
class SimResponse:
    """One instrument at one visit: items in order, a blank one None."""

    visit: str
    instrument: str
    answered_on: date
    items: tuple[tuple[str, str | None], ...]


@dataclass(frozen=True)
class SimSession:
    number: int
    held_on: date
    attended: bool


@dataclass(frozen=True)
class _Course:
    """Levels at baseline and their full change, reached at week 12."""

    function: tuple[float, float]
    pain: tuple[float, float]
    fear: tuple[float, float]  # 0-100
    disability: tuple[float, float]  # 0-24

    def at(self, name: str, share: float) -> float:
        start, change = getattr(self, name)
        return float(start) + share * float(change)


def draw_sessions(
    study: Study, participant: SimParticipant, rng: np.random.Generator
) -> tuple[SimSession, ...]:
    """Sessions about every ten days from study day 1, some missed, the last one attended."""
    first = participant.arm == study.arms[0].code
    count = max(1, round(float(rng.gamma(*SESSIONS["first_arm" if first else "other"]))))
    on, held = participant.starts_on + timedelta(days=int(rng.integers(0, 6))), []
    for number in range(count):
        if number and rng.random() < 0.1:
            held.append((on, False))
            on += timedelta(days=int(rng.integers(3, 8)))
        held.append((on, True))
        on += timedelta(days=int(rng.integers(7, 15)))
    kept = [(day, came) for day, came in held if _takes_part(participant, day)]
    return tuple(SimSession(n, day, came) for n, (day, came) in enumerate(kept, start=1))


def draw_responses(
    study: Study,
    participant: SimParticipant,
    sessions: tuple[SimSession, ...],
    rng: np.random.Generator,
) -> tuple[SimResponse, ...]:
    """Every answer they will give, in order of visits; some visits are missed."""
    course = _draw_course(study, participant, rng)
    found = []
    for visit in study.visits:
        on = _answered_on(visit, participant, sessions, rng)
        missed = _missed(visit, rng)
        for instrument in _due(study, visit):
            skipped = rng.random() < SKIPPED_INSTRUMENT
            items = _answer(instrument, course, _reached(participant, on), rng)
            if on and items and not (missed or skipped) and _takes_part(participant, on):
                found.append(SimResponse(visit.code, instrument, on, items))
    return tuple(found)


def _draw_course(study: Study, participant: SimParticipant, rng: np.random.Generator) -> _Course:
    first = participant.arm == study.arms[0].code
    function = float(rng.normal(51, 11.1))
    return _Course(
        function=(function, float(rng.normal(11 + 6 * first, 8)) - 0.3 * (function - 51)),
        pain=(float(rng.normal(5.5, 1.8)), float(rng.normal(-2.0, 1.5))),
        fear=(float(rng.normal(60, 15)), float(rng.normal(-12 - 10 * first, 10))),
        disability=(float(rng.normal(11, 4)), float(rng.normal(-4 - 1.5 * first, 2.5))),
    )


def _due(study: Study, visit: Visit) -> list[str]:
    """Instruments asked at a visit, each once, in the protocol's order."""
    scales = [o.scale for o in study.outcomes if visit.code in o.visits]
    return list(dict.fromkeys(INSTRUMENT_OF_SCALE.get(scale, scale) for scale in scales))


def _answered_on(
    visit: Visit,
    participant: SimParticipant,
    sessions: tuple[SimSession, ...],
    rng: np.random.Generator,
) -> date | None:
    wander = int(rng.integers(-4, 8))
    if visit.at_discharge:
        return sessions[-1].held_on if sessions and sessions[-1].attended else None
    if not visit.week:
        back = int(rng.integers(0, (participant.starts_on - participant.enrolled_on).days + 1))
        return participant.starts_on - timedelta(days=back)
    target = participant.starts_on + timedelta(days=7 * visit.week - 1 + wander)
    opens, closes = _on(participant, visit.opens_day), _on(participant, visit.closes_day)
    return min(max(target, opens), closes)


def _on(participant: SimParticipant, study_day: int | None) -> date:
    """The date of a study day; there is no day 0."""
    day = study_day or 1
    return participant.starts_on + timedelta(days=day - 1 if day > 0 else day)


def _missed(visit: Visit, rng: np.random.Generator) -> bool:
    rate = MISSED_AT_BASELINE
    if visit.week or visit.at_discharge:
        rate = MISSED_FIRST + MISSED_PER_WEEK * (visit.week or 0)
    return bool(rng.random() < rate)


def _takes_part(participant: SimParticipant, on: date) -> bool:
    return participant.withdrawn_on is None or on < participant.withdrawn_on


def _reached(participant: SimParticipant, on: date | None) -> float:
    """The share of the full change reached by a day: a fast start, all of it from week 12."""
    days = (on - participant.starts_on).days if on else 0
    return float(np.clip(days / 84, 0, 1) ** 0.6)


def _answer(
    instrument: str, course: _Course, share: float, rng: np.random.Generator
) -> tuple[tuple[str, str | None], ...]:
    """Items of one instrument; empty for one that this world does not know."""
    if instrument == "LCAT":
        score = float(np.clip(course.at("function", share) + rng.normal(0, 2.5), 0, 100))
        return (("score", f"{score:.1f}"),)
    if instrument == "NPRS":
        pain = int(np.clip(round(course.at("pain", share) + float(rng.normal(0, 0.7))), 0, 10))
        return (("1", str(pain)),)
    if instrument == "FABQ":
        mean = course.at("fear", share) / 100 * 6
        values = np.clip(np.rint(rng.normal(mean, 1.1, len(FABQ_ITEMS))), 0, 6).astype(int)
        return _with_blanks(FABQ_ITEMS, values.tolist(), rng)
    if instrument == "RMDQ24":
        chance = np.clip(course.at("disability", share) / 24, 0.02, 0.98)
        ticked = (rng.random(len(RMDQ_ITEMS)) < chance).astype(int)
        return _with_blanks(RMDQ_ITEMS, ticked.tolist(), rng)
    return ()


def _with_blanks(
    items: tuple[str, ...], values: list[int], rng: np.random.Generator
) -> tuple[tuple[str, str | None], ...]:
    blank: set[int] = set()
    if rng.random() < BLANKS:
        chosen = rng.choice(len(items), size=int(rng.integers(1, 6)), replace=False)
        blank = {int(n) for n in chosen}
    return tuple(
        (item, None if n in blank else str(value))
        for n, (item, value) in enumerate(zip(items, values, strict=True))
    )
