"""The study as a file: `study.toml` read and validated, with errors that name line and choices."""

from __future__ import annotations

import hashlib
import re
import tomllib
from datetime import date
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import available_timezones

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from warehouse.instrument_tables import InstrumentCoding, InstrumentTable, read_table
from warehouse.rights import Role
from warehouse.study_checks import (
    Contradiction,
    check_cohorts,
    check_goals,
    check_outcomes,
    check_recruitment,
    check_windows,
    settings_at,
)
from warehouse.study_parts import (
    Code,
    Days,
    Goals,
    NamedCohort,
    SafetyEvent,
    SiteFigures,
    Treatment,
    Weekday,
)
from warehouse.study_work_list import WorkList, check_work_list

# Parts of pydantic's paths that are none of study.toml's: validators, and the types of a union.
PYDANTICS = ("function-after", "float", "date", "str", "bool")
EXAMPLE = Path(__file__).with_name("study.toml")


class StudyError(ValueError):
    """study.toml cannot be used; the message names file, line and what is allowed."""


_zones = cache(available_timezones)  # each asks the disk for them all


def _zone(name: str) -> str:
    if name not in _zones():
        raise ValueError(f"unknown time zone {name!r}; give an IANA zone such as Europe/London")
    return name


Zone = Annotated[str, AfterValidator(_zone)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Head(_Part):
    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,40}$")]
    title: str
    first_day: date
    weeks: Annotated[int, Field(ge=1, le=520)]
    small_cell: Annotated[int, Field(ge=0, le=100)] = 5
    recruitment_ends_on: date | None = None


class Arm(_Part):
    """An arm; attended sessions from `sessions_least` to `sessions_most` are its protocol."""

    code: Code
    label: str
    sessions_least: Annotated[int, Field(ge=0)] | None = None
    sessions_most: Annotated[int, Field(ge=0)] | None = None

    @model_validator(mode="after")
    def _least_before_most(self) -> Arm:
        if (self.sessions_least is None) != (self.sessions_most is None):
            raise ValueError("give both sessions_least and sessions_most, or neither")
        if (self.sessions_least or 0) > (self.sessions_most or 0):
            raise ValueError("sessions_least is more than sessions_most")
        return self


class Site(_Part):
    code: Code
    label: str
    timezone: Zone
    weekend: Annotated[list[Weekday], Field(min_length=1)] = ["saturday", "sunday"]
    planned: Annotated[int, Field(ge=1)] | None = None


class Therapist(_Part):
    code: Code
    site: Code


class Visit(_Part):
    """A visit and its window in study days (day 1 first, -1 the day before it, no day 0)."""

    code: Code
    label: str
    week: Annotated[int, Field(ge=0)] | None = None
    opens_day: int | None = None
    closes_day: int | None = None
    at_discharge: bool = False
    overdue_days: Days = 2

    @model_validator(mode="after")
    def _has_a_window(self) -> Visit:
        window = (self.week, self.opens_day, self.closes_day)
        if self.at_discharge:
            if window != (None, None, None):
                raise ValueError("a visit at_discharge has no week, opens_day or closes_day")
        elif None in window:
            raise ValueError("give week, opens_day and closes_day, or at_discharge = true")
        elif 0 in (self.opens_day, self.closes_day):
            raise ValueError("there is no study day 0: day 1 follows day -1")
        elif (self.opens_day or 0) > (self.closes_day or 0):
            raise ValueError("opens_day is after closes_day")
        return self


class Responder(_Part):
    """One more threshold of an outcome: an improvement of `at` or more, or as much `worse`."""

    at: Annotated[float, Field(gt=0)]
    kind: Literal["points", "percent"] = "points"
    worse: bool = False


class Outcome(_Part):
    """A scale and the visits it is due at; `mcid` makes a responder, `responders` are more."""

    scale: Code
    visits: Annotated[list[Code], Field(min_length=1)]
    mcid: Annotated[float, Field(gt=0)] | None = None
    mcid_kind: Literal["points", "percent"] = "points"
    responders: list[Responder] = []


class Wear(_Part):
    valid_day_minutes: Annotated[int, Field(ge=1, le=1500)] = 600
    valid_day_step_hours: Annotated[int, Field(ge=1, le=24)] = 10
    not_worn_below_minutes: Annotated[int, Field(ge=1, le=600)] = 10
    valid_week_days: Annotated[int, Field(ge=1, le=7)] = 4
    minute_memory_days: Days = 7
    implausible_day_steps: Annotated[int, Field(ge=1)] = 45_000
    implausible_minute_steps: Annotated[int, Field(ge=1)] = 250
    implausible_low_steps: Annotated[int, Field(ge=0)] = 0
    moderate_cadence: Annotated[int, Field(ge=1, le=300)] = 100
    vigorous_cadence: Annotated[int, Field(ge=1, le=300)] = 130
    brisk_bout_minutes: Annotated[int, Field(ge=1, le=1440)] = 10
    brisk_bout_pause_minutes: Annotated[int, Field(ge=0, le=60)] = 2
    sedentary_below_cadence: Annotated[int, Field(ge=1, le=300)] = 10
    sedentary_bout_minutes: Annotated[int, Field(ge=1, le=1440)] = 30
    waking_from_hour: Annotated[int, Field(ge=0, le=23)] = 6
    waking_to_hour: Annotated[int, Field(ge=1, le=24)] = 24
    steps_only_rule: Literal["step_hours", "choi", "troiano"] = "step_hours"
    choi_window_minutes: Annotated[int, Field(ge=2, le=90)] = 30
    regularity_days: Annotated[int, Field(ge=2, le=7)] = 5
    reconcile_pct: Annotated[float, Field(ge=0, le=100)] = 5

    @model_validator(mode="after")
    def _wakes_before_bedtime(self) -> Wear:
        if self.waking_to_hour <= self.waking_from_hour:
            raise ValueError("waking_to_hour is not after waking_from_hour")
        return self


class ActivityBeforeVisit(_Part):
    days: Annotated[int, Field(ge=1, le=365)] = 14
    min_valid_days: Annotated[int, Field(ge=1)] = 4


class Wearables(_Part):
    sources: list[str]
    trailing_days: Days = 7
    most_trailing_days: Annotated[int, Field(ge=0, le=366)] = 28
    lateness_pct: Annotated[float, Field(gt=0, le=100)] = 95
    final_after_days: Days = 14
    ask_every_hours: Annotated[int, Field(ge=0, le=168)] = 12
    batch_size: Annotated[int, Field(ge=1, le=500)] = 20
    outage_share_pct: Annotated[float, Field(gt=0, le=100)] = 50
    outage_hours: Annotated[int, Field(ge=1, le=168)] = 24
    stalled_participants: Annotated[int, Field(ge=2)] = 5

    @model_validator(mode="after")
    def _least_before_most(self) -> Wearables:
        if self.most_trailing_days < self.trailing_days:
            raise ValueError("most_trailing_days is less than trailing_days")
        return self


class Amendment(_Part):
    dated: date
    what: str


class Study(_Part):
    """The protocol. `sources` holds each source's own settings, checked by the source itself."""

    study: Head
    arms: Annotated[list[Arm], Field(min_length=1)]
    sites: Annotated[list[Site], Field(min_length=1)]
    therapists: list[Therapist] = []
    visits: Annotated[list[Visit], Field(min_length=1)]
    outcomes: Annotated[list[Outcome], Field(min_length=1)]
    wear: Wear
    goals: Goals
    activity_before_visit: ActivityBeforeVisit
    treatment: Treatment = Treatment()
    site_figures: SiteFigures = SiteFigures()
    safety_events: list[SafetyEvent] = []
    cohorts: list[NamedCohort] = []
    wearables: Wearables
    work_list: WorkList = WorkList()
    sources: dict[str, dict[str, Any]] = {}
    instruments: dict[Code, InstrumentCoding] = {}
    instrument_tables: dict[Code, InstrumentTable] = {}
    roles: Annotated[list[Role], Field(min_length=1)]
    amendments: list[Amendment] = []

    @model_validator(mode="after")
    def _names_only_what_it_defines(self) -> Study:
        for part in ("arms", "sites", "therapists", "visits", "cohorts", "roles"):
            codes = [item.code for item in getattr(self, part)]
            repeated = sorted({code for code in codes if codes.count(code) > 1})
            if repeated:
                raise ValueError(f"{part}: {', '.join(repeated)} is defined twice")
        sites = {site.code for site in self.sites}
        visits = {visit.code for visit in self.visits}
        for therapist in self.therapists:
            _known("site", therapist.site, sites, f"therapist {therapist.code}")
        for outcome in self.outcomes:
            for code in outcome.visits:
                _known("visit", code, visits, f"outcome {outcome.scale}")
        check_goals(self)
        check_cohorts(self)
        for role in self.roles:
            for code in role.sites:
                _known("site", code, sites, f"role {role.code}")
        check_outcomes(self)
        check_windows(self)
        check_work_list(self)
        check_recruitment(self)
        return self

    @property
    def digest(self) -> str:
        """SHA-256 of the protocol as validated: comments and layout do not change it."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()

    @property
    def goals_reveal_arm(self) -> bool:
        """Whether having a goal tells the arm: some are given goals, and others are not."""
        return bool(self.goals.arms) and {arm.code for arm in self.arms} != set(self.goals.arms)

    def site(self, code: str) -> Site:
        return next(site for site in self.sites if site.code == code)


def read_study(path: Path) -> Study:
    """The study of `path`; StudyError names the line of each thing that is wrong."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise StudyError(f"{path}: no study here; `stepwell init NAME` makes one") from None
    except (OSError, UnicodeDecodeError) as error:
        raise StudyError(f"{path}: cannot be read ({error})") from None
    try:
        return Study.model_validate(_with_tables(path, tomllib.loads(text)))
    except tomllib.TOMLDecodeError as error:
        raise StudyError(f"{path}: not valid TOML: {error}") from None
    except ValidationError as error:
        lines = [_sentence(path, text, item) for item in error.errors()]
        raise StudyError("\n".join(lines)) from None


def _with_tables(path: Path, settings: dict[str, Any]) -> dict[str, Any]:
    """The settings with the rows of every file that [instrument_tables] names beside `path`."""
    for code, table in settings.get("instrument_tables", {}).items():
        if isinstance(table, dict) and isinstance(table.get("file"), str):
            try:
                table |= read_table(path.parent / table["file"])
            except ValueError as error:
                raise StudyError(f"{path}: instrument_tables.{code}: {error}") from None
    return settings


def _known(kind: str, code: str, known: set[str], where: str) -> None:
    if code not in known:
        raise ValueError(f"{where}: unknown {kind} {code!r}; known: {', '.join(sorted(known))}")


def _sentence(path: Path, text: str, item: Any) -> str:
    error = item.get("ctx", {}).get("error")
    location = [part for part in item["loc"] if part not in PYDANTICS]
    if isinstance(error, Contradiction):  # knows its place
        location = error.location
    line = line_of(text, location)
    where = ".".join(str(part) for part in location) or "study"
    message = str(item["msg"]).removeprefix("Value error, ")
    if not location:  # a rule over the whole study names the code that breaks it
        line = _line_naming(text, message)
    if item["type"] == "extra_forbidden":
        known = ", ".join(settings_at(Study, location[:-1]))
        message = f"unknown setting; remove it or mend its spelling; known here: {known}"
    elif item["type"] == "missing":
        message = "missing"
    return f"{path}:{line}: {where}: {message}"


def _line_naming(text: str, message: str) -> int:
    """The last line that holds the code a message quotes or calls defined twice; 1 if none."""
    named = re.search(r"'(\w+)'|(\w+) is defined twice", message)
    code = f'"{named.group(1) or named.group(2)}"' if named else "\n"
    lines = [number for number, line in enumerate(text.splitlines(), 1) if code in line]
    return lines[-1] if lines else 1


def line_of(text: str, location: list[Any]) -> int:
    """The line (from 1) of a key path such as ["visits", 2, "week"].

    Where the key has no line of its own: that of the key it stands within, else of its table.
    """
    names = [part for part in location if isinstance(part, str)]
    index = next((part for part in location if isinstance(part, int)), None)
    found, seen, table = 1, -1, ""
    for number, line in enumerate(text.splitlines(), start=1):
        if header := re.match(r"\s*\[\[?\s*([^\]]+?)\s*\]\]?", line):
            table = header.group(1)
            if line.lstrip().startswith("[[") and names and table == names[0]:
                seen += 1
            if names and table == ".".join(names[: table.count(".") + 1]) and seen in (index, -1):
                found = number
            continue
        key = re.match(r"\s*\"?([A-Za-z0-9_-]+)\"?\s*=", line)
        path = [*table.split("."), key.group(1)] if key else []
        if path and path == names[: len(path)] and seen in (index, -1):
            if path == names:
                return number
            found = number
    return found
