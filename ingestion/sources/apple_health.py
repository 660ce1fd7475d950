"""Apple Health: the export.zip that a phone gives, or its export.xml, one person's own.

Whose it is says --participant; or give a folder of exports named by participant (P-014.zip).
Of an export only the records of steps and heart rate are kept, without the names of devices.

Rules
- Where records overlap, the one of the first source counts at each instant: Apple Watch before
  iPhone before any other app, of two watches or phones the one that came later. Never summed.
- A record's steps are spread evenly over its minutes, whole, and to its sum. What a person typed
  in is refused; so is what has no time, runs backwards, is longer than a day, or of the future.
- Times go through UTC: the offset printed is that of the phone when it exported. The day is the
  civil day of the roster's zone; a record's own HKTimeZone holds for up to a day after it.
- Wear is a heart rate of 30 to 220, and the time between two of them at most 30 minutes apart: a
  watch at rest measures every 10 minutes (Apple's support page on heart rate, 2015), so that three
  in a row are missing. Days outside a participant's first to last heart rate, and all of those
  with a phone alone, have wear_method steps and no runs.
- `fetched_at` of a day is the export's own date: so a later export replaces an earlier one
  whichever is loaded first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from ingestion.archives import ZIP, open_archive
from ingestion.errors import BadInput
from ingestion.source import Ask, Count, Reading, Reply
from ingestion.sources._apple_days import days_of, first_full_day
from ingestion.sources._apple_export import distil, is_export
from ingestion.sources._apple_records import read_records
from ingestion.whose import exports_in

_HEAD = 64 << 10
NEEDED = "needed is the export.zip that the Health app of an iPhone gives, or its export.xml"


class AppleHealth:
    """The source. `ask.zones` has a participant's zone where it is not `ask.timezone`; with
    neither, days are UTC days."""

    name = "apple_health"
    delivers = frozenset({"activity_day"})
    era = "file"

    def fetch(self, client: Path, ask: Ask) -> Iterator[Reply]:
        """The step and heart-rate records of each export at `client`, as the phone wrote them."""
        for export in exports_in(client, ask):
            number = 0
            for path in export.paths:
                whose = export.participant_id
                called = whose if path.is_dir() else f"{whose}: {path.name}"
                for content, size, label in _exports_at(path, called):
                    number += 1
                    request = f"{export.participant_id}/export-{number}.tsv"
                    yield self._reply(content, size, label, export.participant_id, request, ask)
            if not number:
                raise BadInput(f"{export.participant_id}: no Apple Health export; {NEEDED}")

    def _reply(
        self, content: BinaryIO, size: int, label: str, participant_id: str, request: str, ask: Ask
    ) -> Reply:
        file = ask.aside(request)
        with file.open("wb") if file else BytesIO() as sink:
            distil(content, size, label, sink, ask.progress)
            body = sink.getvalue() if isinstance(sink, BytesIO) else b""
        return Reply(
            source=self.name,
            participant_id=participant_id,
            data_type="health_export",
            request=request,
            fetched_at=ask.now,
            status=200,
            content_type="text/tab-separated-values",
            body=body,
            file=file,
        )

    def read(self, replies: Sequence[Reply], ask: Ask) -> Reading:
        """The days of each export; of a day that two exports have, landing takes the later."""
        reading = Reading()
        hidden = 0
        for reply in replies:
            participant = reply.participant_id or ask.participant_id
            if participant is None:
                raise BadInput(f"{reply.request}: nobody said whose export it is")
            zone = ask.zones.get(participant, ask.timezone)
            hidden += _add_export(reply, participant, zone, reading)
        reading.notes = _notes(reading, hidden, ask)
        return reading


SOURCE = AppleHealth()


def _exports_at(path: Path, label: str) -> Iterator[tuple[BinaryIO, int, str]]:
    """Each export.xml at a path, whatever its name: a stream, its size, and how to call it."""
    if path.is_dir():
        for inner in sorted(path.rglob("*")):
            if inner.is_file() and inner.suffix.lower() in (".xml", ".zip"):
                yield from _exports_at(inner, f"{label}/{inner.relative_to(path).as_posix()}")
        return
    with path.open("rb") as file:
        head = file.read(_HEAD)
        if head.startswith(ZIP):
            yield from _zipped(file, label)
        elif is_export(head, label):
            file.seek(0)
            yield file, path.stat().st_size, label


def _zipped(file: BinaryIO, label: str) -> Iterator[tuple[BinaryIO, int, str]]:
    with open_archive(file, label) as archive:
        for member in archive.members:
            if not member.name.lower().endswith(".xml"):
                continue
            name = f"{label}/{member.name}"
            with archive.open(member.name) as content:
                found = is_export(content.read(_HEAD), name)
            if found:
                with archive.open(member.name) as content:
                    yield content, member.size, name


def _add_export(reply: Reply, participant: str, zone: str | None, reading: Reading) -> int:
    """Add an export to the reading; the steps that two of its records counted."""
    records = read_records(reply)
    days, hidden = days_of(records, zone, participant, reply)
    reading.days += days
    mine = reading.counts_of.setdefault(participant, {})
    for data_type, count in records.counts.items():
        reading.count(data_type).add(count)
        mine.setdefault(data_type, Count()).add(count)
    if days:
        reach = max(records.reach, reading.covered_to.get(participant, records.reach))
        reading.covered_to[participant] = reach
    if full := first_full_day(records, days):
        on = reading.first_full_day.get(participant, full)
        reading.first_full_day[participant] = min(on, full)
    return hidden


def _notes(reading: Reading, hidden: int, ask: Ask) -> list[str]:
    notes = []
    if hidden:
        notes.append(f"{hidden:,} steps that two records counted are counted once")
    unplaced = sum(not ask.zones.get(one, ask.timezone) for one in reading.counts_of)
    if unplaced:
        notes.append(
            f"no time zone is known for {unplaced} participants: their days are stored as days of "
            f"24 hours in UTC; give a time zone to place them"
        )
    return notes
