"""What Google Health is asked, page by page, and what of each reply is kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any
from urllib.parse import urlencode

import msgspec

from ingestion.errors import BadReply, ScopeMissing
from ingestion.http import withheld_body
from ingestion.source import Ask, Client, Reply, Window, hashed_id
from ingestion.sources import _google_bodies as bodies
from ingestion.sources import _google_shapes as shapes
from ingestion.sources._google_days import day_frame

ME = "/v4/users/me"
FAMILY = "users/me/dataSourceFamilies/google-wearables"
MOST_POINTS = 10_000  # a page; the vendor sends what it likes up to this
MOST_PAGES = 1_000
TOTALS_DAYS, HEART_DAYS = 90, 14  # the longest range of one roll-up
FARTHEST = timedelta(hours=26)  # from one zone's midnight to another's of the same date
Span = tuple[datetime, datetime]


def fetch_settings(client: Client, ask: Ask) -> Reply:
    """The settings, without what we do not need of them."""
    path = f"{ME}/settings"
    with withheld_body():
        response = client.get(path)
    told = bodies.decode(response.content, bodies.Settings)
    kept = {"timeZone": told.time_zone, "utcOffset": told.utc_offset}
    drift = shapes.kept_drift("settings", response.content, shapes.SETTINGS)
    body = msgspec.json.encode(kept | drift)
    return _reply(ask, "settings", f"GET {path}", response, body=body)


def fetch_devices(client: Client, ask: Ask) -> Iterator[Reply]:
    """The paired devices, without serial, MAC address or the account's number."""
    path = f"{ME}/pairedDevices"
    with withheld_body():
        for asked, response in _got(client, path, {"pageSize": "100"}, bodies.Devices):
            told = bodies.decode(response.content, bodies.Devices).paired_devices
            drift = shapes.kept_drift("paired-devices", response.content, shapes.DEVICES)
            kept = {"pairedDevices": [_kept(device) for device in told]} | drift
            body = msgspec.json.encode(kept)
            request = f"GET {path}?{urlencode(asked)}"
            yield _reply(ask, "paired-devices", request, response, body=body)


def fetch_steps(client: Client, ask: Ask, window: Window) -> Iterator[Reply]:
    """Step points whose civil start lies in the window, all sources of the family merged."""
    path, member = f"{ME}/dataTypes/steps/dataPoints:reconcile", "steps.interval.civil_start_time"
    after = window.last_on + timedelta(days=1)
    params = {
        "filter": f'{member} >= "{window.first_on}T00:00:00" AND {member} < "{after}T00:00:00"',
        "dataSourceFamily": FAMILY,
        "pageSize": str(MOST_POINTS),
    }
    for asked, response in _got(client, path, params, bodies.Points):
        yield _reply(ask, "steps", f"GET {path}?{urlencode(asked)}", response, window)


def fetch_totals(client: Client, ask: Ask, window: Window) -> Iterator[Reply]:
    """The vendor's own total of each civil day."""
    path = f"{ME}/dataTypes/steps/dataPoints:dailyRollUp"
    for part in window.chunks(TOTALS_DAYS):
        days = {"start": _civil(part.first_on), "end": _civil(part.last_on + timedelta(days=1))}
        # No pageSize: a live service has refused the documented one.
        body = {"range": days, "windowSizeDays": 1, "dataSourceFamily": FAMILY}
        yield from _posted(client, ask, "daily-steps", path, body, window)


def fetch_heart_rate(client: Client, ask: Ask, window: Window, span: Span) -> Iterator[Reply]:
    """Minutes with a heart rate; where the participant did not share it, that refusal."""
    path = f"{ME}/dataTypes/heart-rate/dataPoints:rollUp"
    start, end = span[0], min(span[1], ask.now)
    try:
        while start < end:
            stop = min(start + timedelta(days=HEART_DAYS), end)
            times = {"startTime": _rfc3339(start), "endTime": _rfc3339(stop)}
            body = {"range": times, "windowSize": "60s", "pageSize": MOST_POINTS}
            body |= {"dataSourceFamily": FAMILY}
            yield from _posted(client, ask, "heart-rate", path, body, window)
            start = stop
    except ScopeMissing as error:
        words = str(error).encode()
        asked = (ask.participant_id, "heart-rate", f"POST {path}", ask.now)
        yield Reply("google_health", *asked, 403, "text/plain", words, window)


def utc_span(window: Window, zone: tzinfo) -> Span:
    """The instants in which the window's days lie at home."""
    last_at, minutes = day_frame(window.last_on, zone)
    return day_frame(window.first_on, zone)[0], last_at + timedelta(minutes=minutes)


def widened(span: Span, window: Window, zone: tzinfo, reply: Reply) -> Span:
    """The span with the instants of a reply's step points, for days that were lived elsewhere."""
    points, _ = bodies.step_points([bodies.decode(reply.body, bodies.Points).data_points])
    start = points.start[points.start != bodies.NO_TIME]
    if not start.size:
        return span
    last_end = max(int(start.max()) + 60, int(points.end.max()))
    first, last = (datetime.fromtimestamp(at, UTC) for at in (int(start.min()), last_end))
    home = utc_span(window, zone)
    return (
        max(min(span[0], first), home[0] - FARTHEST),
        min(max(span[1], last), home[1] + FARTHEST),
    )


def devices(replies: Sequence[Reply]) -> list[bodies.Device]:
    """The devices of `fetch_devices`."""
    return [d for r in replies for d in bodies.decode(r.body, bodies.Devices).paired_devices]


def trackers(replies: Sequence[Reply]) -> list[bodies.Device]:
    """Those that are worn: a bathroom scale syncs too."""
    return [device for device in devices(replies) if device.device_type != "SCALE"]


def _got(
    client: Client, path: str, params: dict[str, str], kind: type[bodies.Paged]
) -> Iterator[tuple[dict[str, str], Any]]:
    """Every page of a GET, with the parameters that asked for it."""
    pages, asked = _Pages(path), params
    while True:
        response = client.get(path, asked)
        yield asked, response
        token = pages.next_token(bodies.decode(response.content, kind).next_page_token)
        if not token:
            return
        asked = {**params, "pageToken": token}


def _posted(
    client: Client, ask: Ask, data_type: str, path: str, body: dict[str, Any], window: Window
) -> Iterator[Reply]:
    """Every page of a roll-up."""
    pages, asked = _Pages(path), body
    while True:
        response = client.post(path, json=asked)
        request = f"POST {path} {msgspec.json.encode(asked).decode()}"
        yield _reply(ask, data_type, request, response, window)
        token = pages.next_token(bodies.decode(response.content, bodies.Buckets).next_page_token)
        if not token:
            return
        asked = {**body, "pageToken": token}


class _Pages:
    """Follows page tokens, not emptiness: an empty page may have a next one."""

    def __init__(self, path: str) -> None:
        self._path, self._seen = path, set[str]()

    def next_token(self, token: str) -> str:
        """The token given; BadReply when it leads in a circle, or on and on."""
        if token in self._seen or len(self._seen) >= MOST_PAGES:
            raise BadReply(f"google_health: the pages of {self._path} do not end")
        if token:
            self._seen.add(token)
        return token


def _reply(
    ask: Ask, data_type: str, request: str, response: Any, window: Window | None = None,
    body: bytes | None = None,
) -> Reply:  # fmt: skip
    kind = response.headers.get("Content-Type", "")
    content = response.content if body is None else body
    asked = (ask.participant_id, data_type, request, ask.now)
    return Reply("google_health", *asked, response.status_code, kind, content, window)


def _kept(device: bodies.Device) -> dict[str, Any]:
    features = None
    if device.features is not None:
        features = [name for name in ("HEART_RATE", "STEPS") if name in device.features]
    return {
        "name": hashed_id(device.name),
        "deviceType": device.device_type,
        "deviceVersion": device.device_version,
        "features": features,
        "lastSyncTime": device.last_sync_time,
        "batteryLevel": device.battery_level,
    }


def _civil(day: date) -> dict[str, dict[str, int]]:
    return {"date": {"year": day.year, "month": day.month, "day": day.day}}


def _rfc3339(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
