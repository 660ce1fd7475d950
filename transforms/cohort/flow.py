"""The flow of participants through the study, counted from the data."""

from datetime import datetime

import duckdb

from transforms.rules import run
from warehouse.study import Study


def derive_flow(con: duckdb.DuckDBPyConnection, study: Study, as_of: datetime) -> None:
    """Fill `flow` from cohort_member, participant, ops.connection, day_metric, outcome and visit.

    Every stage of every cohort has its row, with 0 where nobody is there. `as_of` gives today in
    each participant's zone.
    """
    run(con, FLOW, study, as_of=as_of)


FLOW = """
INSERT INTO flow BY NAME
WITH measured AS (
    SELECT participant_id FROM ops.connection WHERE state <> 'never_connected'
    UNION
    SELECT participant_id FROM day_metric
),
answers AS (
    SELECT participant_id, visit,
        count(*) AS due,
        count(*) FILTER (WHERE status = 'received') AS received,
        count(*) FILTER (WHERE status = 'missed') AS missed
    FROM outcome
    WHERE status NOT IN ('not_due', 'outside_study')
    GROUP BY participant_id, visit
),
reached AS (  -- a row for each stage a participant has reached
    SELECT participant_id, unnest(list_filter([
        {'stage': 'recruited', 'yes': true},
        {'stage': 'connected', 'yes': measured.participant_id IS NOT NULL},
        {'stage': 'started', 'yes': starts_on <= today},
        {'stage': 'withdrawn', 'yes': coalesce(withdrawn_on <= today, false)},
        {'stage': 'in_study', 'yes': coalesce(withdrawn_on > today, true)}
    ], lambda one: one.yes)).stage AS stage, NULL AS visit
    FROM (
        SELECT *, CAST($as_of AT TIME ZONE timezone AS DATE) AS today FROM participant
    )
    LEFT JOIN measured USING (participant_id)
    UNION ALL
    SELECT participant_id, unnest(['visit_due', CASE
        WHEN received = due THEN 'visit_complete'
        WHEN received > 0 THEN 'visit_part'
        WHEN missed = due THEN 'visit_missed'
        ELSE 'visit_awaited'
    END]), visit
    FROM answers
),
stages AS (
    SELECT unnest(['recruited', 'connected', 'started', 'withdrawn', 'in_study']) AS stage,
        CAST(NULL AS VARCHAR) AS visit, unnest(range(1, 6)) AS position
    UNION ALL
    SELECT unnest([
            'visit_due', 'visit_complete', 'visit_part', 'visit_missed', 'visit_awaited'
        ]), visit, unnest(range(1, 6)) + 5 * position
    FROM visit
),
cohorts AS (
    SELECT DISTINCT cohort_kind, cohort FROM cohort_member
    WHERE cohort_kind IN ('all', 'site', 'arm')
),
counted AS (
    SELECT cohort_kind, cohort, stage, visit, count(*) AS participants
    FROM reached
    JOIN cohort_member USING (participant_id)
    GROUP BY ALL
)
SELECT c.cohort_kind, c.cohort, s.position, s.stage, s.visit,
    coalesce(n.participants, 0) AS participants
FROM cohorts AS c
CROSS JOIN stages AS s
LEFT JOIN counted AS n
    ON n.cohort_kind = c.cohort_kind AND n.cohort = c.cohort AND n.stage = s.stage
    AND n.visit IS NOT DISTINCT FROM s.visit
ORDER BY c.cohort_kind, c.cohort, s.position
"""
