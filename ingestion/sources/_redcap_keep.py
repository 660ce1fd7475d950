"""What is kept of a REDCap export: what study.toml maps, and when forms were completed. Pure.

Everything else on a row (names, contacts, free text, the survey identifier, which may be an
e-mail address) is left behind before anything is stored.
"""

from __future__ import annotations

from collections.abc import Iterable

from ingestion.sources._redcap_files import EAV, STAMP, Table, to_csv
from ingestion.sources._redcap_mapping import Mapping, base_of
from ingestion.sources._redcap_rows import NOT_COMPLETED

WHERE = ("redcap_event_name", "redcap_repeat_instrument", "redcap_repeat_instance")


def kept(table: Table, mapping: Mapping) -> bytes:
    """A data table as CSV with what is needed of it."""
    if table.kind == "empty":
        return b""
    names = {mapping.record_id, *WHERE, *mapping.fields_by_key().values()}
    return _kept_facts(table, names) if table.is_eav else _kept_columns(table, names)


def _kept_columns(table: Table, names: set[str]) -> bytes:
    at = [
        index
        for index, column in enumerate(table.columns)
        if column in names or _tells_when(column, (row[index] for row in table.rows))
    ]
    return to_csv(
        [table.columns[index] for index in at],
        [[row[index] for index in at] for row in table.rows],
    )


def _kept_facts(table: Table, names: set[str]) -> bytes:
    fields = {base_of(name) for name in names}
    rows = [
        row
        for row in table.dicts()
        if row["field_name"] in fields or _tells_when(row["field_name"], [row["value"]])
    ]
    columns = [name for name in table.columns if name in (*EAV, *WHERE)]
    return to_csv(columns, [[row[name] for name in columns] for row in rows])


def _tells_when(column: str, cells: Iterable[str]) -> bool:
    """Whether a column is REDCap's own word on a form: its status, or when it was completed.

    A field of the project may end in these words too: only codes and times pass.
    """
    told = {cell.strip() for cell in cells} - {""}
    if column.endswith("_complete"):
        return told <= {"0", "1", "2"}
    if column.endswith("_timestamp"):
        return all(STAMP.fullmatch(cell) for cell in told - {NOT_COMPLETED})
    return False
