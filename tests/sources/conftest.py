"""What the tests of grants and consent share."""

import pytest
from support.grants import Clock

from ingestion.http import open_http
from warehouse.register import Register


@pytest.fixture
def register(tmp_path):
    found = Register(f"sqlite:///{tmp_path}/register.sqlite")
    yield found
    found.close()


@pytest.fixture
def now():
    return Clock()


@pytest.fixture
def http():
    with open_http() as opened:
        yield opened
