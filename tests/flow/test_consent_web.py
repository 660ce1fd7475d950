"""A participant connects by a link: what they read, what is stored, and what nobody else can do."""

import os
import subprocess
import sys
import threading
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from starlette.applications import Starlette
from support.browser import CHROMIUM, MISSING, PHONE, _wait_for, browsing, free_port, loopback
from support.grants import at_the_simulator

from dags.cli import main
from ingestion.consent import connect_headless
from ingestion.consent_web import COOKIE, consent_routes, invite
from ingestion.errors import Misconfigured
from ingestion.grants import Grants
from ingestion.http import open_http
from ingestion.settings import SCOPES, read_key
from ingestion.simulator.server import bind, server_for
from warehouse import register as reg

SOURCES = ("google_health", "fitbit")
ACTIVITY = "https://www.googleapis.com/auth/googlehealth.activity_and_fitness.readonly"


class Participant:
    """Somebody with a browser, the study's pages, and the vendor's."""

    def __init__(self, study, served, http, browser):
        self.study, self.served, self.http, self.browser = study, served, http, browser

    def follow(self, link):
        """To the vendor: the address there. The browser keeps the cookie."""
        opened = self.browser.get(link)
        assert opened.status_code == 200
        leads = self.browser.get(f"{link}/go", follow_redirects=False)
        assert leads.status_code == 303
        return leads.headers["location"]

    def sign_in(self, address, account, **change):
        """At the vendor, as an account: the address it sends the browser back to."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        asked |= {"login_hint": account, **change}
        reply = self.http.get(address.partition("?")[0], params=asked)
        assert reply.status_code == 302, reply.text
        return reply.headers["Location"]

    def connect(self, link, account, **change):
        """The page at which it all ends."""
        return self.browser.get(self.sign_in(self.follow(link), account, **change))

    def arm(self, fault, path, times=1):
        spec = {"match": {"path": path}, "times": times, "fault": fault, "args": {}}
        assert self.http.post(f"{self.served.url}/_emu/faults", json=spec).status_code == 200

    def grant(self, participant_id="P001", source="google_health"):
        return Grants(self.study.register, read_key(), self.http).find(participant_id, source)


@pytest.fixture
def participant(tmp_path, monkeypatch):
    listening = bind(0)
    ours = f"http://127.0.0.1:{listening.getsockname()[1]}"
    with (
        at_the_simulator(tmp_path, monkeypatch, public=ours) as (study, served),
        open_http() as http,
    ):
        server = server_for(Starlette(routes=consent_routes(study, http)), 0)
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        with httpx.Client(base_url=ours, follow_redirects=True) as browser:
            yield Participant(study, served, http, browser)
        server.should_exit = True
        thread.join()
    listening.close()


def heading(page):
    return page.text.partition("<h1>")[2].partition("</h1>")[0]


@pytest.mark.parametrize("source", SOURCES)
def test_a_participant_connects_by_the_link(participant, source):
    link = invite(participant.study, source, "P001")
    page = participant.connect(link, "P001")
    assert (page.status_code, heading(page)) == (200, "You are connected")
    assert str(page.url) == f"{link}/connected"  # neither code nor state stays in the history
    assert participant.grant(source=source).state == "active"


@pytest.mark.parametrize(("source", "vendor"), [("google_health", "Google"), ("fitbit", "Fitbit")])
def test_the_start_page_says_who_asks_for_what(participant, source, vendor):
    page = participant.browser.get(invite(participant.study, source, "P001"))
    assert "chronic low back pain" in page.text  # the study's title
    assert "steps, distance and active minutes" in page.text
    assert f"Continue to {vendor}</a>" in page.text
    assert "P001" not in page.text


def test_a_link_connects_once(participant):
    link = invite(participant.study, "google_health", "P001")
    participant.connect(link, "P001")
    for address in (link, f"{link}/go", f"{link}/taken"):
        assert heading(participant.browser.get(address)) == "This link has been used"


def test_a_link_ends_after_two_weeks(participant):
    link = invite(participant.study, "google_health", "P001")
    participant.served.set_clock(participant.served.now() + timedelta(days=13, hours=23))
    assert heading(participant.browser.get(link)) == "Connect your device"
    participant.served.set_clock(participant.served.now() + timedelta(hours=1))
    for address in (link, f"{link}/go", f"{link}/connected"):
        page = participant.browser.get(address)
        assert (page.status_code, heading(page)) == (410, "This link has expired")


def test_a_new_link_ends_the_one_before_it(participant):
    old = invite(participant.study, "google_health", "P001")
    address = participant.follow(old)
    other = invite(participant.study, "google_health", "P002")
    new = invite(participant.study, "google_health", "P001")
    assert heading(participant.browser.get(old)) == "This link has expired"
    assert heading(participant.browser.get(new)) == "Connect your device"
    assert heading(participant.browser.get(other)) == "Connect your device"
    back = participant.browser.get(participant.sign_in(address, "P001"))
    assert heading(back) == "Please start again"
    assert participant.grant() is None


def test_who_has_withdrawn_is_not_asked_again(participant):
    link = invite(participant.study, "google_health", "P001")
    today = participant.served.now().date()
    with participant.study.register.begin() as con:
        con.execute(sa.update(reg.participant).values(withdrawn_on=today))
    assert heading(participant.browser.get(link)) == "This link has expired"
    with pytest.raises(Misconfigured, match="P001 withdrew on"):
        invite(participant.study, "google_health", "P001")


def test_nobody_is_asked_who_is_not_on_the_roster(participant):
    with pytest.raises(Misconfigured, match="P0O1 is not on the roster"):
        invite(participant.study, "google_health", "P0O1")
    with pytest.raises(Misconfigured, match="fitbit, google_health"):
        invite(participant.study, "garmin", "P001")


def test_a_permission_left_out_is_said_and_can_be_mended_by_the_same_link(participant):
    link = invite(participant.study, "google_health", "P001")
    page = participant.connect(link, "P001", scope=ACTIVITY)
    assert heading(page) == "A permission was left out"
    assert "tick every box" in page.text
    assert f'href="{urlsplit(link).path}">Try again' in page.text
    assert participant.grant().state == "scope_missing"
    assert heading(participant.connect(link, "P001")) == "You are connected"
    assert participant.grant().state == "active"


def test_the_heart_rate_left_out_connects_says_so_and_can_be_mended_by_the_same_link(participant):
    link = invite(participant.study, "google_health", "P001")
    without = " ".join(SCOPES["google_health"][:-1])
    assert heading(participant.browser.get(f"{link}/without")) == "Connect your device"
    page = participant.connect(link, "P001", scope=without)
    assert heading(page) == "You are connected, but a permission was left out"
    assert "heart rate" in page.text
    assert f'href="{urlsplit(link).path}">Try again' in page.text
    assert participant.grant().state == "active"
    assert "heart rate" in participant.grant().next_step
    assert heading(participant.connect(link, "P001")) == "You are connected"
    assert participant.grant().next_step is None
    assert heading(participant.browser.get(f"{link}/without")) == "This link has been used"


def test_all_permissions_left_out_is_the_same(participant):
    participant.arm("scope_missing", "identity")
    page = participant.connect(invite(participant.study, "google_health", "P001"), "P001")
    assert heading(page) == "A permission was left out"
    grant = participant.grant()
    assert (grant.state, grant.unconfirmed) == ("scope_missing", None)


@pytest.mark.parametrize("source", SOURCES)
def test_another_participants_account_is_refused_and_nothing_of_theirs_is_shown(
    participant, source
):
    connect_headless(participant.study, source, "P001")
    first = participant.grant(source=source)
    page = participant.connect(invite(participant.study, source, "P002"), "P001")
    assert heading(page) == "This account is already connected"
    for private in ("P001", first.vendor_user_id):
        assert private not in page.text
    assert participant.grant("P002", source).state == "wrong_account"
    assert participant.grant(source=source) == first


def test_another_account_than_before_is_refused_and_the_grant_goes_on(participant):
    connect_headless(participant.study, "google_health", "P001")
    first = participant.grant()
    page = participant.connect(invite(participant.study, "google_health", "P001"), "P003")
    assert heading(page) == "That was another account"
    assert participant.grant() == first


def test_who_changed_their_account_connects_the_new_one_once_the_old_is_released(participant):
    connect_headless(participant.study, "google_health", "P001")
    first = participant.grant().vendor_user_id
    done = CliRunner().invoke(main, ["release", "google_health", "P001", "--why", "new account"])
    assert done.output == "P001 at google_health: wrong_account. Now: `stepwell connect`\n"
    page = participant.connect(invite(participant.study, "google_health", "P001"), "P003")
    assert heading(page) == "You are connected"
    assert participant.grant().state == "active"
    assert participant.grant().vendor_user_id != first


def test_an_account_without_a_device_is_told_what_to_finish(participant):
    link = invite(participant.study, "google_health", "P001")
    participant.arm("wrong_account", "identity")
    page = participant.connect(link, "P001")
    assert heading(page) == "This account has no device yet"
    assert participant.grant().state == "not_linked"
    assert "finish setting up" in participant.grant().next_step
    assert heading(participant.connect(link, "P001")) == "You are connected"


def test_a_participant_may_say_no(participant):
    link = invite(participant.study, "google_health", "P006")  # who never connects
    page = participant.connect(link, "P006")
    assert heading(page) == "You are not connected"
    assert "nothing was stored" in page.text
    assert participant.grant("P006") is None
    assert heading(participant.browser.get(link)) == "Connect your device"


@pytest.mark.parametrize(
    ("path", "times", "held"), [("/token", 1, False), ("identity", 2, True)]
)  # a code cannot be sent twice
def test_a_vendor_that_is_down_is_not_the_participants_fault(participant, path, times, held):
    link = invite(participant.study, "google_health", "P001")
    participant.arm("503", path, times)
    page = participant.connect(link, "P001")
    assert (page.status_code, heading(page)) == (503, "Please try again later")
    assert (participant.grant() is not None) == held
    assert heading(participant.connect(link, "P001")) == "You are connected"


def test_a_code_that_came_too_late_can_be_asked_for_again(participant):
    link = invite(participant.study, "google_health", "P001")
    back = participant.sign_in(participant.follow(link), "P001")
    participant.served.set_clock(participant.served.now() + timedelta(minutes=11))
    assert heading(participant.browser.get(back)) == "Please start again"
    assert heading(participant.connect(link, "P001")) == "You are connected"


def test_a_consent_begun_long_ago_is_begun_again(participant):
    address = participant.follow(invite(participant.study, "google_health", "P001"))
    participant.served.set_clock(participant.served.now() + timedelta(minutes=30))
    page = participant.browser.get(participant.sign_in(address, "P001"))
    assert (page.status_code, heading(page)) == (400, "Please start again")
    assert participant.grant() is None


@pytest.mark.parametrize(
    ("source", "path"), [(SOURCES[0], "/token"), (SOURCES[1], "/oauth2/token")]
)
def test_an_answer_counts_once(participant, source, path):
    link = invite(participant.study, source, "P001")
    scope = {"google_health": ACTIVITY, "fitbit": "activity"}[source]
    back = participant.sign_in(participant.follow(link), "P001", scope=scope)
    cookie = participant.browser.cookies[COOKIE]
    assert heading(participant.browser.get(back)) == "A permission was left out"  # the link is open
    participant.browser.cookies.set(COOKIE, cookie)
    assert heading(participant.browser.get(back)) == "Please start again"
    log = participant.http.get(f"{participant.served.url}/_emu/log").json()["requests"]
    assert sum(row["count"] for row in log if row["path"] == path) == 1


@pytest.mark.parametrize("source", SOURCES)
def test_an_answer_to_another_browsers_request_is_refused(participant, source):
    # Somebody sends the vendor's address of their own link on, to have another's account connected.
    address = participant.follow(invite(participant.study, source, "P002"))
    back = participant.sign_in(address, "P001")
    participant.browser.cookies.clear()
    victim = participant.follow(invite(participant.study, source, "P001"))  # has a cookie, another
    assert heading(participant.browser.get(back)) == "Please start again"
    assert participant.grant("P002", source) is None
    assert victim != address


@pytest.mark.parametrize("query", ["", "?code=x", "?state=&code=x", "?state=forged&code=x",
                                   "?error=access_denied", "?state=%C3%A9"])  # fmt: skip
def test_a_made_up_answer_is_refused(participant, query):
    participant.browser.cookies.set(COOKIE, "another")
    page = participant.browser.get(f"/connect/back{query}")
    assert (page.status_code, heading(page)) == (400, "Please start again")


@pytest.mark.parametrize("path", ["none", "none/go", "none/connected", "none/nothing"])
def test_a_link_that_was_not_copied_whole_says_so(participant, path):
    page = participant.browser.get(f"/connect/{path}")
    assert (page.status_code, heading(page)) == (410, "This link has expired")


def test_connected_is_said_only_to_who_is(participant):
    link = invite(participant.study, "google_health", "P001")
    assert heading(participant.browser.get(f"{link}/connected")) == "Connect your device"


def test_our_own_trouble_is_a_page_and_a_line_in_the_log(participant, monkeypatch, caplog):
    link = invite(participant.study, "google_health", "P001")
    monkeypatch.delenv("STEPWELL_GOOGLE_HEALTH_CLIENT_SECRET")
    page = participant.browser.get(f"{link}/go")
    assert (page.status_code, heading(page)) == (500, "Something is wrong on our side")
    assert "STEPWELL_GOOGLE_HEALTH_CLIENT_SECRET is not set" in caplog.text


def test_every_reply_keeps_its_secrets(participant):
    link = invite(participant.study, "google_health", "P001")
    back = participant.sign_in(participant.follow(link), "P001")
    replies = [participant.browser.get(address, follow_redirects=False)
               for address in (link, f"{link}/go", back, f"{link}/connected", "/connect/back",
                               "/connect/x")]  # fmt: skip
    for reply in replies:
        assert reply.headers["Cache-Control"] == "no-store"
        assert reply.headers["Referrer-Policy"] == "no-referrer"
        policy = reply.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; style-src 'sha256-")
        assert "<script" not in reply.text
        assert "http" not in reply.text.replace(link, "")
    (set_cookie,) = (r.headers["set-cookie"] for r in replies[1:2])
    assert all(part in set_cookie for part in ("HttpOnly", "SameSite=lax", "Path=/connect/back"))
    assert "Secure" not in set_cookie  # http, which is for this machine only


def test_over_https_the_cookie_is_for_https(participant, monkeypatch):
    monkeypatch.setenv("STEPWELL_PUBLIC_URL", "https://study.example.org")
    link = invite(participant.study, "google_health", "P001")
    assert link.startswith("https://study.example.org/connect/")
    reply = participant.browser.get(f"{urlsplit(link).path}/go", follow_redirects=False)
    assert "Secure" in reply.headers["set-cookie"]
    asked = parse_qs(urlsplit(reply.headers["location"]).query)
    assert asked["redirect_uri"] == ["https://study.example.org/connect/back"]


def test_the_register_holds_no_link_state_or_verifier(participant, tmp_path):
    link = invite(participant.study, "google_health", "P001")
    address = participant.follow(link)
    state = parse_qs(urlsplit(address).query)["state"][0]
    files = [path for path in tmp_path.glob("register.sqlite*") if path.is_file()]
    dumped = b"".join(path.read_bytes() for path in files)
    assert b"consent_request" in dumped
    assert link.rpartition("/")[2].encode() not in dumped
    assert state.encode() not in dumped


def test_the_command_prints_the_link_and_the_simulators_way_is_a_flag(participant):
    run = CliRunner().invoke
    result = run(main, ["connect", "google_health", "P001"])
    assert result.stdout.startswith("http://127.0.0.1:")
    assert heading(participant.connect(result.stdout.strip(), "P001")) == "You are connected"
    result = run(main, ["connect", "fitbit", "P001", "--headless"])
    assert result.output == "P001 at fitbit: active.\n"
    result = run(main, ["connect", "google_health", "P999"])
    assert result.exit_code == 2
    assert "P999 is not on the roster" in result.output


def test_the_dashboard_says_what_the_pages_need(participant, monkeypatch):
    monkeypatch.setenv("STEPWELL_PUBLIC_URL", "http://study.example.org")
    result = CliRunner().invoke(main, ["dashboard", "--port", str(free_port())])
    assert result.exit_code == 2
    assert "http is for 127.0.0.1 and localhost only" in result.output


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """The dashboard's own process with the pages, its study, and what it wrote to its log."""
    folder, port = tmp_path_factory.mktemp("served"), free_port()
    public = f"http://127.0.0.1:{port}"
    with (
        pytest.MonkeyPatch.context() as patch,
        at_the_simulator(folder, patch, public=public) as (study, _),
    ):
        log = folder / "dashboard.log"
        with open(log, "wb") as out:
            command = [sys.executable, "-m", "dags.cli", "dashboard", "--port", str(port)]
            server = subprocess.Popen(command, stdout=out, stderr=out, env=dict(os.environ))
        try:
            _wait_for(f"{public}/_stcore/health", server)
            yield study, log
        finally:
            server.terminate()
            server.wait(20)


def test_the_dashboards_process_serves_the_pages_and_logs_no_secret(served):
    study, log = served
    link = invite(study, "google_health", "P001")
    with open_http() as http:
        there = http.get(f"{link}/go")
        cookie = there.headers["set-cookie"].partition(";")[0]
        back = http.get(f"{there.headers['location']}&login_hint=P001").headers["location"]
        end = http.get(back, headers={"Cookie": cookie})
        assert end.headers["location"] == f"{urlsplit(link).path}/connected"
        root = f"http://{urlsplit(link).netloc}/"
        assert "<title>" in http.get(root).text  # and the dashboard is still there
    secrets = parse_qs(urlsplit(back).query)
    written = log.read_text()
    for secret in (secrets["code"][0], secrets["state"][0], link.rpartition("/")[2]):
        assert secret not in written


@pytest.mark.skipif(not CHROMIUM.exists(), reason=MISSING)
@pytest.mark.parametrize("theme", ["light", pytest.param("dark", marks=pytest.mark.slow)])
def test_in_a_browser_the_pages_fit_a_telephone_and_load_nothing(served, theme):
    study, _ = served
    account = {"light": "P002", "dark": "P003"}[theme]
    link = invite(study, "fitbit", account)
    with browsing(PHONE, theme) as (page, asked):
        complaints = []
        page.on("console", lambda message: complaints.append(message.text))
        page.goto(link)
        backgrounds = {"light": "rgb(255, 255, 255)", "dark": "rgb(14, 17, 23)"}
        colour = "getComputedStyle(document.body).backgroundColor"
        assert page.evaluate(colour) == backgrounds[theme]  # the policy lets the style through
        button = page.locator("a.do").bounding_box()
        assert button["height"] >= 44
        for outcome in ("taken", "not-linked", "later"):
            page.goto(f"{link}/{outcome}")
            assert page.evaluate("document.documentElement.scrollWidth") == PHONE[0]
        page.goto(link)
        page.click("a.do")
        page.click(f"text={account}")
        assert page.title() == "You are connected"
    assert [text for text in complaints if "Content Security Policy" in text] == []
    assert [address for address in asked if not loopback(address)] == []
