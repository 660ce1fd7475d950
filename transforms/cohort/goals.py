"""Baseline activity, and the goals that the protocol's rule proposes from landed days."""

from datetime import datetime

import duckdb
import pyarrow as pa

from transforms.outcomes.given import given
from transforms.rules import run
from warehouse.study import Study

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def derive_baseline_activity(con: duckdb.DuckDBPyConnection, study: Study, as_of: datetime) -> None:
    """Fill `baseline_activity` from `participant_day`: a row for everyone, with a reason if blank.

    Median of the valid days of the run-in without its first days. The weekend is the site's own:
    Friday and Saturday in one country, Saturday and Sunday in another.
    """
    weekend = [
        {"site": site.code, "isodow": WEEKDAYS.index(day) + 1}
        for site in study.sites
        for day in site.weekend
    ]
    with given(con, site_weekend=pa.Table.from_pylist(weekend)):
        run(con, BASELINES, study, as_of=as_of)


def derive_goal_proposal(con: duckdb.DuckDBPyConnection, study: Study) -> None:
    """Fill `goal_proposal` from baseline_activity, participant_day and participant_week.

    A row per week after the run-in that has begun. By `goals.rule`:

    * `baseline_growth`: baseline x (1 + growth_pct x weeks since the run-in), never lower than the
      week before, up to baseline + most_above_baseline and most_steps, whichever is lower; but
      never below the baseline of somebody who walks more than that already;
    * `percentile`: the percentile (nearest rank: steps of one of the days) of the last
      percentile_days valid days before the week;
    * `fixed_increment`: the mean of the week before, if valid, and increment_steps more.

    Rounded to round_to, halves up, before the limit applies. Proposals are not goals: days are
    judged by landed goals.
    """
    run(con, PROPOSALS, study)


BASELINES = """
INSERT INTO baseline_activity BY NAME
WITH windows AS (
    SELECT participant_id, site,
        starts_on + CAST($goals_baseline_skip_days AS INTEGER) AS window_starts_on,
        starts_on + CAST($goals_baseline_days AS INTEGER) - 1 AS window_ends_on,
        CAST($as_of AT TIME ZONE timezone AS DATE) AS today
    FROM participant
),
walked AS (
    SELECT w.participant_id, w.window_starts_on, w.window_ends_on, w.today,
        count(day.activity_date) AS valid_days,
        count(weekend.isodow) AS valid_weekend_days,
        median(day.steps) AS median_steps,
        avg(day.steps) AS mean_steps
    FROM windows AS w
    LEFT JOIN participant_day AS day
        ON day.participant_id = w.participant_id AND day.valid_day
        AND day.activity_date BETWEEN w.window_starts_on AND w.window_ends_on
    LEFT JOIN site_weekend AS weekend
        ON weekend.site = w.site AND weekend.isodow = isodow(day.activity_date)
    GROUP BY ALL
),
judged AS (
    SELECT *,
        CASE
            WHEN today <= window_ends_on THEN 'run-in not over'
            WHEN valid_days < $goals_baseline_min_valid_days THEN 'too few valid days'
            WHEN valid_weekend_days < $goals_baseline_min_weekend_days THEN 'too few weekend days'
        END AS no_baseline
    FROM walked
)
SELECT participant_id, window_starts_on, window_ends_on, valid_days, valid_weekend_days,
    CASE WHEN no_baseline IS NULL THEN median_steps END AS baseline_steps,
    CASE WHEN no_baseline IS NULL THEN mean_steps END AS baseline_steps_mean,
    no_baseline
FROM judged
ORDER BY participant_id
"""

PROPOSALS = """
INSERT INTO goal_proposal BY NAME
WITH run_in AS (SELECT CAST(ceil($goals_baseline_days / 7) AS INTEGER) AS weeks),
weeks AS (
    SELECT w.participant_id, w.study_week, w.week_starts_on, b.baseline_steps,
        w.study_week - run_in.weeks AS weeks_after,
        before.steps_per_day AS steps_before
    FROM participant_week AS w
    CROSS JOIN run_in
    JOIN baseline_activity AS b USING (participant_id)
    LEFT JOIN participant_week AS before
        ON before.participant_id = w.participant_id
        AND before.study_week = w.study_week - 1 AND before.valid_week
    WHERE w.study_week > run_in.weeks
),
valid_days AS (
    SELECT participant_id, activity_date AS from_on, steps,
        lead(activity_date, CAST($goals_percentile_days AS INTEGER)) OVER (
            PARTITION BY participant_id ORDER BY activity_date
        ) AS followed_on  -- the day that pushes this one out of the last so many
    FROM participant_day
    WHERE valid_day
),
last_days AS (
    SELECT w.participant_id, w.study_week,
        count(*) AS days,
        quantile_disc(v.steps, CAST($goals_percentile AS DOUBLE) / 100) AS steps
    FROM weeks AS w
    JOIN valid_days AS v
        ON v.participant_id = w.participant_id AND v.from_on < w.week_starts_on
        AND coalesce(v.followed_on >= w.week_starts_on, true)
    WHERE $goals_rule = 'percentile'
    GROUP BY w.participant_id, w.study_week
),
bases AS (
    SELECT w.*,
        CASE $goals_rule
            WHEN 'baseline_growth' THEN baseline_steps
            WHEN 'percentile' THEN CASE WHEN days >= $goals_percentile_days THEN steps END
            WHEN 'fixed_increment' THEN steps_before
        END AS basis_steps,
        CASE $goals_rule
            WHEN 'baseline_growth' THEN 'no baseline'
            WHEN 'percentile' THEN 'too few valid days'
            WHEN 'fixed_increment' THEN 'no valid week before'
        END AS why_not,
        greatest(
            basis_steps, least(basis_steps + $goals_most_above_baseline, $goals_most_steps)
        ) AS most
    FROM weeks AS w
    LEFT JOIN last_days USING (participant_id, study_week)
),
grown AS (
    SELECT *,
        CASE $goals_rule
            WHEN 'baseline_growth' THEN basis_steps * (100 + $goals_growth_pct * weeks_after) / 100
            WHEN 'percentile' THEN basis_steps
            WHEN 'fixed_increment' THEN basis_steps + $goals_increment_steps
        END AS wanted
    FROM bases
),
proposed AS (
    SELECT *, floor(wanted / $goals_round_to + 0.5) * $goals_round_to AS rounded
    FROM grown
)
SELECT p.participant_id, study_week, week_starts_on, $goals_rule AS rule, basis_steps,
    CAST(CASE WHEN rounded > most AND $goals_rule = 'baseline_growth' THEN most ELSE rounded END
        AS INTEGER) AS proposed_steps,
    CASE WHEN basis_steps IS NULL THEN why_not END AS not_proposed,
    arg_max(g.goal_steps, g.version) AS goal_steps
FROM proposed AS p
LEFT JOIN goal AS g
    ON g.participant_id = p.participant_id
    AND p.week_starts_on BETWEEN g.valid_from AND coalesce(g.valid_to, p.week_starts_on)
GROUP BY ALL
ORDER BY p.participant_id, study_week
"""
