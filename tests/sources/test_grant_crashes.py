"""A process killed at any line of a refresh or a consent costs no grant, or a plain word about it.

A child dies as by `kill -9` at the first line it reaches of ours, the next child at a later one,
until one gets through.
"""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from starlette.requests import Request
from support.google import HASTE
from support.grants import KEY, at_the_simulator, killed_at

from ingestion.consent import connect_headless, resume_consent
from ingestion.consent_web import COOKIE, ConsentPages
from ingestion.errors import ConsentLost
from ingestion.grants import Grants
from ingestion.http import open_http
from ingestion.links import CALLBACK, Links
from ingestion.settings import read_key, read_vendor
from warehouse import register as reg
from warehouse.register import Register

SOURCES = ("google_health", "fitbit")


@pytest.fixture
def study(tmp_path, monkeypatch):
    with at_the_simulator(tmp_path, monkeypatch) as (store, served):
        yield store, served


def grants_of(register, http, served):
    return Grants(register, read_key({"STEPWELL_KEY": KEY.decode()}), http, now=served.now,
                  patience=HASTE)  # fmt: skip


def refresh_elsewhere(store, served, source):
    """A refresh as another process does it: with its own register and connections."""
    register = Register(store.home.register_url)
    with open_http() as http:
        grants = grants_of(register, http, served)
        grants.refresh(grants.find("P001", source))


def lines(every):
    """Lines to die at: 1, 1 + every ...; all of them with every = 1."""
    line = 1
    while True:
        yield line
        line += every


def refresh_killed_everywhere(study, source, every, afterwards):
    """How often a refresh was killed; `afterwards` looks at the grant each time."""
    store, served = study
    connect_headless(store, source, "P001")
    killed = 0
    with open_http() as http:
        grants = grants_of(store.register, http, served)
        for line in lines(every):
            if not killed_at(line, lambda: refresh_elsewhere(store, served, source)):
                return killed
            killed += 1
            afterwards(grants, source)


def goes_on(grants, source):
    """The grant refreshes, and what it gives opens the account."""
    before = grants.find("P001", source)
    fresh = grants.refresh(before)
    assert (fresh.state, fresh.next_step) == ("active", None)
    assert fresh.token.access_token != before.token.access_token or source == "google_health"
    path = {"google_health": "/v4/users/me/settings", "fitbit": "/1/user/-/devices.json"}[source]
    assert grants.client(fresh).get(path).status_code == 200


@pytest.mark.parametrize("source", SOURCES)
def test_a_refresh_killed_anywhere_goes_on(study, source):
    assert refresh_killed_everywhere(study, source, 23, goes_on) >= 7


@pytest.mark.slow
@pytest.mark.parametrize("source", SOURCES)
def test_a_refresh_killed_at_every_line_goes_on(study, source):
    assert refresh_killed_everywhere(study, source, 1, goes_on) >= 150


@pytest.mark.parametrize("every", [23, pytest.param(1, marks=pytest.mark.slow)])
def test_past_the_legacy_vendors_grace_a_lost_pair_is_a_plain_state(study, every):
    store, served = study
    seen = set()

    def late(grants, source):
        served.set_clock(served.now() + timedelta(minutes=3))  # the spent token is answered for two
        try:
            goes_on(grants, source)
        except ConsentLost:
            found = grants.find("P001", source)
            assert found.state == "revoked"
            assert "ask the participant to connect again" in found.next_step
            connect_headless(store, source, "P001")
        seen.add(store.register.rows(last_state(source))[0]["new"])

    refresh_killed_everywhere(study, "fitbit", every, late)
    changes = store.register.rows(sa.select(reg.audit.c.new))
    assert {"revoked", "active"} <= {row["new"] for row in changes}  # both happened
    assert seen == {"active"}


def last_state(source):
    changes = reg.audit.c.what == "grant state"
    return sa.select(reg.audit.c.new).where(changes).order_by(reg.audit.c.id.desc()).limit(1)


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("every", [67, pytest.param(1, marks=pytest.mark.slow)])
def test_a_consent_killed_anywhere_is_finished_or_can_be_given_again(study, source, every):
    store, served = study
    finished = given_again = 0
    with open_http() as http:
        grants, vendor = grants_of(store.register, http, served), read_vendor(source)
        for line in lines(every):
            token, answer = answered(store, http, source)
            if not killed_at(line, lambda a=answer: come_back(store.home.register_url, store, a)):
                break
            if grants.find("P001", source) and resume_consent(grants, http, vendor, "P001", HASTE):
                finished += 1
            elif not getattr(grants.find("P001", source), "token", None):
                assert Links(store.register, read_key()).find(token).used is False
                connect_headless(store, source, "P001")
                given_again += 1
            goes_on(grants, source)
            with store.register.begin() as con:
                con.execute(sa.delete(reg.grant))
    assert grants.find("P001", source).state == "active"
    assert given_again
    assert finished or source == "fitbit"  # whose token's answer names the account


def answered(store, http, source):
    """A new link's token, and the vendor's answer to it as a request to our callback."""
    token = Links(store.register, read_key()).make("P001", source)
    there = ConsentPages(store, http).go(request(path_params={"token": token}))
    back = http.get(f"{there.headers['location']}&login_hint=P001").headers["Location"]
    cookie = there.headers["set-cookie"].partition(";")[0]
    return token, request(query=back.partition("?")[2], cookie=cookie)


def request(path_params=None, query="", cookie=f"{COOKIE}="):
    return Request({
        "type": "http", "method": "GET", "path": CALLBACK, "query_string": query.encode(),
        "headers": [(b"cookie", cookie.encode())], "path_params": path_params or {},
        "server": ("localhost", 80), "scheme": "http",
    })  # fmt: skip


def come_back(url, store, answer):
    """The callback as another process serves it."""
    import dataclasses

    with open_http() as http:
        elsewhere = dataclasses.replace(store, register=Register(url))
        reply = ConsentPages(elsewhere, http).back(answer)
        assert reply.headers["location"].endswith("/connected")
