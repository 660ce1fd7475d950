"""The slope of outcomes on steps: within participants, and between them."""

import duckdb

from transforms.cohort.cohort import count_members
from transforms.cohort.interval import t_table
from transforms.outcomes.given import given
from warehouse.disclosure import insert_shown
from warehouse.study import Study
from warehouse.tables import derived


def derive_activity_slope(con: duckdb.DuckDBPyConnection, study: Study) -> None:
    """Fill `activity_slope` from `activity_outcome`, `cohort_member` and `scale`.

    A slope of fewer participants than the protocol shows is withheld. The two parts can have
    opposite signs: that those who walk more are better does not say that walking more helps.
    """
    unscheduled = [visit.code for visit in study.visits if visit.at_discharge]
    with given(con, t_table=t_table(count_members(con))):
        insert_shown(
            con,
            derived.activity_slope,
            SLOPES,
            ("participants",),
            study.study.small_cell,
            {"unscheduled": unscheduled},
        )


# Sums of decimals in a fixed order: the content hash depends on them.
SLOPES = """
WITH seen AS (
    SELECT participant_id, scale, visit, steps_per_day / 1000 AS steps,
        CASE scale.better WHEN 'lower' THEN -score ELSE score END AS points
    FROM activity_outcome
    JOIN scale USING (scale)
    WHERE enough_days AND NOT list_contains(CAST($unscheduled AS VARCHAR[]), visit)
),
own AS (
    SELECT participant_id, scale, count(*) AS visits,
        avg(steps ORDER BY visit) AS x, avg(points ORDER BY visit) AS y
    FROM seen
    GROUP BY participant_id, scale
),
moved AS (  -- a participant's sums of squares and products about their own means
    SELECT participant_id, scale, any_value(own.visits) AS visits,
        sum((steps - x) * (steps - x) ORDER BY visit) AS xx,
        sum((steps - x) * (points - y) ORDER BY visit) AS xy
    FROM seen
    JOIN own USING (participant_id, scale)
    WHERE own.visits > 1
    GROUP BY participant_id, scale
),
within_fit AS (
    SELECT cohort_kind, cohort, scale, sum(xx ORDER BY participant_id) AS total,
        sum(xy ORDER BY participant_id) / nullif(total, 0) AS slope
    FROM moved
    JOIN cohort_member USING (participant_id)
    GROUP BY cohort_kind, cohort, scale
),
within_part AS (
    SELECT cohort_kind, cohort, scale, 'within' AS part, count(*) AS participants,
        sum(visits)::BIGINT AS visits, any_value(slope) AS slope, count(*) - 1 AS df,
        sqrt(sum((moved.xy - slope * moved.xx) * (moved.xy - slope * moved.xx)
                 ORDER BY participant_id) * count(*) / nullif(count(*) - 1, 0))
            / nullif(any_value(total), 0) AS se
    FROM moved
    JOIN cohort_member USING (participant_id)
    JOIN within_fit USING (cohort_kind, cohort, scale)
    GROUP BY cohort_kind, cohort, scale
),
middle AS (
    SELECT cohort_kind, cohort, scale, avg(x ORDER BY participant_id) AS mx,
        avg(y ORDER BY participant_id) AS my
    FROM own
    JOIN cohort_member USING (participant_id)
    GROUP BY cohort_kind, cohort, scale
),
between_fit AS (
    SELECT cohort_kind, cohort, scale, count(*) AS participants, sum(visits)::BIGINT AS visits,
        sum((x - mx) * (x - mx) ORDER BY participant_id) AS xx,
        sum((x - mx) * (y - my) ORDER BY participant_id) AS xy,
        sum((y - my) * (y - my) ORDER BY participant_id) AS yy
    FROM own
    JOIN cohort_member USING (participant_id)
    JOIN middle USING (cohort_kind, cohort, scale)
    GROUP BY cohort_kind, cohort, scale
),
between_part AS (
    SELECT cohort_kind, cohort, scale, 'between' AS part, participants, visits,
        xy / nullif(xx, 0) AS slope, participants - 2 AS df,
        -- what is left may be a rounding error below 0
        sqrt(greatest(yy - slope * xy, 0) / nullif(greatest(participants - 2, 0), 0)
             / nullif(xx, 0)) AS se
    FROM between_fit
)
SELECT parts.* EXCLUDE (df, se),
    slope - t * se AS slope_ci_low,
    slope + t * se AS slope_ci_high
FROM (FROM within_part UNION ALL BY NAME FROM between_part) AS parts
LEFT JOIN t_table USING (df)
"""
