"""Who stays in the study, and who goes on wearing, with the number at risk."""

from datetime import datetime

import duckdb

from transforms.cohort.interval import Z
from transforms.rules import settings_in
from warehouse.disclosure import insert_shown
from warehouse.study import Study
from warehouse.tables import derived

COUNTS = ("participants", "at_risk")


def derive_retention(con: duckdb.DuckDBPyConnection, study: Study, as_of: datetime) -> None:
    """Fill `retention` from participant, adherence and cohort_member: everybody, sites and arms.

    Kaplan and Meier's product over days, told at whole weeks; its variance is Greenwood's, its
    interval on the log-log scale (Kalbfleisch and Prentice 2002, 1.4). A withdrawal before study
    day 1 or on it leaves no day in the study and is in neither curve. At risk at a week are those
    followed for that many days; who leaves on just that day still counts. Small cells are withheld.
    """
    bound = settings_in(CELLS, study, as_of=as_of, z=Z)
    insert_shown(con, derived.retention, CELLS, COUNTS, study.study.small_cell, bound)


CELLS = """
WITH followed AS (
    SELECT *, CAST($as_of AT TIME ZONE timezone AS DATE) AS today,
        starts_on + 7 * CAST($study_weeks AS INTEGER) AS over_on
    FROM participant
),
times AS (
    SELECT participant_id, 'in_study' AS curve,
        least(today, over_on, coalesce(withdrawn_on, over_on)) - starts_on AS days,
        coalesce(withdrawn_on <= today AND withdrawn_on < over_on, false) AS ended
    FROM followed
    WHERE starts_on <= today AND coalesce(withdrawn_on > starts_on, true)
    UNION ALL
    SELECT participant_id, 'wearing', persistence_days, persistence_ended
    FROM adherence
    WHERE persistence_ended IS NOT NULL
),
member AS (
    SELECT * FROM times
    JOIN cohort_member USING (participant_id)
    WHERE cohort_kind IN ('all', 'site', 'arm')
),
day AS (
    SELECT cohort_kind, cohort, curve, days,
        count(*) AS leaving, count(*) FILTER (WHERE ended) AS ends
    FROM member
    GROUP BY cohort_kind, cohort, curve, days
),
risk AS (
    SELECT *, sum(leaving) OVER (
        PARTITION BY cohort_kind, cohort, curve ORDER BY days
        ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING
    ) AS at_risk
    FROM day
),
estimate AS (
    SELECT *,
        product(1 - ends / at_risk) OVER so_far AS still,
        sum(ends) OVER so_far AS ended,
        sum(ends / nullif(at_risk * (at_risk - ends), 0)) OVER so_far AS greenwood
    FROM risk
    WINDOW so_far AS (PARTITION BY cohort_kind, cohort, curve ORDER BY days)
),
week AS (
    SELECT cohort_kind, cohort, curve, weeks, count(*) AS participants,
        count(*) FILTER (WHERE days >= 7 * weeks) AS at_risk
    FROM member
    CROSS JOIN (SELECT unnest(range(0, CAST($study_weeks AS INTEGER) + 1)) AS weeks)
    GROUP BY cohort_kind, cohort, curve, weeks
    HAVING count(*) FILTER (WHERE days >= 7 * weeks) > 0
),
told AS (
    SELECT w.*, coalesce(e.still, 1) AS still, coalesce(e.ended, 0) AS ended,
        CASE WHEN e.still > 0 AND e.still < 1
            THEN $z * sqrt(e.greenwood) / abs(ln(e.still)) END AS half
    FROM week AS w
    ASOF LEFT JOIN estimate AS e
        ON e.cohort_kind = w.cohort_kind AND e.cohort = w.cohort AND e.curve = w.curve
        AND e.days <= 7 * w.weeks
)
SELECT *, still ** exp(half) AS ci_low, still ** exp(-half) AS ci_high
FROM told
"""
