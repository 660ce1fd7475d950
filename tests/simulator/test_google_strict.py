"""The Google personality refuses what the vendor refuses, with its reasons."""

import pytest
from support.simulated import bearer, simulated

from ingestion.simulator.google import SCOPE

STEPS = "/v4/users/me/dataTypes/steps/dataPoints"
HEART = "/v4/users/me/dataTypes/heart-rate/dataPoints"
START, CIVIL = "steps.interval.start_time", "steps.interval.civil_start_time"
SAMPLE = "heart_rate.sample_time"


@pytest.fixture(scope="module")
def sim():
    with simulated(participants=2, weeks=2) as made:
        made.set_clock(made.world.settles_at)
        made.http.headers.update(bearer(made.google_grant("P001")))
        yield made


def refused(reply) -> tuple[int, str, str]:
    """(HTTP status, google.rpc status, reason) of an error body."""
    error = reply.json()["error"]
    assert error["code"] == reply.status_code
    told = [d for d in error.get("details", []) if "reason" in d]
    reasons = [d["metadata"].get("detailedReasons", d["reason"]) for d in told]
    return reply.status_code, error["status"], reasons[0] if reasons else ""


@pytest.mark.parametrize(
    ("text", "ending"),
    [
        (f'{START} > "2026-01-20T00:00:00Z"', "_RESTRICTION_COMPARATOR"),
        (f'{START} <= "2026-01-20T00:00:00Z"', "_RESTRICTION_COMPARATOR"),
        ('steps.interval.end_time >= "2026-01-20T00:00:00Z"', "_DATA_TYPE_MEMBER"),
        ('steps.sample_time.civil_time >= "2026-01-20"', "_DATA_TYPE_MEMBER"),
        ('heart-rate.interval.start_time >= "2026-01-20"', ""),
        (f'{CIVIL} >= "2026-01-20T00:00:00Z"', "_CIVIL_DATE_TIME_FORMAT"),
        (f'{CIVIL} >= "2026-1-20"', "_CIVIL_DATE_TIME_FORMAT"),
        (f'{CIVIL} >= "2026-02-30"', "_CIVIL_DATE_TIME_FORMAT"),
        (f'{START} >= "2026-01-20"', "_TIMESTAMP_FORMAT"),
        (f"{START} >= 2026", "_SYNTAX"),
        (f'({START} >= "2026-01-20T00:00:00Z")', "_SYNTAX"),
        (f"{START} >=", "_MISSING_TOKEN"),
        ("", "_MISSING_TOKEN"),
        (f'{CIVIL} >= "2026-01-20" AND', "_MISSING_TOKEN"),
        (f'{CIVIL} >= "2026-01-20" OR {CIVIL} < "2026-01-19"', ""),
    ],
)
def test_filters_outside_the_grammar(sim, text, ending):
    for path in (STEPS, f"{STEPS}:reconcile"):
        reply = sim.http.get(path, params={"filter": text})
        assert refused(reply) == (400, "INVALID_ARGUMENT", f"INVALID_DATA_POINT_FILTER{ending}")


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (STEPS, f'{CIVIL} >= "2026-01-20" AND {CIVIL} < "2026-01-21T12:30:00"'),
        (STEPS, f'{START}>="2026-01-20T00:00:00Z"'),
        (STEPS, f'{START} < "2026-01-20T00:00:00.5+02:00"'),
        (HEART, f'{SAMPLE}.civil_time >= "2026-01-20"'),
        (HEART, f'{SAMPLE}.physical_time < "2026-01-28T00:00:00Z"'),
    ],
)
def test_filters_within_the_grammar(sim, path, text):
    assert sim.http.get(path, params={"filter": text}).status_code == 200


def test_an_unknown_query_field(sim):
    for path in (STEPS, "/v4/users/me/settings", "/v4/users/me/pairedDevices"):
        assert refused(sim.http.get(path, params={"page_size": "10"}))[:2] == (
            400,
            "INVALID_ARGUMENT",
        )
        assert sim.http.get(path, params={"alt": "json"}).status_code == 200


def day(n: int, month: int = 1) -> dict:
    return {"date": {"year": 2026, "month": month, "day": n}}


WEEK = {"range": {"start": day(19), "end": day(26)}}
SPAN = {"range": {"startTime": "2026-01-19T00:00:00Z", "endTime": "2026-01-20T00:00:00Z"}}


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({**WEEK, "window": 1}, ""),
        ({"range": {"start": day(19)["date"], "end": day(26)["date"]}}, ""),
        ({}, "INVALID_TIME_RANGE"),
        ({"range": {"start": day(19)}}, "INVALID_TIME_RANGE"),
        ({"range": {"start": day(26), "end": day(19)}}, "INVALID_TIME_RANGE"),
        ({"range": {"start": day(19), "end": day(20, 4)}}, "INVALID_TIME_RANGE"),  # 91 days
        ({"range": {"start": day(31, 2), "end": day(1, 3)}}, "INVALID_TIME_RANGE"),
        ({"range": {"start": {**day(19), "time": {"hours": 5}}, "end": day(20)}},
         "INVALID_TIME_RANGE"),
        ({**WEEK, "windowSizeDays": 0}, "INVALID_ROLLUP_WINDOW"),
        ({**WEEK, "dataSourceFamily": "google-wearables"}, "INVALID_DATA_POINT_DATA_SOURCE_FAMILY"),
        ({**WEEK, "pageToken": "made-up"}, ""),
    ],
)  # fmt: skip
def test_daily_roll_ups_outside_the_rules(sim, body, reason):
    reply = sim.http.post(f"{STEPS}:dailyRollUp", json=body)
    assert refused(reply) == (400, "INVALID_ARGUMENT", reason)


@pytest.mark.parametrize(
    ("path", "last", "status"),
    [(STEPS, day(19, 4), 200), (STEPS, day(20, 4), 400), (HEART, day(2, 2), 200),
     (HEART, day(3, 2), 400)],
)  # fmt: skip
def test_the_longest_daily_range_is_90_days_and_14_for_heart_rate(sim, path, last, status):
    body = {"range": {"start": day(19), "end": last}}
    assert sim.http.post(f"{path}:dailyRollUp", json=body).status_code == status


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({**SPAN, "windowSize": "0s"}, "INVALID_ROLLUP_WINDOW"),
        ({**SPAN, "windowSize": "1m"}, "INVALID_ROLLUP_WINDOW"),
        (SPAN, "INVALID_ROLLUP_WINDOW"),
        ({**SPAN, "windowSize": "60s", "windowSizeDays": 1}, ""),
        ({"range": {**SPAN["range"], "endTime": "2026-02-02T00:00:01Z"}, "windowSize": "60s"},
         "INVALID_TIME_RANGE"),
        ({"range": {**SPAN["range"], "endTime": "tomorrow"}, "windowSize": "60s"},
         "INVALID_TIME_RANGE"),
        ({"range": {**SPAN["range"], "endTime": "2026-01-20T00:00:00"}, "windowSize": "60s"},
         "INVALID_TIME_RANGE"),
    ],
)  # fmt: skip
def test_roll_ups_outside_the_rules(sim, body, reason):
    assert refused(sim.http.post(f"{HEART}:rollUp", json=body)) == (
        400, "INVALID_ARGUMENT", reason
    )  # fmt: skip


def test_a_body_that_is_no_json(sim):
    for content in (b"{", b"[]"):
        assert refused(sim.http.post(f"{STEPS}:rollUp", content=content))[0] == 400


def test_a_page_token_is_good_for_its_own_request_only(sim):
    asked = {"pageSize": "100", "filter": f'{CIVIL} >= "2026-01-20"'}
    token = sim.http.get(f"{STEPS}:reconcile", params=asked).json()["nextPageToken"]
    again = {**asked, "pageToken": token}
    assert sim.http.get(f"{STEPS}:reconcile", params=again).status_code == 200
    others = [
        (f"{STEPS}:reconcile", {**again, "pageSize": "101"}),
        (f"{STEPS}:reconcile", {**again, "filter": f'{CIVIL} >= "2026-01-21"'}),
        (f"{STEPS}:reconcile", {**again, "pageToken": token[:-1] + "0"}),
        (STEPS, again),
    ]
    for path, params in others:
        assert refused(sim.http.get(path, params=params))[0] == 400


@pytest.mark.parametrize("size", ["-1", "many"])
def test_a_page_size_that_is_no_number(sim, size):
    assert refused(sim.http.get(STEPS, params={"pageSize": size}))[0] == 400


def test_unknown_types_paths_and_accounts(sim):
    get, other = sim.http.get, sim.world.participants[1].health_id
    unknown = get("/v4/users/me/dataTypes/floors/dataPoints")
    assert refused(unknown) == (400, "INVALID_ARGUMENT", "INVALID_PARENT_DATA_TYPE_COLLECTION")
    for path in ("/v4/users/me/nothing", f"{STEPS}:sum", f"{STEPS}:rollUp"):
        assert refused(get(path)) == (404, "NOT_FOUND", "RESOURCE_NOT_FOUND")
    assert refused(get(f"/v4/users/{other}/settings")) == (
        403, "PERMISSION_DENIED", "RESOURCE_PERMISSION_DENIED"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("bundle", "open_path", "closed"),
    [
        ("activity_and_fitness", STEPS, [HEART, "/v4/users/me/settings", "/v4/users/me/profile"]),
        ("settings", "/v4/users/me/pairedDevices", [STEPS, HEART]),
        ("health_metrics_and_measurements", HEART, [STEPS, "/v4/users/me/pairedDevices"]),
        ("profile", "/v4/users/me/profile", [STEPS, HEART, "/v4/users/me/settings"]),
    ],
)
def test_each_scope_opens_its_own(sim, bundle, open_path, closed):
    headers = bearer(sim.google_grant("P002", f"{SCOPE}{bundle}.readonly"))
    assert sim.http.get(open_path, headers=headers).status_code == 200
    assert sim.http.get("/v4/users/me/identity", headers=headers).status_code == 200
    for path in closed:
        assert refused(sim.http.get(path, headers=headers)) == (
            403, "PERMISSION_DENIED", "ACCESS_TOKEN_SCOPE_INSUFFICIENT"
        )  # fmt: skip


@pytest.mark.parametrize("header", ["", "Bearer nonsense", "Basic abc"])
def test_without_a_good_token(sim, header):
    reply = sim.http.get(STEPS, headers={"authorization": header})
    assert refused(reply) == (401, "UNAUTHENTICATED", "")
