"""Health Connect's StepsRecord as tables (CSV, Parquet, its SQLite export), one person's own.

`stepwell import health_connect PATH --participant P`, where PATH is a table, a zip or a folder of
tables; or a folder with an entry named by each participant, like `P-014.zip` or a folder `P-014`.

Rules
- A record is a count from startTime to endTime; of one id the newest lastModifiedTime counts.
- Several apps (dataOrigin) may have counted one walk, and are never summed: at each instant the
  first app counts, within an app the newer record (so Health Connect itself
  adds up). `--set prefer="com.example.one,com.example.two"` puts apps first; then come those of
  wearables, others, and the phone's own counters; among equals by name.
- A count is spread evenly over its interval: minutes are derived, only their sum is measured.
- A record's local day is that of its own startZoneOffset; without one, of the roster's zone.
- There are no records of zero steps: "worn, no steps" cannot be told from "not worn", so days have
  wear_method steps and no runs, and a day without records has no row.
- `fetched_at` of a day is how far the export reaches (its newest record or change), so a later
  export wins whichever is imported first.
- Only the columns named above are kept raw: such an export holds far more of a person.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from ingestion.errors import BadInput
from ingestion.intervals import MINUTE_MS, spread
from ingestion.source import ActivityDay, Ask, Count, Minutes, Reading, Reply
from ingestion.sources._google_days import Worn, calendar_day, placed, zone_offsets
from ingestion.sources._health_connect_records import NO_TIME, Records, read_records
from ingestion.sources._health_connect_tables import NEEDED, step_tables
from ingestion.whose import Export, exports_in

Ints = npt.NDArray[np.int64]
TYPE = "step_records"
MOST_COUNT = 1_000_000  # of a StepsRecord, by its definition; the least is 1
MOST_MINUTE_STEPS = 30_000  # above it is no count; implausible ones below are judged per day
LONGEST_MS = 24 * 60 * MINUTE_MS
LARGE = 1 << 20  # bytes; a larger table waits on disk
_NONE: Minutes = np.empty(0, np.uint16)
_WEARABLE = re.compile(
    r"fitbit|garmin|polar|withings|oura|whoop|suunto|coros|huami|zepp|xiaomi|huawei|shealth|watch"
    r"|wear",
    re.I,
)
_PHONE = re.compile(r"^android$|apps\.fitness|apps\.healthdata|healthconnect|phone", re.I)


class HealthConnect:
    """The source. `ask.participant_id`, else the names of entries, say whose tables they are."""

    name = "health_connect"
    delivers = frozenset({"activity_day"})
    era = "file"
    options = ("prefer",)

    def fetch(self, client: Path, ask: Ask) -> Iterator[Reply]:
        """Each table of steps, its columns that are read, as CSV."""
        for export in exports_in(client, ask):
            number = 0
            for number, body in enumerate(_tables_of(export), start=1):
                request = f"{export.participant_id}/steps-{number}.csv"
                aside = ask.aside(request) if len(body) > LARGE else None
                if aside:
                    aside.write_bytes(body)
                yield Reply(
                    source=self.name,
                    participant_id=export.participant_id,
                    data_type=TYPE,
                    request=request,
                    fetched_at=ask.now,
                    status=200,
                    content_type="text/csv",
                    body=b"" if aside else body,
                    file=aside,
                )
            if not number:
                raise BadInput(f"{export.participant_id}: no table of steps found; {NEEDED}")

    def read(self, replies: Sequence[Reply], ask: Ask) -> Reading:
        """Days of everybody whose tables these are."""
        reading = Reading()
        people: dict[str, list[Reply]] = {}
        for reply in replies:
            people.setdefault(reply.participant_id or "", []).append(reply)
        for participant, mine in sorted(people.items()):
            zone = ask.zones.get(participant, ask.timezone)
            count = Count()
            records = Records.joined([read_records(reply) for reply in mine])
            prefer = [one.strip() for one in ask.options.get("prefer", "").split(",")]
            hashes = tuple(sorted(reply.sha256 for reply in mine))
            who = _Whose(participant, self.name, zone, hashes)
            latest = max(reply.fetched_at for reply in mine) + timedelta(days=1)
            usable = _usable(records, latest, count)
            _add_days(who, usable, prefer, count, reading)
            reading.counts_of[participant] = {TYPE: count}
            reading.count(TYPE).add(count)
        return reading


SOURCE = HealthConnect()


def _tables_of(export: Export) -> Iterator[bytes]:
    try:
        yield from step_tables(export.paths)
    except BadInput as error:
        raise BadInput(f"{export.participant_id}: {error}") from None


@dataclass(frozen=True)
class _Whose:
    participant_id: str
    source: str
    zone: str | None
    hashes: tuple[str, ...]


def _usable(records: Records, latest: datetime, count: Count) -> Records:
    """The records that can be one, each once; the others are counted by their first reason."""
    count.received = records.start.size
    after = int(latest.timestamp() * 1000)
    records.modified[records.modified > after] = 0  # no time of a change
    minutes = np.maximum(records.end - records.start, 1) // MINUTE_MS + 1
    for reason, bad in (
        ("no_time", (records.start == NO_TIME) | (records.end == NO_TIME)),
        ("in_the_future", records.end > after),
        ("ends_before_it_starts", records.end < records.start),
        ("longer_than_a_day", records.end - records.start > LONGEST_MS),
        ("no_count_from_1_to_a_million", ~((records.count >= 1) & (records.count <= MOST_COUNT))),
        ("impossible", records.count > MOST_MINUTE_STEPS * minutes),
    ):
        count.reject(reason, int((bad & records.good).sum()))
        records.good[bad] = False
    records = records.only(records.good)
    # Of one id the newest word; of two words of one time the larger, so that order is nothing.
    order = np.lexsort((records.end, records.start, records.count, records.modified, records.key))
    records = records.only(order)
    last = np.append(np.diff(records.key) != 0, True)[: order.size]
    count.reject("replaced_by_a_newer_record", int((~last).sum()))
    return records.only(last)


def _add_days(
    who: _Whose, records: Records, prefer: Sequence[str], count: Count, reading: Reading
) -> None:
    tz: tzinfo = ZoneInfo(who.zone) if who.zone else UTC
    order = _order(records, prefer)
    minutes = spread(records.start, records.end, records.count, order)
    count.reject("counted_by_another_source", int((minutes.kept == 0).sum()))
    count.landed = count.received - count.rejected
    if not minutes.minute.size:
        return
    hidden = int(records.count.sum() - minutes.steps.sum())
    if hidden:
        reading.notes.append(
            f"{who.participant_id}: {hidden:,} steps are of records that overlap another app's or "
            f"a newer one, and are not counted twice"
        )
    offset = _offsets(minutes.minute, records, tz)
    day = (minutes.minute * 60 + offset) // 86_400
    worn = Worn(minutes.minute, day, offset, minutes.steps, np.zeros_like(day))
    reach = datetime.fromtimestamp((int(minutes.minute[-1]) + 1) * 60, UTC)
    reach = max(reach, datetime.fromtimestamp(int(records.modified.max()) / 1000, UTC))
    days = [_day(who, number, part, tz, reach) for number, part in sorted(
        worn.by_day().items())]  # fmt: skip
    reading.days += days
    reading.covered_to[who.participant_id] = reach
    if len(days) > 1:
        first = days[0].activity_date + timedelta(days=1)
        reading.first_full_day[who.participant_id] = first


def _order(records: Records, prefer: Sequence[str]) -> Ints:
    """Lower for the app that goes first, then for the newer record."""
    ranked = sorted(range(len(records.origins)), key=lambda n: rank_of(records.origins[n], prefer))
    place = np.empty(len(ranked), np.int64)
    place[ranked] = np.arange(len(ranked))
    newest, age = np.unique(-records.modified, return_inverse=True)
    return place[records.origin] * (newest.size + 1) + age


def rank_of(origin: str, prefer: Sequence[str]) -> tuple[int, int, str]:
    """What sorts apps: those of `prefer` in their order, wearables', others, the phone's own.

    >>> sorted(["android", "org.app", "com.fitbit.FitbitMobile"], key=lambda o: rank_of(o, []))
    ['com.fitbit.FitbitMobile', 'org.app', 'android']
    """
    wanted = [one.casefold() for one in prefer if one]
    if origin.casefold() in wanted:
        return 0, wanted.index(origin.casefold()), origin
    return (1 if _WEARABLE.search(origin) else 3 if _PHONE.search(origin) else 2), 0, origin


def _offsets(minute: Ints, records: Records, tz: tzinfo) -> Ints:
    """The UTC offset at each minute in seconds: of the last record begun, else the zone's."""
    order = np.argsort(records.start, kind="stable")
    last = np.searchsorted(records.start[order], (minute + 1) * MINUTE_MS - 1, side="right") - 1
    own = records.offset[order[last]]
    return np.where(own == NO_TIME, zone_offsets(minute, tz), own)


def _day(who: _Whose, day: int, part: Worn, tz: tzinfo, fetched_at: datetime) -> ActivityDay:
    frame = placed(day, [tz], [part])
    return ActivityDay(
        participant_id=who.participant_id,
        source=who.source,
        activity_date=calendar_day(day),
        timezone=who.zone if frame.zone else None,
        day_start_at=frame.start_at,
        day_minutes=frame.day_minutes,
        step_minute=frame.minutes[0],
        # What a minute can hold in the lake; such a day is implausible either way.
        step_count=np.minimum(part.steps, 65_535).astype(np.uint16),
        wear_start=_NONE,
        wear_length=_NONE,
        wear_method="steps",
        vendor_steps=None,
        era="file",
        device_model=None,
        fetched_at=fetched_at,
        raw_sha256=who.hashes,
    )
