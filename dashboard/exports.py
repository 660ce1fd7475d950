"""Files that leave the dashboard: made when asked for, each on the audit trail."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from datetime import datetime
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc
import streamlit as st
from openpyxl import Workbook
from pyarrow import csv

from dashboard import access, unblinding, words
from dashboard.shell import Page

# A text that begins as a formula would be run by the program of whoever opens the file.
_NO_FORMULA = (r"\A([=+\-@])", r"'\1")


def download(page: Page, table: pa.Table, name: str) -> None:
    """Buttons that give the table as CSV and as Excel."""
    with st.container(horizontal=True, gap="small"):
        for kind, extension, make in (("csv", "csv", to_csv), ("excel", "xlsx", to_excel)):
            label, file = words.say(f"common.download_{kind}"), f"{name}.{extension}"
            button(page, label, file, partial(make, table), table.num_rows)


def button(
    page: Page, label: str, file: str, make: Callable[[], bytes], rows: int | None = None,
    told: str = "",
) -> None:  # fmt: skip
    """One download, which is recorded (as `told`, else by its name) before it is given.

    One that cannot be recorded is not given. Who may take nothing along is offered nothing.
    """
    if not access.may(page.viewer, "export"):
        return
    why = "" if page.build["masked"] else unblinding.reason()

    def recorded() -> bytes:  # long after the page was drawn, by another thread
        if not access.is_still(page.viewer, page.home):
            raise access.NotAllowed(words.say("access.changed"))
        with page.register() as register:
            build = page.build["build_id"]
            access.record_export(page.viewer, register, told or file, rows, build, why)
        return make()

    st.download_button(label, recorded, file, key=f"get_{file}", on_click="ignore")


def to_csv(table: pa.Table) -> bytes:
    """The table as CSV; a blank is empty, which is not the empty text (that is quoted)."""
    for at, field in enumerate(table.schema):
        if pa.types.is_string(field.type):
            told = pc.replace_substring_regex(table.column(at), *_NO_FORMULA)
            table = table.set_column(at, field, told)
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
    return re.sub(*_NO_FORMULA, value) if isinstance(value, str) else value
