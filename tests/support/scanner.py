"""Reads everything a study has written, in whatever form, and finds what must not be there.

for place, text in written(home):      # each file, unpacked; tables as their values
    ...
found(home, secrets(world))            # ["lake/raw/...: a device's MAC address", ...]
"""

from __future__ import annotations

import gzip
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from ingestion.simulator import fitbit, google
from ingestion.simulator.oauth import CODE_PREFIX
from ingestion.simulator.tokens import Signer
from ingestion.simulator.world import World

# What a code or token of the simulator looks like; `Signer.read` then tells whether it is one.
PREFIXES = (google.ACCESS, google.REFRESH, fitbit.ACCESS, fitbit.REFRESH, CODE_PREFIX)
TOKEN = re.compile(rf"(?:{'|'.join(map(re.escape, PREFIXES))})[\w-]{{20,}}\.[0-9a-f]{{32}}")
EMAIL = re.compile(r"[\w.+-]{2,}@[\w-]+\.(?:com|org|net|edu|il|uk)\b")
SQLITE = (".sqlite", ".db")
PARTS = ("-wal", "-shm", "-journal")  # of a SQLite file: read with it


def written(folder: Path) -> Iterator[tuple[str, str]]:
    """(place, text) of every file below `folder`: bodies unpacked, databases as their values."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink() and not path.name.endswith(PARTS):
            for name, text in _texts(path):
                yield f"{path.relative_to(folder)}{name}", text


def _texts(path: Path) -> Iterator[tuple[str, str]]:
    """The file as it lies, and as it reads."""
    content = path.read_bytes()
    yield "", content.decode("latin-1")
    if path.suffix == ".zst":
        yield (
            "",
            pa.input_stream(pa.BufferReader(content), compression="zstd").read().decode("latin-1"),
        )
    elif path.suffix == ".gz":
        yield "", gzip.decompress(content).decode("latin-1")
    elif path.suffix == ".parquet":
        yield "", _values(pq.read_table(path))
    elif path.suffix == ".duckdb":
        with closing(duckdb.connect(path, read_only=True)) as con:
            for schema, name in con.execute(
                "SELECT schema_name, table_name FROM duckdb_tables()"
            ).fetchall():
                yield f" {name}", _values(con.table(f"{schema}.{name}").to_arrow_table())
    elif path.suffix in SQLITE:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as con:
            yield " (dump)", "\n".join(con.iterdump())


def _values(table: pa.Table) -> str:
    return "\n".join(str(column.to_pylist()) for column in table.columns)


def secrets(world: World) -> dict[str, str]:
    """What identifies somebody or opens something in a pretend world: value -> what it is."""
    known: dict[str, str] = {}
    for index, person in enumerate(world.participants):
        known[f"AABBCC{index:06X}"] = "a device's MAC address"
        known[person.device_id] = "a device's serial"
        known[person.legacy_id] = "a vendor's account"
        known[person.health_id] = "a vendor's account"
    return known


def found(places: Iterator[tuple[str, str]], world: World, more: dict[str, str]) -> list[str]:
    """One line for each kind of secret in each place; never the secret itself."""
    known = {**secrets(world), **more}
    signer = Signer(world.seed)
    lines = []
    for place, text in places:
        kinds = {what for one, what in known.items() if one in text and _stands_alone(one, text)}
        kinds |= {"a token or code" for one in TOKEN.findall(text) if is_token(signer, one)}
        kinds |= {"an e-mail address" for part in _around("@", text) if EMAIL.search(part)}
        lines += [f"{place}: {kind}" for kind in sorted(kinds)]
    return lines


def _stands_alone(value: str, text: str) -> bool:
    """Whether it is more than some digits of a longer word or number."""
    return re.search(rf"(?<![\w.]){re.escape(value)}(?![\w.])", text) is not None


def _around(sign: str, text: str) -> Iterator[str]:
    at = text.find(sign)
    while at >= 0:
        yield text[max(at - 64, 0) : at + 64]
        at = text.find(sign, at + 1)


def is_token(signer: Signer, text: str) -> bool:
    """Whether the simulator gave it."""
    return any(signer.read(prefix, text) is not None for prefix in PREFIXES)
