"""Questionnaires, sessions, goals and the roster as tables: CSV or Excel, one file or a folder.

A table is known by its columns (upper or lower case, any order, any separators in their names):

- answers, long:  participant_id, visit, instrument, item, value [, repeat, answered_on]
- answers, wide:  participant_id, visit, one column for each item [, repeat, answered_on]
- sessions:       participant_id, session_number, held_on, attended, therapist_id
- goals:          participant_id, valid_from, goal_steps [, version, valid_to, rule]; without
                  versions they are numbered by date, so such a table holds all of a participant's;
                  where REDCap has goals of a participant, those count and not the table's
- roster:         participant_id, site, enrolled_on, starts_on [, arm, therapist_id, ...]; what
                  it has no column for stays as it is on the register

A wide row's instrument with no answer at all was not filled in and lands nothing; a blank item of
one that was lands as an answer without a value. The same fact twice counts once; two different
facts under one key are refused, as is any code that study.toml does not know. Kept are the columns
that are read; a table with names or contacts is refused, so that none is handed on.

Settings of study.toml, which a study may leave out:

    [sources.table_export]
    dates = "day_first"                     # of 05/06/2026; or "month_first"
    [sources.table_export.visits]
    "Woche 4" = "week_4"                    # as the tables write it; code and label always work
    [sources.table_export.instruments.NPRS]
    fields = { "1" = "pain_now" }           # or fields_from = "fabq_q{item}" and items = 16
    date = "pain_date"

Without settings a column is an instrument's by its name, the code and the item of every instrument
of docs/metrics.md: `fabq_3`, `FABQ3` and `rmdq24_12` are items 3 and 12, `eq5d5l_vas` is the VAS;
instruments of one item also go by their name alone (`nprs`, `func`, `func_score`).
The day of the answers is the column `nprs_date` of an instrument, or `answered_on` of all.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from ingestion.errors import BadInput
from ingestion.source import Ask, Count, Reading, Reply, content_name
from ingestion.sources._table_cells import Cells, whole, yes_or_no
from ingestion.sources._table_mapping import item_of, read_mapping
from ingestion.sources._table_sheets import Line, Sheet, kept, read_kept, read_sheets
from warehouse.tables import landed

IDENTIFYING = {
    *("name", "firstname", "lastname", "surname", "fullname", "initials", "email", "mail"),
    *("emailaddress", "phone", "telephone", "mobile", "address", "street", "dateofbirth"),
    *("birthdate", "birthday", "dob", "ssn", "nationalid"),
}
SUFFIXES = (".csv", ".txt", ".tsv", ".xlsx", ".xlsm")
NEEDED = (
    "needed is participant_id with visit, instrument, item, value; or with visit and item columns "
    "like fabq_3; or with session_number; or with goal_steps; or with site and starts_on"
)
NOT_FILLED_IN = "form_not_filled_in"
Rows = Iterator[tuple[str, dict[str, Any]]]
_TABLES = {
    table.name: table
    for table in (landed.response, landed.treatment_session, landed.goal, landed.participant)
}


class TableExport:
    """The source."""

    name = "table_export"
    delivers = frozenset({"response", "treatment_session", "goal", "participant"})
    era = "file"

    def fetch(self, client: Path, ask: Ask) -> Iterator[Reply]:
        """The columns that are read of each table in the folder `client`, or the one file."""
        for path in _files(client):
            for sheet in read_sheets(path.name, path.read_bytes()):
                body = kept(sheet, _table_of(sheet, ask).unread)
                yield Reply(self.name, None, "tables", content_name(body, ".csv"), ask.now, 200,
                            "text/csv", body, name=sheet.where)  # fmt: skip

    def read(self, replies: Sequence[Reply], ask: Ask) -> Reading:
        """Rows of all tables; BadInput names file, row and what is allowed."""
        reading = Reading()
        facts = _Facts(reading)
        for reply in sorted(replies, key=lambda one: (one.fetched_at, one.sha256)):
            _read_sheet(read_kept(reply.called, reply.body), reply, ask, facts)
        _number_goals(reading.rows.get("goal", []))
        return reading


SOURCE = TableExport()


class _Facts:
    """Rows as they are collected: each key once, each row counted."""

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        self._seen: dict[tuple[Any, ...], tuple[dict[str, Any], str]] = {}

    def add(self, table: str, row: dict[str, Any], line: Line, reply: Reply) -> None:
        """Land a row; the same fact again is counted, another under its key is refused."""
        if table == NOT_FILLED_IN:
            self.count("response", row["participant_id"], NOT_FILLED_IN)
            return
        alias = {} if "version" in row else {"version": "valid_from"}
        names = [alias.get(name, name) for name in _TABLES[table].key]
        key = (table, *(row.get(name) for name in names if name != "source"))
        first = self._seen.setdefault(key, (row, line.where))
        if first[0] != row:
            both = first[0] | row
            said = ", ".join(name for name in both if first[0].get(name, "") != row.get(name, ""))
            raise BadInput(
                f"{line.where} and {first[1]} tell different things of the same {table} of "
                f"{row['participant_id']} ({said}); keep one of them"
            )
        if first[0] is row:
            came = {
                "source": reply.source,
                "fetched_at": reply.fetched_at,
                "raw_sha256": [reply.sha256],
            }
            may_have = {*_TABLES[table].names, "fetched_at"}
            declared = {name: came[name] for name in came if name in may_have}
            self.reading.rows.setdefault(table, []).append(row | declared)
        self.count(table, row["participant_id"], "" if first[0] is row else "repeated")

    def count(self, table: str, participant: str, refused: str = "") -> None:
        """Count a data point, landed or refused for a reason."""
        mine = self.reading.counts_of.setdefault(participant, {}).setdefault(table, Count())
        for count in (self.reading.count(table), mine):
            count.received += 1
            count.landed += not refused
            if refused:
                count.reject(refused, 1)


def _files(path: Path) -> list[Path]:
    if path.is_file():
        if path.suffix.lower() not in SUFFIXES:
            raise BadInput(f"{path}: not a table; readable: {', '.join(SUFFIXES)}")
        return [path]
    if not path.is_dir():
        raise BadInput(f"{path}: no file or folder is there")
    found = [o for o in sorted(path.iterdir()) if o.suffix.lower() in SUFFIXES and o.is_file()]
    if not found:
        raise BadInput(f"{path}: no tables in this folder; readable: {', '.join(SUFFIXES)}")
    return [one for one in found if not one.name.startswith((".", "~$"))]


class _Known(NamedTuple):
    """A table that is known by its columns, how its lines are read, and its other columns."""

    cells: Cells
    reader: Callable[[Cells, Line], Rows]
    unread: set[str]


def _read_sheet(sheet: Sheet, reply: Reply, ask: Ask, facts: _Facts) -> None:
    cells, reader, unread = _table_of(sheet, ask)
    if unread:
        titles = ", ".join(title for name, title in sheet.columns.items() if name in unread)
        facts.reading.notes.append(f"{sheet.where}: columns not read: {titles}")
    for line in sheet.lines:
        for table, row in reader(cells, line):
            facts.add(table, row, line, reply)


def _table_of(sheet: Sheet, ask: Ask) -> _Known:
    names = set(sheet.columns)
    if identifying := names & IDENTIFYING:
        titles = ", ".join(sheet.columns[name] for name in sorted(identifying))
        raise BadInput(f"{sheet.where}: column {titles} may tell who somebody is; remove it")
    mapping = read_mapping(ask.study)
    cells = Cells(sheet, ask.study, mapping)
    kind = next((k for k in _KINDS if k[0] <= names and (k[2] is not _wide or cells.items)), None)
    if kind is None:
        # Not the others' names: where the header is missing they are somebody's values.
        ours = names & frozenset().union(*(one[0] | one[1] for one in _KINDS))
        known = ", ".join(title for name, title in sheet.columns.items() if name in ours) or "none"
        raise BadInput(
            f"{sheet.where}: not a table known here (of its {len(names)} columns known: {known}); "
            f"{NEEDED}; instruments known: {', '.join(sorted(mapping.items))}"
        )
    needs, may_have, reader = kind
    unread = names - needs - may_have
    if reader is _wide:
        unread -= {*cells.items, *cells.date_columns.values()}
    return _Known(cells, reader, unread)


def _long(cells: Cells, line: Line) -> Rows:
    code = cells.instrument(line)
    items = cells.mapping.items[code]
    item = item_of(code, line["item"], items)
    if item is None:
        listed = items[0] if len(items) == 1 else f"{items[0]} to {items[-1]}"
        raise BadInput(f"{line.where}: unknown item of {code}; allowed: {listed}")
    yield "response", _response(cells, line, code, item, line["value"], "answeredon")


def _wide(cells: Cells, line: Line) -> Rows:
    by_code: dict[str, dict[str, str]] = defaultdict(dict)
    for column, (code, item) in cells.items.items():
        by_code[code][item] = line[column]
    for code, answers in by_code.items():
        blank = not any(answers.values())
        for item, value in answers.items():
            row = _response(cells, line, code, item, value, cells.date_columns[code])
            yield ("response" if not blank else NOT_FILLED_IN), row


def _response(
    cells: Cells, line: Line, code: str, item: str, value: str, dated: str
) -> dict[str, Any]:
    return {
        "participant_id": cells.participant(line),
        "visit": cells.visit(line),
        "instrument": code,
        "repeat": whole(line, "repeat", cells.sheet, low=1) if line["repeat"] else 1,
        "item": item,
        "value": value or None,
        "answered_on": cells.day(line, dated),
    }


def _session(cells: Cells, line: Line) -> Rows:
    yield (
        "treatment_session",
        {
            "participant_id": cells.participant(line),
            "session_number": whole(line, "sessionnumber", cells.sheet, low=1),
            "held_on": cells.day(line, "heldon"),
            "attended": yes_or_no(line, "attended", cells.sheet),
            "therapist_id": cells.code(line, "therapistid", "therapists"),
        },
    )


def _goal(cells: Cells, line: Line) -> Rows:
    rule = line["rule"] or "protocol"
    if rule not in landed.goal.column("rule").allowed:
        allowed = ", ".join(landed.goal.column("rule").allowed)
        raise BadInput(f"{line.where}: unknown rule; allowed: {allowed}")
    version = {"version": whole(line, "version", cells.sheet, 1)} if line["version"] else {}
    yield (
        "goal",
        version
        | {
            "participant_id": cells.participant(line),
            "valid_from": cells.required_day(line, "validfrom"),
            "valid_to": cells.day(line, "validto"),
            "goal_steps": whole(line, "goalsteps", cells.sheet, low=1),
            "rule": rule,
        },
    )


def _number_goals(goals: list[dict[str, Any]]) -> None:
    """Give goals their versions by date, and blank ends the day before the next begins."""
    goals.sort(key=lambda row: (row["participant_id"], row["valid_from"]))
    before: dict[str, Any] | None = None
    for row in goals:
        follows = before is not None and before["participant_id"] == row["participant_id"]
        row.setdefault("version", before["version"] + 1 if before and follows else 1)
        if before and follows and before["valid_to"] is None:
            before["valid_to"] = row["valid_from"] - timedelta(days=1)
        before = row


def _roster(cells: Cells, line: Line) -> Rows:
    site = cells.code(line, "site", "sites")
    if site is None:
        raise BadInput(f"{line.where}: no site; a participant needs one")
    days: dict[str, date | None] = {
        name: cells.day(line, name.replace("_", ""))
        for name in ("withdrawn_on", "paused_from", "paused_to")
    }
    row = days | {
        "participant_id": cells.participant(line),
        "site": site,
        "arm": cells.code(line, "arm", "arms"),
        "therapist_id": cells.code(line, "therapistid", "therapists"),
        "timezone": cells.zone(line, site),
        "enrolled_on": cells.required_day(line, "enrolledon"),
        "starts_on": cells.required_day(line, "startson"),
        "depression_or_anxiety": yes_or_no(line, "depressionoranxiety", cells.sheet),
        "age_years": whole(line, "ageyears", cells.sheet, 18, 120) if line["ageyears"] else None,
        "sex": cells.sex(line),
    }
    has = cells.sheet.columns
    yield "participant", {name: v for name, v in row.items() if name.replace("_", "") in has}


_WHO = frozenset({"participantid"})
_KINDS: list[tuple[frozenset[str], frozenset[str], Callable[[Cells, Line], Rows]]] = [
    (_WHO | {"visit", "instrument", "item", "value"}, frozenset({"repeat", "answeredon"}), _long),
    (_WHO | {"sessionnumber"}, frozenset({"heldon", "attended", "therapistid"}), _session),
    (_WHO | {"validfrom", "goalsteps"}, frozenset({"version", "validto", "rule"}), _goal),
    (
        _WHO | {"site", "enrolledon", "startson"},
        frozenset(
            {
                "arm",
                "therapistid",
                "timezone",
                "withdrawnon",
                "pausedfrom",
                "pausedto",
                "depressionoranxiety",
                "ageyears",
                "sex",
            }
        ),
        _roster,
    ),
    (_WHO | {"visit"}, frozenset({"repeat"}), _wide),
]
