"""Legacy Fitbit: what is asked, and in which order."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from support.legacy import INSPIRE, NOW, PROFILE, ZIP, ask
from support.scripted import Says, scripted

from ingestion.errors import BadReply, Misconfigured, OutOfBudget, RateLimited, WrongAccount
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
    with scripted(says([INSPIRE]), says(PROFILE), says({})) as server:
        replies = fetch(server.url, ask(date(2026, 3, 25), date(2026, 3, 28)))
    assert [asked.path for asked in server.asked] == [
        "/1/user/-/devices.json",
        "/1/user/-/profile.json",
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
    with scripted(says([INSPIRE]), says(PROFILE), says({})) as server:
        replies = fetch(server.url, ask(date(2026, 3, 25), date(2026, 3, 26)))
    kept = b"".join(reply.body for reply in replies[:2]).decode()
    for secret in ("A Name", "1971", "2710001", "AABBCCDDEEFF", "B7K2QX"):
        assert secret not in kept
    assert "Asia/Jerusalem" in kept
    assert hashed_id("2710001") in kept


JUST_LANDED = datetime(2026, 3, 26, 19, 7, 41, tzinfo=UTC)
OLD = {"id": "1", "type": "TRACKER"}


@pytest.mark.parametrize(
    ("device", "first_on", "synced_before", "timezone", "asked"),
    [
        pytest.param(INSPIRE, 25, JUST_LANDED, "Asia/Jerusalem", 1, id="nothing new"),
        pytest.param(INSPIRE, 25, JUST_LANDED, None, 2, id="nothing new, roster without a zone"),
        pytest.param(INSPIRE, 25, JUST_LANDED, "Europe/London", 2, id="nothing new, other zone"),
        pytest.param(INSPIRE, 27, None, "Asia/Jerusalem", 2, id="not synced so far"),
        pytest.param(OLD, 25, None, "Asia/Jerusalem", 1, id="never synced"),
    ],
)
def test_it_stops_early_when_there_is_nothing_new(
    device: dict[str, Any], first_on: int, synced_before: datetime | None, timezone: str | None,
    asked: int,
) -> None:  # fmt: skip
    wanted = ask(date(2026, 3, first_on), date(2026, 3, 28), synced_before=synced_before)
    with scripted(says([device]), says(PROFILE), says({})) as server:
        replies = fetch(server.url, replace(wanted, timezone=timezone))
    assert [reply.data_type for reply in replies] == ["devices", "profile"][:asked]
    assert len(server.asked) == asked


def budget(left: int, reset: int = 900) -> dict[str, str]:
    return {"fitbit-rate-limit-remaining": str(left), "fitbit-rate-limit-reset": str(reset)}


def limited(body: object, left: int) -> Says:
    return replace(says(body), headers={"Content-Type": "application/json", **budget(left)})


def outcome(told: tuple[Says, ...], first_on: int = 20) -> tuple[list[Reply], RateLimited, int]:
    """The replies before the fetch stopped, why it did, and how many requests it had sent."""
    replies: list[Reply] = []
    with scripted(*told) as server:
        client = LegacyClient("token", lambda: "fresh", endpoint=server.url,
                              patience=Patience(sleep=lambda _: None))  # fmt: skip
        with pytest.raises(RateLimited) as caught:
            replies.extend(SOURCE.fetch(client, ask(date(2026, 3, first_on), date(2026, 3, 26))))
    return replies, caught.value, len(server.asked)


def test_only_the_days_that_the_hour_allows_are_asked_for() -> None:
    # 5 of 12 are kept for others, 1 is for the totals, 6 are three days of pulse and steps.
    told = (limited([INSPIRE], 13), limited(PROFILE, 12), says({}))
    replies, error, asked = outcome(told)
    assert isinstance(error, OutOfBudget)
    assert error.through == date(2026, 3, 22)
    assert 800 < (error.retry_after or 0) <= 900
    assert asked == 9
    assert replies[2].window == Window(date(2026, 3, 20), date(2026, 3, 22))
    assert [reply.window.last_on.day for reply in replies[3:] if reply.window] == [
        20, 20, 21, 21, 22, 22]  # fmt: skip


def test_a_limit_met_on_the_way_keeps_the_days_before_it() -> None:
    busy = Says(429, b"{}", {"Retry-After": "1800"})
    told = (says([INSPIRE]), says(PROFILE), says({}), says({}), says({}), says({}), busy)
    replies, error, asked = outcome(told)
    assert isinstance(error, OutOfBudget)
    assert error.through == date(2026, 3, 20)  # of the 21st only the pulse had come
    assert error.retry_after == 1800
    assert (len(replies), asked) == (5, 7)


def test_an_hour_whose_requests_are_spent_is_not_begun() -> None:
    replies, error, asked = outcome((limited([INSPIRE], 5), limited(PROFILE, 4)))
    assert type(error) is RateLimited
    assert (len(replies), asked) == (2, 2)


def test_without_word_of_the_budget_no_more_than_the_known_limit_is_spent() -> None:
    told = (says([INSPIRE]), says(PROFILE), says({}))
    with scripted(*told) as server, pytest.raises(OutOfBudget) as caught:
        fetch(server.url, ask(date(2025, 12, 1), date(2026, 3, 26)))
    assert caught.value.through == date(2026, 2, 8)  # seventy days from 1 December
    assert len(server.asked) == 143


def test_one_second_newer_is_new() -> None:
    before = datetime(2026, 3, 26, 19, 7, 40, tzinfo=UTC)
    with scripted(says([INSPIRE]), says(PROFILE), says({})) as server:
        fetch(server.url, ask(date(2026, 3, 26), date(2026, 3, 28), synced_before=before))
    assert len(server.asked) == 5


def test_a_tracker_without_a_pulse_is_not_asked_for_one() -> None:
    with scripted(says([ZIP]), says(PROFILE), says({})) as server:
        replies = fetch(server.url, ask(date(2026, 3, 25), date(2026, 3, 26)))
    assert [r.data_type for r in replies] == ["devices", "profile", "totals", "steps", "steps"]


def test_heart_rate_that_was_not_permitted_is_asked_once() -> None:
    scope = {"errors": [{"errorType": "insufficient_scope", "message": "no"}], "success": False}
    denied = Says(403, json.dumps(scope).encode())
    with scripted(says([INSPIRE]), says(PROFILE), says({}), denied, says({})) as server:
        replies = fetch(server.url, ask(date(2026, 3, 25), date(2026, 3, 26)))
    kinds = [(reply.data_type, reply.status) for reply in replies[2:]]
    assert kinds == [("totals", 200), ("heart", 403), ("steps", 200), ("steps", 200)]


CUT = Says(body=b'{"user":{"displayName":"A Name","mac":"AABB')


@pytest.mark.parametrize("told", [(CUT,), (says([INSPIRE]), CUT)], ids=["devices", "profile"])
def test_a_broken_reply_that_may_name_somebody_is_not_handed_on(told: tuple[Says, ...]) -> None:
    with scripted(*told) as server, pytest.raises(BadReply) as caught:
        fetch(server.url, ask(date(2026, 3, 26), date(2026, 3, 26)))
    assert caught.value.body == b""
    assert "Name" not in str(caught.value)


def test_a_broken_reply_of_minutes_is_handed_on_to_be_kept() -> None:
    cut = Says(body=b'{"activities-st')
    told = (says([INSPIRE]), says(PROFILE), cut)
    with scripted(*told) as server, pytest.raises(BadReply) as caught:
        fetch(server.url, ask(date(2026, 3, 26), date(2026, 3, 26)))
    assert caught.value.body == b'{"activities-st'


def test_a_sync_at_the_end_of_time_does_not_break_the_fetch() -> None:
    never = INSPIRE | {"lastSyncTime": "0001-01-01T00:00:00.000"}
    with scripted(says([never]), says(PROFILE)) as server:
        replies = fetch(server.url, ask(date(2026, 3, 26), date(2026, 3, 26)))
    assert [reply.data_type for reply in replies] == ["devices", "profile"]


def test_another_account_than_the_consented_one_is_refused_before_it_is_kept() -> None:
    with scripted(says([INSPIRE]), says(PROFILE)) as server, pytest.raises(WrongAccount):
        fetch(server.url, ask(date(2026, 3, 25), date(2026, 3, 26)), account="C9D3RS")


def test_it_is_asked_in_the_name_of_a_participant() -> None:
    wanted = replace(ask(date(2026, 3, 25), date(2026, 3, 26)), participant_id=None)
    with scripted(says(PROFILE)) as server, pytest.raises(Misconfigured, match="participant"):
        fetch(server.url, wanted)
