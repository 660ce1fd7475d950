"""Who may change a grant, when, and what it never costs: a token that works."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from support.grants import GIVEN_AT, given, grants_at, token_says
from support.scripted import scripted

from ingestion.errors import ConsentLost, VendorDown, WrongAccount
from ingestion.tokens import TokenReply
from warehouse import register as reg


def test_a_lock_that_hangs_is_passing_trouble(register, http, now, monkeypatch):
    monkeypatch.setattr("ingestion.grants.LEASE_WAIT_SECONDS", 0)
    grants = grants_at("http://127.0.0.1:9", register, http, now)
    grant = given(grants)
    with register.leased(grant.lease), pytest.raises(VendorDown, match="hangs"):
        grants.refresh(grant)


@pytest.mark.parametrize(
    "change",
    [
        given,
        lambda grants: grants.mark("P001", "google_health", "revoked"),
        lambda grants: grants.note(grants.find("P001", "google_health"), ConsentLost("x")),
        lambda grants: grants.hold("P001", "google_health", TokenReply("access-2")),
        lambda grants: grants.drop(grants.find("P001", "google_health")),
    ],
    ids=["keep", "mark", "note", "hold", "drop"],
)
def test_nothing_changes_a_grant_while_it_is_refreshed(register, http, now, monkeypatch, change):
    monkeypatch.setattr("ingestion.grants.LEASE_WAIT_SECONDS", 0)
    grants = grants_at("http://127.0.0.1:9", register, http, now)
    grant = given(grants)
    with register.leased(grant.lease), pytest.raises(VendorDown, match="hangs"):
        change(grants)
    assert grants.find("P001", "google_health") == grant


def test_an_error_of_an_old_consent_says_nothing_of_a_new_one(register, http, now):
    grants = grants_at("http://127.0.0.1:9", register, http, now)
    old = given(grants)
    new = given(grants)  # at the same instant, by the clock
    grants.note(old, ConsentLost("x"))
    assert grants.find("P001", "google_health") == new
    grants.note(new, ConsentLost("x"))
    assert grants.find("P001", "google_health").state == "revoked"


def test_an_error_met_after_a_refresh_is_still_of_that_consent(register, http, now):
    with scripted(token_says()) as script:
        grants = grants_at(script.url, register, http, now)
        before = given(grants)
        grants.refresh(before)
    grants.note(before, ConsentLost("x"))
    assert grants.find("P001", "google_health").state == "revoked"


def test_a_consent_on_hold_and_the_grant_in_use_do_not_touch_each_other(register, http, now):
    with scripted(token_says()) as script:
        grants = grants_at(script.url, register, http, now)
        used = given(grants)
        held = grants.hold("P001", "google_health", TokenReply("access-7", 3600, "refresh-7"))
        assert grants.find("P001", "google_health").token == used.token
        fresh = grants.refresh(used)
    assert (fresh.state, fresh.token.access_token, fresh.unconfirmed) == (
        "active", "access-2", held,
    )  # fmt: skip
    assert "access-7" not in repr(fresh) + repr(held)
    grants.drop(fresh)
    found = grants.find("P001", "google_health")
    assert (found.token, found.unconfirmed) == (fresh.token, None)


@pytest.mark.parametrize(
    ("told", "days"), [(10**18, 366), (-(10**18), 0)], ids=["for ever", "never"]
)
def test_a_lifetime_beyond_all_calendars_loses_no_token(register, http, now, told, days):
    with scripted(token_says(refresh="refresh-2", expires_in=told)) as script:
        grants = grants_at(script.url, register, http, now)
        fresh = grants.refresh(given(grants))
    assert grants.find("P001", "google_health").token.refresh_token == "refresh-2"
    assert fresh.expires_at == GIVEN_AT + timedelta(days=days)


def test_an_account_of_another_participant_is_refused_without_naming_them(register, http, now):
    grants = grants_at("http://127.0.0.1:9", register, http, now)
    given(grants, "P001", "111")
    with pytest.raises(WrongAccount) as caught:
        given(grants, "P002", "111")
    assert "another participant" in str(caught.value)
    assert "P001" not in str(caught.value)
    assert "111" not in str(caught.value)
    refused = grants.find("P002", "google_health")
    assert (refused.state, refused.token) == ("wrong_account", None)
    assert grants.find("P001", "google_health").state == "active"


@pytest.mark.parametrize(("known", "after"), [("active", "active"), ("revoked", "wrong_account")])
def test_another_account_than_before_is_refused_and_the_old_grant_goes_on(
    register, http, now, known, after
):
    grants = grants_at("http://127.0.0.1:9", register, http, now)
    first = given(grants, account="111")
    grants.mark("P001", "google_health", known)
    with pytest.raises(WrongAccount):
        given(grants, account="222")
    found = grants.find("P001", "google_health")
    assert (found.state, found.token) == (after, first.token)
    refused = sa.select(reg.audit).where(reg.audit.c.what == "account refused")
    (line,) = register.rows(refused)
    assert (line["subject"], line["why"]) == ("P001 google_health", "not the account given before")
    assert given(grants, account="111").state == "active"
