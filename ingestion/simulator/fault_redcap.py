"""REDCap's own replies, spoilt: missing-data codes, numbers for texts, columns nobody asked for."""

from __future__ import annotations

import json
from typing import Any

from ingestion.simulator.fault_kinds import Due
from ingestion.simulator.http import Reply, as_json

DRIFTS = ("unknown_field", "bare_number", "repeat_as_text")
REPEAT = "redcap_repeat_instance"


def missing_code(due: Due, reply: Reply) -> Reply | None:
    """A field that holds a project's missing-data `code` wherever it held a value."""
    rows, field = _rows(reply), due.args["field"]
    held = [row for row in rows if row.get(field)]
    for row in held:
        row[field] = due.args["code"]
    return as_json(rows) if held else None


def drift(due: Due, reply: Reply) -> Reply | None:
    """Rows that have moved on, as `what` says."""
    rows = _rows(reply)
    change = {"unknown_field": _stranger, "bare_number": _bare, "repeat_as_text": _text}
    for row in rows:
        change[due.args["what"]](row)
    return as_json(rows) if rows else None


def _rows(reply: Reply) -> list[dict[str, Any]]:
    """The rows of records; empty for another reply."""
    try:
        rows = json.loads(reply.body)
    except ValueError:
        return []
    are_records = isinstance(rows, list) and any("redcap_event_name" in row for row in rows)
    return rows if are_records else []


def _stranger(row: dict[str, Any]) -> None:
    row["new_field___1"] = "1"


def _bare(row: dict[str, Any]) -> None:
    row.update({n: int(v) for n, v in row.items() if isinstance(v, str) and v.isdecimal()})


def _text(row: dict[str, Any]) -> None:
    row[REPEAT] = str(row.get(REPEAT, ""))
