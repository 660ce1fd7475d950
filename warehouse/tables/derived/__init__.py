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
from warehouse.tables.derived.monitoring import (
    cohort_completeness,
    recruitment,
    retention,
    site_figure,
    who_is_missing,
)
from warehouse.tables.derived.outcomes import outcome, responder, scale, score, visit
from warehouse.tables.derived.safety import safety_event
from warehouse.tables.derived.sensitivity import wear_rule_sensitivity
from warehouse.tables.derived.slope import activity_slope
from warehouse.tables.derived.work import (
    outcome_rescue,
    rescue_item,
    response_rate,
    work_cluster,
    work_item,
    work_load,
)

__all__ = [
    "COHORT_COLUMNS",
    "COHORT_KINDS",
    "DAY_STATES",
    "UNKNOWN_STATES",
    "VISIT_STATUSES",
    "activity_outcome",
    "activity_slope",
    "adherence",
    "baseline_activity",
    "bridge",
    "cohort_completeness",
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
    "outcome_rescue",
    "participant_day",
    "participant_week",
    "recruitment",
    "rescue_item",
    "responder",
    "response_rate",
    "retention",
    "safety_event",
    "scale",
    "score",
    "site_figure",
    "treatment",
    "visit",
    "wear_rule_sensitivity",
    "week_series",
    "who_is_missing",
    "work_cluster",
    "work_item",
    "work_load",
]
