"""What the dashboard may have done for it: enrolment, consent links, erasure.

They are ingestion's, which this layer does not know: the server is given them by name
(`--actions MODULE:FUNCTION`), as it is given the pages of consent. Without them the page that needs
them says how to get them.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, cast

from dashboard.shell import Page

VARIABLE = "STEPWELL_ACTIONS"


@dataclass(frozen=True)
class By:
    """The viewer to an action. `sees_arms` only once the arms are open, on the audit trail."""

    name: str
    sees_arms: bool
    sites: tuple[str, ...]
    may: tuple[str, ...]


class Done(Protocol):
    """What was entered: of whom, and what the person should know."""

    participant_id: str
    notes: list[str]


class Link(Protocol):
    """A link for one participant: a secret, shown to whoever asked for it and kept nowhere."""

    url: str
    expires_at: datetime


class Receipt(Protocol):
    """What an erasure removed, by kind, and what is left to do."""

    removed: dict[str, int]
    notes: list[str]


class Actions(Protocol):
    """Each raises warehouse.refused.Refused, with faults by field, where it cannot be done."""

    @property
    def sources(self) -> tuple[str, ...]: ...

    def propose(self, by: By) -> str: ...

    def participants(self, by: By) -> list[dict[str, Any]]: ...

    def goals(self, by: By, participant_id: str) -> list[dict[str, Any]]: ...

    def owned(self, by: By, participant_id: str) -> dict[str, str]: ...

    def enrol(
        self, by: By, given: Mapping[str, Any], participant_id: str = "", why: str = ""
    ) -> Done: ...

    def change(self, by: By, participant_id: str, given: Mapping[str, Any], why: str) -> Done: ...

    def goal(
        self, by: By, participant_id: str, valid_from: Any, goal_steps: Any, why: str
    ) -> Done: ...

    def pause(
        self, by: By, participant_id: str, paused_from: Any, paused_to: Any, why: str
    ) -> Done: ...

    def withdraw(self, by: By, participant_id: str, withdrawn_on: Any, why: str) -> Done: ...

    def connect_link(self, by: By, participant_id: str, source: str) -> Link: ...

    def release(
        self, by: By, participant_id: str, source: str, why: str, all_days: bool = False
    ) -> str: ...

    def erasable(self, by: By, participant_id: str) -> dict[str, int]: ...

    def erase(self, by: By, participant_id: str, typed: str, why: str) -> Receipt: ...


def given() -> Actions | None:
    """The actions that this server was given, or None."""
    module, _, function = os.environ.get(VARIABLE, "").partition(":")
    if not (module and function):
        return None
    return cast(Actions, getattr(importlib.import_module(module), function)())


def by(page: Page) -> By:
    """The viewer of a page; who has not opened the arms there neither sees nor sets one."""
    viewer = page.viewer
    open_arms = viewer.sees_arms and not page.build["masked"]
    return By(f"{viewer.name}, {viewer.role}", open_arms, viewer.sites, viewer.may)
