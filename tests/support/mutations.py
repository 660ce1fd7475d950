"""Seeded damage to the bytes of a reply: of any content, and of what its format makes likely."""

from __future__ import annotations

import gzip
import io
import json
import re
import struct
import zipfile
import zlib
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import numpy as np
from fitdecode.utils import compute_crc

CANARY = "canary@example.org"  # of a person: no error may quote it
Rng = np.random.Generator

NUMBERS: list[Any] = [
    *(0, 1, -1, 5, -5, 0.5, -0.0, 255, 256, 65_535, 65_536, 70_000, 10**6, 10**9),
    *(2**31 - 1, 2**31, -(2**31), 2**32, 2**53 + 1, 2**63 - 1, 2**63, -(2**63), 2**64, 10**40),
    *(1e308, 1e-308, float("nan"), float("inf"), float("-inf")),
]
TEXTS: list[Any] = [
    *("", " ", "0", "7", " 7 ", "-3", "12.5", "1,5", "1e3", "1e400", "NaN", "nan", "Infinity"),
    *(
        "9" * 30,
        "9" * 5000,
        "٣",
        "½",
        "🙂",
        "é",
        "\u0000",
        "\ufeff",
        "\u202e",
        "null",
        "true",
        "None",
    ),
    *("<html><body>Maintenance</body></html>", "A" * 70_000, "'", '"', "a,b;c\td", "\r\n", CANARY),
    *("0000-00-00", "2026-02-30", "9999-12-31", "0001-01-01", "2026-03-27", "27/03/2026"),
    *(
        "9999-12-31T23:59:59Z",
        "0001-01-01T00:00:00Z",
        "2026-03-27T02:30:00",
        "1969-12-31T00:00:00Z",
    ),
    *("2026-03-27T02:30:00+99:99", "2026-03-27T02:30:60Z", "24:00:00", "23:59:60", "-1:00:00"),
    *("7200s", "-99999s", "NaNs", "Asia/Jerusalem", "Mars/Olympus", "../../etc/passwd", "UTC"),
    *("2016-03-13 02:30:00", "3/13/2016 2:30:00 AM", "31/31/2016", "2262-04-12", "P001", "P999"),
]
SHAPES: list[Any] = [
    None,
    True,
    False,
    [],
    {},
    [[]],
    [None],
    {"": None},
    [1, "a"],
    {"a": {"b": []}},
]


def one_of(rng: Rng, values: list[Any]) -> Any:
    return values[int(rng.integers(len(values)))]


def weird(rng: Rng) -> Any:
    """A value that nobody asked for."""
    return deepcopy(one_of(rng, one_of(rng, [NUMBERS, TEXTS, SHAPES])))


def damaged(body: bytes, rng: Rng) -> bytes:
    """`body` with some damage, at times with several kinds of it."""
    for _ in range(one_of(rng, [1, 1, 1, 2, 4])):
        body = _format_of(body)(body, rng) if rng.random() < 0.75 else _bytes(body, rng)
    return body


def _format_of(body: bytes) -> Callable[[bytes, Rng], bytes]:
    if body[8:12] == b".FIT":
        return _fit
    if body[:2] == b"\x1f\x8b":
        return _gzip
    if body[:4] == b"PK\x03\x04":
        return _zip
    if body[:1] in (b"{", b"["):
        return _json
    if body[:1] == b"<":
        return _xml
    return _csv if b"\n" in body else _bytes


def _bytes(body: bytes, rng: Rng) -> bytes:
    if not body:
        return bytes(rng.integers(0, 256, 8, np.uint8))
    at, to = sorted(int(n) for n in rng.integers(0, len(body) + 1, 2))
    to = min(to, at + int(rng.integers(1, 200)))
    flipped = bytearray(body)
    for _ in range(one_of(rng, [1, 1, 3, 20])):
        flipped[int(rng.integers(len(body)))] = int(rng.integers(256))
    return one_of(rng, [
        bytes(flipped), bytes(flipped), body[:at], body[:-1], body[:at] + body[to:],
        body[:to] + body[at:], body[:at] + bytes(rng.integers(0, 256, 12, np.uint8)) + body[at:],
        b"", b"\xef\xbb\xbf" + body, body.decode("latin-1").encode("utf-16"), body + b"\0" * 40,
        b"<!DOCTYPE html><html><body>503</body></html>", body + body, b"[" * 50_000, b"{}", b"[]",
    ])  # fmt: skip


def _json(body: bytes, rng: Rng) -> bytes:
    try:
        tree = json.loads(body)
    except (ValueError, RecursionError):
        return _bytes(body, rng)
    root = {"root": tree}
    try:
        for _ in range(one_of(rng, [1, 1, 2, 5])):
            _damage_node(root, rng)
        text = json.dumps(root["root"], ensure_ascii=bool(rng.random() < 0.5))
    except RecursionError:
        return b'[{"a":' * 50_000
    if rng.random() < 0.05:
        text = re.sub(
            r"(\"\w+\": [^,{}\[\]]+), ", r"\1, \1, ", text, count=3
        )  # keys that come twice
    return text.encode("utf-8", "surrogatepass")


def _damage_node(root: dict[str, Any], rng: Rng) -> None:
    """Walk to a random place and change what is there."""
    parent, key = root, "root"
    while rng.random() < 0.9 and parent[key] and isinstance(parent[key], dict | list):
        parent = parent[key]
        key = one_of(rng, [*parent] if isinstance(parent, dict) else [*range(len(parent))])
    value, others = parent[key], [*(parent if isinstance(parent, dict) else range(len(parent)))]
    kind = int(rng.integers(8))
    if kind <= 2:
        parent[key] = weird(rng)
    elif kind == 3 and isinstance(value, int | float) and not isinstance(value, bool):
        parent[key] = one_of(rng, [str(value), -value, value + 1, value * 1000, [value]])
    elif kind == 4 and isinstance(parent, list):
        parent.insert(int(rng.integers(len(parent) + 1)), deepcopy(value))
    elif kind == 5 and parent is not root:
        del parent[key]
    elif kind == 6:
        parent[one_of(rng, others)] = deepcopy(value)
    else:
        other = one_of(rng, others)
        parent[key], parent[other] = parent[other], value
    if parent and rng.random() < 0.01:
        deep: Any = deepcopy(value)
        for _ in range(one_of(rng, [300, 2_000])):  # more than a recursive reader can stand
            deep = [deep] if rng.random() < 0.5 else {"a": deep}
        parent[one_of(rng, [*parent] if isinstance(parent, dict) else [*range(len(parent))])] = deep


def _csv(body: bytes, rng: Rng) -> bytes:
    lines = body.decode("utf-8", "surrogateescape").splitlines(keepends=True)
    row = int(rng.integers(len(lines)))
    cut = one_of(rng, [",", ",", ",", ";", "\t"])
    cells = lines[row].rstrip("\r\n").split(cut)
    at, to = int(rng.integers(len(cells))), int(rng.integers(len(cells)))
    kind = int(rng.integers(8))
    if kind <= 2:
        value = weird(rng)
        cells[at] = str(value) if row or value != CANARY else "canary"  # a title may be quoted
    elif kind == 3:
        del cells[at]
    elif kind == 4:
        cells.insert(at, cells[to])
    elif kind == 5:
        cells[at], cells[to] = cells[to], cells[at]
    lines[row] = cut.join(cells) + "\n"
    other = int(rng.integers(len(lines)))
    if kind == 6:
        lines.insert(other, lines[row])
    elif kind == 7 and row and other:
        lines[row], lines[other] = lines[other], lines[row]
        del lines[int(rng.integers(len(lines)))]
    return "".join(lines).encode("utf-8", "surrogateescape")


def _xml(body: bytes, rng: Rng) -> bytes:
    text = body.decode("utf-8", "surrogateescape")
    values = [*re.finditer(r'"[^"<>]*"', text)]
    tags = [*re.finditer(r"<[^<>]*>\n?", text)]
    if not values or not tags:
        return _bytes(body, rng)
    value, tag, other = one_of(rng, values), one_of(rng, tags), one_of(rng, tags)
    changed = one_of(rng, [
        text[: value.start()] + f'"{weird(rng)}"' + text[value.end() :],
        text[: value.start()] + f'"{weird(rng)}"' + text[value.end() :],
        text[: tag.start()] + text[tag.end() :],
        text[: tag.start()] + tag[0] + text[tag.start() :],
        text[: tag.start()] + other[0] + text[tag.end() :],
        text[: tag.start()] + "<!DOCTYPE a [<!ENTITY b 'c'>]>" + text[tag.start() :],
        text[: tag.start()] + "&b;" + text[tag.start() :],
    ])  # fmt: skip
    return str(changed).encode("utf-8", "surrogateescape")


def _gzip(body: bytes, rng: Rng) -> bytes:
    try:
        content = gzip.decompress(body)
    except (OSError, EOFError, zlib.error):
        return _bytes(body, rng)
    return gzip.compress(_format_of(content)(content, rng), mtime=0)


def _zip(body: bytes, rng: Rng) -> bytes:
    """Damage within one member, packed again; a bomb is ingestion.archives' own test."""
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            parts = {name: archive.read(name) for name in archive.namelist()}
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, NotImplementedError, ValueError):
        return _bytes(body, rng)
    except (RuntimeError, struct.error):  # a flag of a password came about
        return _bytes(body, rng)
    if not parts:
        return _bytes(body, rng)
    name = one_of(rng, [*parts])
    parts[name] = _format_of(parts[name])(parts[name], rng)
    if rng.random() < 0.1:
        del parts[name]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for one, content in parts.items():
            archive.writestr(zipfile.ZipInfo(one), content)
    return packed.getvalue()


def _fit(body: bytes, rng: Rng) -> bytes:
    """Damage to the records, under a checksum that fits again."""
    inner = bytearray(body[body[0] : -2])
    for _ in range(one_of(rng, [1, 2, 5, 30])):
        if inner:
            inner[int(rng.integers(len(inner)))] = one_of(
                rng, [0, 1, 6, 255, 254, 127, int(rng.integers(256))]
            )
    head = struct.pack("<2BHI4s", 12, 0x20, 2000, len(inner), b".FIT")
    content = head + bytes(inner)
    return content + struct.pack("<H", compute_crc(content))
