"""REDCap rows as answers, treatment sessions, step goals and the roster. Pure.

What is blank and what is missing are different: a form that nobody filled in lands nothing, a
blank item of a filled-in form lands as an answer without a value. Whether an answer is within its
scale's range is for scoring to judge.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from functools import cache
from typing import Any
from zoneinfo import available_timezones

from ingestion.source import Count, Reading
from ingestion.sources._redcap_cells import Cells, Refused
from ingestion.sources._redcap_mapping import Goals, Instrument, Roster, Sessions
from ingestion.sources._redcap_rows import Row

SAVED = ("1", "2")  # <form>_complete: unverified, complete; 0 also stands where nothing was saved
SEXES = ("female", "male")
RULES = ("protocol", "coordinator")
known_zones = cache(available_timezones)  # it reads a folder tree, and is asked for each record
AGES = range(18, 121)  # as warehouse.tables.landed.participant bounds them


def read_tables(rows: Sequence[Row], cells: Cells, reading: Reading) -> None:
    """Put the rows into `reading` and its counts, also by participant (`counts_of`)."""
    by_record: dict[str, list[Row]] = {}
    for row in rows:
        by_record.setdefault(row.record, []).append(row)
    reading.rows["response"] = []
    for name in ("responses", "sessions", "goals", "roster"):
        reading.count(name)
    for record, mine in by_record.items():
        part = Reading()
        _read_record(mine, cells, part)
        for table, found in part.rows.items():
            reading.rows.setdefault(table, []).extend(found)
        for name, count in part.counts.items():
            reading.count(name).add(count)
        reading.counts_of[record] = part.counts


def _read_record(rows: Sequence[Row], cells: Cells, reading: Reading) -> None:
    mapping = cells.mapping
    reading.rows["response"] = _responses(rows, cells, reading.count("responses"))
    if told := mapping.sessions:
        columns = [told.held_on, told.attended, told.therapist_id]
        mine = _filled([row for row in rows if row.form == told.form], columns)
        count = reading.count("sessions")
        reading.rows["treatment_session"] = _built(mine, _sessions(told, cells), count)
    if goals := mapping.goals:
        columns = [goals.valid_from, goals.goal_steps]
        mine = _filled([row for row in rows if row.form == goals.form], columns)
        # From the last instance back: where two begin on one day, the later one was meant.
        built = _built(mine[::-1], _goals(goals, cells), reading.count("goals"))
        reading.rows["goal"] = _numbered(built)
    if roster := mapping.roster:
        asked = set(roster.columns.values())  # a batch is asked for its answers alone
        mine = [r for r in rows if r.event == roster.event and not r.form and asked & set(r.cells)]
        count = reading.count("roster")
        reading.rows["participant"] = _built(mine, _participants(roster, cells), count)


Build = Callable[[Row], dict[str, Any]]


def _built(rows: Sequence[Row], build: Build, count: Count) -> list[dict[str, Any]]:
    """What `build` makes of each row; what it refuses is counted."""
    landed = []
    for row in rows:
        count.received += 1
        try:
            landed.append(build(row))
            count.landed += 1
        except Refused as refused:
            count.reject(str(refused), 1, row.reply.sha256)
    return landed


def _filled(rows: Sequence[Row], columns: Sequence[str | None]) -> list[Row]:
    return [row for row in rows if any(_touched(row, column) for column in columns if column)]


def _touched(row: Row, column: str) -> bool:
    """Whether somebody filled the cell in; an option of a checkbox is 0 until it is ticked."""
    text = row.cell(column)
    return bool(text) and not (text == "0" and "___" in column)


def _responses(rows: Sequence[Row], cells: Cells, count: Count) -> list[dict[str, Any]]:
    landed: list[dict[str, Any]] = []
    seen: set[tuple[str, str, str, int]] = set()
    for row in rows:
        for code, instrument in cells.mapping.instruments.items():
            if code in row.absent or not _was_answered(row, instrument, cells):
                continue
            points = len(instrument.by_item)
            count.received += points
            try:
                landed += _answers(row, code, instrument, cells, seen)
                count.landed += points
            except Refused as refused:
                count.reject(str(refused), points, row.reply.sha256)
    return landed


def _was_answered(row: Row, instrument: Instrument, cells: Cells) -> bool:
    """Whether the form was filled in: a cell is, or it was saved as complete with all blank."""
    columns = instrument.all_fields
    form = cells.form_of(columns[-1])
    if form is not None and row.cell(f"{form}_complete") in SAVED:
        return True
    return any(_touched(row, column) for column in columns)


def _answers(
    row: Row, code: str, instrument: Instrument, cells: Cells,
    seen: set[tuple[str, str, str, int]],
) -> list[dict[str, Any]]:  # fmt: skip
    visit = cells.mapping.events.get(row.event)
    if visit is None:
        raise Refused("unknown_event")
    answered_on = cells.day(row, instrument.date)
    if (row.record, visit, code, row.repeat) in seen:  # two events that are one visit
        raise Refused("repeated_visit")
    seen.add((row.record, visit, code, row.repeat))
    form = {
        "participant_id": row.record,
        "source": row.reply.source,
        "visit": visit,
        "instrument": code,
        "repeat": row.repeat,
        "answered_on": answered_on,
        "fetched_at": row.reply.fetched_at,
        "raw_sha256": [row.reply.sha256],
    }
    return [
        form | {"item": item, "value": cells.answer(row, column)}
        for item, column in instrument.by_item.items()
    ]


def _sessions(told: Sessions, cells: Cells) -> Build:
    """Sessions are numbered by their instance, whatever the event they stand under."""
    seen: set[tuple[str, int]] = set()

    def build(row: Row) -> dict[str, Any]:
        session = {
            "participant_id": row.record,
            "source": row.reply.source,
            "session_number": row.repeat,
            "held_on": cells.day(row, told.held_on),
            "attended": cells.yes_no(row, told.attended, "attended"),
            "therapist_id": cells.therapist(row, told.therapist_id),
            "fetched_at": row.reply.fetched_at,
            "raw_sha256": [row.reply.sha256],
        }
        if (row.record, row.repeat) in seen:
            raise Refused("repeated_session")
        seen.add((row.record, row.repeat))
        return session

    return build


def _goals(told: Goals, cells: Cells) -> Build:
    seen: set[tuple[str, date]] = set()

    def build(row: Row) -> dict[str, Any]:
        valid_from = cells.required_day(row, told.valid_from, "no_valid_from")
        steps = cells.whole(row, told.goal_steps, range(1, 1_000_000))
        if steps is None:
            raise Refused("no_goal_steps")
        if (row.record, valid_from) in seen:
            raise Refused("replaced_same_day")
        seen.add((row.record, valid_from))
        return {
            "participant_id": row.record,
            "valid_from": valid_from,
            "goal_steps": steps,
            "rule": cells.one_of(RULES, row, told.rule, "rule") or RULES[0],
            "fetched_at": row.reply.fetched_at,
            "raw_sha256": [row.reply.sha256],
        }

    return build


def _numbered(goals: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Goals of each participant in order of their first day, each ending before the next."""
    ordered = sorted(goals, key=lambda goal: (goal["participant_id"], goal["valid_from"]))
    last: dict[str, Any] = {"participant_id": None}
    for goal in ordered:
        same = goal["participant_id"] == last["participant_id"]
        goal["version"] = last["version"] + 1 if same else 1
        goal["valid_to"] = None
        if same:
            last["valid_to"] = goal["valid_from"] - timedelta(days=1)
        last = goal
    return ordered


def _participants(told: Roster, cells: Cells) -> Build:
    sites = {site.code: site.timezone for site in cells.study.sites}
    arms = {arm.code for arm in cells.study.arms}
    zones = known_zones()
    columns = told.columns

    def build(row: Row) -> dict[str, Any]:
        enrolled_on = cells.required_day(row, told.enrolled_on, "not_enrolled")
        starts_on = cells.required_day(row, told.starts_on, "not_started")
        site = cells.one_of(sites, row, told.site, "site")
        if site is None:
            raise Refused("no_site")
        timezone = cells.one_of(zones, row, told.timezone, "timezone")
        subgroup = "depression_or_anxiety"
        told_of = {
            "site": site,
            "arm": cells.one_of(arms, row, told.arm, "arm"),
            "therapist_id": cells.therapist(row, told.therapist_id),
            "timezone": timezone or sites[site],
            "enrolled_on": enrolled_on,
            "starts_on": starts_on,
            "withdrawn_on": cells.day(row, told.withdrawn_on),
            "paused_from": cells.day(row, told.paused_from),
            "paused_to": cells.day(row, told.paused_to),
            subgroup: cells.yes_no(row, told.depression_or_anxiety, subgroup),
            "age_years": cells.whole(row, told.age_years, AGES),
            "sex": cells.one_of(SEXES, row, told.sex, "sex"),
        }
        mapped = {name: value for name, value in told_of.items() if name in columns}
        return {"participant_id": row.record, "fetched_at": row.reply.fetched_at} | mapped

    return build
