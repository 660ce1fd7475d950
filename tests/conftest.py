"""Fixtures every kind of test may use, and the switch for slow ones."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.postgresql import database, postgresql

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


def pytest_configure(config: pytest.Config) -> None:
    told = "postgresql: run on a PostgreSQL register too, by make check-full"
    config.addinivalue_line("markers", told)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    too = metafunc.config.getoption("--slow") and "server" in metafunc.fixturenames
    if too and metafunc.definition.get_closest_marker("postgresql"):
        metafunc.parametrize("server", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture(scope="module")
def server(request: pytest.FixtureRequest) -> Iterator[str]:
    """The PostgreSQL server where registers lie; empty where each lies in its study's folder."""
    if getattr(request, "param", "sqlite") == "sqlite":
        yield ""
    else:
        with postgresql() as url:
            yield url


@pytest.fixture
def register_url(server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An empty register, in the environment too; empty where it lies in the study's folder."""
    with database(server) as url:
        if url:
            monkeypatch.setenv("STEPWELL_REGISTER_URL", url)
        yield url


@pytest.fixture
def home(tmp_path: Path, register_url: str) -> Home:
    """An empty study of the example protocol."""
    folder = tmp_path / "study"
    folder.mkdir()
    shutil.copy(EXAMPLE, folder / "study.toml")
    return find_home({"STEPWELL_HOME": str(folder), "STEPWELL_REGISTER_URL": register_url})


@pytest.fixture
def store(home: Home) -> Iterator[Store]:
    """The same, opened."""
    opened = open_store(home)
    yield opened
    opened.register.close()
