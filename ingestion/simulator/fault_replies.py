"""Replies that are given instead of the vendor's own: errors in each vendor's words, silence."""

from __future__ import annotations

import dataclasses
from datetime import UTC, timedelta
from typing import Any

from ingestion.simulator import fitbit, google
from ingestion.simulator.fault_kinds import Due
from ingestion.simulator.fitbit_errors import fitbit_error
from ingestion.simulator.google_errors import GoogleError, unauthenticated
from ingestion.simulator.http import Reply, as_html, as_json

# Google: status, message, reason. Legacy: status, errorType, message. REDCap: status alone.
GOOGLE = {
    "revoked": (403, "Permission denied.", "RESOURCE_PERMISSION_DENIED"),
    "scope_missing": (403, "Insufficient scopes.", "ACCESS_TOKEN_SCOPE_INSUFFICIENT"),
    "wrong_account": (400, "The account is not linked.", "ACCOUNT_NOT_LINKED"),
    "service_disabled": (403, "The API is not enabled.", "SERVICE_DISABLED"),
    "preview_denied": (403, "No access to the preview.", "API_PRIVATE_PREVIEW_ACCESS_DENIED"),
    "429": (429, "Too Many Requests", "RATE_LIMIT_EXCEEDED"),
    "500": (500, "Internal error encountered.", "INTERNAL_ERROR"),
    "503": (503, "The service is currently unavailable.", ""),
    "410": (410, "This API is no longer available.", ""),
}
FITBIT = {
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
}
REDCAP = {"429": 429, "500": 500, "503": 503, "410": 410, "service_disabled": 501, "revoked": 403}
NO_PERMISSION = "You do not have permissions to use the API"
LAPSED = {"error": "invalid_grant", "error_description": "Token has been expired or revoked."}
TITLES = {410: "Gone", 500: "Internal Server Error", 503: "Down for maintenance"}


def refused(due: Due) -> Reply:
    """The error in the vendor's own words, or as HTML or nothing at all where `body` says so."""
    reply = {"google": _google, "fitbit": _fitbit, "redcap": _redcap}[due.personality](due)
    shape = due.args.get("body", "json")
    if shape != "json":
        headers = reply.headers
        reply = as_html(TITLES[reply.status], reply.status) if shape == "html" else Reply(
            reply.status
        )  # fmt: skip
        reply = dataclasses.replace(reply, headers=headers)
    return dataclasses.replace(reply, headers={**reply.headers, **_retry_after(due)})


def page(title: str, status: int = 200) -> Any:
    """A maker of an HTML page."""
    return lambda due: as_html(title, status)


def empty(due: Due) -> Reply:
    """200 and nothing."""
    return Reply(200)


def without_reasons(due: Due) -> Reply:
    """A 401 that names no error."""
    told: dict[str, Any] = {"errors": [], "success": False} if due.personality == "fitbit" else {}
    return as_json(told or {"error": {}}, 401)


def broken_at_start(due: Due) -> Reply | None:
    """The connection is reset, or nothing is said, before the request was worked on."""
    if due.args.get("at", "start") != "start":
        return None
    return Reply(200, broken="reset" if due.name == "reset" else "silent")


def broken_when_done(due: Due, reply: Reply) -> Reply | None:
    """The vendor did as it was asked; its reply is lost, or stops midway."""
    if due.name == "slow" and due.args["at"] == "body":
        return dataclasses.replace(reply, broken="stall")
    return dataclasses.replace(reply, broken="reset" if due.name == "reset" else "silent")


def truncated(due: Due, reply: Reply) -> Reply | None:
    """The reply cut in half; with `short`, less than its Content-Length promises."""
    if not reply.body:
        return None
    if due.args.get("short"):
        return dataclasses.replace(reply, broken="short")
    return dataclasses.replace(reply, body=reply.body[: len(reply.body) // 2])


def xml_error(due: Due) -> Reply:
    """REDCap's error where no JSON was asked for, and at times where it was."""
    body = f'<?xml version="1.0" encoding="UTF-8" ?><hash><error>{NO_PERMISSION}</error></hash>'
    return Reply(due.args.get("status", 400), body.encode(), "text/xml; charset=utf-8")


def testing_ended(due: Due) -> Reply | None:
    """A refresh of a consent that an app in Testing has had for `days`."""
    grant = due.sim.signer.read(google.REFRESH, due.request.form.get("refresh_token", ""))
    if due.path != "/token" or grant is None:
        return None
    ends = grant["at"] + due.args.get("days", 7) * 86_400
    return as_json(LAPSED, 400) if due.sim.now().timestamp() >= ends else None


def no_grace(due: Due) -> Reply | None:
    """A refresh with any token but the newest."""
    grant = due.sim.signer.read(fitbit.REFRESH, due.request.form.get("refresh_token", ""))
    if due.path != "/oauth2/token" or grant is None:
        return None
    if grant["generation"] == due.sim.state.generation(grant["family"])[0]:
        return None
    return fitbit_error(400, "invalid_grant", "Refresh token invalid: it was used before.")


def _retry_after(due: Due) -> dict[str, str]:
    usual = 1 if due.name == "429" and due.personality != "google" else "none"
    wait = due.args.get("retry_after", usual)
    if wait == "none":
        return {}
    if wait == "date":
        at = due.sim.now().astimezone(UTC) + timedelta(seconds=due.args.get("ahead", 0))
        return {"Retry-After": at.strftime("%a, %d %b %Y %H:%M:%S GMT")}
    return {"Retry-After": str(wait)}


def _google(due: Due) -> Reply:
    if due.path in ("/token", "/revoke") and due.name in ("revoked", "invalid_token"):
        return as_json(LAPSED, 400)
    if due.name in ("expired_token", "invalid_token"):
        return unauthenticated().reply()
    return GoogleError(*GOOGLE[due.name]).reply()


def _fitbit(due: Due) -> Reply:
    if due.path.startswith("/oauth2/") and due.name in ("revoked", "invalid_token"):
        return fitbit_error(400, "invalid_grant", "Refresh token invalid.")
    return fitbit_error(*FITBIT[due.name])


def _redcap(due: Due) -> Reply:
    return as_json({"error": NO_PERMISSION}, REDCAP[due.name])
