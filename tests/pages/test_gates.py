"""What every page must hold, in a real browser: for everybody to use, drawn whole, by us alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support import browser
from support.published import empty_rows, publish_rows, small_study, write_study

from dashboard.pages import PAGES, address_of

pytestmark = pytest.mark.skipif(not browser.CHROMIUM.exists(), reason=browser.MISSING)
ADDRESSES = [address_of(page) for page in PAGES]


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folders = {name: tmp_path_factory.mktemp(name) for name in ("small", "empty", "none")}
    small_study(folders["small"])
    write_study(folders["empty"])
    publish_rows(folders["empty"], empty_rows())
    write_study(folders["none"])
    return folders


@pytest.fixture(scope="module", params=["small", "empty", "none"])
def served(request: pytest.FixtureRequest, homes: dict[str, Path]) -> Iterator[tuple[str, str]]:
    with browser.serving(homes[request.param], role="trial_manager") as address:
        yield request.param, address


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_page_breaks_a_rule_of_accessibility_or_asks_outside(served, theme):
    _, address = served
    with browser.browsing(theme=theme) as (page, asked):
        for path in ADDRESSES:
            page.goto(address + path)
            browser.wait_until_settled(page)
            assert browser.violations(page) == [], path
            assert page.get_by_test_id("stException").count() == 0, path
    assert [url for url in asked if not browser.loopback(url)] == []


def test_every_page_fits_a_phone(served):
    _, address = served
    with browser.browsing(size=browser.PHONE) as (page, _):
        for path in ADDRESSES:
            page.goto(address + path)
            browser.wait_until_settled(page)
            wide = page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth")
            assert wide <= browser.PHONE[0], path
