"""Key figures by site, with intervals and the limits that chance sets."""

from datetime import datetime
from statistics import NormalDist

import duckdb
import pyarrow as pa

from transforms.cohort.cohort_completeness import WINDOWS
from transforms.cohort.interval import Z, wilson
from transforms.cohort.recruitment import planned_by_today
from transforms.outcomes.given import given
from transforms.rules import settings_in
from warehouse.disclosure import insert_shown
from warehouse.study import Study
from warehouse.tables import derived
from warehouse.tables.derived.monitoring import FIGURES

Z_ALARM = NormalDist().inv_cdf(0.999)
COUNTED = {
    "wear_adherence": "days",
    "goal_adherence_observed": "days",
    "goal_adherence_strict": "days",
    "valid_weeks": "weeks",
    "questionnaires": "scales",
}


def derive_site_figure(con: duckdb.DuckDBPyConnection, study: Study, as_of: datetime) -> None:
    """Fill `site_figure` from participant, participant_day, adherence, outcome, cohort_member.

    A row for each site of study.toml and for everybody, of each figure, with 0 where nobody is
    behind it. Small cells are withheld, but for recruitment: enrollment says nothing of how
    anybody fares. What of a site's spread is the participants' own follows from all of them: with
    hits x of n each, and P the share of all, its variance is the mean of (x - nP)^2, and a site's
    effective number the one at which P(1-P) would give that. Of shares of participants it is their
    number; of days, weeks and scales never more than there are.
    """
    facts = pa.Table.from_pylist(
        [
            {"figure": name, "position": i, "counts": COUNTED.get(name, "participants")}
            for i, name in enumerate(FIGURES, start=1)
        ]
    )
    ci_low, ci_high = wilson("share * effective", "effective")
    cells = CELLS.replace("{ci_low}", ci_low).replace("{ci_high}", ci_high)
    cells = cells.replace("{windows}", WINDOWS)
    with given(con, figure_fact=facts, plan=planned_by_today(study, as_of)):
        insert_shown(
            con,
            derived.site_figure,
            cells,
            ("behind",),
            study.study.small_cell,
            settings_in(cells, study, as_of=as_of, z=Z, z_alarm=Z_ALARM),
        )


CELLS = """
WITH today AS (
    SELECT *, CAST($as_of AT TIME ZONE timezone AS DATE) AS today FROM participant
),
newest AS (  -- days that ended of late and that the participant could have synced
    SELECT participant_id,
        max(CAST(day_state IN ('not_worn', 'implausible', 'insufficient_wear', 'valid')
            AS INTEGER)) AS known
    FROM participant_day
    JOIN today USING (participant_id)
    WHERE activity_date < today AND activity_date >= today - $site_figures_synced_within_days
        AND day_state NOT IN ('outside_study', 'paused', 'fetch_failed', 'vendor_outage')
    GROUP BY participant_id
),
person AS (
    SELECT participant_id, 'synced' AS figure, known AS hits, 1 AS of_all FROM newest
    UNION ALL
    SELECT participant_id, 'wear_adherence', valid_days, eligible_days FROM adherence
    UNION ALL
    SELECT participant_id, 'goal_adherence_observed', goal_days_met, goal_days FROM adherence
    UNION ALL
    SELECT participant_id, 'goal_adherence_strict', goal_days_met, eligible_goal_days
    FROM adherence
    UNION ALL
    SELECT participant_id, 'valid_weeks', valid_weeks, eligible_weeks FROM adherence
    UNION ALL
    SELECT participant_id, 'questionnaires', count_if(came), count(*)
    FROM ({windows})
    JOIN visit USING (visit)
    WHERE week IS NOT NULL AND closed
    GROUP BY participant_id
    UNION ALL
    SELECT participant_id, 'retention', CAST(withdrawn_on IS NULL OR withdrawn_on > today AS INT), 1
    FROM today
    WHERE starts_on <= today AND (withdrawn_on IS NULL OR withdrawn_on > starts_on)
    UNION ALL
    SELECT participant_id, 'persistence', CAST(NOT persistence_ended AS INT), 1
    FROM adherence
    WHERE persistence_ended IS NOT NULL
),
pooled AS (
    SELECT figure, sum(hits) / sum(of_all) AS overall
    FROM person WHERE of_all > 0 GROUP BY figure
),
spread AS (  -- in a fixed order: a sum of decimals depends on it
    SELECT figure, overall,
        avg((hits - of_all * overall) ** 2 ORDER BY participant_id) AS variance
    FROM person
    JOIN pooled USING (figure)
    WHERE of_all > 0
    GROUP BY figure, overall
),
counted AS (
    SELECT cohort_kind, cohort, figure, count(*) AS participants, count(*) AS behind,
        sum(hits) AS numerator, CAST(sum(of_all) AS DOUBLE) AS denominator
    FROM person
    JOIN cohort_member USING (participant_id)
    WHERE of_all > 0 AND cohort_kind IN ('all', 'site')
    GROUP BY cohort_kind, cohort, figure
    UNION ALL
    SELECT cohort_kind, cohort, 'recruitment', count(participant_id), 0, count(participant_id),
        any_value(planned)
    FROM plan
    LEFT JOIN cohort_member USING (cohort_kind, cohort)
    GROUP BY cohort_kind, cohort
),
rates AS (
    SELECT figure, overall, variance FROM spread
    UNION ALL
    SELECT 'recruitment', numerator / nullif(denominator, 0), NULL
    FROM counted WHERE figure = 'recruitment' AND cohort_kind = 'all'
),
cell AS (
    SELECT p.cohort_kind, p.cohort, f.figure, f.position, f.counts,
        coalesce(participants, 0) AS participants, coalesce(behind, 0) AS behind,
        coalesce(numerator, 0) AS numerator,
        CASE WHEN f.figure = 'recruitment' THEN denominator ELSE coalesce(denominator, 0) END
            AS denominator,
        numerator / nullif(denominator, 0) AS share,
        CASE WHEN denominator > 0 THEN overall END AS overall,
        CASE
            WHEN f.figure = 'recruitment' OR participants IS NULL THEN NULL
            WHEN variance > 0 AND overall < 1 THEN least(denominator,
                overall * (1 - overall) * denominator ** 2 / (participants * variance))
            ELSE participants
        END AS effective
    FROM plan AS p
    CROSS JOIN figure_fact AS f
    LEFT JOIN counted AS c
        ON c.cohort_kind = p.cohort_kind AND c.cohort = p.cohort AND c.figure = f.figure
    LEFT JOIN rates AS r ON r.figure = f.figure
),
judged AS (
    SELECT *,
        CASE WHEN cohort_kind = 'site' THEN CASE WHEN figure = 'recruitment'
            THEN sqrt(overall / nullif(denominator, 0))
            ELSE sqrt(overall * (1 - overall) / effective) END END AS by_chance
    FROM cell
),
limited AS (
    SELECT *,
        -- greatest would turn the NULL of no plan into 0
        CASE WHEN figure <> 'recruitment' THEN {ci_low} WHEN denominator > 0 THEN greatest(0,
            (numerator + $z * $z / 2 - $z * sqrt(numerator + $z * $z / 4)) / denominator) END
            AS ci_low,
        CASE WHEN figure = 'recruitment' THEN (numerator + $z * $z / 2
            + $z * sqrt(numerator + $z * $z / 4)) / nullif(denominator, 0) ELSE {ci_high} END
            AS ci_high,
        CASE WHEN figure <> 'recruitment' THEN 1 ELSE 'infinity'::DOUBLE END AS most,
        CASE WHEN by_chance IS NOT NULL THEN greatest(0, overall - $z * by_chance) END
            AS limit_low,
        CASE WHEN by_chance IS NOT NULL THEN least(most, overall + $z * by_chance) END
            AS limit_high,
        CASE WHEN by_chance IS NOT NULL THEN greatest(0, overall - $z_alarm * by_chance) END
            AS alarm_low,
        CASE WHEN by_chance IS NOT NULL THEN least(most, overall + $z_alarm * by_chance) END
            AS alarm_high
    FROM judged
)
SELECT *, CASE
    WHEN by_chance IS NULL THEN NULL
    WHEN share < alarm_low THEN 'very_low'
    WHEN share > alarm_high THEN 'very_high'
    WHEN share < limit_low THEN 'low'
    WHEN share > limit_high THEN 'high'
    ELSE 'as_expected'
END AS standing
FROM limited
"""
