"""A study in a folder of its own: opened, or with a mistake in its study.toml."""

import re
from pathlib import Path

import pytest

from warehouse.home import Store, find_home, open_store
from warehouse.study import EXAMPLE, StudyError, read_study


def new_store(folder: Path, study: str = "") -> Store:
    """A store on the example study, with more lines of study.toml where given."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "study.toml").write_text(EXAMPLE.read_text() + study)
    return open_store(find_home({"STEPWELL_HOME": str(folder)}))


def assert_refused(folder: Path, right: str, wrong: str, said: str) -> None:
    """The example study with `wrong` for `right` is refused in words that match `said`, in which
    {line} is the line of it and {table} that of its [section]."""
    before, found, after = EXAMPLE.read_text().partition(right)
    assert found, right
    path = folder / "study.toml"
    path.write_text(before + wrong + after)
    with pytest.raises(StudyError) as caught:
        read_study(path)
    lines = before.splitlines()
    table = max(number for number, line in enumerate(lines, start=1) if line.startswith("["))
    said = said.replace("{line}", str(before.count("\n") + 1)).replace("{table}", str(table))
    assert re.search(said, str(caught.value)), str(caught.value)
