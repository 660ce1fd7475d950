"""Who needs a person, and what is held back because many are quiet at once or it is our doing."""

from datetime import datetime

import duckdb

from transforms.cohort.work_reasons import drop_candidates, fill_candidates
from transforms.rules import run
from warehouse.study import Study
from warehouse.tables.ops import ANSWER_TYPES


def derive_work_item(con: duckdb.DuckDBPyConnection, study: Study, as_of: datetime) -> None:
    """Fill `work_item` and `work_cluster`: each reason open at the instant `as_of`.

    Reads participant, participant_day, day_metric, outcome, safety_event, ops.connection, device
    and receipt.

    * A device's silence counts until we last asked: what we have not asked for is not its doing.
    * `not_worn` once the last known days have so many that are not valid that they cannot have
      enough of them. `goal_missed` needs all of its goal days.
    * Of several open visits the one whose window closes first is named.
    * A cluster is at least `cluster_participants` of one source whose silence, or loss of consent,
      began within `cluster_hours`, and `cluster_share_pct` of those who were not quiet by then.
      Windows that overlap are one cluster.
    """
    fill_candidates(con, study, as_of=as_of)
    for sql in (CLUSTERED, CLUSTERS, ITEMS):
        run(con, sql, study, as_of=as_of, answer_types=list(ANSWER_TYPES))
    con.execute("DROP TABLE clustered")
    drop_candidates(con)


# The day that has ended says whose doing it is that nothing came: its state is the first that fits.
_AT_FAULT = """
last_state AS (
    SELECT participant_id, arg_max(day_state, activity_date) AS day_state
    FROM participant_day
    JOIN work_person USING (participant_id)
    WHERE activity_date < today
    GROUP BY participant_id
),
answer_pull AS (  -- whether the newest try to read a participant's answers failed
    SELECT participant_id,
        arg_max(reason IN ('misconfigured', 'our_fault', 'bad_reply', 'rate_limited'),
            asked_at) AS failed,
        arg_max(reason = 'vendor_outage', asked_at) AS outage
    FROM ops.receipt
    WHERE data_type IN (SELECT unnest($answer_types))
    GROUP BY participant_id
),
blame AS (
    SELECT c.participant_id, c.reason,
        CASE
            WHEN c.reason = 'not_synced' THEN CASE l.day_state
                WHEN 'fetch_failed' THEN 'our_fault'
                WHEN 'vendor_outage' THEN 'vendor_outage' END
            WHEN c.queue = 'chase' THEN CASE
                WHEN a.failed THEN 'our_fault' WHEN a.outage THEN 'vendor_outage' END
        END AS because
    FROM work_candidate AS c
    LEFT JOIN last_state AS l USING (participant_id)
    LEFT JOIN answer_pull AS a USING (participant_id)
)
"""

CLUSTERED = f"""
CREATE TEMP TABLE clustered AS
WITH {_AT_FAULT},
quiet AS (
    SELECT participant_id, reason, source, since_at
    FROM work_candidate
    JOIN blame USING (participant_id, reason)
    WHERE reason IN ('not_synced', 'consent_lost') AND because IS NULL AND NOT paused
),
reporting AS (  -- since when each is quiet; blank for who is not
    SELECT n.participant_id, n.source, q.reason, q.since_at
    FROM ops.connection AS n
    JOIN work_person AS p USING (participant_id)
    LEFT JOIN quiet AS q USING (participant_id, source)
    WHERE p.wears AND NOT p.paused AND (n.state = 'active' OR q.reason IS NOT NULL)
),
windows AS (
    SELECT *, since_at + to_hours($work_list_cluster_hours) AS ends_at,
        count(*) OVER (
            PARTITION BY reason, source ORDER BY since_at
            RANGE BETWEEN CURRENT ROW AND to_hours($work_list_cluster_hours) FOLLOWING
        ) AS together
    FROM quiet
),
counted AS (
    SELECT w.participant_id, w.reason, w.source, w.since_at, w.ends_at, w.together,
        count(*) FILTER (r.since_at IS NULL OR r.since_at >= w.since_at) AS not_quiet_before
    FROM windows AS w
    JOIN reporting AS r USING (source)
    WHERE w.together >= $work_list_cluster_participants
    GROUP BY ALL
),
steep AS (
    FROM counted
    WHERE 100 * together >= $work_list_cluster_share_pct * not_quiet_before
),
begun AS (  -- where a window begins that no earlier one reaches into
    SELECT *, coalesce(since_at > max(ends_at) OVER (
        PARTITION BY reason, source ORDER BY since_at, participant_id
        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    ), true) AS begins
    FROM steep
),
islands AS (
    SELECT *, sum(CAST(begins AS INTEGER)) OVER (
        PARTITION BY reason, source ORDER BY since_at, participant_id
    ) AS island
    FROM begun
),
spans AS (
    SELECT reason, source, min(since_at) AS from_at, max(ends_at) AS reaches_at,
        arg_min(not_quiet_before, since_at) AS of_participants
    FROM islands
    GROUP BY reason, source, island
)
SELECT q.participant_id, q.reason, q.source, q.since_at, s.from_at, s.of_participants,
    CAST(dense_rank() OVER (ORDER BY s.from_at, q.reason, q.source) AS INTEGER) AS cluster_id
FROM quiet AS q
JOIN spans AS s
    ON s.reason = q.reason AND s.source = q.source
    AND q.since_at BETWEEN s.from_at AND s.reaches_at
"""

CLUSTERS = """
INSERT INTO ops.work_cluster BY NAME
SELECT cluster_id, reason, source, min(since_at) AS from_at, max(since_at) AS to_at,
    count(*) AS participants, any_value(of_participants) AS of_participants,
    max(since_at) + to_days($work_list_cluster_hold_days) AS until_at
FROM clustered
GROUP BY cluster_id, reason, source
"""

ITEMS = f"""
INSERT INTO ops.work_item BY NAME
WITH {_AT_FAULT},
judged AS (
    SELECT c.*, k.cluster_id,
        CASE
            WHEN c.reason = 'safety_event' THEN NULL  -- seen whatever else is the matter
            WHEN b.because IS NOT NULL THEN b.because
            WHEN CAST($as_of AS TIMESTAMPTZ) < k.until_at THEN 'cluster'
            WHEN c.paused THEN 'paused'
        END AS held_because
    FROM work_candidate AS c
    JOIN blame AS b USING (participant_id, reason)
    LEFT JOIN (
        SELECT participant_id, reason, cluster_id, until_at
        FROM clustered JOIN ops.work_cluster USING (cluster_id, reason, source)
    ) AS k USING (participant_id, reason)
)
SELECT participant_id, reason, queue, CAST(priority AS INTEGER) AS priority, level,
    coalesce(since_on, CAST(since_at AT TIME ZONE timezone AS DATE)) AS since_on, since_at,
    CAST(CASE WHEN since_at IS NOT NULL
        THEN greatest(0, floor((epoch(CAST($as_of AS TIMESTAMPTZ)) - epoch(since_at)) / 86400))
        WHEN since_on IS NOT NULL THEN greatest(0, today - since_on) END AS INTEGER) AS days,
    visit, closes_on, scales_open, scale, kind, value, of_value, limit_value, source,
    CASE
        WHEN held_because = 'our_fault' THEN 'ours'
        WHEN held_because IN ('vendor_outage', 'cluster') OR kind = 'retired' THEN 'vendor'
        ELSE fault
    END AS fault,
    held_because IS NOT NULL AS held_back,
    held_because, cluster_id, happened_once, occurrence
FROM judged
"""
