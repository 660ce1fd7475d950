"""Apple Health exports, as an iPhone writes them: small ones by hand, and one of any size."""

from __future__ import annotations

import random
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from xml.sax.saxutils import quoteattr

PROLOG = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE HealthData [
<!-- HealthKit Export Version: 14 -->
<!ELEMENT HealthData (ExportDate,Me,(Record|Correlation|Workout|ActivitySummary)*)>
<!ATTLIST HealthData
  locale CDATA #REQUIRED
>
<!ELEMENT Record ((MetadataEntry|HeartRateVariabilityMetadataList)*)>
<!ATTLIST Record
  type          CDATA #REQUIRED
  value         CDATA #IMPLIED
>
]>
"""
EXPORTED = "2026-03-30 12:00:00 +0200"
ME = '<Me HKCharacteristicTypeIdentifierDateOfBirth="1965-07-31"/>'
WATCH_DEVICE = (
    "<<HKDevice: 0x282a45810>, name:Apple Watch, manufacturer:Apple Inc., model:Watch, "
    "hardware:Watch6,2, software:11.3>"
)
PHONE_DEVICE = "<<HKDevice: 0x1>, name:iPhone, manufacturer:Apple Inc., model:iPhone>"
DEVICES = {
    "watch": ("Anna\u2019s Apple\xa0Watch", WATCH_DEVICE),
    "phone": ("Anna\u2019s iPhone", PHONE_DEVICE),
    "app": ("Anna Tracker", ""),
}
TYPES = {
    "steps": ("HKQuantityTypeIdentifierStepCount", "count"),
    "heart": ("HKQuantityTypeIdentifierHeartRate", "count/min"),
    "energy": ("HKQuantityTypeIdentifierActiveEnergyBurned", "kcal"),
}


def record(
    what: str,
    start: str,
    end: str,
    value: object,
    by: str = "watch",
    zone: str = "+0200",
    unit: str | None = None,
    **metadata: str,
) -> str:
    """One Record, with times such as 2026-03-26 08:14:00 at the offset `zone`."""
    kind, usual = TYPES[what]
    name, device = DEVICES[by]
    given = {"type": kind, "sourceName": name, "sourceVersion": "11.3", "device": device,
             "unit": unit or usual, "creationDate": f"{end} {zone}", "startDate": f"{start} {zone}",
             "endDate": f"{end} {zone}", "value": str(value)}  # fmt: skip
    text = " ".join(f"{key}={quoteattr(one)}" for key, one in given.items() if one)
    if not metadata:
        return f" <Record {text}/>"
    entries = [f'  <MetadataEntry key="{key}" value="{one}"/>' for key, one in metadata.items()]
    return "\n".join([f" <Record {text}>", *entries, " </Record>"])


def export_xml(*records: str, exported: str | None = EXPORTED, prolog: str = PROLOG) -> bytes:
    """An export.xml of these records."""
    said = [f' <ExportDate value="{exported}"/>'] if exported else []
    lines = ['<HealthData locale="en_GB">', *said, f" {ME}", *records, "</HealthData>"]
    return (prolog + "\n".join(lines) + "\n").encode()


def export_zip(path: Path, xml: bytes, name: str = "export.xml") -> Path:
    """An export.zip as a phone packs it, with what else is in it."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("apple_health_export/export_cda.xml", "<ClinicalDocument/>")
        file.writestr(f"apple_health_export/{name}", xml)
        file.writestr("apple_health_export/workout-routes/route_1.gpx", "<gpx>52.5 13.4</gpx>")
    return path


def large_export(path: Path, size: int, seed: int = 7) -> dict[date, int]:
    """Write an export.zip whose XML has at least `size` bytes; the steps of each local day.

    A watch and a phone count the same walks, and the phone one more in the evening, alone.
    """
    truth: dict[date, int] = {}
    written = 0
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file,
        file.open("apple_health_export/export.xml", "w", force_zip64=True) as xml,
    ):
        xml.write((PROLOG + '<HealthData locale="en_GB">\n').encode())
        xml.write(b' <ExportDate value="2026-03-30 12:00:00 +0000"/>\n')
        for day in _days_before(date(2026, 3, 29)):
            steps, lines = _large_day(day, random.Random(seed * 100_000 + day.toordinal()))
            truth[day] = steps
            body = ("\n".join(lines) + "\n").encode()
            xml.write(body)
            written += len(body)
            if written >= size:
                break
        xml.write(b"</HealthData>\n")
    return truth


def _days_before(last: date) -> Iterator[date]:
    while True:
        yield last
        last -= timedelta(days=1)


def _large_day(day: date, chance: random.Random) -> tuple[int, list[str]]:
    steps, lines = 0, []
    midnight = datetime(day.year, day.month, day.day)

    def at(second: int) -> str:
        return str(midnight + timedelta(seconds=second))

    for second in range(7 * 3600, 21 * 3600, 300):
        count = chance.randrange(0, 600)
        steps += count
        for by in ("watch", "phone"):
            end = at(second + 300)
            lines.append(record("steps", at(second), end, count + (by == "phone"), by, "+0000"))
    alone = chance.randrange(1, 900)
    lines.append(record("steps", at(80_000), at(80_600), alone, "phone", "+0000"))
    for second in range(0, 86_400, 40):
        now, beat = at(second), chance.randrange(45, 160)
        motion = {"HKMetadataKeyHeartRateMotionContext": "0"}
        lines.append(record("heart", now, now, beat, "watch", "+0000", **motion))
        if second % 120 == 0:
            lines.append(record("energy", now, at(second + 60), beat / 100, "watch", "+0000"))
    return steps + alone, lines
