"""What the facts mean: person-days, person-weeks, scores, outcomes, and the join of the two."""

from warehouse.tables.derived.activity import (
    day_metric,
    participant_day,
    participant_week,
)
from warehouse.tables.derived.adherence import (
    adherence,
    baseline_activity,
    completeness,
    goal_proposal,
)
from warehouse.tables.derived.bridge import bridge
from warehouse.tables.derived.cohort import (
    COHORT_COLUMNS,
    COHORT_KINDS,
    cohort_member,
    cohort_outcome,
    cohort_responder,
    cohort_week,
)
from warehouse.tables.derived.columns import DAY_STATES, UNKNOWN_STATES, VISIT_STATUSES
from warehouse.tables.derived.implementation import flow, implementation
from warehouse.tables.derived.join import activity_outcome, treatment, week_series
from warehouse.tables.derived.outcomes import outcome, responder, scale, score, visit
from warehouse.tables.derived.safety import safety_event
from warehouse.tables.derived.sensitivity import wear_rule_sensitivity

__all__ = [
    "COHORT_COLUMNS",
    "COHORT_KINDS",
    "DAY_STATES",
    "UNKNOWN_STATES",
    "VISIT_STATUSES",
    "activity_outcome",
    "adherence",
    "baseline_activity",
    "bridge",
    "cohort_member",
    "cohort_outcome",
    "cohort_responder",
    "cohort_week",
    "completeness",
    "day_metric",
    "flow",
    "goal_proposal",
    "implementation",
    "outcome",
    "participant_day",
    "participant_week",
    "responder",
    "safety_event",
    "scale",
    "score",
    "treatment",
    "visit",
    "wear_rule_sensitivity",
    "week_series",
]
