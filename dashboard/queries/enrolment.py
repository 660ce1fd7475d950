"""Who is on the roster and how each is connected, for the enrolment page.

Asked of the register, through the actions the server was given, and not of the published file: what
somebody has just entered must be there at once. So nothing here has a question of SQL to show.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

# Of several connections the first of these that any has is the participant's state.
_ORDER = (
    "scope_missing", "wrong_account", "not_linked", "revoked", "expired", "retired",
    "never_connected", "invited", "active", "paused", "withdrawn",
)  # fmt: skip
_FIRST = ("active", "scope_missing", "wrong_account", "not_linked", "revoked", "expired", "retired")


def listed(
    everybody: Sequence[dict[str, Any]], site: str | None, state: str | None, search: str, on: date
) -> list[dict[str, Any]]:
    """The participants that a filter leaves, each with its `state` and `next_step`; those who
    need somebody come first."""
    wanted = search.strip().casefold()
    rows = [one | state_of(one, on) for one in everybody if site in (None, one["site"])]
    left = [
        row
        for row in rows
        if state in (None, row["state"]) and wanted in row["participant_id"].casefold()
    ]
    return sorted(left, key=lambda row: (_ORDER.index(row["state"]), row["participant_id"]))


def state_of(person: dict[str, Any], on: date) -> dict[str, Any]:
    """How a participant stands on a day: withdrawn, paused, or how their account is connected."""
    if person["withdrawn_on"] and person["withdrawn_on"] <= on:
        return {"state": "withdrawn", "next_step": None}
    first, last = person["paused_from"], person["paused_to"]
    if first and first <= on and (last is None or on <= last):
        return {"state": "paused", "next_step": None}
    connections = sorted(
        (one for one in person["connections"] if one["state"] in _FIRST),
        key=lambda one: _FIRST.index(one["state"]),
    )
    if connections:
        return {name: connections[0][name] for name in ("state", "next_step")}
    invited = any(one["link_expires_at"] for one in person["connections"])
    return {"state": "invited" if invited else "never_connected", "next_step": None}
