"""Tables that somebody saved: CSV or Excel as rows of text, each with where it stands.

CSV may be separated by comma, semicolon or tab, and be UTF-8 (with or without a mark), UTF-16 with
one, or Windows-1252, which is what Excel writes. Real dates of Excel become ISO text, whole numbers
lose their `.0`, and a number with a decimal comma gets a point.
"""

from __future__ import annotations

import csv
import io
import re
import struct
import warnings
import zipfile
import zlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime, time
from xml.etree.ElementTree import ParseError

import openpyxl

from ingestion.delimited import decoded, delimiter_of, normal
from ingestion.errors import BadInput

DATE_ORDERS = {"day_first": "%d/%m/%Y", "month_first": "%m/%d/%Y"}
# What openpyxl raises of a workbook that is damaged, beside what a zip file does.
_NO_BOOK = (
    zipfile.BadZipFile,
    zlib.error,
    ParseError,
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    NotImplementedError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
    struct.error,
)
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")


@dataclass(frozen=True)
class Line:
    """One row: its place as a person finds it, and its cells by normal column name."""

    where: str
    number: int
    cells: dict[str, str]

    def __getitem__(self, column: str) -> str:
        return self.cells.get(column, "")


@dataclass(frozen=True)
class Sheet:
    """A table: where it is, its columns (as written, by normal name), its rows."""

    where: str
    columns: dict[str, str]
    lines: list[Line]
    titles_at: int = 1  # the row of the columns' names

    def dates(self, columns: Iterable[str], order: str | None = None) -> dict[str, date]:
        """Each distinct date text of some columns as a date, all by one rule.

        ISO or 31.12.2026 say it themselves. 31/12/2026 and 12/31/2026 are told apart by the whole
        sheet, or by `order`; BadInput when both are possible and differ, or when one is no date.
        """
        texts = {line[name]: line.where for line in self.lines for name in columns if line[name]}
        slashed = {text: where for text, where in texts.items() if "/" in text}
        found = {t: _own_date(t, where) for t, where in texts.items() if t not in slashed}
        return found | self._slashed(slashed, order)

    def _slashed(self, texts: dict[str, str], order: str | None) -> dict[str, date]:
        wanted = [DATE_ORDERS[order]] if order else list(DATE_ORDERS.values())
        read = [dates for form in wanted if (dates := _all_dates(texts, form)) is not None]
        if not read:
            raise BadInput(f"{self.where}: its dates are not all day/month or all month/day/year")
        if read[0] != read[-1]:
            raise BadInput(
                f"{self.where}: its dates can be day/month or month/day; write them as 2026-01-31, "
                f'or set dates = "day_first" or "month_first" in [sources.table_export]'
            )
        return read[0]


def read_sheets(name: str, body: bytes) -> list[Sheet]:
    """The tables of a file: one of a CSV file, one for each filled sheet of an Excel file."""
    if name.lower().endswith((".xlsx", ".xlsm")):
        return [sheet for sheet in _excel(name, body) if sheet.columns]
    text = decoded(body)
    return [_sheet(name, _csv_rows(name, text, delimiter_of(text.split("\n")[0])))]


def kept(sheet: Sheet, without: Collection[str]) -> bytes:
    """A sheet as CSV with the cells of the columns `without` left blank, each row in its place."""
    rows: dict[int, Iterable[str]] = {sheet.titles_at: sheet.columns.values()}
    for line in sheet.lines:
        cells = ["" if name in without else line[name] for name in sheet.columns]
        rows[line.number] = [" ".join(cell.splitlines()) for cell in cells]
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\n").writerows(rows.get(n, ()) for n in range(1, max(rows) + 1))
    return out.getvalue().encode()


def read_kept(name: str, body: bytes) -> Sheet:
    """The sheet of which `kept` made the CSV; `name` is what it is called."""
    return _sheet(name, _csv_rows(name, decoded(body), ","))


def _excel(name: str, body: bytes) -> Iterator[Sheet]:
    try:
        with warnings.catch_warnings(action="ignore"):  # what it leaves out, we do not read
            tables = _cells_by_sheet(body)
    except _NO_BOOK:
        raise BadInput(f"{name}: not a whole Excel file; save it as .xlsx again") from None
    for title, rows in tables:
        width = max(map(len, rows), default=0)  # a row may end with its last filled cell
        padded = [row + [""] * (width - len(row)) for row in rows]
        yield _sheet(f"{name}, sheet {title}", list(enumerate(padded, start=1)))


def _cells_by_sheet(body: bytes) -> list[tuple[str, list[list[str]]]]:
    """Each sheet's title and rows; a cell is unpacked and read only when it is asked for."""
    with closing(openpyxl.load_workbook(io.BytesIO(body), read_only=True, data_only=True)) as book:
        return [
            (
                sheet.title,
                [[_text(cell) for cell in row] for row in sheet.iter_rows(values_only=True)],
            )
            for sheet in book.worksheets
        ]


def _csv_rows(name: str, text: str, delimiter: str) -> list[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        return [(reader.line_num, [_text(cell) for cell in row]) for row in reader]
    except csv.Error:
        raise BadInput(f"{name}: row {reader.line_num} is no row of a CSV file") from None


def _sheet(where: str, rows: Sequence[tuple[int, list[str]]]) -> Sheet:
    filled = [(number, row) for number, row in rows if any(row)]
    if not filled:
        return Sheet(where, {}, [])
    titles = filled[0][1]
    names = [normal(title) for title in titles]
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if twice:
        raise BadInput(f"{where}: two columns are named {twice[0]}; rename or remove one")
    lines = []
    for number, row in filled[1:]:
        if len(row) < len(names) or any(row[len(names) :]):
            raise BadInput(
                f"{where}: row {number} has {len(row)} fields where the header has {len(names)}; "
                f"the file may be cut short, or a field may need quotes"
            )
        lines.append(Line(f"{where} row {number}", number, dict(zip(names, row, strict=False))))
    return Sheet(where, dict(zip(names, titles, strict=True)), lines, filled[0][0])


def _text(cell: object) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return str(int(cell))
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime):
        return str(cell.date()) if cell.time() == time() else cell.isoformat(" ")
    text = str(cell).strip()
    return text.replace(",", ".") if _DECIMAL_COMMA.fullmatch(text) else text


def _own_date(text: str, where: str) -> date:
    dotted = re.fullmatch(r"(\d{1,2})\.(\d{1,2})\.(\d{4})", text)
    try:
        if dotted:
            day, month, year = map(int, dotted.groups())
            return date(year, month, day)
        return datetime.fromisoformat(text).date()
    except ValueError:
        raise BadInput(f"{where}: not a date; write it as 2026-01-31") from None


def _all_dates(texts: Iterable[str], form: str) -> dict[str, date] | None:
    try:
        return {text: datetime.strptime(text.split(" ")[0], form).date() for text in texts}
    except ValueError:
        return None
