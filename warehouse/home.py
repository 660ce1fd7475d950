"""Where a study lives: one folder, or URLs from the environment when it has outgrown one machine.

STEPWELL_HOME          the folder: study.toml, published/, unblinded/ (default .stepwell)
STEPWELL_REGISTER_URL  the register's database (default SQLite in the folder)
STEPWELL_LAKE_URL      the lake (default lake/ in the folder; s3://bucket/prefix works)
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from warehouse.lake import Lake
from warehouse.register import Register
from warehouse.study import Study, read_study


@dataclass(frozen=True)
class Home:
    """The places of one study."""

    path: Path
    register_url: str
    lake_url: str

    @property
    def study_path(self) -> Path:
        return self.path / "study.toml"

    @property
    def published(self) -> Path:
        """Folder of the masked builds; `warehouse.duckdb` in it is the newest."""
        return self.path / "published"

    @property
    def unblinded(self) -> Path:
        """Folder of the builds that hold the arms, readable by its owner alone."""
        return self.path / "unblinded"


@dataclass(frozen=True)
class Store:
    """A study opened: its protocol, register and lake."""

    home: Home
    study: Study
    register: Register
    lake: Lake


def find_home(environ: Mapping[str, str] = os.environ) -> Home:
    """The study's places as the environment says."""
    path = Path(environ.get("STEPWELL_HOME", ".stepwell")).absolute()
    register_url = environ.get("STEPWELL_REGISTER_URL") or f"sqlite:///{path}/register.sqlite"
    return Home(path, register_url, environ.get("STEPWELL_LAKE_URL", str(path / "lake")))


def open_store(home: Home | None = None) -> Store:
    """Open the study at `home`; StudyError when there is none or it is not valid."""
    home = home or find_home()
    study = read_study(home.study_path)
    return Store(home, study, Register(home.register_url), Lake(home.lake_url))
