"""Landing: raw replies first, then typed rows; what changed goes to the late-arrival ledger.

Landing is idempotent: the same reading again changes nothing, and the newest word of the vendor
wins whatever the order of arrival.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import pyarrow as pa
import sqlalchemy as sa

from ingestion.erased import but_erased, without_erased
from ingestion.lateness import record_revisions
from ingestion.roster_words import Words, columns_of
from ingestion.source import ActivityDay, Device, Reading, Reply, Window
from warehouse import register as reg
from warehouse.day_files import IMPORTED as IMPORTED
from warehouse.home import Store
from warehouse.lake import Change, Lake, Merge, days_lease
from warehouse.schema import Table, table_of
from warehouse.tables import landed

HASH_DIGITS = 32  # of SHA-256, in a landed row: 128 bits tell facts and replies apart
BROKEN = "-broken"  # ends the name of a fetch that broke off


@dataclass
class Landed:
    """How many rows landing found new, changed and already there; days apart from small rows."""

    days_new: int = 0
    days_changed: int = 0
    days_same: int = 0
    rows_new: int = 0
    rows_changed: int = 0
    rows_same: int = 0
    rows_removed: int = 0

    def add_days(self, merge: Merge) -> None:
        self.days_new += merge.new
        self.days_changed += merge.changed
        self.days_same += merge.same

    def add_rows(self, merge: Merge) -> None:
        self.rows_new += merge.new
        self.rows_changed += merge.changed
        self.rows_same += merge.same
        self.rows_removed += merge.removed

    def add(self, other: Landed) -> None:
        for field in fields(self):
            setattr(self, field.name, getattr(self, field.name) + getattr(other, field.name))


class Kept(msgspec.Struct):
    """A raw reply as it is kept on disk."""

    source: str
    participant_id: str | None
    data_type: str
    request: str
    fetched_at: datetime
    status: int
    content_type: str
    sha256: str
    body: bytes
    first_on: date | None = None
    last_on: date | None = None
    file: str | None = None  # where in the lake a large body is kept by itself
    options: dict[str, str] = {}
    came_as: str = ""  # see Reply


def keep_raw(lake: Lake, replies: Sequence[Reply], whole: bool = True, anew: bool = False) -> None:
    """Put the replies of one fetch on disk, together, before anything parses them.

    A fetch that broke off is kept apart (not `whole`): its days may be cut, so it is never read.
    A reply with a `file` is streamed into the lake by itself, first. The same replies are kept
    once: as they first came, or (`anew`) with the options of now.
    """
    if not replies:
        return
    kept = [_kept(lake, reply) for reply in replies]
    who = replies[0].participant_id or "all"
    name = f"{replies[0].fetched_at:%H%M%S%f}-{who}-{bundle_digest(replies)}"
    name += "" if whole else BROKEN
    body = msgspec.msgpack.encode(kept)
    lake.keep_raw(replies[0].source, replies[0].fetched_at, name, body, anew)


def whose(path: str) -> str:
    """The participant of a bundle of raw replies by its name, or "all".

    >>> whose("raw/source=fitbit/on=2026-03-01/050000000000-P-01-0a1b2c3d4e5f6789-broken.zst")
    'P-01'
    """
    name = path.rpartition("/")[2].removesuffix(".zst").removesuffix(BROKEN)
    return name.partition("-")[2].rpartition("-")[0]


def bundle_digest(replies: Sequence[Reply]) -> str:
    """Sixteen hex digits that tell one fetch's replies from another's; their file is named so."""
    parts = "".join(sorted(reply.sha256 + reply.request for reply in replies))
    return hashlib.sha256(parts.encode()).hexdigest()[:16]


def read_raw(lake: Lake, source: str, of: str | None = None) -> Iterator[list[Reply]]:
    """Every whole fetch of a source, oldest first; ValueError when a body is not what it was.

    With `of`, those of that participant alone.

    The file of a large reply is there until the next fetch is asked for.
    """
    decoder = msgspec.msgpack.Decoder(list[Kept])
    for path, content in lake.raw(source, lambda path: of in (None, whose(path))):
        if path.removesuffix(".zst").endswith(BROKEN):
            continue
        with TemporaryDirectory(prefix="stepwell-raw-") as folder:
            items = decoder.decode(content)
            replies = [_reply(lake, item, Path(folder)) for item in items]
            for item, reply in zip(items, replies, strict=True):
                if item.sha256 != reply.content_sha256:
                    raise ValueError(f"{path}: a raw reply is not what it was when it came")
            yield replies


def land(
    store: Store,
    reading: Reading,
    source: str,
    bucket: str,
    whole_of: Collection[str] = (),
    as_of: datetime | None = None,
) -> Landed:
    """Land a reading: day rows and small rows in the lake, roster and devices in the register.

    Where its small rows are all that the source has, at `as_of`, of the participants `whole_of`,
    their stored rows that are not among them were withdrawn at the source, and go. Whoever was
    erased lands nothing.
    """
    reading = without_erased(store.register, reading)
    result = Landed()
    if reading.days:
        days = days_table(reading.days)
        with store.register.leased(days_lease(source, bucket), wait=600):  # from compaction
            merge = store.lake.merge_days(
                source,
                bucket,
                days,
                # what is replaced goes on record first: a crash in between must not lose it
                before_write=lambda changes: record_revisions(store.register, source, changes),
            )
        result.add_days(merge)
    for table in (landed.response, landed.treatment_session, landed.goal):
        rows = reading.rows.get(table.name, [])
        if rows or whole_of:
            result.add_rows(_land_rows(store, table, source, bucket, rows, whole_of, as_of))
    if roster := reading.rows.get("participant"):
        result.add_rows(land_roster(store, roster, source))
    land_devices(store, reading.devices)
    return result


def land_roster(store: Store, rows: Sequence[dict[str, Any]], source: str = "") -> Merge:
    """Put participants on the register; a new one gets the batch that will pull it, for good.

    A row changes only the columns it has, and of these none on which a word fetched later has
    landed. Every change is on the audit trail by the names of its columns: a value might tell an
    arm. Whoever was erased is passed over.
    """
    put: dict[str, dict[str, Any]] = {}
    changes: list[Change] = []
    allowed = but_erased(store.register, rows)
    with store.register.begin() as con:
        words = Words.of(con)
        known = {
            row["participant_id"]: dict(row)
            for row in con.execute(sa.select(reg.participant)).mappings()
        }
        for row in allowed:
            old = known.get(row["participant_id"])
            told = words.newest(row, old, source)
            if old and not told:
                continue
            new = old | told if old else _enrolled(store, row, len(known))
            known[row["participant_id"]] = put[row["participant_id"]] = new
            if old is None or new | {"fetched_at": old["fetched_at"]} != old:
                changes.append(Change(old, new))
        store.register.put(reg.participant, put.values(), con)
        words.put(store.register, con)
        if changes:
            con.execute(sa.insert(reg.audit), [_roster_audit(one, source) for one in changes])
    return Merge(changes, len(rows) - len(changes))


def _enrolled(store: Store, row: Mapping[str, Any], others: int) -> dict[str, Any]:
    """All columns of a new participant, whose time zone is that of their site unless told."""
    new = dict.fromkeys(reg.participant.c.keys()) | columns_of(row)
    new["timezone"] = new["timezone"] or store.study.site(row["site"]).timezone
    return new | {"batch": others // store.study.wearables.batch_size}


def _roster_audit(change: Change, source: str) -> dict[str, Any]:
    old, new = change.before, change.after
    names = [name for name in landed.participant.names if old and old[name] != new[name]]
    return {
        "at": new["fetched_at"] or datetime.now(UTC),
        "who": "stepwell",
        "what": "roster changed" if old else "enrolled",
        "subject": new["participant_id"],
        "old": "",
        "new": ", ".join(names),
        "why": f"roster of {source}" if source else "",
    }


def land_devices(store: Store, devices: Sequence[Device]) -> None:
    """Keep the newest word on each device."""
    with store.register.begin() as con:
        for device in devices:
            row = {name: getattr(device, name) for name in reg.device.c.keys()}  # noqa: SIM118
            same = sa.and_(*(c == row[c.name] for c in reg.device.primary_key))
            seen = con.execute(sa.select(reg.device.c.observed_at).where(same)).scalar()
            if seen is None or seen <= device.observed_at:
                store.register.put(reg.device, [row], con)


def days_table(days: Sequence[ActivityDay]) -> pa.Table:
    """Activity days as landed rows, each with the hash of its facts."""
    return table_of(landed.activity_day, (_day_row(day) for day in days))


def fact_hash(facts: Iterable[Any]) -> str:
    """Hash of values in order: a change of any of them changes it."""
    told = hashlib.sha256("\x1f".join(repr(fact) for fact in facts).encode())
    return told.hexdigest()[:HASH_DIGITS]


def _day_row(day: ActivityDay) -> dict[str, Any]:
    by_minutes = day.wear_method in ("heart_rate", "explicit_zero")
    return {field.name: getattr(day, field.name) for field in fields(day)} | {
        "raw_sha256": sorted(sha256[:HASH_DIGITS] for sha256 in day.raw_sha256),
        "row_hash": _day_hash(day),
        "steps": int(day.step_count.sum(dtype="int64")),
        "wear_minutes": int(day.wear_length.sum(dtype="int64")) if by_minutes else None,
    }


def _day_hash(day: ActivityDay) -> str:
    lists = (day.step_minute, day.step_count, day.wear_start, day.wear_length)
    facts = (
        day.timezone,
        day.day_start_at.timestamp(),
        day.day_minutes,
        day.wear_method,
        day.vendor_steps,
        day.era,
        day.device_model,
    )
    return fact_hash((*facts, *(values.astype("<u2").tobytes() for values in lists)))


def _land_rows(
    store: Store,
    table: Table,
    source: str,
    bucket: str,
    rows: list[dict[str, Any]],
    whole_of: Collection[str],
    as_of: datetime | None,
) -> Merge:
    if any(row.get("fetched_at") is None for row in rows):
        raise ValueError(f"{source}: a {table.name} row does not say when it was fetched")
    facts = [c.name for c in table.columns if not c.provenance and c.name != "row_hash"]
    hashed = [row | {"row_hash": fact_hash(row.get(name) for name in facts)} for row in rows]
    return store.lake.merge_rows(table, source, bucket, table_of(table, hashed), whole_of, as_of)


def _kept(lake: Lake, reply: Reply) -> Kept:
    window, file = reply.window, None
    if reply.file:
        with reply.open() as content:
            file = lake.keep_raw_file(reply.source, reply.sha256, content)
    return Kept(
        reply.source,
        reply.participant_id,
        reply.data_type,
        reply.request,
        reply.fetched_at,
        reply.status,
        reply.content_type,
        reply.content_sha256,
        reply.body,
        window.first_on if window else None,
        window.last_on if window else None,
        file,
        dict(reply.options),
        reply.came_as,
    )


def _reply(lake: Lake, kept: Kept, folder: Path) -> Reply:
    file = folder / kept.sha256 if kept.file else None
    if kept.file and file:
        lake.copy_raw_file(kept.file, file)
    window = Window(kept.first_on, kept.last_on) if kept.first_on and kept.last_on else None
    return Reply(
        kept.source,
        kept.participant_id,
        kept.data_type,
        kept.request,
        kept.fetched_at,
        kept.status,
        kept.content_type,
        kept.body,
        window,
        file,
        options=kept.options,
        came_as=kept.came_as,
    )
