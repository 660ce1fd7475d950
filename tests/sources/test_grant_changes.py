"""Who may change a grant, when, and what it never costs: a token that works."""

from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa
from support.google import STUDY
from support.grants import ALL, GIVEN_AT, given, grants_at, token_says
from support.scripted import scripted

from ingestion.errors import ConsentLost, VendorDown, WrongAccount
from ingestion.pulled import Pulled, settle
from ingestion.schedule import next_ask
from ingestion.settings import SCOPES
from ingestion.source import Ask, Device, Reading, Window
from ingestion.tokens import TokenReply
from warehouse import register as reg

DAY_1 = date(2026, 1, 20)


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


def test_a_released_account_makes_room_for_another_and_is_free_itself(register, http, now):
    grants = grants_at("http://127.0.0.1:9", register, http, now)
    given(grants, "P001", "111")
    released = grants.release("P001", "google_health", "their wife's account")
    assert (released.state, released.token, released.vendor_user_id) == (
        "wrong_account",
        None,
        None,
    )
    assert given(grants, "P001", "222").state == "active"
    assert given(grants, "P002", "111").state == "active"
    (line,) = register.rows(sa.select(reg.audit).where(reg.audit.c.what == "account released"))
    assert (line["subject"], line["why"]) == ("P001 google_health", "their wife's account")


@pytest.mark.parametrize(("all_days", "first_on"), [(False, date(2026, 2, 9)), (True, DAY_1)])
def test_the_next_account_is_asked_from_where_the_one_before_had_landed(
    register, http, now, all_days, first_on
):
    grants = grants_at("http://127.0.0.1:9", register, http, now)
    given(grants, "P001", "111")
    landed = datetime(2026, 2, 9, 12, tzinfo=UTC)
    marks = {"landed_sync_at": landed, "synced_at": landed, "first_asked_on": DAY_1}
    with register.begin() as con:
        con.execute(sa.update(reg.grant).values(marks))
    grants.release("P001", "google_health", "changed", all_days)
    given(grants, "P001", "222")
    (row,) = register.rows(sa.select(reg.grant))
    roster = {"starts_on": DAY_1, "withdrawn_on": None, "timezone": "Asia/Jerusalem"}
    ask = next_ask(STUDY, row | roster, datetime(2026, 2, 12, tzinfo=UTC))
    assert ask.window.first_on == first_on


def test_a_released_account_of_a_retired_api_stays_retired(register, http, now):
    grants = grants_at("http://127.0.0.1:9", register, http, now, "fitbit")
    given(grants, "P001", "OLD111", "fitbit", frozenset(SCOPES["fitbit"]))
    grants.mark("P001", "fitbit", "retired")
    assert grants.release("P001", "fitbit", "another's").state == "retired"
    google = grants_at("http://127.0.0.1:9", register, http, now)
    reply = TokenReply("access-1", 3600, "refresh-1")
    kept = google.keep("P001", "google_health", reply, "222", ALL, legacy_user_id="NEW222")
    assert kept.state == "active"


def test_a_pull_under_way_leaves_no_mark_on_the_account_that_followed(store, http, now):
    grants = grants_at("http://127.0.0.1:9", store.register, http, now)
    given(grants, "P001", "111")
    window = Window(DAY_1, date(2026, 2, 1))
    ask = Ask(STUDY, GIVEN_AT, "P001", "Asia/Jerusalem", window)
    device = Device("P001", "google_health", "d", None, True, GIVEN_AT, 50, GIVEN_AT)
    of_the_old = Pulled("P001", ask, "111", reading=Reading(devices=[device]))
    grants.release("P001", "google_health", "another's", all_days=True)
    given(grants, "P001", "222")
    settle(store, "google_health", GIVEN_AT, [of_the_old])
    (row,) = store.register.rows(sa.select(reg.grant))
    assert (row["landed_sync_at"], row["first_asked_on"]) == (None, None)
