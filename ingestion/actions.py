"""The actions that the dashboard is handed by name: `--actions ingestion.actions:actions`.

Enrolment, consent links, the state of each connection, and erasure. They take and give plain
values, raise warehouse.refused.Refused, and look themselves whether the person may: a page that
forgot to ask changes nothing.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from ingestion import erasing
from ingestion.consent_web import invite
from ingestion.enrolment import By, Enrolment
from ingestion.entry_checks import REVEALS_ARM, text_of
from ingestion.erased import find_erasure
from ingestion.grants import Grants
from ingestion.http import Patience, open_http
from ingestion.links import LINK_LASTS
from ingestion.pull import CONSENTED
from ingestion.settings import read_key, read_vendor
from warehouse import register as reg
from warehouse.home import Home, find_home, open_store
from warehouse.refused import Refused
from warehouse.tables import landed

PATIENCE = Patience(tries=3, longest_wait_seconds=5)  # somebody is waiting


@dataclass(frozen=True)
class Link:
    """A link to send to the participant alone. It is a secret: never log or store it."""

    url: str
    expires_at: datetime


class Actions(Enrolment):
    """Everything a person may do about participants."""

    @property
    def sources(self) -> tuple[str, ...]:
        """The sources that participants can be asked to connect, in the protocol's order."""
        told = self.store.study.wearables.sources
        return tuple(name for name in told if name in CONSENTED)

    def participants(self, by: By) -> list[dict[str, Any]]:
        """Everybody of the person's sites as the register has them now, by pseudonym.

        Roster columns (those that reveal arms for who sees them), `goals`, and `connections`: one
        for each source that was ever connected or invited, with state, since, next_step,
        last_pulled_at and link_expires_at (None: no link is open).
        """
        with self._told(by, "enrol"):
            one = reg.participant.c
            hidden = () if by.sees_arms else REVEALS_ARM
            columns = [one[name] for name in landed.participant.names if name not in hidden]
            query = sa.select(*columns).order_by(one.participant_id)
            if by.sites:
                query = query.where(one.site.in_(by.sites))
            connections = self._connections()
            return [
                row | {"connections": connections.get(row["participant_id"], [])}
                for row in self.store.register.rows(query)
            ]

    def goals(self, by: By, participant_id: str) -> list[dict[str, Any]]:
        """The goals of a participant as they have landed, by their first day.

        Refused where having one tells the arm, and the person must not know that.
        """
        with self._told(by, "enrol"):
            self._assert_goals(by)
            self._row(by, participant_id)
            rows = self.store.lake.read_rows(landed.goal).to_pylist()
            mine = [row for row in rows if row["participant_id"] == participant_id]
            return sorted(mine, key=lambda row: row["valid_from"])

    def connect_link(self, by: By, participant_id: str, source: str) -> Link:
        """A new link by which the participant connects; an older one of theirs ends.

        Good for one connection, until it expires. Of one whose account is to be another, `release`
        it first.
        """
        with self._told(by, "enrol"):
            self._row(by, participant_id)
            now = self._now()
            return Link(invite(self.store, source, participant_id, by.name), now + LINK_LASTS)

    def release(
        self, by: By, participant_id: str, source: str, why: str, all_days: bool = False
    ) -> str:
        """Let go of the account, so that another can be connected; returns what to do next.

        With `all_days` the account was never theirs: the next one's word replaces its days.
        """
        with self._told(by, "enrol"), open_http() as http:
            self._row(by, participant_id)
            reason = text_of("why", why)
            grants = Grants(self.store.register, read_key(), http, read_vendor, self._now)
            grant = grants.release(participant_id, source, reason, all_days, by.name)
            return grant.next_step or ""

    def erasable(self, by: By, participant_id: str) -> dict[str, int]:
        """What an erasure would remove, by kind: see ingestion.erasing.footprint."""
        with self._told(by, "erase"):
            self._may_erase(by, participant_id)
            return erasing.footprint(self.store, participant_id)

    def erase(self, by: By, participant_id: str, typed: str, why: str) -> erasing.Receipt:
        """Erase a participant for good; `typed` is the pseudonym, typed again.

        Broken off, it is finished by doing it again.
        """
        with self._told(by, "erase"):
            self._may_erase(by, participant_id)
            if typed != participant_id:
                raise Refused({"typed": "is not the pseudonym: type it exactly, to confirm"})
            reason = text_of("why", why)
            if participant_id.casefold() in reason.casefold():
                raise Refused({"why": "leave the pseudonym out: the reason stays for good"})
            with open_http() as http:
                return erasing.erase(
                    self.store, http, participant_id, by.name, reason, self._now(), PATIENCE
                )

    def _may_erase(self, by: By, participant_id: str) -> None:
        """Somebody of the person's sites, or of nobody's any more: an erasure that broke off."""
        with suppress(Refused):
            self._row(by, participant_id)
            return
        begun = find_erasure(self.store.register, participant_id)
        if by.sites or begun is None or begun["finished_at"] is not None:
            self._row(by, participant_id)

    def _connections(self) -> dict[str, list[dict[str, Any]]]:
        grant, link = reg.grant.c, reg.consent_link.c
        names = ("participant_id", "source", "state", "since", "next_step", "last_pulled_at")
        rows = self.store.register.rows(sa.select(*(grant[name] for name in names)))
        found = {(row["participant_id"], row["source"]): row for row in rows}
        unused = sa.select(link.participant_id, link.source, link.expires_at).where(
            link.used_at.is_(None), link.expires_at > self._now()
        )
        for row in self.store.register.rows(unused):
            key = (row["participant_id"], row["source"])
            blank = dict.fromkeys(names) | {"state": "never_connected"}
            one = found.setdefault(key, blank | {"participant_id": key[0], "source": key[1]})
            one["link_expires_at"] = row["expires_at"]
        by_who: dict[str, list[dict[str, Any]]] = {}
        for (who, _), row in sorted(found.items()):
            by_who.setdefault(who, []).append({"link_expires_at": None} | row)
        return by_who


def actions() -> Actions:
    """The actions of the study that the environment names, as its protocol stands now."""
    home = find_home()
    try:
        written = home.study_path.stat().st_mtime_ns
    except FileNotFoundError:
        written = 0  # opening says what is missing
    return _opened(home, written)


@lru_cache(maxsize=2)
def _opened(home: Home, written: int) -> Actions:
    return Actions(open_store(home))
