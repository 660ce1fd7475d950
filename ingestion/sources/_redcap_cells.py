"""What the cells of REDCap rows mean under a study's mapping. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import NoReturn

from ingestion.sources._redcap_dictionary import Field
from ingestion.sources._redcap_mapping import Mapping, base_of
from ingestion.sources._redcap_rows import MOST_DIGITS, Row
from warehouse.study import Study

YES_NO = {"1": True, "yes": True, "true": True, "0": False, "no": False, "false": False}
DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")


TIME = r"(?:[ T]\d{1,2}:\d\d.*)?"
ISO_DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)" + TIME)
OTHER_DATE = re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})" + TIME)
ORDERS = {"day_first": [3, 2, 1], "month_first": [3, 1, 2]}


class Refused(ValueError):
    """A row that cannot land; its text is the reason that is counted."""


def _bad_date() -> NoReturn:
    raise Refused("bad_date") from None


@dataclass(frozen=True)
class Cells:
    """What the cells of rows mean under a study's mapping; None is no answer."""

    mapping: Mapping
    study: Study
    fields: dict[str, Field]

    def form_of(self, column: str) -> str | None:
        """The form that a column is on, where the project or the export says."""
        field = self.fields.get(base_of(column))
        return field.form if field else None

    def text(self, row: Row, column: str | None, name: str = "") -> str | None:
        """The text of a cell, in the study's codes for `name`. None when it is blank, holds a
        missing-data code, or is not mapped."""
        text = row.cell(column) if column else ""
        if not text or text in self.mapping.missing_codes:
            return None
        return self.mapping.codes.get(name, {}).get(text, text)

    def answer(self, row: Row, column: str) -> str | None:
        """An item's answer, with a point for the decimal comma where the project writes commas, or
        says that the field is a number."""
        text = self.text(row, column)
        field = self.fields.get(column)
        has_commas = self.mapping.decimal_comma or (field is not None and field.is_number)
        if text and has_commas and DECIMAL_COMMA.fullmatch(text):
            return text.replace(",", ".")
        return text

    def day(self, row: Row, column: str | None) -> date | None:
        """A date; a time may follow it. Its parts stand in the order of ISO, or as stated."""
        text = self.text(row, column)
        if text is None:
            return None
        iso = ISO_DATE.fullmatch(text)
        order = [1, 2, 3] if iso else ORDERS.get(self.mapping.dates or "")
        found = iso or OTHER_DATE.fullmatch(text)
        try:
            return date(*(int(found[at]) for at in order)) if found and order else _bad_date()
        except ValueError:
            return _bad_date()

    def required_day(self, row: Row, column: str, reason: str) -> date:
        found = self.day(row, column)
        if found is None:
            raise Refused(reason)
        return found

    def yes_no(self, row: Row, column: str | None, name: str) -> bool | None:
        text = self.text(row, column, name)
        if text is not None and text.lower() not in YES_NO:
            raise Refused("bad_value")
        return None if text is None else YES_NO[text.lower()]

    def whole(self, row: Row, column: str | None, bounds: range) -> int | None:
        text = self.text(row, column)
        if text is not None and not (
            text.isdecimal() and len(text) <= MOST_DIGITS and int(text) in bounds
        ):
            raise Refused("bad_value")
        return None if text is None else int(text)

    def one_of(self, known: Collection[str], row: Row, column: str | None, name: str) -> str | None:
        """A code out of `known`; what else is typed there might be a name and is refused."""
        code = self.text(row, column, name)
        if code is not None and code not in known:
            raise Refused(f"unknown_{name}")
        return code

    def therapist(self, row: Row, column: str | None) -> str | None:
        known = {therapist.code for therapist in self.study.therapists}
        return self.one_of(known, row, column, "therapist_id")
