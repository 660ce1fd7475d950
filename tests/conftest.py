"""Fixtures every kind of test may use, and the switch for slow ones."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from warehouse.home import Home, Store, find_home, open_store
from warehouse.study import EXAMPLE

# The tests set every variable they need; a developer's own settings must not leak in.
for _name in [name for name in os.environ if name.startswith(("STEPWELL_", "AIRFLOW__"))]:
    del os.environ[_name]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--slow", action="store_true", help="run the tests of `make check-full` too")
    parser.addoption("--seed", help="run this seed of the oracle alone (`make oracle SEED=17`)")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--slow"):
        return
    for item in items:
        if item.get_closest_marker("slow"):
            item.add_marker(pytest.mark.skip(reason="slow: run `make check-full`"))


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """An empty study of the example protocol."""
    folder = tmp_path / "study"
    folder.mkdir()
    shutil.copy(EXAMPLE, folder / "study.toml")
    return find_home({"STEPWELL_HOME": str(folder)})


@pytest.fixture
def store(home: Home) -> Iterator[Store]:
    """The same, opened."""
    opened = open_store(home)
    yield opened
    opened.register.close()
