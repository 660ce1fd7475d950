"""The legacy vendor's error bodies."""

from __future__ import annotations

from ingestion.simulator.http import Reply, as_json


def fitbit_error(status: int, kind: str, message: str, field_name: str = "") -> Reply:
    """An error as the legacy vendor writes it."""
    error = {"errorType": kind, "message": message}
    if field_name or kind == "system":
        error["fieldName"] = field_name or "n/a"
    return as_json({"errors": [error], "success": False}, status)
