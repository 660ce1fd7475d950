"""A study in a folder of its own, opened."""

from pathlib import Path

from warehouse.home import Store, find_home, open_store
from warehouse.study import EXAMPLE


def new_store(folder: Path, study: str = "") -> Store:
    """A store on the example study, with more lines of study.toml where given."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "study.toml").write_text(EXAMPLE.read_text() + study)
    return open_store(find_home({"STEPWELL_HOME": str(folder)}))
