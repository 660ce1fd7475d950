"""Pages in a real browser: each chart draws what it should, and the address keeps what it may."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support import browser
from support.published import publish_rows, small_study, typed_rows, write_study

pytestmark = pytest.mark.skipif(not browser.CHROMIUM.exists(), reason=browser.MISSING)

# Marks of each chart that have a size on screen: [strokes of lines, bars and stripes, pictures].
DRAWN = """() => [...document.querySelectorAll('[data-testid=stVegaLiteChart]')].map(chart => {
  const sized = marks => [...chart.querySelectorAll(marks)].filter(mark => {
    const box = mark.getBoundingClientRect(); return box.width + box.height > 0;
  }).length;
  return ['.mark-line path', '.mark-rect path', '.mark-image image'].map(sized);
})"""
# The sites' weeks are withheld, which leaves a frame. The picture of days, seven bars of states,
# and each of thirty days. Wear and steps have a line; goals begin in the last week: no line yet.
# Function has a line; pain one visit; fear-avoidance is a small cell.
ADHERENCE = [[0, 1, 0], [0, 0, 1], [0, 7, 0], [0, 30, 0], [1, 0, 0], [1, 0, 0]]
OUTCOMES = [[1, 0, 0], [0, 0, 0]]
# The goal; ten days, the shade of two, the window of baseline, and the band of function.
PARTICIPANT = [[1, 14, 0]]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("served")
    small_study(folder)
    return folder


@pytest.fixture(scope="module")
def address(home: Path) -> Iterator[str]:
    with browser.serving(home) as served:
        yield served


@pytest.mark.parametrize("theme", ["light", pytest.param("dark", marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    ("path", "drawn"),
    [
        ("/adherence", ADHERENCE),
        ("/outcomes", OUTCOMES),
        ("/participant?participant=P002", PARTICIPANT),
    ],
)
def test_a_page_draws_every_chart_and_asks_nobody_outside(chromium, address, path, drawn, theme):
    with browser.visiting(chromium, theme=theme) as (page, asked):
        browser.open_page(page, address + path)
        browser.eventually(page, DRAWN, drawn)
    assert [url for url in asked if not browser.loopback(url)] == []


def test_a_local_day_stays_itself_west_of_greenwich(chromium, address):
    first_tick = "() => document.querySelector('.role-axis-label text').textContent"
    with browser.visiting(chromium, timezone="America/New_York") as (page, _):
        browser.open_page(page, f"{address}/participant?participant=P002")
        browser.eventually(page, first_tick, "01 Feb")


def test_the_filter_and_the_participant_stay_in_the_address(chromium, address):
    with browser.visiting(chromium) as (page, _):
        browser.open_page(page, f"{address}/participant?site=Haifa&participant=P002")
        page.get_by_role("button", name="Next").click()
        page.wait_for_url("**/participant?*participant=P001*")
        page.get_by_role("link", name="Participants").click()
        page.wait_for_url("**/participants?site=Haifa")


def test_a_new_publication_appears_on_an_open_page_by_itself(chromium, tmp_path):
    small_study(tmp_path)
    with browser.serving(tmp_path) as served, browser.visiting(chromium) as (page, _):
        browser.open_page(page, served)
        publish_rows(tmp_path, typed_rows(), "20260301T060000000000Z")
        page.wait_for_selector("text=build 20260301T060000000000Z", timeout=60_000)


@pytest.mark.slow
def test_the_first_publication_appears_where_only_the_unblinded_folder_is_within_reach(
    chromium, tmp_path
):
    # As in docker-compose.yml: each dashboard has one of the two folders.
    home, elsewhere = tmp_path / "home", tmp_path / "elsewhere"
    write_study(home)
    small_study(elsewhere)
    with (
        browser.serving(home, role="unblinded_statistician") as served,
        browser.visiting(chromium) as (page, _),
    ):
        page.goto(served)
        page.wait_for_selector("text=Nothing is published yet", timeout=60_000)
        (elsewhere / "unblinded").rename(home / "unblinded")
        page.get_by_role("textbox", name="Why do you need to see the arms?").fill("interim look")
        page.get_by_role("button", name="Open the arms").click()
        page.wait_for_selector("text=build 20260212T060000000000Z", timeout=60_000)
