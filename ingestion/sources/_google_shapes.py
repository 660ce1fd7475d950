"""What Google Health's replies look like by its discovery document (health:v4, 20261030)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from ingestion.drift import Drift, Shape, drift_of
from ingestion.source import Reply
from ingestion.sources._google_bodies import KeptPart, decode

_CIVIL = {
    "date": {"year": "integer", "month": "integer", "day": "integer"},
    "time": {"hours": "integer", "minutes": "integer", "seconds": "integer", "nanos": "integer"},
}
_INTERVAL = {
    "startTime": "text", "startUtcOffset": "text", "endTime": "text", "endUtcOffset": "text",
    "civilStartTime": _CIVIL, "civilEndTime": _CIVIL,
}  # fmt: skip
_POINT = {"dataPointName": "text", "steps": {"interval": _INTERVAL, "count": "int64"}}
_BEATS = {f"beatsPerMinute{what}": "number" for what in ("Avg", "Min", "Max")}
_DEVICE = {
    "name": "text",
    "deviceType": frozenset({"DEVICE_TYPE_UNSPECIFIED", "TRACKER", "SCALE"}),
    "deviceVersion": "text", "batteryStatus": "text", "batteryLevel": "integer",
    "lastSyncTime": "text", "macAddress": "text", "features": ["text"],
}  # fmt: skip

STEPS = Shape({"dataPoints": [_POINT], "nextPageToken": "text"})
DAILY_STEPS = Shape({
    "rollupDataPoints": [{"civilStartTime": _CIVIL, "civilEndTime": _CIVIL,
                          "steps": {"countSum": "int64"}}],
    "nextPageToken": "text",
})  # fmt: skip
HEART_RATE = Shape({
    "rollupDataPoints": [{"startTime": "text", "endTime": "text", "heartRate": _BEATS}],
    "nextPageToken": "text",
})  # fmt: skip
DEVICES = Shape({"pairedDevices": [_DEVICE], "nextPageToken": "text"})
SETTINGS = Shape(
    {"timeZone": "text", "utcOffset": "text"}
    | {name: "any" for name in (
        "name", "autoStrideEnabled", "distanceUnit", "foodLanguageCode", "glucoseUnit",
        "heightUnit", "languageLocale", "strideLengthRunningType", "strideLengthWalkingType",
        "swimUnit", "temperatureUnit", "waterUnit", "weightUnit",
    )}
)  # fmt: skip
OF_DATA = {"steps": STEPS, "daily-steps": DAILY_STEPS, "heart-rate": HEART_RATE}


Kept = list[tuple[str, str, int]]  # field, kind, how often


def kept_drift(data_type: str, body: bytes, shape: Shape) -> dict[str, Kept]:
    """The drift of a reply of which only a part is kept, to be kept with that part."""
    found = drift_of(data_type, body, shape)
    told = [(one.field_path, one.kind, n) for one, n in sorted(found.items())]
    return {"drift": told} if told else {}


def drift_in(replies: Iterable[Reply]) -> Counter[Drift]:
    """The drift of all replies; that of settings and devices was kept with them."""
    total: Counter[Drift] = Counter()
    for reply in replies:
        if reply.data_type in OF_DATA:
            total += drift_of(reply.data_type, reply.body, OF_DATA[reply.data_type])
        else:
            for path, kind, n in decode(reply.body, KeptPart).drift:
                total[Drift(reply.data_type, path, kind)] += n
    return total
