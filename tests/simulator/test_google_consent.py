"""Consent and tokens of the Google personality."""

from datetime import timedelta
from html.parser import HTMLParser
from urllib.parse import parse_qsl, urlsplit

import pytest
from support.simulated import CALLBACK, CHALLENGE, GOOGLE_SCOPES, bearer, exchange, simulated

from ingestion.simulator.google import SCOPE
from ingestion.simulator.oauth import CLIENT_ID, CLIENT_SECRET

AUTH = "/o/oauth2/v2/auth"
IDENTITY = "/v4/users/me/identity"
CLIENT = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}


@pytest.fixture(scope="module")
def served():
    with simulated(participants=6, weeks=2) as made:
        yield made


@pytest.fixture
def sim(served):
    served.http.post("/_emu/reset")
    return served


def refresh(sim, tokens: dict):
    form = {**CLIENT, "grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    return sim.http.post("/token", data=form)


def test_consent_gives_tokens_that_work(sim):
    answer = sim.google_code("P001")
    assert answer["state"] == "a-state"
    tokens = sim.http.post("/token", data=exchange(answer["code"], client=True)).json()
    assert tokens["expires_in"] == 3599
    assert tokens["scope"] == GOOGLE_SCOPES
    reply = sim.http.get(IDENTITY, headers=bearer(tokens))
    assert reply.json()["healthUserId"] == sim.world.participants[0].health_id


def test_without_a_hint_the_page_offers_every_account(sim):
    asked = {"response_type": "code", "client_id": CLIENT_ID, "redirect_uri": CALLBACK,
             "scope": GOOGLE_SCOPES, "state": '"><script>'}  # fmt: skip
    page = sim.http.get("/o/oauth2/v2/auth", params=asked)
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    assert all(f">{p.participant_id}</button>" in page.text for p in sim.world.participants)
    assert "<script>" not in page.text


class Page(HTMLParser):
    """What a person's browser would send: the ticked boxes and hidden fields of the form."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.fields: list[tuple[str, str]] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        named = dict(attrs)
        if tag == "input" and (named["type"] == "hidden" or "checked" in named):
            self.fields.append((named["name"], named["value"]))

    def sent(self, button: tuple[str, str], unticked: str = "nothing") -> list[tuple[str, str]]:
        kept = [(k, v) for k, v in self.fields if not (k == "granted" and unticked in v)]
        return [*kept, button]


@pytest.fixture
def page(sim):
    asked = {"response_type": "code", "client_id": CLIENT_ID, "redirect_uri": CALLBACK,
             "scope": GOOGLE_SCOPES, "state": "a-state", "access_type": "offline",
             "code_challenge": CHALLENGE, "code_challenge_method": "S256"}  # fmt: skip
    return Page(sim.http.get(AUTH, params=asked).text)


def sent_back(sim, fields) -> dict[str, str]:
    reply = sim.http.get(AUTH, params=fields)
    assert reply.status_code == 302, reply.text
    return dict(parse_qsl(urlsplit(reply.headers["location"]).query))


@pytest.mark.parametrize(
    ("unticked", "scopes", "status"),
    [
        ("nothing", ["activity_and_fitness", "health_metrics_and_measurements", "settings"], 200),
        ("settings", ["activity_and_fitness", "health_metrics_and_measurements"], 403),
    ],
)
def test_a_person_leaves_out_what_they_untick(sim, page, unticked, scopes, status):
    answer = sent_back(sim, page.sent(("login_hint", "P001"), unticked))
    tokens = sim.http.post("/token", data=exchange(answer["code"], client=True)).json()
    assert tokens["scope"].split() == [f"{SCOPE}{scope}.readonly" for scope in scopes]
    assert sim.http.get("/v4/users/me/settings", headers=bearer(tokens)).status_code == status


@pytest.mark.parametrize(
    ("button", "unticked"), [(("denied", "yes"), "nothing"), (("login_hint", "P001"), SCOPE)]
)
def test_a_person_says_no_by_denying_or_by_ticking_nothing(sim, page, button, unticked):
    answer = sent_back(sim, page.sent(button, unticked))
    assert answer == {"error": "access_denied", "state": "a-state"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("client_id", "another"),
        ("response_type", "token"),
        ("redirect_uri", "javascript:alert(1)"),
        ("scope", "everything"),
        ("scope", ""),
        ("code_challenge_method", "plain"),
        ("login_hint", "nobody"),
    ],
)
def test_a_wrong_consent_request_is_refused_on_a_page(sim, name, value):
    asked = {"response_type": "code", "client_id": CLIENT_ID, "redirect_uri": CALLBACK,
             "scope": GOOGLE_SCOPES, "code_challenge": "c", "code_challenge_method": "S256",
             "login_hint": "P001"}  # fmt: skip
    assert sim.http.get("/o/oauth2/v2/auth", params=asked).status_code == 302
    assert sim.http.get("/o/oauth2/v2/auth", params={**asked, name: value}).status_code == 400


def test_who_never_connects_says_no(sim):
    assert sim.google_code("P006") == {"error": "access_denied", "state": "a-state"}


@pytest.mark.parametrize(
    ("name", "value"),
    [("code_verifier", "wrong"), ("redirect_uri", "http://127.0.0.1:2/"), ("code", "4/made-up")],
)
def test_a_code_is_bound_to_verifier_and_address(sim, name, value):
    form = exchange(sim.google_code("P001")["code"], client=True)
    reply = sim.http.post("/token", data={**form, name: value})
    assert (reply.status_code, reply.json()["error"]) == (400, "invalid_grant")
    assert sim.http.post("/token", data=form).status_code == 200  # the failure spent nothing


def test_a_code_works_once_and_for_ten_minutes(sim):
    form = exchange(sim.google_code("P001")["code"], client=True)
    assert sim.http.post("/token", data=form).status_code == 200
    assert sim.http.post("/token", data=form).json()["error"] == "invalid_grant"
    late = exchange(sim.google_code("P001")["code"], client=True)
    sim.set_clock(sim.now() + timedelta(minutes=10, seconds=1))
    assert sim.http.post("/token", data=late).json()["error"] == "invalid_grant"


def test_a_code_of_the_other_vendor_is_worthless(sim):
    code = sim._consent("/oauth2/authorize", "P001", "activity")["code"]
    reply = sim.http.post("/token", data=exchange(code, client=True))
    assert reply.json()["error"] == "invalid_grant"


def test_the_client_must_be_known(sim):
    form = {**exchange(sim.google_code("P001")["code"]), "client_id": CLIENT_ID,
            "client_secret": "wrong"}  # fmt: skip
    reply = sim.http.post("/token", data=form)
    assert (reply.status_code, reply.json()["error"]) == (401, "invalid_client")


def test_an_access_token_ends_by_the_clock_and_the_refresh_token_stays(sim):
    tokens = sim.google_grant("P001")
    sim.set_clock(sim.now() + timedelta(seconds=3598))
    assert sim.http.get(IDENTITY, headers=bearer(tokens)).status_code == 200
    sim.set_clock(sim.now() + timedelta(seconds=1))
    assert sim.http.get(IDENTITY, headers=bearer(tokens)).status_code == 401
    fresh = refresh(sim, tokens).json()
    assert "refresh_token" not in fresh
    assert sim.http.get(IDENTITY, headers=bearer(fresh)).status_code == 200
    assert refresh(sim, tokens).status_code == 200


def test_only_offline_consent_brings_a_refresh_token(sim):
    answer = sim._consent("/o/oauth2/v2/auth", "P001", GOOGLE_SCOPES)
    reply = sim.http.post("/token", data=exchange(answer["code"], client=True))
    assert "refresh_token" not in reply.json()


def test_revoking_kills_the_grant_but_not_a_later_one(sim):
    tokens = sim.google_grant("P001")
    assert sim.http.post("/revoke", data={"token": tokens["refresh_token"]}).status_code == 200
    assert sim.http.get(IDENTITY, headers=bearer(tokens)).status_code == 401
    reply = refresh(sim, tokens)
    assert (reply.status_code, reply.json()["error"]) == (400, "invalid_grant")
    assert sim.http.post("/revoke", data={"token": tokens["refresh_token"]}).status_code == 400
    again = sim.google_grant("P001")
    assert sim.http.get(IDENTITY, headers=bearer(again)).status_code == 200


def test_taking_consent_back_ends_everything_at_that_instant(sim):
    revoked_at = sim.world.participants[3].consent_revoked_at
    sim.set_clock(revoked_at - timedelta(seconds=1))
    tokens = sim.google_grant("P004")
    assert sim.http.get(IDENTITY, headers=bearer(tokens)).status_code == 200
    sim.set_clock(revoked_at)
    assert sim.http.get(IDENTITY, headers=bearer(tokens)).status_code == 401
    assert refresh(sim, tokens).json()["error"] == "invalid_grant"
    assert sim.google_code("P004")["error"] == "access_denied"


def test_other_grant_types_are_refused(sim):
    reply = sim.http.post("/token", data={**CLIENT, "grant_type": "password"})
    assert (reply.status_code, reply.json()["error"]) == (400, "unsupported_grant_type")
