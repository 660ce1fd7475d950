"""Legacy Fitbit: what is asked, and in which order."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from support.legacy import INSPIRE, NOW, PROFILE, ZIP, ask
from support.scripted import Says, scripted

from ingestion.errors import BadReply, Misconfigured, WrongAccount
from ingestion.http import Patience
from ingestion.source import Ask, Reply, Window, hashed_id
from ingestion.sources._legacy import LegacyClient
from ingestion.sources.fitbit import SOURCE


def says(body: object) -> Says:
    return Says(body=json.dumps(body).encode(), headers={"Content-Type": "application/json"})


def fetch(server_url: str, wanted: Ask, account: str | None = None) -> list[Reply]:
    client = LegacyClient(
        "token", lambda: "fresh", endpoint=server_url, account=account,
        patience=Patience(sleep=lambda _: None),
    )  # fmt: skip
    return list(SOURCE.fetch(client, wanted))


@pytest.fixture(autouse=True)
def _plain_http(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")


def test_it_asks_for_the_days_up_to_the_last_sync() -> None:
    with scripted(says(PROFILE), says([INSPIRE]), says({})) as server:
        replies = fetch(server.url, ask(date(2026, 3, 25), date(2026, 3, 28)))
    assert [asked.path for asked in server.asked] == [
        "/1/user/-/profile.json",
        "/1/user/-/devices.json",
        "/1/user/-/activities/steps/date/2026-03-25/2026-03-26.json",
        "/1/user/-/activities/heart/date/2026-03-25/1d/1min.json",
        "/1/user/-/activities/steps/date/2026-03-25/1d/1min.json",
        "/1/user/-/activities/heart/date/2026-03-26/1d/1min.json",
        "/1/user/-/activities/steps/date/2026-03-26/1d/1min.json",
    ]
    assert [reply.request for reply in replies] == [f"GET {asked.path}" for asked in server.asked]
    assert [reply.data_type for reply in replies[2:5]] == ["totals", "heart", "steps"]
    assert replies[2].window == Window(date(2026, 3, 25), date(2026, 3, 26))
    assert replies[4].window == Window(date(2026, 3, 25), date(2026, 3, 25))
    assert {reply.fetched_at for reply in replies} == {NOW}


def test_no_name_birth_date_or_serial_is_kept() -> None:
    with scripted(says(PROFILE), says([INSPIRE]), says({})) as server:
        replies = fetch(server.url, ask(date(2026, 3, 25), date(2026, 3, 26)))
    kept = b"".join(reply.body for reply in replies[:2]).decode()
    for secret in ("A Name", "1971", "2710001", "AABBCCDDEEFF"):
        assert secret not in kept
    assert "Asia/Jerusalem" in kept
    assert hashed_id("2710001") in kept


@pytest.mark.parametrize(
    ("device", "wanted"),
    [
        pytest.param(
            INSPIRE,
            ask(date(2026, 3, 25), date(2026, 3, 28),
                synced_before=datetime(2026, 3, 26, 19, 7, 41, tzinfo=UTC)),
            id="nothing new since the last pull",
        ),
        pytest.param(INSPIRE, ask(date(2026, 3, 27), date(2026, 3, 28)), id="not synced so far"),
        pytest.param({"id": "1", "type": "TRACKER"}, ask(date(2026, 3, 25), date(2026, 3, 28)),
                     id="never synced"),
    ],
)  # fmt: skip
def test_it_stops_early_when_there_is_nothing_new(device: dict[str, Any], wanted: Ask) -> None:
    with scripted(says(PROFILE), says([device]), says({})) as server:
        replies = fetch(server.url, wanted)
    assert [reply.data_type for reply in replies] == ["profile", "devices"]
    assert len(server.asked) == 2


def test_one_second_newer_is_new() -> None:
    before = datetime(2026, 3, 26, 19, 7, 40, tzinfo=UTC)
    with scripted(says(PROFILE), says([INSPIRE]), says({})) as server:
        fetch(server.url, ask(date(2026, 3, 26), date(2026, 3, 28), synced_before=before))
    assert len(server.asked) == 5


def test_a_tracker_without_a_pulse_is_not_asked_for_one() -> None:
    with scripted(says(PROFILE), says([ZIP]), says({})) as server:
        replies = fetch(server.url, ask(date(2026, 3, 25), date(2026, 3, 26)))
    assert [r.data_type for r in replies] == ["profile", "devices", "totals", "steps", "steps"]


def test_heart_rate_that_was_not_permitted_is_asked_once() -> None:
    scope = {"errors": [{"errorType": "insufficient_scope", "message": "no"}], "success": False}
    denied = Says(403, json.dumps(scope).encode())
    with scripted(says(PROFILE), says([INSPIRE]), says({}), denied, says({})) as server:
        replies = fetch(server.url, ask(date(2026, 3, 25), date(2026, 3, 26)))
    kinds = [(reply.data_type, reply.status) for reply in replies[2:]]
    assert kinds == [("totals", 200), ("heart", 403), ("steps", 200), ("steps", 200)]


CUT = Says(body=b'{"user":{"displayName":"A Name","mac":"AABB')


@pytest.mark.parametrize("told", [(CUT,), (says(PROFILE), CUT)], ids=["profile", "devices"])
def test_a_broken_reply_that_may_name_somebody_is_not_handed_on(told: tuple[Says, ...]) -> None:
    with scripted(*told) as server, pytest.raises(BadReply) as caught:
        fetch(server.url, ask(date(2026, 3, 26), date(2026, 3, 26)))
    assert caught.value.body == b""
    assert "Name" not in str(caught.value)


def test_a_broken_reply_of_minutes_is_handed_on_to_be_kept() -> None:
    cut = Says(body=b'{"activities-st')
    told = (says(PROFILE), says([INSPIRE]), cut)
    with scripted(*told) as server, pytest.raises(BadReply) as caught:
        fetch(server.url, ask(date(2026, 3, 26), date(2026, 3, 26)))
    assert caught.value.body == b'{"activities-st'


def test_a_sync_at_the_end_of_time_does_not_break_the_fetch() -> None:
    never = INSPIRE | {"lastSyncTime": "0001-01-01T00:00:00.000"}
    with scripted(says(PROFILE), says([never])) as server:
        replies = fetch(server.url, ask(date(2026, 3, 26), date(2026, 3, 26)))
    assert [reply.data_type for reply in replies] == ["profile", "devices"]


def test_another_account_than_the_consented_one_is_refused_before_it_is_kept() -> None:
    with scripted(says(PROFILE)) as server, pytest.raises(WrongAccount):
        fetch(server.url, ask(date(2026, 3, 25), date(2026, 3, 26)), account="C9D3RS")


def test_it_is_asked_in_the_name_of_a_participant() -> None:
    wanted = replace(ask(date(2026, 3, 25), date(2026, 3, 26)), participant_id=None)
    with scripted(says(PROFILE)) as server, pytest.raises(Misconfigured, match="participant"):
        fetch(server.url, wanted)
