"""What is wrong with what came, counted by day: the data-quality page reads it."""

from __future__ import annotations

import duckdb

from transforms.rules import run
from warehouse.study import Study


def derive_receipt_day(con: duckdb.DuckDBPyConnection, study: Study) -> None:
    """Fill `ops.receipt_day` from the receipts of this build."""
    run(con, RECEIPT_DAYS, study)


def derive_rejection_day(con: duckdb.DuckDBPyConnection, study: Study) -> None:
    """Fill `ops.rejection_day` from every refusal whose day is known."""
    run(con, REJECTION_DAYS, study)


def derive_implausible_day(con: duckdb.DuckDBPyConnection, study: Study) -> None:
    """Fill `ops.implausible_day`: the days that pass a bound of the protocol, by which one.

    A day is counted under each bound that it passes.
    """
    run(con, IMPLAUSIBLE_DAYS, study)


RECEIPT_DAYS = """
INSERT INTO ops.receipt_day BY NAME
SELECT source, data_type, reason, CAST(asked_at AS DATE) AS asked_on,
    count(DISTINCT participant_id) AS participants, count(*) AS receipts,
    sum(received) AS received, sum(landed) AS landed, sum(rejected) AS rejected
FROM ops.receipt
GROUP BY ALL
"""

REJECTION_DAYS = """
INSERT INTO ops.rejection_day BY NAME
SELECT source, data_type, reason, CAST(asked_at AS DATE) AS asked_on,
    count(DISTINCT participant_id) AS participants, sum(points) AS points
FROM ops.rejection
WHERE asked_at IS NOT NULL
GROUP BY ALL
"""

IMPLAUSIBLE_DAYS = """
INSERT INTO ops.implausible_day BY NAME
WITH flagged AS (
    SELECT p.source, p.activity_date, p.participant_id, unnest(list_filter([
        CASE WHEN p.steps > $wear_implausible_day_steps THEN 'day_steps' END,
        CASE WHEN m.max_minute_steps > $wear_implausible_minute_steps THEN 'minute_steps' END,
        CASE WHEN p.steps < $wear_implausible_low_steps THEN 'low_steps' END
    ], lambda reason: reason IS NOT NULL)) AS reason
    FROM participant_day AS p
    JOIN day_metric AS m
        ON m.participant_id = p.participant_id AND m.source = p.source
        AND m.activity_date = p.activity_date
    WHERE p.day_state = 'implausible'
)
SELECT source, reason, activity_date, count(DISTINCT participant_id) AS participants
FROM flagged
GROUP BY ALL
"""
