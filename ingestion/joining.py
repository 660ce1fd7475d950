"""Rows of a file that join those which another source pulls: REDCap's exports and its API."""

from __future__ import annotations

import sqlalchemy as sa

from ingestion.landing import Landed, land
from ingestion.reread import by_batch
from ingestion.source import Reading
from warehouse import register as reg
from warehouse.home import Store


def land_with(store: Store, reading: Reading, source: str, wait: float = 600) -> Landed:
    """Land a reading as rows of `source`, in the files of the batch that pulls each participant.

    So the newer of two words for one fact wins, and the older is gone, whichever of the two ways
    it came. Rows of participants who are not on the roster land nowhere. Raises LeaseBusy when a
    batch is being pulled for longer than `wait` seconds.
    """
    total = Landed()
    if told := reading.rows.get("participant"):
        total.add(land(store, Reading(rows={"participant": told}), source, ""))
    roster = {r["participant_id"]: r for r in store.register.rows(sa.select(reg.participant))}
    parts, _ = by_batch(reading, roster, ())
    for batch, part in sorted(parts.items()):
        with store.register.leased(f"pull {source} {batch}", wait):
            total.add(land(store, part, source, f"{batch:04d}"))
    return total
