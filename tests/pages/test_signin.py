"""How the environment says people sign in, and whose login a sign-in tells."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from dashboard.signin import NotSignedIn, SignIn, SignInError, is_fresh, login, read_sign_in

OIDC = {
    "STEPWELL_SIGN_IN": "oidc",
    "STEPWELL_DASHBOARD_URL": "https://stepwell.example.org/",
    "STEPWELL_OIDC_METADATA_URL": "https://id.example.org/.well-known/openid-configuration",
    "STEPWELL_OIDC_CLIENT_ID": "stepwell",
    "STEPWELL_OIDC_CLIENT_SECRET": "theirs",
    "STEPWELL_COOKIE_SECRET": "a cookie's secret of some length",
}
PROXY = {
    "STEPWELL_SIGN_IN": "proxy",
    "STEPWELL_DASHBOARD_URL": "https://stepwell.example.org",
    "STEPWELL_TRUSTED_PROXY": "10.0.0.7, 10.1.0.0/16",
    "STEPWELL_PROXY_SECRET": "what the proxy says to us, at length",
}


def test_without_settings_there_is_a_local_user_on_this_machine_alone():
    sign_in = read_sign_in({})
    assert (sign_in.mode, sign_in.open_to_all) == ("local", False)
    assert sign_in.hosts == ("127.0.0.1", "localhost", "::1")
    assert sign_in.served_on("10.2.3.4").hosts == ("127.0.0.1", "localhost", "::1", "10.2.3.4")


def test_what_streamlit_reads_is_made_of_the_environment():
    sign_in = read_sign_in(OIDC)
    assert sign_in.secrets == {
        "auth": {
            "redirect_uri": "https://stepwell.example.org/oauth2callback",
            "cookie_secret": "a cookie's secret of some length",
            "client_id": "stepwell",
            "client_secret": "theirs",
            "server_metadata_url": "https://id.example.org/.well-known/openid-configuration",
        }
    }
    assert sign_in.is_https
    assert "stepwell.example.org" in sign_in.hosts
    for secret in ("theirs", "of some length"):
        assert secret not in repr(sign_in)


def test_a_proxy_is_known_by_its_addresses_and_its_secret():
    sign_in = read_sign_in(PROXY)
    assert sign_in.proxies == (ip_network("10.0.0.7/32"), ip_network("10.1.0.0/16"))
    assert sign_in.header == "X-Forwarded-User"
    assert "at length" not in repr(sign_in)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"STEPWELL_SIGN_IN": "ldap"}, "'ldap'; it is one of local, oidc, proxy"),
        (OIDC | {"STEPWELL_DASHBOARD_URL": ""}, r"STEPWELL_DASHBOARD_URL \(in .env .* is not set"),
        (OIDC | {"STEPWELL_OIDC_CLIENT_ID": " "}, "STEPWELL_OIDC_CLIENT_ID is not set"),
        (OIDC | {"STEPWELL_COOKIE_SECRET": "short"}, "STEPWELL_COOKIE_SECRET is shorter than 32"),
        (OIDC | {"STEPWELL_DASHBOARD_URL": "http://stepwell.example.org"}, "must be https://"),
        (OIDC | {"STEPWELL_DASHBOARD_URL": "https://example.org/a"}, "has a path"),
        (OIDC | {"STEPWELL_OIDC_METADATA_URL": "ftp://id"}, "OIDC_METADATA_URL is no web address"),
        (PROXY | {"STEPWELL_PROXY_SECRET": "short"}, "STEPWELL_PROXY_SECRET is shorter than 32"),
        (PROXY | {"STEPWELL_TRUSTED_PROXY": ""}, "STEPWELL_TRUSTED_PROXY is not set"),
        (PROXY | {"STEPWELL_TRUSTED_PROXY": "proxy.example.org"}, "give addresses or networks"),
    ],
)
def test_settings_that_cannot_work_are_named(settings, said):
    with pytest.raises(SignInError, match=said):
        read_sign_in(settings)


@pytest.mark.parametrize(
    "broken",
    [
        OIDC | {"STEPWELL_OIDC_CLIENT_ID": ""},
        OIDC | {"STEPWELL_COOKIE_SECRET": "too short, yet secret"},
        PROXY | {"STEPWELL_PROXY_SECRET": "too short, yet secret"},
        PROXY | {"STEPWELL_TRUSTED_PROXY": "?"},
    ],
)
def test_no_secret_is_in_a_complaint(broken):
    with pytest.raises(SignInError) as complaint:
        read_sign_in(broken)
    for secret in ("theirs", "of some length", "too short, yet", "what the proxy says"):
        assert secret not in str(complaint.value)


USER = {"is_logged_in": True, "email": "dana@example.org", "sub": "17", "exp": 1000}


@pytest.mark.parametrize(("now", "fresh"), [(999.9, True), (1000, False)])
def test_a_sign_in_ends_with_its_token(now, fresh):
    assert is_fresh(USER, now) is fresh
    if fresh:
        assert login(SignIn("oidc"), USER, now) == "dana@example.org"
    else:
        with pytest.raises(NotSignedIn, match="over") as refusal:
            login(SignIn("oidc"), USER, now)
        assert refusal.value.expired


@pytest.mark.parametrize(
    ("user", "said"),
    [
        ({}, "Sign in to see"),
        (USER | {"is_logged_in": False}, "Sign in to see"),
        ({k: v for k, v in USER.items() if k != "exp"}, "over"),
        (USER | {"exp": "never"}, "over"),
        (USER | {"exp": True}, "over"),
        (USER | {"email": ""}, "tells nothing of your `email`"),
        (USER | {"email": ["dana@example.org"]}, "tells nothing of your `email`"),
        (USER | {"email_verified": False}, "not verified"),
        (USER | {"email_verified": "false"}, "not verified"),  # as some providers write it
    ],
)
def test_who_is_not_surely_signed_in_is_nobody(user, said):
    with pytest.raises(NotSignedIn, match=said):
        login(SignIn("oidc"), user, 999)


def test_another_claim_may_be_the_login():
    unverified = USER | {"email_verified": False}
    assert login(SignIn("oidc", claim="sub"), unverified, 999) == "17"


def test_behind_a_proxy_the_login_is_what_the_door_handed_on():
    assert login(SignIn("proxy"), {"stepwell_login": "dana"}, 0) == "dana"
    for user in ({}, {"stepwell_login": None}, USER):
        with pytest.raises(NotSignedIn, match="has not said who you are"):
            login(SignIn("proxy"), user, 0)
