"""The protocol as people read it: each setting of study.toml, its value, where it is set."""

from __future__ import annotations

from datetime import date
from typing import Any

from pydantic import BaseModel

from dashboard import words
from warehouse.study import Study, line_of
from warehouse.study_parts import Condition, NamedCohort

Rows = list[dict[str, str]]


def sections(study: Study) -> list[str]:
    """The parts of study.toml that are one table of settings each, in its order."""
    return [
        name for name in type(study).model_fields if isinstance(getattr(study, name), BaseModel)
    ]


def settings(study: Study, section: str, text: str) -> Rows:
    """The settings of one part; `text` is study.toml as it was written, for the lines."""
    part: BaseModel = getattr(study, section)
    return [
        {
            words.say("study.what"): meaning_of(part, section, name),
            words.say("study.value"): written(getattr(part, name)),
            words.say("study.where"): _where(part, section, name, text),
        }
        for name in type(part).model_fields
    ]


def meaning_of(part: BaseModel, section: str, name: str) -> str:
    """What a setting means: the words of the screens, else those of its declaration."""
    try:
        return words.say(f"setting_{section}.{name}")
    except KeyError:  # a setting that is younger than the words
        return type(part).model_fields[name].description or name.replace("_", " ")


def visits(study: Study, text: str) -> Rows:
    """Each visit with its window in study days."""
    return [
        {
            words.say("study.name"): visit.label,
            words.say("study.week"): written(visit.week),
            words.say("study.opens"): words.say("study.at_discharge")
            if visit.at_discharge
            else words.say("study.day", n=visit.opens_day),
            words.say("study.closes"): words.NOTHING
            if visit.at_discharge
            else words.say("study.day", n=visit.closes_day),
            words.say("study.overdue"): words.NOTHING
            if visit.at_discharge
            else words.say("study.days_past", n=visit.overdue_days),
            words.say("study.set_on"): _line(text, ["visits", number, "code"]),
        }
        for number, visit in enumerate(study.visits)
    ]


def arms(study: Study, text: str) -> Rows:
    """The arms by their labels: who has which is in no file that this may be read beside."""
    return [
        {
            words.say("study.name"): arm.label,
            words.say("study.set_on"): _line(text, ["arms", number, "label"]),
        }
        for number, arm in enumerate(study.arms)
    ]


def sites(study: Study, text: str) -> Rows:
    """The sites with their zone, weekend and number of therapists."""
    return [
        {
            words.say("study.name"): site.label,
            words.say("study.code"): site.code,
            words.say("study.zone"): site.timezone,
            words.say("study.weekend"): ", ".join(site.weekend),
            words.say("study.therapists"): str(sum(t.site == site.code for t in study.therapists)),
            words.say("study.set_on"): _line(text, ["sites", number, "code"]),
        }
        for number, site in enumerate(study.sites)
    ]


def cohorts(study: Study, text: str) -> Rows:
    """The study's own cohorts and who belongs to each."""
    return [
        {
            words.say("study.name"): cohort.label,
            words.say("study.who_belongs"): _belongs(cohort),
            words.say("study.set_on"): _line(text, ["cohorts", number, "code"]),
        }
        for number, cohort in enumerate(study.cohorts)
    ]


def roles(study: Study, text: str) -> Rows:
    """The roles: what each sees and may."""
    return [
        {
            words.say("study.role"): role.code,
            words.say("study.arms"): words.say(
                "study.arms_shown" if role.sees_arms else "study.arms_hidden"
            ),
            words.say("study.sites"): ", ".join(role.sites) or words.say("study.every_site"),
            words.say("study.may"): ", ".join(role.rights) or words.say("study.nothing"),
            words.say("study.set_on"): _line(text, ["roles", number, "code"]),
        }
        for number, role in enumerate(study.roles)
    ]


def amendments(study: Study, text: str) -> Rows:
    """The amendments, newest first."""
    listed = sorted(enumerate(study.amendments), key=lambda one: one[1].dated, reverse=True)
    return [
        {
            words.say("study.dated"): words.day(amendment.dated),
            words.say("study.amendment"): amendment.what,
            words.say("study.set_on"): _line(text, ["amendments", number, "dated"]),
        }
        for number, amendment in listed
    ]


def written(value: Any) -> str:
    """A setting's value as people read it; a dash where there is none."""
    if value is None or value == [] or value == "":
        return words.NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, int):
        return f"{value:,}" if abs(value) >= 10_000 else str(value)
    if isinstance(value, date):
        return words.day(value)
    if isinstance(value, list | tuple):
        return "; ".join(written(item) for item in value)
    if isinstance(value, BaseModel):
        return _pairs(value)
    return str(value)


def _pairs(part: BaseModel) -> str:
    given = {name: value for name, value in part if value not in (None, [])}
    return ", ".join(f"{name.replace('_', ' ')} {written(value)}" for name, value in given.items())


def _belongs(cohort: NamedCohort) -> str:
    joined = " and " if cohort.match == "all" else " or "
    return joined.join(_condition(one) for one in cohort.where)


def _condition(one: Condition) -> str:
    what = one.column.replace("_", " ") if one.column else f"{one.scale} at baseline"
    bounds = [("at least", one.at_least), ("at most", one.at_most)]
    told = [f"{word} {written(value)}" for word, value in bounds if value is not None]
    if one.one_of:
        told.append(f"one of {', '.join(written(value) for value in one.one_of)}")
    return f"{what} {' and '.join(told)}"


def _where(part: BaseModel, section: str, name: str, text: str) -> str:
    if name not in part.model_fields_set:
        return words.say("study.default", section=section, name=name)
    return words.say("study.line", section=section, name=name, line=line_of(text, [section, name]))


def _line(text: str, location: list[Any]) -> str:
    return words.say("study.line_number", line=line_of(text, location))
