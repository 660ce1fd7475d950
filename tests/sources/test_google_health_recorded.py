"""Nine replies recorded from a real band, their values scrubbed: the shapes must be readable.

Scrubbing left impossible values (PROVENANCE.md beside them), so the shape is what is trusted.
"""

import json
from datetime import date

import httpx
import pytest
from support.google import ask, reply, total
from support.shared import shared_data

from ingestion.errors import Misconfigured
from ingestion.http import VendorClient, open_http
from ingestion.source import last_sync
from ingestion.sources import _google_bodies as bodies
from ingestion.sources._google_asks import fetch_devices, fetch_settings
from ingestion.sources.google_health import SOURCE

YEAR = {"first_on": "2025-12-01", "last_on": "2026-03-01"}


def recorded(name):
    return json.loads((shared_data("google_health_api") / "recorded_scrubbed" / name).read_text())


def answering(body, status=200):
    transport = httpx.MockTransport(lambda request: httpx.Response(status, json=body))
    return VendorClient(open_http(transport), "google_health", "https://vendor.example")


def test_settings():
    found = fetch_settings(answering(recorded("settings.json")["body"]), ask())
    assert json.loads(found.body) == {"timeZone": "America/New_York", "utcOffset": "-14400s"}
    (day,) = SOURCE.read([found, total("2026-01-07", "1")], ask(**YEAR)).days
    assert day.timezone == "America/New_York"
    body = recorded("list_steps_nofilter.json")["body"]
    days = SOURCE.read([found, reply("steps", body)], ask(**YEAR)).days
    assert {day.timezone for day in days} == {None}  # scrubbed: -4 h is not New York's in January


def test_paired_devices():
    (found,) = fetch_devices(answering(recorded("paired_devices.json")["body"]), ask())
    assert b"redacted" not in found.body
    reading = SOURCE.read([found], ask())
    (device,) = reading.devices
    assert (device.device_model, device.measures_heart_rate) == ("Fitbit Air", True)
    assert device.battery_pct == 80
    assert str(last_sync(reading)) == "2026-01-08 02:26:07+00:00"


def test_steps():
    # 2026-01-08T01:54Z at -14400 s is 21:54 of the 7th; 100 steps.
    body = recorded("list_steps_nofilter.json")["body"]
    assert bodies.decode(json.dumps(body).encode(), bodies.Points).next_page_token
    (day,) = SOURCE.read([reply("steps", body)], ask(**YEAR, timezone="America/New_York")).days
    assert (day.activity_date, day.step_count.tolist()) == (date(2026, 1, 7), [100])


@pytest.mark.parametrize("name", ["rollup_steps__nested_date", "rollup_steps__nested_datetime"])
def test_daily_totals(name):
    body = recorded(f"{name}.json")["body"]["response"]
    reading = SOURCE.read([reply("daily-steps", body)], ask(**YEAR))
    assert [str(day.activity_date) for day in reading.days] == [
        "2025-12-31", "2026-01-01", "2026-01-02", "2026-01-03", "2026-01-04", "2026-01-05",
        "2026-01-06",
    ]  # fmt: skip
    assert reading.days[-1].vendor_steps == 9000


@pytest.mark.parametrize("name", ["list_azm_nofilter", "rollup_active-zone-minutes__nested_date"])
def test_another_data_type_is_counted_and_lands_nothing(name):
    body = recorded(f"{name}.json")["body"]
    kind = "steps" if name.startswith("list") else "daily-steps"
    reading = SOURCE.read([reply(kind, body.get("response", body))], ask(**YEAR))
    count = reading.counts[kind]
    assert reading.days == []
    assert count.received == count.rejected > 0


@pytest.mark.parametrize("name", ["rollup_steps_civil", "list_daily-resting-heart-rate"])
def test_a_refused_request_is_our_fault(name):
    body = recorded(f"{name}.json")["body"]
    client = answering(body.get("response", body), status=400)
    with pytest.raises(Misconfigured):
        client.get("/v4/users/me/dataTypes/steps/dataPoints:reconcile")
