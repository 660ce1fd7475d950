"""The Google personality against the vendor's own contract and the replies that were recorded.

Acceptance 3 of ../shared/vendor-apis.md 4.4: every body key by key against the discovery document,
and every key and JSON type of a recorded reply in ours too, or explained here. Acceptance 2 where
the vendor's own client library is installed.
"""

from __future__ import annotations

import contextlib
import json
from datetime import date, timedelta
from typing import Any

import httpx
import pytest
from support.discovery import discovery, shape, wrong_with
from support.google import ask, reply
from support.shared import shared_data
from support.simulated import GOOGLE_SCOPES, Simulated, bearer, simulated

from ingestion.errors import SourceError
from ingestion.http import refusal
from ingestion.simulator import google_data
from ingestion.simulator.google import SCOPE
from ingestion.sources.google_health import SOURCE

ALL_SCOPES = f"{GOOGLE_SCOPES} {SCOPE}profile.readonly"
ME = "/v4/users/me"
KINDS = {"steps": "steps", "heart-rate": "heart_rate"}
ENDINGS = {
    "identity": "Identity",
    "profile": "Profile",
    "settings": "Settings",
    "pairedDevices": "ListPairedDevicesResponse",
    "dataPoints": "ListDataPointsResponse",
    "reconcile": "ReconcileDataPointsResponse",
    "rollUp": "RollUpDataPointsResponse",
    "dailyRollUp": "DailyRollUpDataPointsResponse",
}


@pytest.fixture(scope="module")
def sim():
    with simulated(participants=6, weeks=10, minute_limit=10_000) as made:
        made.set_clock(made.world.settles_at)
        made.people = [p for p in made.world.participants if p.connects]
        made.people = [p for p in made.people if not p.consent_revoked_at]
        yield made


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return discovery()


def day(on: date) -> dict[str, Any]:
    return {"date": {"year": on.year, "month": on.month, "day": on.day}}


def requests_of(first: date) -> list[tuple[str, dict[str, Any]]]:
    """(path, arguments of `httpx.request`) of every method; windows hold a day of changed clocks"""
    asked: list[tuple[str, dict[str, Any]]] = [
        (f"{ME}/{name}", {}) for name in ("identity", "profile", "settings", "pairedDevices")
    ]
    civil = {"range": {"start": day(first), "end": day(first + timedelta(days=14))}}
    physical = {"range": {"startTime": f"{first}T00:00:00Z",
                          "endTime": f"{first + timedelta(days=2)}T00:00:00Z"}}  # fmt: skip
    for kind in KINDS:
        path = f"{ME}/dataTypes/{kind}/dataPoints"
        asked += [(path, {"params": {"pageSize": "2500"}}), (f"{path}:reconcile", {}),
                  (f"{path}:dailyRollUp", {"json": {**civil, "pageSize": 5}}),
                  (f"{path}:dailyRollUp", {"json": {**civil, "windowSizeDays": 7}})]  # fmt: skip
        asked += [(f"{path}:rollUp", {"json": {**physical, "windowSize": size}})
                  for size in ("60s", "3600s", "86400s")]  # fmt: skip
    return asked


def sent(sim: Simulated, headers: dict[str, str], path: str, parts: dict[str, Any]) -> Any:
    method = "POST" if "json" in parts else "GET"
    return sim.http.request(method, path, headers=headers, **parts)


def test_every_body_is_of_the_vendors_schema_key_by_key(sim, document):
    checked, wrong = 0, []
    for one in sim.people:
        headers = bearer(sim.google_grant(one.participant_id, ALL_SCOPES))
        for path, parts in requests_of(date(2026, 3, 26)):
            answer = sent(sim, headers, path, parts)
            assert answer.status_code == 200, answer.text
            kind = ENDINGS[path.replace(":", "/").rpartition("/")[2]]
            wrong += wrong_with(answer.json(), kind, document["schemas"])
            checked += len(answer.content)
    assert wrong == []
    assert checked > 10_000_000


@pytest.mark.parametrize(
    ("value", "kind", "said"),
    [
        ({"healthUserId": 7}, "Identity", "Identity.healthUserId: 7 is no string"),
        ({"nick": "y"}, "Identity", "Identity.nick: unknown"),
        ({"count": 97}, "Steps", "Steps.count: 97 is no string int64"),
        ({"count": "9.5"}, "Steps", "Steps.count: '9.5' is no string int64"),
        ({"utcOffset": "2h"}, "Settings", "Settings.utcOffset: '2h' is no string google-duration"),
        ({"distanceUnit": "KM"}, "Settings",
         "Settings.distanceUnit: 'KM' is no string of its enum"),
        ({"autoStrideEnabled": 1}, "Settings", "Settings.autoStrideEnabled: 1 is no boolean"),
        ({"age": "54"}, "Profile", "Profile.age: '54' is no integer int32"),
        ({"age": 2**31}, "Profile", "Profile.age: 2147483648 is no integer int32"),
        ({"age": True}, "Profile", "Profile.age: True is no integer int32"),
        ({"startTime": "2026-03-26T06:14:00+02:00"}, "Interval",
         "Interval.startTime: '2026-03-26T06:14:00+02:00' is no string google-datetime"),
        ({"beatsPerMinuteAvg": "71"}, "HeartRateRollupValue",
         "HeartRateRollupValue.beatsPerMinuteAvg: '71' is no number double"),
        ({"dataPoints": [{}, {"steps": {"interval": {"end": 1}}}]}, "ListDataPointsResponse",
         "ListDataPointsResponse.dataPoints[1].steps.interval.end: unknown"),
        ({"dataPoints": {}}, "ListDataPointsResponse", "ListDataPointsResponse.dataPoints: not a"),
        ([], "Steps", "Steps: not an object"),
    ],
)  # fmt: skip
def test_the_validator_finds_what_is_wrong(document, value, kind, said):
    (found,) = wrong_with(value, kind, document["schemas"])
    assert found.startswith(said)


def test_the_validator_takes_what_is_right(document):
    right = {"beatsPerMinuteAvg": "NaN", "beatsPerMinuteMin": 52, "beatsPerMinuteMax": 71.5}
    assert wrong_with(right, "HeartRateRollupValue", document["schemas"]) == []


def test_every_query_field_and_body_field_of_ours_is_in_the_document(document):
    """What the simulator takes is what the vendor takes."""
    points = document["resources"]["users"]["resources"]["dataTypes"]["resources"]["dataPoints"]
    listed = set(points["methods"]["list"]["parameters"]) - {"parent"}
    assert listed == google_data.LIST_FIELDS
    assert set(document["parameters"]) == google_data.SYSTEM_FIELDS


# ----------------------------------------------------------------------- the recorded replies


def recorded(name: str) -> dict[str, Any]:
    path = shared_data("google_health_api") / "recorded_scrubbed" / f"{name}.json"
    told: dict[str, Any] = json.loads(path.read_text())
    return told


# What a recording has and we do not: and why.
EXPLAINED: dict[str, dict[str, str]] = {
    "list_steps_nofilter": {},
    "settings": {},
    "paired_devices": {},
    "rollup_steps__nested_date": {},
    "rollup_steps__nested_datetime": {},
}
LIST = f"{ME}/dataTypes/steps/dataPoints"


def ours(sim: Simulated, name: str) -> Any:
    """Our reply to the request that was recorded, at dates that our world has."""
    headers = bearer(sim.google_grant("P001", ALL_SCOPES))
    first, last = day(date(2026, 2, 2)), day(date(2026, 2, 9))
    if name.endswith("datetime"):
        first, last = ({**one, "time": {"hours": 0}} for one in (first, last))
    rolled = {"range": {"start": first, "end": last}, "windowSizeDays": 1}
    path, parts = {
        "list_steps_nofilter": (LIST, {}),
        "settings": (f"{ME}/settings", {}),
        "paired_devices": (f"{ME}/pairedDevices", {}),
    }.get(name, (f"{LIST}:dailyRollUp", {"json": rolled}))
    return sent(sim, headers, path, parts).raise_for_status().json()


@pytest.mark.parametrize("name", EXPLAINED)
def test_whatever_a_recording_has_ours_has_too(sim, name):
    body = recorded(name)["body"]
    there, here = shape(body.get("response", body)), shape(ours(sim, name))
    assert {path for path, _ in there - here} == set(EXPLAINED[name])


def test_what_was_recorded_of_zone_minutes_is_not_served(sim):
    """Stepwell asks for no active-zone-minutes: the two recordings of them have no reply of ours"""
    headers = bearer(sim.google_grant("P001", ALL_SCOPES))
    answer = sent(sim, headers, f"{ME}/dataTypes/active-zone-minutes/dataPoints", {})
    assert answer.status_code == 400
    assert "INVALID_PARENT_DATA_TYPE_COLLECTION" in answer.text


def test_an_unknown_field_is_refused_in_the_recorded_words(sim):
    told = recorded("rollup_steps_civil")["body"]
    headers = bearer(sim.google_grant("P001"))
    body = {**told["request"], "range": {**told["request"]["range"], "end": day(date(2026, 2, 9))}}
    error = sent(sim, headers, f"{LIST}:dailyRollUp", {"json": body}).json()["error"]
    there = told["response"]["error"]
    assert shape(error) == shape(there)
    assert (error["code"], error["status"]) == (there["code"], there["status"])
    lines = there["message"].split("\n")
    assert error["message"].split("\n") == sorted(lines[:3])
    mine = {one["description"]: one["field"] for one in error["details"][0]["fieldViolations"]}
    theirs = {one["description"]: one["field"] for one in there["details"][0]["fieldViolations"]}
    assert mine.items() <= theirs.items()


def test_a_wrong_filter_is_refused_in_the_recorded_shape(sim):
    there = recorded("list_daily-resting-heart-rate")["body"]["error"]
    headers = bearer(sim.google_grant("P001"))
    wrong = {"filter": 'steps.sample_time.civil_time >= "2026-01-20"'}
    error = sent(sim, headers, LIST, {"params": wrong}).json()["error"]
    assert shape(error) == shape(there)
    assert [one["@type"] for one in error["details"]] == [one["@type"] for one in there["details"]]
    assert error["details"][0]["reason"] == there["details"][0]["reason"]
    told = {one["details"][0]["metadata"]["detailedReasons"].split(",")[0]
            for one in (error, there)}  # fmt: skip
    assert told == {"INVALID_DATA_POINT_FILTER_DATA_TYPE_MEMBER"}


RECORDED = (
    "list_azm_nofilter", "list_daily-resting-heart-rate", "list_steps_nofilter", "paired_devices",
    "rollup_active-zone-minutes__nested_date", "rollup_steps__nested_date",
    "rollup_steps__nested_datetime", "rollup_steps_civil", "settings",
)  # fmt: skip


def test_no_recording_is_forgotten():
    folder = shared_data("google_health_api") / "recorded_scrubbed"
    assert {path.stem for path in folder.iterdir()} == set(RECORDED)


@pytest.mark.parametrize("name", RECORDED)
@pytest.mark.parametrize(
    "data_type", ["settings", "paired-devices", "steps", "daily-steps", "heart-rate"]
)
def test_our_reader_reads_every_recording_or_says_why_not(name, data_type):
    told = recorded(name)
    body = told["body"].get("response", told["body"])
    year = ask(first_on="2025-12-01", last_on="2026-03-01", timezone="America/New_York")
    with contextlib.suppress(SourceError):  # any other error is a fault of ours
        reading = SOURCE.read([reply(data_type, body)], year)
        count = reading.counts[data_type]
        assert count.received == count.landed + count.rejected


@pytest.mark.parametrize("name", ["list_daily-resting-heart-rate", "rollup_steps_civil"])
def test_a_recorded_refusal_is_an_error_of_ours(name):
    told = recorded(name)
    body = told["body"].get("response", told["body"])
    answer = httpx.Response(400, json=body)
    assert type(refusal(answer, "google_health")).__name__ == "Misconfigured"


# ---------------------------------------------------------------- the vendor's client library


def test_googles_own_client_library_works_against_it(sim):
    pytest.importorskip("googleapiclient", reason="google-api-python-client is not installed")
    from google.oauth2.credentials import Credentials
    from googleapiclient.discovery import build

    credentials = Credentials(sim.google_grant("P001", ALL_SCOPES)["access_token"])
    there = {"api_endpoint": f"{sim.url}/"}
    parent = "users/me/dataTypes/steps"
    with build(
        "health", "v4", static_discovery=True, credentials=credentials, client_options=there
    ) as service:
        users = service.users()
        named = users.getIdentity(name="users/me/identity").execute()
        assert named["healthUserId"] == sim.world.participants[0].health_id
        points = users.dataTypes().dataPoints()
        page = points.list(parent=parent, pageSize=3).execute()
        more = points.list_next(points.list(parent=parent, pageSize=3), page).execute()
        days = points.dailyRollUp(
            parent=parent, body={"range": {"start": day(date(2026, 2, 2)),
                                           "end": day(date(2026, 2, 9))}}
        ).execute()  # fmt: skip
    assert page["dataPoints"]
    assert more["dataPoints"] != page["dataPoints"]
    assert len(days["rollupDataPoints"]) > 3
