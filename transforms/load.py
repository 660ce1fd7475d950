"""The register's and the lake's small tables, copied into a build."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa

from transforms.start import Start
from warehouse import register as reg
from warehouse.edition import Edition
from warehouse.home import Store
from warehouse.lake import LakeFile
from warehouse.schema import Table
from warehouse.tables import landed, ops, quality

RECEIPT_DAYS = 30  # receipts older than this stay in the register only
# A pull writes its receipts when it ends, as of when it began: none takes this long.
PULL_DAYS = 1
SMALL = (landed.response, landed.treatment_session, landed.goal)
KEPT = (
    (landed.participant, reg.participant),
    (ops.connection, reg.grant),
    (ops.device, reg.device),
    (ops.rejection, reg.rejection),
    (ops.revision, reg.revision),
    (ops.lateness, reg.lateness),
    (quality.drift, reg.drift),
)
LOADED = (*SMALL, *(table for table, _ in KEPT), ops.receipt)


def load_tables(edition: Edition, store: Store, as_of: datetime, start: Start) -> list[LakeFile]:
    """Copy the small tables; returns the files of the lake that they lie in."""
    read = []
    for table in SMALL:
        files = store.lake.files(table.name)
        read += files
        before = {file for file in start.known if file.path.split("/")[0] == table.name}
        if not edition.is_copy or set(files) != before:
            edition.put(table, store.lake.read_rows(table))
    for table, kept in KEPT:
        _copy(edition, store, table, kept)
    _copy_receipts(edition, store, as_of, start)
    return read


def _copy(
    edition: Edition,
    store: Store,
    table: Table,
    kept: sa.Table,
    *conditions: sa.ColumnElement[bool],
    within: str = "",
) -> None:
    """Copy a table of the register, only its declared columns: tokens are not among them."""
    query = sa.select(*(kept.c[name] for name in table.names)).where(*conditions)
    edition.put(table, store.register.arrow(table, query), within)


def _copy_receipts(edition: Edition, store: Store, as_of: datetime, start: Start) -> None:
    """Copy the receipts of the last RECEIPT_DAYS; of those a copy has, only what can have changed.

    A receipt is written once, as of its pull. Should those asked of before then not be what the
    copy has, all are read again.
    """
    since = as_of - timedelta(days=RECEIPT_DAYS)
    first, within = since, ""
    if edition.is_copy and start.as_of:
        sure = start.as_of - timedelta(days=PULL_DAYS)
        if sure > since and _has_receipts(edition, store, since, sure):
            first, within = (
                sure,
                f"WHERE asked_at < {_instant(since)} OR asked_at >= {_instant(sure)}",
            )
    _copy(edition, store, ops.receipt, reg.receipt, reg.receipt.c.asked_at >= first, within=within)


def _has_receipts(edition: Edition, store: Store, first: datetime, end: datetime) -> bool:
    """Whether the copy has what the register has of receipts from `first` to before `end`."""
    kept = reg.receipt.c
    kinds = [kept.source, kept.data_type, kept.reason]
    sums = [kept.requests, kept.received, kept.landed, kept.rejected]
    query = (
        sa.select(*kinds, sa.func.count(), *(sa.func.sum(one) for one in sums))
        .where(kept.asked_at >= first, kept.asked_at < end)
        .group_by(*kinds)
    )
    with store.register.engine.connect() as con:
        told = {tuple(row) for row in con.execute(query)}
    names = [column.name for column in kinds]
    listed = ", ".join([*names, "count(*)", *(f"CAST(sum({c.name}) AS BIGINT)" for c in sums)])
    copied = edition.con.execute(
        f"SELECT {listed} FROM ops.receipt WHERE asked_at >= ? AND asked_at < ? "
        f"GROUP BY {', '.join(names)}",
        [first, end],
    ).fetchall()
    return set(copied) == told


def _instant(at: datetime) -> str:
    return f"TIMESTAMPTZ '{at.isoformat()}'"
