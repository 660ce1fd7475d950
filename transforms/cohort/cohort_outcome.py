"""Improvement of cohorts by visit and scale."""

import duckdb

from transforms.cohort.cohort import count_members
from transforms.cohort.interval import t_table, wilson
from transforms.outcomes.given import given
from warehouse.disclosure import insert_shown
from warehouse.study import Study
from warehouse.tables import derived

COUNTS = ("expected", "received", "changed", "evaluable")


def derive_cohort_outcome(con: duckdb.DuckDBPyConnection, study: Study) -> None:
    """Fill `cohort_outcome` from `cohort_member` and `outcome`.

    Expected are the participants whose visit has come due, received those with a score. Means have
    a t-interval (from two scores on), the share of responders a Wilson interval. Of those who
    answered: neither adjusted nor imputed. Small cells are withheld.
    """
    ci_low, ci_high = wilson("responders", "evaluable")
    rows = CELLS.replace("{ci_low}", ci_low).replace("{ci_high}", ci_high)
    with given(con, t_table=t_table(count_members(con))):
        insert_shown(con, derived.cohort_outcome, rows, COUNTS, study.study.small_cell)


# Means are taken in a fixed order: sums of decimals depend on it, and the content hash on them.
CELLS = """
WITH cell AS (
    SELECT cohort_kind, cohort, visit, scale,
        count(*) AS expected,
        count(score) AS received,
        count(improvement) AS changed,
        count(is_responder) AS evaluable,
        sum(CAST(is_responder AS INTEGER)) AS responders,
        avg(score ORDER BY participant_id) AS mean_score,
        stddev_samp(score ORDER BY participant_id) AS score_sd,
        avg(improvement ORDER BY participant_id) AS mean_improvement,
        stddev_samp(improvement ORDER BY participant_id) AS improvement_sd
    FROM outcome
    JOIN cohort_member USING (participant_id)
    WHERE status NOT IN ('not_due', 'outside_study')
    GROUP BY cohort_kind, cohort, visit, scale
)
SELECT cell.*,
    mean_score - score_t.t * score_sd / sqrt(received) AS score_ci_low,
    mean_score + score_t.t * score_sd / sqrt(received) AS score_ci_high,
    mean_improvement - improvement_t.t * improvement_sd / sqrt(changed) AS improvement_ci_low,
    mean_improvement + improvement_t.t * improvement_sd / sqrt(changed) AS improvement_ci_high,
    responders / nullif(evaluable, 0) AS responder_share,
    {ci_low} AS responder_ci_low,
    {ci_high} AS responder_ci_high
FROM cell
LEFT JOIN t_table AS score_t ON score_t.df = received - 1
LEFT JOIN t_table AS improvement_t ON improvement_t.df = changed - 1
"""


def derive_cohort_responder(con: duckdb.DuckDBPyConnection, study: Study) -> None:
    """Fill `cohort_responder` from `cohort_member`, `responder` and `outcome`, as `cohort_outcome`.

    `received` are the participants with a score at the visit; small cells are withheld.
    """
    ci_low, ci_high = wilson("responders", "evaluable")
    rows = RESPONDERS.replace("{ci_low}", ci_low).replace("{ci_high}", ci_high)
    insert_shown(con, derived.cohort_responder, rows, RESPONDER_COUNTS, study.study.small_cell)


# Those of cohort_outcome, so that both tables withhold the same cohorts: if each left out another,
# one would tell what the other withholds.
RESPONDER_COUNTS = COUNTS

RESPONDERS = """
WITH cell AS (
    SELECT cohort_kind, cohort, visit, scale, change, threshold_kind, threshold,
        count(*) FILTER (WHERE o.status NOT IN ('not_due', 'outside_study')) AS expected,
        count(o.improvement) AS changed,
        count(*) FILTER (WHERE r.not_evaluable IS DISTINCT FROM 'no score') AS received,
        count(r.is_responder) AS evaluable,
        count(*) FILTER (WHERE r.is_responder) AS responders
    FROM responder AS r
    JOIN cohort_member USING (participant_id)
    LEFT JOIN outcome AS o USING (participant_id, visit, scale)
    GROUP BY ALL
)
SELECT cell.*,
    responders / nullif(evaluable, 0) AS responder_share,
    {ci_low} AS responder_ci_low,
    {ci_high} AS responder_ci_high
FROM cell
WHERE received > 0
"""
