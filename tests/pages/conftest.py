"""One published study for all page tests; each test only reads it."""

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from support import browser
from support.published import small_study


@pytest.fixture(scope="module", autouse=True)
def what_stays() -> Iterator[None]:
    """Streamlit collects garbage after each run of a page, and would go through all of pytest's."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture(scope="session")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the typed trial of support/published.py."""
    home = tmp_path_factory.mktemp("study")
    small_study(home)
    return home


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One Chromium for the visits of a module; none of its tests may start another."""
    with browser.launched() as one:
        yield one
