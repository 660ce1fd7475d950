"""`stepwell import`: a folder or file that somebody exported, into the lake and the register.

Everything is read before anything is stored, so a bad file leaves the study as it was. Importing
the same bytes again keeps no second copy and changes no fact: they speak as of their first import.
Of two exports that speak of one day, the one that reaches later wins, whichever is imported first
(see the source); of two questionnaire tables, the one first imported later.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zoneinfo import available_timezones

import pyarrow as pa
import sqlalchemy as sa

from ingestion.delimited import read_strict
from ingestion.errors import BadInput
from ingestion.joining import land_with
from ingestion.landing import IMPORTED, Landed, bundle_digest, keep_raw, land
from ingestion.receipts import record_receipts
from ingestion.source import PASSED_OVER, Ask, Count, Reading, Reply, Source, all_sources
from warehouse import register as reg
from warehouse.day_files import place_of
from warehouse.home import Store


@dataclass
class ImportReport:
    """What an import found and did; `str()` is the report in lines."""

    source: str
    files: list[str] = field(default_factory=list)
    not_read: list[str] = field(default_factory=list)
    participants: int = 0
    enrolled: int = 0
    first_on: date | None = None
    last_on: date | None = None
    minutes: int = 0
    landed: Landed = field(default_factory=Landed)
    counts: dict[str, Count] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    seen_before: bool = False

    def __str__(self) -> str:
        done = self.landed
        again = ", the same bytes as imported before" if self.seen_before else ""
        lines = [
            f"{self.source}: {self.participants} participants from {len(self.files)} files{again}",
            f"enrolled: {self.enrolled}",
        ]
        if self.not_read:
            lines.append(f"not read: {', '.join(self.not_read)}")
        if self.first_on:
            lines.append(
                f"days {self.first_on} to {self.last_on}: {done.days_new:,} new, "
                f"{done.days_changed:,} changed, {done.days_same:,} as before; "
                f"{self.minutes:,} minutes"
            )
        if done.rows_new + done.rows_changed + done.rows_same:
            lines.append(
                f"rows: {done.rows_new:,} new, {done.rows_changed:,} changed, "
                f"{done.rows_same:,} as before"
            )
        return "\n".join([*lines, *map(_count_line, sorted(self.counts.items())), *self.notes])


def import_files(
    store: Store,
    source_name: str,
    path: Path,
    *,
    now: datetime,
    timezone: str | None = None,
    ids: Mapping[str, str] | None = None,
    enrol_site: str | None = None,
    participant_id: str | None = None,
    options: Mapping[str, str] | None = None,
    progress: Callable[[str], object] = print,
) -> ImportReport:
    """Import an export that lies at `path`.

    `timezone` is the zone of the clock times; without it the roster's zone of each participant,
    else that of `enrol_site`. `ids` maps ids of the files to participants; `participant_id` says
    whose the export is where it is one person's own. `enrol_site` puts participants unknown to
    the roster on it, starting on their first full day. `options` are those of that one source.
    Raises BadInput, with nothing stored, when a file or an option cannot be used.
    """
    roster = {row["participant_id"]: row for row in store.register.rows(sa.select(reg.participant))}
    source, ask = _asked(store, source_name, roster, now, timezone, ids, enrol_site, participant_id)
    progress(f"reading {path} ...")
    with TemporaryDirectory(prefix="stepwell-import-") as folder:
        ask = replace(ask, scratch=Path(folder), progress=progress,
                      options=_known_options(source, options or {}))  # fmt: skip
        told = dict(ask.options) | ({"timezone": timezone} if timezone else {})
        fetches, is_new = _fetched(store, source, path, ask, told)
        replies = [reply for fetch in fetches for reply in fetch]
        reading = source.read(replies, ask)
        enrolled = _enrolled(reading, roster, ask, enrol_site)
        _check_known(source_name, reading, roster)
        _note_uncounted(store, source_name, reading, {*roster, *_participants_of(enrolled)})
        _note_shared(store, source_name, reading)
        report = _report(source_name, path, replies, reading, enrolled)
        report.seen_before = not any(is_new)
        progress(f"landing {len(reading.days):,} days ...")
        with store.register.leased(f"import {source_name}", wait=600):
            for fetch in fetches:
                keep_raw(store.lake, fetch, anew=True)
            if enrolled:
                reading.rows["participant"] = reading.rows.get("participant", []) + enrolled
            joins = reading.lands_with
            report.landed = (
                land_with(store, reading, joins)
                if joins
                else land(store, reading, source_name, IMPORTED)
            )
            _settle(store, source_name, reading, now)
    return report


def file_sources() -> dict[str, Source]:
    """The sources that read files, by name."""
    return {name: source for name, source in all_sources().items() if source.era == "file"}


def read_ids(path: Path) -> dict[str, str]:
    """Id of the files -> participant, of a CSV with columns id and participant_id.

    Raises BadInput for a missing column or value, or an id given to two participants.
    """
    text = pa.string()
    table = read_strict(path.name, path.read_bytes(), {"id": text, "participantid": text})
    found: dict[str, str] = {}
    pairs = zip(*(table[name].to_pylist() for name in table.column_names), strict=True)
    for line, (one, participant) in enumerate(pairs, start=2):
        if not one or not participant:
            raise BadInput(f"{path.name}: line {line} lacks its id or its participant_id")
        if found.setdefault(one.strip(), participant.strip()) != participant.strip():
            raise BadInput(f"{path.name}: line {line} gives an id to a second participant")
    return found


def read_options(pairs: Sequence[str]) -> dict[str, str]:
    """Options given as NAME=VALUE; BadInput for one without a name or a value."""
    found: dict[str, str] = {}
    for pair in pairs:
        name, _, value = (part.strip() for part in pair.partition("="))
        if not name or not value:
            raise BadInput(f"--set {pair}: needed is NAME=VALUE, e.g. time=utc")
        found[name] = value
    return found


def _known_options(source: Source, options: Mapping[str, str]) -> Mapping[str, str]:
    known: Sequence[str] = getattr(source, "options", ())
    if unknown := sorted(set(options) - set(known)):
        raise BadInput(
            f"{source.name} has no option {unknown[0]!r}; it has {', '.join(known) or 'none'}"
        )
    return options


def _fetched(
    store: Store, source: Source, path: Path, ask: Ask, told: Mapping[str, str]
) -> tuple[list[list[Reply]], list[bool]]:
    """The replies at `path`, each participant's own apart, and whether each is seen first now.

    With them is kept how they were to be read, to read them so again.
    """
    whose: dict[str | None, list[Reply]] = defaultdict(list)
    try:
        for reply in source.fetch(path, ask):
            whose[reply.participant_id].append(reply)
    except OSError as error:
        raise BadInput(f"{error.filename or path}: cannot be read ({error.strerror})") from None
    kept = [file.path for file in store.lake.files(f"raw/source={source.name}")]
    fetches, is_new = [], []
    for replies in whose.values():
        first = _first_import(kept, replies)
        at = first or ask.now
        fetches.append([replace(reply, fetched_at=at, options=told) for reply in replies])
        is_new.append(first is None)
    return fetches, is_new


def _asked(
    store: Store,
    source_name: str,
    roster: Mapping[str, Any],
    now: datetime,
    timezone: str | None,
    ids: Mapping[str, str] | None,
    enrol_site: str | None,
    participant_id: str | None,
) -> tuple[Source, Ask]:
    """The source with what it must know, and what is asked of it; BadInput for a bad option."""
    sources = file_sources()
    if source_name not in sources:
        raise BadInput(f"{source_name!r} reads no files; importable: {', '.join(sorted(sources))}")
    if participant_id is not None and participant_id not in roster and not enrol_site:
        raise BadInput(f"{participant_id} is not on the roster; enrol them first, or at a site")
    sites = {site.code: site for site in store.study.sites}
    if enrol_site is not None and enrol_site not in sites:
        raise BadInput(f"unknown site {enrol_site!r}; study.toml has {', '.join(sorted(sites))}")
    if timezone is not None and timezone not in available_timezones():
        raise BadInput(f"unknown time zone {timezone!r}; give an IANA zone like Europe/London")
    zones = {} if timezone else {one: row["timezone"] for one, row in roster.items()}
    fallback = sites[enrol_site].timezone if enrol_site else None
    ask = Ask(store.study, now, participant_id, timezone or fallback, ids=ids, zones=zones,
              participants=tuple(roster),
              starts={one: row["starts_on"] for one, row in roster.items()})  # fmt: skip
    return sources[source_name], ask


def _enrolled(
    reading: Reading, roster: Mapping[str, Any], ask: Ask, site: str | None
) -> list[dict[str, Any]]:
    """Roster rows of participants who are not on it and have a full day; none without a site."""
    if site is None:
        return []
    return [
        {
            "participant_id": participant,
            "site": site,
            "timezone": ask.timezone,
            "enrolled_on": starts_on,
            "starts_on": starts_on,
            "fetched_at": ask.now,
        }
        for participant, starts_on in sorted(reading.first_full_day.items())
        if participant not in roster
    ]


def _check_known(source_name: str, reading: Reading, roster: Mapping[str, Any]) -> None:
    """Answers, sessions and goals need a participant; a mistyped id must not land unseen."""
    known = {*roster, *_participants_of(reading.rows.get("participant", []))}
    given = {row["participant_id"] for rows in reading.rows.values() for row in rows}
    if unknown := sorted(given - known):
        raise BadInput(
            f"{source_name}: {len(unknown)} of {len(given)} participants are not on the roster "
            f"({', '.join(unknown[:5])}); import the roster first, or mend their ids"
        )


def _participants_of(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    return [row["participant_id"] for row in rows]


def _note_uncounted(store: Store, source: str, reading: Reading, known: Collection[str]) -> None:
    """Say what lands and yet counts nowhere."""
    if aside := reading.covered_to.keys() - known:
        reading.notes.append(
            f"not on the roster: {len(aside)} participants, whose days count in no table until "
            f"they are enrolled"
        )
    source = reading.lands_with or source
    if reading.days and source not in store.study.wearables.sources:
        reading.notes.append(
            f"{source} is not among wearables.sources of study.toml: its days count in no table "
            f"until it is"
        )


def _note_shared(store: Store, source: str, reading: Reading) -> None:
    """Say which days another source has too: they are never summed."""
    mine = {(day.participant_id, day.activity_date) for day in reading.days}
    months = {f"/month={on:%Y-%m}/" for _, on in mine}
    dates = {on for _, on in mine}
    shared: dict[tuple[str, date], set[str]] = defaultdict(set)
    for path in (file.path for file in store.lake.day_files()):
        place = place_of(path)
        if place.source == source or place.source not in store.study.wearables.sources:
            continue
        if place.on in dates or any(month in path for month in months):
            rows = store.lake.read_days(path, ["participant_id", "activity_date"])
            for key in zip(*(column.to_pylist() for column in rows.columns), strict=True):
                shared[key].add(place.source)
    found = shared.keys() & mine
    if found:
        others = ", ".join(sorted({other for key in found for other in shared[key]}))
        reading.notes.append(
            f"{len(found):,} of these days are also of {others}: each counts by one source, never "
            f"by two summed; the order is that of wearables.sources in study.toml"
        )


def _report(
    source: str,
    path: Path,
    replies: Sequence[Reply],
    reading: Reading,
    enrolled: Sequence[dict[str, Any]],
) -> ImportReport:
    read = (reply.called for reply in replies if reply.data_type != PASSED_OVER)
    files = list(dict.fromkeys(name.partition(", sheet ")[0] for name in read))
    days = [day.activity_date for day in reading.days]
    # Of personal exports every entry is somebody's, or the import is refused: see whose.py.
    personal = any(reply.participant_id for reply in replies)
    looked = path.is_dir() and not personal
    beside = sorted(one.name for one in path.iterdir() if one.is_file()) if looked else []
    return ImportReport(
        source=source,
        files=files,
        not_read=[name for name in beside if name not in files],
        participants=len(reading.counts_of),
        enrolled=len(enrolled),
        first_on=min(days, default=None),
        last_on=max(days, default=None),
        minutes=_minutes(reading),
        counts=reading.counts,
        notes=reading.notes,
    )


def _minutes(reading: Reading) -> int:
    """Minutes with a word of the vendor; of a source that has only records, those with steps."""
    if "minute_steps" in reading.counts:
        return reading.counts["minute_steps"].landed
    return sum(day.step_minute.size for day in reading.days)


def _count_line(item: tuple[str, Count]) -> str:
    data_type, count = item
    why = ", ".join(f"{n:,} {reason}" for reason, n in sorted(count.rejections.items()))
    rejected = f"{count.rejected:,} rejected" + (f" ({why})" if why else "")
    return f"{data_type}: {count.received:,} received = {count.landed:,} landed + {rejected}"


def _first_import(kept: Sequence[str], replies: Sequence[Reply]) -> datetime | None:
    """When exactly these files were first kept by an import; None when they are not in `kept`."""
    ending = f"-{replies[0].participant_id or 'all'}-{bundle_digest(replies)}.zst"
    for path in kept:
        if path.endswith(ending):
            stamp = path.removesuffix(ending).rpartition("on=")[2]
            return datetime.strptime(stamp, "%Y-%m-%d/%H%M%S%f").replace(tzinfo=UTC)
    return None


def _settle(store: Store, source: str, reading: Reading, now: datetime) -> None:
    """Connections, receipts and rejections of an import, in one transaction after the landing."""
    pull_id = f"import-{now:%Y%m%dT%H%M%S%fZ}"
    days = defaultdict(list)
    for day in reading.days:
        days[day.participant_id].append(day.activity_date)
    with store.register.begin() as con:
        for participant, counts in sorted(reading.counts_of.items()):
            key = {"participant_id": participant, "source": source}
            mine = days[participant]
            record_receipts(
                store.register,
                con,
                participant_id=participant,
                source=source,
                pull_id=pull_id,
                asked_at=now,
                counts=counts,
                days=(min(mine, default=None), max(mine, default=None)),
            )
            if mine:
                _connect(store, con, key, reading.covered_to.get(participant), now)


def _connect(
    store: Store,
    con: sa.Connection,
    key: dict[str, str],
    covered_to: datetime | None,
    now: datetime,
) -> None:
    """Mark the connection active and how far its minutes reach; an older export moves it not."""
    mine = sa.and_(*(reg.grant.c[name] == value for name, value in key.items()))
    old = con.execute(sa.select(reg.grant).where(mine)).mappings().first()
    reached = max((at for at in (covered_to, old and old["landed_sync_at"]) if at), default=None)
    marks = {"last_pulled_at": now, "synced_at": reached, "landed_sync_at": reached}
    if old is None:
        marks |= {"state": "active", "since": now}
        store.register.put(reg.grant, [key | marks], con)
    else:
        con.execute(sa.update(reg.grant).where(mine).values(marks))
