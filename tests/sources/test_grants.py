"""A token is never lost, and trouble that is not the participant's is never theirs."""

import logging
import multiprocessing
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet, MultiFernet
from support.google import simulated, vendor_at
from support.grants import ALL, GIVEN_AT, Clock, given, grants_at, token_says
from support.scripted import Says, scripted

from ingestion.errors import (
    BadReply,
    ConsentLost,
    Misconfigured,
    RateLimited,
    Retired,
    ScopeMissing,
    VendorDown,
    WrongAccount,
)
from ingestion.grants import Grants
from ingestion.http import open_http
from ingestion.settings import SCOPES, Vendor
from ingestion.tokens import ask_token
from warehouse import register as reg
from warehouse.register import Register


def test_a_grant_is_kept_and_found(register, http, now):
    grants = grants_at("http://127.0.0.1:9", register, http, now)
    assert grants.find("P001", "google_health") is None
    kept = given(grants)
    found = grants.find("P001", "google_health")
    assert found == kept
    assert (found.state, found.next_step, found.vendor_user_id) == ("active", None, "111")
    assert found.scopes == ALL
    assert found.expires_at == GIVEN_AT + timedelta(hours=1)
    assert (found.token.access_token, found.token.refresh_token) == ("access-1", "refresh-1")
    assert found.token.granted_at == GIVEN_AT


def test_no_token_is_readable_at_rest_or_in_a_repr(register, http, now, tmp_path):
    kept = given(grants_at("http://127.0.0.1:9", register, http, now))
    assert "access-1" not in repr(kept) + repr(kept.token)
    register.close()
    with sqlite3.connect(tmp_path / "register.sqlite") as con:
        dumped = "".join(con.iterdump())
    con.close()
    assert "access-1" not in dumped
    assert b"access-1".hex() not in dumped.lower()


def test_another_key_is_said_and_changes_nothing(register, http, now):
    given(grants_at("http://127.0.0.1:9", register, http, now))
    other = Grants(register, MultiFernet([Fernet(Fernet.generate_key())]), http, now=now)
    with pytest.raises(Misconfigured, match="STEPWELL_KEY"):
        other.find("P001", "google_health")


def test_a_google_refresh_keeps_the_refresh_token(register, http, now):
    with scripted(token_says()) as script:
        grants = grants_at(script.url, register, http, now)
        fresh = grants.refresh(given(grants))
    assert (fresh.token.access_token, fresh.token.refresh_token) == ("access-2", "refresh-1")
    assert fresh.token.granted_at == GIVEN_AT
    assert script.asked[0].form == {
        "grant_type": "refresh_token",
        "refresh_token": "refresh-1",
        "client_id": "ours",
        "client_secret": "hush",
    }
    assert "Authorization" not in script.asked[0].headers


def test_a_legacy_refresh_stores_the_new_pair(register, http, now):
    with scripted(token_says(refresh="refresh-2")) as script:
        grants = grants_at(script.url, register, http, now, "fitbit")
        fresh = grants.refresh(given(grants, source="fitbit", scopes=frozenset(SCOPES["fitbit"])))
    assert (fresh.token.access_token, fresh.token.refresh_token) == ("access-2", "refresh-2")
    assert script.asked[0].form == {"grant_type": "refresh_token", "refresh_token": "refresh-1"}
    assert script.asked[0].headers["Authorization"] == "Basic b3VyczpodXNo"  # ours:hush


def test_a_token_is_renewed_when_it_is_about_to_lapse(register, http, now):
    with scripted(token_says()) as script:
        grants = grants_at(script.url, register, http, now)
        grant = given(grants)
        now.at = GIVEN_AT + timedelta(minutes=54)
        assert grants.renewed(grant) is grant
        now.at = GIVEN_AT + timedelta(minutes=55)
        assert grants.renewed(grant).token.access_token == "access-2"
    assert len(script.asked) == 1


def test_who_comes_second_uses_the_token_that_the_first_stored(register, http, now):
    with scripted(token_says(), token_says("access-3")) as script:
        grants = grants_at(script.url, register, http, now)
        grant = given(grants)
        first, second = grants.refresh(grant), grants.refresh(grant)
    assert first.token == second.token
    assert len(script.asked) == 1


def test_eight_threads_refresh_once(register, http, now):
    with scripted(token_says(), token_says("access-3")) as script:
        grants = grants_at(script.url, register, http, now)
        grant = given(grants)
        with ThreadPoolExecutor(8) as threads:
            tokens = set(threads.map(lambda _: grants.refresh(grant).token.access_token, range(8)))
    assert tokens == {"access-2"}
    assert len(script.asked) == 1


def _refresh_elsewhere(url, path, together, answers):
    register = Register(f"sqlite:///{path}/register.sqlite")
    with open_http() as http:
        grants = grants_at(url, register, http, Clock())
        stale = grants.find("P001", "google_health")
        together.wait(60)
        answers.put(grants.refresh(stale).token.access_token)
    register.close()


def test_processes_refresh_once(register, http, now, tmp_path):
    fork = multiprocessing.get_context("fork")
    with scripted(token_says(), token_says("access-3")) as script:
        given(grants_at(script.url, register, http, now))
        together, answers = fork.Barrier(3), fork.Queue()  # all have read the old token
        asked = (script.url, tmp_path, together, answers)
        workers = [fork.Process(target=_refresh_elsewhere, args=asked) for _ in range(3)]
        for worker in workers:
            worker.start()
        assert [answers.get(timeout=60) for _ in workers] == ["access-2"] * 3
        for worker in workers:
            worker.join()
    assert len(script.asked) == 1


def test_the_refresher_stores_before_it_returns(register, http, now):
    with scripted(token_says(), token_says("access-3")) as script:
        grants = grants_at(script.url, register, http, now)
        refresh = grants.refresher(given(grants))
        for expected in ("access-2", "access-3"):
            assert refresh() == expected
            assert grants.find("P001", "google_health").token.access_token == expected


def test_a_crash_between_the_vendor_and_the_register_is_survived(tmp_path, monkeypatch):
    # The legacy vendor answers the spent refresh token with the same pair for two minutes.
    with simulated(tmp_path, "fitbit") as world:
        grant = world.consent("P001")
        with monkeypatch.context() as broken:
            broken.setattr(world.grants, "_put", _crash)
            with pytest.raises(ZeroDivisionError):
                world.grants.refresh(grant)
        assert world.grants.find("P001", "fitbit").token == grant.token
        fresh = world.grants.refresh(grant)
        assert fresh.token.refresh_token != grant.token.refresh_token
        assert world.grants.refresh(fresh).state == "active"


def _crash(*args, **more):
    raise ZeroDivisionError


@pytest.mark.parametrize(
    ("days", "source", "state"),
    [
        (6, "google_health", "revoked"),
        (7, "google_health", "expired"),
        (8, "google_health", "expired"),
        (9, "google_health", "revoked"),
        (7, "fitbit", "revoked"),
    ],
)
def test_a_permission_that_is_gone_is_a_state_with_a_next_step(
    register, http, now, days, source, state
):
    gone = Says(400, b'{"error":"invalid_grant","error_description":"Token has been expired."}')
    with scripted(gone) as script:
        grants = grants_at(script.url, register, http, now, source)
        grant = given(grants, source=source, scopes=frozenset(SCOPES[source]))
        now.at = GIVEN_AT + timedelta(days=days)
        with pytest.raises(ConsentLost) as caught:
            grants.renewed(grant)
    grants.note(grant, caught.value)  # as a pull does afterwards: it does not blur the state
    found = grants.find("P001", source)
    assert found.state == state
    assert "connect again" in found.next_step
    assert ("Testing" in found.next_step) == (state == "expired")
    assert len(script.asked) == 1


@pytest.mark.parametrize(
    ("says", "kind"),
    [
        (Says(429), RateLimited),
        (Says(500), VendorDown),
        (Says(502, b"<html>Bad Gateway</html>"), VendorDown),
        (Says(200, b"<html>Sign in</html>"), BadReply),
        (Says(200, b'{"token_type":"Bearer"}'), BadReply),
        (Says(200, b""), BadReply),
        (Says(401, b'{"error":"invalid_client"}'), Misconfigured),
        (Says(400, b'{"error":"unsupported_grant_type"}'), Misconfigured),
    ],
)
def test_trouble_at_the_token_endpoint_is_not_the_participants(register, http, now, says, kind):
    with scripted(says) as script:
        grants = grants_at(script.url, register, http, now)
        grant = given(grants)
        with pytest.raises(kind):
            grants.refresh(grant)
    assert grants.find("P001", "google_health") == grant


def test_a_token_endpoint_that_is_gone_is_retired(register, http, now):
    with scripted(Says(410, b"<html>Gone</html>")) as script:
        grants = grants_at(script.url, register, http, now)
        with pytest.raises(Retired):
            grants.refresh(given(grants))
    assert grants.find("P001", "google_health").state == "retired"


def test_a_passing_trouble_is_tried_again(register, http, now):
    with scripted(Says(503), token_says()) as script:
        grants = grants_at(script.url, register, http, now)
        grant = given(grants)
        now.at = GIVEN_AT + timedelta(hours=2)
        assert grants.renewed(grant).token.access_token == "access-2"


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (ScopeMissing("x"), "scope_missing"),
        (WrongAccount("x"), "wrong_account"),
        (ConsentLost("x"), "revoked"),
        (Retired("x"), "retired"),
        (VendorDown("x"), "active"),
        (RateLimited("x"), "active"),
        (Misconfigured("x"), "active"),
    ],
)
def test_an_error_sets_the_state_it_stands_for(register, http, now, error, state):
    grants = grants_at("http://127.0.0.1:9", register, http, now)
    grant = given(grants)
    now.at += timedelta(days=1)
    grants.note(grant, error)
    found = grants.find("P001", "google_health")
    assert found.state == state
    assert (found.next_step is None) == (state == "active")
    (row,) = register.rows(sa.select(reg.grant.c.since))
    assert row["since"] == (GIVEN_AT if state == "active" else now.at)
    assert found.token == grant.token


def test_each_change_of_state_is_in_the_audit_trail_once(register, http, now):
    grants = grants_at("http://127.0.0.1:9", register, http, now)
    given(grants)
    grants.mark("P001", "google_health", "revoked")
    grants.mark("P001", "google_health", "revoked")
    lines = register.rows(sa.select(reg.audit).order_by(reg.audit.c.id))
    told = [(line["subject"], line["old"], line["new"]) for line in lines]
    assert told == [
        ("P001 google_health", "", "active"),
        ("P001 google_health", "active", "revoked"),
    ]


def test_a_scope_that_the_study_needs_and_did_not_get_is_a_state(register, http, now):
    grants = grants_at("http://127.0.0.1:9", register, http, now)
    assert given(grants, scopes=ALL - {SCOPES["google_health"][0]}).state == "scope_missing"
    without_heart_rate = ALL - {SCOPES["google_health"][2]}
    assert given(grants, scopes=without_heart_rate).state == "active"


def test_who_has_no_grant_cannot_be_refreshed(register, http, now):
    grants = grants_at("http://127.0.0.1:9", register, http, now)
    grant = given(grants)
    with register.begin() as con:
        con.execute(sa.delete(reg.grant))
    with pytest.raises(Misconfigured, match="stepwell connect"):
        grants.refresh(grant)
    grants.mark("P001", "google_health", "never_connected")
    empty = grants.find("P001", "google_health")
    with pytest.raises(ConsentLost, match="never gave a token"):
        grants.refresh(empty)


def test_a_token_reply_with_numbers_as_strings_is_read(http):
    with scripted(Says(body=b'{"access_token":"a","expires_in":"3599","extra":1}')) as script:
        vendor = Vendor("google_health", script.url, "", f"{script.url}/token", "ours", "hush")
        reply = ask_token(http, vendor, {"grant_type": "refresh_token"})
    assert (reply.access_token, reply.expires_in) == ("a", 3599)


def test_the_client_works_in_the_grants_name_against_the_simulator(tmp_path):
    with simulated(tmp_path) as world:
        grant = world.consent("P001")
        world.served.set_clock(world.served.now() + timedelta(days=1))  # the token has lapsed
        client = world.grants.client(grant)
        assert client.get("/v4/users/me/identity").status_code == 200
        assert client.requests == 1
        world.arm("expired_token", "/v4/")
        assert client.get("/v4/users/me/identity").status_code == 200
        assert client.requests == 3


def test_nothing_secret_is_logged(tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    with simulated(tmp_path) as world:
        grant = world.consent("P001")
        world.grants.client(world.grants.refresh(grant)).get("/v4/users/me/settings")
    for secret in (grant.token.access_token, grant.token.refresh_token, "simulator-secret"):
        assert secret not in caplog.text


def test_the_vendors_address_is_the_simulators():
    assert vendor_at("http://sim", "fitbit").token_url == "http://sim/oauth2/token"
