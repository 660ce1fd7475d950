"""The legacy Fitbit Web API personality: consent, rotating tokens, account, limits.

Inferred, not documented: the 120 s in which an old refresh token gets the same new pair, access
tokens that outlive a refresh, and failed calls counting against the hourly limit.
"""

from __future__ import annotations

import dataclasses
import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from ingestion.simulator import limits, oauth
from ingestion.simulator.fitbit_errors import fitbit_error
from ingestion.simulator.fitbit_series import Refused, answer_heart, answer_minutes, answer_series
from ingestion.simulator.http import Reply, Request, as_json
from ingestion.simulator.roster import SimParticipant, world_begins_on

if TYPE_CHECKING:
    from ingestion.simulator.server import Simulator

ACCESS, REFRESH = "sim-access-", "sim-refresh-"
ACCESS_SECONDS = 28_800
GRACE_SECONDS = 120
SCOPES = frozenset(
    ("activity", "heartrate", "location", "nutrition", "oxygen_saturation", "profile",
     "respiratory_rate", "settings", "sleep", "social", "temperature", "weight", "cardio_fitness",
     "electrocardiogram")
)  # fmt: skip
_USER = re.compile(r"/1/user/([^/]+)/(.+)\.json")
_SERIES = re.compile(r"activities/(?:tracker/)?(steps|distance)/date/([^/]+)/([^/]+)")
_HEART = re.compile(r"activities/heart/date/([^/]+)/([^/]+)")
_MINUTES = re.compile(
    r"activities/(steps|heart)/date/([^/]+)/([^/]+)/(\d+(?:sec|min))(?:/time/([^/]+)/([^/]+))?"
)


def answer(sim: Simulator, request: Request) -> Reply:
    """The reply to any request of this personality."""
    posts = {
        "/oauth2/token": _token,
        "/oauth2/revoke": _revoke,
        "/1.1/oauth2/introspect": _introspect,
    }
    if request.path == "/oauth2/authorize" and request.method == "GET":
        return oauth.authorize(sim, request, "fitbit", SCOPES)
    if request.path in posts and request.method == "POST":
        return posts[request.path](sim, request)
    match = _USER.fullmatch(request.path)
    if not match or request.method != "GET":
        return _not_found()
    return _resource(sim, request, match.group(1), match.group(2))


def account_of(sim: Simulator, request: Request) -> str | None:
    """The participant a request is about, whether or not their tokens still work."""
    form = request.form
    for prefix, token in (
        (ACCESS, request.bearer),
        (REFRESH, form.get("refresh_token", form.get("token", ""))),
        (oauth.CODE_PREFIX, form.get("code", "")),
    ):
        content = sim.signer.read(prefix, token)
        if content:
            return str(content["who"])
    hinted = sim.world.participant(request.params.get("login_hint", ""))
    return hinted.participant_id if hinted else None


def with_rate_headers(sim: Simulator, who: str | None, reply: Reply) -> Reply:
    """The reply with what is left of the participant's hour; unchanged without an account."""
    if who is None:
        return reply
    left = max(0, sim.hourly_limit - limits.spent(sim, "fitbit", who))
    headers = {
        "Fitbit-Rate-Limit-Limit": str(sim.hourly_limit),
        "Fitbit-Rate-Limit-Remaining": str(left),
        "Fitbit-Rate-Limit-Reset": str(_to_next_hour(sim.now())),
    }
    return dataclasses.replace(reply, headers={**reply.headers, **headers})


def _to_next_hour(now: datetime) -> int:
    return 3600 - (now.minute * 60 + now.second)


def _not_found() -> Reply:
    return fitbit_error(404, "not_found", "The API you are requesting could not be found.")


def _token(sim: Simulator, request: Request) -> Reply:
    form = request.form
    if request.basic != (oauth.CLIENT_ID, oauth.CLIENT_SECRET):
        return fitbit_error(401, "invalid_client", "Invalid authorization header.")
    if form.get("grant_type") == "authorization_code":
        trouble = oauth.code_trouble(sim, form, "fitbit")
        if trouble:
            return fitbit_error(400, "invalid_grant", trouble)
        content = oauth.code_content(sim, form["code"])
        sim.state.rotate(content["family"], 1)
        return _pair(sim, content, 1, sim.now())
    if form.get("grant_type") == "refresh_token":
        return _refresh(sim, form.get("refresh_token", ""))
    return fitbit_error(400, "unsupported_grant_type", "The grant type is not supported.")


def _refresh(sim: Simulator, token: str) -> Reply:
    """A refresh token works once; within the grace the old one gets the same new pair again."""
    grant = sim.signer.read(REFRESH, token)
    if grant is None or not _alive(sim, grant):
        return fitbit_error(400, "invalid_grant", "Refresh token invalid.")
    family, used = grant["family"], grant["generation"]
    newest, rotated_at = sim.state.generation(family)
    if used == newest:
        sim.state.rotate(family, newest + 1)
        return _pair(sim, grant, newest + 1, sim.now())
    if used == newest - 1 and sim.now() - rotated_at <= timedelta(seconds=GRACE_SECONDS):
        return _pair(sim, grant, newest, rotated_at)
    return fitbit_error(400, "invalid_grant", "Refresh token invalid: it was used before.")


def _pair(sim: Simulator, grant: dict[str, Any], generation: int, at: datetime) -> Reply:
    participant = sim.world.participant(grant["who"])
    assert participant is not None  # the grant is signed
    kept = {name: grant[name] for name in ("who", "family", "scope")}
    kept["generation"] = generation
    made = int(at.timestamp())
    access = {**kept, "made": made, "ends": made + ACCESS_SECONDS}
    return as_json(
        {
            "access_token": sim.signer.sign(ACCESS, access),
            "expires_in": ACCESS_SECONDS,
            "refresh_token": sim.signer.sign(REFRESH, kept),
            "scope": grant["scope"],
            "token_type": "Bearer",
            "user_id": participant.legacy_id,
        }
    )


def _revoke(sim: Simulator, request: Request) -> Reply:
    token = request.form.get("token", "")
    grant = sim.signer.read(REFRESH, token) or sim.signer.read(ACCESS, token)
    if grant is None:
        return fitbit_error(400, "invalid_request", "Missing or unknown token.")
    sim.state.revoke(grant["family"])
    return as_json({})


def _introspect(sim: Simulator, request: Request) -> Reply:
    caller = sim.signer.read(ACCESS, request.bearer)
    if caller is None or not _alive(sim, caller):
        return fitbit_error(401, "invalid_token", "Access token invalid.")
    grant = sim.signer.read(ACCESS, request.form.get("token", ""))
    if grant is None or not _alive(sim, grant) or sim.now().timestamp() >= grant["ends"]:
        return as_json({"active": False})
    participant = sim.world.participant(grant["who"])
    scopes = ", ".join(f"{scope.upper()}=READ" for scope in grant["scope"].split())
    return as_json(
        {
            "active": True,
            "scope": f"{{{scopes}}}",
            "client_id": oauth.CLIENT_ID,
            "user_id": participant.legacy_id if participant else "",
            "token_type": "access_token",
            "exp": grant["ends"] * 1000,
            "iat": grant["made"] * 1000,
        }
    )


def _alive(sim: Simulator, grant: dict[str, Any]) -> bool:
    participant = sim.world.participant(grant["who"])
    lost = participant is None or oauth.gone(participant, sim.now())
    return not lost and not sim.state.is_revoked(grant["family"])


def _resource(sim: Simulator, request: Request, user: str, rest: str) -> Reply:
    grant = sim.signer.read(ACCESS, request.bearer)
    participant = sim.world.participant(grant["who"]) if grant else None
    if grant is None or participant is None or not _alive(sim, grant):
        return fitbit_error(401, "invalid_token", "Access token invalid.")
    if sim.now().timestamp() >= grant["ends"]:
        return fitbit_error(401, "expired_token", f"Access token expired: {request.bearer}.")
    if limits.spent(sim, "fitbit", participant.participant_id) > sim.hourly_limit:
        reply = fitbit_error(429, "system", "Too Many Requests")
        return dataclasses.replace(reply, headers={"Retry-After": str(_to_next_hour(sim.now()))})
    if user not in ("-", participant.legacy_id):
        return fitbit_error(403, "insufficient_permissions", "Not this account's data.")
    try:
        return _served(sim, request, participant, frozenset(grant["scope"].split()), rest)
    except Refused as error:
        return fitbit_error(error.status, error.kind, str(error), error.field_name)


def _served(
    sim: Simulator, request: Request, participant: SimParticipant, scopes: frozenset[str], rest: str
) -> Reply:
    if rest == "profile":
        _need(scopes, "profile")
        return _profile(sim, participant)
    if rest == "devices":
        _need(scopes, "settings")
        return _devices(sim, participant)
    if match := _MINUTES.fullmatch(rest):
        _need(scopes, "heartrate" if match.group(1) == "heart" else "activity")
        return answer_minutes(sim, participant, match.groups())
    if match := _SERIES.fullmatch(rest):
        _need(scopes, "activity")
        miles = request.headers.get("accept-language") == "en_US"
        return answer_series(sim, participant, match.groups(), miles)
    if match := _HEART.fullmatch(rest):
        _need(scopes, "heartrate")
        return answer_heart(sim, participant, match.group(1), match.group(2))
    return _not_found()


def _need(scopes: frozenset[str], scope: str) -> None:
    if scope not in scopes:
        raise Refused(
            403, "insufficient_scope",
            f"This application does not have permission to access {scope} data.",
        )  # fmt: skip


def _profile(sim: Simulator, participant: SimParticipant) -> Reply:
    offset = sim.now().astimezone(ZoneInfo(participant.timezone)).utcoffset() or timedelta()
    born = world_begins_on(sim.world.study).year - participant.age_years
    user = {
        "encodedId": participant.legacy_id,
        "displayName": participant.participant_id,
        "timezone": participant.timezone,
        "offsetFromUTCMillis": offset // timedelta(milliseconds=1),
        "distanceUnit": "METRIC",
        "memberSince": "2025-11-02",
        "dateOfBirth": f"{born}-01-01",
        "age": participant.age_years,
    }
    return as_json({"user": user})


def _devices(sim: Simulator, participant: SimParticipant) -> Reply:
    """Trackers; none before the first sync. lastSyncTime is the local clock, without a zone."""
    now = sim.now()
    paired = participant.paired_at(now, sim.world.activity(participant).synced_at(now))
    return as_json([_device(participant, *one) for one in paired])


def _device(
    participant: SimParticipant, number: str, model: str, synced: datetime
) -> dict[str, Any]:
    level = 30 + (synced.toordinal() * 17 + participant.index) % 70
    local = synced.astimezone(ZoneInfo(participant.timezone))
    return {
        "battery": "High" if level > 66 else "Medium",
        "batteryLevel": level,
        "deviceVersion": model,
        "features": [],
        "id": number,
        "lastSyncTime": local.strftime("%Y-%m-%dT%H:%M:%S.000"),
        "mac": f"AABBCC{participant.index:06X}",
        "type": "TRACKER",
    }
