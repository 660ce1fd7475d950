"""Adherence of cohorts by study week."""

from datetime import datetime

import duckdb

from transforms.cohort.cohort import count_members
from transforms.cohort.interval import t_table
from transforms.outcomes.given import given
from warehouse.disclosure import insert_shown
from warehouse.study import Study
from warehouse.tables import derived

COUNTS = ("participants", "participants_with_steps")
# Blank alone where only these are too few. So whether a row is withheld tells nothing of goals,
# which can tell the arm.
PARTS = {
    ("participants_with_goal", "goal_adherence_observed", "goal_adherence_strict"): (
        "participants_with_goal",
        "participants_with_valid_goal_day",
    ),
    ("valid_weeks",): ("participants_ended",),
}


def derive_cohort_week(con: duckdb.DuckDBPyConnection, study: Study, as_of: datetime) -> None:
    """Fill `cohort_week` from `cohort_member`, `participant_week` and `participant_day`.

    A week counts the participants with an eligible day in it; a week without any has no row.
    Shares are of all their days together; `steps_per_day` is the mean over participants of each
    one's mean valid day, with a t-interval from two participants on. `valid_weeks` is of those
    whose week has ended at `as_of` where they live: one still running could yet become valid.
    Small cells are withheld: those of goals, and `valid_weeks`, also alone.
    """
    limit = study.study.small_cell
    with given(con, t_table=t_table(count_members(con))):
        insert_shown(con, derived.cohort_week, CELLS, COUNTS, limit, {"as_of": as_of}, PARTS)


# Means are taken in a fixed order: sums of decimals depend on it, and the content hash on them.
CELLS = """
WITH goal_day AS (
    SELECT participant_id, study_week, count(*) AS eligible_goal_days
    FROM participant_day
    WHERE eligible_day AND goal_steps IS NOT NULL
    GROUP BY participant_id, study_week
),
week AS (
    SELECT participant_week.*,
        week_starts_on + 7 <= CAST($as_of AT TIME ZONE timezone AS DATE) AS ended
    FROM participant_week
    JOIN participant USING (participant_id)
),
cell AS (
    SELECT cohort_kind, cohort, study_week,
        count(*) AS participants,
        count(eligible_goal_days) AS participants_with_goal,
        count(steps_per_day) AS participants_with_steps,
        count_if(goal_days > 0) AS participants_with_valid_goal_day,
        sum(valid_days) / sum(eligible_days) AS wear_adherence,
        sum(goal_days_met) / nullif(sum(goal_days), 0) AS goal_adherence_observed,
        sum(goal_days_met) / sum(eligible_goal_days) AS goal_adherence_strict,
        count_if(ended) AS participants_ended,
        count_if(ended AND valid_week) / nullif(count_if(ended), 0) AS valid_weeks,
        avg(steps_per_day ORDER BY participant_id) AS steps_mean,
        stddev_samp(steps_per_day ORDER BY participant_id) AS steps_sd
    FROM week
    JOIN cohort_member USING (participant_id)
    LEFT JOIN goal_day USING (participant_id, study_week)
    WHERE eligible_days > 0
    GROUP BY cohort_kind, cohort, study_week
)
SELECT cell.*,
    steps_mean AS steps_per_day,
    steps_mean - t * steps_sd / sqrt(participants_with_steps) AS steps_ci_low,
    steps_mean + t * steps_sd / sqrt(participants_with_steps) AS steps_ci_high
FROM cell
LEFT JOIN t_table ON df = participants_with_steps - 1
"""
