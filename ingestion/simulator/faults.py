"""Faults that a vendor gives: a few unasked (by seed, request and clock), and those that are armed.

An armed fault is {"match": {"personality", "path", "user"}, "times": n or -1, "fault": name,
"args": {...}}. `path` is a part of the path, or a pattern with `*`; `user` any id of a participant.
Faults are consumed in the order armed. Any fault takes args "from" and "until", instants of the
clock between which it holds, for an outage; 429 takes "retry_after" (seconds, "none" or "date");
410 takes "body" ("json", "html", "empty"); truncated takes "short" (true breaks Content-Length).
"""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from ingestion.simulator.google_errors import GoogleError, unauthenticated
from ingestion.simulator.http import Reply, Request, as_html, as_json
from ingestion.simulator.tokens import digest, share

if TYPE_CHECKING:
    from ingestion.simulator.server import Simulator

# The first attempt of this share of data requests is answered so; the second goes through.
UNASKED = ((1 / 150, "429"), (1 / 300, "500"), (1 / 300, "503"))
DATA_PATHS = {"google": "/v4/", "fitbit": "/1/user/"}
FAULTS = (
    "expired_token", "invalid_token", "revoked", "scope_missing", "wrong_account",
    "service_disabled", "429", "500", "502_html", "503", "html_401", "410", "truncated", "empty",
    "html_200", "reset", "no_intraday",
)  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Fault:
    name: str
    args: dict[str, Any]
    path: str
    now: datetime


def check_spec(spec: Any) -> str:
    """What is wrong with an armed fault; empty when nothing is."""
    if not isinstance(spec, dict) or set(spec) - {"match", "times", "fault", "args"}:
        return "a fault has match, times, fault and args"
    if spec.get("fault") not in FAULTS:
        return f"unknown fault {spec.get('fault')!r}; known: {', '.join(FAULTS)}"
    match = spec.get("match", {})
    if not isinstance(match, dict) or set(match) - {"personality", "path", "user"}:
        return "match has personality, path and user"
    return "" if isinstance(spec.get("times", 1), int) else "times is a number; -1 is for ever"


def due(sim: Simulator, personality: str, request: Request, who: str | None) -> Fault | None:
    """The fault for this request: the first armed one that fits, else an unasked one."""
    now = sim.now()
    for number, spec, used in sim.state.armed():
        times = spec.get("times", 1)
        if (times < 0 or used < times) and _fits(sim, spec, personality, request.path, who):
            if times >= 0:
                sim.state.use(number)
            return Fault(spec["fault"], spec.get("args", {}), request.path, now)
    name = _unasked(sim, personality, request, who) if sim.world.faults else None
    return Fault(name, {}, request.path, now) if name else None


def _fits(
    sim: Simulator, spec: dict[str, Any], personality: str, path: str, who: str | None
) -> bool:
    match, args, now = spec.get("match", {}), spec.get("args", {}), sim.now()
    wanted = sim.world.participant(match.get("user", ""))
    if "user" in match and (wanted is None or wanted.participant_id != who):
        return False
    if match.get("personality", personality) != personality:
        return False
    part = match.get("path", "")
    if not (fnmatchcase(path, part) if "*" in part else part in path):
        return False
    begins = datetime.fromisoformat(args.get("from", "1970-01-01T00:00:00+00:00"))
    ends = datetime.fromisoformat(args.get("until", "9999-01-01T00:00:00+00:00"))
    return begins <= now < ends


def _unasked(sim: Simulator, personality: str, request: Request, who: str | None) -> str | None:
    if not who or not request.path.startswith(DATA_PATHS.get(personality, "\0")):
        return None
    query = repr(sorted(request.query))
    asked = (who, personality, request.method, request.path, query, request.body.decode("latin-1"))
    drawn = share(sim.world.seed, sim.now().isoformat(), *asked)
    for part, name in UNASKED:
        if drawn < part:
            first = sim.state.stumble(digest(sim.now().isoformat(), *asked))
            return name if first else None
        drawn -= part
    return None


def before(fault: Fault, personality: str) -> Reply | None:
    """The reply given instead of the vendor's own; None for a fault that spoils the real one."""
    plain = {
        "502_html": as_html("502 Bad Gateway", 502),
        "html_401": as_html("Unauthorized", 401),
        "html_200": as_html("Down for maintenance"),
        "empty": Reply(200),
        "reset": Reply(200, broken="reset"),
    }
    if fault.name in plain:
        return plain[fault.name]
    if fault.name == "410" and fault.args.get("body") in ("html", "empty"):
        return as_html("Gone", 410) if fault.args["body"] == "html" else Reply(410)
    if fault.name in ("truncated", "no_intraday"):
        return None
    maker = {"google": _google, "fitbit": _fitbit, "redcap": _redcap}[personality]
    reply = maker(fault)
    if fault.name == "429":
        return dataclasses.replace(reply, headers={**reply.headers, **_retry_after(fault)})
    return reply


def after(fault: Fault, reply: Reply) -> Reply:
    """The vendor's reply, spoilt: cut in half, or without the intraday key that was not granted."""
    if fault.name == "no_intraday":
        whole = json.loads(reply.body)
        kept = {key: value for key, value in whole.items() if not key.endswith("-intraday")}
        return as_json(kept, reply.status)
    if fault.args.get("short"):
        return dataclasses.replace(reply, broken="short")
    return dataclasses.replace(reply, body=reply.body[: len(reply.body) // 2])


def _retry_after(fault: Fault) -> dict[str, str]:
    wait = fault.args.get("retry_after", 1)
    if wait == "none":
        return {}
    if wait == "date":
        return {"Retry-After": fault.now.astimezone(UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")}
    return {"Retry-After": str(wait)}


def _google(fault: Fault) -> Reply:
    if fault.path in ("/token", "/revoke") and fault.name in ("revoked", "invalid_token"):
        description = "Token has been expired or revoked."
        return as_json({"error": "invalid_grant", "error_description": description}, 400)
    if fault.name in ("expired_token", "invalid_token"):
        return unauthenticated().reply()
    code, message, reason = {
        "revoked": (403, "Permission denied.", "RESOURCE_PERMISSION_DENIED"),
        "scope_missing": (403, "Insufficient scopes.", "ACCESS_TOKEN_SCOPE_INSUFFICIENT"),
        "wrong_account": (400, "The account is not linked.", "ACCOUNT_NOT_LINKED"),
        "service_disabled": (403, "The API is not enabled.", "SERVICE_DISABLED"),
        "429": (429, "Too Many Requests", "RATE_LIMIT_EXCEEDED"),
        "500": (500, "Internal error encountered.", "INTERNAL_ERROR"),
        "503": (503, "The service is currently unavailable.", ""),
        "410": (410, "This API is no longer available.", ""),
    }[fault.name]
    return GoogleError(code, message, reason).reply()


def _fitbit(fault: Fault) -> Reply:
    if fault.path.startswith("/oauth2/") and fault.name in ("revoked", "invalid_token"):
        return fitbit_error(400, "invalid_grant", "Refresh token invalid.")
    status, kind, message = {
        "expired_token": (401, "expired_token", "Access token expired."),
        "invalid_token": (401, "invalid_token", "Access token invalid."),
        "revoked": (401, "invalid_token", "Access token invalid: consent was removed."),
        "scope_missing": (403, "insufficient_scope", "This application does not have permission."),
        "wrong_account": (403, "insufficient_permissions", "Not this account's data."),
        "service_disabled": (401, "invalid_client", "The application is disabled."),
        "429": (429, "system", "Too Many Requests"),
        "500": (500, "system", "Internal error."),
        "503": (503, "system", "Service unavailable."),
        "410": (410, "gone", "This API was turned off."),
    }[fault.name]
    return fitbit_error(status, kind, message)


def fitbit_error(status: int, kind: str, message: str, field_name: str = "") -> Reply:
    """The legacy vendor's error body."""
    error = {"errorType": kind, "message": message}
    if field_name or kind == "system":
        error["fieldName"] = field_name or "n/a"
    return as_json({"errors": [error], "success": False}, status)


def _redcap(fault: Fault) -> Reply:
    status = {"429": 429, "500": 500, "503": 503, "410": 410, "service_disabled": 501}
    said = "You do not have permissions to use the API"
    return as_json({"error": said}, status.get(fault.name, 403))
