"""Every derived table above the days of minutes, in the order of their making.

A new one is a line of DERIVATIONS, below those that it reads. It is run in every build, for
everybody, whatever changed; of a build that starts from a copy of the last one, only the rows that
differ are written.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from datetime import datetime

from transforms.activity.bridge import derive_bridge
from transforms.activity.participant_day import derive_participant_day
from transforms.activity.week import derive_participant_week
from transforms.cohort.activity_slope import derive_activity_slope
from transforms.cohort.adherence import derive_adherence
from transforms.cohort.cohort import derive_cohort_member
from transforms.cohort.cohort_completeness import derive_cohort_completeness
from transforms.cohort.cohort_outcome import derive_cohort_outcome, derive_cohort_responder
from transforms.cohort.cohort_week import derive_cohort_week
from transforms.cohort.completeness import derive_completeness
from transforms.cohort.flow import derive_flow
from transforms.cohort.goals import derive_baseline_activity, derive_goal_proposal
from transforms.cohort.implementation import derive_implementation
from transforms.cohort.outcome_rescue import derive_outcome_rescue
from transforms.cohort.recruitment import derive_recruitment
from transforms.cohort.retention import derive_retention
from transforms.cohort.sensitivity import derive_wear_rule_sensitivity
from transforms.cohort.site_figure import derive_site_figure
from transforms.cohort.who_is_missing import derive_who_is_missing
from transforms.cohort.work_list import derive_work_item
from transforms.cohort.work_load import derive_work_load
from transforms.load import LOADED
from transforms.outcomes.activity_outcome import derive_activity_outcome
from transforms.outcomes.outcome import derive_outcome
from transforms.outcomes.reference import derive_scale, derive_visit
from transforms.outcomes.responder import derive_responder
from transforms.outcomes.safety import derive_safety_event
from transforms.outcomes.score import derive_score
from transforms.outcomes.treatment import derive_treatment
from transforms.outcomes.week_series import derive_week_series
from transforms.quality import derive_implausible_day, derive_receipt_day, derive_rejection_day
from transforms.stale import derive_stale_days, derive_stale_weeks
from warehouse.edition import Edition
from warehouse.study import Study
from warehouse.tables import DERIVED, OPS, ops
from warehouse.tables.derived import day_metric, participant_day, participant_week

# Functions `(con, study)` or `(con, study, as_of)` that fill a table, or several, from empty.
DERIVATIONS: tuple[Callable[..., None], ...] = (
    derive_scale,
    derive_visit,
    derive_participant_day,
    derive_participant_week,
    derive_adherence,
    derive_baseline_activity,
    derive_goal_proposal,
    derive_bridge,
    derive_score,
    derive_safety_event,
    derive_outcome,
    derive_activity_outcome,
    derive_responder,
    derive_completeness,
    derive_week_series,
    derive_treatment,
    derive_cohort_member,
    derive_cohort_week,
    derive_cohort_outcome,
    derive_cohort_responder,
    derive_activity_slope,
    derive_flow,
    derive_implementation,
    derive_cohort_completeness,
    derive_who_is_missing,
    derive_retention,
    derive_recruitment,
    derive_site_figure,
    derive_wear_rule_sensitivity,
    derive_work_item,
    derive_work_load,
    derive_outcome_rescue,
    derive_receipt_day,
    derive_rejection_day,
    derive_implausible_day,
)

# What is derived in part where the rest of the last build's rows still hold.
IN_PART: dict[Callable[..., None], Callable[[Edition, Study, datetime], None]] = {
    derive_participant_day: derive_stale_days,
    derive_participant_week: derive_stale_weeks,
}
_FILLED_APART = (
    day_metric, participant_day, participant_week, *LOADED,
    ops.lake_file, ops.build, ops.definition, ops.check_result, ops.content_chunk,
)  # fmt: skip
WHOLE = tuple(table for table in (*DERIVED, *OPS) if table not in _FILLED_APART)


def derive_all(edition: Edition, study: Study, as_of: datetime) -> None:
    """Fill every derived table of a build whose landed tables and days of minutes are there."""
    with edition.deriving(*WHOLE):
        for derive in DERIVATIONS:
            if edition.is_copy and derive in IN_PART:
                IN_PART[derive](edition, study, as_of)
            elif "as_of" in inspect.signature(derive).parameters:
                derive(edition.con, study, as_of)
            else:
                derive(edition.con, study)
