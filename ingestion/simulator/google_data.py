"""Data points and roll-ups of the Health API: what is asked, checked, and cut into pages."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from ingestion.simulator import google_points as points
from ingestion.simulator.google_errors import GoogleError, check_fields, check_scope
from ingestion.simulator.google_filter import read_filter
from ingestion.simulator.http import Reply, Request, as_text
from ingestion.simulator.roster import SimParticipant
from ingestion.simulator.syncs import View
from ingestion.simulator.tokens import digest

if TYPE_CHECKING:
    from ingestion.simulator.server import Simulator

SCOPE_OF_TYPE = {"steps": "activity_and_fitness", "heart-rate": "health_metrics_and_measurements"}
KEY_OF_TYPE = {"steps": "steps", "heart-rate": "heartRate"}
MOST_DAYS = {"steps": 90, "heart-rate": 14}  # of one roll-up
DEFAULT_PAGE, MOST_ON_PAGE = 1440, 5000  # 10,000 is documented, about 5,000 was seen
SYSTEM_FIELDS = {"$.xgafv", "access_token", "alt", "callback", "fields", "key", "oauth_token",
                 "prettyPrint", "quotaUser", "uploadType", "upload_protocol"}  # fmt: skip
LIST_FIELDS = {"filter", "pageSize", "pageToken", "dataSourceFamily"}
FAMILIES = ("all-sources", "google-wearables", "google-sources", "self-sources")


def answer_data(
    sim: Simulator,
    request: Request,
    participant: SimParticipant,
    scopes: set[str],
    data_type: str,
    method: str,
) -> Reply:
    """Data points or roll-ups of one data type; GoogleError as the vendor refuses."""
    if data_type not in SCOPE_OF_TYPE:
        raise GoogleError(
            400, f"Data type {data_type!r} is not supported here.",
            "INVALID_PARENT_DATA_TYPE_COLLECTION",
        )  # fmt: skip
    check_scope(scopes, SCOPE_OF_TYPE[data_type])
    view = sim.world.activity(participant).view(sim.now())
    verb = {"list": "GET", "reconcile": "GET", "rollUp": "POST", "dailyRollUp": "POST"}.get(method)
    if verb != request.method:
        raise GoogleError(404, "Method not found.", "RESOURCE_NOT_FOUND")
    if verb == "GET":
        check_fields(set(request.params), SYSTEM_FIELDS | LIST_FIELDS)
        return _listed(sim, request, participant, view, data_type, method)
    check_fields(set(request.params), SYSTEM_FIELDS)
    body = _body(request)
    bound = {name: value for name, value in body.items() if name != "pageToken"}
    place = _place(sim, participant, request.path, bound, body.get("pageToken"))
    roll = _daily if method == "dailyRollUp" else _physical
    texts, ends, count = roll(sim, view, data_type, body, place)
    if _family(body.get("dataSourceFamily")) == "self-sources":
        texts, count = [], 0
    token = ""
    if ends < count:
        token = _page_token(sim, participant, request.path, bound, ends)
    return _page("rollupDataPoints", texts, token)


def _listed(
    sim: Simulator,
    request: Request,
    participant: SimParticipant,
    view: View,
    data_type: str,
    method: str,
) -> Reply:
    """A page of minutes, newest first; a page token holds the minute after which to go on."""
    params = {name: value for name, value in request.query if name in LIST_FIELDS}
    text = params.get("filter")
    bounds = read_filter(text, data_type) if text is not None else []
    family = _family(params.get("dataSourceFamily"))
    size = _page_size(params.get("pageSize"), DEFAULT_PAGE, MOST_ON_PAGE)
    bound = {name: value for name, value in params.items() if name != "pageToken"}
    place = _place(sim, participant, request.path, bound, params.get("pageToken"))
    grid, sample = sim.world.grid, data_type == "heart-rate"
    minutes = points.matching_minutes(grid, view, bounds, sample)
    if family == "self-sources":
        minutes = minutes[:0]
    page = minutes[place : place + size]
    at = [grid.instant(60 * minute) for minute in page.tolist()] if method == "list" else []
    sources = [points.source_text(participant.model_at(one)) for one in at] or [""] * page.size
    write = points.heart_points if sample else points.step_points
    texts = write(grid, view, page, sources)
    if method == "list" and not sample and family != "google-wearables":
        phone = points.phone_points(grid, view, page)
        shown = zip(page.tolist(), texts, strict=True)
        texts = [text for m, own in shown for text in (own, phone.get(m)) if text]
    token = ""
    if place + size < minutes.size:
        token = _page_token(sim, participant, request.path, bound, place + size)
    return _page("dataPoints", texts, token)


def _page(key: str, texts: list[str], token: str) -> Reply:
    parts = [f'"{key}":[{",".join(texts)}]'] if texts else []
    if token:
        parts.append(f'"nextPageToken":"{token}"')
    return as_text("{" + ",".join(parts) + "}")


def _body(request: Request) -> dict[str, Any]:
    try:
        body = json.loads(request.body)
    except ValueError:
        raise GoogleError(400, "Invalid JSON payload received.") from None
    if not isinstance(body, dict):
        raise GoogleError(400, "Invalid JSON payload received. Expected an object.")
    return body


def _family(name: str | None) -> str:
    if name is None:
        return "all-sources"
    match = re.fullmatch(r"users/(?:me|\d+)/dataSourceFamilies/([a-z-]+)", str(name))
    if not match or match.group(1) not in FAMILIES:
        raise GoogleError(
            400, "Invalid data source family.", "INVALID_DATA_POINT_DATA_SOURCE_FAMILY"
        )
    return match.group(1)


def _page_size(value: Any, default: int, most: int) -> int:
    if value in (None, 0, "0", ""):
        return default
    if not str(value).isdigit():
        raise GoogleError(400, "Invalid value for page_size.")
    return min(int(value), most)


def _bound_to(participant: SimParticipant, path: str, params: dict[str, Any]) -> str:
    return digest(participant.participant_id, path, json.dumps(params, sort_keys=True))


def _page_token(
    sim: Simulator, participant: SimParticipant, path: str, params: dict[str, Any], place: int
) -> str:
    return sim.signer.sign("", {"of": _bound_to(participant, path, params), "place": place})


def _place(
    sim: Simulator, participant: SimParticipant, path: str, params: dict[str, Any], token: Any
) -> int:
    """Where a page begins; a token is good only for the request that it came from."""
    if not token:
        return 0
    content = sim.signer.read("", str(token))
    if content is None or content.get("of") != _bound_to(participant, path, params):
        raise GoogleError(400, "Invalid page token: all other fields must stay the same.")
    return int(content["place"])


def _range(body: dict[str, Any], first: str, last: str, known: set[str]) -> tuple[Any, Any]:
    check_fields(set(body), known)
    span = body.get("range")
    if not isinstance(span, dict):
        raise GoogleError(400, "range is required.", "INVALID_TIME_RANGE")
    check_fields(set(span), {first, last}, "range")
    if first not in span or last not in span:
        raise GoogleError(400, f"range needs {first} and {last}.", "INVALID_TIME_RANGE")
    return span[first], span[last]


def _daily(
    sim: Simulator, view: View, data_type: str, body: dict[str, Any], place: int
) -> tuple[list[str], int, int]:
    """A page of daily roll-ups, where it ends, and how many there are in all."""
    known = {"range", "windowSizeDays", "pageSize", "pageToken", "dataSourceFamily"}
    start, end = _range(body, "start", "end", known)
    first, last = _civil_day(start, "range.start"), _civil_day(end, "range.end")
    _check_span((last - first).days, data_type)
    window = body.get("windowSizeDays", 1)
    if not isinstance(window, int) or window < 1:
        raise GoogleError(400, "window_size_days must be at least 1.", "INVALID_ROLLUP_WINDOW")
    grid = sim.world.grid
    numbers = grid.day_number(first), grid.day_number(last)
    texts = points.daily_texts(grid, view, KEY_OF_TYPE[data_type], *numbers, window)
    end_of_page = place + _page_size(
        body.get("pageSize"), MOST_DAYS[data_type], MOST_DAYS[data_type]
    )
    return texts[place:end_of_page], end_of_page, len(texts)


def _physical(
    sim: Simulator, view: View, data_type: str, body: dict[str, Any], place: int
) -> tuple[list[str], int, int]:
    """A page of roll-ups of physical windows, where it ends, and how many there are in all."""
    known = {"range", "windowSize", "pageSize", "pageToken", "dataSourceFamily"}
    first, last = (_instant(value) for value in _range(body, "startTime", "endTime", known))
    _check_span((last - first) / timedelta(days=1), data_type)
    window = points.seconds_of(str(body.get("windowSize", "")))
    if not window:
        raise GoogleError(400, "window_size must be at least 1 s.", "INVALID_ROLLUP_WINDOW")
    grid = sim.world.grid
    span = grid.second_of(first), grid.second_of(last)
    end = place + _page_size(body.get("pageSize"), DEFAULT_PAGE, MOST_ON_PAGE)
    windows, count = points.rolled_up(grid, view, data_type, span, window, slice(place, end))
    return points.window_texts(grid, KEY_OF_TYPE[data_type], windows), end, count


def _check_span(days: float, data_type: str) -> None:
    if days <= 0 or days > MOST_DAYS[data_type]:
        raise GoogleError(
            400, f"The range of {data_type} is over 0 and at most {MOST_DAYS[data_type]} days.",
            "INVALID_TIME_RANGE",
        )  # fmt: skip


def _civil_day(value: Any, where: str) -> date:
    """The date of a CivilDateTime at midnight: a daily roll-up starts and ends with a day."""
    if not isinstance(value, dict):
        raise GoogleError(400, f"{where} is not a CivilDateTime.", "INVALID_TIME_RANGE")
    check_fields(set(value), {"date", "time"}, where)
    on, time = value.get("date") or {}, value.get("time") or {}
    check_fields(set(on), {"year", "month", "day"}, f"{where}.date")
    check_fields(set(time), {"hours", "minutes", "seconds", "nanos"}, f"{where}.time")
    if any(time.values()):
        raise GoogleError(400, f"{where} is not aligned with a day.", "INVALID_TIME_RANGE")
    try:
        return date(on["year"], on["month"], on["day"])
    except (KeyError, TypeError, ValueError):
        raise GoogleError(400, f"{where}.date is not a date.", "INVALID_TIME_RANGE") from None


def _instant(value: Any) -> datetime:
    try:
        at = datetime.fromisoformat(str(value))
    except ValueError:
        raise GoogleError(400, "Not an RFC 3339 time.", "INVALID_TIME_RANGE") from None
    if at.tzinfo is None:
        raise GoogleError(400, "A time needs its offset from UTC.", "INVALID_TIME_RANGE")
    return at.astimezone(UTC).replace(microsecond=0)
