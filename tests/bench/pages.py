"""How fast the pages are: a large trial in a real Chromium, and twenty people at once.

    python tests/bench/pages.py [--home FOLDER] [--times 30]

Without --home, a trial of 1,624 participants by 180 days is made first (large_study.py). A time is
from the click to the last change of the page, so it includes drawing. Figures are p50 and p95 of
`times`; beside each stand its target, the bytes that came over the wire, and the machine's load.
Nothing here passes or fails: what misses its target is named at the end.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles
from typing import Any

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parents[1])]

import websockets  # noqa: E402 (the path above is for the next ones)
from large_study import write_trial  # noqa: E402
from support import browser  # noqa: E402

from dashboard.pages import PAGES, address_of  # noqa: E402
from dashboard.words import say  # noqa: E402

WARM = (2.5, 4.5)  # seconds: p50, p95
TARGETS = {
    "Today's filter": (0.5, 0.9),
    "cohort filter, Adherence": (0.8, 1.2),
    "cohort filter, Outcomes": (0.8, 1.2),
    "next participant": (0.55, 0.85),
    "first visitor after a restart": (4.0, 4.0),
    "20 users, 5 s think, participant": (1.0, 1.0),
}
MOST_BYTES = 60_000  # an action
QUIET_MS = 250  # without a change the page has come to rest
STARTS = 10  # a restart takes its time
USERS, ROUNDS, THINK = 20, 8, 5.0

# The page's last change, by its own clock, told by the page itself.
WATCH = """() => { window.lastChange = performance.now();
  new MutationObserver(() => { window.lastChange = performance.now(); })
    .observe(document.body, {subtree: true, childList: true, attributes: true}); }"""
AT_REST = f"""() => {{
  const app = document.querySelector('[data-testid=stApp]');
  return app && app.dataset.testScriptState === 'notRunning'
    && document.querySelector('.st-key-foot') && !document.querySelector('[data-testid=stSkeleton]')
    && performance.now() - window.lastChange > {QUIET_MS}; }}"""


@dataclass
class Report:
    missed: list[str] = field(default_factory=list)

    def line(self, work: str, seconds: list[float], wire: list[int] | None = None) -> None:
        p50, p95 = (quantiles(seconds, n=20)[at] for at in (9, 18))
        target = TARGETS.get(work, WARM)
        heavy = max(wire) if wire else 0
        print(f"  {work:<36}{len(seconds):>4}{p50:>8.2f}{p95:>8.2f}   {target[0]:.2f} / "
              f"{target[1]:.2f}{f'{heavy / 1000:>9.0f} kB' if wire else '':>12}"
              f"{os.getloadavg()[0]:>7.1f}", flush=True)  # fmt: skip
        if p50 > target[0] or p95 > target[1]:
            self.missed.append(f"{work}: {p50:.2f} / {p95:.2f} s")
        if heavy > MOST_BYTES:
            self.missed.append(f"{work}: {heavy / 1000:.0f} kB over the wire (60)")


class Visitor:
    """A browser page whose traffic is counted, and whose actions are timed."""

    def __init__(self, page: Any) -> None:
        self.page, self.bytes = page, 0
        page.on("websocket", lambda socket: socket.on("framereceived", self._count))
        page.add_init_script(f"document.addEventListener('DOMContentLoaded', {WATCH})")

    def _count(self, frame: Any) -> None:
        self.bytes += len(frame)

    def load(self, url: str) -> float:
        """Seconds from asking for the address to the last change of its page."""
        self.page.goto(url)
        self.page.wait_for_function(AT_REST, timeout=120_000)
        if self.page.get_by_test_id("stException").count():
            sys.exit(f"{url} shows an error instead of its figures")
        return float(self.page.evaluate("window.lastChange")) / 1000

    def act(self, action: Callable[[], None]) -> tuple[float, int]:
        """Seconds from the beginning of an action to the last change, and the bytes it brought."""
        before = self.bytes
        begun = float(self.page.evaluate("performance.now()"))
        action()
        self.page.wait_for_function(
            f"() => ({AT_REST})() && window.lastChange > {begun}", timeout=120_000
        )
        return (float(self.page.evaluate("window.lastChange")) - begun) / 1000, self.bytes - before

    def choose(self, label: str, option: int) -> Callable[[], None]:
        """Choosing the option of that number in a box; the box is opened beforehand."""
        self.page.get_by_role("combobox", name=label).first.click()
        listed = self.page.get_by_role("option")
        listed.first.wait_for()
        return listed.nth(option % listed.count()).click


def measure(home: Path, times: int) -> None:
    report = Report()
    print(f"  {'work':<36}{'n':>4}{'p50 s':>8}{'p95 s':>8}   {'target':<14}{'most':>9}{'load':>9}")
    _starts(report, home)
    with browser.serving(home, role="trial_manager") as address:
        with browser.browsing() as (page, _):
            visitor = Visitor(page)
            visitor.load(address)
            _loads(report, visitor, address, times)
            _filters(report, visitor, address, times)
            _next(report, visitor, address, times)
        seconds = asyncio.run(_crowd(address.replace("http://", "ws://")))
        report.line("20 users, 5 s think, participant", seconds)
    print("\nmissed:" if report.missed else "\nevery target is met")
    print("\n".join(f"  {line}" for line in report.missed))


def _starts(report: Report, home: Path) -> None:
    seconds = []
    for _ in range(STARTS):
        with browser.serving(home) as address, browser.browsing() as (page, _asked):
            seconds.append(Visitor(page).load(address))
    report.line("first visitor after a restart", seconds)


def _loads(report: Report, visitor: Visitor, address: str, times: int) -> None:
    for page in PAGES:
        often = times if page.name in ("today", "participant") else max(times // 6, 2)
        seconds = [visitor.load(address + address_of(page)) for _ in range(often)]
        report.line(f"warm page, {say(f'pages.{page.name}')}", seconds)


def _filters(report: Report, visitor: Visitor, address: str, times: int) -> None:
    for work, path, label in (
        ("Today's filter", "", "Site"),
        ("cohort filter, Adherence", "adherence", "Cohort"),
        ("cohort filter, Outcomes", "outcomes", "Cohort"),
    ):
        visitor.load(f"{address}/{path}")
        found = [visitor.act(visitor.choose(label, n)) for n in range(1, times + 1)]
        report.line(work, [took for took, _ in found], [wire for _, wire in found])


def _next(report: Report, visitor: Visitor, address: str, times: int) -> None:
    visitor.load(f"{address}/participant")
    button = visitor.page.get_by_role("button", name="Next", exact=True)
    found = [visitor.act(button.click) for _ in range(times)]
    report.line("next participant", [took for took, _ in found], [wire for _, wire in found])


async def _crowd(address: str) -> list[float]:
    """Server time of a rerun for each of 20 people who think for 5 s in between."""
    found = await asyncio.gather(*(_user(address, number) for number in range(USERS)))
    return [seconds for user in found for seconds in user[1:]]  # the first run makes the session


async def _user(address: str, number: int) -> list[float]:
    from streamlit.proto.BackMsg_pb2 import BackMsg
    from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

    await asyncio.sleep(THINK * number / USERS)
    seconds = []
    origin = address.replace("ws://", "http://")
    async with websockets.connect(
        f"{address}/_stcore/stream", subprotocols=["streamlit"], origin=origin, max_size=None
    ) as socket:
        for turn in range(ROUNDS):
            ask = BackMsg()
            who = f"S{(number * ROUNDS + turn) % 1000:05d}"
            ask.rerun_script.query_string = f"participant={who}"
            ask.rerun_script.page_name = "participant"
            begun = time.perf_counter()
            await socket.send(ask.SerializeToString())
            while True:
                told = ForwardMsg()
                told.ParseFromString(await socket.recv())
                if told.WhichOneof("type") == "script_finished":
                    break
            seconds.append(time.perf_counter() - begun)
            await asyncio.sleep(THINK)
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, help="a study that is there (default: make one)")
    parser.add_argument("--times", type=int, default=30)
    given = parser.parse_args()
    if not browser.CHROMIUM.exists():
        sys.exit(browser.MISSING)
    if given.home:
        measure(given.home, given.times)
        return
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "trial"
        print("making a trial of 1,624 participants by 180 days (some minutes) ...", flush=True)
        write_trial(home)
        measure(home, given.times)


if __name__ == "__main__":
    main()
