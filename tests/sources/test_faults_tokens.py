"""Faults at the token addresses, and what becomes of a grant: nothing lost, no storm, all said."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from support.faulted import DAYS, Faulted, faulted

from ingestion.errors import ConsentLost, Retired, Transient

GOOGLE_TOKEN, LEGACY_TOKEN = "/token", "/oauth2/token"
TRIES = 4  # of ingestion.http.Patience


@pytest.fixture
def google(tmp_path: Path) -> Iterator[Faulted]:
    """A world of its own; the access token has lapsed."""
    with faulted(tmp_path, "google_health") as made:
        yield made


@pytest.fixture
def legacy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Faulted]:
    """A world of its own; the access token has lapsed."""
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    with faulted(tmp_path, "fitbit") as made:
        yield made


@pytest.mark.parametrize(
    ("fault", "args"),
    [
        ("429", {}),
        ("429", {"retry_after": 5}),
        ("500", {}),
        ("502_html", {}),
        ("503", {}),
        ("truncated", {}),
        ("truncated", {"short": True}),
        ("empty", {}),
        ("html_200", {}),
        ("reset", {"at": "done"}),
        ("html_401", {}),
    ],
)
def test_googles_token_address_that_is_not_well_is_no_loss_of_consent(
    google: Faulted, fault: str, args: dict[str, Any]
) -> None:
    before, asked = google.grant().token, google.world.asked(GOOGLE_TOKEN)
    google.arm(fault, GOOGLE_TOKEN, times=TRIES, **args)
    with pytest.raises(Transient):
        google.pull()
    assert google.world.asked(GOOGLE_TOKEN) == asked + TRIES
    assert (google.grant().state, google.grant().token) == ("active", before)
    assert len(google.pull().days) == DAYS
    assert google.world.asked(GOOGLE_TOKEN) == asked + TRIES + 1


def test_the_end_of_testing_is_told_from_a_withdrawal(google: Faulted) -> None:
    google.world.consent("P001")  # anew: the seven days count from here
    google.arm("testing_expiry", GOOGLE_TOKEN, times=-1)
    clock = google.world.served
    clock.set_clock(clock.now() + timedelta(days=7, minutes=-10))
    assert google.pull().days
    clock.set_clock(clock.now() + timedelta(hours=2))
    asked = google.world.asked(GOOGLE_TOKEN)
    with pytest.raises(ConsentLost):
        google.pull()
    assert google.world.asked(GOOGLE_TOKEN) == asked + 1
    assert google.grant().state == "expired"
    assert "Testing" in str(google.grant().next_step)


def test_a_withdrawal_is_told_at_the_token_address_too(google: Faulted) -> None:
    google.arm("revoked", GOOGLE_TOKEN, times=-1)
    asked = google.world.asked(GOOGLE_TOKEN)
    with pytest.raises(ConsentLost):
        google.pull()
    assert google.world.asked(GOOGLE_TOKEN) == asked + 1
    assert google.grant().state == "revoked"
    assert "Testing" not in str(google.grant().next_step)


def test_a_refresh_whose_reply_was_lost_is_asked_again(google: Faulted) -> None:
    google.arm("reset", GOOGLE_TOKEN, at="done")
    asked = google.world.asked(GOOGLE_TOKEN)
    assert len(google.pull().days) == DAYS
    assert google.world.asked(GOOGLE_TOKEN) == asked + 2


@pytest.mark.parametrize(
    ("fault", "args"),
    [
        ("429", {"retry_after": 5}),
        ("500", {}),
        ("502_html", {}),
        ("503", {"body": "html"}),
        ("empty", {}),
        ("html_200", {}),
        ("html_401", {}),
        ("no_errors_401", {}),
        ("reset", {}),
    ],
)
def test_the_legacy_token_address_that_is_not_well_is_no_loss_of_consent(
    legacy: Faulted, fault: str, args: dict[str, Any]
) -> None:
    before, asked = legacy.grant().token, legacy.world.asked(LEGACY_TOKEN)
    legacy.arm(fault, LEGACY_TOKEN, times=TRIES, **args)
    with pytest.raises(Transient):
        legacy.pull()
    assert legacy.world.asked(LEGACY_TOKEN) == asked + TRIES
    assert (legacy.grant().state, legacy.grant().token) == ("active", before)
    assert len(legacy.pull().days) == DAYS
    assert legacy.world.asked(LEGACY_TOKEN) == asked + TRIES + 1


@pytest.mark.parametrize(
    ("fault", "args"),
    [("reset", {"at": "done"}), ("truncated", {}), ("truncated", {"short": True})],
)
def test_a_pair_that_was_lost_on_the_way_is_had_again_within_the_grace(
    legacy: Faulted, fault: str, args: dict[str, Any]
) -> None:
    before = legacy.grant().token
    asked = legacy.world.asked(LEGACY_TOKEN)
    legacy.arm(fault, LEGACY_TOKEN, times=2, **args)
    assert len(legacy.pull().days) == DAYS
    assert legacy.world.asked(LEGACY_TOKEN) == asked + 3
    assert legacy.grant().token != before
    clock = legacy.world.served
    clock.set_clock(clock.now() + timedelta(hours=9))
    assert legacy.pull(days=1).days  # the pair that was kept is the vendor's newest
    assert legacy.world.asked(LEGACY_TOKEN) == asked + 4


@pytest.mark.parametrize("grace", [True, False])
def test_a_pair_lost_beyond_the_grace_needs_the_participant(legacy: Faulted, grace: bool) -> None:
    legacy.arm("reset", LEGACY_TOKEN, times=TRIES if grace else 1, at="done")
    if not grace:
        legacy.arm("no_grace", LEGACY_TOKEN, times=-1)
    with pytest.raises(Transient if grace else ConsentLost):
        legacy.pull()
    clock, asked = legacy.world.served, legacy.world.asked(LEGACY_TOKEN)
    if grace:
        assert legacy.grant().state == "active"
        clock.set_clock(clock.now() + timedelta(seconds=121))
        with pytest.raises(ConsentLost):
            legacy.pull()
        assert legacy.world.asked(LEGACY_TOKEN) == asked + 1
    assert legacy.grant().state == "revoked"
    assert "connect again" in str(legacy.grant().next_step)


@pytest.mark.parametrize("body", ["json", "html", "empty"])
def test_the_api_that_was_switched_off_is_asked_once(legacy: Faulted, body: str) -> None:
    clock = legacy.world.served
    ends = clock.now() + timedelta(minutes=5)
    assert legacy.pull(days=1).days
    legacy.arm("410", times=-1, body=body, **{"from": ends.isoformat()})
    clock.set_clock(ends)
    asked = legacy.world.asked()
    with pytest.raises(Retired):
        legacy.pull()
    assert legacy.world.asked() == asked + 1
    clock.set_clock(ends + timedelta(hours=9))  # the access token lapses: the token address is off
    with pytest.raises(Retired):
        legacy.pull()
    assert legacy.world.asked() == asked + 2
    assert legacy.grant().state == "retired"
    assert "successor" in str(legacy.grant().next_step)
