"""One row and one reason for every study day of every participant."""

from datetime import datetime

import duckdb

from transforms.activity.wear import WORN_ENOUGH
from transforms.rules import run
from warehouse.study import Study
from warehouse.tables.derived.activity import CARRIED
from warehouse.tables.derived.columns import INELIGIBLE_STATES


def derive_participant_day(
    con: duckdb.DuckDBPyConnection, study: Study, as_of: datetime, but: str = ""
) -> None:
    """Fill `participant_day`: from study day 1 to `as_of`'s local day or the end of follow-up.

    Reads participant, goal, day_metric, and ops.connection, receipt and lateness. `as_of` is an
    instant with its offset. A day is complete when its source has landed every data type past a
    sync after the day's end; until then nothing of it is shown: steps are blank, never zero. The
    states and their order are those of `warehouse.tables.derived.DAY_STATES`, the thresholds the
    protocol's. Days of the relation `but` (participant_id, activity_date) are left out.
    """
    left_out = f"ANTI JOIN {but} USING (participant_id, activity_date)" if but else ""
    run(con, PARTICIPANT_DAYS.replace("{left_out}", left_out), study, as_of=as_of)


# Of a day not worn steps and wear are known; a metric would describe minutes that nobody wore.
METRICS = ", ".join(
    f"CASE WHEN d.day_state <> 'not_worn' THEN m.{column.name} END AS {column.name}"
    for column in CARRIED
)
PARTICIPANT_DAYS = f"""
INSERT INTO participant_day BY NAME
WITH every_day AS (
    SELECT participant_id, timezone, withdrawn_on, paused_from, paused_to, study_day,
        starts_on + study_day - 1 AS activity_date
    FROM (
        SELECT *, CAST(unnest(range(1, 1 + least(
            CAST($as_of AT TIME ZONE timezone AS DATE) - starts_on + 1, 7 * $study_weeks
        ))) AS INTEGER) AS study_day
        FROM participant
    )
),
study_days AS (SELECT * FROM every_day {{left_out}}),
midnights AS (  -- where clocks change a day has 23 or 25 hours: asked once per zone and date
    SELECT timezone, activity_date,
        CAST(activity_date + 1 AS TIMESTAMP) AT TIME ZONE timezone AS day_end_at
    FROM (SELECT DISTINCT timezone, activity_date FROM study_days)
),
priorities AS (
    SELECT unnest($wearables_sources) AS source,
        generate_subscripts($wearables_sources, 1) AS priority
),
connections AS (
    SELECT participant_id, source, priority, state, first_asked_on, landed_sync_at, last_pulled_at
    FROM ops.connection
    JOIN priorities USING (source)
    WHERE state <> 'never_connected'
),
offers AS (  -- each day from each source the participant ever connected
    SELECT d.participant_id, d.activity_date, c.source, c.priority, c.state, c.last_pulled_at,
        coalesce(m.day_end_at, n.day_end_at) AS day_end_at,
        coalesce(c.landed_sync_at >= coalesce(m.day_end_at, n.day_end_at), false)
            AND coalesce(c.first_asked_on <= activity_date, true) AS complete,
        coalesce(m.has_minutes OR m.vendor_steps IS NOT NULL, false) AS has_data
    FROM study_days AS d
    JOIN midnights AS n USING (timezone, activity_date)
    JOIN connections AS c USING (participant_id)
    LEFT JOIN day_metric AS m
        ON m.participant_id = d.participant_id AND m.source = c.source
        AND m.activity_date = d.activity_date
),
chosen AS (  -- one source a day, by the protocol's priority; two are never summed
    SELECT participant_id, activity_date, source, state, last_pulled_at, day_end_at, complete
    FROM offers
    QUALIFY row_number() OVER (
        PARTITION BY participant_id, activity_date ORDER BY NOT (complete AND has_data), priority
    ) = 1
),
pull_results AS (
    SELECT participant_id, source, pull_id, max(asked_at) AS asked_at,
        bool_or(reason IN ('misconfigured', 'our_fault', 'bad_reply', 'rate_limited')) AS failed,
        bool_or(reason = 'vendor_outage') AS outage
    FROM ops.receipt
    GROUP BY participant_id, source, pull_id
),
newest_pulls AS (
    FROM pull_results
    QUALIFY row_number() OVER (
        PARTITION BY participant_id, source ORDER BY asked_at DESC, pull_id DESC
    ) = 1
),
nearby_pulls AS (  -- what each participant's pull nearest in time to a failed one ended in
    SELECT n.source, n.asked_at, p.participant_id,
        arg_min(p.outage, (abs(epoch(p.asked_at) - epoch(n.asked_at)), -epoch(p.asked_at)))
            AS outage
    FROM (SELECT DISTINCT source, asked_at FROM newest_pulls WHERE outage) AS n
    JOIN pull_results AS p
        ON p.source = n.source
        AND p.asked_at BETWEEN n.asked_at - to_hours($wearables_outage_hours)
            AND n.asked_at + to_hours($wearables_outage_hours)
    GROUP BY n.source, n.asked_at, p.participant_id
),
outages AS (  -- many participants' pulls failing alike in the same hours: the vendor's, not ours
    SELECT source, asked_at,
        100 * count(*) FILTER (outage) >= $wearables_outage_share_pct * count(*) AS is_shared
    FROM nearby_pulls
    GROUP BY source, asked_at
),
pulls AS (
    SELECT n.participant_id, n.source, n.failed, n.outage,
        coalesce(o.is_shared, false) AS outage_is_shared
    FROM newest_pulls AS n
    LEFT JOIN outages AS o ON n.outage AND o.source = n.source AND o.asked_at = n.asked_at
),
last_syncs AS (  -- of anybody
    SELECT source, max(synced_at) AS last_sync_at FROM ops.connection GROUP BY source
),
stalled AS (  -- nobody syncs, of whom many did daily: the vendor takes nothing in
    SELECT s.source, any_value(s.last_sync_at) AS last_sync_at
    FROM last_syncs AS s
    JOIN ops.connection AS c
        ON c.source = s.source
        AND c.last_pulled_at >= s.last_sync_at + to_hours($wearables_outage_hours)
    JOIN (
        SELECT r.participant_id, r.source
        FROM ops.receipt AS r
        JOIN last_syncs AS s
            ON s.source = r.source
            AND r.asked_at BETWEEN s.last_sync_at - to_days(7) AND s.last_sync_at + to_days(1)
        WHERE r.data_type = 'steps' AND r.reason = 'received'
        GROUP BY r.participant_id, r.source
        HAVING count(DISTINCT CAST(r.asked_at AS DATE)) >= 5
    ) AS daily ON daily.participant_id = c.participant_id AND daily.source = c.source
    GROUP BY s.source
    HAVING count(*) >= $wearables_stalled_participants
),
stopped AS (  -- whose last sync was when everybody's was
    SELECT c.participant_id, c.source, c.synced_at
    FROM ops.connection AS c
    JOIN stalled AS s
        ON s.source = c.source
        AND c.synced_at >= s.last_sync_at - to_hours($wearables_outage_hours)
),
file_sources AS (  -- nothing is forgotten by a file: the next export may reach further
    SELECT DISTINCT source FROM day_metric WHERE era = 'file'
),
goals_in_force AS (
    SELECT d.participant_id, d.activity_date, arg_max(g.goal_steps, g.version) AS goal_steps
    FROM study_days AS d
    JOIN goal AS g
        ON g.participant_id = d.participant_id
        AND d.activity_date BETWEEN g.valid_from AND coalesce(g.valid_to, d.activity_date)
    GROUP BY d.participant_id, d.activity_date
),
facts AS (
    SELECT d.*, c.source, c.state, c.last_pulled_at, f.source IS NOT NULL AS from_files,
        p.failed, p.outage, p.outage_is_shared,
        coalesce(t.synced_at < coalesce(c.day_end_at, n.day_end_at), false) AS stopped_with_others,
        l.lateness_days,
        coalesce(c.day_end_at, n.day_end_at) AS day_end_at,
        coalesce(c.complete, false) AS complete,
        m.vendor_steps > 0 AND NOT m.has_minutes AS only_total,
        coalesce(CASE WHEN m.wear_method = 'steps' THEN m.wear_hours_with_steps > 0
            ELSE m.wear_minutes >= $wear_not_worn_below_minutes END, false) AS worn,
        coalesce({WORN_ENOUGH}, false) AS worn_enough,
        m.steps, m.max_minute_steps
    FROM study_days AS d
    JOIN midnights AS n USING (timezone, activity_date)
    LEFT JOIN chosen AS c USING (participant_id, activity_date)
    LEFT JOIN file_sources AS f ON f.source = c.source
    LEFT JOIN pulls AS p ON p.participant_id = d.participant_id AND p.source = c.source
    LEFT JOIN stopped AS t ON t.participant_id = d.participant_id AND t.source = c.source
    LEFT JOIN ops.lateness AS l ON l.participant_id = d.participant_id AND l.source = c.source
    LEFT JOIN day_metric AS m
        ON m.participant_id = d.participant_id AND m.source = c.source
        AND m.activity_date = d.activity_date
),
states AS (
    SELECT participant_id, activity_date, study_day, source, day_end_at, complete,
        greatest($wearables_final_after_days, coalesce(lateness_days, 0)) AS final_after_days,
        CASE  -- the first that fits is the state
            WHEN activity_date >= withdrawn_on THEN 'outside_study'
            WHEN NOT complete THEN CASE
                WHEN activity_date BETWEEN paused_from AND coalesce(paused_to, activity_date)
                    THEN 'paused'
                WHEN source IS NULL THEN 'never_connected'
                WHEN state IN (
                    'revoked', 'expired', 'scope_missing', 'wrong_account', 'not_linked'
                ) THEN 'consent_lost'
                WHEN failed OR (outage AND NOT outage_is_shared) THEN 'fetch_failed'
                WHEN outage OR stopped_with_others OR state = 'retired' THEN 'vendor_outage'
                WHEN from_files
                    OR $as_of < day_end_at + to_days($wear_minute_memory_days) THEN 'pending_sync'
                WHEN last_pulled_at < day_end_at THEN 'fetch_failed'  -- nobody asked since: ours
                ELSE 'minutes_lost'
            END
            WHEN only_total THEN 'minutes_lost'
            WHEN NOT worn THEN 'not_worn'
            WHEN steps > $wear_implausible_day_steps
                OR max_minute_steps > $wear_implausible_minute_steps
                OR (worn_enough AND steps < $wear_implausible_low_steps) THEN 'implausible'
            WHEN NOT worn_enough THEN 'insufficient_wear'
            ELSE 'valid'
        END AS day_state
    FROM facts
),
days AS (
    SELECT *, day_state IN ('not_worn', 'implausible', 'insufficient_wear', 'valid') AS measured,
        measured OR day_state = 'minutes_lost' AS known
    FROM states
)
SELECT d.participant_id, d.activity_date, d.study_day,
    (d.study_day - 1) // 7 + 1 AS study_week,
    d.day_state,
    d.day_state NOT IN {INELIGIBLE_STATES} AS eligible_day,
    d.day_state = 'valid' AS valid_day,
    d.day_state <> 'outside_study' AND (
        NOT d.complete OR $as_of < d.day_end_at + to_days(d.final_after_days)
    ) AS provisional,
    k.source, k.era, k.device_model, k.day_minutes,
    CASE d.day_state WHEN 'minutes_lost' THEN k.vendor_steps
        WHEN 'not_worn' THEN coalesce(m.steps, 0) ELSE m.steps END AS steps,
    k.vendor_steps,
    abs(m.steps - k.vendor_steps) > k.vendor_steps * $wear_reconcile_pct / 100 AS reconcile,
    CASE WHEN d.day_state = 'not_worn' AND m.wear_method IS DISTINCT FROM 'steps'
        THEN coalesce(m.wear_minutes, 0) ELSE m.wear_minutes END AS wear_minutes,
    m.wear_method, m.timezone_changed,
    {METRICS},
    g.goal_steps,
    CASE WHEN d.day_state = 'valid' THEN m.steps >= g.goal_steps END AS goal_met
FROM days AS d
LEFT JOIN day_metric AS k  -- what is known of the day at all
    ON d.known AND k.participant_id = d.participant_id AND k.source = d.source
    AND k.activity_date = d.activity_date
LEFT JOIN day_metric AS m  -- its minutes
    ON d.measured AND m.participant_id = d.participant_id AND m.source = d.source
    AND m.activity_date = d.activity_date
LEFT JOIN goals_in_force AS g
    ON d.day_state <> 'outside_study' AND g.participant_id = d.participant_id
    AND g.activity_date = d.activity_date
ORDER BY d.participant_id, d.activity_date
"""
