"""The legacy personality: the `fitbit` package end to end, rotation, limits, and its odd views."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import fitbit
import numpy as np
import pytest
from support.simulated import CLIENT, bearer, simulated

USER = "/1/user/-/"
WORLD = {"participants": 6, "weeks": 10, "seed": 11}  # P002 wears hers in London on 29 March


@pytest.fixture(scope="module")
def settled():
    with simulated(**WORLD, hourly_limit=10_000) as made:
        made.set_clock(made.world.settles_at)
        made.http.headers.update(bearer(made.fitbit_grant("P002")))
        yield made


@pytest.fixture(scope="module")
def served():
    with simulated(participants=6, weeks=2) as made:
        yield made


@pytest.fixture
def sim(served):
    served.http.post("/_emu/reset")
    served.http.headers.pop("authorization", None)
    return served


def refresh(sim, token: str):
    form = {"grant_type": "refresh_token", "refresh_token": token}
    return sim.http.post("/oauth2/token", data=form, auth=CLIENT)


def status(sim, tokens: dict, path: str = "profile.json") -> int:
    return sim.http.get(USER + path, headers=bearer(tokens)).status_code


def error_of(reply) -> tuple[int, str]:
    assert reply.json()["success"] is False
    return reply.status_code, reply.json()["errors"][0]["errorType"]


# ------------------------------------------------------------------------------- the package


def test_the_fitbit_package_works_end_to_end(sim, monkeypatch):
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    sim.set_clock(sim.world.settles_at)
    tokens, kept = sim.fitbit_grant("P002"), []
    api = fitbit.Fitbit(
        *CLIENT, access_token=tokens["access_token"], refresh_token=tokens["refresh_token"],
        refresh_cb=kept.append, system=None, timeout=10,
    )  # fmt: skip
    api.API_ENDPOINT = sim.url
    api.client.refresh_token_url = api.client.session.auto_refresh_url = f"{sim.url}/oauth2/token"
    participant = sim.world.participants[1]
    profile = api.user_profile_get()["user"]
    assert (profile["encodedId"], profile["timezone"]) == (
        participant.legacy_id, participant.timezone
    )  # fmt: skip
    assert api.get_devices()[0]["deviceVersion"] == participant.device_model
    assert kept == []
    sim.set_clock(sim.now() + timedelta(hours=9))  # the access token lapses: one refresh
    day = participant.starts_on + timedelta(days=3)
    series = api.time_series("activities/steps", base_date=f"{day}", end_date=f"{day}")
    minutes = api.intraday_time_series("activities/steps", f"{day}", detail_level="1min")
    total = int(series["activities-steps"][0]["value"])
    assert sum(row["value"] for row in minutes["activities-steps-intraday"]["dataset"]) == total > 0
    assert len(kept) == 1
    assert kept[0]["refresh_token"] != tokens["refresh_token"]


# ------------------------------------------------------------------------------------ tokens


def test_a_refresh_token_works_once_but_for_the_grace(sim):
    first = sim.fitbit_grant("P002")
    second = refresh(sim, first["refresh_token"]).json()
    assert second["refresh_token"] != first["refresh_token"]
    sim.set_clock(sim.now() + timedelta(seconds=120))
    assert refresh(sim, first["refresh_token"]).json() == second  # the same new pair
    sim.set_clock(sim.now() + timedelta(seconds=1))
    assert error_of(refresh(sim, first["refresh_token"])) == (400, "invalid_grant")
    third = refresh(sim, second["refresh_token"])
    assert third.status_code == 200
    assert status(sim, third.json()) == 200


def test_a_token_two_generations_old_is_dead_even_within_the_grace(sim):
    first = sim.fitbit_grant("P002")
    second = refresh(sim, first["refresh_token"]).json()
    assert refresh(sim, second["refresh_token"]).status_code == 200
    assert error_of(refresh(sim, first["refresh_token"])) == (400, "invalid_grant")


def test_the_token_reply_is_the_vendors(sim):
    tokens = sim.fitbit_grant("P002", "activity profile")
    assert tokens["user_id"] == sim.world.participants[1].legacy_id
    assert (tokens["expires_in"], tokens["token_type"]) == (28_800, "Bearer")
    assert tokens["scope"] == "activity profile"


def test_an_access_token_lasts_eight_hours(sim):
    tokens = sim.fitbit_grant("P002")
    sim.set_clock(sim.now() + timedelta(hours=8) - timedelta(seconds=1))
    assert status(sim, tokens) == 200
    sim.set_clock(sim.now() + timedelta(seconds=1))
    reply = sim.http.get(USER + "profile.json", headers=bearer(tokens))
    assert error_of(reply) == (401, "expired_token")


def test_revocation_and_taking_consent_back(sim):
    tokens = sim.fitbit_grant("P002")
    sim.http.post("/oauth2/revoke", data={"token": tokens["access_token"]}, auth=CLIENT)
    reply = sim.http.get(USER + "profile.json", headers=bearer(tokens))
    assert error_of(reply) == (401, "invalid_token")
    assert error_of(refresh(sim, tokens["refresh_token"])) == (400, "invalid_grant")
    other = sim.fitbit_grant("P004")
    sim.set_clock(sim.world.participants[3].consent_revoked_at)
    assert error_of(refresh(sim, other["refresh_token"])) == (400, "invalid_grant")


def test_introspection(sim):
    tokens = sim.fitbit_grant("P002", "activity")
    told = sim.http.post("/1.1/oauth2/introspect", data={"token": tokens["access_token"]},
                         headers=bearer(tokens)).json()  # fmt: skip
    assert (told["active"], told["scope"]) == (True, "{ACTIVITY=READ}")
    assert told["exp"] - told["iat"] == 28_800_000
    other = sim.http.post("/1.1/oauth2/introspect", data={"token": "x"}, headers=bearer(tokens))
    assert other.json() == {"active": False}
    assert sim.http.post("/1.1/oauth2/introspect", data={"token": "x"}).status_code == 401


def test_a_wrong_client_and_a_wrong_code(sim):
    form = {"grant_type": "authorization_code", "code": "x"}
    wrong = sim.http.post("/oauth2/token", data=form, auth=("stepwell", "x"))
    assert error_of(wrong) == (401, "invalid_client")
    assert error_of(sim.http.post("/oauth2/token", data=form, auth=CLIENT)) == (
        400, "invalid_grant"
    )  # fmt: skip
    assert sim.http.post("/oauth2/token", data={}, auth=CLIENT).status_code == 400


# ------------------------------------------------------------------------- limits and refusals


def test_150_requests_an_hour_by_the_clock(sim):
    tokens = sim.fitbit_grant("P002")
    replies = [sim.http.get(USER + "devices.json", headers=bearer(tokens)) for _ in range(151)]
    assert [r.status_code for r in replies] == [200] * 150 + [429]
    assert replies[0].headers["fitbit-rate-limit-limit"] == "150"
    assert replies[0].headers["fitbit-rate-limit-remaining"] == "149"
    assert replies[-1].headers["retry-after"] == replies[-1].headers["fitbit-rate-limit-reset"]
    assert error_of(replies[-1]) == (429, "system")
    assert status(sim, sim.fitbit_grant("P001")) == 200  # the limit is each participant's own
    sim.set_clock(sim.now() + timedelta(seconds=int(replies[-1].headers["retry-after"])))
    assert status(sim, tokens) == 200


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("activities/steps/date/2026-1-9/1d.json", (400, "validation")),
        ("activities/steps/date/2026-01-20/2026-01-19.json", (400, "validation")),
        ("activities/steps/date/2022-01-01/2025-01-01.json", (400, "validation")),  # 1,097 days
        ("activities/steps/date/2026-01-20/2026-01-21/1min.json", (400, "validation")),
        ("activities/steps/date/2026-01-20/1d/2min.json", (400, "validation")),
        ("activities/heart/date/2026-01-20/1d/15min.json", (400, "validation")),
        ("activities/steps/date/2026-01-20/1d/1min/time/8:00/9:00.json", (400, "validation")),
        ("activities/floors/date/2026-01-20/1d.json", (404, "not_found")),
        ("nothing.json", (404, "not_found")),
    ],
)
def test_refusals(settled, path, expected):
    assert error_of(settled.http.get(USER + path)) == expected


def test_another_account_and_a_missing_scope(settled):
    other = settled.world.participants[0].legacy_id
    reply = settled.http.get(f"/1/user/{other}/profile.json")
    assert error_of(reply) == (403, "insufficient_permissions")
    narrow = bearer(settled.fitbit_grant("P002", "activity"))
    for path in ("profile", "devices", "activities/heart/date/2026-02-02/1d/1min"):
        reply = settled.http.get(f"{USER}{path}.json", headers=narrow)
        assert error_of(reply) == (403, "insufficient_scope")
    for path in ("", "/1/", "/1.2/user/-/sleep/date/2026-02-02.json"):
        assert settled.http.get(f"/1/{path}").status_code == 404


# -------------------------------------------------------------------------------------- views


def get(sim, path: str, **headers: str) -> dict:
    reply = sim.http.get(f"{USER}{path}.json", headers=headers)
    assert reply.status_code == 200, reply.text
    return reply.json()


def truth_of_day(sim, on: date) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Steps, worn and heart rate of P002's local day, in elapsed minutes."""
    activity = sim.world.activity(sim.world.participants[1])
    first, last = activity.zone.first[sim.world.grid.day_number(on) :][:2]
    truth = activity.truth
    return truth.steps[first:last], truth.worn[first:last], truth.heart_rate[first:last]


def test_a_usual_day_is_the_truth_with_zeros_for_what_was_not_worn(settled):
    steps, worn, beats = truth_of_day(settled, date(2026, 3, 10))
    shown = get(settled, "activities/steps/date/2026-03-10/1d/1min")
    data = shown["activities-steps-intraday"]
    assert [row["value"] for row in data["dataset"]] == steps.tolist()
    assert [row["time"] for row in data["dataset"][:2]] == ["00:00:00", "00:01:00"]
    assert (data["datasetInterval"], data["datasetType"]) == (1, "minute")
    assert shown["activities-steps"] == [{"dateTime": "2026-03-10", "value": str(steps.sum())}]
    heart = get(settled, "activities/heart/date/2026-03-10/1d/1min")
    pairs = [(r["time"], r["value"]) for r in heart["activities-heart-intraday"]["dataset"]]
    minutes = np.flatnonzero(worn).tolist()
    assert pairs == [(f"{m // 60:02d}:{m % 60:02d}:00", beats[m]) for m in minutes]


def test_the_hour_that_spring_skips_is_absent(settled):
    """London, 29 March 2026: 01:00 to 02:00 does not exist."""
    steps, worn, _ = truth_of_day(settled, date(2026, 3, 29))
    assert steps.size == 1380
    shown = get(settled, "activities/steps/date/2026-03-29/1d/1min")
    rows = shown["activities-steps-intraday"]["dataset"]
    assert len(rows) == 1380
    assert not any(row["time"].startswith("01:") for row in rows)
    assert [row["value"] for row in rows] == steps.tolist()
    heart = get(settled, "activities/heart/date/2026-03-29/1d/1min")
    assert len(heart["activities-heart-intraday"]["dataset"]) == worn.sum()


def test_series_are_strings_ascending_with_zero_for_nothing(settled):
    shown = get(settled, "activities/steps/date/2026-03-08/2026-03-12")["activities-steps"]
    assert [row["dateTime"][-2:] for row in shown] == ["08", "09", "10", "11", "12"]
    for row in shown:
        steps, _, _ = truth_of_day(settled, date.fromisoformat(row["dateTime"]))
        assert row["value"] == str(steps.sum())
    long_ago = get(settled, "activities/steps/date/2024-05-01/1d")
    assert long_ago == {"activities-steps": [{"dateTime": "2024-05-01", "value": "0"}]}
    tracker = get(settled, "activities/tracker/steps/date/2026-03-12/1w")["activities-steps"]
    assert tracker[2:] == shown


def test_distance_is_in_miles_only_for_en_us(settled):
    path = "activities/distance/date/2026-03-10/1d"
    steps = int(truth_of_day(settled, date(2026, 3, 10))[0].sum())
    shown = {
        language: float(get(settled, path, **headers)["activities-distance"][0]["value"])
        for language, headers in (
            ("none", {"accept-language": ""}),
            ("en_US", {"accept-language": "en_US"}),
            ("en_UK", {"accept-language": "en_UK"}),
        )
    }
    assert shown["none"] == shown["en_UK"] == pytest.approx(steps * 0.00072, abs=1e-4)
    assert shown["en_US"] == pytest.approx(shown["none"] / 1.609344, abs=1e-3)


def test_parts_of_a_day_and_coarser_pieces(settled):
    steps, _, _ = truth_of_day(settled, date(2026, 3, 10))
    part = get(settled, "activities/steps/date/2026-03-10/1d/1min/time/08:00/08:59")
    rows = part["activities-steps-intraday"]["dataset"]
    assert [row["value"] for row in rows] == steps[480:540].tolist()
    assert part["activities-steps"][0]["value"] == str(steps[480:540].sum())
    coarse = get(settled, "activities/steps/date/2026-03-10/2026-03-10/15min")
    rows = coarse["activities-steps-intraday"]["dataset"]
    assert [row["value"] for row in rows] == steps.reshape(96, 15).sum(axis=1).tolist()
    assert rows[1]["time"] == "00:15:00"


def test_minutes_to_come_are_not_returned(sim):
    p = sim.world.participants[1]
    noon = datetime(2026, 1, 27, 12, tzinfo=ZoneInfo(p.timezone))
    sim.set_clock(noon)
    sim.http.headers.update(bearer(sim.fitbit_grant("P002")))
    today = get(sim, "activities/steps/date/today/1d/1min")
    assert len(today["activities-steps-intraday"]["dataset"]) == 720
    tomorrow = get(sim, "activities/steps/date/2026-01-28/1d/1min")
    assert tomorrow["activities-steps-intraday"]["dataset"] == []
    assert tomorrow["activities-steps"][0]["value"] == "0"


def test_daily_heart_rate_counts_minutes_by_zone(settled):
    _, worn, _ = truth_of_day(settled, date(2026, 3, 10))
    day = get(settled, "activities/heart/date/2026-03-10/1d")["activities-heart"][0]["value"]
    assert [zone["name"] for zone in day["heartRateZones"]] == [
        "Out of Range", "Fat Burn", "Cardio", "Peak"
    ]  # fmt: skip
    assert sum(zone["minutes"] for zone in day["heartRateZones"]) == worn.sum()
    assert day["restingHeartRate"] > 40
    before = get(settled, "activities/heart/date/2025-03-10/1d")["activities-heart"][0]["value"]
    assert "restingHeartRate" not in before


def test_the_device_speaks_local_time_and_the_profile_tells_the_zone(settled):
    device = settled.http.get(USER + "devices.json").json()[0]
    p = settled.world.participants[1]
    synced = settled.world.activity(p).synced_at(settled.now())
    local = synced.astimezone(ZoneInfo(p.timezone))
    assert device["lastSyncTime"] == local.strftime("%Y-%m-%dT%H:%M:%S.000")
    profile = get(settled, "profile")["user"]
    assert (profile["timezone"], profile["offsetFromUTCMillis"]) == ("Europe/London", 3_600_000)


def test_there_is_no_device_before_the_first_sync(sim):
    tokens = sim.fitbit_grant("P002")
    assert sim.http.get(USER + "devices.json", headers=bearer(tokens)).json() == []


def test_both_vendors_tell_the_same_days(settled):
    """The totals of four weeks, one of them with a day of 23 hours."""
    google = bearer(settled.google_grant("P002"))
    first, last = date(2026, 3, 3), date(2026, 3, 31)
    parts = [{"date": {"year": d.year, "month": d.month, "day": d.day}} for d in (first, last)]
    reply = settled.http.post(
        "/v4/users/me/dataTypes/steps/dataPoints:dailyRollUp",
        json={"range": {"start": parts[0], "end": parts[1]}}, headers=google,
    )  # fmt: skip
    totals = {
        date(*point["civilStartTime"]["date"].values()): point["steps"].get("countSum", "0")
        for point in reply.json()["rollupDataPoints"]
    }
    legacy = get(settled, "activities/steps/date/2026-03-03/2026-03-30")["activities-steps"]
    assert [row["value"] for row in legacy] == [
        totals.get(first + timedelta(days=n), "0") for n in range(28)
    ]
