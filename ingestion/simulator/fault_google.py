"""The Health API's own replies, spoilt: pages, doubled points, drift, and what nobody walks."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from typing import Any

from ingestion.simulator.fault_kinds import Due
from ingestion.simulator.http import Reply, Request, as_json

PAGED = ("dataPoints", "rollupDataPoints", "pairedDevices")
DRIFTS = ("unknown_field", "unknown_enum", "bare_number", "nan")
_COUNTED = (
    ("steps", ("count", "countSum")),
    ("heartRate", ("beatsPerMinute", "beatsPerMinuteAvg")),
)
_AGAIN = "again-"  # a page token that asks once more for the page that it came with
Body = dict[str, Any]


def unwrapped(request: Request) -> Request:
    """The request with the vendor's own page token in place of one that a fault had given."""
    query = tuple((n, v) for n, v in map(_own, request.query) if n != "pageToken" or v)
    request = dataclasses.replace(request, query=query)
    if _AGAIN.encode() not in request.body:
        return request
    body = dict(map(_own, json.loads(request.body).items()))
    body = {name: value for name, value in body.items() if name != "pageToken" or value}
    return dataclasses.replace(request, body=json.dumps(body).encode())


def _own(pair: tuple[str, Any]) -> tuple[str, Any]:
    name, value = pair
    is_ours = name == "pageToken" and str(value).startswith(_AGAIN)
    return (name, value.partition(".")[2]) if is_ours else pair


def empty_page(due: Due, reply: Reply) -> Reply | None:
    """A page of nothing before the page that was asked for."""
    if _points(reply) is None:
        return None
    return as_json({"nextPageToken": _again(due)})


def page_twice(due: Due, reply: Reply) -> Reply | None:
    """A page that comes again, under a token of its own: each of its points is on two pages."""
    found = _points(reply)
    return as_json({**found[0], "nextPageToken": _again(due)}) if found and found[1] else None


def repeated_token(due: Due, reply: Reply) -> Reply | None:
    """A page whose next page is itself, under the same token."""
    found = _points(reply)
    if found is None:
        return None
    return as_json({**found[0], "nextPageToken": f"{_AGAIN}0.{_token_asked(due)}"})


def two_sources(due: Due, reply: Reply) -> Reply | None:
    """Each step point a second time, a little lower, as from a phone in the pocket."""
    found = _points(reply)
    if not found or not any("steps" in point for point in found[1]):
        return None
    body, points = found
    body["dataPoints"] = [p for point in points for p in (point, _lower(point))]
    return as_json(body)


def overlapping(due: Due, reply: Reply) -> Reply | None:
    """A point of several `minutes` over minutes that each have their own."""
    found, length = _points(reply), due.args.get("minutes", 2)
    runs = _runs(found[1], length) if found else iter(())
    first = next(runs, None)
    if found is None or first is None:
        return None
    body, points = found
    points.insert(first, _joined(points[first : first + length]))
    return as_json(body)


def implausible(due: Due, reply: Reply) -> Reply | None:
    """A minute with `steps` that nobody walks, or fewer than none: the newest with any."""
    found = _points(reply)
    walked = [p["steps"] for p in found[1] if "count" in p.get("steps", {})] if found else []
    if not found or not walked:
        return None
    walked[0]["count"] = str(due.args.get("steps", 5000))
    return as_json(found[0])


def drift(due: Due, reply: Reply) -> Reply | None:
    """A reply that has moved on from the contract, as `what` says."""
    try:
        body = json.loads(reply.body)
    except ValueError:
        return None
    change = {
        "unknown_field": _stranger, "unknown_enum": _new_words,
        "bare_number": _bare, "nan": _not_a_number,
    }[due.args["what"]]  # fmt: skip
    return as_json(body) if isinstance(body, dict) and change(body) else None


def two_devices(due: Due, reply: Reply) -> Reply | None:
    """A second device beside the first: an older tracker that is no longer synced, or a scale."""
    if reply.status != 200 or not due.path.endswith("/pairedDevices"):
        return None
    body = json.loads(reply.body)
    if not body.get("pairedDevices"):
        return None
    first = body["pairedDevices"][0]
    kind = due.args.get("kind", "tracker")
    other = {**first, "name": first["name"] + "9", "macAddress": "AABBCCFFFFFF"}
    other |= {"deviceVersion": "Zip", "features": ["STEPS"], "lastSyncTime": "2026-01-10T06:00:00Z"}
    if kind == "scale":
        other |= {"deviceType": "SCALE", "deviceVersion": "Aria Air", "features": []}
        other["lastSyncTime"] = first["lastSyncTime"]
    body["pairedDevices"].append(other)
    return as_json(body)


def _points(reply: Reply) -> tuple[Body, list[Body]] | None:
    """A page and the data points or devices on it; None for another reply."""
    if reply.status != 200:
        return None
    body = json.loads(reply.body)
    key = next((key for key in PAGED if key in body), None)
    return (body, body[key]) if key else None


def _again(due: Due) -> str:
    number = due.sim.state.next_number("pages given again")
    return f"{_AGAIN}{number}.{_token_asked(due)}"


def _token_asked(due: Due) -> str:
    if due.request.method == "POST":
        return str(json.loads(due.request.body).get("pageToken", ""))
    return due.request.params.get("pageToken", "")


def _lower(point: Body) -> Body:
    steps = {**point["steps"]}
    if "count" in steps:
        steps["count"] = str(int(steps["count"]) * 15 // 16)
    return {**point, "steps": steps}


def _runs(points: list[Body], length: int) -> Iterator[int]:
    """Where `length` points begin that follow one another minute by minute, newest first."""
    spans = [p.get("steps", {}).get("interval", {}) for p in points]
    for at in range(len(spans) - length + 1):
        pairs = zip(spans[at : at + length - 1], spans[at + 1 : at + length], strict=True)
        if all("startTime" in new and new["startTime"] == old.get("endTime") for new, old in pairs):
            yield at


def _joined(points: list[Body]) -> Body:
    newest, oldest = points[0]["steps"]["interval"], points[-1]["steps"]["interval"]
    ends = {name: value for name, value in newest.items() if name.lower().find("end") >= 0}
    total = sum(int(point["steps"].get("count", "0")) for point in points)
    return {**points[0], "steps": {"interval": {**oldest, **ends}, "count": str(total)}}


def _stranger(body: Body) -> bool:
    for key in PAGED:
        for item in body.get(key, []):
            item["newField"] = {"since": "v5"}
            if "steps" in item:
                item["steps"]["newField"] = "1"
    body["newField"] = [1]
    return True


def _new_words(body: Body) -> bool:
    """Enum values that the discovery document does not have; False if none is there."""
    changed = False
    for device in body.get("pairedDevices", []):
        device["deviceType"], changed = "SMART_RING", True
    for point in body.get("dataPoints", []):
        if "dataSource" in point:
            point["dataSource"]["recordingMethod"], changed = "INFERRED", True
    if "distanceUnit" in body:
        body["distanceUnit"], changed = "DISTANCE_UNIT_PARSECS", True
    return changed


def _values(body: Body) -> Iterator[tuple[Body, str]]:
    """Every counted value of a page, newest first."""
    for key in PAGED:
        for point in body.get(key, []):
            for kind, names in _COUNTED:
                yield from ((point[kind], n) for n in names if n in point.get(kind, {}))


def _bare(body: Body) -> bool:
    texts = [(value, name) for value, name in _values(body) if isinstance(value[name], str)]
    for value, name in texts:
        value[name] = int(value[name])
    return bool(texts)


def _not_a_number(body: Body) -> bool:
    first = next(_values(body), None)
    if first:
        first[0][first[1]] = "NaN"
    return first is not None
