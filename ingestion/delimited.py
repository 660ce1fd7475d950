"""Delimited text files as strict tables: a file that was cut short or reshaped is refused.

Every refusal is one BadInput line that names the file, what was found and what is needed, and
never shows a value of the file.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping

import pyarrow as pa
import pyarrow.csv

from ingestion.archives import open_gzip
from ingestion.errors import BadInput

DELIMITERS = ",;\t"
_WRONG_COUNT = re.compile(r"Row #(\d+): Expected (\d+) columns, got (\d+)")
_WRONG_VALUE = re.compile(r"CSV column #(\d+): Row #(\d+)")


def plain_bytes(name: str, body: bytes) -> bytes:
    """The file's text as bytes: unpacked when gzipped, without a byte-order mark."""
    if name.lower().endswith(".gz"):
        with open_gzip(io.BytesIO(body), name, len(body)) as stream:
            body = stream.read()
    return body.removeprefix(b"\xef\xbb\xbf")


def decoded(body: bytes) -> str:
    """Text of a file somebody saved: UTF-8 or UTF-16 by their marks, else UTF-8, else what Excel
    writes, Windows-1252."""
    if body[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return body.decode("utf-16", "replace")
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError:
        return body.decode("cp1252", "replace")


def first_line(name: str, body: bytes) -> str:
    """The first line of the file's text; the rest is not unpacked."""
    if not name.lower().endswith(".gz"):
        line = body.split(b"\n", 1)[0]
    else:
        with open_gzip(io.BytesIO(body), name, len(body)) as stream:
            line = stream.readline()
    if b"\0" in line or line[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise BadInput(f"{name}: not UTF-8 text; save it as CSV UTF-8 and import again")
    return line.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace").rstrip("\r\n")


def header_of(line: str) -> list[str]:
    """The column names of a first line, split at the delimiter that it holds most of; none where
    it cannot be a table's."""
    try:
        return next(csv.reader([line.strip("\r\n")], delimiter=delimiter_of(line)), [])
    except csv.Error:  # a lone carriage return within, or a title of 131,072 characters
        return []


def delimiter_of(line: str) -> str:
    """Comma, semicolon or tab: the one found most often in the first line."""
    return max(DELIMITERS, key=line.count)


def normal(name: str) -> str:
    """A column or file name in lower case, letters and digits only, to compare spellings."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def read_strict(name: str, body: bytes, types: Mapping[str, pa.DataType]) -> pa.Table:
    """The columns of `types`, by normal name, of a delimited file with a header line.

    Raises BadInput when the last line has no end, a line has another number of fields than the
    header, or a value is not of its column's type. Blank values are null.
    """
    text = plain_bytes(name, body)
    first = text.split(b"\n", 1)[0].decode("utf-8", "replace")
    if not text.endswith(b"\n"):
        line = text.count(b"\n") + 1
        raise BadInput(
            f"{name}: line {line} has no line end, so the file may be cut short; export it "
            f"again, or add a line end if it is whole"
        )
    columns = [normal(column) for column in header_of(first)]
    if missing := [name for name in types if normal(name) not in columns]:
        raise BadInput(f"{name}: no column {', '.join(missing)} in its header; it needs them")
    types = {normal(name): its_type for name, its_type in types.items()}
    try:
        return pyarrow.csv.read_csv(
            pa.BufferReader(text),
            # One thread: error messages then know their line.
            read_options=pyarrow.csv.ReadOptions(
                use_threads=False, skip_rows=1, column_names=columns
            ),
            parse_options=pyarrow.csv.ParseOptions(delimiter=delimiter_of(first)),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types=types,
                include_columns=list(types),
                null_values=[""],
                strings_can_be_null=True,
            ),
        )
    except pa.ArrowInvalid as error:
        raise BadInput(f"{name}: {_sentence(str(error), list(types))}") from None


def _sentence(message: str, columns: list[str]) -> str:
    if found := _WRONG_COUNT.search(message):
        line, expected, got = found.groups()
        return (
            f"line {line} has {got} fields where the header has {expected}; the file may be cut "
            f"short: export it again"
        )
    if found := _WRONG_VALUE.search(message):
        column, line = found.groups()
        return f"line {line} has no whole number in column {int(column) + 1} where one is needed"
    return "not a table with one header line and one line for each row"
