"""Faults that spoil the vendor's own reply: pages, points, devices, drift, rows of REDCap."""

from datetime import date

import pytest
from support.simulated import bearer, simulated

from ingestion.simulator.redcap import REDCAP_TOKEN

DATA = "/v4/users/me/dataTypes/steps/dataPoints"
STEPS = f"{DATA}:reconcile"
DAY = {"filter": 'steps.interval.civil_start_time >= "2026-01-25" AND '
                 'steps.interval.civil_start_time < "2026-01-26"'}  # fmt: skip
DAILY = {"range": {"start": {"date": {"year": 2026, "month": 1, "day": 20}},
                   "end": {"date": {"year": 2026, "month": 1, "day": 27}}}}  # fmt: skip
MINUTES = "/1/user/-/activities/steps/date/2026-01-25/1d/1min.json"
HEART = "/1/user/-/activities/heart/date/2026-01-25/1d/1min.json"


@pytest.fixture(scope="module")
def served():
    with simulated(participants=2, weeks=1, hourly_limit=10_000, minute_limit=10_000) as made:
        made.set_clock(made.world.settles_at)
        made.google = bearer(made.google_grant("P001"))
        made.fitbit = bearer(made.fitbit_grant("P002"))
        yield made


@pytest.fixture
def sim(served):
    """The served world; no fault of one test is left to the next."""
    yield served
    armed = served.served.simulator.state.armed()
    assert all(used == spec["times"] for _, spec, used in armed), armed


def google(sim, path: str = STEPS, **params: str) -> dict:
    params = params if path.endswith(("settings", "Devices")) else {**DAY, **params}
    return sim.http.get(path, headers=sim.google, params=params).raise_for_status().json()


def legacy(sim, path: str = MINUTES):
    return sim.http.get(path, headers=sim.fitbit).raise_for_status().json()


def rows(sim, **form: str) -> list[dict]:
    asked = {"token": REDCAP_TOKEN, "content": "record", "format": "json", **form}
    return sim.http.post("/api/", data=asked).raise_for_status().json()


def counts(page: dict) -> list[str]:
    return [point["steps"].get("count", "0") for point in page["dataPoints"]]


# ------------------------------------------------------------------------------------- pages


def test_an_empty_page_leads_to_the_one_that_was_asked_for(sim):
    whole = google(sim)
    sim.arm("empty_page", times=2)
    first = google(sim)
    second = google(sim, pageToken=first["nextPageToken"])
    assert list(first) == list(second) == ["nextPageToken"]
    assert first != second
    assert google(sim, pageToken=second["nextPageToken"]) == whole


def test_an_empty_page_of_a_roll_up_and_in_the_middle(sim):
    def post(**more: str) -> dict:
        body = {**DAILY, "pageSize": 4, **more}
        return sim.http.post(f"{DATA}:dailyRollUp", headers=sim.google, json=body).json()

    first = post()
    rest = post(pageToken=first["nextPageToken"])
    sim.arm("empty_page")
    empty = post(pageToken=first["nextPageToken"])
    assert list(empty) == ["nextPageToken"]
    assert post(pageToken=empty["nextPageToken"]) == rest
    assert len(first["rollupDataPoints"]) == 4
    assert rest["rollupDataPoints"]


def test_a_page_that_comes_twice(sim):
    whole = google(sim)
    sim.arm("page_twice")
    first = google(sim)
    assert first["dataPoints"] == whole["dataPoints"]
    assert google(sim, pageToken=first["nextPageToken"]) == whole


def test_a_page_whose_next_is_itself(sim):
    sim.arm("repeated_token", times=2)
    first = google(sim)
    assert google(sim, pageToken=first["nextPageToken"]) == first


def test_a_page_token_of_a_fault_is_still_bound_to_its_request(sim):
    sim.arm("page_twice")
    token = google(sim, pageSize="50")["nextPageToken"]
    sim.arm("page_twice")
    later = google(sim, pageSize="50", pageToken=token)["nextPageToken"]
    own = google(sim, pageSize="50")["nextPageToken"]
    other = {**DAY, "pageSize": "51", "pageToken": f"again-1.{own}"}
    refused = sim.http.get(STEPS, headers=sim.google, params=other)
    assert refused.status_code == 400
    assert google(sim, pageSize="50", pageToken=later)["nextPageToken"] == own


# ------------------------------------------------------------------------------------ points


def test_every_point_twice_as_of_two_sources(sim):
    alone = google(sim)
    sim.arm("two_sources")
    both = google(sim)["dataPoints"]
    assert both[::2] == alone["dataPoints"]
    for own, other in zip(both[::2], both[1::2], strict=True):
        assert other["steps"]["interval"] == own["steps"]["interval"]
        lower = int(own["steps"].get("count", "0")) * 15 // 16
        assert int(other["steps"].get("count", "0")) == lower


def test_the_list_names_two_sources_without_a_fault(sim):
    named = {point["dataSource"]["platform"] for point in google(sim, DATA)["dataPoints"]}
    assert named == {"FITBIT", "HEALTH_CONNECT"}


@pytest.mark.parametrize("minutes", [2, 15])
def test_a_point_over_minutes_that_have_their_own(sim, minutes):
    alone = google(sim)["dataPoints"]
    sim.arm("overlapping", minutes=minutes)
    points = google(sim)["dataPoints"]
    (extra,) = (point for point in points if point not in alone)
    at = points.index(extra)
    covered = points[at + 1 : at + 1 + minutes]
    assert [point for point in points if point is not extra] == alone
    span = extra["steps"]["interval"]
    assert span["endTime"] == covered[0]["steps"]["interval"]["endTime"]
    assert span["startTime"] == covered[-1]["steps"]["interval"]["startTime"]
    assert span["civilEndTime"] == covered[0]["steps"]["interval"]["civilEndTime"]
    assert int(extra["steps"]["count"]) == sum(
        int(point["steps"].get("count", "0")) for point in covered
    )


@pytest.mark.parametrize("steps", [5000, -7])
def test_a_minute_that_nobody_walks(sim, steps):
    before = counts(google(sim))
    newest = next(n for n, count in enumerate(before) if count != "0")
    sim.arm("implausible", match={"personality": "google"}, steps=steps)
    assert counts(google(sim)) == [*before[:newest], str(steps), *before[newest + 1 :]]
    plain = legacy(sim)["activities-steps-intraday"]["dataset"]
    last = max(n for n, row in enumerate(plain) if row["value"])
    sim.arm("implausible", match={"personality": "fitbit"}, steps=steps)
    spoilt = legacy(sim)["activities-steps-intraday"]["dataset"]
    assert spoilt[last]["value"] == steps
    assert spoilt[:last] + spoilt[last + 1 :] == plain[:last] + plain[last + 1 :]


@pytest.mark.parametrize(("value", "less"), [("same", 0), ("other", 1)])
def test_the_same_minute_twice(sim, value, less):
    plain = legacy(sim)["activities-steps-intraday"]["dataset"]
    sim.arm("duplicate_minutes", value=value)
    spoilt = legacy(sim)["activities-steps-intraday"]["dataset"]
    expected = []
    for row in plain:
        expected += [row, {**row, "value": row["value"] - less}] if row["value"] else [row]
    assert spoilt == expected
    assert len(spoilt) > len(plain) == 1440


# ----------------------------------------------------------------------------------- devices


@pytest.mark.parametrize(
    ("kind", "word", "model"), [("tracker", "TRACKER", "Zip"), ("scale", "SCALE", "Aria Air")]
)
def test_a_second_device(sim, kind, word, model):
    (first,) = google(sim, "/v4/users/me/pairedDevices")["pairedDevices"]
    sim.arm("two_devices", match={"personality": "google"}, kind=kind)
    own, other = google(sim, "/v4/users/me/pairedDevices")["pairedDevices"]
    assert own == first
    assert (other["deviceType"], other["deviceVersion"]) == (word, model)
    assert other["name"] != first["name"]
    (first,) = legacy(sim, "/1/user/-/devices.json")
    sim.arm("two_devices", match={"personality": "fitbit"}, kind=kind)
    own, other = legacy(sim, "/1/user/-/devices.json")
    assert own == first
    assert (other["type"], other["deviceVersion"]) == (word, model)


def test_paired_devices_come_in_pages(sim):
    path = "/v4/users/me/pairedDevices"
    page = google(sim, path, pageSize="1")
    assert len(page["pairedDevices"]) == 1
    assert "nextPageToken" not in page
    for wrong in ({"pageSize": "many"}, {"pageToken": "made-up"}):
        assert sim.http.get(path, headers=sim.google, params=wrong).status_code == 400


# ------------------------------------------------------------------------------------- drift


def test_google_drifts(sim):
    plain = google(sim, DATA)
    sim.arm("drift", match={"personality": "google"}, what="unknown_field")
    added = google(sim, DATA)
    assert added.pop("newField") == [1]
    for point in added["dataPoints"]:
        assert point.pop("newField") == {"since": "v5"}
        assert point["steps"].pop("newField") == "1"
    assert added == plain
    sim.arm("drift", what="unknown_enum")
    words = {point["dataSource"]["recordingMethod"] for point in google(sim, DATA)["dataPoints"]}
    assert words == {"INFERRED"}
    sim.arm("drift", what="bare_number", match={"personality": "google"})
    bare = {type(p["steps"]["count"]) for p in google(sim)["dataPoints"] if "count" in p["steps"]}
    assert bare == {int}
    sim.arm("drift", what="nan")
    told = counts(google(sim))
    assert told.count("NaN") == 1
    assert next(count for count in told if count != "0") == "NaN"


@pytest.mark.parametrize(
    ("path", "key", "word"),
    [
        ("/v4/users/me/settings", "distanceUnit", "DISTANCE_UNIT_PARSECS"),
        ("/v4/users/me/pairedDevices", "deviceType", "SMART_RING"),
    ],
)
def test_an_enum_that_nobody_knows(sim, path, key, word):
    sim.arm("drift", what="unknown_enum")
    body = google(sim, path)
    assert {**body, **body.get("pairedDevices", [{}])[0]}[key] == word


def test_fitbit_drifts(sim):
    plain = legacy(sim)
    sim.arm("drift", match={"personality": "fitbit"}, what="number_as_string")
    told = legacy(sim)["activities-steps-intraday"]["dataset"]
    own = plain["activities-steps-intraday"]["dataset"]
    assert told == [{**row, "value": str(row["value"])} for row in own]
    sim.arm("drift", match={"personality": "fitbit"}, what="unknown_field")
    added = legacy(sim)
    assert added.pop("newField") == {"since": "2"}
    assert all(row.pop("newField") for row in added["activities-steps-intraday"]["dataset"])
    assert added == plain
    assert "restingHeartRate" in legacy(sim, HEART)["activities-heart"][0]["value"]
    sim.arm("drift", what="no_resting_heart_rate")
    assert "restingHeartRate" not in legacy(sim, HEART)["activities-heart"][0]["value"]


def test_redcap_drifts(sim):
    plain = rows(sim)
    repeats = {row["redcap_repeat_instance"] for row in plain}
    assert {type(repeat) for repeat in repeats} == {int, str}
    assert {repeat for repeat in repeats if isinstance(repeat, str)} == {""}
    sim.arm("drift", match={"personality": "redcap"}, what="repeat_as_text")
    texts = {row["redcap_repeat_instance"] for row in rows(sim)}
    assert texts == {str(repeat) for repeat in repeats}
    sim.arm("drift", match={"personality": "redcap"}, what="bare_number")
    ages = {type(row["age"]) for row in rows(sim) if row["age"] != ""}
    assert ages == {int}
    sim.arm("drift", match={"personality": "redcap"}, what="unknown_field")
    assert {row.pop("new_field___1") for row in rows(sim)} == {"1"}


def test_a_missing_data_code_stands_where_a_value_was(sim):
    plain = rows(sim)
    sim.arm("missing_code", field="sex", code="UNK")
    for row, told in zip(plain, rows(sim), strict=True):
        assert told == {**row, "sex": "UNK" if row["sex"] else ""}
    assert date.fromisoformat(plain[0]["enrolled_on"])


# ------------------------------------------------------------------------- waiting for a turn


def test_a_fault_waits_for_a_request_on_which_it_has_a_bearing(sim):
    sim.arm("page_twice")
    sim.arm("no_intraday")
    assert "nextPageToken" not in google(sim, "/v4/users/me/settings")
    assert legacy(sim, "/1/user/-/devices.json")
    assert "nextPageToken" in google(sim)
    assert "activities-steps-intraday" not in legacy(sim)


def test_a_fault_that_has_none_lets_the_next_one_through(sim):
    sim.arm("page_twice")
    sim.arm("500")
    settings = "/v4/users/me/settings"
    assert sim.http.get(settings, headers=sim.google).status_code == 500
    assert google(sim, settings)
    assert "nextPageToken" in google(sim)
