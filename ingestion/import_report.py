"""What an import tells whoever made it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from ingestion.landing import Landed
from ingestion.source import PASSED_OVER, ActivityDay, Count, Reading, Reply


@dataclass
class ImportReport:
    """What an import found and did; `str()` is the report in lines."""

    source: str
    files: list[str] = field(default_factory=list)
    not_read: list[str] = field(default_factory=list)
    participants: int = 0
    enrolled: int | None = None  # None: nobody asked to enrol
    first_on: date | None = None
    last_on: date | None = None
    minutes: int = 0
    landed: Landed = field(default_factory=Landed)
    counts: dict[str, Count] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    seen_before: bool = False

    @property
    def landed_nothing(self) -> bool:
        """Whether no fact of the files is stored by this import or one before."""
        done = self.landed
        stored = (done.days_new, done.days_changed, done.days_same,
                  done.rows_new, done.rows_changed, done.rows_same)  # fmt: skip
        return not any(stored)

    def __str__(self) -> str:
        done = self.landed
        again = ", the same bytes as imported before" if self.seen_before else ""
        people, files = many(self.participants, "participant"), many(len(self.files), "file")
        lines = [f"{self.source}: {people} from {files}{again}"]
        if self.enrolled is not None:
            lines.append(f"enrolled: {self.enrolled}")
        if self.not_read:
            lines.append(f"not read: {', '.join(self.not_read)}")
        if self.first_on:
            lines.append(
                f"days {self.first_on} to {self.last_on}: {done.days_new:,} new, "
                f"{done.days_changed:,} changed, {done.days_same:,} as before; "
                f"{many(self.minutes, 'minute')}"
            )
        if done.rows_new + done.rows_changed + done.rows_same:
            lines.append(
                f"rows: {done.rows_new:,} new, {done.rows_changed:,} changed, "
                f"{done.rows_same:,} as before"
            )
        lines += [*map(_count_line, sorted(self.counts.items())), *self.notes]
        return "\n".join([*lines, *([self._nothing()] if self.landed_nothing else [])])

    def _nothing(self) -> str:
        total = Count()
        for count in self.counts.values():
            total.add(count)
        if not total.received:
            return "nothing landed: the files hold nothing that is read"
        refused = f"{total.rejected:,} of {total.received:,} received were refused{_why(total)}"
        return f"nothing landed: {refused}"


def report_of(
    source: str,
    path: Path,
    replies: Sequence[Reply],
    reading: Reading,
    enrolled: int | None,
) -> ImportReport:
    """The report of what was read, before it is landed."""
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
        enrolled=enrolled,
        first_on=min(days, default=None),
        last_on=max(days, default=None),
        minutes=_minutes(reading),
        counts=reading.counts,
        notes=reading.notes,
    )


def empty_days(days: Iterable[ActivityDay]) -> list[str]:
    """A line on the days within each participant's own first and last that have no row."""
    dates = defaultdict(set)
    for day in days:
        dates[day.participant_id].add(day.activity_date)
    spans = ((max(on) - min(on)).days + 1 - len(on) for on in dates.values())
    holes = Counter(span for span in spans if span)
    if not holes:
        return []
    total = sum(hole * people for hole, people in holes.items())
    return [
        f"nothing in the export between first and last day: {many(total, 'day')} of "
        f"{many(holes.total(), 'participant')}; such a day counts as not worn unless another "
        f"export has it"
    ]


def many(number: int, noun: str) -> str:
    """A number and what it counts.

    >>> many(1, "day"), many(1200, "day")
    ('1 day', '1,200 days')
    """
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def _minutes(reading: Reading) -> int:
    """Minutes with a word of the vendor; of a source that has only records, those with steps."""
    if "minute_steps" in reading.counts:
        return reading.counts["minute_steps"].landed
    return sum(day.step_minute.size for day in reading.days)


def _count_line(item: tuple[str, Count]) -> str:
    data_type, count = item
    rejected = f"{count.rejected:,} rejected{_why(count)}"
    return f"{data_type}: {count.received:,} received = {count.landed:,} landed + {rejected}"


def _why(count: Count) -> str:
    why = ", ".join(f"{n:,} {reason}" for reason, n in sorted(count.rejections.items()))
    return f" ({why})" if why else ""
