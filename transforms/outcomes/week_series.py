"""Activity and scores week by week, for charts."""

import duckdb

from transforms.rules import run
from warehouse.study import Study


def derive_week_series(con: duckdb.DuckDBPyConnection, study: Study) -> None:
    """Fill `week_series` from `participant_week` and `outcome`.

    A score stands in the week of its answers and nowhere else; of two of a scale in one week a
    scheduled visit's before a discharge's, then the later. The next visit is the first scheduled
    one after the week's last day, by its answers, or by its target while it may still be answered.
    """
    unscheduled = [visit.code for visit in study.visits if visit.at_discharge]
    run(con, SERIES, study, unscheduled=unscheduled)


SERIES = """
INSERT INTO week_series BY NAME
WITH active AS (
    UNPIVOT (
        SELECT participant_id, study_week, week_starts_on, valid_days,
            steps_per_day, week_mvpa_minutes
        FROM participant_week
    )
    ON steps_per_day, week_mvpa_minutes INTO NAME measure VALUE value
),
answered AS (
    SELECT o.participant_id, o.visit, o.scale, o.score,
        CAST(floor((o.answered_on - p.starts_on) / 7) AS INTEGER) AS weeks,
        CAST(p.starts_on + 7 * weeks AS DATE) AS week_starts_on
    FROM outcome AS o
    JOIN participant AS p USING (participant_id)
    WHERE o.score IS NOT NULL AND o.answered_on IS NOT NULL
    QUALIFY row_number() OVER (
        PARTITION BY o.participant_id, o.scale, weeks
        ORDER BY list_contains(CAST($unscheduled AS VARCHAR[]), o.visit), o.answered_on DESC,
            o.visit
    ) = 1
),
series AS (
    SELECT participant_id, study_week, week_starts_on, measure, value, valid_days,
        CAST(NULL AS VARCHAR) AS visit
    FROM active
    UNION ALL
    SELECT participant_id, weeks + 1, week_starts_on, scale, score, NULL, visit
    FROM answered
),
coming AS (
    SELECT DISTINCT participant_id, coalesce(answered_on, target_on) AS next_on
    FROM outcome
    WHERE status IN ('received', 'due', 'overdue', 'not_due')
        AND NOT list_contains(CAST($unscheduled AS VARCHAR[]), visit)
        AND coalesce(answered_on, target_on) IS NOT NULL
)
SELECT s.*, c.next_on - (s.week_starts_on + 6) AS days_to_next_visit
FROM series AS s
ASOF LEFT JOIN coming AS c
    ON c.participant_id = s.participant_id AND c.next_on > s.week_starts_on + 6
ORDER BY s.participant_id, s.study_week, s.measure
"""
