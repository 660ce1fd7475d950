"""Files of a REDCap project as somebody exported them: tables of text, and the data dictionary.

CSV by comma, semicolon or tab, in UTF-8 (with or without a mark), UTF-16 or Windows-1252. Raw
codes only: an export with labels cannot be told apart from free text, and is refused.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from ingestion.delimited import decoded, delimiter_of, plain_bytes
from ingestion.errors import BadInput

# The dictionary's own titles, by the name that the API gives the same thing.
TITLES = {
    "field_name": "Variable / Field Name",
    "form_name": "Form Name",
    "field_type": "Field Type",
    "select_choices_or_calculations": "Choices, Calculations, OR Slider Labels",
    "text_validation_type_or_show_slider_number": "Text Validation Type OR Show Slider Number",
    "text_validation_min": "Text Validation Min",
    "text_validation_max": "Text Validation Max",
    "identifier": "Identifier?",
}
EAV = ("record", "field_name", "value")
RAW_PLEASE = 'export it again as "CSV / Microsoft Excel (raw data)"'
LABELS = {"Incomplete", "Unverified", "Complete", "Checked", "Unchecked"}
STAMP = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)?")
_STATED = re.compile(r"_DATA_(\d{4}-\d\d-\d\d)_(\d\d)(\d\d)")
_CHOICES = ("radio", "dropdown", "checkbox")


@dataclass(frozen=True)
class Table:
    """A table of text; `kind` is what of a project it holds."""

    name: str
    kind: Literal["data", "dictionary", "other", "empty"]
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    @property
    def is_eav(self) -> bool:
        return set(EAV) <= set(self.columns)

    def dicts(self) -> list[dict[str, str]]:
        """The rows by column name, cells stripped."""
        return [
            dict(zip(self.columns, (cell.strip() for cell in row), strict=True))
            for row in self.rows
        ]


def read_table(name: str, body: bytes, record_id: str) -> Table:
    """A file as a table; BadInput names the row that has not as many fields as the header."""
    text = decoded(plain_bytes(name, body))
    lines = csv.reader(
        io.StringIO(text, newline=""),
        delimiter=delimiter_of(text.lstrip().split("\n", 1)[0]),
        strict=True,  # a quote that nothing closes is a file that was cut short
    )
    try:
        found = [line for line in lines if any(cell.strip() for cell in line)]
    except csv.Error:
        raise BadInput(
            f"{name}: line {lines.line_num} is no row of a CSV file (a quote is not closed); the "
            "file may be cut short: export it again"
        ) from None
    if not found:
        return Table(name, "empty", (), ())
    columns = tuple(cell.strip() for cell in found[0])
    for number, row in enumerate(found[1:], start=2):
        if len(row) != len(columns):
            raise BadInput(
                f"{name}: row {number} is shorter or longer than the header ({len(row)} fields, "
                f"not {len(columns)}); the file may be cut short: export it again"
            )
    if twice := next((one for one in columns if columns.count(one) > 1), None):
        raise BadInput(f"{name}: two columns are named {twice}; {RAW_PLEASE}")
    return Table(name, _kind(columns, record_id), columns, tuple(map(tuple, found[1:])))


def check_raw(table: Table) -> None:
    """BadInput for a data table with labels in place of codes."""
    if "_DATA_LABELS_" in table.name:
        raise BadInput(f"{table.name}: an export with labels; {RAW_PLEASE}")
    for at, column in enumerate(table.columns):
        coded = column.endswith("_complete") or "___" in column
        if coded and any(row[at].strip() in LABELS for row in table.rows):
            raise BadInput(f"{table.name}: column {column} holds labels, not codes; {RAW_PLEASE}")


def dictionary_rows(table: Table) -> list[dict[str, str]]:
    """Rows of a dictionary as the API's metadata, its choices as codes: no wording is kept."""
    api_names = {title: name for name, title in TITLES.items()}
    rows = [
        {api_names.get(name, name): value for name, value in row.items()} for row in table.dicts()
    ]
    kept = [{name: _not_na(row.get(name, "")) for name in TITLES} for row in rows]
    for row in kept:
        choices = row["select_choices_or_calculations"]
        has_codes = row["field_type"] in _CHOICES
        row["select_choices_or_calculations"] = " | ".join(codes_of(choices)) if has_codes else ""
    return kept


def codes_of(choices: str) -> list[str]:
    """The codes of a field's choices.

    >>> codes_of("0, No | -1, Yes, often | a, A")
    ['0', '-1', 'a']
    """
    return [part.split(",", 1)[0].strip() for part in choices.split("|") if part.strip()]


def stated_at(name: str) -> list[datetime]:
    """The server's local time that REDCap wrote into the name of an export; empty without one.

    >>> stated_at("Walk_DATA_2026-04-02_0915.csv")
    [datetime.datetime(2026, 4, 2, 9, 15)]
    """
    found = _STATED.search(name)
    return local_time(f"{found[1]}T{found[2]}:{found[3]}") if found else []


def stamp_of(name: str) -> str:
    """What is kept of the name of an export, which a person may have changed: REDCap's stamp."""
    found = _STATED.search(name)
    return found[0] if found else ""


def local_time(text: str) -> list[datetime]:
    """A time that REDCap wrote; empty where there is none such (of this century)."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return []
    return [found] if 2000 <= found.year <= 2100 else []


def forms_by_position(columns: Sequence[str]) -> dict[str, str]:
    """Field -> form, from the order of an export's columns: a form's `_complete` is its last.

    >>> forms_by_position(["id", "pain", "pain_form_complete", "age", "person_complete"])["age"]
    'person'
    """
    found: dict[str, str] = {}
    form = ""
    for column in reversed(columns):
        if column.endswith("_complete"):
            form = column.removesuffix("_complete")
        elif form and not column.startswith("redcap_"):
            found[column.split("___", 1)[0]] = form
    return found


def to_csv(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> bytes:
    """A table as it is kept: UTF-8, commas."""
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\n").writerows([columns, *rows])
    return out.getvalue().encode()


def merged(dictionaries: Sequence[Sequence[Mapping[str, Any]]]) -> list[dict[str, Any]]:
    """One dictionary of several; a field that any marks as an identifier is one."""
    found: dict[str, dict[str, Any]] = {}
    for row in (row for rows in dictionaries for row in rows):
        name = str(row.get("field_name", ""))
        marked = found.get(name, {}).get("identifier") or row.get("identifier", "")
        found[name] = {**row, "identifier": marked}
    return list(found.values())


def _kind(columns: Sequence[str], record_id: str) -> Literal["data", "dictionary", "other"]:
    names = set(columns)
    if {"field_name", "form_name"} <= names or TITLES["field_name"] in names:
        return "dictionary"
    return "data" if record_id in names or set(EAV) <= names else "other"


def _not_na(text: str) -> str:
    """R writes NA for a blank."""
    return "" if text == "NA" else text
