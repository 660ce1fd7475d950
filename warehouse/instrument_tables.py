"""What is known of instruments below the code that scores them: their items, and users' tables.

Tables that an instrument needs and nobody may ship are files of two columns beside study.toml:

[instrument_tables.EQ5D5L]
file = "eq5d5l_values.csv"      # a header and a row per profile
about = "Spain, 2018"           # country and year, or the version of the form
"""

from __future__ import annotations

import csv
import hashlib
import json
import math
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict


@cache
def read_items() -> dict[str, tuple[str, ...]]:
    """The items of every instrument by its code.

    `make docs` writes the file from the registry (transforms/instruments), which nothing here
    imports; a test fails while they differ.
    """
    listed = json.loads(Path(__file__).with_name("instrument_items.json").read_text("utf-8"))
    return {code: tuple(items) for code, items in listed.items()}


class InstrumentCoding(BaseModel):
    """How the study's sources code the answers: the lowest is `coded_from`. They are kept so."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    coded_from: int


class InstrumentTable(BaseModel):
    """A table as it was read; `rows` are (line of the file, key, value)."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    file: str
    about: str
    columns: tuple[str, str] = ("", "")
    rows: list[tuple[int, int, float]] = []
    sha256: str = ""


def read_table(path: Path) -> dict[str, Any]:
    """The columns, rows and SHA-256 of a file; ValueError names the line that is wrong."""
    try:
        body = path.read_bytes()
        lines = body.decode("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{path.name}: cannot be read ({type(error).__name__})") from None
    reader = csv.reader(lines, delimiter=";" if lines and ";" in lines[0] else ",")
    header = next(reader, [])
    if len(header) != 2:
        raise ValueError(f"{path.name}:1: it needs a header of two columns")
    rows = [_row(path.name, reader.line_num, cells) for cells in reader if any(cells)]
    keys = [key for _, key, _ in rows]
    if len(set(keys)) < len(keys):
        line, key = next((n, k) for i, (n, k, _) in enumerate(rows) if k in keys[:i])
        raise ValueError(f"{path.name}:{line}: {key} comes twice")
    columns = tuple(name.strip().lower() for name in header)
    return {"columns": columns, "rows": rows, "sha256": hashlib.sha256(body).hexdigest()}


def _row(name: str, line: int, cells: list[str]) -> tuple[int, int, float]:
    try:
        key, value = cells
        found = (line, int(key), float(value))
    except ValueError:
        raise ValueError(
            f"{name}:{line}: a row is a whole number and a number with a decimal point"
        ) from None
    if not math.isfinite(found[2]):
        raise ValueError(f"{name}:{line}: the value is not a finite number")
    return found
