"""One published study for all page tests; each test only reads it."""

from pathlib import Path

import pytest
from support.published import small_study


@pytest.fixture(scope="session")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the typed trial of support/published.py."""
    home = tmp_path_factory.mktemp("study")
    small_study(home)
    return home
