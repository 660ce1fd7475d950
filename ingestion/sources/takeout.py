"""Google Takeout of Fitbit and Google Health: old JSON and new CSV of minutes, one person's own.

`stepwell import takeout PATH --participant P`, where PATH is a folder or a zip (a split one is one
export); or a folder with an entry named by each participant, like `P-014.zip` or a folder `P-014`.

Rules
- One day is never read of JSON and of CSV, which hold the same steps: CSV wins
  (but where it begins within a local day, and JSON has steps from before, JSON has that day).
- CSV states UTC. The clock of JSON is disputed: `--set time=detect|utc|local`; detect (as it is
  unless set) compares with CSV of the same days, and where that does not tell, local time is
  assumed and the report says so.
- Of several data sources in one minute one counts: wearables before phones before apps that others
  fill (Health Connect), between equals the larger; `--set prefer="Name,Other"` puts names first.
  A stamp that comes twice counts once, the larger; seconds of one minute are summed.
- Of two exports that have a day, the one that reaches further wins, whichever is imported first:
  `fetched_at` of a day is how far the export reaches. A clock that was set or detected goes before
  an assumed one of the same export (by microseconds of it).
- Days are those of the roster's zone. Steps on a clock that spring skips are
  kept an hour later, in elapsed time.
- Wear is minutes with a heart rate of 30 to 220 (RAPIDS, Fitbit data yield; the bounds are ours)
  whose stated confidence is not 0, on days from a participant's first to last heart rate; other
  days have wear_method steps and no runs.
- A day without steps and heart rate has no row. The daily minutes files are no steps and no minutes
  of wear, and are not read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from shutil import copyfileobj
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from ingestion.errors import BadInput
from ingestion.source import PASSED_OVER, ActivityDay, Ask, Count, Reading, Reply, runs_of
from ingestion.sources._google_days import NOTHING, Worn, calendar_day, placed, zone_offsets
from ingestion.sources._takeout_clock import READINGS, Clock
from ingestion.sources._takeout_days import File, Person, Rows, newest_export, one_format
from ingestion.sources._takeout_files import (
    LARGE,
    NEEDED,
    Found,
    exports_of,
    kind_of,
    listed,
    not_read,
    period_of,
)
from ingestion.sources._takeout_points import read_points
from ingestion.whose import exports_in

Ints = npt.NDArray[np.int64]
TYPES = ("minute_steps", "heart_rate")


class Takeout:
    """The source. `ask.participant_id`, else the names of entries, say whose exports they are."""

    name = "takeout"
    delivers = frozenset({"activity_day"})
    era = "file"
    options = ("time", "prefer")

    def fetch(self, client: Path, ask: Ask) -> Iterator[Reply]:
        """Each file that is read, as it is, and what was passed over; nothing else is kept."""
        _time_asked(ask)
        for export in exports_in(client, ask):
            with ExitStack() as opened:
                exports = exports_of(export.participant_id, export.paths, opened)
                if not any(kind_of(found.name) for files in exports for found in files):
                    raise BadInput(
                        f"{export.participant_id}: no Takeout of steps among "
                        f"{sum(map(len, exports))} files; {NEEDED}"
                    )
                for number, files in enumerate(exports, start=1):
                    yield from self._replies(export.participant_id, number, files, ask)

    def _replies(
        self, participant: str, number: int, files: Sequence[Found], ask: Ask
    ) -> Iterator[Reply]:
        place = f"{participant}/{number}"
        passed_over = [one.name for one in files if not kind_of(one.name)]
        for index, found in enumerate(files):
            if kind := kind_of(found.name):
                body, file = _content(found, ask, f"{place}/{index}")
                yield self._reply(ask, participant, kind[0], f"{place}/{found.name}", body, file)
        if passed_over:
            body = not_read(passed_over)
            yield self._reply(ask, participant, PASSED_OVER, f"{place}/{PASSED_OVER}", body, None)

    def _reply(
        self, ask: Ask, participant: str, data_type: str, request: str, body: bytes,
        file: Path | None,
    ) -> Reply:  # fmt: skip
        return Reply(
            source=self.name,
            participant_id=participant,
            data_type=data_type,
            request=request,
            fetched_at=ask.now,
            status=200,
            content_type="text/csv" if request.lower().endswith("csv") else "application/json",
            body=body,
            file=file,
        )

    def read(self, replies: Sequence[Reply], ask: Ask) -> Reading:
        """Days of everybody whose exports these are."""
        reading = Reading()
        people: dict[str, list[Reply]] = {}
        for reply in replies:
            people.setdefault(reply.participant_id or "", []).append(reply)
        for participant, mine in sorted(people.items()):
            _read_participant(participant, mine, ask, self.name, reading)
        unknown = sum(ask.zones.get(one, ask.timezone) is None for one in people)
        if unknown:
            reading.notes.append(
                f"no time zone is known for {unknown} participants: their days are stored as days "
                f"of UTC; give a time zone to place them"
            )
        return reading


SOURCE = Takeout()


def _time_asked(ask: Ask) -> str:
    wanted = ask.options.get("time", "detect")
    if wanted not in READINGS:
        raise BadInput(f"time={wanted!r} is not known; it is one of {', '.join(READINGS)}")
    return wanted


def _content(found: Found, ask: Ask, name: str) -> tuple[bytes, Path | None]:
    """A file's content: in memory where it is small, else where it lies on disk."""
    if found.path and found.size > LARGE:
        return b"", found.path
    aside = ask.aside(name) if found.size > LARGE else None
    with found.open() as stream:
        if aside is None:
            return stream.read(), None
        with aside.open("wb") as target:
            copyfileobj(stream, target)
        return b"", aside


def _read_participant(
    participant: str, replies: Sequence[Reply], ask: Ask, source: str, reading: Reading
) -> None:
    counts = reading.counts_of.setdefault(participant, {})
    files = []
    empty = 0
    for number, reply in enumerate(replies):
        if reply.data_type == PASSED_OVER:
            reading.notes.append(f"{participant}: not read: {listed(reply.body)}")
            continue
        name = reply.request.rsplit("/", 1)[-1]
        kind = kind_of(name)
        if kind is None:
            raise BadInput(f"{reply.request}: not a file of a Takeout; {NEEDED}")
        points = read_points(reply, *kind, counts.setdefault(kind[0], Count()))
        export = _export_of(reply)
        empty += points is None
        if points is not None:
            files.append(File(points, export, number, period_of(name)))
    if empty:
        reading.notes.append(f"{participant}: {empty} files say that they have no data")
    zone = ask.zones.get(participant, ask.timezone)
    prefer = [one.strip() for one in ask.options.get("prefer", "").split(",") if one.strip()]
    person = Person(files, zone, _time_asked(ask), prefer)
    hashes = [reply.sha256 for reply in replies]
    days, covered_to = _days(person, participant, zone, hashes, source, counts)
    for data_type, count in counts.items():
        count.landed = count.received - count.rejected
        reading.count(data_type).add(count)
    if person.clock:
        reading.notes.append(_clock_note(participant, person.clock))
    if days:
        reading.days += days
        reading.covered_to[participant] = covered_to
        if len(days) > 1:
            reading.first_full_day[participant] = days[0].activity_date + timedelta(days=1)


def _export_of(reply: Reply) -> int:
    """The number of the export that a reply is of; `fetch` puts it before the file's name."""
    place = reply.request.split("/")[:-1]
    return int(place[-1]) if place and place[-1].isdigit() else 1


def _clock_note(participant: str, clock: Clock) -> str:
    if clock.sure:
        return f"{participant}: times of JSON files are read as {clock.reading} time, {clock.why}"
    return (
        f"{participant}: times of JSON files are ASSUMED to be {clock.reading} time ({clock.why}); "
        f"--set time=utc reads them as UTC"
    )


def _days(
    person: Person, participant: str, zone: str | None, hashes: Sequence[str], source: str,
    counts: Mapping[str, Count],
) -> tuple[list[ActivityDay], datetime]:  # fmt: skip
    """The participant's days, by date, and the end of their last minute, be it of zero steps."""
    tz: tzinfo = ZoneInfo(zone) if zone else UTC
    reach = person.reach()
    given = {one: person.rows(one) for one in TYPES}
    on = {one: _day_of(rows, tz) for one, rows in given.items()}
    steps, heart = ((given[one], on[one]) for one in TYPES)
    word = newest_export(steps, heart, reach)
    kept = {
        one: _kept(person, one, (given[one], on[one]), word, tz, counts.get(one, Count()))
        for one in TYPES
    }
    parts = {one: _worn(rows, tz).by_day() for one, rows in kept.items()}
    walked, beats = parts["minute_steps"], parts["heart_rate"]
    sure = person.clock.sure if person.clock else 0
    found = []
    for day in sorted({*walked, *beats}):
        pair = (walked.get(day, NOTHING), beats.get(day, NOTHING))
        at = datetime.fromtimestamp(reach[word[day]], UTC) + timedelta(microseconds=sure)
        has_heart = bool(beats) and min(beats) <= day <= max(beats)
        found.append(_day(participant, source, day, zone, tz, pair, has_heart, at, hashes))
    last = max((int(rows.minute[-1]) for rows in kept.values() if rows.minute.size), default=0)
    return found, datetime.fromtimestamp((last + 1) * 60, UTC)


def _kept(
    person: Person, data_type: str, given: tuple[Rows, Ints], word: Mapping[int, int], tz: tzinfo,
    count: Count,
) -> Rows:  # fmt: skip
    """The rows that count: of the export, the data source and the format that has the word."""
    rows, day = given
    speaks = np.array([word[one] for one in day.tolist()], np.int64) == rows.export
    count.reject("replaced_by_a_later_export", int(rows.points[~speaks].sum()))
    rows = person.picked(rows.only(speaks), count)
    of_one = one_format(rows, _day_of(rows, tz), person.csv_begins(data_type))
    count.reject("counted_from_the_other_format", int(rows.points[~of_one].sum()))
    return rows.only(of_one)


def _day_of(rows: Rows, tz: tzinfo) -> Ints:
    days: Ints = (rows.minute * 60 + zone_offsets(rows.minute, tz)) // 86_400
    return days


def _worn(rows: Rows, tz: tzinfo) -> Worn:
    offset = zone_offsets(rows.minute, tz)
    return Worn(rows.minute, (rows.minute * 60 + offset) // 86_400, offset, rows.value, rows.file)


def _day(
    participant: str, source: str, day: int, zone: str | None, tz: tzinfo,
    parts: tuple[Worn, Worn], has_heart: bool, fetched_at: datetime, hashes: Sequence[str],
) -> ActivityDay:  # fmt: skip
    steps, heart = parts
    frame = placed(day, [tz], parts)
    step_minute, heart_minute = frame.minutes
    some = steps.steps > 0
    wear = runs_of(heart_minute)
    files = {*steps.page.tolist(), *heart.page.tolist()}
    return ActivityDay(
        participant_id=participant,
        source=source,
        activity_date=calendar_day(day),
        timezone=zone,
        day_start_at=frame.start_at,
        day_minutes=frame.day_minutes,
        step_minute=step_minute[some],
        step_count=steps.steps[some].astype(np.uint16),
        wear_start=wear[0],
        wear_length=wear[1],
        wear_method="heart_rate" if has_heart else "steps",
        vendor_steps=None,
        era="file",
        device_model=None,
        fetched_at=fetched_at,
        raw_sha256=tuple(sorted({hashes[file] for file in files})),
    )
