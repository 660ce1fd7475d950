"""Rules over the whole study, each told with the place in study.toml that breaks it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import TYPE_CHECKING, Any, get_args

from pydantic import BaseModel

from warehouse.study_parts import ALLOWED

if TYPE_CHECKING:
    from warehouse.study import Study


class Contradiction(ValueError):
    """A broken rule and where: a path such as ["visits", 2, "opens_day"]."""

    def __init__(self, location: list[Any], sentence: str) -> None:
        super().__init__(sentence)
        self.location = location


def check_outcomes(study: Study) -> None:
    """Raise Contradiction where a scale has two outcomes, or one a visit or a threshold twice."""
    first: dict[str, int] = {}
    for position, outcome in enumerate(study.outcomes):
        if outcome.scale in first:
            raise Contradiction(
                ["outcomes", position, "scale"],
                f"{outcome.scale} has an outcome already, number {first[outcome.scale] + 1}; "
                "give a scale one [[outcomes]]",
            )
        first[outcome.scale] = position
        for name in ("visits", "responders"):
            listed = getattr(outcome, name)
            if any(one == other for one, other in combinations(listed, 2)):
                raise Contradiction(
                    ["outcomes", position, name], f"{outcome.scale}: one is listed twice"
                )


def check_goals(study: Study) -> None:
    """Raise Contradiction where `goals.arms` names an arm that there is not."""
    known = [arm.code for arm in study.arms]
    for code in study.goals.arms:
        if code not in known:
            raise Contradiction(
                ["goals", "arms"], f"unknown arm {code!r}; known: {', '.join(sorted(known))}"
            )


def check_cohorts(study: Study) -> None:
    """Raise Contradiction where a cohort's condition lists a value that its column cannot have."""
    allowed = {
        **ALLOWED,
        "site": tuple(site.code for site in study.sites),
        "arm": tuple(arm.code for arm in study.arms),
        "therapist_id": tuple(therapist.code for therapist in study.therapists),
    }
    for position, cohort in enumerate(study.cohorts):
        for place, condition in enumerate(cohort.where):
            known = allowed.get(condition.column or "", ())
            for value in condition.one_of if known else ():
                if value not in known:
                    raise Contradiction(
                        ["cohorts", position, "where", place, "one_of"],
                        f"unknown {condition.column} {value!r}; known: {', '.join(known)}",
                    )


def settings_at(model: type[BaseModel], location: list[Any]) -> list[str]:
    """The settings that the part of study.toml at `location` can have, of its model."""
    for name in location:
        field = model.model_fields.get(name) if isinstance(name, str) else None
        if field is None:  # a place in a list, or a code of the study's own
            continue
        model = next(iter(_models_in(field.annotation)), model)
    return list(model.model_fields)


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models_in(part)


def check_windows(study: Study) -> None:
    """Raise Contradiction where the windows of two visits of one scale share a day.

    An answer of that day would count for both. Visits of different scales may overlap.
    """
    places = {visit.code: position for position, visit in enumerate(study.visits)}
    dated = [visit for visit in study.visits if visit.opens_day is not None]
    for one, other in combinations(dated, 2):
        earlier, later = sorted((one, other), key=lambda visit: (visit.opens_day or 0, visit.code))
        shared = [
            outcome.scale
            for outcome in study.outcomes
            if {one.code, other.code} <= set(outcome.visits)
        ]
        if shared and (later.opens_day or 0) <= (earlier.closes_day or 0):
            raise Contradiction(
                ["visits", places[later.code], "opens_day"],
                f"visit {later.code} opens on day {later.opens_day}, but {earlier.code} closes "
                f"on day {earlier.closes_day} and {shared[0]} is due at both; an answer counts "
                "for one visit",
            )


def check_recruitment(study: Study) -> None:
    """Raise Contradiction where a plan of recruitment has no end, or ends before it begins."""
    ends_on = study.study.recruitment_ends_on
    planned = [position for position, site in enumerate(study.sites) if site.planned is not None]
    if planned and ends_on is None:
        raise Contradiction(
            ["sites", planned[0], "planned"],
            "give [study] recruitment_ends_on: the plan is spread over the days until then",
        )
    if ends_on is not None and ends_on < study.study.first_day:
        raise Contradiction(
            ["study", "recruitment_ends_on"], "recruitment_ends_on is before first_day"
        )
