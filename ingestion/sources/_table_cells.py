"""Cells of a table as typed values and codes of the study; whatever is not allowed is refused.

Messages name file, row, column and what is allowed, and never what the cell holds: where columns
are shifted it may be anybody's answer.
"""

from __future__ import annotations

from datetime import date
from typing import Any
from zoneinfo import available_timezones

from ingestion.delimited import normal
from ingestion.errors import BadInput
from ingestion.sources._table_mapping import KNOWN, Mapping
from ingestion.sources._table_sheets import Line, Sheet
from warehouse.study import Study
from warehouse.tables import landed

MOST = 2**31 - 1  # what a column of whole numbers can hold
YES_NO = {
    "1": True,
    "yes": True,
    "y": True,
    "true": True,
    "0": False,
    "no": False,
    "n": False,
    "false": False,
}
DATES = (
    "answeredon",
    "heldon",
    "validfrom",
    "validto",
    "enrolledon",
    "startson",
    "withdrawnon",
    "pausedfrom",
    "pausedto",
)


class Cells:
    """One sheet read under the study: its dates by one rule, its codes as study.toml has them."""

    def __init__(self, sheet: Sheet, study: Study, mapping: Mapping) -> None:
        self.sheet, self.mapping = sheet, mapping
        self._study = study
        self.items = mapping.columns(sheet.columns)  # column -> (instrument, item)
        codes = {code for code, _ in self.items.values()}
        self.date_columns = {code: mapping.date_column(code, sheet.columns) for code in codes}
        dated = {*DATES, *self.date_columns.values()} & set(sheet.columns)
        self._dates = sheet.dates(sorted(dated), mapping.dates)
        self._visits = {normal(text): code for text, code in mapping.visits.items()}
        for visit in study.visits:
            self._visits |= {normal(visit.code): visit.code, normal(visit.label): visit.code}
        self._instruments = {normal(code): code for code in mapping.items}
        for code, (_, starts) in KNOWN.items():
            self._instruments |= dict.fromkeys(starts, code)

    def participant(self, line: Line) -> str:
        if not line["participantid"]:
            raise BadInput(f"{line.where}: no participant_id; every row needs one")
        return line["participantid"]

    def visit(self, line: Line) -> str:
        found = self._visits.get(normal(line["visit"]))
        if found is None:
            allowed = [visit.code for visit in self._study.visits]
            raise BadInput(f"{line.where}: unknown visit; allowed: {', '.join(allowed)}")
        return found

    def instrument(self, line: Line) -> str:
        found = self._instruments.get(normal(line["instrument"]))
        if found is None:
            allowed = ", ".join(sorted(self.mapping.items))
            raise BadInput(f"{line.where}: unknown instrument; allowed: {allowed}")
        return found

    def code(self, line: Line, column: str, kind: str) -> str | None:
        """A code that study.toml defines under `kind` (arms, sites, therapists); None if blank."""
        allowed = [item.code for item in getattr(self._study, kind)]
        text = line[column]
        if text and allowed and text not in allowed:
            title = self._title(column)
            raise BadInput(f"{line.where}: unknown {title}; allowed: {', '.join(allowed)}")
        return text or None

    def zone(self, line: Line, site: str) -> str:
        """The time zone of a roster row; without one, that of the site."""
        text = line["timezone"] or self._study.site(site).timezone
        if text not in available_timezones():
            raise BadInput(f"{line.where}: unknown timezone; give an IANA zone like Europe/London")
        return text

    def sex(self, line: Line) -> str | None:
        text = line["sex"].lower()
        allowed = landed.participant.column("sex").allowed
        if text and text not in allowed:
            raise BadInput(f"{line.where}: unknown sex; allowed: {', '.join(allowed)}, or blank")
        return text or None

    def day(self, line: Line, column: str) -> date | None:
        return self._dates[line[column]] if line[column] else None

    def required_day(self, line: Line, column: str) -> date:
        found = self.day(line, column)
        if found is None:
            raise BadInput(f"{line.where}: no {self._title(column)}; every row needs one")
        return found

    def _title(self, column: str) -> str:
        return self.sheet.columns.get(column, column)


def whole(line: Line, column: str, sheet: Sheet, low: int, high: int = MOST) -> int:
    """A whole number of at least `low` and at most `high`."""
    text = line[column]
    found = int(text) if text.isdecimal() and len(text) <= len(str(MOST)) else None
    if found is None or not low <= found <= high:
        wanted = f"from {low}" + (f" to {high}" if high < MOST else "")
        title = sheet.columns.get(column, column)
        raise BadInput(f"{line.where}: {title} is not a whole number {wanted}")
    return found


def yes_or_no(line: Line, column: str, sheet: Sheet) -> bool | None:
    """True, False, or None for a blank."""
    text: Any = line[column].lower()
    if text and text not in YES_NO:
        title = sheet.columns.get(column, column)
        raise BadInput(f"{line.where}: {title} is not one of {', '.join(YES_NO)}, or blank")
    return YES_NO[text] if text else None
