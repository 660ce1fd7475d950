"""Person-days to protocol weeks, anchored at study day 1."""

import duckdb

from transforms.rules import run
from warehouse.study import Study


def derive_participant_week(con: duckdb.DuckDBPyConnection, study: Study) -> None:
    """Fill `participant_week` from `participant_day`: a row for each week that has begun.

    Means are over valid days; a partial week is never summed. `adherent_week` is blank in a week
    without a goal on any day, and false, not blank, in a week that is not valid.
    """
    run(con, PARTICIPANT_WEEKS, study)


PARTICIPANT_WEEKS = """
INSERT INTO participant_week BY NAME
WITH weeks AS (
    SELECT participant_id, study_week,
        min(activity_date) AS week_starts_on,
        count(*) FILTER (WHERE eligible_day) AS eligible_days,
        count(*) FILTER (WHERE valid_day) AS valid_days,
        count(*) FILTER (WHERE valid_day) >= $wear_valid_week_days AS valid_week,
        avg(steps) FILTER (WHERE valid_day) AS steps_per_day,
        avg(wear_minutes) FILTER (WHERE valid_day) AS wear_minutes_per_day,
        count(goal_steps) > 0 AS has_goal,
        count(goal_met) AS goal_days,
        count(*) FILTER (WHERE goal_met) AS goal_days_met,
        avg(mvpa_equivalent_minutes) FILTER (WHERE valid_day) AS mvpa_equivalent_per_day
    FROM participant_day
    GROUP BY participant_id, study_week
)
SELECT participant_id, study_week, week_starts_on, eligible_days, valid_days, valid_week,
    steps_per_day, wear_minutes_per_day, goal_days, goal_days_met,
    CASE WHEN valid_week THEN 7 * mvpa_equivalent_per_day END AS week_mvpa_minutes,
    CASE WHEN has_goal THEN valid_week AND goal_days_met >= $goals_adherent_week_goal_days
        END AS adherent_week
FROM weeks
ORDER BY participant_id, study_week
"""
