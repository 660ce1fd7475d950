"""What each role comes for, in a real browser, counted in clicks; and what it must not get.

The clicks are those allowed for each task, from the page where the role begins: Today, as the
dashboard opens. What a viewer may not see is looked for in everything that reached the browser.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, Locator, Page
from support import browser
from support.published import home_of
from support.published_rich import FOREIGN, THERAPIST, rich_study

from warehouse import register as reg
from warehouse.contacts import history
from warehouse.register import Register

pytestmark = pytest.mark.skipif(not browser.CHROMIUM.exists(), reason=browser.MISSING)
CLOCK = {"STEPWELL_CLOCK_URL": "http://pretend"}  # the present is the build's own
REASON = "Safety board of 12 February"
# What the unblinded file alone holds: who treated, and cohorts of an arm.
ARMS = (THERAPIST.encode(), b"Usual physiotherapy", b"Arm: ETMI")


@dataclass
class Clicks:
    """A visitor of a page whose clicks are counted."""

    page: Page
    address: str
    n: int = field(default=0)

    def on(self, what: Locator) -> None:
        self.n += 1
        what.click()
        browser.wait_until_drawn(self.page)

    def to(self, title: str) -> None:
        """By the bar to another page."""
        self.on(self.page.get_by_role("link", name=title, exact=True))
        self.page.get_by_role("heading", level=1, name=title).wait_for()
        browser.wait_until_drawn(self.page)

    def on_row(self, row: int, key: str = "") -> None:
        self.n += 1
        browser.pick_row(self.page, row, key)

    def on_cell(self, grid: Locator, left: int) -> None:
        """The first cell of a grid's first row, `left` pixels from the grid's edge."""
        self.n += 1
        grid.scroll_into_view_if_needed()
        box = grid.bounding_box()
        assert box
        self.page.mouse.click(box["x"] + left + 24, box["y"] + 1.5 * browser.ROW_HEIGHT)

    def reads(self, text: str) -> None:
        """Wait until it stands on the page."""
        self.page.get_by_text(text).first.wait_for()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return rich_study(tmp_path_factory.mktemp("tasks"))


@pytest.fixture(scope="module")
def served(home: Path) -> Iterator[str]:
    with browser.serving(home, **CLOCK) as address:
        yield address


@pytest.fixture
def clicks(chromium: Browser, served: str) -> Iterator[Clicks]:
    """A coordinator before Today, who has not clicked yet."""
    with browser.visiting(chromium) as (page, _):
        browser.open_page(page, served)
        yield Clicks(page, served)


Coming = Callable[[str], AbstractContextManager[tuple[Page, str, list[bytes]]]]


@pytest.fixture
def coming(chromium: Browser, home: Path) -> Coming:
    """A visitor in a role, where they come to, and all that reaches the browser."""

    @contextmanager
    def come(role: str) -> Iterator[tuple[Page, str, list[bytes]]]:
        with (
            browser.serving(home, role=role, **CLOCK) as address,
            browser.visiting(chromium) as (page, _),
        ):
            yield page, address, browser.received(page)

    return come


def trail(home: Path) -> list[tuple[str, str, str]]:
    with closing(Register(home_of(home).register_url)) as register:
        rows = register.rows(sa.select(reg.audit).order_by(reg.audit.c.id))
    return [(row["what"], row["subject"], row["why"]) for row in rows]


def test_who_needs_a_call_and_why_takes_no_click(clicks):
    listed = browser.cells(clicks.page)
    assert "P002" in listed
    assert "Reconnect" in listed
    assert clicks.n == 0


def test_red_flags_take_one_click(clicks):
    clicks.on(clicks.page.locator(".st-key-queue_pill").get_by_text("Clinical review"))
    clicks.page.wait_for_url("**queue=clinical_review*")
    assert clicks.n <= 1


@pytest.mark.parametrize(
    ("which", "beside", "who"),
    [(0, browser.MARKERS, "P002"), (1, 0, "P001")],
    ids=["the list", "whose answer would help most"],
)
def test_that_persons_course_takes_one_click_from_today(clicks, which, beside, who):
    grid = clicks.page.locator("[data-testid=stDataFrame]").nth(which)
    clicks.on_cell(grid, beside)
    clicks.page.wait_for_url(f"**/participant?*participant={who}*")
    clicks.page.locator(f".st-key-timeline_{who} svg.marks").wait_for()
    assert clicks.n == 1


def test_a_persons_course_takes_one_click_from_the_page_of_participants(clicks):
    clicks.to("Participants")
    clicks.n = 0
    clicks.on_row(1, "grid")
    clicks.page.wait_for_url("**/participant?*participant=P002*")
    clicks.page.locator(".st-key-timeline_P002 svg.marks").wait_for()
    assert clicks.n == 1


def test_the_overdue_list_of_my_site_takes_two_clicks(coming):
    with coming("haifa_coordinator") as (page, address, _):
        browser.open_page(page, address)
        clicks = Clicks(page, address)
        clicks.to("Participants")
        clicks.on(page.locator(".st-key-overdue label"))
        page.wait_for_url("**overdue=true*")
        listed = browser.cells(page, "grid")
    assert "P001" in listed
    assert "P003" not in listed
    assert clicks.n <= 2


def test_the_ranking_of_sites_takes_one_click_and_the_worst_sites_people_two(clicks):
    clicks.to("Adherence")
    clicks.reads("Beer Sheva: ")  # far below the others: said in words
    assert clicks.n <= 1
    clicks.on(clicks.page.locator(".st-key-site_weeks .mark-rect path").nth(2))  # a week of one
    clicks.page.wait_for_url("**/adherence?cohort=Site*")
    assert clicks.n <= 2


def test_from_the_picture_of_a_cohort_to_one_persons_day_takes_two_clicks(clicks):
    clicks.to("Adherence")
    clicks.on_row(2, "participants")  # the list beside the picture, row by row
    clicks.page.wait_for_url("**/participant?*participant=P0*")
    clicks.page.wait_for_url("**day=2026-02-*")
    assert clicks.n <= 2


def test_the_share_of_responders_takes_one_click_and_is_masked(clicks):
    clicks.to("Outcomes")
    clicks.reads("Responders at Week 4")
    clicks.reads("By arm: only for a role that may see the arms")
    assert clicks.n <= 1


def test_what_was_checked_and_what_failed_takes_two_clicks(clicks):
    clicks.to("Data health")
    clicks.page.get_by_role("heading", name="Checks of this build").wait_for()
    cell = clicks.page.locator("canvas td", has_text="no day of a person twice")
    cell.wait_for(state="attached")
    assert clicks.n <= 2


def test_the_meaning_of_a_column_takes_one_click(clicks):
    clicks.to("Outcomes")
    clicks.n = 0
    clicks.on(clicks.page.get_by_text("Show the numbers").first)
    clicks.page.locator("code", has_text="mean_score").first.wait_for()
    assert clicks.n <= 1


def test_how_to_open_the_data_in_python_takes_two_clicks(clicks):
    clicks.to("Data")
    clicks.on(clicks.page.get_by_text("Builds", exact=True))
    clicks.reads("duckdb.connect(")
    assert clicks.n <= 2


def test_the_flow_chart_for_a_paper_takes_two_clicks(clicks, tmp_path):
    clicks.to("Flow")
    with clicks.page.expect_download() as told:
        clicks.on(clicks.page.get_by_role("button", name="Picture for a paper (SVG)"))
    told.value.save_as(tmp_path / "flow.svg")
    assert "<svg" in (tmp_path / "flow.svg").read_text(encoding="utf-8")
    assert clicks.n <= 2


def test_a_contact_is_logged_in_two_clicks_shows_and_its_note_stays_text(clicks, home):
    page, note = clicks.page, "<img src=x onerror=\"document.title='pwned'\"> **called**"
    clicks.on_row(1)
    page.get_by_role("textbox", name="Note").fill(note)
    clicks.on(page.get_by_role("button", name="Log the contact"))
    clicks.reads("Logged for P002.")
    assert clicks.n <= 2
    assert "P002" not in browser.cells(page)  # it rests; nobody calls twice
    browser.open_page(page, f"{clicks.address}/participant?participant=P002")
    page.locator("summary", has_text="Contacts").first.click()
    page.get_by_text("document.title").first.wait_for()
    assert page.title() != "pwned"
    with closing(Register(home_of(home).register_url)) as register:
        [row] = [row for row in history(register, "P002") if row["note"] == note]
    assert (row["reason"], row["outcome"]) == ("consent_lost", "reached")
    assert ("contact reached", "P002", "") in trail(home)


def test_a_statistician_opens_the_arms_with_a_reason_and_hides_them_again(coming, home):
    with coming("unblinded_statistician") as (page, address, told):
        browser.open_page(page, f"{address}/outcomes")
        assert [one for one in ARMS if one in b"".join(told)] == []
        assert not [row for row in trail(home) if row[0] == "unblinded view"]
        page.get_by_role("button", name="Show arms").click()
        page.get_by_role("button", name="Open the arms").click()
        page.get_by_test_id("stAlert").first.wait_for()  # no reason, no arms
        assert not [row for row in trail(home) if row[0] == "unblinded view"]
        page.get_by_role("textbox", name="Why do you need to see the arms?").fill(REASON)
        page.get_by_role("button", name="Open the arms").click()
        page.get_by_text("Arms shown: this view is on the audit trail").wait_for()
        browser.wait_until_drawn(page)
        assert trail(home)[-1] == ("unblinded view", "Outcomes", REASON)
        page.get_by_role("link", name="Adherence", exact=True).click()
        page.get_by_role("heading", level=1, name="Adherence").wait_for()
        browser.wait_until_drawn(page)
        assert trail(home)[-1] == ("unblinded view", "Adherence", REASON)
        page.get_by_role("button", name="Hide arms").click()
        page.get_by_text("Arms hidden").wait_for()
        told.clear()
        browser.open_page(page, f"{address}/outcomes?cohort=Arm: ETMI")  # masked again
        page.get_by_text("Arms hidden").wait_for()
        assert [one for one in ARMS if one in b"".join(told)] == []


def test_the_file_with_arms_tells_what_the_masked_one_is_searched_for(coming):
    with coming("unblinded_statistician") as (page, address, told):
        browser.open_page(page, f"{address}/participant?participant=P001")
        page.get_by_role("button", name="Show arms").click()
        page.get_by_role("textbox", name="Why do you need to see the arms?").fill(REASON)
        page.get_by_role("button", name="Open the arms").click()
        page.get_by_role("button", name="Hide arms").wait_for()
        for title in ("Adherence", "Outcomes"):
            page.get_by_role("link", name=title, exact=True).click()
            page.get_by_role("heading", level=1, name=title).wait_for()
            browser.wait_until_drawn(page)
        for who in ("P001", "P002"):
            page.locator(".st-key-find_participant input").fill(who)
            page.keyboard.press("Enter")
            page.wait_for_url(f"**/participant?*participant={who}*")
            browser.wait_until_drawn(page)
            page.locator("summary", has_text="Treatment sessions").click()
            browser.wait_until_drawn(page)
        everything = b"".join(told)
    assert [one for one in ARMS if one not in everything] == []


@pytest.mark.parametrize(
    "path",
    ["outcomes?cohort=Arm: ETMI", "adherence?cohort=Arm: Usual physiotherapy",
     "participant?participant=P001", "flow"],
)  # fmt: skip
def test_a_coordinator_at_the_same_address_is_sent_nothing_of_it(chromium, served, path):
    with browser.visiting(chromium) as (page, _):
        told = browser.received(page)
        browser.open_page(page, f"{served}/{path}")
        page.get_by_text("Arms hidden").wait_for()
        everything = b"".join(told)
        assert len(everything) > 20_000
        assert [one for one in ARMS if one in everything] == []
        assert THERAPIST not in page.content()


def test_a_coordinator_of_one_site_is_sent_nothing_of_anothers_people(coming):
    who, device = (word.encode() for word in FOREIGN)
    typed = [device]  # a field that the address fills shows what was asked for
    looked = {
        "participant?participant=P003": [who, device],
        "enrolment?participant=P003": [who, device],
        "adherence?cohort=Site: Southampton": [who, device],
        "?site=Southampton": [who, device],
        "participants?search=P003": typed,
        "data?view=Rows&rows_of=participant_day&participant=P003": typed,
    }
    with coming("haifa_coordinator") as (page, address, told):
        for path, foreign in looked.items():
            told.clear()
            browser.open_page(page, f"{address}/{path}")
            assert "Stranger" not in page.content(), path
            assert len(b"".join(told)) > 1_000
            assert [word for word in foreign if word in b"".join(told)] == [], path


def test_the_study_has_that_person_for_those_who_may(chromium, served):
    with browser.visiting(chromium) as (page, _):
        told = browser.received(page)
        browser.open_page(page, f"{served}/participant?participant=P003")
        assert b"Stranger 4711" in b"".join(told)
