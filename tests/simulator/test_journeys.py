"""Travellers, changes of clocks and of devices: as the world lives them, and vendors show them."""

from datetime import UTC, date, datetime, timedelta

import httpx
import numpy as np
import pytest
from support.simulated import Simulated, bearer

from ingestion.simulator.grid import Grid
from ingestion.simulator.server import serve
from ingestion.simulator.travel import ABROAD, DeviceChange
from ingestion.simulator.world import World
from warehouse.study import EXAMPLE, read_study

STUDY = read_study(EXAMPLE)
STEPS = "/v4/users/me/dataTypes/steps/dataPoints"


def flight(month: int, day: int, hour: int, zone: str) -> tuple[datetime, str]:
    return datetime(2026, month, day, hour, tzinfo=UTC), zone


def test_over_the_date_line_a_date_is_lived_twice_or_cut_short():
    """16:00 on the 10th in Auckland (+13) is 17:00 on the 9th in Honolulu (-10)."""
    legs = [flight(1, 10, 3, "Pacific/Honolulu"), flight(1, 20, 3, "Pacific/Auckland")]
    grid = Grid(date(2026, 1, 1), 40)
    zone = grid.travelled("Pacific/Auckland", legs)
    lived = {on: zone.minutes_of(grid.day_number(date(2026, 1, on))).size for on in range(8, 22)}
    assert lived == dict.fromkeys(range(8, 22), 1440) | {9: 1860, 10: 2400, 19: 1020, 20: 480}
    twice = zone.minutes_of(grid.day_number(date(2026, 1, 9)))
    assert twice[-1] - twice[0] + 1 == 2820  # from Auckland's first midnight to Honolulu's last
    assert np.array_equal(np.unique(twice), twice)


def test_a_date_that_is_flown_over_has_no_minute():
    """01:00 on the 15th in Honolulu is midnight of the 16th in Auckland."""
    grid = Grid(date(2026, 1, 1), 40)
    zone = grid.travelled("Pacific/Honolulu", [flight(1, 15, 11, "Pacific/Auckland")])
    sizes = [zone.minutes_of(grid.day_number(date(2026, 1, on))).size for on in (14, 15, 16)]
    assert sizes == [1440, 60, 1440]  # of the 15th, Honolulu's first hour alone
    assert zone.minutes_of(-1).size == zone.minutes_of(999).size == 0


@pytest.mark.parametrize(
    ("abroad", "minutes"),
    [
        ("Asia/Kolkata", 1440 - 210),
        ("Asia/Kathmandu", 1440 - 225),
        ("America/New_York", 1440 + 420),
    ],
)
def test_the_day_of_a_flight_is_shorter_or_longer_by_the_difference(abroad, minutes):
    grid = Grid(date(2026, 1, 1), 40)
    zone = grid.travelled("Asia/Jerusalem", [flight(1, 10, 9, abroad)])
    assert zone.minutes_of(grid.day_number(date(2026, 1, 10))).size == minutes


def test_a_world_without_journeys_is_the_world_it_was():
    plain, asked = (
        World(STUDY, participants=8, weeks=2),
        World(STUDY, participants=8, weeks=2, journeys=True, devices=True),
    )
    travellers = [p for p in asked.participants if p.journeys]
    assert 2 <= len(travellers) < 8
    assert any(p.change for p in asked.participants)
    for before, after in zip(plain.participants, asked.participants, strict=True):
        assert (before.journeys, before.change) == ((), None)
        if not after.journeys:
            assert np.array_equal(
                plain.activity(before).truth.steps, asked.activity(after).truth.steps
            )


def test_travellers_go_to_known_places_and_come_home():
    world = World(STUDY, participants=30, weeks=4, journeys=True)
    for p in world.participants:
        assert all(zone in ABROAD for _, zone in p.journeys[:-1])
        assert not p.journeys or p.journeys[-1][1] == p.timezone
        at = [instant for instant, _ in p.journeys]
        assert at == sorted(at)
    again = World(STUDY, participants=30, weeks=4, journeys=True)
    assert again.participants == world.participants


@pytest.fixture(scope="module")
def sim():
    """P001 goes from Jerusalem to Kolkata and Honolulu; P002, at the legacy vendor, likewise."""
    world = World(STUDY, participants=2, weeks=3, faults=False)
    legs = (flight(1, 27, 9, "Asia/Kolkata"), flight(1, 30, 2, "Pacific/Honolulu"))
    change = DeviceChange(datetime(2026, 2, 1, 12, tzinfo=UTC), "2810001", "Charge 6", beside=False)
    for p in world.participants:
        object.__setattr__(p, "timezone", "Asia/Jerusalem")
        object.__setattr__(p, "journeys", legs)
        object.__setattr__(p, "change", change)
        object.__setattr__(p, "device_model", "Inspire 3")
    with serve(world) as served, httpx.Client(base_url=served.url, trust_env=False) as client:
        made = Simulated(world, served, client)
        made.set_clock(datetime(2026, 2, 6, 12, tzinfo=UTC))
        yield made


@pytest.fixture(scope="module")
def google(sim):
    headers = bearer(sim.google_grant("P001"))

    def points(method: str = ":reconcile", **params: str) -> list[dict]:
        found, token = [], ""
        while True:
            asked = {"pageSize": "5000", **params, **({"pageToken": token} if token else {})}
            page = sim.http.get(STEPS + method, params=asked, headers=headers).json()
            found += page.get("dataPoints", [])
            token = page.get("nextPageToken", "")
            if not token:
                return found

    return points


def test_each_point_tells_the_clock_of_the_place(google):
    offsets = {}
    for point in google():
        interval = point["steps"]["interval"]
        start = datetime.fromisoformat(interval["startTime"])
        seconds = int(interval["startUtcOffset"].removesuffix("s"))
        local, shown = start + timedelta(seconds=seconds), interval["civilStartTime"]
        assert (local.month, local.day) == (shown["date"]["month"], shown["date"]["day"])
        assert (local.hour, local.minute) == tuple(
            shown["time"].get(name, 0) for name in ("hours", "minutes")
        )
        offsets.setdefault(seconds, start)
    assert set(offsets) == {7200, 19_800, -36_000}


def test_daily_totals_are_by_the_travellers_own_dates(sim, google):
    """In Kolkata to 07:30 on the 30th, then in Honolulu from 16:00 on the 29th."""
    by_date: dict[int, int] = {}
    for point in google():
        on = point["steps"]["interval"]["civilStartTime"]["date"]["day"]
        by_date[on] = by_date.get(on, 0) + int(point["steps"].get("count", "0"))
    span = {"start": {"date": {"year": 2026, "month": 1, "day": 26}},
            "end": {"date": {"year": 2026, "month": 2, "day": 1}}}  # fmt: skip
    reply = sim.http.post(f"{STEPS}:dailyRollUp", json={"range": span, "windowSizeDays": 1},
                          headers=bearer(sim.google_grant("P001")))  # fmt: skip
    told = {
        one["civilStartTime"]["date"]["day"]: int(one["steps"].get("countSum", "0"))
        for one in reply.json()["rollupDataPoints"]
    }
    assert told == {on: by_date[on] for on in told}
    assert {27, 29, 30} <= set(told)


def test_the_device_of_a_point_is_the_one_worn_then(google):
    changed = datetime(2026, 2, 1, 12, tzinfo=UTC)
    models = {
        (point["dataSource"]["device"]["displayName"],
         datetime.fromisoformat(point["steps"]["interval"]["startTime"]) >= changed)
        for point in google("", dataSourceFamily="users/me/dataSourceFamilies/google-wearables")
    }  # fmt: skip
    assert models == {("Inspire 3", False), ("Charge 6", True)}


def test_a_replaced_device_stays_paired_and_syncs_no_more(sim):
    reply = sim.http.get("/v4/users/me/pairedDevices", headers=bearer(sim.google_grant("P001")))
    old, new = reply.json()["pairedDevices"]
    assert (old["deviceVersion"], old["lastSyncTime"]) == ("Inspire 3", "2026-02-01T12:00:00Z")
    assert new["deviceVersion"] == "Charge 6"
    assert new["lastSyncTime"] > "2026-02-05"
    legacy = sim.http.get("/1/user/-/devices.json", headers=bearer(sim.fitbit_grant("P002"))).json()
    assert [one["deviceVersion"] for one in legacy] == ["Inspire 3", "Charge 6"]


def test_two_worn_at_once_sync_together():
    one = World(STUDY, participants=1, weeks=1).participants[0]
    change = DeviceChange(datetime(2026, 1, 20, tzinfo=UTC), "2", "Charge 6", beside=True)
    object.__setattr__(one, "change", change)
    synced = datetime(2026, 1, 21, tzinfo=UTC)
    assert [at for *_, at in one.paired_at(synced, synced)] == [synced, synced]
    assert len(one.paired_at(synced, datetime(2026, 1, 19, tzinfo=UTC))) == 1
    assert one.paired_at(synced, None) == ()


def legacy_day(on: str, **world) -> tuple[dict[str, int], int, np.ndarray, np.ndarray]:
    """A legacy day in London: minutes by clock, the total, and truth and clock of its minutes."""
    made = World(STUDY, participants=2, weeks=41, faults=False, **world)
    one = made.participants[1]
    object.__setattr__(one, "timezone", "Europe/London")
    activity = made.activity(one)
    number = made.grid.day_number(date.fromisoformat(on))
    minutes = activity.zone.minutes_of(number)
    activity.drafts = ()
    for steps in (activity.truth.steps, activity._steps):
        steps[minutes] = 1 + np.arange(minutes.size) % 97  # no hour is like another
    with serve(made) as served, httpx.Client(base_url=served.url, trust_env=False) as client:
        sim = Simulated(made, served, client)
        sim.set_clock(datetime.fromisoformat(on).replace(tzinfo=UTC) + timedelta(days=4))
        headers = bearer(sim.fitbit_grant("P002"))
        path = f"/1/user/-/activities/steps/date/{on}/1d/1min.json"
        body = client.get(path, headers=headers).json()
    rows = body["activities-steps-intraday"]["dataset"]
    shown = {row["time"]: row["value"] for row in rows}
    assert len(shown) == len(rows)
    seen = activity.view(sim.now())
    total = int(body["activities-steps"][0]["value"])
    return shown, total, seen.steps[minutes], seen.zone.minute[minutes]


@pytest.mark.parametrize(("mode", "minutes"), [("absent", 1380), ("zero", 1440)])
def test_the_hour_that_spring_skips_is_absent_or_zero(mode, minutes):
    shown, total, steps, _ = legacy_day("2026-03-29", skipped_hour=mode)
    assert len(shown) == minutes
    assert shown.get("01:30:00", 0) == 0
    assert sum(shown.values()) == total == steps.sum()


@pytest.mark.parametrize("mode", ["merge", "last_wins"])
def test_the_hour_that_autumn_repeats_is_added_up_or_the_later(mode):
    shown, total, steps, clock = legacy_day("2026-10-25", repeated_hour=mode)
    assert len(shown) == 1440
    assert (steps.size, total) == (1500, steps.sum())
    twice = np.isin(clock, np.flatnonzero(np.bincount(clock) == 2))
    first, second = np.split(steps[twice].astype(int), 2)
    hour = [shown[f"01:{minute:02d}:00"] for minute in range(60)]
    assert first.sum() != second.sum() != 0
    assert hour == (first + second if mode == "merge" else second).tolist()


@pytest.mark.parametrize("wrong", [{"skipped_hour": "gone"}, {"repeated_hour": "first"}])
def test_an_unknown_way_with_clocks_is_refused(wrong):
    with pytest.raises(ValueError, match="merge"):
        World(STUDY, participants=1, weeks=1, **wrong)
