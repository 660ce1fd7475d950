"""What Google Health's replies look like by its discovery document (health:v4, 20261030)."""

from __future__ import annotations

from collections import Counter

from ingestion.drift import Drift, Shape, differences, drift_of
from ingestion.source import Reply
from ingestion.sources._google_bodies import B, Bucket, Buckets, KeptPart, Point, Points, decode

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

STEPS = Shape({"dataPoints": [_POINT], "nextPageToken": "text"}, Points)
DAILY_STEPS = Shape({
    "rollupDataPoints": [{"civilStartTime": _CIVIL, "civilEndTime": _CIVIL,
                          "steps": {"countSum": "int64"}}],
    "nextPageToken": "text",
}, Buckets)  # fmt: skip
HEART_RATE = Shape({
    "rollupDataPoints": [{"startTime": "text", "endTime": "text", "heartRate": _BEATS}],
    "nextPageToken": "text",
}, Buckets)  # fmt: skip
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


class Reader:
    """Reads bodies, each once, for their values and for their drift."""

    def __init__(self) -> None:
        self.drift: Counter[Drift] = Counter()

    def points(self, reply: Reply) -> list[Point]:
        """The points of a page of steps."""
        return self._decode(reply, Points).data_points

    def buckets(self, reply: Reply) -> list[Bucket]:
        """The buckets of a page of a roll-up."""
        return self._decode(reply, Buckets).rollup_data_points

    def note_kept(self, reply: Reply) -> None:
        """Count the drift that was kept with a reply of settings or devices."""
        for path, kind, n in decode(reply.body, KeptPart).drift:
            self.drift[Drift(reply.data_type, path, kind)] += n

    def _decode(self, reply: Reply, kind: type[B]) -> B:
        shape = OF_DATA[reply.data_type]
        exact: B | None = shape.decoded(reply.body)
        if exact is not None:
            return exact
        self.drift += differences(reply.data_type, reply.body, shape)
        return decode(reply.body, kind)
