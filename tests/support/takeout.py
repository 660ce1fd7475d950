"""Small Takeouts, written by hand: files as a path -> text, put in a folder or in zips."""

import json
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from ingestion.source import Ask, Reading
from ingestion.sources.takeout import SOURCE
from warehouse.study import EXAMPLE, read_study

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
OLD = "Takeout/Fitbit/Global Export Data/"
NEW = "Takeout/Google Health/Physical Activity_GoogleData/"
STEPS_HEADER = "timestamp,steps,data source"


def ask(zone: str | None = "Asia/Jerusalem", **changes) -> Ask:
    return replace(Ask(read_study(EXAMPLE), NOW, timezone=zone, participant_id="P-014"), **changes)


def steps_json(*points: tuple[str, object]) -> str:
    """("03/26/26 08:14:00", "97") ... as an old steps file."""
    return json.dumps([{"dateTime": at, "value": value} for at, value in points])


def heart_json(*points: tuple[str, object, object]) -> str:
    """("03/26/26 08:14:05", 104, 3) ... as an old heart-rate file."""
    return json.dumps(
        [{"dateTime": at, "value": {"bpm": bpm, "confidence": c}} for at, bpm, c in points]
    )


def csv(*lines: str) -> str:
    return "".join(f"{line}\n" for line in lines)


def folder(place: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(text, encoding="utf-8")
    return place


def zipped(file: Path, files: Mapping[str, str]) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return file


def read(path: Path, asked: Ask | None = None) -> Reading:
    asked = asked or ask()
    return SOURCE.read(list(SOURCE.fetch(path, asked)), asked)


def steps_of(reading: Reading) -> dict[str, dict[int, int]]:
    """Non-zero minutes by date: {"2026-03-26": {494: 97}}."""
    return {
        str(day.activity_date): dict(
            zip(day.step_minute.tolist(), day.step_count.tolist(), strict=True)
        )
        for day in reading.days
    }


def wear_of(reading: Reading) -> dict[str, list[tuple[int, int]]]:
    """Runs of wear by date: {"2026-03-26": [(494, 2)]}: first minute and length."""
    return {
        str(day.activity_date): list(
            zip(day.wear_start.tolist(), day.wear_length.tolist(), strict=True)
        )
        for day in reading.days
    }
