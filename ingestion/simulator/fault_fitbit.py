"""The legacy API's own replies, spoilt: minutes twice or not granted, drift, a second device."""

from __future__ import annotations

import json
from typing import Any

from ingestion.simulator.fault_kinds import Due
from ingestion.simulator.http import Reply, as_json

DRIFTS = ("unknown_field", "number_as_string", "no_resting_heart_rate")
INTRADAY = "-intraday"


def no_intraday(due: Due, reply: Reply) -> Reply | None:
    """The reply without the minutes, as where access to them was not granted."""
    body = _body(reply)
    if not isinstance(body, dict) or not any(key.endswith(INTRADAY) for key in body):
        return None
    return as_json({key: value for key, value in body.items() if not key.endswith(INTRADAY)})


def duplicate_minutes(due: Due, reply: Reply) -> Reply | None:
    """Each minute with a value a second time, with the `same` value or one less."""
    body = _body(reply)
    rows = _minutes(body)
    less = 1 if due.args.get("value", "same") == "other" else 0
    if not any(row["value"] for row in rows):
        return None
    again = [row for one in rows for row in _twice(one, less)]
    rows[:] = again
    return as_json(body)


def implausible(due: Due, reply: Reply) -> Reply | None:
    """A minute with `steps` that nobody walks, or fewer than none: the last with any."""
    body = _body(reply)
    walked = [row for row in _minutes(body, "activities-steps") if row["value"]]
    if not walked:
        return None
    walked[-1]["value"] = due.args.get("steps", 5000)
    return as_json(body)


def two_devices(due: Due, reply: Reply) -> Reply | None:
    """A second device beside the first: an older tracker that is no longer synced, or a scale."""
    devices = _body(reply)
    if not isinstance(devices, list) or not devices or not due.path.endswith("/devices.json"):
        return None
    first = devices[0]
    other = {**first, "id": first["id"] + "9", "mac": "AABBCCFFFFFF", "deviceVersion": "Zip"}
    other["lastSyncTime"] = "2026-01-10T06:00:00.000"
    if due.args.get("kind", "tracker") == "scale":
        other |= {"type": "SCALE", "deviceVersion": "Aria Air"}
        other["lastSyncTime"] = first["lastSyncTime"]
    return as_json([*devices, other])


def drift(due: Due, reply: Reply) -> Reply | None:
    """A reply that has moved on from the contract, as `what` says."""
    body = _body(reply)
    change = {
        "unknown_field": _stranger,
        "number_as_string": _texts,
        "no_resting_heart_rate": _no_rest,
    }[due.args["what"]]
    return as_json(body) if body is not None and change(body) else None


def _body(reply: Reply) -> Any:
    return json.loads(reply.body) if reply.status == 200 and reply.body else None


def _minutes(body: Any, resource: str = "activities-") -> list[dict[str, Any]]:
    """The rows of an intraday reply, as they stand in it; empty for another reply."""
    for key, value in body.items() if isinstance(body, dict) else ():
        if key.startswith(resource) and key.endswith(INTRADAY):
            rows: list[dict[str, Any]] = value["dataset"]
            return rows
    return []


def _twice(row: dict[str, Any], less: int) -> list[dict[str, Any]]:
    return [row, {**row, "value": row["value"] - less}] if row["value"] else [row]


def _stranger(body: Any) -> bool:
    for item in body if isinstance(body, list) else [body, *_minutes(body)]:
        item["newField"] = {"since": "2"}
    return True


def _texts(body: Any) -> bool:
    """Every number as a text."""
    items = [*body] if isinstance(body, list) else _minutes(body)
    for item in items:
        numbers = {n: str(v) for n, v in item.items() if isinstance(v, int)}
        item.update(numbers)
    return bool(items)


def _no_rest(body: Any) -> bool:
    days = body.get("activities-heart", []) if isinstance(body, dict) else []
    return any([day["value"].pop("restingHeartRate", None) is not None for day in days])
