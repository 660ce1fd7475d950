"""Parts of study.toml that carry rules of their own: goals, treatment, named cohorts."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from warehouse.schema import Type
from warehouse.tables.landed import ERAS, participant

Code = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,31}$")]
Days = Annotated[int, Field(ge=0, le=3660)]
Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]

# What a condition may rest on: the roster, and what `cohort_member` adds to it.
COHORT_COLUMNS = {c.name: c.type for c in participant.columns if c.name != "participant_id"}
COHORT_COLUMNS |= {"device_model": Type.TEXT, "era": Type.TEXT}
ALLOWED = {c.name: c.allowed for c in participant.columns if c.allowed} | {"era": ERAS}
REVEALS_ARM = {c.name for c in participant.columns if c.reveals_arm}


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Goals(_Part):
    """Baseline activity, the rule that proposes goals, and what adherence to them is.

    `arms` are those whose participants are given goals; none named is all of them.
    """

    arms: list[Code] = []
    baseline_days: Days = 14
    baseline_skip_days: Days = 2
    baseline_min_valid_days: Annotated[int, Field(ge=1)] = 4
    baseline_min_weekend_days: Annotated[int, Field(ge=0)] = 1
    rule: Literal["baseline_growth", "percentile", "fixed_increment"] = "baseline_growth"
    growth_pct: Annotated[float, Field(ge=0, le=100)] = 10
    most_above_baseline: Annotated[int, Field(ge=0)] = 3000
    most_steps: Annotated[int, Field(ge=1)] = 10_000
    percentile: Annotated[float, Field(gt=0, le=100)] = 60
    percentile_days: Annotated[int, Field(ge=1)] = 9
    increment_steps: Annotated[int, Field(ge=0)] = 800
    round_to: Annotated[int, Field(ge=1)] = 100
    adherent_week_goal_days: Annotated[int, Field(ge=1, le=7)] = 5
    adherent_weeks_pct: Annotated[float, Field(ge=0, le=100)] = 70
    guideline_mvpa_minutes: Annotated[int, Field(ge=1)] = 150
    persistence_gap_days: Annotated[int, Field(ge=1)] = 14

    @model_validator(mode="after")
    def _baseline_can_be_had(self) -> Goals:
        if self.baseline_skip_days + self.baseline_min_valid_days > self.baseline_days:
            raise ValueError(
                "baseline_days leaves fewer than baseline_min_valid_days after baseline_skip_days"
            )
        return self


class Treatment(_Part):
    episode_gap_days: Annotated[int, Field(ge=1, le=3660)] = 90


class SiteFigures(_Part):
    """What the key figures of the sites count."""

    synced_within_days: Annotated[int, Field(ge=1, le=60)] = 2


class SafetyEvent(_Part):
    """An answer, as received, that is an event: adverse, a red flag, or another `kind`."""

    kind: Code
    instrument: Code
    item: Annotated[str, Field(min_length=1)]
    at_least: float = 1


class Condition(_Part):
    """A column of the roster, or a scale's baseline: `one_of` some values, or within bounds."""

    column: Annotated[
        str | None,
        Field(description="a column of the roster, `device_model` or `era`; or give `scale`"),
    ] = None
    scale: Annotated[
        Code | None,
        Field(description="a scale's code: its baseline is meant; or give `column`"),
    ] = None
    one_of: Annotated[
        list[str | bool],
        Field(description="of a column of texts, or true and false: any of these values"),
    ] = []
    at_least: Annotated[
        float | date | None,
        Field(description="of a scale, or a column of numbers or dates: this or more, or later"),
    ] = None
    at_most: Annotated[
        float | date | None,
        Field(description="of the same: this or less, or earlier; with `at_least`, between them"),
    ] = None

    @model_validator(mode="after")
    def _can_be_judged(self) -> Condition:
        if (self.column is None) == (self.scale is None):
            raise ValueError("give either a column or a scale")
        if self.column is not None and self.column not in COHORT_COLUMNS:
            known = ", ".join(sorted(COHORT_COLUMNS))
            raise ValueError(f"unknown column {self.column!r}; known: {known}")
        wrong = self._type_fault(COHORT_COLUMNS.get(self.column or "", Type.REAL))
        if wrong:
            raise ValueError(f"{self.column or self.scale}: {wrong}")
        return self

    def _type_fault(self, kind: Type) -> str:
        bounds = [bound for bound in (self.at_least, self.at_most) if bound is not None]
        if kind in (Type.TEXT, Type.BOOLEAN):
            wants_flag = kind is Type.BOOLEAN
            listed = [isinstance(value, bool) == wants_flag for value in self.one_of]
            of = "true or false" if wants_flag else "texts"
            right = bool(listed) and all(listed) and not bounds
            return "" if right else f"give one_of, a list of {of}, and no bounds"
        wants_date = kind is Type.DATE
        fitting = [isinstance(bound, date) == wants_date for bound in bounds]
        of = "dates" if wants_date else "numbers"
        right = bool(fitting) and all(fitting) and not self.one_of
        return "" if right else f"give at_least, at_most or both, as {of}"


class NamedCohort(_Part):
    """A set of participants by a name of the study's own: `all` or `any` of its conditions hold."""

    code: Annotated[Code, Field(description="its name in the column `cohort`")]
    label: Annotated[str, Field(description="its name for people")]
    where: Annotated[
        list[Condition], Field(min_length=1, description="a list of conditions, one or more")
    ]
    match: Annotated[
        Literal["all", "any"],
        Field(description="whether `all` of the conditions must hold, or `any` one"),
    ] = "all"

    @property
    def reveals_arm(self) -> bool:
        """Whether who belongs to it tells an arm or a therapist."""
        return any(condition.column in REVEALS_ARM for condition in self.where)
