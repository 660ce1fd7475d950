"""What the facts mean: person-days, person-weeks, scores, outcomes, and the join of the two."""

from warehouse.tables.derived.activity import (
    adherence,
    day_metric,
    participant_day,
    participant_week,
)
from warehouse.tables.derived.bridge import bridge
from warehouse.tables.derived.cohort import (
    COHORT_COLUMNS,
    COHORT_KINDS,
    cohort_outcome,
    cohort_week,
)
from warehouse.tables.derived.columns import DAY_STATES, UNKNOWN_STATES, VISIT_STATUSES
from warehouse.tables.derived.outcomes import activity_outcome, outcome, scale, score, visit

__all__ = [
    "COHORT_COLUMNS",
    "COHORT_KINDS",
    "DAY_STATES",
    "UNKNOWN_STATES",
    "VISIT_STATUSES",
    "activity_outcome",
    "adherence",
    "bridge",
    "cohort_outcome",
    "cohort_week",
    "day_metric",
    "outcome",
    "participant_day",
    "participant_week",
    "scale",
    "score",
    "visit",
]
