"""Small Fitabase exports, written by hand: a folder of files from their lines."""

import gzip
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from ingestion.source import Ask
from ingestion.sources.fitabase import SOURCE, ExportReading
from warehouse.study import EXAMPLE, read_study

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
WIDE_HEADER = "Id,ActivityHour," + ",".join(f"Steps{minute:02d}" for minute in range(60))
NARROW_HEADER = "Id,ActivityMinute,Steps"


def ask(timezone: str | None = None) -> Ask:
    return Ask(read_study(EXAMPLE), NOW, timezone=timezone)


def clock(hour: int) -> str:
    """1 -> 1:00:00 AM, as Fitabase writes hours."""
    return f"{(hour + 11) % 12 + 1}:00:00 {'AM' if hour < 12 else 'PM'}"


def wide_day(who: str, day: str, steps: dict[str, int], hours: range = range(24)) -> list[str]:
    """Wide rows of a day; `steps` by 24-hour clock, like {"08:05": 7}; other minutes are 0."""
    rows = []
    for hour in hours:
        values = [str(steps.get(f"{hour:02d}:{minute:02d}", 0)) for minute in range(60)]
        rows.append(",".join([who, f"{day} {clock(hour)}", *values]))
    return rows


def write(folder: Path, **files: list[str]) -> Path:
    """Write `name=[lines]` as name.csv, or as name.csv.gz where the name ends in _gz."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, lines in files.items():
        text = "".join(f"{line}\r\n" for line in lines).encode()
        if name.endswith("_gz"):
            (folder / f"{name[:-3]}.csv.gz").write_bytes(gzip.compress(text))
        else:
            (folder / f"{name}.csv").write_bytes(text)
    return folder


def read(folder: Path, timezone: str | None = None, **options) -> ExportReading:
    asked = replace(ask(timezone), **options)
    return SOURCE.read(list(SOURCE.fetch(folder, asked)), asked)


def steps_of(reading: ExportReading) -> dict[tuple[str, str], dict[int, int]]:
    """Non-zero minutes by participant and date: {("F1", "2026-03-10"): {485: 7}}."""
    return {
        (day.participant_id, str(day.activity_date)): dict(
            zip(day.step_minute.tolist(), day.step_count.tolist(), strict=True)
        )
        for day in reading.days
    }
