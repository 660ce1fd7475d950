"""[sources.redcap] of study.toml: which REDCap field means what."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from difflib import get_close_matches
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ingestion.errors import BadInput, Misconfigured
from warehouse.study import Study, Zone
from warehouse.study_parts import Code

SECTION = "sources.redcap"
ACCESS_GROUP = "redcap_data_access_group"
FieldName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]  # a checkbox's option: field___1


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Instrument(_Part):
    """Fields of an instrument by item: listed, or a pattern for items 1 to `items`."""

    date: FieldName | None = None
    fields: dict[str, FieldName] = {}
    fields_from: str | None = None
    items: Annotated[int, Field(ge=1, le=200)] | None = None

    @model_validator(mode="after")
    def _has_items(self) -> Instrument:
        if self.fields and self.fields_from:
            raise ValueError("give fields or fields_from, not both")
        if self.fields_from:
            if "{item}" not in self.fields_from or self.items is None:
                raise ValueError("fields_from holds {item}, and items says how many there are")
        elif not self.fields:
            raise ValueError("give fields, or fields_from and items")
        return self

    @property
    def by_item(self) -> dict[str, str]:
        """Item -> field."""
        if not self.fields_from:
            return self.fields
        numbers = [str(n) for n in range(1, (self.items or 0) + 1)]
        return {n: self.fields_from.replace("{item}", n) for n in numbers}

    @property
    def all_fields(self) -> list[str]:
        return [*([self.date] if self.date else []), *self.by_item.values()]


class Sessions(_Part):
    """A repeating form, one instance a session."""

    form: FieldName
    held_on: FieldName
    attended: FieldName | None = None
    therapist_id: FieldName | None = None


class Goals(_Part):
    """A repeating form, one instance a step goal; without `rule`, all follow the protocol's."""

    form: FieldName
    valid_from: FieldName
    goal_steps: FieldName
    rule: FieldName | None = None


class Roster(_Part):
    """The event and the fields that say who takes part; `event` is blank where a project has none.

    Without a field for it, a participant's time zone is that of their site.
    """

    event: str = ""
    site: FieldName
    enrolled_on: FieldName
    starts_on: FieldName
    arm: FieldName | None = None
    therapist_id: FieldName | None = None
    timezone: FieldName | None = None
    withdrawn_on: FieldName | None = None
    paused_from: FieldName | None = None
    paused_to: FieldName | None = None
    depression_or_anxiety: FieldName | None = None
    age_years: FieldName | None = None
    sex: FieldName | None = None

    @property
    def columns(self) -> dict[str, str]:
        """Column of the roster -> field, of those that are mapped."""
        told = self.model_dump(exclude={"event"})
        return {name: field for name, field in told.items() if field}


class Mapping(_Part):
    """The section. `codes` turns a project's codes into the study's, by column: arm, site, sex ...

    `missing_codes` are the project's missing-data codes; they and the empty text mean no answer.
    REDCap exports dates as 2026-01-31; `dates` says how another program has rewritten them since.
    `timezone` is that of the server's clock, by which exports are told apart; UTC without it.
    """

    record_id: FieldName = "record_id"
    events: dict[str, Code]
    instruments: dict[Code, Instrument] = {}
    sessions: Sessions | None = None
    goals: Goals | None = None
    roster: Roster | None = None
    codes: dict[str, dict[str, str]] = {}
    missing_codes: list[str] = []
    decimal_comma: bool = False
    dates: Literal["day_first", "month_first"] | None = None
    timezone: Zone | None = None

    def fields_by_key(self) -> dict[str, str]:
        """Every field asked for, by the key of study.toml that names it."""
        found = {f"{SECTION}.record_id": self.record_id}
        for code, instrument in self.instruments.items():
            where = f"{SECTION}.instruments.{code}"
            found |= {f"{where}.{item}": name for item, name in instrument.by_item.items()}
            if instrument.date:
                found[f"{where}.date"] = instrument.date
        for name in ("sessions", "goals", "roster"):
            part = getattr(self, name)
            told = part.model_dump(exclude={"form", "event"}) if part else {}
            found |= {f"{SECTION}.{name}.{key}": value for key, value in told.items() if value}
        return found


def read_mapping(study: Study) -> Mapping:
    """The mapping of a study; Misconfigured names each key that is wrong."""
    if "redcap" not in study.sources:
        raise Misconfigured(f"study.toml: [{SECTION}] is missing; it says which field means what")
    try:
        mapping = Mapping.model_validate(study.sources["redcap"])
    except ValidationError as error:
        raise Misconfigured("\n".join(_sentence(item) for item in error.errors())) from None
    visits = [visit.code for visit in study.visits]
    for event, visit in mapping.events.items():
        if visit not in visits:
            known = ", ".join(visits)
            raise Misconfigured(
                f"study.toml: {SECTION}.events.{event}: unknown visit {visit!r}; known: {known}"
            )
    return mapping


def check_fields(mapping: Mapping, project: Iterable[dict[str, Any]]) -> None:
    """Raise Misconfigured unless the project (its metadata) has every mapped field and form, and
    none of them is marked as an identifier: names and contacts are never asked for."""
    fields = {str(row.get("field_name")): row for row in project}
    if mapping.record_id != next(iter(fields), None):
        raise Misconfigured(
            f"study.toml: {SECTION}.record_id: {mapping.record_id!r} is not the project's first "
            f"field; that is {next(iter(fields), 'none')!r}"
        )
    for key, name in mapping.fields_by_key().items():
        is_group = name == ACCESS_GROUP  # which is a site, or nothing that is mapped
        if made_by_redcap(name, fields.values()) and is_group == key.endswith("roster.site"):
            continue
        row = fields.get(base_of(name))
        if row is None:
            raise Misconfigured(f"study.toml: {key}: {_unknown('field', name, fields)}")
        is_date = "date" in str(row.get("text_validation_type_or_show_slider_number"))
        if row.get("identifier") == "y" and name != mapping.record_id and not is_date:
            raise Misconfigured(
                f"study.toml: {key}: the project marks field {name!r} as an identifier of a "
                "person; Stepwell asks for none"
            )
    forms = {str(row.get("form_name")) for row in fields.values()}
    for part, told in (("sessions", mapping.sessions), ("goals", mapping.goals)):
        if told and told.form not in forms:
            where = f"study.toml: {SECTION}.{part}.form"
            raise Misconfigured(f"{where}: {_unknown('form', told.form, forms)}")


def check_columns(name: str, columns: Collection[str], mapping: Mapping) -> frozenset[str]:
    """The instruments that a flat export holds no item of.

    BadInput when it has none of what is mapped, or has a part of an instrument, of the sessions,
    goals or roster: the rest would be taken for blank.
    """
    parts: dict[str, dict[str, str]] = {}
    for key, field in mapping.fields_by_key().items():
        parts.setdefault(key.rpartition(".")[0], {})[key] = field
    parts.pop(SECTION)  # the record id
    lacking = {part: {k: f for k, f in one.items() if f not in columns}
               for part, one in parts.items()}  # fmt: skip
    none_of = {part for part, one in parts.items() if _items(one) <= _items(lacking[part])}
    wanted = none_of if none_of == set(parts) else set(parts) - none_of
    missing = [
        f"{field} ({key})" for part in sorted(wanted) for key, field in lacking[part].items()
    ]
    if missing:
        more = f" and {len(missing) - 5} more" if len(missing) > 5 else ""
        listed = ", ".join(missing[:5]) + more
        raise BadInput(f"{name}: no column {listed}; export it with raw codes")
    start = f"{SECTION}.instruments."
    return frozenset(part.removeprefix(start) for part in none_of if part.startswith(start))


def made_by_redcap(name: str, project: Iterable[dict[str, Any]]) -> bool:
    """Whether a column is REDCap's own: the data access group, or when a survey was completed."""
    if name == ACCESS_GROUP:
        return True
    survey = name.removesuffix("_timestamp")
    return survey != name and survey in {str(row.get("form_name")) for row in project}


def _items(fields: dict[str, str]) -> set[str]:
    """Keys beside the date of an instrument, which it may share with another."""
    return {key for key in fields if not key.endswith(".date")}


def base_of(name: str) -> str:
    """The field of a column: `pain___2` is option 2 of the checkbox `pain`."""
    return name.split("___", 1)[0]


def _unknown(kind: str, name: str, known: Iterable[str]) -> str:
    near = get_close_matches(base_of(name), list(known), n=3)
    hint = f"; close: {', '.join(near)}" if near else ""
    return f"the project has no {kind} {name!r}{hint}"


def _sentence(item: Any) -> str:
    where = ".".join(str(part) for part in (SECTION, *item["loc"]))
    message = {
        "extra_forbidden": "unknown setting; remove it or mend its spelling",
        "missing": "missing",
    }.get(item["type"], str(item["msg"]).removeprefix("Value error, "))
    return f"study.toml: {where}: {message}"
