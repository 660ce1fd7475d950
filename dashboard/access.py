"""Who looks, and what they may see.

The embedded default is one local user without sign-in, whose role comes from STEPWELL_ROLE. A role
that does not see arms never opens a file that holds them: the blind is in the data. Every view of
one that does is written to the audit trail before it is shown.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime

from warehouse.register import Register
from warehouse.study import Study


class UnknownRole(ValueError):
    """STEPWELL_ROLE names no role of study.toml; the message lists those it defines."""


@dataclass(frozen=True)
class Viewer:
    """The person at the screen. Empty `sites` means every site."""

    name: str
    role: str
    sees_arms: bool
    sites: tuple[str, ...]


def viewer_of(study: Study) -> Viewer:
    """The local user in the role of STEPWELL_ROLE (coordinator when unset)."""
    code = os.environ.get("STEPWELL_ROLE", "coordinator")
    for role in study.roles:
        if role.code == code:
            return Viewer("local user (no sign-in)", code, role.sees_arms, tuple(role.sites))
    known = ", ".join(role.code for role in study.roles)
    raise UnknownRole(f"STEPWELL_ROLE names a role that study.toml does not define; known: {known}")


def record_unblinded_view(viewer: Viewer, register_url: str, build_id: str, page: str) -> None:
    """Write to the audit trail that this viewer opened `page` of a build that shows the arms."""
    register = Register(register_url)
    try:
        register.record(
            who=f"{viewer.name}, {viewer.role}",
            what="unblinded view",
            at=datetime.now(UTC),
            subject=page,
            new=build_id,
        )
    finally:
        register.close()
