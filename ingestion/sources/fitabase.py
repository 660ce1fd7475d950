"""Fitabase: a folder of CSV files as a study exports them, one word of the vendor up to a day.

Read: minute steps (narrow and wide, merged or one file a participant), hourly steps (to compare),
daily steps and daily activity (the vendor's totals), heart rate by second or minute (for wear).

Rules
- Which word wins: the file that reaches later for that participant; at the same reach the larger
  count. The order of files is nothing. Equal words count once; both kinds are counted.
- `fetched_at` of a day is how far the export reaches for that participant, not when it was
  imported: so a later export replaces an earlier one whichever is loaded first. It is the files'
  own clock (as if UTC), so that a zone mended later places the same export anew. A day with a total
  and no minutes carries its own start, so that it never replaces a day with minutes.
- A daily total is unfinished, and refused, when the participant's hours end before the day does;
  or when it is the last of its file and no hourly file ends with that day.
- Wear is minutes with a heart rate of 30 to 220 (RAPIDS, Fitbit data yield; the bounds are ours),
  on days from a participant's first to last heart rate; other days have wear_method steps and no
  runs.
- Clock times are naive. A time that spring skips is kept an hour later, in elapsed time; one that
  autumn repeats is the first passing, and its second, other word the second.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np

from ingestion.delimited import normal
from ingestion.errors import BadInput
from ingestion.local_days import DAY, EPOCH, LocalDay, instant_of, local_day
from ingestion.reconcile import DayDifference, Reconciliation
from ingestion.source import ActivityDay, Ask, Count, Minutes, Reading, Reply, runs_of
from ingestion.sources._fitabase_export import Export, Points
from ingestion.sources._fitabase_files import NEEDED, check_formats, kind_of, read_part

_NONE: Minutes = np.empty(0, np.uint16)
_LISTS = ("step_minute", "step_count", "wear_start", "wear_length")


@dataclass
class ExportReading(Reading):
    """A reading of a whole export, and how its parts compare."""

    reconciliation: Reconciliation = field(default_factory=Reconciliation)
    moved_minutes: int = 0  # minutes with steps in the hour that spring skips
    moved_steps: int = 0


class Fitabase:
    """The source. `ask.ids` maps an export's ids to participants (else F and the id); `ask.zones`
    has a participant's zone where it is not `ask.timezone`; with neither, days are UTC days."""

    name = "fitabase"
    delivers = frozenset({"activity_day"})
    era = "file"

    def fetch(self, client: Path, ask: Ask) -> Iterator[Reply]:
        """Each file of the folder `client` that is understood, as it is."""
        for path in understood(client):
            body = path.read_bytes()
            kind = kind_of(path.name, body)
            assert kind, f"{path.name} was understood a moment ago"
            packed = path.name.lower().endswith(".gz")
            yield Reply(
                source=self.name,
                participant_id=None,
                data_type=kind.data_type,
                request=path.name,
                fetched_at=ask.now,
                status=200,
                content_type="application/gzip" if packed else "text/csv",
                body=body,
            )

    def read(self, replies: Sequence[Reply], ask: Ask) -> ExportReading:
        """Days of everybody in the export, and how minutes compare with hours and totals."""
        parts = [read_part(reply) for reply in replies]
        check_formats(parts)
        if not any(part.kind.data_type == "minute_steps" for part in parts):
            raise BadInput(f"no file of minute steps among {len(parts)} files; {NEEDED}")
        named = {one for part in parts for one in part.people}
        participants = _participants(named, ask.ids)
        zones = {p: ask.zones.get(p, ask.timezone) for p in participants.values()}
        return _reading(Export(parts, participants, zones), self.name)


SOURCE = Fitabase()


def understood(folder: Path) -> list[Path]:
    """The files of the folder that are read, by name; BadInput when there is none."""
    if not folder.is_dir():
        raise BadInput(f"{folder}: not a folder; give the folder that holds the export's CSV files")
    files = [path for path in sorted(folder.iterdir()) if path.is_file()]
    found = [path for path in files if kind_of(path.name, path.read_bytes())]
    if not found:
        named = ", ".join(path.name for path in files[:3]) or "no file is in it"
        raise BadInput(
            f"{folder}: no Fitabase export among its {len(files)} files ({named}); "
            f"{_hint(folder) or NEEDED}"
        )
    return found


def _hint(folder: Path) -> str:
    """Where the export lies that was looked for a level too high; blank for nowhere."""
    for below in sorted(one for one in folder.iterdir() if one.is_dir()):
        files = (one for one in below.iterdir() if one.is_file())
        if any(kind_of(one.name, one.read_bytes()) for one in files):
            return f"its folder {below.name} has one: give that"
    return ""


def _participants(named: set[str], ids: Mapping[str, str] | None) -> dict[str, str]:
    """The participant of each id, spelt alike or not; BadInput when a mapping lacks some."""
    if ids is None:
        return {one: f"F{one}" for one in named}
    alike = {normal(one): participant for one, participant in ids.items()}
    lacking = {one for one in named if normal(one) not in alike}
    if lacking:
        raise BadInput(
            f"{len(lacking)} of the export's {len(named)} ids are not in the mapping; add them to "
            f"it, or take their rows out of the export"
        )
    return {one: alike[normal(one)] for one in named}


def _reading(export: Export, source: str) -> ExportReading:
    reading = ExportReading(reconciliation=export.compare_hours())
    for index, participant in enumerate(export.participants):
        counts = {name: tally.count_of(index) for name, tally in export.tallies.items()}
        reading.counts_of[participant] = counts
        for name, count in counts.items():
            _add(reading.count(name), count)
        _read_participant(export, index, source, reading)
    reading.notes = _notes(export, reading)
    return reading


def _add(total: Count, count: Count) -> None:
    total.received += count.received
    total.landed += count.landed
    for reason, points in count.rejections.items():
        total.reject(reason, points)


def _notes(export: Export, reading: ExportReading) -> list[str]:
    notes = list(reading.reconciliation.lines)
    if reading.moved_steps:
        notes.append(
            f"{reading.moved_minutes} minutes with {reading.moved_steps} steps bear a time that "
            f"spring skips; they are kept an hour later, in elapsed time"
        )
    unknown = sum(zone is None for zone in export.zones.values())
    if unknown:
        notes.append(
            f"no time zone is known for {unknown} participants: their days are stored as days of "
            f"24 hours in UTC; give a time zone to place them"
        )
    return notes


def _read_participant(export: Export, index: int, source: str, reading: ExportReading) -> None:
    participant = export.participants[index]
    zone = export.zones[participant]
    steps, totals = export.steps.of(index), export.totals_of(index)
    minutes, worn = dict(steps.by_day()), dict(export.heart.of(index).by_day())
    if minutes:
        last = int(steps.clock[-1])
        reading.covered_to[participant] = instant_of(last, zone) + timedelta(minutes=1)
        told_at = instant_of(last, None) + timedelta(minutes=1)
    files = export.files_of(index)
    for day in sorted({*minutes, *totals}):
        local = local_day(day, zone)
        has_heart = bool(worn) and min(worn) <= day <= max(worn)
        reading.days.append(
            ActivityDay(
                participant_id=participant,
                source=source,
                activity_date=EPOCH + timedelta(days=day),
                timezone=zone,
                day_start_at=local.start_at,
                day_minutes=local.minutes,
                vendor_steps=totals.get(day),
                era="file",
                device_model=None,
                fetched_at=told_at if day in minutes else instant_of(day * DAY, None),
                raw_sha256=files,
                **_lists(local, minutes.get(day), worn.get(day), has_heart),
            )
        )
        if day in minutes:
            _judge(export, index, day, minutes[day], totals.get(day), reading)


def _lists(
    local: LocalDay, steps: Points | None, worn: Points | None, has_heart: bool
) -> dict[str, Any]:
    """Steps and wear of one day, in minutes from its start."""
    if steps is None:
        return dict.fromkeys(_LISTS, _NONE) | {"wear_method": None}
    at = local.elapsed[steps.fold, steps.clock % DAY]
    counts = np.bincount(at, weights=steps.value, minlength=local.minutes).astype(np.uint16)
    stepped = np.flatnonzero(counts).astype(np.uint16)
    wear = np.unique(local.elapsed[0, worn.clock % DAY]) if worn else _NONE
    runs = runs_of(wear)
    method = "heart_rate" if has_heart else "steps"
    return dict(zip(_LISTS, (stepped, counts[stepped], *runs), strict=True)) | {
        "wear_method": method
    }


def _judge(
    export: Export, index: int, day: int, steps: Points, total: int | None, reading: ExportReading
) -> None:
    """Count the minutes that spring moved; compare a full day with the vendor's total."""
    participant = export.participants[index]
    local = local_day(day, export.zones[participant])
    moved = local.skipped[steps.clock % DAY] & (steps.value > 0)
    reading.moved_minutes += int(moved.sum())
    reading.moved_steps += int(steps.value[moved].sum())
    there = np.bincount(steps.clock % DAY, minlength=DAY) > 0
    if not (there | local.skipped).all():
        return
    on = EPOCH + timedelta(days=day)
    reading.first_full_day.setdefault(participant, on)
    if total is not None:
        sums = int(steps.value.sum())
        reading.reconciliation.add_day(DayDifference(participant, on, sums, total))
    elif export.total_unfinished(index, day):
        reading.reconciliation.days_total_unfinished += 1
    else:
        reading.reconciliation.days_without_total += 1
