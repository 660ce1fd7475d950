"""Individual step goals: the baseline of the run-in, then a tenth more a week, in versions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from ingestion.simulator.grid import Grid
from ingestion.simulator.roster import SimParticipant
from ingestion.simulator.syncs import Activity
from warehouse.study import Study

REACTIVE_DAYS = 2  # the first days of wearing anything new are not usual days
MOST_OVER_BASELINE, MOST_STEPS, STEP = 3000, 10_000, 100
MIN_VALID_DAYS = 4  # at least one of them at the weekend


@dataclass(frozen=True)
class SimGoal:
    version: int
    valid_from: date
    goal_steps: int


def draw_goals(
    study: Study,
    grid: Grid,
    participant: SimParticipant,
    activity: Activity,
    weeks: int,
    rng: np.random.Generator,
) -> tuple[SimGoal, ...]:
    """Goal versions every two to four weeks from the end of the run-in; none without a baseline."""
    baseline = _baseline(study, grid, participant, activity)
    if baseline is None:
        return ()
    goals: list[SimGoal] = []
    week, run_in = 0, study.goals.baseline_days
    while week * 7 + run_in < 7 * weeks:
        on = participant.starts_on + timedelta(days=run_in + 7 * week)
        if participant.withdrawn_on and on >= participant.withdrawn_on:
            break
        raised = round(baseline * (1 + 0.10 * (week + 1)) / STEP) * STEP
        most = min(baseline // STEP * STEP + MOST_OVER_BASELINE, MOST_STEPS)
        last = goals[-1].goal_steps if goals else STEP
        goals.append(SimGoal(len(goals) + 1, on, max(last, min(raised, most))))
        week += int(rng.integers(2, 5))
    return tuple(goals)


def _baseline(
    study: Study, grid: Grid, participant: SimParticipant, activity: Activity
) -> int | None:
    """Median steps over the run-in's valid days, as the coordinator would have seen them."""
    if not participant.connects:
        return None
    first = participant.starts_on + timedelta(days=study.goals.baseline_days)
    view = activity.view(grid.instant(int(activity.zone.first[grid.day_number(first)]) * 60))
    begins, ends = grid.day_number(participant.starts_on) + REACTIVE_DAYS, grid.day_number(first)
    valid = begins + np.flatnonzero(view.worn_minutes[begins:ends] >= study.wear.valid_day_minutes)
    weekend = any(grid.date_of(int(day)).weekday() >= 5 for day in valid)
    if valid.size < MIN_VALID_DAYS or not weekend:
        return None
    return int(np.median(view.totals[valid]))
