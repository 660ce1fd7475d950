"""Schema drift: where a reply differs from the vendor's published contract without harm.

A source declares the shape of its replies. A reply that fits is found so by decoding it strictly,
which a source can read its values from too; only one that does not is walked, and each place where
it differs is counted by field and kind (`ops.drift`), never by value. Readers tolerate it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Annotated, Any, Literal, NamedTuple, get_args

import msgspec
from msgspec import structs

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
    """The declared shape of a kind of reply; `read_as` is the struct its values are read by."""

    def __init__(self, spec: Spec, read_as: type[msgspec.Struct] | None = None) -> None:
        self.spec = spec
        self.read_as = read_as

    @cached_property
    def _decoder(self) -> msgspec.json.Decoder[Any]:
        return msgspec.json.Decoder(_type_of(self.spec, self.read_as))

    def decoded(self, body: bytes) -> Any:
        """A body that is of this shape exactly, its values under the names and with the defaults of
        `read_as`; None for any other body, be it JSON or not."""
        try:
            return self._decoder.decode(body)
        except NOT_JSON:
            return None


def drift_of(data_type: str, body: bytes, shape: Shape) -> Counter[Drift]:
    """Each difference of a reply's body from its shape, and how often; none of what is no JSON."""
    return Counter() if shape.decoded(body) else differences(data_type, body, shape)


def differences(data_type: str, body: bytes, shape: Shape) -> Counter[Drift]:
    """The same of a body that is known not to be of the shape exactly."""
    found: Counter[Drift] = Counter()
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


def _type_of(spec: Spec, read_as: Any = None) -> Any:
    """The spec as a type that msgspec checks in one pass; objects are like the struct `read_as`."""
    if isinstance(spec, str):
        return _SIMPLE[spec]
    if isinstance(spec, frozenset):
        return Literal[tuple(sorted(spec))]
    if isinstance(spec, list):
        element = _type_of(spec[0], read_as)
        return list[element if read_as else _or_null(element)]  # type: ignore[misc]
    known = {field.encode_name: field for field in structs.fields(read_as)} if read_as else {}
    named = {known[name].name if name in known else f"f{n}": name for n, name in enumerate(spec)}
    fields = [_field(own, spec[name], known.get(name)) for own, name in named.items()]
    return msgspec.defstruct("Part", fields, rename=named, forbid_unknown_fields=True, gc=False)


def _field(own: str, spec: Spec, like: structs.FieldInfo | None) -> tuple[str, Any, Any]:
    """A field of a struct: its name, type and default; null is refused where `like` refuses it."""
    if like is None:
        return own, _or_null(_type_of(spec)), None
    kind = _type_of(spec, _struct_in(like.type))
    refuses = type(None) not in get_args(like.type)
    default = msgspec.field(default_factory=like.default_factory)
    if like.default is not msgspec.NODEFAULT:
        default = like.default
    return own, kind if refuses else _or_null(kind), default


def _or_null(kind: Any) -> Any:
    return kind if kind is msgspec.Raw else kind | None


def _struct_in(kind: Any) -> Any:
    """The struct that a type is, or is a list of or has for a choice; None without one."""
    if parts := get_args(kind):
        return next(filter(None, map(_struct_in, parts)), None)
    return kind if isinstance(kind, type) and issubclass(kind, msgspec.Struct) else None


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
