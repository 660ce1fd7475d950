"""A served dashboard and a real Chromium for page tests and pictures."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Response, sync_playwright
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from dashboard.serve import command

CHROMIUM = Path(os.environ.get("STEPWELL_CHROMIUM", "/usr/bin/chromium"))
MISSING = f"no Chromium at {CHROMIUM}: apt-get install chromium, or set STEPWELL_CHROMIUM"
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
DESKTOP, PHONE = (1360, 900), (390, 844)
PHONES_NAME = "Mozilla/5.0 (Linux; Android 15; K) AppleWebKit/537.36 Chrome/156.0.0.0 Mobile"
ROW_HEIGHT = 35  # pixels of a row of a grid
MARKERS = 33  # pixels of the boxes that select a row


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(
    home: Path, role: str = "coordinator", address: str = "127.0.0.1", **settings: str
) -> Iterator[str]:
    """The address of a dashboard over `home`, stopped with all it started at the end.

    `settings` are more variables of its environment; {url} in them stands for that address.
    """
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    server = subprocess.Popen(
        command(port, home, address),
        env={
            **os.environ,
            "STEPWELL_ROLE": role,
            "STEPWELL_ACTIONS": "ingestion.actions:actions",
            **{name: value.format(url=url) for name, value in settings.items()},
        },
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        _wait_for(f"{url}/_stcore/health", server)
        yield url
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(timeout=20)


@contextmanager
def launched() -> Iterator[Browser]:
    """A Chromium for many visits: starting one takes longer than most of them."""
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield browser
        browser.close()


@contextmanager
def visiting(
    browser: Browser, size: tuple[int, int] = DESKTOP, theme: str = "light",
    timezone: str = "America/New_York",
) -> Iterator[tuple[Page, list[str]]]:  # fmt: skip
    """A page of a visitor new to everything, and the growing list of addresses it asked for.

    The default time zone is west of every site, so a day drawn in browser time would slip by one.
    """
    asked: list[str] = []
    page = browser.new_page(
        viewport={"width": size[0], "height": size[1]},
        color_scheme="dark" if theme == "dark" else "light",
        timezone_id=timezone,
        user_agent=PHONES_NAME if size == PHONE else None,
    )
    page.on("request", lambda request: asked.append(request.url))
    yield page, asked
    page.close()


@contextmanager
def browsing(
    size: tuple[int, int] = DESKTOP, theme: str = "light", timezone: str = "America/New_York"
) -> Iterator[tuple[Page, list[str]]]:
    """The same in a Chromium of its own."""
    with launched() as browser, visiting(browser, size, theme, timezone) as visit:
        yield visit


def open_page(page: Page, address: str) -> None:
    """Go there and wait until the script has run and every chart is drawn."""
    page.goto(address)
    wait_until_drawn(page)


def wait_until_drawn(page: Page) -> None:
    """Wait for the foot of the page, for the end of the script, and for a drawing in each chart."""
    page.wait_for_selector(".st-key-foot", timeout=60_000)
    wait_until_settled(page)


def wait_until_settled(page: Page) -> None:
    """The same of a page that has no foot, such as one without anything published."""
    page.wait_for_selector("[data-testid=stMain] h1", timeout=60_000)
    page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]", timeout=60_000)
    page.wait_for_function(
        """() => !document.querySelector('[data-testid=stSkeleton]')
        && [...document.querySelectorAll('[data-testid=stVegaLiteChart]')]
        .every(chart => chart.querySelector('svg, canvas'))""",
        timeout=60_000,
    )


def received(page: Page) -> list[bytes]:
    """All that the page is sent from now on, growing: WebSocket messages and bodies of replies."""
    told: list[bytes] = []

    def frame(payload: str | bytes) -> None:
        told.append(payload.encode() if isinstance(payload, str) else payload)

    def body(reply: Response) -> None:
        with suppress(PlaywrightError):  # a redirect or a closed page has no body
            told.append(reply.body())

    page.on("websocket", lambda socket: socket.on("framereceived", frame))
    page.on("response", body)
    return told


def pick_row(page: Page, row: int, key: str = "") -> None:
    """Click into a row (from 1) of a grid, which is drawn on a canvas: of `key`, or the first."""
    grid = page.locator(f"{f'.st-key-{key} ' if key else ''}[data-testid=stDataFrame]").first
    grid.scroll_into_view_if_needed()
    box = grid.bounding_box()
    assert box
    page.mouse.click(box["x"] + 16, box["y"] + ROW_HEIGHT * (row + 0.5))


def cells(page: Page, key: str = "") -> str:
    """What stands in a grid, as it is told to those who cannot see it."""
    grid = page.locator(f"{f'.st-key-{key} ' if key else ''}[data-testid=stDataFrame]").first
    grid.scroll_into_view_if_needed()
    grid.locator("canvas td").first.wait_for(state="attached")
    return " | ".join(grid.locator("canvas td").all_text_contents())


def eventually(page: Page, script: str, expected: Any) -> None:
    """Assert that `script` comes to give `expected`: a drawing is filled after it is made."""
    question = f"wanted => JSON.stringify(({script})()) === wanted"
    wanted = json.dumps(expected, separators=(",", ":"))
    with suppress(PlaywrightTimeout):  # the assertion below then says what is different
        page.wait_for_function(question, arg=wanted, timeout=30_000)
    found = page.evaluate(script)
    assert found == expected, found


def stretch(page: Page, tallest: int) -> None:
    """Make the window as tall as the page, within reason, and let the charts settle in it."""
    tall = page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight")
    width = page.viewport_size["width"] if page.viewport_size else DESKTOP[0]
    page.set_viewport_size({"width": width, "height": min(tall, tallest)})
    wait_until_drawn(page)


def loopback(address: str) -> bool:
    """Whether an address stays on this machine."""
    return address.startswith(
        ("http://127.0.0.1:", "http://localhost:", "ws://127.0.0.1:", "data:", "blob:")
    )


def _wait_for(address: str, server: subprocess.Popen[bytes]) -> None:
    give_up = monotonic() + 60
    while monotonic() < give_up:
        if server.poll() is not None:
            raise RuntimeError(f"the dashboard ended with exit code {server.returncode}")
        try:
            with urllib.request.urlopen(address, timeout=1):
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            with suppress(subprocess.TimeoutExpired):
                server.wait(timeout=0.2)
    raise RuntimeError("the dashboard did not answer within a minute")


def violations(page: Page) -> list[str]:
    """What axe-core finds wrong on the page as it stands: WCAG A and AA to 2.2, best practices."""
    found = Axe().run(page).response["violations"]
    return [
        f"{one['id']} ({one['impact']}): {one['help']}: {node['html'][:200]}"
        for one in found
        for node in one["nodes"]
    ]
