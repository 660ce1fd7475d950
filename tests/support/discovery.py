"""JSON checked against a Google discovery document, and shapes of JSON compared."""

from __future__ import annotations

import gzip
import json
import math
import re
from typing import Any

from support.shared import shared_data

_DAYS = r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])"
DATETIME = re.compile(rf"{_DAYS}T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{{1,9}})?Z")
DURATION = re.compile(r"-?\d+(\.\d{1,9})?s")
NOT_FINITE = ("NaN", "Infinity", "-Infinity")


def discovery() -> dict[str, Any]:
    """The document of health:v4; skips the test where the data are absent."""
    path = shared_data("google_health_api") / "health.v4.discovery.json.gz"
    document: dict[str, Any] = json.loads(gzip.decompress(path.read_bytes()))
    return document


def wrong_with(value: Any, kind: str, schemas: dict[str, Any]) -> list[str]:
    """Every place of `value` that is not of schema `kind`: unknown keys, types, formats, enums."""
    return _wrong(value, {"$ref": kind}, schemas, kind)


def _wrong(value: Any, schema: dict[str, Any], schemas: dict[str, Any], at: str) -> list[str]:
    if "$ref" in schema:
        schema = schemas[schema["$ref"]]
    if schema["type"] == "array":
        if not isinstance(value, list):
            return [f"{at}: not a list"]
        parts = [_wrong(v, schema["items"], schemas, f"{at}[{n}]") for n, v in enumerate(value)]
        return [line for part in parts for line in part]
    if schema["type"] == "object":
        return _wrong_object(value, schema, schemas, at)
    return [] if _fits(value, schema) else [f"{at}: {value!r} is no {_name(schema)}"]


def _wrong_object(
    value: Any, schema: dict[str, Any], schemas: dict[str, Any], at: str
) -> list[str]:
    if not isinstance(value, dict):
        return [f"{at}: not an object"]
    known, rest = schema.get("properties", {}), schema.get("additionalProperties")
    found = []
    for name, inner in value.items():
        if name in known or rest:
            found += _wrong(inner, known.get(name, rest), schemas, f"{at}.{name}")
        else:
            found.append(f"{at}.{name}: unknown")
    return found


def _name(schema: dict[str, Any]) -> str:
    words = [schema["type"], schema.get("format", ""), "of its enum" if "enum" in schema else ""]
    return " ".join(filter(None, words))


def _fits(value: Any, schema: dict[str, Any]) -> bool:
    kind, form = schema["type"], schema.get("format", "")
    if kind == "any":
        return True
    if kind == "boolean":
        return isinstance(value, bool)
    if kind == "string":
        return isinstance(value, str) and value in schema.get("enum", [value]) and _formed(
            value, form
        )  # fmt: skip
    if isinstance(value, bool):
        return False
    if kind == "integer":
        return isinstance(value, int) and -(2**31) <= value < 2**31
    if isinstance(value, str):
        return value in NOT_FINITE
    return isinstance(value, int | float) and math.isfinite(value)


def _formed(value: str, form: str) -> bool:
    if form in ("int64", "uint64"):
        low, high = (0, 2**64) if form == "uint64" else (-(2**63), 2**63)
        return bool(re.fullmatch(r"-?\d+", value)) and low <= int(value) < high
    pattern = {"google-datetime": DATETIME, "google-duration": DURATION}.get(form)
    return pattern is None or bool(pattern.fullmatch(value))


def shape(value: Any, at: str = "") -> set[tuple[str, str]]:
    """(path, JSON type) of everything in a value; the items of a list share one path."""
    if isinstance(value, dict):
        parts = [shape(inner, f"{at}.{name}") for name, inner in value.items()]
        return {(at, "object")}.union(*parts)
    if isinstance(value, list):
        return {(at, "array")}.union(*(shape(inner, f"{at}[]") for inner in value))
    if value is None or isinstance(value, bool):
        return {(at, "null" if value is None else "boolean")}
    return {(at, "string" if isinstance(value, str) else "number")}
