"""Every fault does what it says, as often as it says, to whom it says."""

from datetime import timedelta

import httpx
import pytest
from support.simulated import bearer, simulated

GOOGLE, FITBIT = "/v4/users/me/settings", "/1/user/-/profile.json"
STEPS = "/v4/users/me/dataTypes/steps/dataPoints"


@pytest.fixture(scope="module")
def served():
    with simulated(participants=2, weeks=1, hourly_limit=10_000, minute_limit=10_000) as made:
        yield made


@pytest.fixture
def sim(served):
    served.http.post("/_emu/reset")
    served.set_clock(served.world.settles_at)
    served.google = bearer(served.google_grant("P001"))
    served.fitbit = bearer(served.fitbit_grant("P001"))
    return served


def google(sim, path: str = GOOGLE) -> httpx.Response:
    return sim.http.get(path, headers=sim.google)


def legacy(sim, path: str = FITBIT) -> httpx.Response:
    return sim.http.get(path, headers=sim.fitbit)


@pytest.mark.parametrize(
    ("fault", "status", "reason"),
    [
        ("expired_token", 401, "UNAUTHENTICATED"),
        ("invalid_token", 401, "UNAUTHENTICATED"),
        ("revoked", 403, "RESOURCE_PERMISSION_DENIED"),
        ("scope_missing", 403, "ACCESS_TOKEN_SCOPE_INSUFFICIENT"),
        ("wrong_account", 400, "ACCOUNT_NOT_LINKED"),
        ("service_disabled", 403, "SERVICE_DISABLED"),
        ("preview_denied", 403, "API_PRIVATE_PREVIEW_ACCESS_DENIED"),
        ("429", 429, "RATE_LIMIT_EXCEEDED"),
        ("500", 500, "INTERNAL_ERROR"),
        ("503", 503, "UNAVAILABLE"),
    ],
)
def test_google_says_it_in_its_own_words_once(sim, fault, status, reason):
    sim.arm(fault, match={"personality": "google"})
    reply = google(sim)
    assert reply.status_code == status
    assert reason in reply.text
    assert reply.json()["error"]["code"] == status
    assert google(sim).status_code == 200


@pytest.mark.parametrize(
    ("fault", "status", "kind"),
    [
        ("expired_token", 401, "expired_token"),
        ("invalid_token", 401, "invalid_token"),
        ("revoked", 401, "invalid_token"),
        ("scope_missing", 403, "insufficient_scope"),
        ("wrong_account", 403, "insufficient_permissions"),
        ("service_disabled", 401, "invalid_client"),
        ("429", 429, "system"),
        ("500", 500, "system"),
        ("503", 503, "system"),
        ("410", 410, "gone"),
    ],
)
def test_fitbit_says_it_in_its_own_words_once(sim, fault, status, kind):
    sim.arm(fault, match={"personality": "fitbit"})
    reply = legacy(sim)
    assert reply.status_code == status
    assert reply.json()["errors"][0]["errorType"] == kind
    assert legacy(sim).status_code == 200


@pytest.mark.parametrize("get", [google, legacy])
@pytest.mark.parametrize(
    ("fault", "status", "body"),
    [
        ("502_html", 502, "502 Bad Gateway"),
        ("html_401", 401, "Unauthorized"),
        ("html_200", 200, "Down for maintenance"),
    ],
)
def test_html_where_json_belongs(sim, get, fault, status, body):
    sim.arm(fault)
    reply = get(sim)
    assert reply.status_code == status
    assert body in reply.text
    assert reply.headers["content-type"].startswith("text/html")


@pytest.mark.parametrize("get", [google, legacy])
def test_bodies_that_are_cut_or_empty(sim, get):
    whole = get(sim).content
    sim.arm("truncated")
    assert get(sim).content == whole[: len(whole) // 2]
    sim.arm("empty")
    reply = get(sim)
    assert (reply.status_code, reply.content) == (200, b"")
    sim.arm("truncated", short=True)
    with pytest.raises(httpx.RemoteProtocolError):
        get(sim)
    assert get(sim).content == whole


@pytest.mark.parametrize("get", [google, legacy])
def test_a_connection_that_is_reset(sim, get):
    sim.arm("reset")
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        get(sim)
    assert get(sim).status_code == 200


@pytest.mark.parametrize(
    ("asked", "header"),
    [
        ({}, None),
        ({"retry_after": 7}, "7"),
        ({"retry_after": "none"}, None),
        ({"retry_after": "date"}, "Tue, 03 Feb 2026 06:00:00 GMT"),
        ({"retry_after": "date", "ahead": 90}, "Tue, 03 Feb 2026 06:01:30 GMT"),
    ],
)  # fmt: skip
def test_retry_after_in_every_form(sim, asked, header):
    sim.set_clock(sim.now().replace(month=2, day=3))
    sim.google = bearer(sim.google_grant("P001"))
    sim.arm("429", **asked)
    assert google(sim).headers.get("retry-after") == header


@pytest.mark.parametrize(("body", "start"), [("html", "<!DOCTYPE"), ("empty", ""), ("json", "{")])
def test_the_api_that_was_switched_off(sim, body, start):
    sim.arm("410", times=-1, match={"personality": "fitbit"}, body=body)
    for path in (FITBIT, "/1/user/-/devices.json"):
        reply = legacy(sim, path)
        assert reply.status_code == 410
        assert reply.text[:9].startswith(start)
        assert bool(reply.text) == bool(start)
    assert sim.http.post("/oauth2/token").status_code == 410
    assert google(sim).status_code == 200


def test_intraday_access_that_was_not_granted(sim):
    path = "/1/user/-/activities/steps/date/2026-01-24/1d/1min.json"
    assert set(legacy(sim, path).json()) == {"activities-steps", "activities-steps-intraday"}
    sim.arm("no_intraday")
    assert set(legacy(sim, path).json()) == {"activities-steps"}


def test_a_fault_at_the_token_address(sim):
    tokens = sim.google_grant("P001")
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"],
            "client_id": "stepwell", "client_secret": "simulator-secret"}  # fmt: skip
    sim.arm("revoked", match={"path": "/token", "user": "P001"})
    reply = sim.http.post("/token", data=form)
    assert (reply.status_code, reply.json()["error"]) == (400, "invalid_grant")
    sim.arm("503", match={"path": "/token"})
    assert sim.http.post("/token", data=form).status_code == 503
    assert sim.http.post("/token", data=form).status_code == 200


def test_a_fault_meets_whom_it_names_and_on_that_path_only(sim):
    sim.arm("500", times=-1, match={"user": "P002", "path": "/v4/*/settings"})
    other = bearer(sim.google_grant("P002"))
    assert google(sim).status_code == 200
    assert sim.http.get("/v4/users/me/identity", headers=other).status_code == 200
    for _ in range(3):
        assert sim.http.get(GOOGLE, headers=other).status_code == 500


def test_faults_are_consumed_in_the_order_armed(sim):
    sim.arm("429", times=2)
    sim.arm("503")
    assert [google(sim).status_code for _ in range(4)] == [429, 429, 503, 200]


def test_an_outage_holds_between_two_instants(sim):
    begins, ends = sim.now() + timedelta(minutes=1), sim.now() + timedelta(minutes=2)
    sim.arm("503", times=-1, match={"personality": "google"},
            **{"from": begins.isoformat(), "until": ends.isoformat()})  # fmt: skip
    assert google(sim).status_code == 200
    sim.set_clock(begins)
    assert google(sim).status_code == 503
    assert legacy(sim).status_code == 200
    sim.set_clock(ends)
    assert google(sim).status_code == 200


@pytest.mark.parametrize("get", [google, legacy])
def test_a_401_that_names_no_error(sim, get):
    sim.arm("no_errors_401")
    reply = get(sim)
    assert reply.status_code == 401
    told = reply.json()
    assert told == ({"error": {}} if get is google else {"errors": [], "success": False})


@pytest.mark.parametrize(("body", "start"), [("html", "<!DOCTYPE"), ("empty", ""), ("json", "{")])
@pytest.mark.parametrize("get", [google, legacy])
def test_a_vendor_that_is_down_in_every_form(sim, get, body, start):
    sim.arm("503", body=body, retry_after=120)
    reply = get(sim)
    assert (reply.status_code, reply.headers["retry-after"]) == (503, "120")
    assert reply.text.startswith(start)
    assert bool(reply.text) == bool(start)


@pytest.mark.parametrize("get", [google, legacy])
@pytest.mark.parametrize("at", ["start", "done", "body"])
def test_a_reply_that_does_not_come_in_time(sim, get, at):
    sim.arm("slow", at=at)
    path, headers = (GOOGLE, sim.google) if get is google else (FITBIT, sim.fitbit)
    with pytest.raises(httpx.ReadTimeout):
        sim.http.get(path, headers=headers, timeout=0.1)
    assert get(sim).status_code == 200


def test_redcap_fails_too(sim):
    for fault, status in (("500", 500), ("502_html", 502), ("html_200", 200), ("revoked", 403)):
        sim.arm(fault, match={"personality": "redcap"})
        assert sim.http.post("/api/").status_code == status
    sim.arm("xml_error", status=200)
    reply = sim.http.post("/api/")
    assert (reply.status_code, reply.headers["content-type"]) == (200, "text/xml; charset=utf-8")
    assert "<hash><error>You do not have permissions to use the API</error></hash>" in reply.text


# --------------------------------------------------------------------------- the unasked ones


def day_paths(count: int) -> list[str]:
    return [
        f"{STEPS}:reconcile?pageSize=1&filter=steps.interval.civil_start_time >= "
        f'"2026-01-{1 + n % 28:02d}T{n // 28:02d}:00:00"'
        for n in range(count)
    ]


def test_a_few_first_attempts_fail_unasked_and_the_second_goes_through():
    seen = {}
    for order in (1, -1):
        with simulated(participants=1, weeks=1, faults=True, minute_limit=10_000) as sim:
            sim.set_clock(sim.world.settles_at)
            headers = bearer(sim.google_grant("P001"))
            paths = day_paths(400)[::order]
            first = {path: sim.http.get(path, headers=headers) for path in paths}
            failed = {p: r for p, r in first.items() if r.status_code != 200}
            again = {sim.http.get(path, headers=headers).status_code for path in failed}
            seen[order] = {path: reply.status_code for path, reply in failed.items()}
            assert again == {200}
            for reply in failed.values():
                assert reply.status_code != 429 or reply.headers["retry-after"] == "1"
    assert seen[1] == seen[-1]  # whatever the order of arrival
    assert 0 < len(seen[1]) < 20
    assert set(seen[1].values()) <= {429, 500, 503}


def test_without_faults_none_come_unasked(sim):
    assert {google(sim, path).status_code for path in day_paths(100)} == {200}
