"""How the protocol's settings reach SQL: by name, as bound parameters, never as text.

In a transform's SQL `$wear_valid_day_minutes` is `valid_day_minutes` of `[wear]` in study.toml: the
part, an underscore, the setting.
"""

from __future__ import annotations

import re
from typing import Any

import duckdb

from warehouse.study import Study

PARTS = (
    "study",
    "wear",
    "goals",
    "activity_before_visit",
    "treatment",
    "wearables",
    "site_figures",
    "work_list",
)


def settings_of(study: Study) -> dict[str, Any]:
    """The protocol's settings by the names that SQL uses."""
    return {
        f"{part}_{name}": value
        for part in PARTS
        for name, value in getattr(study, part).model_dump().items()
    }


def run(con: duckdb.DuckDBPyConnection, sql: str, study: Study, **facts: Any) -> None:
    """Run one statement, its `$names` bound to the protocol's settings and to `facts`.

    A name that is neither raises KeyError listing the known ones.
    """
    con.execute(sql, settings_in(sql, study, **facts)).fetchall()


def settings_in(sql: str, study: Study, **facts: Any) -> dict[str, Any]:
    """What the `$names` of a statement are bound to; KeyError as of `run`."""
    known = settings_of(study) | facts
    named = set(re.findall(r"\$([a-z]\w*)", sql))
    if unknown := named - set(known):
        raise KeyError(f"unknown ${', $'.join(sorted(unknown))}; known: {', '.join(sorted(known))}")
    return {name: known[name] for name in named}
