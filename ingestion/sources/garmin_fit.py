"""Garmin: FIT monitoring files, as watches write them and Garmin's "export your data" gives them.

Read: the step counters of walking and running, heart rate (for wear), a day's own summary. Files of
activities, weights and the rest are counted and not read: the steps of an activity are already in
the day's counters. See _garmin_readings for the clock and _garmin_days for the counters.

Rules
- A participant's files are one whole, in any order, repeated and overlapping. Of two words on one
  instant that of the file which reaches further wins. `fetched_at` of a day is how far a
  participant's files reach: a later export replaces an earlier one whichever is loaded first. Give
  the files of a day together: a day is what one import says of it.
- The local day is the one at the offset that the file tells; where it tells none, in the roster's
  zone. A day on which all offsets are those of that zone is framed by it, with its clock changes.
- Wear is minutes with a heart rate of 30 to 220, on days from a participant's first to last heart
  rate; other days have wear_method steps and no runs.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import numpy as np

from ingestion.errors import NOT_JSON, BadInput
from ingestion.local_days import EPOCH, local_day
from ingestion.source import PASSED_OVER, ActivityDay, Ask, Count, Reading, Reply, runs_of
from ingestion.sources._garmin_days import (
    MINUTE,
    Minutes,
    columns_of,
    counters_of,
    each_once,
    ended_day,
    minutes_of,
    one_device,
    totals_of,
)
from ingestion.sources._garmin_files import fit_files
from ingestion.sources._garmin_readings import DAY, NO_OFFSET, Ints, read_readings
from ingestion.sources._google_days import zone_offsets
from ingestion.whose import exports_in

MONITORING = "monitoring"
DAY_MINUTES = 1440
MOST_DAY_MINUTES = 2880  # as warehouse.tables.landed.activity_day bounds a day


@dataclass(frozen=True)
class _Told:
    """What a participant's files tell, by day since 1970."""

    days: Ints
    steps: Minutes
    beats: Minutes  # with 0 steps
    totals: dict[int, int]
    offsets: dict[int, tuple[int, int]]  # the least and the largest of the day
    files: dict[int, tuple[str, ...]]
    reach: datetime
    model: str | None


class GarminFit:
    """The source. The path is a file, a folder or a zip of one participant, or a folder with one
    of these for each (ingestion.whose)."""

    name = "garmin_fit"
    delivers = frozenset({"activity_day"})
    era = "file"

    def fetch(self, client: Path, ask: Ask) -> Iterator[Reply]:
        """Each monitoring file, without the device's serial number, and what was left unread.

        Raises BadInput where a file is damaged, and where none of a participant is monitoring.
        """
        for export in exports_in(client, ask):
            seen: set[str] = set()
            others: Counter[str] = Counter()
            for path in export.paths:
                for file in fit_files(path, export.participant_id):
                    if not file.is_monitoring:
                        others[file.kind] += 1
                    elif (digest := sha256(file.body).hexdigest()) not in seen:
                        seen.add(digest)
                        name = f"{export.participant_id}/{digest[:12]}.fit"
                        yield _reply(export.participant_id, MONITORING, name, file.body, ask)
            if not seen:
                raise BadInput(
                    f"{export.participant_id}: no monitoring file among {others.total()} FIT "
                    f"files{_listed(others)}; steps are in the files of the watch's Monitor folder "
                    f"and in the zips of Garmin's export"
                )
            if others:
                name = f"{export.participant_id}/{PASSED_OVER}"
                body = msgspec.json.encode(dict(sorted(others.items())))
                yield _reply(export.participant_id, PASSED_OVER, name, body, ask)

    def read(self, replies: Sequence[Reply], ask: Ask) -> Reading:
        """Days of everybody whose files these are; pure. Raises BadInput where one is damaged."""
        reading = Reading()
        of: dict[str, list[Reply]] = defaultdict(list)
        others: Counter[str] = Counter()
        for reply in replies:
            if reply.data_type == PASSED_OVER:
                others += _others(reply)
            else:
                of[reply.participant_id or ""].append(reply)
        for participant in sorted(of):
            _read_participant(participant, _distinct(of[participant]), ask, reading)
        if others:
            reading.notes.append(
                f"{others.total()} FIT files without monitoring were not read{_listed(others)}; "
                f"the steps of activities are in the monitoring files"
            )
        return reading


SOURCE = GarminFit()


def _reply(participant: str, data_type: str, name: str, body: bytes, ask: Ask) -> Reply:
    kind = "application/vnd.ant.fit" if data_type == MONITORING else "application/json"
    return Reply(SOURCE.name, participant, data_type, name, ask.now, 200, kind, body)


def _listed(kinds: Counter[str]) -> str:
    listed = ", ".join(f"{kind} {count}" for kind, count in sorted(kinds.items()))
    return f" ({listed})" if listed else ""


def _others(reply: Reply) -> Counter[str]:
    try:
        return Counter(msgspec.json.decode(reply.body, type=dict[str, int]))
    except NOT_JSON:
        raise BadInput(f"{reply.request}: not the list of files that was kept") from None


def _distinct(replies: Sequence[Reply]) -> list[Reply]:
    """Each file once, in an order of their content."""
    return [reply for _, reply in sorted({reply.sha256: reply for reply in replies}.items())]


def _read_participant(
    participant: str, replies: Sequence[Reply], ask: Ask, reading: Reading
) -> None:
    counts = {"steps": Count(), "heart_rate": Count()}
    zone = ask.zones.get(participant, ask.timezone)
    told = _told(replies, zone, ask, counts)
    reading.counts_of[participant] = counts
    for name, count in counts.items():
        reading.count(name).add(count)
    if told is None:
        return
    reading.covered_to[participant] = told.reach
    for day in told.days.tolist():
        reading.days.append(_day(participant, day, told, zone))
    full = _first_full_day(reading.days[-told.days.size :], told)
    if full is not None:
        reading.first_full_day[participant] = full


def _told(
    replies: Sequence[Reply], zone: str | None, ask: Ask, counts: dict[str, Count]
) -> _Told | None:
    """What the files tell; None where not one message has a time."""
    rows = read_readings(replies, ask.now, counts["steps"], counts["heart_rate"])
    if not rows.marks:
        return None
    device, time, own, file = columns_of(rows.marks, 4)
    offsets = _offsets(time, own, zone)
    reach = np.zeros(len(replies), np.int64)
    np.maximum.at(reach, file, time)
    at = columns_of(rows.counters, 8)
    found = counters_of(rows.counters, _offsets(at[2], at[3], zone))
    found = each_once(found, reach, counts["steps"])
    totals = totals_of(found)
    found = one_device(found, counts["steps"])
    starts = columns_of(rows.starts, 2)
    days = ended_day(time, offsets)
    return _Told(
        days=np.unique(days),
        steps=minutes_of(found, (device, time), (starts[0], starts[1]), counts["steps"]),
        beats=_beats(rows.beats, zone, counts["heart_rate"]),
        totals=totals,
        offsets=_extremes(days, offsets),
        files=_files(days, file, replies),
        reach=datetime.fromtimestamp(int(time.max()), UTC),
        model=_model(rows.models, device, time),
    )


def _offsets(time: Ints, own: Ints, zone: str | None) -> Ints:
    """The offset of each instant: its file's word, else the zone's; with neither, UTC."""
    untold = own == NO_OFFSET
    if not untold.any():
        return own
    of_zone = zone_offsets(time // MINUTE, ZoneInfo(zone) if zone else UTC)
    return np.where(untold, of_zone, own)


def _beats(rows: Sequence[tuple[int, int]], zone: str | None, count: Count) -> Minutes:
    """Minutes with a heart rate, each once; what is stamped on the minute speaks of the last."""
    time, own = columns_of(rows, 2)
    day = ended_day(time, _offsets(time, own, zone))
    minute, first = np.unique((time - 1) // MINUTE, return_index=True)
    count.landed += minute.size
    count.reject("repeated", time.size - minute.size)
    return Minutes(minute, day[first], np.zeros_like(minute))


def _extremes(days: Ints, offsets: Ints) -> dict[int, tuple[int, int]]:
    found: dict[int, tuple[int, int]] = {}
    for day, offset in sorted(set(zip(days.tolist(), offsets.tolist(), strict=True))):
        least, largest = found.get(day, (offset, offset))
        found[day] = min(least, offset), max(largest, offset)
    return found


def _files(days: Ints, file: Ints, replies: Sequence[Reply]) -> dict[int, tuple[str, ...]]:
    found: dict[int, set[str]] = defaultdict(set)
    for day, number in set(zip(days.tolist(), file.tolist(), strict=True)):
        found[day].add(replies[number].sha256)
    return {day: tuple(sorted(files)) for day, files in found.items()}


def _model(models: dict[int, str], device: Ints, time: Ints) -> str | None:
    """The model of the device that spoke last."""
    return models.get(int(device[np.lexsort((device, time))[-1]]))


def _day(participant: str, day: int, told: _Told, zone: str | None) -> ActivityDay:
    minute, steps = _of_day(told.steps, day)
    beats, _ = _of_day(told.beats, day)
    timezone, start, length = _frame(day, told.offsets[day], zone, np.append(minute, beats))
    wear = runs_of(np.unique(beats - start))
    with_heart = told.beats.day
    has_heart = with_heart.size > 0 and with_heart.min() <= day <= with_heart.max()
    counts = np.bincount(minute - start, weights=steps, minlength=1).astype(np.uint16)
    stepped = np.flatnonzero(counts).astype(np.uint16)
    return ActivityDay(
        participant_id=participant,
        source=SOURCE.name,
        activity_date=EPOCH + timedelta(days=day),
        timezone=timezone,
        day_start_at=datetime.fromtimestamp(start * MINUTE, UTC),
        day_minutes=length,
        step_minute=stepped,
        step_count=counts[stepped],
        wear_start=wear[0],
        wear_length=wear[1],
        wear_method="heart_rate" if has_heart else "steps",
        vendor_steps=told.totals.get(day),
        era=SOURCE.era,
        device_model=told.model,
        fetched_at=told.reach,
        raw_sha256=told.files[day],
    )


def _of_day(minutes: Minutes, day: int) -> tuple[Ints, Ints]:
    mine = minutes.day == day
    return minutes.minute[mine], minutes.steps[mine]


def _frame(
    day: int, offsets: tuple[int, int], zone: str | None, minutes: Ints
) -> tuple[str | None, int, int]:
    """Zone, first minute since 1970 UTC and length of a day: of the zone where its offsets are
    those of the day; else from midnight at the one offset to midnight at the other."""
    if zone is not None:
        local = local_day(day, zone)
        start = int(local.start_at.timestamp()) // MINUTE
        ends = (day * DAY - start * MINUTE, (day + 1) * DAY - (start + local.minutes) * MINUTE)
        inside = not minutes.size or (
            minutes.min() >= start and minutes.max() < start + local.minutes
        )
        if set(offsets) <= set(ends) and inside:
            return zone, start, local.minutes
    start, end = day * DAY_MINUTES - offsets[1] // MINUTE, (day + 1) * DAY_MINUTES
    length = end - offsets[0] // MINUTE - start
    if length > MOST_DAY_MINUTES:
        on = EPOCH + timedelta(days=day)
        raise BadInput(f"the device's offset from UTC changes by more than a day on {on}")
    return None, start, length


def _first_full_day(days: Sequence[ActivityDay], told: _Told) -> date | None:
    """The first day that the device summed up, or that lies between two others it spoke of."""
    for before, day in zip([None, *days[:-1]], days, strict=True):
        ends_at = day.day_start_at + timedelta(minutes=day.day_minutes)
        after_one = before is not None and (day.activity_date - before.activity_date).days == 1
        if day.vendor_steps is not None or (after_one and told.reach >= ends_at):
            return day.activity_date
    return None
