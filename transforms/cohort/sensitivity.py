"""What the choice of a wear rule changes: days, participants, and two conclusions."""

import duckdb

from transforms.cohort.cohort import count_members
from transforms.cohort.interval import t_table
from transforms.instruments import read_scales
from transforms.outcomes.given import given
from transforms.rules import settings_in
from warehouse.disclosure import insert_shown
from warehouse.study import Study
from warehouse.tables import derived


def derive_wear_rule_sensitivity(con: duckdb.DuckDBPyConnection, study: Study) -> None:
    """Fill `wear_rule_sensitivity` from participant_day, day_metric and outcome: a row per rule.

    Judged again are the days that were measured and plausible; a rule has no say over the others.
    The conclusions are plain description, neither adjusted (for time, for anything) nor imputed:
    whether steps rose after the run-in, and whether, within a participant, the protocol's first
    scale is better after days of more steps. A figure of fewer participants than the protocol
    shows is blank; the rules' rows are not guarded against subtraction from each other.
    """
    first = study.outcomes[0].scale
    facts = {
        "scale": first,
        "direction": read_scales()[first][1].direction,
        "unscheduled": [visit.code for visit in study.visits if visit.at_discharge],
    }
    rules = "\n    UNION ALL ".join(
        f"SELECT '{code}' AS rule, {position} AS position, '{says}' AS says, "
        f"participant_id, activity_date, study_day, study_week, steps, valid_day, "
        f"coalesce({condition}, false) AS valid FROM day"
        for position, (code, says, condition) in enumerate(RULES, start=1)
    )
    sql = SENSITIVITY.replace("{rules}", rules)
    with given(con, t_table=t_table(count_members(con))):
        insert_shown(
            con,
            derived.wear_rule_sensitivity,
            sql,
            ("participants",),
            study.study.small_cell,
            settings_in(sql, study, **facts),
        )


def _says(name: str) -> str:
    return (
        f"CASE WHEN {name}_ci_low > 0 THEN 'up' WHEN {name}_ci_high < 0 THEN 'down' "
        f"WHEN {name}_ci_low IS NULL THEN 'too few' ELSE 'unclear' END"
    )


def _changes(name: str) -> str:
    """Too few to say is no conclusion: neither another nor the same."""
    said = f"nullif({name}_says, 'too few')"
    return f"{said} <> first_value({said}) OVER (ORDER BY position)"


_RUN_IN = "study_day BETWEEN $goals_baseline_skip_days + 1 AND $goals_baseline_days"

# (code, in words, condition on a measured, plausible day)
RULES = (
    ("protocol", "The rule of the protocol.", "valid_day"),
    ("wear_10_hours", "Ten hours of wear.", "worn_hours >= 10"),
    ("wear_8_hours", "Eight hours of wear.", "worn_hours >= 8"),
    ("steps_1000", "The protocol''s, and 1,000 steps or more.", "valid_day AND steps >= 1000"),
    ("steps_1500", "The protocol''s, and 1,500 steps or more.", "valid_day AND steps >= 1500"),
    (
        "wear_or_steps",
        "The protocol''s, or enough hours with a step between 06:00 and 24:00.",
        "valid_day OR wear_hours_with_steps >= $wear_valid_day_step_hours",
    ),
    (
        "choi",
        "Wear by Choi 2011, from steps.",
        "wear_choi_minutes >= $wear_valid_day_minutes",
    ),
    (
        "troiano",
        "Wear by Troiano 2008, from steps.",
        "wear_troiano_minutes >= $wear_valid_day_minutes",
    ),
)

SENSITIVITY = f"""
WITH day AS (
    SELECT d.participant_id, d.activity_date, d.study_day, d.study_week, d.steps, d.valid_day,
        m.wear_hours_with_steps, m.wear_choi_minutes, m.wear_troiano_minutes,
        CASE m.wear_method WHEN 'steps' THEN m.wear_hours_with_steps ELSE m.wear_minutes / 60 END
            AS worn_hours
    FROM participant_day AS d
    LEFT JOIN day_metric AS m
        ON m.participant_id = d.participant_id AND m.source = d.source
        AND m.activity_date = d.activity_date
    WHERE d.day_state IN ('not_worn', 'insufficient_wear', 'valid')
),
judged AS MATERIALIZED (
    {{rules}}
),
counted AS (
    SELECT rule, position, says,
        count(*) AS days,
        count(*) FILTER (WHERE valid) AS valid_days,
        count(*) FILTER (WHERE valid AND NOT valid_day) AS days_gained,
        count(*) FILTER (WHERE valid_day AND NOT valid) AS days_lost
    FROM judged
    GROUP BY rule, position, says
),
with_week AS (
    SELECT rule, count(DISTINCT participant_id) AS participants_with_week
    FROM (
        SELECT rule, participant_id, study_week FROM judged WHERE valid
        GROUP BY ALL HAVING count(*) >= $wear_valid_week_days
    )
    GROUP BY rule
),
walked AS (
    SELECT rule, participant_id,
        avg(steps) AS steps,
        avg(steps) FILTER (WHERE study_day > $goals_baseline_days)
            - avg(steps) FILTER (WHERE {_RUN_IN}) AS change,
        count(*) FILTER (WHERE study_day > $goals_baseline_days)
            >= $goals_baseline_min_valid_days
            AND count(*) FILTER (WHERE {_RUN_IN}) >= $goals_baseline_min_valid_days AS enough
    FROM judged
    WHERE valid
    GROUP BY rule, participant_id
),
walks AS (
    SELECT rule, count(*) AS participants,
        avg(steps ORDER BY participant_id) AS steps_per_day,
        count(*) FILTER (WHERE enough) AS n,
        avg(change ORDER BY participant_id) FILTER (WHERE enough) AS mean,
        stddev_samp(change ORDER BY participant_id) FILTER (WHERE enough) / sqrt(n) AS se
    FROM walked
    GROUP BY rule
),
beside AS (  -- thousands of steps before a visit, and the score turned so that up is better
    SELECT j.rule, o.participant_id, o.visit, $direction * o.score AS y, avg(j.steps) / 1000 AS x
    FROM outcome AS o
    JOIN judged AS j
        ON j.participant_id = o.participant_id AND j.valid
        AND j.activity_date BETWEEN
            o.answered_on - CAST($activity_before_visit_days AS INTEGER) AND o.answered_on - 1
    WHERE o.scale = $scale AND o.score IS NOT NULL
        AND NOT list_contains(CAST($unscheduled AS VARCHAR[]), o.visit)
    GROUP BY ALL
    HAVING count(*) >= $activity_before_visit_min_valid_days
),
within_person AS (
    SELECT rule, participant_id, visit,
        x - avg(x ORDER BY visit) OVER own AS x,
        y - avg(y ORDER BY visit) OVER own AS y,
        count(*) OVER own AS visits
    FROM beside
    WINDOW own AS (PARTITION BY rule, participant_id)
),
fitted AS (
    SELECT rule, sum(x * x ORDER BY participant_id, visit) AS sxx,
        sum(x * y ORDER BY participant_id, visit) / nullif(sxx, 0) AS slope
    FROM within_person
    WHERE visits > 1
    GROUP BY rule
),
clustered AS (
    SELECT rule, participant_id, any_value(slope) AS slope, any_value(sxx) AS sxx,
        sum(x * (y - slope * x) ORDER BY visit) AS residue
    FROM within_person
    JOIN fitted USING (rule)
    WHERE visits > 1
    GROUP BY rule, participant_id
),
slopes AS (
    SELECT rule, count(*) AS n, any_value(slope) AS mean,
        sqrt(sum(residue * residue ORDER BY participant_id) * n / nullif(n - 1, 0))
            / nullif(any_value(sxx), 0) AS se
    FROM clustered
    GROUP BY rule
),
stated AS (
    SELECT c.*, w.participants, w.steps_per_day, coalesce(participants_with_week, 0)
            AS participants_with_week,
        CASE WHEN w.n >= $study_small_cell THEN w.n END AS participants_changed,
        CASE WHEN w.n >= $study_small_cell THEN w.mean END AS steps_change,
        steps_change - tw.t * w.se AS steps_change_ci_low,
        steps_change + tw.t * w.se AS steps_change_ci_high,
        CASE WHEN s.n >= $study_small_cell THEN s.n END AS participants_with_slope,
        CASE WHEN s.n >= $study_small_cell THEN s.mean END AS slope,
        slope - ts.t * s.se AS slope_ci_low,
        slope + ts.t * s.se AS slope_ci_high,
        {_says("steps_change")} AS steps_change_says,
        {_says("slope")} AS slope_says
    FROM counted AS c
    LEFT JOIN walks AS w USING (rule)
    LEFT JOIN with_week USING (rule)
    LEFT JOIN slopes AS s USING (rule)
    LEFT JOIN t_table AS tw ON tw.df = w.n - 1
    LEFT JOIN t_table AS ts ON ts.df = s.n - 1
)
SELECT stated.* REPLACE (coalesce(participants, 0) AS participants),
    {_changes("steps_change")} AS steps_change_changes,
    {_changes("slope")} AS slope_changes
FROM stated
"""
