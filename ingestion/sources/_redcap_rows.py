"""REDCap's records as rows of text, whether they came flat, as EAV or as a CSV export. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import msgspec

from ingestion.errors import NOT_JSON, BadInput, BadReply
from ingestion.source import Reply
from ingestion.sources._redcap_files import EAV, read_table
from ingestion.sources._redcap_mapping import Mapping, base_of, check_columns

MOST_DIGITS = 9  # of a number that a column can hold
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
    is_eav: bool = False
    missing_codes: frozenset[str] = frozenset()
    absent: frozenset[str] = frozenset()  # instruments that its export holds no column of

    def cell(self, column: str) -> str:
        """The text of a column. EAV names only the options of a checkbox that are ticked: the rest
        are 0, unless the checkbox holds a missing-data code."""
        found = self.cells.get(column)
        if found is None and self.is_eav and "___" in column:
            found = self.cells.get(base_of(column))
            return "" if found is None or found in self.missing_codes else "0"
        return "" if found in (None, NOT_COMPLETED) else str(found)


def rows_of(replies: Sequence[Reply], mapping: Mapping) -> list[Row]:
    """The rows of all replies, in order; of two for the same record, event and repeat the newest.

    Raises BadReply, or BadInput for a CSV export without a mapped column.
    """
    newest: dict[tuple[str, str, str, int], Row] = {}
    for reply in sorted(replies, key=lambda r: (r.fetched_at, r.sha256)):
        for row in _rows(reply, mapping):
            newest[row.record, row.event, row.form, row.repeat] = row
    return [newest[key] for key in sorted(newest)]


def _rows(reply: Reply, mapping: Mapping) -> Iterator[Row]:
    if "csv" in reply.content_type:
        yield from _csv_rows(reply, mapping)
        return
    cells, is_eav = _json_table(reply, mapping)
    for one in cells:
        row = _row(one, mapping, reply, is_eav)
        if row is None:
            raise BadReply("redcap: a row without a record id, or whose repeat is no number")
        yield row


def _row(cells: dict[str, str], mapping: Mapping, reply: Reply, is_eav: bool) -> Row | None:
    record = cells.get(mapping.record_id, "")
    repeat = cells.get("redcap_repeat_instance") or "1"
    if not record or not (repeat.isascii() and repeat.isdecimal() and len(repeat) <= MOST_DIGITS):
        return None
    event = cells.get("redcap_event_name", "")
    form = cells.get("redcap_repeat_instrument", "")
    blank = frozenset(mapping.missing_codes)
    return Row(record, event, form, int(repeat), cells, reply, is_eav, blank)


def _json_table(reply: Reply, mapping: Mapping) -> tuple[list[dict[str, str]], bool]:
    try:
        table = msgspec.json.decode(reply.body, type=list[dict[str, str | int | float | None]])
    except NOT_JSON as error:
        raise BadReply(f"redcap: records are not a list of rows: {error}") from None
    cells = [{name: _text(value) for name, value in row.items()} for row in table]
    is_eav = bool(cells) and all(row.keys() >= set(EAV) for row in cells)
    return (_flat(cells, mapping.record_id) if is_eav else cells), is_eav


def option_column(field: str, code: str) -> str:
    """The column of a checkbox's option, as REDCap names it.

    >>> option_column("pain", "-1"), option_column("pain", "A")
    ('pain____1', 'pain___a')
    """
    return f"{field}___{re.sub('[^a-z0-9_]', '', code.lower().replace('-', '_'))}"


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
        row[option_column(fact["field_name"], fact["value"])] = "1"
    return list(rows.values())


def _csv_rows(reply: Reply, mapping: Mapping) -> Iterator[Row]:
    """Rows of an export: flat, or EAV, where a field without a value has no row."""
    table = read_table(reply.called, reply.body, mapping.record_id)
    if table.kind == "empty":
        return
    if table.is_eav:
        cells, absent = _flat(table.dicts(), mapping.record_id), frozenset[str]()
    else:
        cells, absent = table.dicts(), check_columns(table.name, table.columns, mapping)
    for number, one in enumerate(cells, start=2):
        row = _row(one, mapping, reply, table.is_eav)
        if row is None:
            raise BadInput(
                f"{reply.called}: row {number} has no {mapping.record_id}, or a "
                "redcap_repeat_instance that is not a whole number"
            )
        yield replace(row, absent=absent)
