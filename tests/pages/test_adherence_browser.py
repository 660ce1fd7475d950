"""From the cohort to one person's day in a real browser, within the click budget."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support import browser
from support.published_monitoring import monitored_study

pytestmark = pytest.mark.skipif(not browser.CHROMIUM.exists(), reason=browser.MISSING)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    home = tmp_path_factory.mktemp("monitored")
    monitored_study(home)
    with browser.serving(Path(home)) as served:
        yield served


def test_a_click_on_a_site_then_on_a_day_opens_that_person_on_that_day(chromium, address):
    with browser.visiting(chromium) as (page, _):
        browser.open_page(page, f"{address}/adherence")
        page.locator(".st-key-site_weeks .mark-rect path").nth(2).click()  # a week of Haifa
        page.wait_for_url("**/adherence?cohort=Site%3A+Haifa")
        browser.wait_until_drawn(page)
        page.locator(".st-key-recent_days .mark-rect path").first.click()  # P001 on day 1
        page.wait_for_url("**/participant?*participant=P001*")
        page.wait_for_url("**/participant?*day=2026-02-02*")
        assert page.get_by_role("heading", level=1).inner_text() == "Participant"


def test_a_row_of_the_list_beside_the_picture_opens_that_persons_day_by_keyboard(chromium, address):
    with browser.visiting(chromium) as (page, _):
        browser.open_page(page, f"{address}/adherence")
        page.locator(".st-key-participants canvas").first.focus()
        page.keyboard.press("ArrowDown")  # to the second row
        page.keyboard.press("Shift+Space")  # which selects it
        page.wait_for_url("**/participant?*participant=P002*")
        page.wait_for_url("**/participant?*day=2026-02-10*")


@pytest.mark.slow  # test_gates.py has every page
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("path", ["adherence", "flow"])
def test_nothing_is_inaccessible_and_nobody_outside_is_asked(chromium, address, path, theme):
    with browser.visiting(chromium, theme=theme) as (page, asked):
        browser.open_page(page, f"{address}/{path}")
        browser.stretch(page, 8000)
        assert browser.violations(page) == []
    assert [url for url in asked if not browser.loopback(url)] == []


def test_the_boxes_are_downloaded_as_a_picture_of_text(chromium, address, tmp_path):
    with browser.visiting(chromium) as (page, _):
        browser.open_page(page, f"{address}/flow")
        with page.expect_download() as told:
            page.get_by_role("button", name="Picture for a paper (SVG)").click()
        told.value.save_as(tmp_path / "flow.svg")
    assert "Enrolled: 22" in (tmp_path / "flow.svg").read_text(encoding="utf-8")


@pytest.mark.slow  # test_gates.py has every page
def test_both_pages_fit_a_phone(chromium, address):
    with browser.visiting(chromium, size=browser.PHONE) as (page, _):
        for path in ("adherence", "flow"):
            browser.open_page(page, f"{address}/{path}")
            wide = page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth")
            assert wide <= browser.PHONE[0]
