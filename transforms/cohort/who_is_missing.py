"""What those are like whose answers came, and those whose did not."""

from datetime import datetime

import duckdb

from transforms.cohort.cohort import count_members
from transforms.cohort.cohort_completeness import WINDOWS
from transforms.cohort.interval import t_table, wilson
from transforms.outcomes.given import given
from transforms.rules import settings_in
from warehouse.disclosure import insert_shown
from warehouse.study import Study
from warehouse.tables import derived

# Both on both rows, so that neither is shown without the other: the two make the cohort.
COUNTS = ("complete", "incomplete")


def derive_who_is_missing(con: duckdb.DuckDBPyConnection, study: Study, as_of: datetime) -> None:
    """Fill `who_is_missing`: everybody and each site, visit by visit and trait by trait.

    From outcome, participant, baseline_activity, participant_week and cohort_member. Only
    participants whose windows of the visit have closed. Small cells are withheld.
    """
    ci_low, ci_high = wilson("hits", "participants")
    cells = CELLS.replace("{ci_low}", ci_low).replace("{ci_high}", ci_high)
    with given(con, t_table=t_table(count_members(con))):
        bound = settings_in(cells, study, as_of=as_of)
        insert_shown(con, derived.who_is_missing, cells, COUNTS, study.study.small_cell, bound)


# Means are taken in a fixed order: sums of decimals depend on it, and the content hash on them.
CELLS = f"""
WITH owed AS ({WINDOWS}),
answered AS (
    SELECT participant_id, visit, week,
        CASE WHEN bool_and(came) THEN 'complete' ELSE 'incomplete' END AS answers
    FROM owed
    JOIN visit USING (visit)
    GROUP BY participant_id, visit, week
    HAVING bool_and(closed)
),
trait AS (
    SELECT participant_id, visit, answers, NULL AS scale, unnest([
        {{'trait': 'age_years', 'is_flag': false, 'x': CAST(age_years AS DOUBLE)}},
        {{'trait': 'female', 'is_flag': true, 'x': CAST(sex = 'female' AS DOUBLE)}},
        {{'trait': 'depression_or_anxiety', 'is_flag': true,
            'x': CAST(depression_or_anxiety AS DOUBLE)}},
        {{'trait': 'baseline_steps', 'is_flag': false, 'x': baseline_steps}}
    ], recursive := true)
    FROM answered
    JOIN participant USING (participant_id)
    LEFT JOIN baseline_activity USING (participant_id)
    UNION ALL
    SELECT participant_id, visit, answers, NULL, 'wear_adherence', false,
        sum(valid_days) / nullif(sum(eligible_days), 0)
    FROM answered
    JOIN participant_week USING (participant_id)
    WHERE study_week <= week
    GROUP BY participant_id, visit, answers
    UNION ALL
    SELECT participant_id, visit, answers, scale, 'baseline_score', false, baseline_score
    FROM answered
    JOIN (SELECT DISTINCT participant_id, scale, baseline_score FROM outcome)
        USING (participant_id)
),
cell AS (
    SELECT cohort_kind, cohort, visit, trait, scale, answers, is_flag,
        count(*) AS participants,
        avg(x ORDER BY participant_id) AS mean,
        sum(x) FILTER (WHERE is_flag) AS hits,
        CASE WHEN is_flag THEN mean * (1 - mean) ELSE var_samp(x ORDER BY participant_id) END
            AS variance
    FROM trait
    JOIN cohort_member USING (participant_id)
    WHERE x IS NOT NULL AND cohort_kind IN ('all', 'site')
    GROUP BY cohort_kind, cohort, visit, trait, scale, answers, is_flag
),
pair AS (
    SELECT cohort_kind, cohort, visit, trait, scale,
        coalesce(max(participants) FILTER (WHERE answers = 'complete'), 0) AS complete,
        coalesce(max(participants) FILTER (WHERE answers = 'incomplete'), 0) AS incomplete,
        max(mean) FILTER (WHERE answers = 'incomplete')
            - max(mean) FILTER (WHERE answers = 'complete') AS difference,
        CASE WHEN count(variance) = 2 THEN sqrt(sum(variance) / 2) END AS pooled_sd
    FROM cell
    GROUP BY cohort_kind, cohort, visit, trait, scale
)
SELECT cell.*, complete, incomplete,
    difference / nullif(pooled_sd, 0) AS standardised_difference,
    CASE WHEN is_flag THEN {{ci_low}} ELSE mean - t * sqrt(variance / participants) END AS ci_low,
    CASE WHEN is_flag THEN {{ci_high}} ELSE mean + t * sqrt(variance / participants) END AS ci_high
FROM cell
JOIN pair ON pair.cohort_kind = cell.cohort_kind AND pair.cohort = cell.cohort
    AND pair.visit = cell.visit AND pair.trait = cell.trait
    AND pair.scale IS NOT DISTINCT FROM cell.scale
LEFT JOIN t_table ON df = participants - 1
"""
