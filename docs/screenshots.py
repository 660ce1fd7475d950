# ruff: noqa: INP001 (a script, not a package)
"""Pictures for the README: `python docs/screenshots.py [--home FOLDER]` writes docs/img/*.png.

It serves the study of STEPWELL_HOME (run `make demo` first) on a free port and photographs both
pages, light and dark, and the participant page at the width of a phone.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from support import browser  # noqa: E402 (the tests' browser; its folder is put on the path above)

SHOTS = {
    "adherence": ("/adherence", browser.DESKTOP, "light"),
    "adherence_dark": ("/adherence", browser.DESKTOP, "dark"),
    "participant": ("/participant", browser.DESKTOP, "light"),
    "participant_dark": ("/participant", browser.DESKTOP, "dark"),
    "participant_phone": ("/participant", browser.PHONE, "light"),
    "health": ("/health", browser.DESKTOP, "light"),
}
TALLEST = 2400


def main() -> None:
    """Write every picture; exits with one line when there is no Chromium."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, default=ROOT / ".stepwell")
    parser.add_argument("--participant", default="", help="whom to show (default the first)")
    given = parser.parse_args()
    if not browser.CHROMIUM.exists():
        sys.exit(browser.MISSING)
    folder = ROOT / "docs" / "img"
    folder.mkdir(parents=True, exist_ok=True)
    with browser.serving(given.home) as address:
        for name, (path, size, theme) in SHOTS.items():
            who = f"?participant={given.participant}" if path != "/" and given.participant else ""
            with browser.browsing(size, theme) as (page, _):
                browser.open_page(page, address + path + who)
                browser.stretch(page, TALLEST)
                page.screenshot(path=folder / f"{name}.png")
            print(folder / f"{name}.png")


if __name__ == "__main__":
    main()
