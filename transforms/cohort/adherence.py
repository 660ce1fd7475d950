"""Each participant's adherence to date."""

from datetime import datetime

import duckdb

from transforms.rules import run
from warehouse.study import Study


def derive_adherence(con: duckdb.DuckDBPyConnection, study: Study, as_of: datetime) -> None:
    """Fill `adherence` from participant, participant_day and participant_week: a row for everyone.

    Shares are 0 to 1, blank when there is nothing to divide by; days outside the study are in no
    count. `as_of` tells which day is the last that has ended where the participant lives, and
    which weeks: one still running could yet become adherent, so it is in none of their numbers.
    A gap counts eligible days alone: a pause or the vendor's outage is not the participant's.
    Every share is spelled out in docs/metrics.md.
    """
    run(con, ADHERENCE, study, as_of=as_of)


ADHERENCE = """
INSERT INTO adherence BY NAME
WITH days AS (
    SELECT participant_id,
        count(*) FILTER (WHERE day_state <> 'outside_study') AS study_days,
        count(*) FILTER (WHERE eligible_day) AS eligible_days,
        count(*) FILTER (WHERE valid_day) AS valid_days,
        count(goal_met) AS goal_days,
        count(*) FILTER (WHERE goal_met) AS goal_days_met,
        count(*) FILTER (WHERE eligible_day AND goal_steps IS NOT NULL) AS eligible_goal_days,
        sum(least(steps, goal_steps)) FILTER (WHERE goal_met IS NOT NULL) AS steps_to_goal,
        sum(goal_steps) FILTER (WHERE goal_met IS NOT NULL) AS goal_steps,
        sum(goal_steps) FILTER (WHERE eligible_day) AS eligible_goal_steps,
        avg(steps) FILTER (WHERE valid_day) AS steps_per_day,
        max(activity_date) FILTER (WHERE valid_day) AS last_valid_on,
        arg_max(day_state, activity_date) FILTER (
            WHERE activity_date < CAST($as_of AT TIME ZONE timezone AS DATE)
        ) AS last_day_state
    FROM participant
    LEFT JOIN participant_day USING (participant_id)
    GROUP BY participant_id
),
weeks AS (
    SELECT participant_id,
        count(*) FILTER (WHERE eligible_days > 0) AS eligible_weeks,
        count(*) FILTER (WHERE valid_week) AS valid_weeks,
        count(*) FILTER (WHERE week_mvpa_minutes >= $goals_guideline_mvpa_minutes)
            AS guideline_weeks,
        count(*) FILTER (WHERE valid_week AND adherent_week IS NOT NULL) AS goal_weeks,
        count(*) FILTER (WHERE eligible_days > 0 AND adherent_week IS NOT NULL)
            AS eligible_goal_weeks,
        count(*) FILTER (WHERE adherent_week) AS goal_weeks_met
    FROM participant_week
    JOIN participant USING (participant_id)
    WHERE week_starts_on + 7 <= CAST($as_of AT TIME ZONE timezone AS DATE)
    GROUP BY participant_id
),
spells AS (  -- a valid day and what follows it until the next; spell 0 is before the first
    SELECT participant_id, spell,
        coalesce(min(study_day) FILTER (WHERE valid_day), 0) AS valid_on_day,
        count(*) FILTER (WHERE eligible_day AND NOT valid_day) AS gap_days,
        max(study_day) AS last_day
    FROM (
        SELECT day.*, count(*) FILTER (WHERE valid_day) OVER (
            PARTITION BY participant_id ORDER BY activity_date
        ) AS spell
        FROM participant_day AS day
        JOIN participant USING (participant_id)
        WHERE day_state <> 'outside_study'
            AND activity_date < CAST($as_of AT TIME ZONE timezone AS DATE)
    )
    GROUP BY participant_id, spell
),
persistence AS (
    SELECT participant_id,
        count(*) FILTER (WHERE gap_days >= $goals_persistence_gap_days) > 0 AS persistence_ended,
        CASE WHEN persistence_ended
            THEN min(valid_on_day) FILTER (WHERE gap_days >= $goals_persistence_gap_days)
            ELSE max(last_day) END AS persistence_days
    FROM spells
    GROUP BY participant_id
)
SELECT participant_id, study_days, eligible_days, valid_days,
    goal_days, eligible_goal_days, goal_days_met,
    valid_days / nullif(eligible_days, 0) AS wear_adherence,
    goal_days_met / nullif(goal_days, 0) AS goal_adherence_observed,
    goal_days_met / nullif(eligible_goal_days, 0) AS goal_adherence_strict,
    steps_to_goal / goal_steps AS dose_adherence,
    coalesce(steps_to_goal, 0) / eligible_goal_steps AS dose_adherence_strict,
    steps_per_day,
    coalesce(eligible_weeks, 0) AS eligible_weeks,
    coalesce(valid_weeks, 0) AS valid_weeks,
    coalesce(guideline_weeks, 0) AS guideline_weeks,
    guideline_weeks / nullif(valid_weeks, 0) AS guideline_adherence_observed,
    guideline_weeks / nullif(eligible_weeks, 0) AS guideline_adherence_strict,
    coalesce(goal_weeks, 0) AS goal_weeks,
    coalesce(eligible_goal_weeks, 0) AS eligible_goal_weeks,
    coalesce(goal_weeks_met, 0) AS goal_weeks_met,
    goal_weeks_met / nullif(goal_weeks, 0) AS adherent_weeks,
    goal_weeks_met / nullif(eligible_goal_weeks, 0) AS adherent_weeks_strict,
    CASE WHEN goal_weeks > 0
        THEN 100 * goal_weeks_met >= $goals_adherent_weeks_pct * goal_weeks END AS is_adherent,
    persistence_days, persistence_ended, last_valid_on, last_day_state
FROM days
LEFT JOIN weeks USING (participant_id)
LEFT JOIN persistence USING (participant_id)
ORDER BY participant_id
"""
