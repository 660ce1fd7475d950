"""Signing in at a provider of OpenID Connect in a real browser: in, out, over, and not on staff."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page
from support import browser, idp
from support.published import home_of, small_study

from warehouse.register import Register
from warehouse.staff import add_staff, remove_staff
from warehouse.study import read_study

pytestmark = pytest.mark.skipif(not browser.CHROMIUM.exists(), reason=browser.MISSING)
NOW = datetime(2026, 2, 12, 8, tzinfo=UTC)
TITLE = "Self-directed exercise"  # of the study: it is drawn for people on staff alone


@pytest.fixture(scope="module")
def provider() -> Iterator[idp.Provider]:
    with idp.providing() as one:
        yield one


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("signed")
    small_study(folder)
    return folder


@pytest.fixture(scope="module")
def address(home: Path, provider: idp.Provider) -> Iterator[str]:
    with browser.serving(
        home,
        STEPWELL_SIGN_IN="oidc",
        STEPWELL_DASHBOARD_URL="{url}",
        STEPWELL_OIDC_METADATA_URL=f"{provider.url}/.well-known/openid-configuration",
        STEPWELL_OIDC_CLIENT_ID=idp.CLIENT_ID,
        STEPWELL_OIDC_CLIENT_SECRET=idp.CLIENT_SECRET,
        STEPWELL_COOKIE_SECRET="only between these tests, at length",
    ) as served:
        yield served


@pytest.fixture
def dana(home: Path) -> Iterator[None]:
    """dana@example.org is the coordinator of Haifa."""
    with closing(Register(home_of(home).register_url)) as register:
        study = read_study(home / "study.toml")
        add_staff(register, study, "dana@example.org", "coordinator", ["haifa"], "test", NOW)
        yield
        remove_staff(register, "dana@example.org", "test", NOW)


def traffic(page: Page) -> list[bytes]:
    """Whatever comes over the stream from now on."""
    frames: list[bytes] = []

    def keep(frame: bytes | str) -> None:
        frames.append(frame if isinstance(frame, bytes) else frame.encode())

    page.on("websocket", lambda stream: stream.on("framereceived", keep))
    return frames


def assert_a_file_can_be_taken(page: Page, address: str) -> None:
    """The door lets a file through to who is signed in, and its hash is the one on the page."""
    browser.open_page(page, f"{address}/data?view=Files%20to%20take&file_of=participant")
    page.get_by_role("button", name="Make the file").click()
    told = page.locator("text=2 rows").inner_text()  # of Haifa
    with page.expect_download() as taken:
        page.get_by_role("button", name="Download participant.parquet").click()
    assert httpx.get(taken.value.url).status_code == 403  # without the cookie
    content = taken.value.path().read_bytes()
    assert hashlib.sha256(content).hexdigest() in told


def test_a_coordinator_signs_in_sees_their_site_and_signs_out(chromium, address, dana, provider):
    with browser.visiting(chromium) as (page, asked):
        came = traffic(page)
        wanted = f"{address}/participant?participant=P001&site=Haifa"
        page.goto(wanted)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_selector(".st-key-foot", timeout=60_000)
        assert page.url == wanted
        browser.open_page(page, f"{address}/participants")  # a link: the cookie lets them in
        text = page.inner_text("body")
        assert "dana@example.org, coordinator" in text
        assert "your sites only: Haifa" in text
        assert any(b"P001" in frame for frame in came)
        assert [frame for frame in came if b"P003" in frame] == []  # of Southampton
        assert_a_file_can_be_taken(page, address)
        page.get_by_role("button", name="Sign out").click()
        page.get_by_role("button", name="Sign in").wait_for(timeout=60_000)
        assert page.url == f"{address}/"  # who signed out leaves no page behind for the next
        assert TITLE not in page.inner_text("body")
        assert f"{provider.url}/end" in [url.partition("?")[0] for url in asked]
        names = [cookie["name"] for cookie in page.context.cookies()]
        assert [name for name in names if name.startswith("_streamlit_user")] == []


def test_somebody_who_is_not_on_staff_is_told_whom_to_ask(chromium, address, provider):
    with browser.visiting(chromium) as (page, _):
        came = traffic(page)
        page.goto(address)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_selector("text=who has no role in this study", timeout=60_000)
        assert any(b"who has no role" in frame for frame in came)
        for hidden in (b"P001", TITLE.encode(), b"Haifa"):
            assert [frame for frame in came if hidden in frame] == []
        text = page.inner_text("body")
        assert "stepwell staff add" in text
        assert TITLE not in text
        assert "Data to" not in text


def test_a_token_whose_time_has_passed_lets_nobody_in(
    chromium, address, dana, provider, monkeypatch
):
    monkeypatch.setattr(provider, "lifetime_seconds", -60)  # within the leeway of the callback
    wanted = f"{address}/participant?participant=P001"
    with browser.visiting(chromium) as (page, _):
        page.goto(wanted)
        # signed out at once: the provider's end is asked for, and the way in is there again
        with page.expect_request(lambda request: request.url.startswith(f"{provider.url}/end")):
            page.get_by_role("button", name="Sign in").click()
        page.get_by_role("button", name="Sign in").wait_for(timeout=60_000)
        assert page.url == wanted
        assert TITLE not in page.inner_text("body")
