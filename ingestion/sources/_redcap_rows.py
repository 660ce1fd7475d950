"""REDCap's records as rows of text, whether they came flat, as EAV or as a CSV export. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec

from ingestion.delimited import delimiter_of, plain_bytes
from ingestion.errors import BadInput, BadReply
from ingestion.source import Reply
from ingestion.sources._redcap_mapping import Mapping, base_of

EAV = {"record", "field_name", "value"}
NOT_COMPLETED = "[not completed]"  # the time stamp of a survey that was opened and left


@dataclass(frozen=True)
class Row:
    """One record, event and repeat: cells by column, all text."""

    record: str
    event: str
    form: str  # of a repeating form; blank for the rest
    repeat: int
    cells: dict[str, str]
    reply: Reply

    def cell(self, column: str) -> str:
        """The text of a column. EAV names only the options of a checkbox that are ticked."""
        found = self.cells.get(column)
        if found is None:
            return "0" if "___" in column and base_of(column) in self.cells else ""
        return "" if found == NOT_COMPLETED else found


def rows_of(replies: Sequence[Reply], mapping: Mapping) -> list[Row]:
    """The rows of all replies, in order; of two for the same record, event and repeat the newest.

    Raises BadReply, or BadInput for a CSV export without a mapped column.
    """
    newest: dict[tuple[str, str, str, int], Row] = {}
    for reply in sorted(replies, key=lambda r: (r.fetched_at, r.sha256)):
        for row in _rows(reply, mapping):
            newest[row.record, row.event, row.form, row.repeat] = row
    return [newest[key] for key in sorted(newest)]


def _rows(reply: Reply, mapping: Mapping) -> Iterable[Row]:
    is_csv = "csv" in reply.content_type
    for cells in _csv_table(reply, mapping) if is_csv else _json_table(reply, mapping):
        record = cells.get(mapping.record_id, "")
        repeat = cells.get("redcap_repeat_instance") or "1"
        if not record or not repeat.isdecimal():
            raise BadReply("redcap: a row without a record id, or whose repeat is no number")
        event = cells.get("redcap_event_name", "")
        form = cells.get("redcap_repeat_instrument", "")
        yield Row(record, event, form, int(repeat), cells, reply)


def _json_table(reply: Reply, mapping: Mapping) -> list[dict[str, str]]:
    try:
        table = msgspec.json.decode(reply.body, type=list[dict[str, str | int | float | None]])
    except msgspec.DecodeError as error:
        raise BadReply(f"redcap: records are not a list of rows: {error}") from None
    cells = [{name: _text(value) for name, value in row.items()} for row in table]
    is_eav = bool(cells) and all(row.keys() >= EAV for row in cells)
    return _flat(cells, mapping.record_id) if is_eav else cells


def _text(value: object) -> str:
    return "" if value is None else str(value).strip()


def _flat(facts: Iterable[dict[str, str]], record_id: str) -> list[dict[str, str]]:
    """EAV, one row a fact, as flat rows; the option of a checkbox also gets its own column."""
    keys = ("redcap_event_name", "redcap_repeat_instrument", "redcap_repeat_instance")
    rows: dict[tuple[str, ...], dict[str, str]] = {}
    for fact in facts:
        where = (fact["record"], *(fact.get(key, "") for key in keys))
        row = rows.setdefault(where, dict(zip((record_id, *keys), where, strict=True)))
        row[fact["field_name"]] = fact["value"]
        row[f"{fact['field_name']}___{fact['value'].lower()}"] = "1"
    return list(rows.values())


def _csv_table(reply: Reply, mapping: Mapping) -> list[dict[str, str]]:
    try:
        text = plain_bytes(reply.request, reply.body).decode("utf-8")
    except UnicodeDecodeError:
        raise BadInput(f"{reply.request}: not UTF-8; export it from REDCap again") from None
    lines = csv.DictReader(io.StringIO(text), delimiter=delimiter_of(text.split("\n", 1)[0]))
    names = lines.fieldnames or []
    missing = [
        f"{name} ({key})" for key, name in mapping.fields_by_key().items() if name not in names
    ]
    if text.strip() and missing:
        raise BadInput(f"{reply.request}: no column {', '.join(missing)}; export it with raw codes")
    table = list(lines)
    if any(None in row or None in row.values() for row in table):
        raise BadInput(f"{reply.request}: a row is shorter or longer than the header; is it whole?")
    return [{name: _text(value) for name, value in row.items()} for row in table]
