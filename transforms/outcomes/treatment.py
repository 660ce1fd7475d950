"""Treatment sessions of each participant, in episodes of care."""

import duckdb
import pyarrow as pa

from transforms.outcomes.forms import FIRST_SOURCE
from transforms.outcomes.given import given
from transforms.rules import run
from warehouse.study import Study


def derive_treatment(con: duckdb.DuckDBPyConnection, study: Study) -> None:
    """Fill `treatment` from `treatment_session`: a row for everyone.

    Where two sources hold a participant's sessions one is taken, as for answers. Sessions whose
    attendance is not stated count in `sessions` alone. A session without a day is of the episode
    of the one before it.
    """
    arms = [
        {"arm": arm.code, "least": arm.sessions_least, "most": arm.sessions_most}
        for arm in study.arms
    ]
    schema = pa.schema({"arm": pa.string(), "least": pa.int32(), "most": pa.int32()})
    with given(con, arm_sessions=pa.Table.from_pylist(arms, schema=schema)):
        run(con, TREATMENTS, study, first_source=FIRST_SOURCE)


TREATMENTS = """
INSERT INTO treatment BY NAME
WITH chosen AS (
    SELECT participant_id, arg_min(source, (source <> $first_source, source)) AS source
    FROM treatment_session
    GROUP BY participant_id
),
session AS (
    SELECT participant_id, session_number, attended, held_on,
        held_on - max(held_on) FILTER (WHERE attended) OVER (
            PARTITION BY participant_id ORDER BY held_on, session_number
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS days_since_last
    FROM treatment_session
    SEMI JOIN chosen USING (participant_id, source)
),
counted AS (
    SELECT participant_id,
        count(session_number) AS sessions,
        count(attended) AS stated,
        count(*) FILTER (WHERE attended) AS came,
        count(*) FILTER (WHERE attended AND days_since_last > $treatment_episode_gap_days)
            + CAST(came > 0 AS INTEGER) AS episodes,
        min(held_on) FILTER (WHERE attended) AS first_on,
        max(held_on) FILTER (WHERE attended) AS last_on
    FROM participant
    LEFT JOIN session USING (participant_id)
    GROUP BY participant_id
)
SELECT participant_id, sessions, stated AS sessions_stated, came AS attended,
    came / nullif(stated, 0) AS attended_share,
    episodes,
    came / nullif(episodes, 0) AS sessions_per_episode,
    first_on, last_on,
    CASE WHEN came > 0 THEN came BETWEEN least AND most END AS by_protocol
FROM counted
JOIN participant USING (participant_id)
LEFT JOIN arm_sessions USING (arm)
ORDER BY participant_id
"""
