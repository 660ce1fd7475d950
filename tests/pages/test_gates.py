"""What every page must hold, in a real browser: for everybody to use, drawn whole, by us alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from playwright.sync_api import Page
from playwright.sync_api import TimeoutError as PlaywrightTimeout
from support import browser
from support.published import empty_rows, publish_rows, write_study
from support.published_rich import rich_study

from dashboard.pages import PAGES, address_of

pytestmark = pytest.mark.skipif(not browser.CHROMIUM.exists(), reason=browser.MISSING)
# A chart in which no mark has a size is an empty box; axes and legends are no marks.
EMPTY_BOXES = """() => {
  const sized = mark => (box => box.width + box.height)(mark.getBoundingClientRect());
  return [...document.querySelectorAll('[data-testid=stVegaLiteChart]')]
    .filter(chart => ![...chart.querySelectorAll('svg .role-mark > *')].some(sized))
    .map(chart => chart.parentElement.className);
}"""
WIDTH = "document.querySelector('[data-testid=stMain]').scrollWidth"


def _rich(folder: Path) -> None:
    rich_study(folder)


def _empty(folder: Path) -> None:
    write_study(folder)
    publish_rows(folder, empty_rows())


MAKE = {"rich": _rich, "empty": _empty, "none": write_study}


STUDIES = ["rich", pytest.param("empty", marks=pytest.mark.slow), "none"]


@pytest.fixture(scope="module", params=STUDIES)
def served(request: pytest.FixtureRequest, tmp_path_factory) -> Iterator[tuple[str, str]]:
    home = tmp_path_factory.mktemp(request.param)
    MAKE[request.param](home)
    with browser.serving(
        home, role="trial_manager", STEPWELL_CLOCK_URL="http://pretend"
    ) as address:
        yield request.param, address


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_page_is_whole_for_everybody_and_ours_alone(chromium, served, theme):
    study, address = served
    pages = PAGES if study != "none" else PAGES[:1]  # there is one message for all
    wrong = []
    with browser.visiting(chromium, theme=theme) as (page, asked):
        for path in [address_of(page) for page in pages]:
            size(page, browser.DESKTOP)
            page.goto(address + path)
            browser.wait_until_settled(page)
            wrong += [f"{path}: {fault}" for fault in faults(page)]
    assert wrong == []
    assert [url for url in asked if not browser.loopback(url)] == []


def faults(page: Page) -> list[str]:
    """What is wrong with the page as it stands, and then as wide as a phone."""
    with suppress(PlaywrightTimeout):  # a drawing is filled after it is made
        page.wait_for_function(f"() => ({EMPTY_BOXES})().length === 0", timeout=3_000)
    found = browser.violations(page)
    if page.get_by_test_id("stException").count():
        found.append("an exception is shown")
    if page.get_by_text("cannot be read").count():
        found.append("the file cannot be read")
    found += [f"a chart without a mark: {name}" for name in page.evaluate(EMPTY_BOXES)]
    size(page, browser.PHONE)
    with suppress(PlaywrightTimeout):  # charts are drawn anew
        page.wait_for_function(f"() => {WIDTH} <= {browser.PHONE[0]}", timeout=10_000)
    if (wide := page.evaluate(WIDTH)) > browser.PHONE[0]:
        found.append(f"{wide} pixels wide on a phone")
    return found


def size(page: Page, of: tuple[int, int]) -> None:
    page.set_viewport_size({"width": of[0], "height": of[1]})


def test_the_rules_find_what_is_wrong(chromium):
    with browser.visiting(chromium) as (page, _):
        page.set_content("<html><body><img src='data:,'><a style='color:#999'>faint</a>")
        found = browser.violations(page)
    assert any(one.startswith("image-alt") for one in found)
    assert any(one.startswith("color-contrast") for one in found)
