"""REDCap exports: CSV files that somebody downloaded from a project, in place of its API.

    stepwell import redcap_export FOLDER        # or one file

Read under the mapping of the API, [sources.redcap]: a study may go from one to the other and back
without changing anything. A folder holds one data file or more (flat or EAV, raw codes) and, best,
the project's data dictionary, by which fields, identifiers and decimal commas are known.

Settings of study.toml; the study.toml that `stepwell init` writes has them filled in:

    [sources.redcap]
    record_id = "record_id"          # the field that is the participant
    missing_codes = ["-99"]          # these mean no answer
    decimal_comma = true             # 7,5 is seven and a half
    dates = "day_first"              # or "month_first": how another program rewrote an export
    timezone = "Asia/Jerusalem"      # of the server's clock, by which exports are told apart
    [sources.redcap.codes.arm]       # a project's codes -> the study's, by column of the roster
    "1" = "etmi"
    [sources.redcap.events]          # event -> visit
    [sources.redcap.instruments.FABQ]  # fields by item, or fields_from and items; date
    [sources.redcap.sessions]        # form, held_on, attended, therapist_id
    [sources.redcap.goals]           # form, valid_from, goal_steps, rule
    [sources.redcap.roster]          # event, site, enrolled_on, starts_on, arm, ...

Rules
- Kept are only the record id, event, repeat, the mapped columns, and whether and when their forms
  were completed: the rest of a row may tell who somebody is. A mapped field that the dictionary
  marks as an identifier is refused (a date is not). Of the dictionary codes are kept, no wording.
- Rows land with those of the API, and of two words for one answer the newer wins, whichever comes
  first. A word is as new as its export: the time in the file name that REDCap gave it, or its
  latest survey time where that is later or alone (both by the server's clock, `timezone` of
  [sources.redcap]); without either, the time of its first import.
- A record, form or answer row that a later export does not hold stays: an export may be a part of
  the project. The API's next pull takes away what the project no longer has.
- An instrument of which an export has no column is not touched by it; of which it has only some,
  is refused. Records that are nobody's on the roster are counted and land nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import combinations
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from ingestion.errors import NOT_JSON, BadInput
from ingestion.source import Ask, Count, Reading, Reply, content_name
from ingestion.sources._redcap_cells import Cells
from ingestion.sources._redcap_dictionary import Field, fields_of, odd_answers
from ingestion.sources._redcap_files import (
    RAW_PLEASE,
    STAMP,
    Table,
    check_raw,
    dictionary_rows,
    forms_by_position,
    local_time,
    merged,
    read_table,
    stamp_of,
    stated_at,
)
from ingestion.sources._redcap_keep import kept
from ingestion.sources._redcap_mapping import (
    Mapping,
    base_of,
    check_columns,
    check_fields,
    read_mapping,
)
from ingestion.sources._redcap_rows import Row, rows_of
from ingestion.sources._redcap_tables import read_tables
from warehouse.tables import landed

SUFFIXES = (".csv", ".tsv", ".txt")
NOT_ON_ROSTER = "not_on_roster"
TABLES = {  # how the rows of a table are counted, and its key
    "response": ("responses", landed.response.key),
    "treatment_session": ("sessions", landed.treatment_session.key),
    "goal": ("goals", landed.goal.key),
    "participant": ("roster", landed.participant.key),
}
Words = dict[tuple[Any, ...], dict[str, Any]]  # table and key -> the facts told


class RedcapExport:
    """The source. `ask.ids` maps record ids to participants; without it they are the same."""

    name = "redcap_export"
    delivers = frozenset({"response", "treatment_session", "goal", "participant"})
    era = "file"

    def fetch(self, client: Path, ask: Ask) -> Iterator[Reply]:
        """What is kept of each data file and dictionary of the folder, or of the one file.

        Raises BadInput, and Misconfigured where the dictionary has not what is mapped.
        """
        mapping = read_mapping(ask.study)
        tables = _tables(client, mapping)
        dictionary = merged([dictionary_rows(t) for t in tables if t.kind == "dictionary"])
        if dictionary:
            check_fields(mapping, dictionary)
        wanted = {base_of(name) for name in mapping.fields_by_key().values()}
        for table in tables:
            if table.kind == "dictionary":
                mine = [row for row in dictionary_rows(table) if row["field_name"] in wanted]
                yield _reply(table, "metadata", "application/json", msgspec.json.encode(mine), ask)
            elif table.kind in ("data", "empty"):
                check_raw(table)
                if table.kind == "data" and not table.is_eav:
                    check_columns(table.name, table.columns, mapping)
                yield _reply(table, "records", "text/csv", kept(table, mapping), ask)

    def read(self, replies: Sequence[Reply], ask: Ask) -> Reading:
        """Rows of the data files as the API's; pure. BadInput names file and row."""
        mapping = read_mapping(ask.study)
        dictionary = merged([_decoded(one) for one in replies if one.data_type == "metadata"])
        data = [reply for reply in replies if reply.data_type == "records"]
        tables = [read_table(reply.called, reply.body, mapping.record_id) for reply in data]
        words = [
            replace(reply, source="redcap", fetched_at=_reach(table, reply, mapping, ask))
            for reply, table in zip(data, tables, strict=True)
        ]
        _check_order(words, mapping)
        fields = fields_of(dictionary) or _fields_by_position(tables)
        cells = Cells(mapping, ask.study, fields)
        reading = Reading(lands_with="redcap")
        rows: list[Row] = []
        told: Words = {}
        for word in sorted(words, key=lambda one: (one.fetched_at, one.sha256)):
            mine = [_known(row, ask) for row in rows_of([word], mapping)]
            _add(reading, mine, cells, told)
            rows += mine
        reading.notes = [*_untouched(rows, mapping), *odd_answers(_answers(rows, cells), fields)]
        _pass_over(reading, ask)
        return reading


SOURCE = RedcapExport()


def _tables(path: Path, mapping: Mapping) -> list[Table]:
    """The tables at `path`; BadInput when none of them can be data."""
    if not path.exists():
        raise BadInput(f"{path}: no file or folder is there")
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    named = [one for one in files if one.is_file() and one.suffix.lower() in SUFFIXES]
    found = [read_table(one.name, one.read_bytes(), mapping.record_id) for one in named]
    if not any(table.kind in ("data", "empty") for table in found):
        raise BadInput(
            f"{path}: no REDCap export among {len(files)} files: none has a column "
            f"{mapping.record_id} (sources.redcap.record_id), or record, field_name and value; "
            f"{RAW_PLEASE}"
        )
    return found


def _reply(table: Table, data_type: str, content_type: str, body: bytes, ask: Ask) -> Reply:
    request = content_name(body, f"{stamp_of(table.name)}.{content_type.rpartition('/')[2]}")
    return Reply(RedcapExport.name, None, data_type, request, ask.now, 200, content_type, body,
                 name=table.name)  # fmt: skip


def _reach(table: Table, reply: Reply, mapping: Mapping, ask: Ask) -> datetime:
    """How new an export's word is; never newer than its first import."""
    local = max([*stated_at(table.name), *_stamps(table)], default=None)
    if local is None:
        return reply.fetched_at
    zone = ZoneInfo(ask.timezone or mapping.timezone or "UTC")
    return min(local.replace(tzinfo=zone).astimezone(UTC), reply.fetched_at)


def _decoded(reply: Reply) -> list[dict[str, str]]:
    try:
        return msgspec.json.decode(reply.body, type=list[dict[str, str]])
    except NOT_JSON:
        raise BadInput(f"{reply.called}: what was kept of it is no dictionary") from None


def _stamps(table: Table) -> list[datetime]:
    """The server's local times at which surveys were completed."""
    rows = table.dicts()
    if table.is_eav:
        cells = [row["value"] for row in rows if row["field_name"].endswith("_timestamp")]
    else:
        columns = [name for name in table.columns if name.endswith("_timestamp")]
        cells = [row[name] for row in rows for name in columns]
    return [at for cell in cells if STAMP.fullmatch(cell) for at in local_time(cell)]


def _check_order(words: Sequence[Reply], mapping: Mapping) -> None:
    """BadInput when two files tell different things of one row and neither is the newer."""
    by_file = [
        (word, {(r.record, r.event, r.form, r.repeat): r.cells for r in rows_of([word], mapping)})
        for word in words
    ]
    for (one, cells), (other, others) in combinations(by_file, 2):
        differ = any(
            cells[key][column] != others[key][column]
            for key in cells.keys() & others.keys()
            for column in cells[key].keys() & others[key].keys()
        )
        if one.fetched_at == other.fetched_at and differ:
            raise BadInput(
                f"{one.called} and {other.called} tell different things of a record, and "
                "neither says when it was exported; import them one after the other, oldest first"
            )


def _known(row: Row, ask: Ask) -> Row:
    """The row under its participant's id; BadInput when --ids has no such record."""
    if ask.ids is None:
        return row
    if row.record not in ask.ids:
        raise BadInput(
            f"{row.reply.called}: a record is not in the mapping of --ids; add it, or leave "
            "--ids away where record ids are participants"
        )
    return replace(row, record=ask.ids[row.record])


def _add(reading: Reading, rows: Sequence[Row], cells: Cells, told: Words) -> None:
    """Read one file's rows. Two files may hold two parts of one record: of answers that are in
    both, landing keeps those of the newer file, which is read later, and they are counted once."""
    part = Reading()
    read_tables(rows, cells, part)
    for table, found in part.rows.items():
        reading.rows.setdefault(table, []).extend(found)
        for row in found:
            _count_once(table, row, told, part)
    for name, count in part.counts.items():
        reading.count(name).add(count)
    for record, counts in part.counts_of.items():
        mine = reading.counts_of.setdefault(record, {})
        for name, count in counts.items():
            mine.setdefault(name, Count()).add(count)


def _count_once(table: str, row: dict[str, Any], told: Words, part: Reading) -> None:
    """Take what was told before for refused; the columns of a roster may be of several files."""
    data_type, key = TABLES[table]
    facts = {name: value for name, value in row.items() if name not in ("fetched_at", "raw_sha256")}
    place = (table, *(row.get(name) for name in key))
    before, told[place] = told.get(place), facts
    if before is None or (before != facts and table == "participant"):
        return
    for count in (part.count(data_type), part.counts_of[row["participant_id"]][data_type]):
        count.landed -= 1
        count.reject("repeated" if before == facts else "replaced_by_a_newer_word", 1)


def _fields_by_position(tables: Sequence[Table]) -> dict[str, Field]:
    """Which form a field is on, by the order of columns, where there is no dictionary."""
    flat = [table for table in tables if not table.is_eav]
    return {n: Field(f) for table in flat for n, f in forms_by_position(table.columns).items()}


def _answers(rows: Sequence[Row], cells: Cells) -> Iterator[tuple[str, str]]:
    columns = {c for one in cells.mapping.instruments.values() for c in one.by_item.values()}
    for row in rows:
        for column in sorted(columns):
            if value := cells.answer(row, column):
                yield column, value


def _untouched(rows: Sequence[Row], mapping: Mapping) -> list[str]:
    """The instruments that no file has a column of."""
    absent = frozenset.intersection(*(row.absent for row in rows)) if rows else frozenset()
    codes = [code for code in mapping.instruments if code in absent]
    return [f"not in this export, and left as they were: {', '.join(codes)}"] if codes else []


def _pass_over(reading: Reading, ask: Ask) -> None:
    """Count what is told of records that are nobody's on the roster, and land none of it."""
    enrolled = {row["participant_id"] for row in reading.rows.get("participant", [])}
    strangers = reading.counts_of.keys() - enrolled - set(ask.participants)
    if not strangers:
        return
    if len(strangers) == len(reading.counts_of):
        raise BadInput(
            f"none of the {len(strangers)} records is on the roster; import the roster first, or "
            "say with --ids which participant each record is"
        )
    for record in strangers:
        for name, count in reading.counts_of.pop(record).items():
            total = reading.count(name)
            total.landed -= count.landed
            total.reject(NOT_ON_ROSTER, count.landed, count.raw_sha256)
    for table, rows in reading.rows.items():
        reading.rows[table] = [row for row in rows if row["participant_id"] not in strangers]
    reading.notes.append(f"not on the roster: {len(strangers)} records, none of which landed")
