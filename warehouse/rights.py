"""What a role may do. `may` of a [[roles]] in study.toml lists names of these."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict

from warehouse.study_parts import Code

RIGHTS = {
    "contact": "log contacts and notes, and put a row of the work list off",
    "enrol": "enrol, pause and withdraw participants, set their goals, and send links of consent",
    "erase": "erase a participant's data",
    "export": "download the published file and its tables",
    "audit": "read the audit trail",
    "staff": "see who has which role",
}
# Of a role that says nothing, as none did before there were rights.
_MASKED, _UNBLINDED = ("contact", "enrol", "export"), ("export",)


def _right(name: str) -> str:
    if name not in RIGHTS:
        raise ValueError(f"unknown right {name!r}; known: {', '.join(RIGHTS)}")
    return name


class Role(BaseModel):
    """Who may see and do what: arms or none, some sites or (with none given) all, some rights."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    code: Code
    sees_arms: bool = False
    sites: list[Code] = []
    may: list[Annotated[str, AfterValidator(_right)]] | None = None

    @property
    def rights(self) -> tuple[str, ...]:
        """Names of RIGHTS, in their order; a role without `may` has those of the daily work."""
        given = (_UNBLINDED if self.sees_arms else _MASKED) if self.may is None else self.may
        return tuple(right for right in RIGHTS if right in given)
