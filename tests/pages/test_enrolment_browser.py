"""From the form to a connected participant, in real browsers: a coordinator's and a telephone."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Page
from starlette.applications import Starlette
from support import browser
from support.enrolment import row
from support.simulated import simulated
from support.trial import Trial, trial

from dashboard.words import say
from ingestion.answers import pull_roster
from ingestion.consent_web import consent_routes
from ingestion.http import open_http
from ingestion.simulator.server import bind, server_for
from warehouse.home import Store

pytestmark = pytest.mark.skipif(not browser.CHROMIUM.exists(), reason=browser.MISSING)


@contextmanager
def connecting(run: Trial) -> Iterator[str]:
    """The address of the participants' pages."""
    listening = bind(0)
    with open_http() as http:
        server = server_for(Starlette(routes=consent_routes(run.store, http)), 0)
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Store]]:
    """A coordinator's dashboard, and the study behind it; participants' pages are served too."""
    folder = tmp_path_factory.mktemp("enrolment")
    with (
        pytest.MonkeyPatch.context() as patch,
        simulated(3, 1) as sim,
        trial(folder, sim, patch) as run,
        connecting(run) as public,
    ):
        at = sim.world.pull_instants(1)[0]
        sim.set_clock(at)
        pull_roster(run.store, at)
        run.pulled_at.append(at)
        run.build()
        patch.setenv("STEPWELL_PUBLIC_URL", public)
        with browser.serving(folder) as url:
            yield url, run.store


def enrol(page: Page, url: str) -> None:
    """As a coordinator does: open the form, choose the clinic, type the day, send it."""
    browser.open_page(page, f"{url}/enrolment")
    page.locator("summary", has_text=say("enrolment.add")).click()
    page.locator("[data-testid=stForm]").get_by_role("combobox", name="Site").click()
    page.get_by_role("option", name="Haifa").click()
    page.get_by_role("group", name="Enrolled on").get_by_role("spinbutton").first.click()
    page.keyboard.type("20260120")
    page.get_by_role("button", name=say("enrolment.send_enrol"), exact=True).click()
    page.get_by_text(say("enrolment.enrolled", who="P-00013")).wait_for()
    browser.wait_until_drawn(page)


def make_link(page: Page) -> str:
    """The link as it stands in the text to send."""
    page.get_by_role("button", name=say("enrolment.make_link", source="Google Health")).click()
    page.locator("img[alt^='QR code']").wait_for()
    browser.wait_until_drawn(page)
    text = page.locator("[data-testid=stCode]").inner_text()
    return next(word for word in text.split() if word.startswith("http"))


def connect(link: str) -> str:
    """The heading at which a participant's telephone ends up."""
    with browser.browsing(browser.PHONE) as (phone, asked):
        phone.goto(link)
        phone.click("a.do")
        phone.click("text=P001")
        heading = phone.locator("h1").inner_text()
    assert [url for url in asked if not browser.loopback(url)] == []
    return heading


def test_somebody_is_enrolled_invited_and_connected(study):
    url, store = study
    with browser.browsing() as (page, asked):
        enrol(page, url)
        assert row(store, "P-00013")["site"] == "haifa"
        link = make_link(page)
    assert [one for one in asked if not browser.loopback(one)] == []
    assert not any(link.rpartition("/")[2] in one for one in asked)  # in no address either
    assert connect(link) == "You are connected"
    with browser.browsing() as (page, _):
        browser.open_page(page, f"{url}/enrolment?participant=P-00013")
        assert page.get_by_text("Google Health: Connected").is_visible()


@pytest.mark.parametrize("theme", ["light", pytest.param("dark", marks=pytest.mark.slow)])
def test_every_part_open_breaks_no_rule_of_accessibility(study, theme):
    url, _ = study
    with browser.browsing(browser.PHONE, theme) as (page, _):
        browser.open_page(page, f"{url}/enrolment?participant=P001")
        page.get_by_role("button", name="link for Google Health").click()
        page.locator("img[alt^='QR code']").wait_for()
        for title in ("add", "title_goal", "title_pause", "title_withdraw", "title_change"):
            page.locator("summary", has_text=say(f"enrolment.{title}")).first.click()
            browser.wait_until_drawn(page)
        page.get_by_role("button", name=say("enrolment.send_enrol"), exact=True).click()
        page.get_by_text("Site: is needed").wait_for()
        browser.wait_until_drawn(page)
        assert browser.violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") == browser.PHONE[0]
