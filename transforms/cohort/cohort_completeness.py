"""Which of the answers due came, by cohort, visit and scale."""

from datetime import datetime

import duckdb

from transforms.cohort.interval import wilson
from transforms.rules import settings_in
from warehouse.disclosure import insert_shown
from warehouse.study import Study
from warehouse.tables import derived

# While a window is open only those who answered are certain: a share of them would always be 1.
# So shares are of windows that have closed. A discharge has no window: it closes with its answers.
WINDOWS = """
    SELECT o.*, status = 'received' AS came,
        coalesce(closes_on < CAST($as_of AT TIME ZONE timezone AS DATE),
            status IN ('received', 'missed')) AS closed
    FROM outcome AS o
    JOIN participant USING (participant_id)
    WHERE status NOT IN ('not_due', 'outside_study')
"""

OF_CLOSED = (
    "closed",
    "received_closed",
    "received_of_closed",
    "participants_closed",
    "participants_complete",
    "complete_share",
    "complete_ci_low",
    "complete_ci_high",
)


def derive_cohort_completeness(
    con: duckdb.DuckDBPyConnection, study: Study, as_of: datetime
) -> None:
    """Fill `cohort_completeness` from `outcome`, `participant` and `cohort_member`.

    A row per scale and one over all scales. A participant who withdrew before a window opened owes
    nothing at that visit. Small cells are withheld.
    """
    ci_low, ci_high = wilson("participants_complete", "participants_closed")
    cells = CELLS.replace("{ci_low}", ci_low).replace("{ci_high}", ci_high)
    insert_shown(
        con,
        derived.cohort_completeness,
        cells,
        ("participants",),
        study.study.small_cell,
        settings_in(cells, study, as_of=as_of),
        {OF_CLOSED: ("participants_closed",)},
    )


CELLS = f"""
WITH owed AS ({WINDOWS}),
person AS (
    SELECT participant_id, visit, scale,
        count(*) AS due,
        count_if(closed) AS closed,
        count_if(came) AS received,
        count_if(closed AND came) AS received_closed
    FROM owed
    GROUP BY GROUPING SETS ((participant_id, visit, scale), (participant_id, visit))
),
cell AS (
    SELECT cohort_kind, cohort, visit, scale,
        count(*) AS participants,
        sum(due) AS due, sum(closed) AS closed, sum(received) AS received,
        sum(received_closed) AS received_closed,
        count_if(closed = due) AS participants_closed,
        count_if(closed = due AND received = due) AS participants_complete
    FROM person
    JOIN cohort_member USING (participant_id)
    GROUP BY cohort_kind, cohort, visit, scale
)
SELECT *,
    received / due AS received_of_due,
    received_closed / nullif(closed, 0) AS received_of_closed,
    participants_complete / nullif(participants_closed, 0) AS complete_share,
    {{ci_low}} AS complete_ci_low,
    {{ci_high}} AS complete_ci_high
FROM cell
"""
