"""Person-days to protocol weeks, anchored at study day 1."""

import duckdb

from transforms.activity.regularity import read_week_regularity
from transforms.rules import run
from warehouse.schema import Type
from warehouse.study import Study
from warehouse.tables.derived.activity import CARRIED, WEEKLY_MEANS

# The World Health Organization's guideline 2020, in minutes a week.
GUIDELINE_LEAST, GUIDELINE_MOST = 150, 300


def derive_participant_week(con: duckdb.DuckDBPyConnection, study: Study) -> None:
    """Fill `participant_week` from `participant_day`: a row for each week that has begun.

    Means are over valid days; a partial week is never summed. `adherent_week` is blank in a week
    without a goal on any day, and false, not blank, in a week that is not valid. The hours of the
    days, for regularity, are day_metric's.
    """
    con.register("regularity", read_week_regularity(con, study))
    run(con, PARTICIPANT_WEEKS, study)
    con.unregister("regularity")


def _means() -> str:
    """Each carried metric's mean; fractions in a fixed order, as their sum depends on it."""
    order = {Type.INTEGER: "", Type.REAL: " ORDER BY activity_date"}
    return ", ".join(
        f"avg({column.name}{order[column.type]}) FILTER (WHERE valid_day) AS "
        f"{WEEKLY_MEANS[column.name].name}"
        for column in CARRIED
        if column.name in WEEKLY_MEANS
    )


PARTICIPANT_WEEKS = f"""
INSERT INTO participant_week BY NAME
WITH weeks AS (
    SELECT participant_id, study_week,
        min(activity_date) AS week_starts_on,
        count(*) FILTER (WHERE eligible_day) AS eligible_days,
        count(*) FILTER (WHERE valid_day) AS valid_days,
        count(*) FILTER (WHERE valid_day) >= $wear_valid_week_days AS valid_week,
        avg(steps) FILTER (WHERE valid_day) AS steps_per_day,
        -- whole numbers, so that no order of adding makes a difference
        count(steps) FILTER (WHERE valid_day) AS n,
        sum(steps) FILTER (WHERE valid_day) AS total,
        sum(CAST(steps AS BIGINT) * steps) FILTER (WHERE valid_day) AS squares,
        avg(wear_minutes) FILTER (WHERE valid_day) AS wear_minutes_per_day,
        count(goal_steps) > 0 AS has_goal,
        count(goal_met) AS goal_days,
        count(*) FILTER (WHERE goal_met) AS goal_days_met,
        {_means()}
    FROM participant_day
    GROUP BY participant_id, study_week
),
figures AS (
    SELECT *,
        CASE WHEN valid_week THEN 7 * mvpa_equivalent_minutes_per_day END AS week_mvpa_minutes,
        CASE WHEN valid_week AND n > 1 AND total > 0
            THEN sqrt((n * squares - total * total) / (n * (n - 1))) / (total / n)
        END AS steps_variation
    FROM weeks
)
SELECT participant_id, study_week, week_starts_on, eligible_days, valid_days, valid_week,
    steps_per_day, wear_minutes_per_day, goal_days, goal_days_met, week_mvpa_minutes,
    CASE WHEN week_mvpa_minutes < {GUIDELINE_LEAST} THEN 'under_150'
        WHEN week_mvpa_minutes <= {GUIDELINE_MOST} THEN '150_to_300'
        WHEN week_mvpa_minutes > {GUIDELINE_MOST} THEN 'over_300' END AS activity_class,
    steps_variation,
    coalesce(regularity_days, 0) AS regularity_days, interdaily_stability, intradaily_variability,
    {", ".join(mean.name for mean in WEEKLY_MEANS.values())},
    CASE WHEN has_goal THEN valid_week AND goal_days_met >= $goals_adherent_week_goal_days
        END AS adherent_week
FROM figures
LEFT JOIN regularity USING (participant_id, study_week)
ORDER BY participant_id, study_week
"""
