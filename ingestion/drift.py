"""Schema drift: where a reply differs from the vendor's published contract without harm.

A source declares the shape of its replies. A reply that fits is found so in one pass that builds
nothing; only one that does not is walked, and each place where it differs is counted by field and
kind (`ops.drift`). Readers tolerate it; here it is told. No value leaves this module.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Annotated, Any, Literal, NamedTuple

import msgspec

from ingestion.errors import NOT_JSON

MOST_PLACES = 50  # different ones told of one reply; a body of random names says no more
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,39}")
_WHOLE = r"^-?[0-9]{1,19}$"
_NOT_NUMBERS = {"nan", "infinity", "-infinity", "inf", "-inf", "+inf"}
_SIMPLE: dict[str, Any] = {
    "text": str,
    "int64": Annotated[str, msgspec.Meta(pattern=_WHOLE)],  # as Google writes it
    "integer": int,
    "number": float,
    "any": msgspec.Raw,
}
# An object by its fields, a list by its element in brackets, a set of allowed words, or one of
# _SIMPLE. Fields may be missing or null everywhere.
Spec = Mapping[str, Any] | list[Any] | frozenset[str] | str


class Drift(NamedTuple):
    """A field that differs, and how (`warehouse.tables.quality.DRIFT_KINDS`)."""

    data_type: str
    field_path: str
    kind: str


class Shape:
    """The declared shape of a kind of reply."""

    def __init__(self, spec: Spec) -> None:
        self.spec = spec

    @cached_property
    def _decoder(self) -> msgspec.json.Decoder[Any]:
        return msgspec.json.Decoder(_type_of(self.spec))

    def fits(self, body: bytes) -> bool:
        """Whether the body is of this shape exactly, or no JSON at all, which is no drift."""
        try:
            self._decoder.decode(body)
        except msgspec.ValidationError:
            return False
        except NOT_JSON:
            return True
        return True


def drift_of(data_type: str, body: bytes, shape: Shape) -> Counter[Drift]:
    """Each difference of a reply's body from its shape, and how often it occurs."""
    found: Counter[Drift] = Counter()
    if shape.fits(body):
        return found
    try:
        content = msgspec.json.decode(body)
    except NOT_JSON:
        return found
    for path, kind in _walk(content, shape.spec, ""):
        place = Drift(data_type, path or "body", kind)
        if place not in found and len(found) >= MOST_PLACES:
            place = Drift(data_type, "?", kind)
        found[place] += 1
    return found


def _type_of(spec: Spec) -> Any:
    """The spec as a type that msgspec checks in one pass."""
    if isinstance(spec, str):
        return _SIMPLE[spec] | None if spec != "any" else msgspec.Raw
    if isinstance(spec, frozenset):
        return Literal[tuple(sorted(spec))] | None
    if isinstance(spec, list):
        return list[_type_of(spec[0])] | None  # type: ignore[misc]
    fields = [(f"f{n}", _type_of(inner), None) for n, inner in enumerate(spec.values())]
    names = {f"f{n}": name for n, name in enumerate(spec)}
    made = msgspec.defstruct("Part", fields, rename=names, forbid_unknown_fields=True, gc=False)
    return made | None


def _walk(value: Any, spec: Spec, path: str) -> Iterator[tuple[str, str]]:
    if value is None or spec == "any":
        return
    if isinstance(spec, list):
        if not isinstance(value, list):
            yield path, "other_type"
            return
        for item in value:
            yield from _walk(item, spec[0], f"{path}[]")
    elif isinstance(spec, Mapping):
        yield from _walk_object(value, spec, path)
    elif kind := _difference(value, spec):
        yield path, kind


def _walk_object(value: Any, spec: Mapping[str, Any], path: str) -> Iterator[tuple[str, str]]:
    if not isinstance(value, dict):
        yield path, "other_type"
        return
    for name, inner in value.items():
        below = f"{path}.{_shown(name)}".lstrip(".")
        if name in spec:
            yield from _walk(inner, spec[name], below)
        else:
            yield below, "new_field"


def _shown(name: str) -> str:
    """A field's name; what looks like no name may be a value used as one."""
    return name if _NAME.fullmatch(name) else "?"


def _difference(value: Any, spec: frozenset[str] | str) -> str:
    if isinstance(value, bool | list | dict):
        return "other_type"
    if isinstance(spec, frozenset):
        return (
            "" if value in spec else ("unknown_value" if isinstance(value, str) else "other_type")
        )
    if spec in ("text", "int64"):
        return _of_text(value, spec)
    return _of_number(value, spec)


def _of_text(value: str | int | float, spec: str) -> str:
    if not isinstance(value, str):
        return "text_as_number"
    if spec == "text" or re.fullmatch(_WHOLE, value):
        return ""
    return "not_a_number" if value.lower() in _NOT_NUMBERS else "other_type"


def _of_number(value: str | int | float, spec: str) -> str:
    if isinstance(value, int):
        return ""
    if isinstance(value, float):
        return "" if spec == "number" else "other_type"
    if value.lower() in _NOT_NUMBERS:
        return "not_a_number"
    try:
        float(value)
    except ValueError:
        return "other_type"
    return "number_as_text"
