"""The Google Health API v4 personality: consent, account resources, data points and roll-ups."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ingestion.simulator import limits, oauth
from ingestion.simulator.google_data import SYSTEM_FIELDS, answer_data
from ingestion.simulator.google_errors import (
    GoogleError,
    check_fields,
    check_scope,
    unauthenticated,
)
from ingestion.simulator.http import Reply, Request, as_json
from ingestion.simulator.roster import SimParticipant

if TYPE_CHECKING:
    from ingestion.simulator.server import Simulator

ACCESS, REFRESH = "ya29.sim-", "1//sim-"
ACCESS_SECONDS = 3599
SCOPE = "https://www.googleapis.com/auth/googlehealth."
BUNDLES = (
    "activity_and_fitness", "health_metrics_and_measurements", "sleep", "profile", "settings",
    "nutrition", "location", "ecg", "irn",
)  # fmt: skip
SCOPES = frozenset(f"{SCOPE}{bundle}.readonly" for bundle in BUNDLES) | {"openid", "email"}
UNITS = {
    "autoStrideEnabled": True,
    "distanceUnit": "DISTANCE_UNIT_KILOMETERS",
    "foodLanguageCode": "en-GB",
    "glucoseUnit": "GLUCOSE_UNIT_MMOL_L",
    "heightUnit": "HEIGHT_UNIT_CENTIMETERS",
    "strideLengthRunningType": "STRIDE_LENGTH_TYPE_DEFAULT",
    "strideLengthWalkingType": "STRIDE_LENGTH_TYPE_DEFAULT",
    "temperatureUnit": "TEMPERATURE_UNIT_CELSIUS",
    "waterUnit": "WATER_UNIT_ML",
    "weightUnit": "WEIGHT_UNIT_KILOGRAMS",
}  # of the settings
FEATURES = ("STEPS", "CALORIES", "DISTANCE", "ACTIVE_MINUTES", "SEDENTARY_TIME", "AUTOSTRIDE")
HEART_FEATURES = ("HEART_RATE", "ACTIVE_ZONE_MINUTES", "SLEEP", "SMART_SLEEP")
_DATA = re.compile(r"/v4/users/([^/]+)/dataTypes/([^/]+)/dataPoints(?::(\w+))?")
_ACCOUNT = re.compile(r"/v4/users/([^/]+)/(identity|profile|settings|pairedDevices)")


def answer(sim: Simulator, request: Request) -> Reply:
    """The reply to any request of this personality."""
    if request.path == "/o/oauth2/v2/auth":
        return oauth.authorize(sim, request, "google", SCOPES)
    if request.path == "/token" and request.method == "POST":
        return _token(sim, request)
    if request.path == "/revoke" and request.method == "POST":
        return _revoke(sim, request)
    try:
        return _resource(sim, request)
    except GoogleError as error:
        return error.reply()


def account_of(sim: Simulator, request: Request) -> str | None:
    """The participant a request is about, whether or not their tokens still work."""
    form, params = request.form, request.params
    for prefix, token in (
        (ACCESS, request.bearer or params.get("access_token", "")),
        (REFRESH, form.get("refresh_token", form.get("token", ""))),
        (oauth.CODE_PREFIX, form.get("code", "")),
    ):
        content = sim.signer.read(prefix, token)
        if content:
            return str(content["who"])
    hinted = sim.world.participant(params.get("login_hint", ""))
    return hinted.participant_id if hinted else None


def _token(sim: Simulator, request: Request) -> Reply:
    form = request.form
    client = (
        request.basic if request.basic[0] else (form.get("client_id"), form.get("client_secret"))
    )
    if client != (oauth.CLIENT_ID, oauth.CLIENT_SECRET):
        return _oauth_error("invalid_client", "Unauthorized", 401)
    if form.get("grant_type") == "authorization_code":
        trouble = oauth.code_trouble(sim, form, "google")
        if trouble:
            return _oauth_error("invalid_grant", trouble)
        content = oauth.code_content(sim, form["code"])
        return _issue(sim, content, fresh=content["offline"])
    if form.get("grant_type") == "refresh_token":
        grant = sim.signer.read(REFRESH, form.get("refresh_token", ""))
        if grant is None or not _alive(sim, grant):
            return _oauth_error("invalid_grant", "Token has been expired or revoked.")
        return _issue(sim, grant, fresh=False)
    return _oauth_error("unsupported_grant_type", "Invalid grant_type")


def _issue(sim: Simulator, grant: dict[str, Any], fresh: bool) -> Reply:
    """An access token; a refresh token only with the first, as it stays the same."""
    kept = {name: grant[name] for name in ("who", "family", "scope", "at")}
    ends = int(sim.now().timestamp()) + ACCESS_SECONDS
    reply = {
        "access_token": sim.signer.sign(ACCESS, {**kept, "ends": ends}),
        "expires_in": ACCESS_SECONDS,
        "scope": grant["scope"],
        "token_type": "Bearer",
    }
    if fresh:
        reply["refresh_token"] = sim.signer.sign(REFRESH, kept)
    return as_json(reply)


def _revoke(sim: Simulator, request: Request) -> Reply:
    token = request.form.get("token") or request.params.get("token", "")
    grant = sim.signer.read(REFRESH, token) or sim.signer.read(ACCESS, token)
    if grant is None or sim.state.is_revoked(grant["family"]):
        return _oauth_error("invalid_token", "Token expired or revoked")
    sim.state.revoke(grant["family"])
    return as_json({})


def _oauth_error(error: str, description: str, status: int = 400) -> Reply:
    return as_json({"error": error, "error_description": description}, status)


def _alive(sim: Simulator, grant: dict[str, Any]) -> bool:
    participant = sim.world.participant(grant["who"])
    lost = participant is None or oauth.gone(participant, sim.now())
    return not lost and not sim.state.is_revoked(grant["family"])


def _resource(sim: Simulator, request: Request) -> Reply:
    grant = sim.signer.read(ACCESS, request.bearer or request.params.get("access_token", ""))
    if grant is None or sim.now().timestamp() >= grant["ends"] or not _alive(sim, grant):
        raise unauthenticated()
    participant = sim.world.participant(grant["who"])
    assert participant is not None  # _alive saw it
    _check_limits(sim, participant)
    scopes = {scope.removeprefix(SCOPE).partition(".")[0] for scope in grant["scope"].split()}
    data, account = _DATA.fullmatch(request.path), _ACCOUNT.fullmatch(request.path)
    if data:
        _check_user(participant, data.group(1))
        return answer_data(
            sim, request, participant, scopes, data.group(2), data.group(3) or "list"
        )
    if account and request.method == "GET":
        _check_user(participant, account.group(1))
        return _account(sim, request, participant, scopes, account.group(2))
    raise GoogleError(404, "Requested entity was not found.", "RESOURCE_NOT_FOUND")


def _check_limits(sim: Simulator, participant: SimParticipant) -> None:
    """Refuse what is over the limit; the vendor promises no Retry-After."""
    over = limits.spent(sim, "google", participant.participant_id) > sim.minute_limit
    if over or limits.spent(sim, "google") > limits.PROJECT_LIMIT:
        raise GoogleError(429, "Too Many Requests", "RATE_LIMIT_EXCEEDED")


def _check_user(participant: SimParticipant, name: str) -> None:
    if name not in ("me", participant.health_id):
        raise GoogleError(403, "Permission denied.", "RESOURCE_PERMISSION_DENIED")


def _account(
    sim: Simulator, request: Request, participant: SimParticipant, scopes: set[str], what: str
) -> Reply:
    paged = {"pageSize", "pageToken"} if what == "pairedDevices" else set()
    check_fields(set(request.params), SYSTEM_FIELDS | paged)
    user = f"users/{participant.health_id}"
    if what == "identity":
        return as_json(
            {
                "name": "users/me/identity",
                "legacyUserId": participant.legacy_id,
                "healthUserId": participant.health_id,
            }
        )
    check_scope(scopes, "profile" if what == "profile" else "settings")
    if what == "profile":
        since = {"year": 2025, "month": 11, "day": 2}
        age = participant.age_years
        return as_json({"name": f"{user}/profile", "age": age, "membershipStartDate": since})
    if what == "settings":
        return as_json(_settings(sim, participant))
    return _device_page(sim, request, participant)


def _settings(sim: Simulator, participant: SimParticipant) -> dict[str, Any]:
    zone = sim.world.grid.zone(participant.timezone)
    minute = sim.world.grid.second_of(sim.now()) // 60
    offset = int(zone.offset[min(max(minute, 0), zone.offset.size - 1)]) * 60
    return {
        "name": f"users/{participant.health_id}/settings",
        "timeZone": participant.timezone,
        "utcOffset": f"{offset}s",
        "languageLocale": "en_GB",
        **UNITS,
    }


def _device_page(sim: Simulator, request: Request, participant: SimParticipant) -> Reply:
    """A page of the paired devices: five, unless another number up to 100 is asked for."""
    size = request.params.get("pageSize") or "5"
    if not size.isdecimal():
        raise GoogleError(400, "Invalid value for page_size.")
    page = min(int(size) or 5, 100)
    asked = f"devices of {participant.participant_id} by {size}"
    first = 0
    if token := request.params.get("pageToken", ""):
        content = sim.signer.read("", token)
        if content is None or content.get("of") != asked:
            raise GoogleError(400, "Invalid page token: all other fields must stay the same.")
        first = int(content["place"])
    devices = _devices(sim, participant)
    body: dict[str, Any] = {}
    if devices[first : first + page]:
        body["pairedDevices"] = devices[first : first + page]
    if len(devices) > first + page:
        body["nextPageToken"] = sim.signer.sign("", {"of": asked, "place": first + page})
    return as_json(body)


def _devices(sim: Simulator, participant: SimParticipant) -> list[dict[str, Any]]:
    """The paired devices; none before the first sync."""
    now = sim.now()
    paired = participant.paired_at(now, sim.world.activity(participant).synced_at(now))
    return [_device(participant, *one) for one in paired]


def _device(participant: SimParticipant, number: str, model: str, synced: datetime) -> Any:
    level = 30 + (synced.toordinal() * 17 + participant.index) % 70
    features = FEATURES + (HEART_FEATURES if participant.measures_heart_rate else ())
    return {
        "name": f"users/{participant.health_id}/pairedDevices/{number}",
        "deviceType": "TRACKER",
        "deviceVersion": model,
        "batteryStatus": "High" if level > 66 else "Medium",
        "batteryLevel": level,
        "lastSyncTime": synced.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "macAddress": f"AABBCC{participant.index:06X}",
        "features": list(features),
    }
