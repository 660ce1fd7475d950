"""Which of the answers due came, by visit."""

import duckdb

from transforms.rules import run
from warehouse.study import Study


def derive_completeness(con: duckdb.DuckDBPyConnection, study: Study) -> None:
    """Fill `completeness` from `outcome`: a row per participant and visit that has come due.

    `received` counts the scales with a score, whether or not it could be compared with a baseline.
    A participant who withdrew before a window opened owes nothing at that visit: no row.
    """
    run(con, COMPLETENESS, study)


COMPLETENESS = """
INSERT INTO completeness BY NAME
WITH visits AS (
    SELECT participant_id, visit,
        count(*) AS due,
        count(*) FILTER (WHERE status IN ('received', 'missed')) AS settled,
        count(*) FILTER (WHERE status = 'received') AS received
    FROM outcome
    WHERE status NOT IN ('not_due', 'outside_study')
    GROUP BY participant_id, visit
)
SELECT participant_id, visit, due, settled, received,
    received / due AS received_of_due,
    received / nullif(settled, 0) AS received_of_settled
FROM visits
ORDER BY participant_id, visit
"""
