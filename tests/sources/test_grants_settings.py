"""The environment says where vendors are and who we are; secrets are not shown."""

import pytest
from cryptography.fernet import Fernet

from ingestion.errors import Misconfigured
from ingestion.settings import read_key, read_public_url, read_redcap, read_vendor

OURS = {
    "STEPWELL_GOOGLE_HEALTH_CLIENT_ID": "ours",
    "STEPWELL_GOOGLE_HEALTH_CLIENT_SECRET": "hush",
}


def test_the_real_vendors_are_the_default():
    google = read_vendor("google_health", OURS)
    assert google.url == "https://health.googleapis.com"
    assert google.auth_url == "https://accounts.google.com/o/oauth2/v2/auth"
    assert google.token_url == "https://oauth2.googleapis.com/token"
    ids = {"STEPWELL_FITBIT_CLIENT_ID": "ours", "STEPWELL_FITBIT_CLIENT_SECRET": "hush"}
    fitbit = read_vendor("fitbit", ids)
    assert fitbit.url == "https://api.fitbit.com"
    assert fitbit.auth_url == "https://www.fitbit.com/oauth2/authorize"
    assert fitbit.token_url == "https://api.fitbit.com/oauth2/token"


def test_each_address_can_be_set():
    names = {"URL": "http://a", "AUTH_URL": "http://b", "TOKEN_URL": "http://c/"}
    vendor = read_vendor(
        "google_health", OURS | {f"STEPWELL_GOOGLE_HEALTH_{k}": v for k, v in names.items()}
    )
    assert (vendor.url, vendor.auth_url, vendor.token_url) == ("http://a", "http://b", "http://c")
    assert (vendor.client_id, vendor.client_secret) == ("ours", "hush")


@pytest.mark.parametrize("name", sorted(OURS))
def test_a_missing_variable_is_named(name):
    with pytest.raises(Misconfigured, match=f"{name} is not set"):
        read_vendor("google_health", OURS | {name: " "})


def test_an_unknown_source_lists_the_known_ones():
    with pytest.raises(Misconfigured, match="fitbit, google_health"):
        read_vendor("garmin", OURS)


def test_redcap_needs_its_address_and_token():
    environ = {
        "STEPWELL_REDCAP_URL": "https://redcap.example/api/",
        "STEPWELL_REDCAP_TOKEN": "hush",
    }
    assert read_redcap(environ).url == "https://redcap.example/api/"
    assert read_redcap(environ).token == "hush"
    for name in environ:
        with pytest.raises(Misconfigured, match=name):
            read_redcap(environ | {name: ""})


def test_secrets_are_not_shown():
    redcap = read_redcap({"STEPWELL_REDCAP_URL": "u", "STEPWELL_REDCAP_TOKEN": "hush"})
    assert "hush" not in repr(redcap) + repr(read_vendor("google_health", OURS))


def test_the_first_key_encrypts_and_all_decrypt():
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    kept = read_key({"STEPWELL_KEY": old}).encrypt(b"token")
    both = read_key({"STEPWELL_KEY": f"{new}, {old}"})
    assert both.decrypt(kept) == b"token"
    assert read_key({"STEPWELL_KEY": new}).decrypt(both.encrypt(b"token")) == b"token"


@pytest.mark.parametrize("value", ["", "short"])
def test_a_key_that_is_none_is_named(value):
    with pytest.raises(Misconfigured, match="STEPWELL_KEY"):
        read_key({"STEPWELL_KEY": value})


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("https://study.example.org", "https://study.example.org"),
        ("https://study.example.org:8443/", "https://study.example.org:8443"),
        ("http://127.0.0.1:8501", "http://127.0.0.1:8501"),
        ("http://localhost:8501", "http://localhost:8501"),
    ],
)
def test_where_participants_reach_us(given, read):
    assert read_public_url({"STEPWELL_PUBLIC_URL": given}) == read


@pytest.mark.parametrize(
    "given",
    [
        "",
        "study.example.org",
        "http://study.example.org",
        "ftp://localhost",
        "https://",
        "https://a@study.example.org",
        "https://study.example.org/here",
        "https://study.example.org?y",
        "https://study.example.org#y",
    ],
)
def test_an_address_that_could_not_work_or_would_leak_is_refused(given):
    with pytest.raises(Misconfigured, match="STEPWELL_PUBLIC_URL"):
        read_public_url({"STEPWELL_PUBLIC_URL": given})
