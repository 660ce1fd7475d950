"""When a participant needs a person: one query per reason, its thresholds the protocol's.

Each gives participant_id, reason, level and the facts to say why; `work_person` is who takes part.
"""

import duckdb
import pyarrow as pa

from transforms.instruments import read_scales
from transforms.outcomes.given import given
from transforms.rules import run
from warehouse.study import Study
from warehouse.tables.derived.work import WORK_REASONS


def fill_candidates(con: duckdb.DuckDBPyConnection, study: Study, **facts: object) -> None:
    """Make `work_person` and `work_candidate`, temporary tables: each reason open, held or not."""
    run(con, PEOPLE, study, **facts)
    discharge = [visit.code for visit in study.visits if visit.at_discharge]
    first = [visit.code for visit in study.visits if visit.week == 0]
    with given(con, score_limit=limits_of(study), work_reason=_reasons()):
        run(con, CANDIDATES, study, **facts, at_discharge=discharge, at_baseline=first)


def drop_candidates(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("DROP TABLE work_candidate; DROP TABLE work_person")


def _reasons() -> pa.Table:
    names = ("reason", "level", "queue", "fault", "happened_once")
    rows = [
        {**dict(zip(names, row, strict=True)), "priority": priority}
        for priority, row in enumerate(WORK_REASONS, start=1)
    ]
    return pa.Table.from_pylist(rows)


def limits_of(study: Study) -> pa.Table:
    """The protocol's limits of scores, each with its scale's direction."""
    rows = [
        {
            "limit_number": number,
            "scale": limit.scale,
            "direction": read_scales()[limit.scale][1].direction,
            "worse_by": limit.worse_by,
            "reaches": limit.reaches,
        }
        for number, limit in enumerate(study.work_list.limits, start=1)
    ]
    return pa.Table.from_pylist(rows, schema=LIMITS)


LIMITS = pa.schema(
    {
        "limit_number": pa.int32(),
        "scale": pa.string(),
        "direction": pa.int32(),
        "worse_by": pa.float64(),
        "reaches": pa.float64(),
    }
)

# taking_part: study day 1 has come and they have not withdrawn. wears: also within follow-up.
PEOPLE = """
CREATE TEMP TABLE work_person AS
SELECT participant_id, timezone, today,
    coalesce(today BETWEEN paused_from AND coalesce(paused_to, today), false) AS paused,
    starts_on <= today AND coalesce(today < withdrawn_on, true) AS taking_part,
    taking_part AND today < starts_on + CAST(7 * $study_weeks AS INTEGER) AS wears,
    starts_on
FROM (
    SELECT *, CAST(CAST($as_of AS TIMESTAMPTZ) AT TIME ZONE timezone AS DATE) AS today
    FROM participant
)
"""

_DEVICES = """
file_source AS (  -- brought by hand: neither synced nor consented to
    SELECT DISTINCT source FROM day_metric WHERE era = 'file'
),
link AS (
    SELECT c.*, priority
    FROM ops.connection AS c
    JOIN (
        SELECT unnest($wearables_sources) AS source,
            generate_subscripts($wearables_sources, 1) AS priority
    ) USING (source)
    WHERE state <> 'never_connected' AND source NOT IN (FROM file_source)
),
best_link AS (  -- one that is read, if any
    FROM link
    QUALIFY row_number() OVER (
        PARTITION BY participant_id
        ORDER BY state <> 'active', state = 'retired', priority
    ) = 1
),
silence AS (  -- as long as we have asked and heard nothing newer
    SELECT participant_id, arg_max(source, heard_at) AS source, max(heard_at) AS since_at,
        max(last_pulled_at) AS asked_at
    FROM (SELECT *, coalesce(synced_at, since) AS heard_at FROM link WHERE state = 'active')
    GROUP BY participant_id
),
newest_device AS (
    FROM ops.device
    JOIN (SELECT participant_id, source FROM link WHERE state = 'active')
        USING (participant_id, source)
    WHERE last_sync_at IS NOT NULL
    QUALIFY row_number() OVER (
        PARTITION BY participant_id ORDER BY last_sync_at DESC, device_id
    ) = 1
),
model_day AS (
    SELECT participant_id, activity_date, device_model,
        min(activity_date) OVER (PARTITION BY participant_id, device_model) AS first_on,
        row_number() OVER (PARTITION BY participant_id ORDER BY activity_date DESC) AS back
    FROM participant_day
    WHERE device_model IS NOT NULL
),
swapped AS (  -- to a model not seen before, or from a device that stopped syncing
    SELECT participant_id, first_on AS since_on
    FROM model_day
    JOIN (SELECT participant_id, min(activity_date) AS started_on FROM model_day GROUP BY ALL)
        USING (participant_id)
    WHERE back = 1 AND first_on > started_on
    UNION ALL
    SELECT n.participant_id, max(CAST(d.last_sync_at AT TIME ZONE p.timezone AS DATE))
    FROM newest_device AS n
    JOIN ops.device AS d
        ON d.participant_id = n.participant_id AND d.source = n.source
        AND d.device_id <> n.device_id AND d.last_sync_at < n.last_sync_at - to_days(1)
    JOIN work_person AS p ON p.participant_id = n.participant_id
    GROUP BY n.participant_id
)
"""

_DAYS = """
worn_day AS (
    SELECT participant_id, activity_date, valid_day,
        row_number() OVER (PARTITION BY participant_id ORDER BY activity_date DESC) AS back
    FROM participant_day
    JOIN work_person USING (participant_id)
    WHERE day_state IN ('not_worn', 'implausible', 'insufficient_wear', 'valid')
        AND activity_date < today
        AND activity_date >= today - CAST($work_list_worn_within_days AS INTEGER)
),
goal_day AS (
    SELECT participant_id, activity_date, goal_met,
        row_number() OVER (PARTITION BY participant_id ORDER BY activity_date DESC) AS back
    FROM participant_day
    JOIN work_person USING (participant_id)
    WHERE goal_met IS NOT NULL AND activity_date < today
        AND activity_date >= today - CAST($work_list_goal_within_days AS INTEGER)
),
lately_worn AS (
    SELECT DISTINCT participant_id
    FROM participant_day
    JOIN work_person USING (participant_id)
    WHERE valid_day AND activity_date < today
        AND activity_date >= today - CAST($work_list_still_wearing_days AS INTEGER)
)
"""

_ANSWERS = """
open_visit AS (
    SELECT participant_id, status, visit, min(target_on) AS target_on,
        min(closes_on) AS closes_on, CAST(count(*) AS INTEGER) AS scales_open
    FROM outcome
    WHERE status IN ('due', 'overdue') AND visit NOT IN (SELECT unnest($at_discharge))
    GROUP BY participant_id, status, visit
),
first_to_close AS (
    FROM open_visit
    QUALIFY row_number() OVER (
        PARTITION BY participant_id, status ORDER BY closes_on, visit
    ) = 1
),
latest_score AS (
    SELECT participant_id, answered_on, score, baseline_score, l.*,
        direction * score <= direction * reaches AS reached,
        -improvement >= worse_by AS worsened
    FROM outcome
    JOIN score_limit AS l USING (scale)
    WHERE score IS NOT NULL AND answered_on IS NOT NULL
        AND visit NOT IN (SELECT unnest($at_discharge))
    QUALIFY row_number() OVER (
        PARTITION BY participant_id, scale
        ORDER BY answered_on DESC, list_contains($at_baseline, visit), visit
    ) = 1 AND NOT list_contains($at_baseline, visit)
)
"""

_REASONS = """
found AS (
    SELECT participant_id, 'safety_event' AS reason, 'escalate' AS level,
        arg_max(kind, event_number) AS kind,
        CASE WHEN coalesce(bool_or(list_contains($at_discharge, visit)), false) THEN NULL
            ELSE max(raised_on) END AS since_on,  -- the day of a discharge would tell the arm
        CAST(count(*) AS DOUBLE) AS value,
        concat_ws(' ', since_on, count(*)) AS occurrence
    FROM safety_event
    GROUP BY participant_id
    UNION ALL BY NAME
    SELECT participant_id, 'score_worse' AS reason, 'red' AS level, scale,
        answered_on AS since_on, score AS value, baseline_score AS of_value,
        CASE WHEN reached THEN reaches ELSE worse_by END AS limit_value,
        concat_ws(' ', scale, answered_on) AS occurrence
    FROM latest_score
    JOIN work_person USING (participant_id)
    WHERE taking_part AND (reached OR worsened)
        AND answered_on >= today - CAST($work_list_answer_days AS INTEGER)
    QUALIFY row_number() OVER (PARTITION BY participant_id ORDER BY limit_number) = 1
    UNION ALL BY NAME
    SELECT participant_id,
        CASE state WHEN 'wrong_account' THEN state ELSE 'consent_lost' END AS reason,
        'red' AS level, since AS since_at, state AS kind, source
    FROM best_link
    JOIN work_person USING (participant_id)
    WHERE wears AND state <> 'active'
    UNION ALL BY NAME
    SELECT participant_id, 'never_connected' AS reason, 'red' AS level, starts_on AS since_on
    FROM work_person
    WHERE wears AND participant_id NOT IN (SELECT participant_id FROM link)
        AND participant_id NOT IN (SELECT participant_id FROM day_metric)
    UNION ALL BY NAME
    SELECT participant_id, 'not_synced' AS reason,
        CASE WHEN silent_days >= $work_list_not_synced_escalate_days THEN 'escalate'
            WHEN silent_days >= $work_list_not_synced_red_days THEN 'red'
            ELSE 'amber' END AS level,
        since_at, source
    FROM (
        SELECT *, (epoch(asked_at) - epoch(since_at)) / 86400 AS silent_days FROM silence
    )
    JOIN work_person USING (participant_id)
    WHERE wears AND silent_days >= $work_list_not_synced_days
    UNION ALL BY NAME
    SELECT participant_id, 'not_worn' AS reason, 'amber' AS level,
        min(activity_date) FILTER (NOT valid_day) AS since_on,
        CAST(count(*) FILTER (valid_day) AS DOUBLE) AS value,
        CAST(count(*) AS DOUBLE) AS of_value,
        CAST($work_list_worn_days_least AS DOUBLE) AS limit_value
    FROM worn_day
    JOIN work_person USING (participant_id)
    WHERE wears AND back <= $work_list_worn_of_days
    GROUP BY participant_id  -- too few already, whatever the days of the seven still to come
    HAVING count(*) FILTER (NOT valid_day) > $work_list_worn_of_days - $work_list_worn_days_least
    UNION ALL BY NAME
    SELECT participant_id, 'battery_low' AS reason, 'amber' AS level, last_sync_at AS since_at,
        CAST(battery_pct AS DOUBLE) AS value,
        CAST($work_list_battery_below_pct AS DOUBLE) AS limit_value, source
    FROM newest_device
    JOIN work_person USING (participant_id)
    WHERE wears AND battery_pct < $work_list_battery_below_pct
    UNION ALL BY NAME
    SELECT participant_id, 'goal_missed' AS reason, 'amber' AS level,
        min(activity_date) AS since_on, 0.0 AS value, CAST(count(*) AS DOUBLE) AS of_value
    FROM goal_day
    JOIN work_person USING (participant_id)
    WHERE wears AND back <= $work_list_goal_days
    GROUP BY participant_id
    HAVING count(*) = $work_list_goal_days AND NOT bool_or(goal_met)
    UNION ALL BY NAME
    SELECT participant_id, 'device_swap' AS reason, 'amber' AS level, max(since_on) AS since_on,
        CAST(max(since_on) AS VARCHAR) AS occurrence
    FROM swapped
    JOIN work_person USING (participant_id)
    WHERE wears AND since_on > today - CAST($work_list_device_swap_days AS INTEGER)
    GROUP BY participant_id
    UNION ALL BY NAME
    SELECT participant_id,
        CASE WHEN status = 'due' THEN 'questionnaire_due'
            WHEN w.participant_id IS NULL THEN 'questionnaire_overdue'
            ELSE 'wearing_but_overdue' END AS reason,
        CASE reason WHEN 'wearing_but_overdue' THEN 'red' ELSE 'amber' END AS level,
        target_on AS since_on, visit, closes_on, scales_open
    FROM first_to_close
    JOIN work_person USING (participant_id)
    LEFT JOIN lately_worn AS w USING (participant_id)
    WHERE taking_part AND (status = 'overdue' OR target_on <= today)
)
"""

CANDIDATES = f"""
CREATE TEMP TABLE work_candidate AS
WITH {_DEVICES}, {_DAYS}, {_ANSWERS}, {_REASONS}
SELECT f.*, r.priority, r.queue, r.fault, r.happened_once, p.paused, p.timezone, p.today
FROM found AS f
JOIN work_reason AS r USING (reason, level)
JOIN work_person AS p USING (participant_id)
"""
