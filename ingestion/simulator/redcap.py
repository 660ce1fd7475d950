"""The REDCap personality: the study's project, read over `POST /api/` with a token.

Field names are those of `[sources.redcap]` in the study. Values are strings; "" is missing. Each
participant is a record; the roster is the first form of the baseline event; goals and sessions are
repeating instruments of that event. An answer appears on its own day in the participant's zone.
A mapped column such as `flags___1` is option 1 of the checkbox field `flags`: it is asked for by
the field's name, and holds 0 or 1.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ingestion.simulator.answers import FABQ_ITEMS, RMDQ_ITEMS
from ingestion.simulator.http import Reply, Request, as_json
from ingestion.simulator.roster import SimParticipant
from ingestion.simulator.world import World

if TYPE_CHECKING:
    from ingestion.simulator.server import Simulator

REDCAP_TOKEN = "0123456789ABCDEF0123456789ABCDEF"  # the project's only API token
VERSION = "14.5.10"
RECORD = "record_id"
ROSTER_FORM = "roster"
COMPLETE = "2"
ITEMS = {"FABQ": FABQ_ITEMS, "RMDQ24": RMDQ_ITEMS}
FILTERS = ("records", "fields", "forms", "events")
# The real one answers these otherwise than we could: refused, so that no client relies on silence.
NOT_SERVED = ("filterLogic", "dateRangeBegin", "dateRangeEnd")
Row = dict[str, Any]


class Project:
    """The study as a REDCap project: events, forms and their fields."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.settings = world.study.sources["redcap"]
        self.events: dict[str, str] = self.settings["events"]
        self.event_of_visit = {visit: event for event, visit in self.events.items()}
        roster = self.settings["roster"]
        self.roster = {name: field for name, field in roster.items() if name != "event"}
        self.baseline: str = roster["event"]
        self.repeating = (self.settings["goals"]["form"], self.settings["sessions"]["form"])

    @cached_property
    def forms(self) -> dict[str, list[str]]:
        """Each form's fields, in order."""
        forms = {ROSTER_FORM: [RECORD, *self.roster.values()]}
        for code, made in self.settings["instruments"].items():
            forms[code.lower()] = [made["date"], *self.fields_of(code).values()]
        for part in ("goals", "sessions"):
            made = self.settings[part]
            forms[made["form"]] = [field for name, field in made.items() if name != "form"]
        for form, fields in forms.items():
            fields.append(f"{form}_complete")
        return forms

    def fields_of(self, instrument: str) -> dict[str, str]:
        """Item to field of one instrument."""
        made = self.settings["instruments"][instrument]
        if "fields" in made:
            return dict(made["fields"])
        return {item: made["fields_from"].format(item=item) for item in ITEMS[instrument]}

    def forms_of_event(self, event: str) -> list[str]:
        """The forms designated to an event."""
        instruments = [code.lower() for code in self.settings["instruments"]]
        if event != self.baseline:
            return instruments
        return [ROSTER_FORM, *instruments, *self.repeating]

    def rows(self, participant: SimParticipant, now: datetime) -> list[Row]:
        """What the record holds on the participant's today: one row per event and repeat."""
        today = self.world.today(participant, now)
        if participant.enrolled_on > today:
            return []
        by_event: dict[str, Row] = {self.baseline: self._roster(participant, today)}
        for response in self.world.responses(participant):
            if response.answered_on <= today and response.visit in self.event_of_visit:
                row = by_event.setdefault(self.event_of_visit[response.visit], {})
                made, fields = (
                    self.settings["instruments"][response.instrument],
                    dict(response.items),
                )
                row[made["date"]] = response.answered_on.isoformat()
                row[f"{response.instrument.lower()}_complete"] = COMPLETE
                for item, field in self.fields_of(response.instrument).items():
                    row[field] = fields[item] or ""
        rows = [
            {**self._key(participant, event), **by_event[event]}
            for event in self.events if event in by_event
        ]  # fmt: skip
        return rows + self._repeats(participant, today)

    def _roster(self, participant: SimParticipant, today: date) -> Row:
        known = self.world.roster_row(participant, today)
        row = {field: _written(known[name]) for name, field in self.roster.items()}
        return row | {f"{ROSTER_FORM}_complete": COMPLETE}

    def _repeats(self, participant: SimParticipant, today: date) -> list[Row]:
        goal, session = self.settings["goals"], self.settings["sessions"]
        rows = [
            {
                **self._key(participant, self.baseline, goal["form"], made.version),
                goal["valid_from"]: made.valid_from.isoformat(),
                goal["goal_steps"]: str(made.goal_steps),
                f"{goal['form']}_complete": COMPLETE,
            }
            for made in self.world.goals(participant)
            if made.valid_from <= today
        ]
        return rows + [
            {
                **self._key(participant, self.baseline, session["form"], held.number),
                session["held_on"]: held.held_on.isoformat(),
                session["attended"]: _written(held.attended),
                session["therapist_id"]: _written(participant.therapist_id),
                f"{session['form']}_complete": COMPLETE,
            }
            for held in self.world.sessions(participant)
            if held.held_on <= today
        ]

    def _key(
        self, participant: SimParticipant, event: str, form: str = "", number: int | str = ""
    ) -> Row:
        return {
            RECORD: participant.participant_id,
            "redcap_event_name": event,
            "redcap_repeat_instrument": form,
            "redcap_repeat_instance": number,
        }


def field_of(column: str) -> str:
    """The field of a column: a checkbox has a column for each of its options."""
    return column.partition("___")[0]


def answer(sim: Simulator, request: Request) -> Reply:
    """The reply to `POST /api/`."""
    form = request.form
    if request.method != "POST" or form.get("token") != REDCAP_TOKEN:
        return _error(form, 403, "You do not have permissions to use the API")
    if form.get("format", "xml") != "json":
        return _error(form, 501, "This server speaks format=json only")
    project = Project(sim.world)
    content = form.get("content")
    if content == "record":
        return _records(sim, project, form)
    if content == "version":
        return Reply(200, VERSION.encode(), "text/html; charset=utf-8")
    lists = {
        "metadata": _metadata,
        "event": _events,
        "formEventMapping": _mapping,
        "instrument": _instruments,
        "repeatingFormsEvents": _repeating,
    }
    if content not in lists:
        return _error(form, 400, "The value of the parameter 'content' is not valid")
    return as_json(lists[content](project))


def account_of(sim: Simulator, request: Request) -> str | None:
    """A REDCap token stands for the project, never for one participant."""
    return None


def _records(sim: Simulator, project: Project, form: dict[str, str]) -> Reply:
    if form.get("type", "flat") != "flat" or form.get("action", "export") != "export":
        return _error(form, 501, "This server exports type=flat only")
    if form.get("rawOrLabel", "raw") != "raw":
        return _error(form, 501, "This server exports rawOrLabel=raw only")
    if asked := [name for name in NOT_SERVED if form.get(name)]:
        return _error(form, 501, f"This server does not have {', '.join(asked)}")
    wanted = {name: _listed(form, name) for name in FILTERS}
    known = {
        "fields": {field_of(name) for fields in project.forms.values() for name in fields},
        "forms": set(project.forms),
        "events": set(project.events),
    }
    for name, allowed in known.items():
        wrong = sorted(set(wanted[name]) - allowed)
        if wrong:
            return _error(form, 400, f"The following values of '{name}' are not valid: {wrong}")
    fields = _chosen_fields(project, wanted)
    rows: list[Row] = []
    for participant in sim.world.participants:
        if wanted["records"] and participant.participant_id not in wanted["records"]:
            continue
        found = project.rows(participant, sim.now())
        rows += [_flat(row, fields) for row in found if _kept(project, row, wanted)]
    return as_json(rows)


def _chosen_fields(project: Project, wanted: dict[str, list[str]]) -> list[str]:
    """Named fields and those of named forms; all when neither is named."""
    every = [field for fields in project.forms.values() for field in fields]
    if not wanted["fields"] and not wanted["forms"]:
        return every
    chosen = {field_of(f) for form in wanted["forms"] for f in project.forms[form]}
    chosen |= set(wanted["fields"])
    return [field for field in every if field_of(field) in chosen]


def _kept(project: Project, row: Row, wanted: dict[str, list[str]]) -> bool:
    if wanted["events"] and row["redcap_event_name"] not in wanted["events"]:
        return False
    fields = set(_chosen_fields(project, wanted)) - {RECORD}
    return bool(fields & set(row)) or not fields


def _flat(row: Row, fields: list[str]) -> Row:
    keys = ("redcap_event_name", "redcap_repeat_instrument", "redcap_repeat_instance")
    record = {RECORD: row[RECORD]} if RECORD in fields else {}
    blank = {field: "0" if "___" in field else "" for field in fields}
    rest = {field: row.get(field, blank[field]) for field in fields if field != RECORD}
    return record | {key: row[key] for key in keys} | rest


def _listed(form: dict[str, str], name: str) -> list[str]:
    """A filter given as `name[0]=..`, `name[]=..` or `name=a,b`."""
    found = [value for key, value in form.items() if re.fullmatch(rf"{name}\[\d*\]", key)]
    return found + [value for value in form.get(name, "").split(",") if value]


def _written(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    return value.isoformat() if isinstance(value, date) else str(value)


def _metadata(project: Project) -> list[Row]:
    rows: dict[str, Row] = {}
    for form, columns in project.forms.items():
        for column in columns[:-1]:  # the last says whether the form is complete: not in here
            name = field_of(column)
            kind = "text" if name == column else "checkbox"
            rows[name] = {"field_name": name, "form_name": form, "field_type": kind,
                          "field_label": name}  # fmt: skip
    return list(rows.values())


def _events(project: Project) -> list[Row]:
    labels = {visit.code: visit.label for visit in project.world.study.visits}
    return [
        {"event_name": labels[visit], "arm_num": 1, "unique_event_name": event}
        for event, visit in project.events.items()
    ]


def _mapping(project: Project) -> list[Row]:
    return [
        {"arm_num": 1, "unique_event_name": event, "form": form}
        for event in project.events
        for form in project.forms_of_event(event)
    ]


def _instruments(project: Project) -> list[Row]:
    return [{"instrument_name": form, "instrument_label": form} for form in project.forms]


def _repeating(project: Project) -> list[Row]:
    return [
        {"event_name": project.baseline, "form_name": form, "custom_form_label": ""}
        for form in project.repeating
    ]


def _error(form: dict[str, str], status: int, said: str) -> Reply:
    if form.get("returnFormat", form.get("format", "xml")) == "json":
        return as_json({"error": said}, status)
    body = f'<?xml version="1.0" encoding="UTF-8" ?><hash><error>{said}</error></hash>'
    return Reply(status, body.encode(), "text/xml; charset=utf-8")
