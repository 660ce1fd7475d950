"""Activity in the days before a visit, beside the outcome of that visit."""

import duckdb

from transforms.rules import run
from warehouse.study import Study


def derive_activity_outcome(con: duckdb.DuckDBPyConnection, study: Study) -> None:
    """Fill `activity_outcome` from `outcome` and `participant_day`: a row per dated score.

    The window is the protocol's `activity_before_visit.days` days that end the day before the
    answers, so that cause precedes effect. Means are over its valid days (steps, MVPA minutes a
    day), blank unless there are `min_valid_days` of them. Nothing is imputed.
    """
    run(con, BEFORE_VISITS, study)


BEFORE_VISITS = """
INSERT INTO activity_outcome BY NAME
WITH answered AS (
    SELECT DISTINCT participant_id, answered_on,
        answered_on - CAST($activity_before_visit_days AS INTEGER) AS window_starts_on,
        answered_on - 1 AS window_ends_on
    FROM outcome
    WHERE score IS NOT NULL AND answered_on IS NOT NULL
),
active AS (
    SELECT answered.*,
        count(day.activity_date) AS valid_days,
        count(day.activity_date) >= $activity_before_visit_min_valid_days AS enough_days,
        avg(day.steps) AS steps_per_day,
        avg(day.mvpa_minutes) AS mvpa_minutes_per_day
    FROM answered
    LEFT JOIN participant_day AS day
        ON day.participant_id = answered.participant_id AND day.valid_day
        AND day.activity_date BETWEEN window_starts_on AND window_ends_on
    GROUP BY ALL
)
SELECT participant_id, visit, scale, answered_on, window_starts_on, window_ends_on,
    valid_days, enough_days,
    CASE WHEN enough_days THEN steps_per_day END AS steps_per_day,
    CASE WHEN enough_days THEN mvpa_minutes_per_day END AS mvpa_minutes_per_day,
    score, score_change, improvement
FROM outcome
JOIN active USING (participant_id, answered_on)
WHERE score IS NOT NULL
"""
