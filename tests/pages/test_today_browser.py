"""Today in a real browser: from the list to a logged contact in two clicks."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from playwright.sync_api import Page
from support import browser
from support.published_today import today_study

from warehouse import register as reg
from warehouse.contacts import Contact, history, log_contact
from warehouse.register import Register
from warehouse.register_tables import contact

pytestmark = pytest.mark.skipif(not browser.CHROMIUM.exists(), reason=browser.MISSING)
NOW = datetime(2026, 2, 12, 5, tzinfo=UTC)
HEAD, ROW = 36, 66  # pixels


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    home = today_study(tmp_path_factory.mktemp("today"))
    with browser.serving(home, STEPWELL_CLOCK_URL="http://pretend") as address:
        yield home, address


@pytest.fixture
def url(served):
    """The study and its dashboard, before anybody was contacted."""
    yield served
    with register_of(served[0]) as register, register.begin() as con:
        con.execute(sa.delete(contact))


def pick(page: Page, row: int) -> None:
    """Select a row (from 1) of the list, which is drawn on a canvas."""
    grid = page.locator("[data-testid=stDataFrame]").first
    grid.scroll_into_view_if_needed()
    box = grid.bounding_box()
    assert box
    page.mouse.click(box["x"] + 16, box["y"] + HEAD + ROW * (row - 0.5))
    page.wait_for_selector(".st-key-panel")
    browser.wait_until_drawn(page)


def register_of(home):
    return closing(Register(f"sqlite:///{home}/register.sqlite"))


def test_two_clicks_from_the_list_to_a_logged_contact(chromium, url):
    home, address = url
    with browser.visiting(chromium) as (page, asked):
        browser.open_page(page, address)
        pick(page, 1)
        assert "P002: Reconnect" in page.inner_text(".st-key-panel")
        page.get_by_role("button", name="Log the contact").click()
        page.wait_for_selector("text=Logged for P002.")
        assert [one for one in asked if not browser.loopback(one)] == []
    with register_of(home) as register:
        assert [row["reason"] for row in history(register, "P002")] == ["consent_lost"]
        trail = register.rows(sa.select(reg.audit).order_by(reg.audit.c.id))
    assert [(row["what"], row["subject"]) for row in trail[-1:]] == [("contact reached", "P002")]


def test_whoever_comes_second_sees_it_and_is_not_logged(chromium, url):
    home, address = url
    with browser.visiting(chromium) as (page, _):
        browser.open_page(page, address)
        pick(page, 1)
        with register_of(home) as register:
            first = Contact("P002", ("consent_lost",), NOW, "noa", "phone", "reached")
            log_contact(register, first)
        page.get_by_role("button", name="Log the contact").click()
        page.wait_for_selector("text=Not logged: noa has logged a contact")
    with register_of(home) as register:
        assert [row["who"] for row in history(register, "P002")] == ["noa"]


def test_a_participants_page_is_one_click_from_the_panel(chromium, url):
    _, address = url
    with browser.visiting(chromium) as (page, _):
        browser.open_page(page, f"{address}/?queue=chase")
        pick(page, 1)
        page.get_by_role("button", name="Open P001").click()
        page.wait_for_url("**/participant?participant=P001*")


FOCUSED = """() => { const at = document.activeElement;
  return at.tagName === 'CANVAS' ? 'the list' : at.getAttribute('aria-label') || at.innerText; }"""


def tabbed(page: Page, stops: list[str]) -> list[str]:
    """Those of the stops that the Tab key comes to, in the order it does."""
    found: list[str] = []
    for _ in range(60):
        page.keyboard.press("Tab")
        name = page.evaluate(FOCUSED).partition(" \u00b7")[0]
        if name in stops and name not in found:
            found.append(name)
    return found


def test_the_keyboard_comes_to_all_that_a_caller_needs(chromium, url):
    _, address = url
    today = ["Find participant", "Site", "All", "the list", "This list as CSV"]
    walk = ["Find participant", "Site", "List", "Previous", "Next", "One-page PDF"]
    with browser.visiting(chromium) as (page, _):
        browser.open_page(page, address)
        assert tabbed(page, today) == today
        page.locator("[data-testid=stDataFrame] canvas").first.focus()
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Shift+Space")
        page.wait_for_selector(".st-key-panel")  # what to say, and the way to log the call
        browser.open_page(page, f"{address}/participant?participant=P001")
        assert tabbed(page, walk) == walk


def test_a_phone_is_told_what_to_do_and_why_in_one_column(chromium, url):
    _, address = url
    with browser.visiting(chromium, browser.PHONE) as (page, _):
        browser.open_page(page, address)
        listed = browser.cells(page)
    assert listed.startswith("P002 | Reconnect: No permission to read since 10 Feb 2026")


@pytest.mark.parametrize("theme", ["light", pytest.param("dark", marks=pytest.mark.slow)])
def test_anybody_can_use_it_with_the_panel_open(chromium, url, theme):
    _, address = url
    with browser.visiting(chromium, theme=theme) as (page, _):
        browser.open_page(page, address)
        pick(page, 2)
        assert browser.violations(page) == []
