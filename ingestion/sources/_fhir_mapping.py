"""[sources.fhir] of study.toml: which Questionnaire is which instrument, and which visit it was.

All settings are in the words of ingestion.sources.fhir.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ingestion.errors import Misconfigured
from warehouse.study import Study
from warehouse.study_parts import Code

SECTION = "sources.fhir"
ItemCode = Annotated[str, Field(pattern=r"^[A-Za-z0-9_]{1,32}$")]
_CHOSEN = re.compile(r"(?P<link>.+?)(?:#(?P<nth>[1-9]\d*)|=(?P<code>.+))")


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Questionnaire(_Part):
    """One questionnaire's meaning."""

    instrument: Code
    items: Annotated[dict[str, ItemCode], Field(min_length=1)]
    values: dict[str, str] = {}
    visit: Code | None = None

    @property
    def wanted(self) -> dict[str, tuple[str, int | None, str | None]]:
        """Item -> (linkId, which of its answers, which of its codes)."""
        return {item: _wanted(key) for key, item in self.items.items()}


class Mapping(_Part):
    """The section as it was checked."""

    questionnaires: Annotated[dict[str, Questionnaire], Field(min_length=1)]
    encounters: dict[str, Code] = {}
    visit_extension: str | None = None

    def of(self, canonical: str) -> Questionnaire | None:
        """What a canonical URL, with or without a version, or a relative reference means."""
        return self.questionnaires.get(canonical.split("|", 1)[0])


def read_mapping(study: Study) -> Mapping:
    """The mapping of a study; Misconfigured names each key that is wrong."""
    if "fhir" not in study.sources:
        raise Misconfigured(
            f"study.toml: [{SECTION}] is missing; it says which questionnaire is which instrument"
        )
    try:
        mapping = Mapping.model_validate(study.sources["fhir"])
    except ValidationError as error:
        raise Misconfigured("\n".join(map(_sentence, error.errors()))) from None
    if faults := [*_unknown_visits(mapping, study), *_repeated_items(mapping)]:
        raise Misconfigured("\n".join(f"study.toml: {SECTION}.{fault}" for fault in faults))
    return mapping


def _unknown_visits(mapping: Mapping, study: Study) -> Iterator[str]:
    named = {f"encounters.{name}": visit for name, visit in mapping.encounters.items()}
    named |= {
        f"questionnaires.{url}.visit": one.visit
        for url, one in mapping.questionnaires.items()
        if one.visit
    }
    known = [visit.code for visit in study.visits]
    for where, visit in named.items():
        if visit not in known:
            yield f"{where}: unknown visit {visit!r}; known: {', '.join(known)}"


def _repeated_items(mapping: Mapping) -> Iterator[str]:
    for url, one in mapping.questionnaires.items():
        items = list(one.items.values())
        for item in sorted({item for item in items if items.count(item) > 1}):
            yield f"questionnaires.{url}.items: two linkIds are item {item!r}"


def _wanted(key: str) -> tuple[str, int | None, str | None]:
    found = _CHOSEN.fullmatch(key)
    if found is None:
        return key, None, None
    return found["link"], int(found["nth"]) if found["nth"] else None, found["code"]


def _sentence(item: object) -> str:
    error: dict[str, object] = dict(item)  # type: ignore[call-overload]
    where = ".".join(map(str, (SECTION, *error["loc"])))  # type: ignore[misc]
    return f"study.toml: {where}: {error['msg']}"
