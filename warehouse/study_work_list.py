"""`[work_list]` of study.toml: when a participant needs a person, and what a complete record is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from warehouse.study_checks import Contradiction
from warehouse.study_parts import Code

if TYPE_CHECKING:
    from warehouse.study import Study

Count = Annotated[int, Field(ge=1, le=366)]


class ScoreLimit(BaseModel):
    """A scale's limit: a score `worse_by` that much than at baseline, or one that `reaches` it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    scale: Code
    worse_by: Annotated[float, Field(gt=0)] | None = None
    reaches: float | None = None

    @model_validator(mode="after")
    def _limits_something(self) -> ScoreLimit:
        if self.worse_by is None and self.reaches is None:
            raise ValueError("give worse_by, reaches, or both")
        return self


class WorkList(BaseModel):
    """When a participant is listed, for how long a contact quiets it, when many are one cause."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    not_synced_days: Count = 2
    not_synced_red_days: Count = 5
    not_synced_escalate_days: Count = 7
    worn_days_least: Count = 4
    worn_of_days: Count = 7
    worn_within_days: Count = 14
    battery_below_pct: Annotated[int, Field(ge=1, le=100)] = 20
    goal_days: Count = 14
    goal_within_days: Count = 28
    still_wearing_days: Count = 7
    limits: list[ScoreLimit] = []
    answer_days: Count = 28
    device_swap_days: Count = 14
    quiet_days: Annotated[int, Field(ge=0, le=366)] = 3
    cluster_participants: Annotated[int, Field(ge=2)] = 5
    cluster_hours: Annotated[int, Field(ge=1, le=168)] = 6
    cluster_share_pct: Annotated[float, Field(gt=0, le=100)] = 20
    cluster_hold_days: Count = 5
    load_weeks: Annotated[int, Field(ge=1, le=104)] = 12
    complete_visits: list[Code] = []
    complete_scales: list[Code] = []
    own_rate_from: Count = 20

    @model_validator(mode="after")
    def _thresholds_in_order(self) -> WorkList:
        if not self.not_synced_days < self.not_synced_red_days < self.not_synced_escalate_days:
            raise ValueError(
                "not_synced_days, not_synced_red_days and not_synced_escalate_days must rise"
            )
        for least, most in (
            ("worn_days_least", "worn_of_days"),
            ("worn_of_days", "worn_within_days"),
            ("goal_days", "goal_within_days"),
        ):
            if getattr(self, least) > getattr(self, most):
                raise ValueError(f"{least} is more than {most}")
        return self


def check_work_list(study: Study) -> None:
    """Raise Contradiction where [work_list] names a visit or a scale that it cannot."""
    dated = {visit.code for visit in study.visits if not visit.at_discharge}
    scales = {outcome.scale for outcome in study.outcomes}
    named = [("complete_visits", code, dated) for code in study.work_list.complete_visits]
    named += [("complete_scales", code, scales) for code in study.work_list.complete_scales]
    named += [("limits", limit.scale, scales) for limit in study.work_list.limits]
    for setting, code, known in named:
        if code not in known:
            raise Contradiction(
                ["work_list", setting], f"unknown {code!r}; known: {', '.join(sorted(known))}"
            )
    limited = [limit.scale for limit in study.work_list.limits]
    if len(set(limited)) < len(limited):
        raise Contradiction(["work_list", "limits"], "a scale has two limits; give it one")
    visits, wanted = required_of(study)
    if not any(set(o.visits) & set(visits) for o in study.outcomes if o.scale in wanted):
        raise Contradiction(
            ["work_list", "complete_scales"], "none of them is due at any of complete_visits"
        )


def required_of(study: Study) -> tuple[list[str], list[str]]:
    """Visits and scales of a complete record.

    By default the baseline and the last visit with a window, and every scale due at them.
    """
    dated = [visit for visit in study.visits if visit.week is not None]
    first_and_last = sorted(dated, key=lambda visit: visit.week or 0)
    ends = [one.code for one in (first_and_last[:1] + first_and_last[1:][-1:])]
    visits = study.work_list.complete_visits or ends
    scales = study.work_list.complete_scales or [outcome.scale for outcome in study.outcomes]
    return visits, scales
