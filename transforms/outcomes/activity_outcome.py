"""Activity in the days before a visit, beside the outcome of that visit."""

import duckdb

from transforms.rules import run
from warehouse.study import Study


def derive_activity_outcome(con: duckdb.DuckDBPyConnection, study: Study) -> None:
    """Fill `activity_outcome` from `outcome` and `participant_day`: a row per dated score.

    The window is the protocol's `activity_before_visit.days` days that end the day before the
    answers, so that cause precedes effect. Means are over its valid days (steps, MVPA minutes a
    day), blank unless there are `min_valid_days` of them. Nothing is imputed.

    Of steps, the within-person part (this visit - the participant's own mean) and the
    between-person part (own mean - mean of the own means) are apart. Own means are over the
    scheduled visits of the scale: a discharge is set against them and is not among them, since
    its day tells the arm (docs/decisions/0007).
    """
    unscheduled = [visit.code for visit in study.visits if visit.at_discharge]
    run(con, BEFORE_VISITS, study, unscheduled=unscheduled)


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
        CASE WHEN enough_days THEN avg(day.steps) END AS steps_per_day,
        CASE WHEN enough_days THEN avg(day.mvpa_minutes) END AS mvpa_minutes_per_day
    FROM answered
    LEFT JOIN participant_day AS day
        ON day.participant_id = answered.participant_id AND day.valid_day
        AND day.activity_date BETWEEN window_starts_on AND window_ends_on
    GROUP BY ALL
),
beside AS (
    SELECT participant_id, visit, scale, answered_on, window_starts_on, window_ends_on,
        valid_days, enough_days, steps_per_day, mvpa_minutes_per_day,
        score, score_change, improvement,
        NOT list_contains(CAST($unscheduled AS VARCHAR[]), visit) AS scheduled
    FROM outcome
    JOIN active USING (participant_id, answered_on)
    WHERE score IS NOT NULL
),
own AS (  -- sums of decimals in a fixed order: the content hash depends on them
    SELECT participant_id, scale,
        count(steps_per_day) AS visits_with_activity,
        avg(steps_per_day ORDER BY answered_on, visit) AS steps_own_mean
    FROM beside
    WHERE scheduled
    GROUP BY participant_id, scale
),
everybody AS (
    SELECT scale, avg(steps_own_mean ORDER BY participant_id) AS steps_mean
    FROM own
    GROUP BY scale
),
following AS (
    SELECT participant_id, visit, scale,
        lead(answered_on) OVER (PARTITION BY participant_id, scale ORDER BY answered_on, visit)
            AS next_on
    FROM beside
    WHERE scheduled
)
SELECT b.participant_id, b.visit, b.scale, b.answered_on, b.window_starts_on, b.window_ends_on,
    b.valid_days, b.enough_days, b.steps_per_day, b.mvpa_minutes_per_day,
    coalesce(own.visits_with_activity, 0) AS visits_with_activity,
    own.steps_own_mean,
    b.steps_per_day - own.steps_own_mean AS steps_within,
    own.steps_own_mean - everybody.steps_mean AS steps_between,
    following.next_on - b.answered_on AS days_to_next_visit,
    b.score, b.score_change, b.improvement
FROM beside AS b
LEFT JOIN own USING (participant_id, scale)
LEFT JOIN everybody USING (scale)
LEFT JOIN following
    ON following.participant_id = b.participant_id AND following.visit = b.visit
    AND following.scale = b.scale
ORDER BY b.participant_id, b.scale, b.answered_on, b.visit
"""
