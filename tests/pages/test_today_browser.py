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

pytestmark = pytest.mark.skipif(not browser.CHROMIUM.exists(), reason=browser.MISSING)
NOW = datetime(2026, 2, 12, 5, tzinfo=UTC)
ROW = 35  # pixels


@pytest.fixture
def url(tmp_path):
    today_study(tmp_path)
    with browser.serving(tmp_path, STEPWELL_CLOCK_URL="http://pretend") as address:
        yield tmp_path, address


def pick(page: Page, row: int) -> None:
    """Select a row (from 1) of the list, which is drawn on a canvas."""
    grid = page.locator("[data-testid=stDataFrame]").first
    grid.scroll_into_view_if_needed()
    box = grid.bounding_box()
    assert box
    page.mouse.click(box["x"] + 16, box["y"] + ROW * row + ROW / 2)
    page.wait_for_selector(".st-key-panel")
    browser.wait_until_drawn(page)


def register_of(home):
    return closing(Register(f"sqlite:///{home}/register.sqlite"))


def test_two_clicks_from_the_list_to_a_logged_contact(url):
    home, address = url
    with browser.browsing() as (page, asked):
        browser.open_page(page, address)
        pick(page, 1)
        assert "P002: Reconnect" in page.inner_text(".st-key-panel")
        page.get_by_role("button", name="Log the contact").click()
        page.wait_for_selector("text=Logged for P002.")
        assert [one for one in asked if not browser.loopback(one)] == []
    with register_of(home) as register:
        assert [row["reason"] for row in history(register, "P002")] == ["consent_lost"]
        trail = register.rows(sa.select(reg.audit))
    assert [(row["what"], row["subject"]) for row in trail] == [("contact reached", "P002")]


def test_whoever_comes_second_sees_it_and_is_not_logged(url):
    home, address = url
    with browser.browsing() as (page, _):
        browser.open_page(page, address)
        pick(page, 1)
        with register_of(home) as register:
            first = Contact("P002", ("consent_lost",), NOW, "noa", "phone", "reached")
            log_contact(register, first)
        page.get_by_role("button", name="Log the contact").click()
        page.wait_for_selector("text=Not logged: noa has logged a contact")
    with register_of(home) as register:
        assert [row["who"] for row in history(register, "P002")] == ["noa"]


def test_a_participants_page_is_one_click_from_the_panel(url):
    _, address = url
    with browser.browsing() as (page, _):
        browser.open_page(page, f"{address}/?queue=chase")
        pick(page, 1)
        page.get_by_role("button", name="Open P001").click()
        page.wait_for_url("**/participant?participant=P001*")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_anybody_can_use_it_with_the_panel_open(url, theme):
    _, address = url
    with browser.browsing(theme=theme) as (page, _):
        browser.open_page(page, address)
        pick(page, 2)
        assert browser.violations(page) == []
