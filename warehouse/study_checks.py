"""Rules over the whole study, each told with the place in study.toml that breaks it."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any

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
