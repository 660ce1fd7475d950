"""What the Google personality shows is the truth, minute for minute."""

import gzip
import json
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from support.shared import shared_data
from support.simulated import GOOGLE_SCOPES, Simulated, bearer, simulated

from ingestion.simulator.google import SCOPE

DATA = "/v4/users/me/dataTypes/"
# Ten weeks from 19 January reach past both days on which clocks change in March. In this world
# P001 is in Jerusalem and P002 in London, and both wear their devices on those days.
WORLD = {"participants": 6, "weeks": 10, "seed": 11}


@pytest.fixture(scope="module")
def sim():
    with simulated(**WORLD) as made:
        made.set_clock(made.world.settles_at)
        yield made


@pytest.fixture(scope="module")
def tokens(sim: Simulated) -> dict[str, dict[str, str]]:
    scope = f"{GOOGLE_SCOPES} {SCOPE}profile.readonly"
    return {name: bearer(sim.google_grant(name, scope)) for name in ("P001", "P002", "P003")}


def get(sim, tokens, path: str, who: str = "P001", **params: str) -> dict:
    reply = sim.http.get(f"/v4/users/me/{path}", params=params, headers=tokens[who])
    assert reply.status_code == 200, reply.text
    return reply.json()


def post(sim, tokens, path: str, body: dict, who: str = "P001") -> dict:
    reply = sim.http.post(DATA + path, json=body, headers=tokens[who])
    assert reply.status_code == 200, reply.text
    return reply.json()


def civil(data_type: str, first: str, last: str) -> str:
    member = {
        "steps": "steps.interval.civil_start_time",
        "heart-rate": "heart_rate.sample_time.civil_time",
    }[data_type]
    return f'{member} >= "{first}" AND {member} < "{last}"'


def every_page(sim, tokens, who: str, **params: str) -> list[dict]:
    points, token = [], ""
    while True:
        more = {"pageToken": token} if token else {}
        page = get(sim, tokens, "dataTypes/steps/dataPoints:reconcile", who, **params, **more)
        points += page.get("dataPoints", [])
        token = page.get("nextPageToken", "")
        if not token:
            return points


def minute_of(sim, at: str) -> int:
    return sim.world.grid.second_of(datetime.fromisoformat(at)) // 60


@pytest.mark.parametrize("who", ["P001", "P002", "P003"])
def test_reconciled_steps_are_the_truth_of_every_worn_minute(sim, tokens, who):
    window = {"filter": civil("steps", "2026-03-22", "2026-03-31"), "pageSize": "5000"}
    points = every_page(sim, tokens, who, **window)
    activity = sim.world.activity(sim.world.participant(who))
    grid, zone = sim.world.grid, activity.zone
    first = zone.first[grid.day_number(date(2026, 3, 22))]
    last = zone.first[grid.day_number(date(2026, 3, 31))]
    worn = first + np.flatnonzero(activity.truth.worn[first:last])
    expected = {int(m): int(activity.truth.steps[m]) for m in worn}
    shown = {
        minute_of(sim, p["steps"]["interval"]["startTime"]): int(p["steps"].get("count", "0"))
        for p in points
    }
    assert len(points) == len(shown) > 5000
    assert shown == expected
    assert all(isinstance(p["steps"].get("count", "1"), str) for p in points)
    assert all(p["steps"].get("count") != "0" for p in points)  # zero is left out


def test_points_carry_civil_time_and_offset_of_their_zone(sim, tokens):
    """P001 is in Jerusalem, where 27 March 2026 has no 02:00 to 03:00."""
    points = every_page(sim, tokens, "P001", filter=civil("steps", "2026-03-26", "2026-03-28"))
    assert sim.world.participants[0].timezone == "Asia/Jerusalem"
    zone = ZoneInfo("Asia/Jerusalem")
    for point in points:
        interval = point["steps"]["interval"]
        for side in ("start", "end"):
            local = datetime.fromisoformat(interval[f"{side}Time"]).astimezone(zone)
            shown = interval[f"civil{side.title()}Time"]
            on, clock = shown["date"], shown["time"]
            assert (on["year"], on["month"], on["day"]) == (local.year, local.month, local.day)
            assert clock == {
                name: value
                for name, value in (("hours", local.hour), ("minutes", local.minute))
                if value
            }
            offset = local.utcoffset() // timedelta(seconds=1)
            assert interval[f"{side}UtcOffset"] == f"{offset}s"
    offsets = {point["steps"]["interval"]["startUtcOffset"] for point in points}
    assert offsets == {"7200s", "10800s"}


def test_points_come_newest_first_and_pages_neither_overlap_nor_skip(sim, tokens):
    window = {"filter": civil("steps", "2026-03-01", "2026-03-05")}
    whole = every_page(sim, tokens, "P001", **window, pageSize="5000")
    pieces = every_page(sim, tokens, "P001", **window, pageSize="777")
    starts = [p["steps"]["interval"]["startTime"] for p in whole]
    assert starts == sorted(starts, reverse=True)
    assert pieces == whole


def test_an_unasked_page_size_is_1440_and_the_largest_5000(sim, tokens):
    path = "dataTypes/steps/dataPoints:reconcile"
    assert len(get(sim, tokens, path)["dataPoints"]) == 1440
    assert len(get(sim, tokens, path, pageSize="9999")["dataPoints"]) == 5000


def test_physical_and_civil_filters_mean_the_same_day(sim, tokens):
    path = "dataTypes/steps/dataPoints:reconcile"
    member = "steps.interval.start_time"
    physical = f'{member} >= "2026-03-26T22:00:00Z" AND {member} < "2026-03-28T00:00:00+03:00"'
    one = get(sim, tokens, path, filter=physical)
    assert one == get(sim, tokens, path, filter=civil("steps", "2026-03-27", "2026-03-28"))
    assert len(one["dataPoints"]) <= 1380


@pytest.mark.parametrize(
    ("who", "day", "first", "last"),
    [
        ("P001", "Asia/Jerusalem", "2026-03-26T22:00:00Z", "2026-03-27T21:00:00Z"),
        ("P002", "Europe/London", "2026-03-29T00:00:00Z", "2026-03-29T23:00:00Z"),
    ],
)
def test_minute_roll_ups_of_the_short_day_are_the_worn_minutes_of_1380(
    sim, tokens, who, day, first, last
):
    participant = sim.world.participant(who)
    assert participant.timezone == day
    body = {"range": {"startTime": first, "endTime": last}, "windowSize": "60s"}
    activity = sim.world.activity(participant)
    begin, end = minute_of(sim, first), minute_of(sim, last)
    assert end - begin == 1380
    steps = post(sim, tokens, "steps/dataPoints:rollUp", body, who)["rollupDataPoints"]
    heart = post(sim, tokens, "heart-rate/dataPoints:rollUp", body, who)["rollupDataPoints"]
    worn = (begin + np.flatnonzero(activity.truth.worn[begin:end]))[::-1].tolist()
    assert [minute_of(sim, p["startTime"]) for p in steps] == worn
    assert [minute_of(sim, p["startTime"]) for p in heart] == worn
    shown = [int(p["steps"].get("countSum", "0")) for p in steps]
    assert shown == activity.truth.steps[worn].tolist()
    assert [p["heartRate"]["beatsPerMinuteAvg"] for p in heart] == (
        activity.truth.heart_rate[worn].tolist()
    )


def test_hourly_roll_ups_sum_their_minutes_and_the_last_is_cut_short(sim, tokens):
    body = {"range": {"startTime": "2026-03-10T08:00:00Z", "endTime": "2026-03-10T09:30:00Z"}}
    minutes = post(sim, tokens, "steps/dataPoints:rollUp", {**body, "windowSize": "60s"})
    hours = post(sim, tokens, "steps/dataPoints:rollUp", {**body, "windowSize": "3600s"})
    late, early = hours["rollupDataPoints"]
    assert (late["startTime"], late["endTime"]) == ("2026-03-10T09:00:00Z", "2026-03-10T09:30:00Z")
    sums = {"2026-03-10T08": 0, "2026-03-10T09": 0}
    for point in minutes["rollupDataPoints"]:
        sums[point["startTime"][:13]] += int(point["steps"].get("countSum", "0"))
    assert int(early["steps"].get("countSum", "0")) == sums["2026-03-10T08"]
    assert int(late["steps"].get("countSum", "0")) == sums["2026-03-10T09"]


def test_roll_ups_page_like_points(sim, tokens):
    body = {"range": {"startTime": "2026-03-10T00:00:00Z", "endTime": "2026-03-12T00:00:00Z"},
            "windowSize": "60s"}  # fmt: skip
    path = "heart-rate/dataPoints:rollUp"
    whole = post(sim, tokens, path, {**body, "pageSize": 5000})["rollupDataPoints"]
    pieces, token = [], ""
    while True:
        more = {"pageToken": token} if token else {}
        page = post(sim, tokens, path, {**body, "pageSize": 700, **more})
        pieces += page["rollupDataPoints"]
        token = page.get("nextPageToken", "")
        if not token:
            break
    assert len(whole) > 1400
    assert pieces == whole


def daily_body(first: date, last: date) -> dict:
    parts = [{"date": {"year": d.year, "month": d.month, "day": d.day}} for d in (first, last)]
    return {"range": {"start": parts[0], "end": parts[1]}}


def test_daily_roll_ups_are_the_truth_by_civil_day_and_leave_out_empty_days(sim, tokens):
    first, last = date(2026, 2, 1), date(2026, 4, 1)
    page = post(sim, tokens, "steps/dataPoints:dailyRollUp", daily_body(first, last))
    activity = sim.world.activity(sim.world.participants[0])
    expected = {}
    for n in range((last - first).days):
        day = activity.zone.first[sim.world.grid.day_number(first) + n :][:2]
        if activity.truth.worn[day[0] : day[1]].any():
            on = first + timedelta(days=n)
            expected[(on.month, on.day)] = int(activity.truth.steps[day[0] : day[1]].sum())
    shown = {}
    for point in page["rollupDataPoints"]:
        on = point["civilStartTime"]["date"]
        assert point["civilStartTime"]["time"] == {}
        shown[(on["month"], on["day"])] = int(point["steps"].get("countSum", "0"))
    assert shown == expected
    assert len(expected) < 59  # some days were not worn
    assert list(shown) == sorted(shown, reverse=True)


def test_daily_heart_rate_is_mean_least_and_most(sim, tokens):
    path = "heart-rate/dataPoints:dailyRollUp"
    points = post(sim, tokens, path, daily_body(date(2026, 3, 20), date(2026, 3, 27)))
    activity = sim.world.activity(sim.world.participants[0])
    for point in points["rollupDataPoints"]:
        on = date(*point["civilStartTime"]["date"].values())
        first, last = activity.zone.first[sim.world.grid.day_number(on) :][:2]
        beats = activity.truth.heart_rate[first:last]
        beats = beats[beats > 0]
        value = point["heartRate"]
        assert value["beatsPerMinuteAvg"] == pytest.approx(beats.mean())
        assert (value["beatsPerMinuteMin"], value["beatsPerMinuteMax"]) == (
            beats.min(), beats.max()
        )  # fmt: skip


def test_a_device_without_heart_rate_has_none_and_says_so(sim, tokens):
    path = "dataTypes/heart-rate/dataPoints:reconcile"
    assert get(sim, tokens, path, "P003") == {}
    assert "dataPoints" in get(sim, tokens, path, "P001")
    features = {
        who: get(sim, tokens, "pairedDevices", who)["pairedDevices"][0]["features"]
        for who in ("P001", "P003")
    }
    assert "HEART_RATE" in features["P001"]
    assert "HEART_RATE" not in features["P003"]


def test_heart_rate_samples_are_of_the_minute(sim, tokens):
    points = get(sim, tokens, "dataTypes/heart-rate/dataPoints:reconcile", pageSize="3")
    activity = sim.world.activity(sim.world.participants[0])
    for point in points["dataPoints"]:
        sample = point["heartRate"]["sampleTime"]
        minute = minute_of(sim, sample["physicalTime"])
        assert sample["physicalTime"].endswith(":05Z")
        assert sample["civilTime"]["time"]["seconds"] == 5
        assert int(point["heartRate"]["beatsPerMinute"]) == activity.truth.heart_rate[minute]


def test_list_shows_every_source_and_a_family_picks_one(sim, tokens):
    """Summing a list counts steps twice; the wearable's own are what reconcile gives."""
    path, window = "dataTypes/steps/dataPoints", civil("steps", "2026-03-10", "2026-03-11")
    family = "users/me/dataSourceFamilies/"
    listed = get(sim, tokens, path, filter=window)["dataPoints"]
    platforms = {p["dataSource"]["platform"] for p in listed}
    assert platforms == {"FITBIT", "HEALTH_CONNECT"}
    own = get(sim, tokens, path, filter=window, dataSourceFamily=family + "google-wearables")
    reconciled = get(sim, tokens, path + ":reconcile", filter=window)["dataPoints"]
    assert [p["steps"] for p in own["dataPoints"]] == [p["steps"] for p in reconciled]
    assert all("dataSource" not in p for p in reconciled)
    none = get(sim, tokens, path, filter=window, dataSourceFamily=family + "self-sources")
    assert none == {}


def test_account_resources_name_the_participant(sim, tokens):
    p = sim.world.participants[1]
    assert get(sim, tokens, "identity", "P002") == {
        "name": "users/me/identity",
        "legacyUserId": p.legacy_id,
        "healthUserId": p.health_id,
    }
    settings = get(sim, tokens, "settings", "P002")
    assert (settings["timeZone"], settings["utcOffset"]) == ("Europe/London", "3600s")
    assert get(sim, tokens, "profile", "P002")["age"] == p.age_years
    by_number = sim.http.get(f"/v4/users/{p.health_id}/settings", headers=tokens["P002"])
    assert by_number.json() == settings


def test_the_device_tells_its_last_sync(sim, tokens):
    told = get(sim, tokens, "pairedDevices")["pairedDevices"][0]["lastSyncTime"]
    activity = sim.world.activity(sim.world.participants[0])
    assert datetime.fromisoformat(told) == activity.synced_at(sim.now())


def test_before_the_first_sync_there_is_no_device_and_no_data():
    with simulated(participants=1, weeks=1) as fresh:
        headers = {"P001": bearer(fresh.google_grant("P001"))}
        assert get(fresh, headers, "pairedDevices") == {}
        assert get(fresh, headers, "dataTypes/steps/dataPoints") == {}
        body = daily_body(date(2026, 1, 19), date(2026, 1, 26))
        assert post(fresh, headers, "steps/dataPoints:dailyRollUp", body) == {}


def test_late_data_and_restatements_show_after_their_sync():
    with simulated(participants=1, weeks=3) as fresh:
        activity = fresh.world.activity(fresh.world.participants[0])
        draft = activity.drafts[0]
        day = activity.grid.date_of(int(activity.zone.day[draft.first]))
        window = {"filter": civil("steps", f"{day}", f"{day + timedelta(days=1)}"),
                  "pageSize": "5000"}  # fmt: skip
        restated_at = fresh.world.grid.instant(int(activity.synced[draft.until]))
        seen = []
        for at in (restated_at - timedelta(seconds=1), restated_at):
            fresh.set_clock(at)
            headers = {"P001": bearer(fresh.google_grant("P001"))}
            points = every_page(fresh, headers, "P001", **window)
            seen.append(sum(int(p["steps"].get("count", "0")) for p in points))
        first, last = draft.first, draft.first + draft.steps.size
        assert seen[1] == int(activity.truth.steps[first:last].sum())
        assert seen[0] == int(draft.steps.sum()) != seen[1]


# ------------------------------------------------------- against the vendor's own description


@pytest.fixture(scope="module")
def schemas() -> dict:
    path = shared_data("google_health_api") / "health.v4.discovery.json.gz"
    return json.loads(gzip.decompress(path.read_bytes()))["schemas"]


KINDS = {"string": str, "integer": int, "number": (int, float), "boolean": bool}


def strangers(value: object, schema: dict, schemas: dict, where: str = "") -> list[str]:
    """Keys, types and enum values that the discovery document does not know."""
    schema = schemas[schema["$ref"]] if "$ref" in schema else schema
    if schema["type"] == "array":
        assert isinstance(value, list), where
        return [s for item in value for s in strangers(item, schema["items"], schemas, where)]
    if schema["type"] != "object":
        fits = isinstance(value, KINDS[schema["type"]]) and value in schema.get("enum", [value])
        return [] if fits else [f"{where}: {value!r} is no {schema['type']}"]
    assert isinstance(value, dict), where
    known = schema.get("properties", {})
    found = [f"{where}.{name}" for name in value if name not in known]
    for name, inner in value.items():
        if name in known:
            found += strangers(inner, known[name], schemas, f"{where}.{name}")
    return found


def test_every_body_is_of_the_vendors_schema(sim, tokens, schemas):
    rolled = {"range": {"startTime": "2026-03-10T00:00:00Z", "endTime": "2026-03-10T12:00:00Z"},
              "windowSize": "60s", "pageSize": 50}  # fmt: skip
    daily = daily_body(date(2026, 3, 10), date(2026, 3, 12))
    bodies = [
        ("Identity", get(sim, tokens, "identity")),
        ("Profile", get(sim, tokens, "profile")),
        ("Settings", get(sim, tokens, "settings")),
        ("ListPairedDevicesResponse", get(sim, tokens, "pairedDevices")),
    ]
    for kind in ("steps", "heart-rate"):
        path = f"dataTypes/{kind}/dataPoints"
        roll, day = f"{kind}/dataPoints:rollUp", f"{kind}/dataPoints:dailyRollUp"
        bodies += [
            ("ListDataPointsResponse", get(sim, tokens, path, pageSize="200")),
            ("ReconcileDataPointsResponse", get(sim, tokens, path + ":reconcile", pageSize="200")),
            ("RollUpDataPointsResponse", post(sim, tokens, roll, rolled)),
            ("DailyRollUpDataPointsResponse", post(sim, tokens, day, daily)),
        ]
    for name, body in bodies:
        assert len(json.dumps(body)) > 60, name
        assert strangers(body, {"$ref": name}, schemas, name) == []


def test_the_schema_check_finds_a_stranger(schemas):
    planted = {"name": "x", "healthUserId": 7, "nick": "y"}
    assert strangers(planted, {"$ref": "Identity"}, schemas, "Identity") == [
        "Identity.nick",
        "Identity.healthUserId: 7 is no string",
    ]


def test_as_of_a_clock_the_same_request_has_the_same_bytes(sim, tokens):
    path = DATA + "steps/dataPoints:reconcile"
    with simulated(**WORLD) as again:
        again.set_clock(again.world.settles_at)
        headers = bearer(again.google_grant("P001"))
        first = sim.http.get(path, headers=tokens["P001"])
        second = again.http.get(path, headers=headers)
    assert first.content == second.content
    assert first.headers == second.headers
