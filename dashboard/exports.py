"""Files that leave the dashboard: made when asked for, each on the audit trail."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import datetime
from functools import partial

import pyarrow as pa
import streamlit as st
from openpyxl import Workbook
from pyarrow import csv

from dashboard import words
from dashboard.access import record_change
from dashboard.shell import Page


def download(page: Page, table: pa.Table, name: str) -> None:
    """Buttons that give the table as CSV and as Excel."""
    with st.container(horizontal=True, gap="small"):
        for kind, extension, make in (("csv", "csv", to_csv), ("excel", "xlsx", to_excel)):
            label, file = words.say(f"common.download_{kind}"), f"{name}.{extension}"
            button(page, label, file, partial(make, table), table.num_rows)


def button(
    page: Page, label: str, file: str, make: Callable[[], bytes], rows: int | None = None
) -> None:
    """One download, which is recorded before it is given; one that cannot be is not given."""

    def recorded() -> bytes:
        record(page, file, rows)
        return make()

    st.download_button(label, recorded, file, key=f"get_{file}", on_click="ignore")


def record(page: Page, file: str, rows: int | None = None) -> None:
    """Write to the audit trail that the viewer took `file`, of so many rows, of this build."""
    build = page.build["build_id"]
    new = f"build {build}" if rows is None else f"{rows:,} rows of build {build}"
    with page.register() as register:
        record_change(page.viewer, register, "export", file, new=new)


def to_csv(table: pa.Table) -> bytes:
    """The table as CSV; a blank is empty, which is not the empty text (that is quoted)."""
    with io.BytesIO() as buffer:
        csv.write_csv(table, buffer)
        return buffer.getvalue()


def to_excel(table: pa.Table) -> bytes:
    """The table as a workbook of one sheet; instants stand as text in UTC, with their zone."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("data")
    sheet.append(table.column_names)
    for row in zip(*(column.to_pylist() for column in table.columns), strict=True):
        sheet.append([_cell(value) for value in row])
    with io.BytesIO() as buffer:
        book.save(buffer)
        return buffer.getvalue()


def _cell(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()  # Excel has no zones
    if isinstance(value, list | dict):
        return str(value)
    # a text that begins as a formula would be run by whoever opens the file
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@"):
        return f"'{value}"
    return value
