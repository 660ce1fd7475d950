"""What a fault is made of: whom it can befall, its arguments, and how it shows in a reply."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ingestion.simulator.http import Reply, Request

if TYPE_CHECKING:
    from ingestion.simulator.server import Simulator

EVERYBODY = ("google", "fitbit", "redcap")


@dataclasses.dataclass(frozen=True)
class Due:
    """A fault that is due for one request; `number` is that of the armed one, None if unasked."""

    sim: Simulator
    personality: str
    request: Request
    who: str | None
    name: str
    args: dict[str, Any]
    number: int | None = None

    @property
    def path(self) -> str:
        return self.request.path


@dataclasses.dataclass(frozen=True)
class Arg:
    """An argument: `allowed` in words for an error, and whether a value is one of them."""

    allowed: str
    fits: Callable[[Any], bool]
    needed: bool = False


@dataclasses.dataclass(frozen=True)
class Kind:
    """A fault of the catalogue.

    `instead` gives the reply in place of the vendor's, `spoil` makes one of the vendor's own.
    Either gives None where the fault has no bearing on this request: then it is not used up.
    """

    of: tuple[str, ...] = EVERYBODY
    args: dict[str, Arg] = dataclasses.field(default_factory=dict)
    instead: Callable[[Due], Reply | None] | None = None
    spoil: Callable[[Due, Reply], Reply | None] | None = None


def one_of(*values: str | int) -> Arg:
    """One of some values."""
    return Arg(", ".join(map(repr, values)), lambda value: value in values)


def whole(low: int, high: int) -> Arg:
    """A whole number within bounds, both included."""
    return Arg(f"a whole number from {low} to {high}", lambda v: is_whole(v) and low <= v <= high)


def text() -> Arg:
    """A text that has to be given."""
    return Arg("a text", lambda value: isinstance(value, str) and bool(value), needed=True)


def is_whole(value: Any) -> bool:
    """Whether it is a whole number; true and false are none."""
    return isinstance(value, int) and not isinstance(value, bool)


def is_instant(value: Any) -> bool:
    """Whether it is an ISO instant with an offset."""
    try:
        return isinstance(value, str) and datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False


YES_NO = Arg("true or false", lambda value: isinstance(value, bool))
INSTANT = Arg("an instant such as 2026-02-02T06:00:00+00:00", is_instant)
HOLDS = {"from": INSTANT, "until": INSTANT}  # of every fault
