"""`stepwell import`: a folder or file that somebody exported, into the lake and the register.

Everything is read before anything is stored, so a bad file leaves the study as it was. Importing
the same bytes again keeps no second copy and changes no fact: they speak as of their first import.
Of two exports that speak of one day, the one that reaches later wins, whichever is imported first
(see the source); of two questionnaire tables, the one first imported later.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zoneinfo import available_timezones

import pyarrow as pa
import sqlalchemy as sa

from ingestion.delimited import read_strict
from ingestion.erased import erased_among, people_in
from ingestion.errors import BadInput
from ingestion.import_report import ImportReport, empty_days, many, report_of
from ingestion.joining import land_with
from ingestion.landing import IMPORTED, Landed, bundle_digest, keep_raw, land
from ingestion.receipts import record_receipts
from ingestion.source import Ask, Reading, Reply, Source, all_sources
from warehouse import register as reg
from warehouse.day_files import place_of
from warehouse.home import Store


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
    Raises BadInput, with nothing stored, when a file or an option cannot be used; KeyboardInterrupt
    says so where part of it may be stored.
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
        _check_whose(source_name, replies, participant_id)
        reading = source.read(replies, ask)
        enrolled = _enrolled(reading, roster, ask, enrol_site)
        _check_erased(store, source_name, reading)
        _check_known(source_name, reading, roster)
        known = {*roster, *_participants_of(enrolled)}
        reading.notes += empty_days(reading.days)
        _note_strangers(reading, known, ids, enrol_site)
        _note_uncounted(store, source_name, reading)
        _note_shared(store, source_name, reading)
        report = report_of(source_name, path, replies, reading,
                           len(enrolled) if enrol_site else None)  # fmt: skip
        report.seen_before = not any(is_new)
        if enrolled:
            reading.rows["participant"] = reading.rows.get("participant", []) + enrolled
        try:
            progress(f"landing {_amount(reading)} ...")
            report.landed = _landed(store, source_name, fetches, reading, now)
        except KeyboardInterrupt:
            raise KeyboardInterrupt(
                "part of it may be stored; import it again to finish: nothing is stored twice"
            ) from None
    return report


def _amount(reading: Reading) -> str:
    """How much there is to land: days where a source measures them, else rows."""
    rows = sum(map(len, reading.rows.values()))
    return many(rows, "row") if rows and not reading.days else many(len(reading.days), "day")


def _landed(
    store: Store, source: str, fetches: Sequence[list[Reply]], reading: Reading, now: datetime
) -> Landed:
    """Keep and land what was read, and settle the register, under the lease of the import."""
    with store.register.leased(f"import {source}", wait=600):
        for fetch in fetches:
            keep_raw(store.lake, fetch, anew=True)
        joins = reading.lands_with
        done = land_with(store, reading, joins) if joins else land(store, reading, source, IMPORTED)
        replies = [reply for fetch in fetches for reply in fetch]
        _name_replies(reading, replies)
        _settle(store, source, reading, replies, now)
    return done


def file_sources() -> dict[str, Source]:
    """The sources that read files, by name."""
    return {name: source for name, source in all_sources().items() if source.era == "file"}


def read_ids(path: Path) -> dict[str, str]:
    """Id of the files -> participant, of a CSV with columns id and participant_id.

    Raises BadInput for a missing column or value, or an id given to two participants.
    """
    text = pa.string()
    table = read_strict(path.name, path.read_bytes(), {"id": text, "participant_id": text})
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


def _check_erased(store: Store, source_name: str, reading: Reading) -> None:
    """Whoever was erased is not taken in again: not even what is kept raw may hold them."""
    if gone := sorted(erased_among(store.register, people_in(reading))):
        raise BadInput(
            f"{source_name}: {len(gone)} of its participants were erased from this study "
            f"({', '.join(gone[:5])}); take them out of the files, and import the rest"
        )


def _participants_of(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    return [row["participant_id"] for row in rows]


def _check_whose(source: str, replies: Sequence[Reply], participant: str | None) -> None:
    """--participant says nothing of files that name people themselves: it must not seem to."""
    if participant is not None and all(reply.participant_id is None for reply in replies):
        raise BadInput(
            f"{source}: its files say whose each row is; leave out --participant, and give --ids "
            f"where their ids are not the roster's"
        )


def _note_strangers(
    reading: Reading, known: Collection[str], ids: Mapping[str, str] | None, site: str | None
) -> None:
    """Say who is not on the roster, and what to do."""
    if named := sorted({*(ids or {}).values()} - set(known)):
        who = "participant who is" if len(named) == 1 else "participants who are"
        shown = ", ".join(named[:5])
        reading.notes.append(f"--ids names {len(named)} {who} not on the roster: {shown}")
    aside = len(reading.covered_to.keys() - known)
    if aside and site:
        reading.notes.append(
            f"not enrolled at {site}: {many(aside, 'participant')} without a full day in the "
            f"export; put them on the roster, and their days count"
        )
    elif aside:
        reading.notes.append(
            f"not on the roster: {many(aside, 'participant')}, whose days count in no table until "
            f"they are enrolled"
        )


def _note_uncounted(store: Store, source: str, reading: Reading) -> None:
    """Say what lands and yet counts nowhere."""
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


def _first_import(kept: Sequence[str], replies: Sequence[Reply]) -> datetime | None:
    """When exactly these files were first kept by an import; None when they are not in `kept`."""
    ending = f"-{replies[0].participant_id or 'all'}-{bundle_digest(replies)}.zst"
    for path in kept:
        if path.endswith(ending):
            stamp = path.removesuffix(ending).rpartition("on=")[2]
            return datetime.strptime(stamp, "%Y-%m-%d/%H%M%S%f").replace(tzinfo=UTC)
    return None


def _name_replies(reading: Reading, replies: Sequence[Reply]) -> None:
    """Give each refusal the reply that holds it, where the source did not and it can be but one."""
    for participant, counts in reading.counts_of.items():
        mine = [reply for reply in replies if reply.participant_id in (None, participant)]
        for data_type, count in counts.items():
            may = [reply for reply in mine if reply.data_type == data_type] or mine
            if len(may) == 1:
                for reason in count.rejections:
                    count.raw_of.setdefault(reason, may[0].sha256)


def _settle(
    store: Store, source: str, reading: Reading, replies: Sequence[Reply], now: datetime
) -> None:
    """Connections, receipts and rejections of an import, in one transaction after the landing.

    The same bytes again are told of as what they were: one import, at the time of the first.
    """
    first = {reply.participant_id: reply.fetched_at for reply in replies}
    days = defaultdict(list)
    for day in reading.days:
        days[day.participant_id].append(day.activity_date)
    with store.register.begin() as con:
        for participant, counts in sorted(reading.counts_of.items()):
            key = {"participant_id": participant, "source": source}
            mine = days[participant]
            at = first.get(participant) or first.get(None, now)
            pull_id = f"import-{at:%Y%m%dT%H%M%S%fZ}"
            refused = reg.rejection.c
            con.execute(
                sa.delete(reg.rejection).where(
                    refused.participant_id == participant,
                    refused.source == source,
                    refused.pull_id == pull_id,
                )
            )
            record_receipts(
                store.register,
                con,
                participant_id=participant,
                source=source,
                pull_id=pull_id,
                asked_at=at,
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
