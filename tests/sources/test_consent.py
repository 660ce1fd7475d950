"""Consent with PKCE and state, against the simulator and against typed answers."""

import json
from datetime import timedelta
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from cryptography.fernet import Fernet
from support.google import HASTE, simulated, vendor_at
from support.grants import at_the_simulator
from support.scripted import Says, scripted

from ingestion.consent import (
    HEADLESS_REDIRECT,
    ask_consent,
    connect_headless,
    finish_consent,
    resume_consent,
)
from ingestion.errors import BadReply, ConsentLost, Misconfigured, VendorDown, WrongAccount
from ingestion.grants import Grants
from ingestion.http import open_http
from ingestion.settings import SCOPES, Vendor, read_key, read_vendor

BACK = "https://study.example/back"
KEY = Fernet.generate_key().decode()


def asked_of(url):
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


def answer(request, **parts):
    return f"{BACK}?{urlencode({'state': request.state, **parts})}"


def grants_at(url, register, http, source="google_health"):
    vendor = Vendor(source, url, f"{url}/auth", f"{url}/token", "ours", "hush")
    key = read_key({"STEPWELL_KEY": KEY})
    return Grants(register, key, http, lambda _: vendor, patience=HASTE), vendor


def resume(script, register, http):
    grants, vendor = grants_at(script.url, register, http)
    return resume_consent(grants, http, vendor, "P001", HASTE)


def found(register, http):
    return grants_at("", register, http)[0].find("P001", "google_health")


def finish(script, register, http, source="google_health", **parts):
    grants, vendor = grants_at(script.url, register, http, source)
    request = ask_consent(vendor, "P001", BACK)
    callback = answer(request, **(parts or {"code": "c0de"}))
    return finish_consent(grants, http, vendor, request, callback, HASTE), request


def token(scope, **more):
    body = {"access_token": "a", "refresh_token": "r", "expires_in": 3600, "scope": scope, **more}
    return Says(body=json.dumps({k: v for k, v in body.items() if v is not None}).encode())


ALL = " ".join(SCOPES["google_health"])
IDENTITY = Says(body=b'{"name":"users/me/identity","legacyUserId":"B7","healthUserId":"42"}')


def test_the_address_asks_for_code_scopes_and_pkce():
    request = ask_consent(vendor_at("https://vendor.example"), "P001", BACK, "hint")
    asked = asked_of(request.url)
    assert request.url.startswith("https://vendor.example/o/oauth2/v2/auth?")
    assert asked["response_type"] == "code"
    assert asked["scope"].split() == list(SCOPES["google_health"])
    assert asked["redirect_uri"] == BACK
    assert (asked["access_type"], asked["prompt"]) == ("offline", "consent")
    assert asked["code_challenge_method"] == "S256"
    assert asked["state"] == request.state
    assert asked["login_hint"] == "hint"
    assert request.code_verifier not in request.url
    assert request.code_verifier not in repr(request)
    assert "P001" not in request.url


def test_two_requests_share_nothing_secret():
    one, two = (ask_consent(vendor_at("https://v.example"), "P001", BACK) for _ in range(2))
    assert one.state != two.state
    assert one.code_verifier != two.code_verifier


def test_the_code_becomes_a_grant(register, http):
    with scripted(token(ALL), IDENTITY) as script:
        grant, request = finish(script, register, http)
    assert (grant.participant_id, grant.state, grant.vendor_user_id) == ("P001", "active", "42")
    sent = script.asked[0].form
    assert (sent["grant_type"], sent["code"]) == ("authorization_code", "c0de")
    assert (sent["redirect_uri"], sent["code_verifier"]) == (BACK, request.code_verifier)
    assert script.asked[1].path == "/v4/users/me/identity"
    assert script.asked[1].headers["Authorization"] == "Bearer a"


def test_the_legacy_account_is_in_the_tokens_answer(register, http):
    with scripted(token("activity settings profile", user_id="B7K2QX")) as script:
        grant, _ = finish(script, register, http, "fitbit")
    assert (grant.state, grant.vendor_user_id) == ("active", "B7K2QX")
    assert len(script.asked) == 1


def test_a_permission_left_out_is_visible(register, http):
    fewer = " ".join(SCOPES["google_health"][1:])
    with scripted(token(fewer), IDENTITY) as script:
        grant, _ = finish(script, register, http)
    assert grant.state == "scope_missing"
    assert "tick every box" in grant.next_step
    assert grant.scopes == frozenset(fewer.split())


def test_an_answer_without_scopes_gave_all_that_was_asked(register, http):
    with scripted(token(None), IDENTITY) as script:
        grant, _ = finish(script, register, http)
    assert (grant.state, grant.scopes) == ("active", frozenset(SCOPES["google_health"]))


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ("server_error", VendorDown),
        ("temporarily_unavailable", VendorDown),
        ("invalid_scope", Misconfigured),
    ],
)
def test_a_consent_page_that_fails_is_not_the_participants_no(register, http, error, kind):
    with scripted(Says()) as script, pytest.raises(kind):
        finish(script, register, http, error=error)
    assert script.asked == []


@pytest.mark.parametrize(
    ("replies", "kind"),
    [
        ((Says(400, b'{"error":"invalid_grant"}'),), ConsentLost),
        ((Says(503),), VendorDown),
        ((token(ALL, refresh_token=None),), Misconfigured),
    ],
)
def test_what_can_go_wrong_at_the_exchange_stores_nothing(register, http, replies, kind):
    with scripted(*replies) as script, pytest.raises(kind):
        finish(script, register, http)
    assert script.asked[0].path == "/token"
    assert found(register, http) is None
    with scripted(token(ALL), IDENTITY) as script:  # and nothing of it is in the way
        assert finish(script, register, http)[0].state == "active"


@pytest.mark.parametrize(
    ("says", "kind"),
    [(Says(503), VendorDown), (Says(body=b'{"name":"users/me/identity"}'), BadReply)],
)
def test_a_consent_whose_account_is_not_told_is_kept_and_finished_later(register, http, says, kind):
    with scripted(token(ALL), says) as script, pytest.raises(kind):
        finish(script, register, http)
    held = found(register, http)
    assert (held.state, held.token, held.vendor_user_id) == ("never_connected", None, None)
    with scripted(IDENTITY) as script:
        grant = resume(script, register, http)
        assert resume(script, register, http) is None  # there is nothing left to finish
    assert [asked.path for asked in script.asked] == ["/v4/users/me/identity"]
    assert (grant.state, grant.vendor_user_id, grant.unconfirmed) == ("active", "42", None)
    assert (grant.token.access_token, grant.token.refresh_token) == ("a", "r")
    assert grant.scopes == frozenset(SCOPES["google_health"])


def test_a_consent_that_breaks_off_leaves_the_one_before_it_at_work(register, http):
    with scripted(token(ALL), IDENTITY) as script:
        first, _ = finish(script, register, http)
    with scripted(token(ALL, refresh_token="r2"), Says(503)) as script, pytest.raises(VendorDown):
        finish(script, register, http)
    assert (found(register, http).state, found(register, http).token) == ("active", first.token)
    with scripted(Says(body=b'{"healthUserId":"43"}')) as script, pytest.raises(WrongAccount):
        resume(script, register, http)
    refused = found(register, http)
    assert (refused.state, refused.token, refused.unconfirmed) == ("active", first.token, None)


def test_a_consent_resumed_after_its_token_lapsed_is_refreshed_first(register, http):
    with scripted(token(ALL), Says(503)) as script, pytest.raises(VendorDown):
        finish(script, register, http)
    spent = Says(401, b'{"error":{"status":"UNAUTHENTICATED"}}')
    fresh = Says(body=b'{"access_token":"a2","expires_in":3600}')
    with scripted(spent, fresh, IDENTITY) as script:
        grant = resume(script, register, http)
    assert script.asked[1].form["refresh_token"] == "r"
    assert script.asked[2].headers["Authorization"] == "Bearer a2"
    assert (grant.token.access_token, grant.token.refresh_token) == ("a2", "r")
    assert (grant.state, grant.scopes) == ("active", frozenset(SCOPES["google_health"]))


def test_a_consent_that_the_vendor_no_longer_takes_is_forgotten(register, http):
    with scripted(token(ALL), Says(503)) as script, pytest.raises(VendorDown):
        finish(script, register, http)
    spent = Says(401, b'{"error":{"status":"UNAUTHENTICATED"}}')
    fresh = Says(body=b'{"access_token":"a2"}')
    with scripted(spent, fresh, spent) as script:
        assert resume(script, register, http) is None
    forgotten = found(register, http)
    assert (forgotten.state, forgotten.unconfirmed) == ("never_connected", None)


def test_a_legacy_answer_without_an_account_is_a_bad_reply(register, http):
    with scripted(token("activity")) as script, pytest.raises(BadReply):
        finish(script, register, http, "fitbit")


def test_a_participant_may_say_no(register, http):
    with scripted(Says()) as script, pytest.raises(ConsentLost, match="P001 did not give consent"):
        finish(script, register, http, error="access_denied")
    assert script.asked == []


def test_an_answer_to_another_request_is_refused(register, http):
    with scripted(Says()) as script, pytest.raises(Misconfigured, match="not to this request"):
        finish(script, register, http, code="c0de", state="forged")
    assert script.asked == []


@pytest.mark.parametrize("source", ["google_health", "fitbit"])
def test_the_simulator_takes_it_all(tmp_path, source):
    with simulated(tmp_path, source) as world:
        grant = world.consent("P001")
        assert grant.state == "active"
        one = world.served.simulator.world.participant("P001")
        expected = {"google_health": one.health_id, "fitbit": one.legacy_id}[source]
        assert grant.vendor_user_id == expected
        world.served.set_clock(world.served.now() + timedelta(hours=9))
        assert world.grants.renewed(grant).token.access_token != grant.token.access_token


def test_the_simulator_lets_nobody_take_anothers_account(tmp_path):
    with simulated(tmp_path) as world:
        world.consent("P001")
        with pytest.raises(WrongAccount):
            world.consent("P002", account="P001")
        assert world.grants.find("P002", "google_health").state == "wrong_account"
        assert world.grants.find("P001", "google_health").state == "active"


@pytest.fixture
def store(tmp_path, monkeypatch):
    with at_the_simulator(tmp_path, monkeypatch, participants=2) as (store, _):
        yield store


def test_connecting_without_a_person(store):
    assert connect_headless(store, "google_health", "P001").state == "active"
    assert connect_headless(store, "fitbit", "P001").state == "active"
    with pytest.raises(WrongAccount):
        connect_headless(store, "google_health", "P002", login_hint="P001")


def test_connecting_again_finishes_what_broke_off(store, monkeypatch):
    with open_http() as http:
        grants, vendor = Grants(store.register, read_key(), http), read_vendor("google_health")
        request = ask_consent(vendor, "P001", HEADLESS_REDIRECT, "P001")
        callback = http.get(request.url).headers["Location"]
        arm = {"match": {"path": "identity"}, "times": 4, "fault": "503"}
        assert http.post(f"{vendor.url}/_emu/faults", json=arm).status_code == 200
        with pytest.raises(VendorDown):
            finish_consent(grants, http, vendor, request, callback, HASTE)
    with monkeypatch.context() as patch:  # no consent page is needed for it
        patch.setenv("STEPWELL_GOOGLE_HEALTH_AUTH_URL", "http://127.0.0.1:9")
        assert connect_headless(store, "google_health", "P001").state == "active"


def test_a_real_vendors_page_needs_a_person(store, monkeypatch):
    with scripted(Says(body=b"<html>Sign in</html>")) as script:
        monkeypatch.setenv("STEPWELL_GOOGLE_HEALTH_AUTH_URL", script.url)
        with pytest.raises(Misconfigured, match="wants a person"):
            connect_headless(store, "google_health", "P001")


def test_a_consent_page_that_refuses_is_an_error(store):
    with pytest.raises(Misconfigured, match="consent page"):
        connect_headless(store, "google_health", "P999")
