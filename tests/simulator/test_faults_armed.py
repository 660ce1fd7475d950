"""Faults as they are armed: what is refused, how they are used up, what the log says, limits."""

import json
import re
from datetime import timedelta

import httpx
import pytest
from support.house import ROOT
from support.simulated import CLIENT, bearer, simulated

from ingestion.simulator import faults

SETTINGS, PROFILE = "/v4/users/me/settings", "/1/user/-/profile.json"


@pytest.fixture(scope="module")
def served():
    with simulated(participants=2, weeks=1) as made:
        yield made


@pytest.fixture
def sim(served):
    served.http.post("/_emu/reset")
    return served


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ([], "a fault has match, times, fault and args"),
        ({"fault": "500", "when": "now"}, "a fault has match, times, fault and args"),
        ({"fault": "earthquake"}, "unknown fault 'earthquake'; known: expired_token"),
        ({"fault": ["500"]}, "unknown fault ['500']; known: expired_token"),
        ({"fault": "500", "match": {"who": "P001"}}, "match has personality, path and user"),
        ({"fault": "500", "match": {"path": 4}}, "personality, path and user are texts"),
        (
            {"fault": "500", "match": {"personality": "garmin"}},
            "500 befalls google, fitbit, redcap, not 'garmin'",
        ),
        (
            {"fault": "page_twice", "match": {"personality": "fitbit"}},
            "page_twice befalls google, not 'fitbit'",
        ),
        ({"fault": "500", "match": {"user": "P999"}}, "user 'P999' is no participant"),
        ({"fault": "500", "times": "often"}, "times is a number from 1; -1 is for ever"),
        ({"fault": "500", "times": 0}, "times is a number from 1; -1 is for ever"),
        ({"fault": "500", "times": True}, "times is a number from 1; -1 is for ever"),
        (
            {"fault": "500", "args": {"color": 1}},
            "args of 500 are body, retry_after, ahead, from, until",
        ),
        ({"fault": "500", "args": []}, "args of 500 are body, retry_after, ahead, from, until"),
        (
            {"fault": "410", "args": {"body": "xml"}},
            "body of 410 is 'json', 'html', 'empty', not 'xml'",
        ),
        (
            {"fault": "429", "args": {"retry_after": "soon"}},
            'retry_after of 429 is seconds from 0, "none" or "date", not \'soon\'',
        ),
        (
            {"fault": "429", "args": {"rate_headers": "no"}},
            "rate_headers of 429 is true or false, not 'no'",
        ),
        (
            {"fault": "503", "args": {"from": "2026-02-01T00:00:00"}},
            "from of 503 is an instant such as 2026-02-02T06:00:00+00:00",
        ),
        ({"fault": "503", "args": {"until": 7}}, "until of 503 is an instant"),
        (
            {"fault": "overlapping", "args": {"minutes": 16}},
            "minutes of overlapping is a whole number from 2 to 15, not 16",
        ),
        ({"fault": "missing_code", "args": {"code": "UNK"}}, "missing_code needs field"),
        ({"fault": "drift"}, "drift needs what"),
        (
            {"fault": "drift", "args": {"what": "nan"}, "match": {"personality": "fitbit"}},
            "what of drift is one of unknown_field, number_as_string, no_resting_heart_rate",
        ),
        (
            {"fault": "drift", "args": {"what": []}},
            "what of drift is one of unknown_field, unknown_enum, bare_number, nan",
        ),
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(sim, spec, said):
    reply = sim.http.post("/_emu/faults", json=spec)
    assert reply.status_code == 400
    assert reply.json()["error"].startswith(said)


def test_what_is_no_json_is_refused(sim):
    assert sim.http.post("/_emu/faults", content=b"{").status_code == 400


def test_armed_faults_are_listed_in_order_with_how_often_they_were_given(sim):
    headers = bearer(sim.google_grant("P001"))
    assert sim.http.get("/_emu/faults").json() == {"faults": []}
    sim.arm("503", times=-1, match={"personality": "google"})
    sim.arm("410", match={"path": "/1/user/"}, body="html")
    for _ in range(2):
        sim.http.get(SETTINGS, headers=headers)
    assert sim.http.get("/_emu/faults").json() == {
        "faults": [
            {"number": 1, "used": 2, "match": {"personality": "google"}, "times": -1,
             "fault": "503", "args": {}},
            {"number": 2, "used": 0, "match": {"path": "/1/user/"}, "times": 1,
             "fault": "410", "args": {"body": "html"}},
        ]
    }  # fmt: skip


def test_a_fault_is_disarmed_and_the_world_goes_on(sim):
    headers = bearer(sim.google_grant("P001"))
    later = sim.now() + timedelta(minutes=20)
    sim.set_clock(later)
    sim.arm("503", times=-1)
    sim.arm("429", times=-1)
    assert sim.http.get(SETTINGS, headers=headers).status_code == 503
    assert sim.http.delete("/_emu/faults/1").json() == {"disarmed": 1}
    assert sim.http.get(SETTINGS, headers=headers).status_code == 429
    sim.arm("500")
    assert sim.http.delete("/_emu/faults").json() == {"disarmed": 2}
    assert sim.http.get(SETTINGS, headers=headers).status_code == 200
    assert sim.now() == later


@pytest.mark.parametrize(("path", "status"), [("9", 404), ("first", 400), ("", 400)])
def test_what_is_not_armed_cannot_be_disarmed(sim, path, status):
    sim.arm("503")
    reply = sim.http.delete(f"/_emu/faults/{path}")
    assert reply.status_code == status
    assert "GET /_emu/faults" in reply.json()["error"]
    assert len(sim.http.get("/_emu/faults").json()["faults"]) == 1


TABLE = [line for line in (ROOT / "docs/simulator.md").read_text().splitlines()
         if line.startswith("|") and line.count("|") == 5]  # fmt: skip


def test_each_fault_can_be_armed_and_is_in_the_docs_with_its_arguments(sim):
    needed = {"drift": {"what": "unknown_field"}, "missing_code": {"field": "sex", "code": "-99"}}
    for name, kind in faults.CATALOGUE.items():
        row = " ".join(line for line in TABLE if f"`{name}`" in line)
        assert row, name
        assert all(f"`{arg}`" in row for arg in kind.args), name
        for personality in kind.of:
            sim.arm(name, match={"personality": personality}, **needed.get(name, {}))


def test_each_row_of_the_docs_names_tests_that_there_are():
    files = {"G": "google", "L": "legacy", "R": "redcap", "T": "tokens", "B": "batch"}
    there = {
        letter: (ROOT / f"tests/sources/test_faults_{name}.py").read_text()
        for letter, name in files.items()
    }
    assert len(TABLE) > 30
    for line in TABLE[2:]:
        named = re.findall(r"\btest_\w+", line.split("|")[4])
        assert named, line
        for test in named:
            assert any(f"def {test}(" in text for text in there.values()), test


def test_a_fault_befalls_only_whom_it_can(sim):
    headers = bearer(sim.google_grant("P001"))
    sim.arm("xml_error")
    assert sim.http.get(SETTINGS, headers=headers).status_code == 200
    assert sim.http.post("/api/").headers["content-type"].startswith("text/xml")


def test_the_log_tells_the_fault_that_was_given(sim):
    headers = bearer(sim.google_grant("P001"))
    sim.arm("503", times=2)
    for _ in range(3):
        sim.http.get(SETTINGS, headers=headers)
    rows = sim.http.get("/_emu/log").json()["requests"]
    told = {(row["status"], row["fault"], row["count"]) for row in rows if row["path"] == SETTINGS}
    assert told == {(503, "503", 2), (200, "", 1)}


def test_a_connection_that_breaks_is_in_the_log_too(sim):
    headers = bearer(sim.google_grant("P001"))
    sim.arm("reset")
    with pytest.raises(httpx.HTTPError):
        sim.http.get(SETTINGS, headers=headers)
    rows = sim.http.get("/_emu/log").json()["requests"]
    assert [row["count"] for row in rows if row["fault"] == "reset"] == [1]


def test_the_log_never_holds_a_token(sim):
    google, fitbit = sim.google_grant("P001"), sim.fitbit_grant("P002")
    fresh = refreshed(sim, "/oauth2/token", fitbit).json()
    sim.http.get(SETTINGS, params={"access_token": google["access_token"]})
    sim.http.get(PROFILE, headers=bearer(fresh))
    sim.http.post("/revoke", params={"token": google["refresh_token"]})
    for path in ("/v4/users", "/1/user", "/oauth2", "/1.1", "/1.2"):
        sim.http.get(f"{path}/{google['access_token']}")
        sim.http.get(f"{path}/{fresh['refresh_token']}/profile.json")
    log = json.dumps(sim.http.get("/_emu/log").json())
    assert '"/revoke"' in log
    tokens = [pair[name] for pair in (google, fitbit, fresh)
              for name in ("access_token", "refresh_token")]  # fmt: skip
    assert not [token for token in tokens if token in log]


# ------------------------------------------------------------------------------------ limits


def test_google_takes_300_requests_a_minute_of_each(sim):
    headers, other = bearer(sim.google_grant("P001")), bearer(sim.google_grant("P002"))
    codes = [sim.http.get(SETTINGS, headers=headers).status_code for _ in range(301)]
    assert codes == [200] * 300 + [429]
    reply = sim.http.get(SETTINGS, headers=headers)
    assert reply.json()["error"]["details"][0]["reason"] == "RATE_LIMIT_EXCEEDED"
    assert "retry-after" not in reply.headers  # none is promised
    assert sim.http.get(SETTINGS, headers=other).status_code == 200
    sim.set_clock(sim.now() + timedelta(minutes=1))
    assert sim.http.get(SETTINGS, headers=headers).status_code == 200


def test_google_takes_120_000_requests_a_minute_of_a_project(sim):
    headers = bearer(sim.google_grant("P001"))
    minute = sim.now().strftime("%Y-%m-%dT%H:%M")
    sim.served.simulator.spent["google", "", minute] = 119_999
    codes = [sim.http.get(SETTINGS, headers=headers).status_code for _ in range(2)]
    assert codes == [200, 429]


def test_the_legacy_budget_counts_what_fails_and_is_told_on_every_reply(sim):
    headers = bearer(sim.fitbit_grant("P002"))
    sim.arm("500")
    sim.arm("410", body="html")
    sim.set_clock(sim.now() + timedelta(minutes=20))
    left = [sim.http.get(PROFILE, headers=headers).headers for _ in range(3)]
    assert [one["fitbit-rate-limit-remaining"] for one in left] == ["149", "148", "147"]
    assert {one["fitbit-rate-limit-limit"] for one in left} == {"150"}
    assert {one["fitbit-rate-limit-reset"] for one in left} == {"2400"}


def test_a_429_may_come_without_any_header(sim):
    headers = bearer(sim.fitbit_grant("P002"))
    sim.arm("429", retry_after="none", rate_headers=False)
    sim.arm("429", retry_after="none")
    bare, told = (sim.http.get(PROFILE, headers=headers) for _ in range(2))
    assert (bare.status_code, told.status_code) == (429, 429)
    assert not [name for name in bare.headers if name.startswith(("fitbit", "retry"))]
    assert "fitbit-rate-limit-reset" in told.headers
    assert "retry-after" not in told.headers


# ----------------------------------------------------------------------------------- refreshes


def refreshed(sim, path: str, tokens: dict) -> httpx.Response:
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    return sim.http.post(path, data=form, auth=CLIENT)


def test_testing_ends_after_seven_days_of_the_clock(sim):
    early = sim.google_grant("P001")
    sim.set_clock(sim.now() + timedelta(days=1))
    late = sim.google_grant("P002")
    sim.arm("testing_expiry", times=-1)
    sim.set_clock(sim.now() + timedelta(days=6, seconds=-1))
    assert refreshed(sim, "/token", early).status_code == 200
    sim.set_clock(sim.now() + timedelta(seconds=1))
    ended = refreshed(sim, "/token", early)
    assert (ended.status_code, ended.json()["error"]) == (400, "invalid_grant")
    assert refreshed(sim, "/token", late).status_code == 200
    again = sim.google_grant("P001")
    assert refreshed(sim, "/token", again).status_code == 200


def test_without_grace_the_old_refresh_token_is_dead_at_once(sim):
    first = sim.fitbit_grant("P002")
    sim.arm("no_grace", times=-1)
    second = refreshed(sim, "/oauth2/token", first)
    assert second.status_code == 200
    dead = refreshed(sim, "/oauth2/token", first)
    assert (dead.status_code, dead.json()["errors"][0]["errorType"]) == (400, "invalid_grant")
    assert refreshed(sim, "/oauth2/token", second.json()).status_code == 200


@pytest.mark.parametrize(("at", "rotated"), [("start", False), ("done", True)])
def test_a_refresh_whose_reply_is_lost(sim, at, rotated):
    first = sim.fitbit_grant("P002")
    sim.arm("reset", match={"path": "/oauth2/token"}, at=at)
    with pytest.raises(httpx.HTTPError):
        refreshed(sim, "/oauth2/token", first)
    sim.set_clock(sim.now() + timedelta(seconds=121))
    assert (refreshed(sim, "/oauth2/token", first).status_code == 400) == rotated


@pytest.mark.parametrize("body", ["json", "html", "empty"])
def test_the_api_is_off_on_every_path_from_an_instant_on(sim, body):
    headers, ends = bearer(sim.fitbit_grant("P002")), sim.now() + timedelta(minutes=30)
    google = bearer(sim.google_grant("P001"))
    sim.arm("410", times=-1, match={"personality": "fitbit"}, body=body,
            **{"from": ends.isoformat()})  # fmt: skip
    assert sim.http.get(PROFILE, headers=headers).status_code == 200
    sim.set_clock(ends)
    for path in (PROFILE, "/1.2/user/-/sleep/list.json", "/oauth2/authorize"):
        assert sim.http.get(path, headers=headers).status_code == 410
    for path in ("/oauth2/token", "/oauth2/revoke", "/1.1/oauth2/introspect"):
        assert sim.http.post(path).status_code == 410
    assert sim.http.get(SETTINGS, headers=google).status_code == 200
