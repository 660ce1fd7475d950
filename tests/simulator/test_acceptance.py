"""The simulator's own acceptance checks 1, 4 and 7 (../shared/vendor-apis.md 4.4).

Check 3 is in test_acceptance_google.py, check 5 in tests/sources/test_faults_*.py; check 6 waits
for notices from the vendors.
"""

from __future__ import annotations

import re
import subprocess
import sys
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import fitbit
import httpx
import pytest
from support.faulted import facts
from support.google import ask as google_ask
from support.google import reply as google_reply
from support.simulated import (
    CALLBACK,
    CLIENT,
    FITBIT_SCOPES,
    Simulated,
    bearer,
    exchange,
    simulated,
)

from ingestion.simulator.google import SCOPE
from ingestion.simulator.redcap import REDCAP_TOKEN
from ingestion.simulator.world import World
from ingestion.sources.google_health import SOURCE

CHANGES = {  # the day, and its minutes: domain knowledge of the two zones, typed by hand
    ("Asia/Jerusalem", date(2026, 3, 27)): 1380,
    ("Asia/Jerusalem", date(2026, 10, 25)): 1500,
    ("Europe/London", date(2026, 3, 29)): 1380,
    ("Europe/London", date(2026, 10, 25)): 1500,
}

# ------------------------------------------------------------- 1: the fitbit package, end to end


def test_the_fitbit_package_works_from_consent_to_minutes(monkeypatch):
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    with simulated(participants=2, weeks=2) as sim:
        kept: list[dict] = []
        api = fitbit.Fitbit(*CLIENT, system=None, timeout=10, refresh_cb=kept.append,
                            redirect_uri=CALLBACK)  # fmt: skip
        point_at(api, sim.url)
        address, _ = api.client.authorize_token_url(scope=FITBIT_SCOPES.split(), state="a-state")
        answer = sim.http.get(address, params={**parse_qs(urlsplit(address).query),
                                               "login_hint": "P002"})  # fmt: skip
        came = {name: value[0] for name, value in
                parse_qs(urlsplit(answer.headers["location"]).query).items()}  # fmt: skip
        assert came["state"] == "a-state"
        first = api.client.fetch_access_token(came["code"])
        assert first["user_id"] == sim.world.participants[1].legacy_id
        assert set(first["scope"]) == set(FITBIT_SCOPES.split())
        sim.set_clock(sim.world.settles_at)  # days later: the access token has lapsed
        day = sim.world.participants[1].starts_on + timedelta(days=3)
        series = api.time_series("activities/steps", base_date=f"{day}", period="7d")
        assert len(series["activities-steps"]) == 7
        assert len(kept) == 1
        assert kept[0]["refresh_token"] != first["refresh_token"]
        steps = api.intraday_time_series("activities/steps", f"{day}", detail_level="1min")
        beats = api.intraday_time_series("activities/heart", f"{day}", detail_level="1min")
        rows = steps["activities-steps-intraday"]["dataset"]
        assert len(rows) == 1440
        assert sum(row["value"] for row in rows) == int(series["activities-steps"][-1]["value"]) > 0
        assert beats["activities-heart-intraday"]["dataset"]
        assert api.user_profile_get()["user"]["encodedId"] == first["user_id"]
        assert len(api.get_devices()) == 1
        assert len(kept) == 1


def point_at(api: fitbit.Fitbit, url: str) -> None:
    """The package's addresses, which it works out when its class is made."""
    api.API_ENDPOINT = url
    client = api.client
    client.authorization_url = f"{url}/oauth2/authorize"
    client.access_token_url = client.refresh_token_url = f"{url}/oauth2/token"
    client.session.auto_refresh_url = client.refresh_token_url


# ---------------------------------------------------------- 4: two runs with one seed are the same


@contextmanager
def running(seed: int):
    """The simulator in a process of its own, on a free port."""
    command = [sys.executable, "-m", "ingestion.simulator", "--participants", "3", "--weeks", "2",
               "--port", "0", "--seed", str(seed)]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        url = re.match(r"(http://127\.0\.0\.1:\d+) ", process.stdout.readline())
        assert url is not None
        with httpx.Client(base_url=url.group(1), trust_env=False) as http:
            yield http
    finally:
        process.kill()
        process.communicate()


def session(http: httpx.Client) -> list[tuple[str, int, bytes, bytes]]:
    """(what was asked, status, headers, body) of a session with every vendor, faults and all."""
    said = []

    def ask(method: str, path: str, **parts) -> httpx.Response:
        answer = http.request(method, path, **parts)
        headers = repr(sorted(answer.headers.multi_items())).encode()
        said.append((f"{method} {path}", answer.status_code, headers, answer.content))
        return answer

    sim = Simulated(None, SimpleNamespace(url=""), Asking(http, ask))
    google, legacy = bearer(sim.google_grant("P001")), sim.fitbit_grant("P002")
    form = {"grant_type": "refresh_token", "refresh_token": legacy["refresh_token"]}
    for clock in ("2026-01-27T09:00:00Z", "2026-02-01T21:30:00Z"):
        ask("PUT", "/_emu/clock", json={"now": clock})
        fresh = bearer(ask("POST", "/oauth2/token", data=form, auth=CLIENT).json()
                       if "27T" in clock else legacy_again(ask))  # fmt: skip
        google = bearer(sim.google_grant("P001"))
        for fault in ("two_sources", "empty_page", "503"):
            ask("POST", "/_emu/faults", json={"fault": fault})
        for path in ("settings", "pairedDevices", "dataTypes/steps/dataPoints:reconcile",
                     "dataTypes/steps/dataPoints", "dataTypes/heart-rate/dataPoints"):  # fmt: skip
            ask("GET", f"/v4/users/me/{path}", headers=google)
        for path in ("profile", "devices", "activities/steps/date/2026-01-26/1d/1min",
                     "activities/heart/date/2026-01-26/1d/1min",
                     "activities/steps/date/2026-01-20/2026-02-01"):  # fmt: skip
            ask("GET", f"/1/user/-/{path}.json", headers=fresh)
        for content in ("metadata", "record", "event"):
            data = {"token": REDCAP_TOKEN, "content": content, "format": "json"}
            ask("POST", "/api/", data=data)
    ask("GET", "/_emu/log")
    return said


class Asking:
    """An HTTP client all of whose replies are noted by `ask`."""

    def __init__(self, http: httpx.Client, ask) -> None:
        self.http, self.ask = http, ask

    def get(self, path: str, **parts) -> httpx.Response:
        return self.ask("GET", path, **parts)

    def post(self, path: str, **parts) -> httpx.Response:
        return self.ask("POST", path, **parts)


def legacy_again(ask) -> dict:
    """The token of a new legacy consent."""
    params = {"response_type": "code", "client_id": CLIENT[0], "redirect_uri": CALLBACK,
              "scope": FITBIT_SCOPES, "login_hint": "P002"}  # fmt: skip
    came = ask("GET", "/oauth2/authorize", params=params).headers["location"]
    code = parse_qs(urlsplit(came).query)["code"][0]
    form = {name: value for name, value in exchange(code).items() if name != "code_verifier"}
    return ask("POST", "/oauth2/token", data=form, auth=CLIENT).json()


def test_two_runs_with_one_seed_are_the_same_to_the_byte():
    runs = []
    for seed in (7, 7, 8):
        with running(seed) as http:
            runs.append(session(http))
    first, second, other = runs
    assert [line[0] for line in first] == [line[0] for line in second]
    for one, two in zip(first, second, strict=True):
        assert one == two, one[0]
    assert sum(len(line[3]) for line in first) > 1_000_000
    assert {line[1] for line in first} >= {200, 302, 503}
    same = [one[0] for one, two in zip(first, other, strict=True) if one[3] == two[3]]
    assert not any("dataPoints" in asked or "date/" in asked for asked in same)


# ------------------------------------------------------- 7: the days on which clocks are changed


@pytest.fixture(scope="module")
def year():
    """A world from January to November in which one of each zone wears the device day and night."""
    with simulated(participants=12, weeks=41, minute_limit=10_000) as sim:
        sim.wearers = {zone: worn_throughout(sim.world, zone) for zone, _ in CHANGES}
        sim.set_clock(sim.world.settles_at)
        yield sim


def worn_throughout(world: World, zone: str) -> str:
    """The participant of that zone, made to wear the device at every minute of every day."""
    steady = [p for p in world.participants if p.timezone == zone and p.story == "steady"]
    one = (steady or [p for p in world.participants if p.timezone == zone])[0]
    activity = world.activity(one)
    activity._worn[:], activity._heart[:] = True, 61
    return one.participant_id


@pytest.mark.parametrize(("zone", "on"), CHANGES)
def test_days_have_1380_and_1500_windows(year, zone, on):
    minutes = CHANGES[zone, on]
    headers = bearer(year.google_grant(year.wearers[zone], ALL))
    midnights = [datetime.combine(d, time(), ZoneInfo(zone)).astimezone(UTC)
                 for d in (on, on + timedelta(days=1))]  # fmt: skip
    span = dict(zip(("startTime", "endTime"), (f"{at:%Y-%m-%dT%H:%M:%SZ}" for at in midnights),
                    strict=True))  # fmt: skip
    for kind in ("steps", "heart-rate"):
        path = f"/v4/users/me/dataTypes/{kind}/dataPoints"
        body = {"range": span, "windowSize": "60s", "pageSize": 5000}
        rolled = year.http.post(f"{path}:rollUp", headers=headers, json=body).json()
        windows = rolled["rollupDataPoints"]
        assert len(windows) == minutes
        assert (windows[-1]["startTime"], windows[0]["endTime"]) == (*span.values(),)
        hours = {**body, "windowSize": "3600s"}
        rolled = year.http.post(f"{path}:rollUp", headers=headers, json=hours).json()
        assert len(rolled["rollupDataPoints"]) == minutes // 60
    listed = year.http.get(f"{STEPS}:reconcile", headers=headers, params=civil_day(on)).json()
    assert len(listed["dataPoints"]) == minutes
    offsets = {point["steps"]["interval"]["startUtcOffset"] for point in listed["dataPoints"]}
    assert len(offsets) == 2


STEPS = "/v4/users/me/dataTypes/steps/dataPoints"
ALL = " ".join(f"{SCOPE}{bundle}.readonly" for bundle in (
    "activity_and_fitness", "health_metrics_and_measurements", "settings"))  # fmt: skip


def civil_day(on: date) -> dict[str, str]:
    member = "steps.interval.civil_start_time"
    after = on + timedelta(days=1)
    return {"filter": f'{member} >= "{on}" AND {member} < "{after}"', "pageSize": "5000"}


@pytest.mark.parametrize(("zone", "on"), CHANGES)
def test_our_reader_gives_the_day_its_length(year, zone, on):
    headers = bearer(year.google_grant(year.wearers[zone], ALL))
    page = year.http.get(f"{STEPS}:reconcile", headers=headers, params=civil_day(on))
    asked = google_ask(f"{on}", f"{on}", timezone=zone, now=year.now())
    (day,) = SOURCE.read([google_reply("steps", page.content)], asked).days
    minutes = CHANGES[zone, on]
    assert day.day_minutes == minutes
    assert (day.wear_start.tolist(), day.wear_length.tolist()) == ([0], [minutes])
    assert facts(day)[-1] == datetime.combine(on, time(), ZoneInfo(zone)).astimezone(UTC)
