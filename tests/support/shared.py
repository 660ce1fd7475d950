"""Real data sets, read in place; a test that needs one is skipped where it is absent."""

from pathlib import Path

import pytest
from support.house import ROOT


def shared_data(name: str) -> Path:
    """The folder of a data set beside the project; skips the test with a reason if absent."""
    folder = ROOT.parent / "shared" / "data" / name
    if not folder.is_dir():
        pytest.skip(f"no data set {name}: ../shared/data/{name} is not here")
    return folder
