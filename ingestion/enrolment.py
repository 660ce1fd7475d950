"""What a person of the study team may do about participants: the actions behind a page or command.

Everything is checked first, then kept raw and landed (ingestion.entries), and on the audit trail
with who and why. What an EDC tells of a participant is changed there, not here. Every refusal is a
warehouse.refused.Refused: nothing was changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from ingestion import clock
from ingestion.edc import owned_columns, owned_goals
from ingestion.entries import enter
from ingestion.entry_checks import (
    ENROL,
    PAUSE,
    REVEALS_ARM,
    check_goal_day,
    check_row,
    text_of,
    typed,
    typed_goal,
)
from ingestion.erased import erased_among
from ingestion.errors import SourceError
from ingestion.pseudonyms import fault_of, read_rule
from warehouse import register as reg
from warehouse.home import Store
from warehouse.refused import Refused
from warehouse.register import LeaseBusy


class By(Protocol):
    """Who does it. Empty `sites` means every site; `may` are names of warehouse.rights.RIGHTS."""

    @property
    def name(self) -> str: ...
    @property
    def sees_arms(self) -> bool: ...
    @property
    def sites(self) -> tuple[str, ...]: ...
    @property
    def may(self) -> tuple[str, ...]: ...


@dataclass(frozen=True)
class Someone:
    """A person with every right unless told."""

    name: str
    sees_arms: bool = True
    sites: tuple[str, ...] = ()
    may: tuple[str, ...] = ("enrol", "erase")


@dataclass(frozen=True)
class Done:
    """What was entered: of whom, and what the person should know."""

    participant_id: str
    notes: list[str] = field(default_factory=list)


class Enrolment:
    """The actions over a study."""

    def __init__(self, store: Store, now: Callable[[], datetime] = clock.now) -> None:
        self.store, self._now = store, now

    def propose(self, by: By) -> str:
        """The next free pseudonym by the study's rule (ingestion.pseudonyms)."""
        with self._told(by, "enrol"):
            return self._next()

    def enrol(
        self, by: By, given: Mapping[str, Any], participant_id: str = "", why: str = ""
    ) -> Done:
        """Put somebody on the roster; `given` are roster columns, blanks left out or None.

        Needed are site and enrolled_on. Without `participant_id` the next pseudonym is made;
        without starts_on study day 1 is the day after enrolment, the first full one; without
        timezone it is the site's. Arm and therapist may be given by a role that sees arms alone.
        """
        with self._told(by, "enrol"), self.store.register.leased("enrol"):
            fields = {name: value for name, value in self._typed(by, given, ENROL).items()
                      if value is not None}  # fmt: skip
            if fields.get("enrolled_on") and "starts_on" not in fields:
                fields["starts_on"] = fields["enrolled_on"] + timedelta(days=1)
            check_row(self.store.study, fields, self._today(fields))
            self._assert_site(by, fields["site"])
            who = self._new(participant_id.strip())
            enter(self.store, who, "enrol", fields, by.name, text_of("why", why, needed=False))
        return Done(who, self._notes_on_new())

    def change(self, by: By, participant_id: str, given: Mapping[str, Any], why: str) -> Done:
        """Mend columns of somebody's roster row; only those given are changed."""
        return self._enter(by, participant_id, "change", given, why)

    def pause(
        self, by: By, participant_id: str, paused_from: Any, paused_to: Any, why: str
    ) -> Done:
        """Pause from a day to a day, both paused; no `paused_to` while it lasts.

        The register has one pause: another one takes its place, and `notes` say so. Both blank
        take the pause back.
        """
        days = {"paused_from": paused_from, "paused_to": paused_to}
        return self._enter(by, participant_id, "pause", days, why, PAUSE)

    def withdraw(self, by: By, participant_id: str, withdrawn_on: Any, why: str) -> Done:
        """Withdraw on a day: the last one counted is the day before. A blank takes it back.

        What was collected stays; nothing after that day is asked for, and no new link is given.
        """
        fields = {"withdrawn_on": withdrawn_on}
        return self._enter(by, participant_id, "withdraw", fields, why, ("withdrawn_on",))

    def goal(
        self, by: By, participant_id: str, valid_from: Any, goal_steps: Any, why: str,
        rule: str = "coordinator",
    ) -> Done:  # fmt: skip
        """Set the daily goal from a day on; one that begins on that day is replaced.

        Without `goal_steps` the one that begins on that day is taken back.
        """
        with self._told(by, "enrol"):
            self._assert_goals(by)
            row = self._row(by, participant_id)
            fields = typed_goal(self.store.study, valid_from, goal_steps, rule)
            if where := owned_goals(self.store, participant_id):
                raise Refused({"goal_steps": where})
            check_goal_day(self.store.study, row, fields["valid_from"])
            enter(self.store, participant_id, "goal", fields, by.name, text_of("why", why))
        return Done(participant_id)

    def owned(self, by: By, participant_id: str) -> dict[str, str]:
        """Columns that an EDC tells of this participant, each with where to change it."""
        with self._told(by, "enrol"):
            self._row(by, participant_id)
            found = owned_columns(self.store, participant_id)
            goals = owned_goals(self.store, participant_id)
            return found | ({"goal_steps": goals} if goals else {})

    def _enter(
        self, by: By, participant_id: str, kind: str, given: Mapping[str, Any], why: str,
        allowed: tuple[str, ...] = ENROL,
    ) -> Done:  # fmt: skip
        with self._told(by, "enrol"):
            row = self._row(by, participant_id)
            fields = self._typed(by, given, allowed)
            owned = owned_columns(self.store, participant_id)
            if faults := {name: owned[name] for name in fields if name in owned}:
                raise Refused(faults)
            new = row | fields
            check_row(self.store.study, new, self._today(new))
            self._assert_site(by, new["site"])
            reason = text_of("why", why)
            notes = _notes_on_pause(row, fields) if kind == "pause" else []
            enter(self.store, participant_id, kind, fields, by.name, reason)
        return Done(participant_id, notes)

    @contextmanager
    def _told(self, by: By, right: str) -> Iterator[None]:
        """Every error that a person can act on, as a Refused."""
        if right not in by.may:
            raise Refused(f"your role may not do this; it needs the right {right!r}")
        try:
            yield
        except (SourceError, LeaseBusy) as error:
            raise Refused(str(error)) from None

    def _typed(self, by: By, given: Mapping[str, Any], allowed: tuple[str, ...]) -> dict[str, Any]:
        hidden = [] if by.sees_arms else [name for name in REVEALS_ARM if given.get(name)]
        if hidden:
            words = "is for a role that sees arms: it comes from the EDC, or from such a role"
            raise Refused(dict.fromkeys(hidden, words))
        if not by.sees_arms:
            given = {name: one for name, one in given.items() if name not in REVEALS_ARM}
        return typed(self.store.study, given, allowed)

    def _row(self, by: By, participant_id: str) -> dict[str, Any]:
        """The participant's row; Refused alike for one who is not there and one who is hidden."""
        mine = reg.participant.c.participant_id == participant_id
        rows = self.store.register.rows(sa.select(reg.participant).where(mine))
        if not rows or (by.sites and rows[0]["site"] not in by.sites):
            raise Refused({"participant_id": "is nobody's on the roster of your sites"})
        return rows[0]

    def _new(self, participant_id: str) -> str:
        """A pseudonym that nobody has; the one given, or the next."""
        if not participant_id:
            return self._next()
        fault = fault_of(participant_id, read_rule(self.store.study))
        if not fault and participant_id.casefold() in {one.casefold() for one in self._used()}:
            fault = "is somebody's already; give another"
        if not fault and erased_among(self.store.register, [participant_id]):
            fault = "was erased, and is never given again; give another"
        if fault:
            raise Refused({"participant_id": fault})
        return participant_id

    def _next(self) -> str:
        register = self.store.register
        return read_rule(self.store.study).next_after(
            self._used(), lambda one: bool(erased_among(register, [one]))
        )

    def _used(self) -> list[str]:
        rows = self.store.register.rows(sa.select(reg.participant.c.participant_id))
        return [row["participant_id"] for row in rows]

    def _assert_site(self, by: By, site: str) -> None:
        if by.sites and site not in by.sites:
            raise Refused({"site": f"is not yours; give one of {', '.join(by.sites)}"})

    def _assert_goals(self, by: By) -> None:
        """Refused where having a goal tells the arm, and the person must not know that."""
        if self.store.study.goals_reveal_arm and not by.sees_arms:
            raise Refused("in this study a goal tells the arm: it is for a role that sees arms")

    def _today(self, row: Mapping[str, Any]) -> date:
        """Today where the participant lives, as far as that is known."""
        sites = {one.code: one.timezone for one in self.store.study.sites}
        zone = row.get("timezone") or sites.get(row.get("site") or "") or "UTC"
        return self._now().astimezone(ZoneInfo(zone)).date()

    def _notes_on_new(self) -> list[str]:
        if "roster" not in self.store.study.sources.get("redcap", {}):
            return []
        return ["Once REDCap's roster tells of this participant, its word holds."]


def _notes_on_pause(row: Mapping[str, Any], fields: Mapping[str, Any]) -> list[str]:
    """What the new pause does to the one before it."""
    first, last = row["paused_from"], row["paused_to"]
    if first is None or fields["paused_from"] is None:
        return []
    until = fields["paused_to"] or date.max
    if fields["paused_from"] <= first and (last or date.max) <= until:
        return []
    told = f"{first} to {last}" if last else f"since {first}"
    return [f"The earlier pause ({told}) was replaced: its days outside this one count again."]
