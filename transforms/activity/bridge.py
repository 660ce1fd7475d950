"""What a change of source changed: the days that two sources both have, compared."""

import duckdb

from transforms.activity.wear import WORN_ENOUGH
from transforms.rules import run
from warehouse.study import Study


def derive_bridge(con: duckdb.DuckDBPyConnection, study: Study) -> None:
    """Fill `bridge` from day_metric, participant and ops.connection: a row per measure and pair.

    A paired day lies in the study, is complete in both sources and worn for a valid day by both,
    so that the difference is the sources' and not the wearing's. Wear is compared only where both
    measure it by the minute. Limits of agreement are those for several differences of each
    participant while the true value varies (Bland & Altman, J Biopharm Stat 2007;17:571-582,
    section 3): total variance = within + between participants, by one-way analysis of variance.
    """
    run(con, BRIDGE, study)


BRIDGE = (
    """
INSERT INTO bridge BY NAME
WITH priorities AS (
    SELECT unnest($wearables_sources) AS source,
        generate_subscripts($wearables_sources, 1) AS priority
),
sides AS (
    SELECT participant_id, m.activity_date, m.source, priority, m.steps,
        CASE WHEN m.wear_method <> 'steps' THEN m.wear_minutes END AS wear_minutes
    FROM day_metric AS m
    JOIN ops.connection AS c USING (participant_id, source)
    JOIN participant USING (participant_id)
    JOIN priorities USING (source)
    WHERE m.has_minutes AND c.landed_sync_at >= m.day_end_at
        AND coalesce(c.first_asked_on <= m.activity_date, true)
        AND m.activity_date >= starts_on AND coalesce(m.activity_date < withdrawn_on, true)
        AND """
    + WORN_ENOUGH
    + """
),
pairs AS (
    SELECT participant_id, activity_date, a.source AS from_source, b.source AS to_source,
        unnest([
            {measure: 'steps', difference: b.steps - a.steps},
            {measure: 'wear_minutes', difference: b.wear_minutes - a.wear_minutes}
        ], recursive := true)
    FROM sides AS a
    JOIN sides AS b USING (participant_id, activity_date)
    WHERE a.priority > b.priority
),
persons AS (
    SELECT measure, from_source, to_source, participant_id,
        count(*) AS days, min(activity_date) AS first_on, max(activity_date) AS last_on,
        sum(difference) AS difference_sum, avg(difference) AS person_mean,
        -- from sums of whole numbers, so that no order of adding makes a difference
        sum(difference * difference) - sum(difference) * sum(difference) / count(*)
            AS squares_within
    FROM pairs
    WHERE difference IS NOT NULL
    GROUP BY measure, from_source, to_source, participant_id
),
centred AS (
    SELECT *, sum(difference_sum) OVER pair / sum(days) OVER pair AS mean_difference
    FROM persons
    WINDOW pair AS (PARTITION BY measure, from_source, to_source)
),
squares AS (  -- sums in a fixed order: the content hash depends on their last digit
    SELECT measure, from_source, to_source, any_value(mean_difference) AS mean_difference,
        count(*) AS participants, sum(days) AS n, sum(days * days) AS n_squared,
        min(first_on) AS first_on, max(last_on) AS last_on,
        sum(squares_within ORDER BY participant_id) AS within,
        sum(days * (person_mean - mean_difference) ** 2 ORDER BY participant_id) AS between
    FROM centred
    GROUP BY measure, from_source, to_source
),
variances AS (
    SELECT *, within / nullif(n - participants, 0) AS within_variance,
        between / nullif(participants - 1, 0) AS between_square,
        (n - n_squared / n) / nullif(participants - 1, 0) AS days_each
    FROM squares
),
spread AS (
    SELECT *, sqrt(CASE
        WHEN within_variance IS NULL THEN between_square
        ELSE within_variance
            + coalesce(greatest(between_square - within_variance, 0) / days_each, 0)
        END) AS difference_sd
    FROM variances
)
SELECT measure, from_source, to_source, participants, n AS days, first_on, last_on,
    mean_difference, difference_sd,
    mean_difference - 1.96 * difference_sd AS limit_low,
    mean_difference + 1.96 * difference_sd AS limit_high
FROM spread
ORDER BY measure, from_source, to_source
"""
)
