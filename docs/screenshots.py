# ruff: noqa: INP001 (a script, not a package)
"""Pictures of every page: `python docs/screenshots.py [--home FOLDER]` writes docs/img/*/*.png.

It photographs the study of STEPWELL_HOME (run `make demo` first), the same study a day after its
vendors stopped answering, and a study that has begun with nobody in it: each page light and dark,
and at the width of a phone. The page of one participant shows the first of the list, whom nobody
may have heard of, and once more (`participant_course`) whoever has most to show.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from PIL import Image

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from support import browser, published  # noqa: E402 (its folder is put on the path above)

from dags.folder import read_key  # noqa: E402
from dashboard.pages import PAGES, address_of  # noqa: E402
from ingestion.pull import plan_wearables, pull_connected  # noqa: E402
from transforms.build import build_warehouse  # noqa: E402
from warehouse.home import find_home, open_store  # noqa: E402
from warehouse.publish import open_published, stable_path  # noqa: E402

LOOKS = {
    "light": (browser.DESKTOP, "light"),
    "dark": (browser.DESKTOP, "dark"),
    "phone": (browser.PHONE, "light"),
}
TALLEST = 2600
COLOURS = 256  # of a picture: enough for flat screens, a third of the size
# Of those who answered at the newest visit who answered most, and wore it on most days.
FULLEST = """
    SELECT participant_id
    FROM outcome JOIN visit USING (visit) JOIN adherence USING (participant_id)
    WHERE status = 'received' GROUP BY participant_id, valid_days
    ORDER BY max(visit.position) DESC, count(*) DESC, valid_days DESC, participant_id LIMIT 1
"""
ROLE = "trial_manager"  # who is offered every page


def main() -> None:
    """Write every picture; exits with one line when there is no Chromium or no study."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, default=ROOT / ".stepwell" / "demo")
    parser.add_argument("--only", help="one page")
    given = parser.parse_args()
    if not browser.CHROMIUM.exists():
        sys.exit(browser.MISSING)
    if not (given.home / "study.toml").exists():
        sys.exit(f"{given.home} holds no study: run `make demo` first, or give --home")
    with tempfile.TemporaryDirectory() as folder:
        for name, home in _homes(given.home, Path(folder)):
            _photograph(name, home, given.only)


def _homes(demo: Path, folder: Path) -> Iterator[tuple[str, Path]]:
    yield "demo", demo
    published.write_study(folder / "empty")
    published.publish_rows(folder / "empty", published.empty_rows())
    yield "empty", folder / "empty"
    shutil.copytree(demo, folder / "broken", ignore=shutil.ignore_patterns("airflow", "*.log"))
    _lose_the_vendors(folder / "broken")
    yield "broken", folder / "broken"


def _lose_the_vendors(home: Path) -> None:
    """A day goes by in which every vendor answers 503; what can be told of it is built."""
    now = _as_of(home) + timedelta(hours=30)
    with _down(now) as url, _environment(home, url):
        store = open_store()
        for source, batch in plan_wearables(store, now):
            pull_connected(store, source, batch)
        build_warehouse(store, now)


def _as_of(home: Path) -> datetime:
    found: datetime = _asked(home, "SELECT as_of FROM ops.build")[0][0]
    return found


def _asked(home: Path, sql: str) -> list[Any]:
    with closing(open_published(stable_path(find_home({"STEPWELL_HOME": str(home)})))) as con:
        return con.execute(sql).fetchall()


def _addresses(home: Path, only: str | None) -> dict[str, str]:
    """The address of each picture's page, by the picture's name."""
    found = {one.name: address_of(one) for one in PAGES if only in (None, one.name)}
    fullest = _asked(home, FULLEST)
    if fullest and "participant" in found:
        found["participant_course"] = f"{found['participant']}?participant={fullest[0][0]}"
    return found


@contextmanager
def _down(now: datetime) -> Iterator[str]:
    """The address of vendors that are down, and of a clock that stands at `now`."""

    class Down(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            is_clock = self.path == "/clock"
            self.send_response(200 if is_clock else 503)
            self.end_headers()
            self.wfile.write(json.dumps({"now": now.isoformat()}).encode() if is_clock else b"")

        do_POST = do_GET

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Down)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()


@contextmanager
def _environment(home: Path, url: str) -> Iterator[None]:
    before = dict(os.environ)
    vendors = ("GOOGLE_HEALTH", "FITBIT")
    os.environ.update(
        STEPWELL_HOME=str(home),
        STEPWELL_KEY=read_key(home),
        STEPWELL_CLOCK_URL=f"{url}/clock",
        OAUTHLIB_INSECURE_TRANSPORT="1",
        **{f"STEPWELL_{name}_URL": url for name in vendors},
        **{f"STEPWELL_{name}_TOKEN_URL": f"{url}/token" for name in vendors},
        **{f"STEPWELL_{name}_CLIENT_{part}": "-" for name in vendors for part in ("ID", "SECRET")},
    )
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _photograph(home_name: str, home: Path, only: str | None) -> None:
    folder = ROOT / "docs" / "img" / home_name
    folder.mkdir(parents=True, exist_ok=True)
    addresses = _addresses(home, only)
    # The clock stands where the study does: else its data would be told to be months old.
    with (
        _down(_as_of(home)) as url,
        browser.serving(home, role=ROLE, STEPWELL_CLOCK_URL=f"{url}/clock") as address,
    ):
        for look, (size, theme) in LOOKS.items():
            with browser.browsing(size, theme) as (page, _):
                for name, path in addresses.items():
                    browser.open_page(page, address + path)
                    browser.stretch(page, TALLEST)
                    _save(page.screenshot(), folder / f"{name}_{look}.png")
                    page.set_viewport_size({"width": size[0], "height": size[1]})


def _save(png: bytes, path: Path) -> None:
    with Image.open(io.BytesIO(png)) as picture:
        # so that a colour of few pixels stays itself: the state of a rare day has its own
        kept = picture.convert("RGB").quantize(COLOURS, method=Image.Quantize.MAXCOVERAGE)
        kept.save(path, optimize=True)
    print(path)


if __name__ == "__main__":
    main()
