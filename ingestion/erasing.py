"""Erasing a participant: nothing of them is left but a receipt that holds no personal data.

In this order, so that a killed erasure is finished by running it again: a tombstone by keyed hash
(from then on nothing of theirs lands), the permission at the vendor and its token, links; landed
rows and raw replies, source by source; under the lock of builds the published files, and last, in
one transaction, their rows of the register with the receipt.

What stays: lines of the audit trail about the pseudonym, which nobody may change; and what lies
outside this study's places, as backups and downloads do.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx
import sqlalchemy as sa

from ingestion.erased import find_erasure, mark_erased
from ingestion.erasing_raw import count_own, erase_raw
from ingestion.errors import ConsentLost, Misconfigured, SourceError
from ingestion.grant_rows import grant_of, lease_of
from ingestion.grants import LEASE_WAIT_SECONDS
from ingestion.http import PATIENCE, Patience
from ingestion.landing import IMPORTED
from ingestion.links import Links
from ingestion.settings import SCOPES, read_key, read_vendor
from ingestion.source import all_sources
from ingestion.tokens import Token, revoke_token
from warehouse import erasing
from warehouse import register as reg
from warehouse.home import Store
from warehouse.lake import days_lease
from warehouse.tables import landed

WAIT = 600  # seconds, for a pull or import that is under way
_WHOLE_MONTHS = "warehouse"  # the lock of builds and compaction
_OF_ONE = [t for t in reg.metadata.sorted_tables if "participant_id" in t.c]


@dataclass
class Receipt:
    """What an erasure did. `removed` are counts by what it was; `notes` what is left to do."""

    removed: dict[str, int]
    notes: list[str] = field(default_factory=list)


def footprint(store: Store, participant_id: str) -> dict[str, int]:
    """What there is of a participant, by kind, of all that can be counted without reading replies.

    Rows of the lake by table, rows of the register by table, bundles of raw replies of their own
    (`raw_reply`), and stamped builds (`build`), which all hold them. Answers and sessions are not
    counted: how many there are can tell the arm, to whoever reads this or the receipt; nor are
    goals where `goals.arms` gives them to some arms alone.
    """
    buckets = _buckets(store, participant_id)
    found = {
        table.name: erasing.count_rows(store.lake, table, buckets, participant_id)
        for table in (landed.activity_day, landed.goal)
        if table is not landed.goal or not store.study.goals_reveal_arm
    }
    sources = all_sources()
    found["raw_reply"] = sum(count_own(store.lake, name, participant_id) for name in sources)
    for kept in _OF_ONE:
        mine = kept.c.participant_id == participant_id
        query = sa.select(sa.func.count().label("rows")).select_from(kept).where(mine)
        found[kept.name] = store.register.rows(query)[0]["rows"]
    found["build"] = erasing.count_builds(store.home)
    return {name: count for name, count in found.items() if count}


def erase(
    store: Store, http: httpx.Client, participant_id: str, who: str, why: str, now: datetime,
    patience: Patience = PATIENCE,
) -> Receipt:  # fmt: skip
    """Erase a participant; one whom an earlier, killed erasure left half-way is finished.

    Misconfigured without STEPWELL_KEY, and where there is nothing of them; LeaseBusy when a pull
    or a build takes too long: run it again.
    """
    done = find_erasure(store.register, participant_id)
    found = footprint(store, participant_id)
    found.pop("build", None)  # they hold others too
    if not (found or (done and done["finished_at"] is None)):
        raise Misconfigured(f"there is nothing of {participant_id} here")
    with (
        store.register.leased(f"erase {participant_id}"),
        store.register.leased(f"enter {participant_id}", WAIT),
    ):
        first = json.loads(done["removed"]) if done else {}
        receipt = Receipt(found | first)
        digest = mark_erased(store.register, participant_id, now, json.dumps(receipt.removed))
        receipt.notes += _end_permissions(store, http, participant_id, patience)
        receipt.removed["shared_raw_reply"] = _erase_lake(store, participant_id)
        _erase_published(store, participant_id, digest, receipt, who, why, now)
        store.register.empty_log()
    if "redcap" in store.study.sources:
        receipt.notes.append("REDCap has a record of its own: delete it there too.")
    return receipt


def _end_permissions(
    store: Store, http: httpx.Client, participant_id: str, patience: Patience
) -> list[str]:
    """Revoke and forget every grant, and links; what could not be revoked is said."""
    notes = []
    mine = reg.grant.c.participant_id == participant_id
    batch, *_ = _buckets(store, participant_id)
    for row in store.register.rows(sa.select(reg.grant).where(mine)):
        source = row["source"]
        with (
            store.register.leased(_pull_lease(source, batch), WAIT),
            store.register.leased(lease_of(participant_id, source), LEASE_WAIT_SECONDS),
        ):
            if source in SCOPES and row["token"] and not _revoked(http, row, patience):
                notes.append(
                    f"{source}: the permission could not be ended at the vendor; ask the "
                    "participant to remove Stepwell among the connected apps of their account."
                )
            with store.register.begin() as con:
                con.execute(sa.delete(reg.grant).where(mine, reg.grant.c.source == source))
    Links(store.register, read_key()).forget(participant_id)
    return notes


def _revoked(http: httpx.Client, row: Mapping[str, Any], patience: Patience) -> bool:
    """Whether the vendor no longer takes the grant's tokens."""
    try:
        vendor = read_vendor(row["source"])
        grant = grant_of(dict(row), read_key())
        held = grant.unconfirmed.token if grant.unconfirmed else None
        for token in (grant.token, held):
            if isinstance(token, Token):
                _revoke(http, vendor, token, patience)
    except ConsentLost:
        return True  # it had ended already
    except SourceError:
        return False
    return True


def _revoke(http: httpx.Client, vendor: Any, token: Token, patience: Patience) -> None:
    patience.persist(lambda: revoke_token(http, vendor, token))


def _erase_lake(store: Store, participant_id: str) -> int:
    """Landed rows and raw replies of every source, each under the locks of those who land them.

    Returns how many bundles of raw replies of many people held the participant.
    """
    shared = 0
    buckets = _buckets(store, participant_id)
    for source in all_sources():
        for bucket in buckets:
            with (
                store.register.leased(_pull_lease(source, bucket), WAIT),
                store.register.leased(days_lease(source, bucket), WAIT),
            ):
                _erase_files(store, participant_id, source, bucket)
        with (
            store.register.leased(f"import {source}", WAIT),
            store.register.leased(f"pull {source} roster", WAIT),
        ):
            imported = _imports_of(store, source, participant_id)
            shared += erase_raw(store.lake, store.study, source, participant_id, imported)
    return shared


def _erase_files(store: Store, participant_id: str, source: str, bucket: str) -> None:
    """The rows in the files of one source and batch; months' files are the builds' to lock."""
    for table in erasing.ROWS:
        for path in erasing.files_of(store.lake, table, [bucket]):
            if f"/source={source}/" in path and "/month=" not in path:
                erasing.erase_rows(store.lake, table, path, participant_id)


def _erase_published(
    store: Store, participant_id: str, digest: str, receipt: Receipt, who: str, why: str,
    now: datetime,
) -> None:  # fmt: skip
    """Months' files, published builds, and the register; then the receipt. No build runs meanwhile,
    so none can be made of what is still there."""
    with store.register.leased(_WHOLE_MONTHS, 900):
        buckets = _buckets(store, participant_id)
        for table in erasing.ROWS:
            for path in erasing.files_of(store.lake, table, buckets):
                erasing.erase_rows(store.lake, table, path, participant_id)
        erasing.clear_left(store.home)
        erasing.erase_from_builds(store.home, participant_id)
        told = json.dumps(receipt.removed, sort_keys=True)
        with (  # the lock of those who log contacts: none is added while theirs go
            store.register.leased(f"contact {participant_id}", WAIT),
            store.register.begin() as con,
        ):
            for kept in _OF_ONE:
                con.execute(sa.delete(kept).where(kept.c.participant_id == participant_id))
            mine = reg.erasure.c.participant_hash == digest
            done = {"finished_at": now, "removed": told}
            con.execute(sa.update(reg.erasure).where(mine).values(done))
            line = {"at": now, "who": who, "what": "erased", "subject": digest, "old": ""}
            con.execute(sa.insert(reg.audit), line | {"new": told, "why": why})


def _buckets(store: Store, participant_id: str) -> list[str]:
    """Whose files can hold rows of theirs: their batch's, and those of imports."""
    one = reg.participant.c
    rows = store.register.rows(sa.select(one.batch).where(one.participant_id == participant_id))
    return [*(f"{row['batch']:04d}" for row in rows), IMPORTED]


def _imports_of(store: Store, source: str, participant_id: str) -> set[datetime]:
    told = reg.receipt.c
    mine = (told.participant_id == participant_id) & (told.source == source)
    return {row["asked_at"] for row in store.register.rows(sa.select(told.asked_at).where(mine))}


def _pull_lease(source: str, bucket: str) -> str:
    """The lock of those who land into a batch's files, or into those of imports."""
    return f"import {source}" if bucket == IMPORTED else f"pull {source} {int(bucket)}"
