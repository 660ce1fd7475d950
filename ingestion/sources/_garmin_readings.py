"""Monitoring messages of FIT files as readings: whose counter stood where, and when.

Contract: the FIT profile, messages monitoring (55) and monitoring_info (103).

- `timestamp_16` is the low 16 bits of the time and rolls over every 65,536 s: it is the first such
  time after the message before it. Messages may be a little out of order, so up to BACK seconds
  before is before.
- monitoring_info tells the local time beside the UTC time: the offset of what follows in the file.
- `cycles` of walking and running are steps, whole and without the scale of other cycles.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import fitdecode
import numpy as np
import numpy.typing as npt

from ingestion.source import Count, Reply
from ingestion.sources._garmin_files import (
    FILE_ID,
    KEPT,
    MONITORING,
    MONITORING_INFO,
    read_frames,
)

Ints = npt.NDArray[np.int64]
FIT_EPOCH = 631_065_600  # 1989-12-31 UTC, in seconds since 1970
FIRST_DATE = 0x10000000  # a smaller date_time counts from when the device was switched on
ROLLOVER = 1 << 16
BACK = 300  # seconds; ours: far from a rollover, and longer than messages wait for each other
STEP_TYPES = {1: "running", 6: "walking"}
MOST_DAY_STEPS = 1_000_000  # a counter above it is no count; implausible ones are judged per day
HEART_RATE = (30, 220)  # beats a minute that mean wear, as of every source of files
OFFSETS = (-12 * 3600, 14 * 3600)  # of the zones that there are
QUARTER = 900  # offsets are whole quarters of an hour; a device's two clocks may differ by seconds
DAY = 86_400
NO_OFFSET = np.iinfo(np.int64).min
_COUNTERS = ("steps", "cycles", "strokes", "cycles_16")  # names of one field, and its short form


@dataclass
class Readings:
    """Rows of one participant as lists: times in seconds since 1970 UTC.

    `counters`: device, kind (1 running, 6 walking), time, offset, steps so far, whether the steps
    are of the stretch since the message before, whether it sums up a day, file.
    `beats`: time, offset. `marks`: device, time, offset, file, of every message with a time.
    `starts`: device, time, of every monitoring_info.
    """

    counters: list[tuple[int, ...]] = field(default_factory=list)
    beats: list[tuple[int, int]] = field(default_factory=list)
    marks: list[tuple[int, int, int, int]] = field(default_factory=list)
    starts: list[tuple[int, int]] = field(default_factory=list)
    models: dict[int, str] = field(default_factory=dict)


class _File:
    """Reads one file's messages in their order, keeping its clock, offset and device."""

    def __init__(self, readings: Readings, number: int, steps: Count, heart: Count) -> None:
        self._readings, self._number = readings, number
        self._steps, self._heart = steps, heart
        self._now: int | None = None
        self._offset = NO_OFFSET
        self._device = 0

    def take(self, message: fitdecode.FitDataMessage, latest: int, sha256: str) -> None:
        """One message; nothing later than `latest` is believed."""
        told = {one.name: one.raw_value for one in message.fields if one.raw_value is not None}
        if message.global_mesg_num == FILE_ID:
            self._begin(message, told)
            return
        at = self._time_of(told)
        if message.global_mesg_num == MONITORING_INFO and at is not None:
            self._offset = _offset(at, told.get("local_timestamp"))
            self._readings.starts.append((self._device, at))
        elif message.global_mesg_num == MONITORING:
            reason = "no_time" if at is None else "in_the_future" if at > latest else ""
            self._monitored(told, at or 0, reason, sha256)

    def _begin(self, message: fitdecode.FitDataMessage, told: dict[str, object]) -> None:
        key = f"{told.get('serial_number')}".encode()
        self._device = int.from_bytes(hashlib.sha256(key).digest()[:3])
        named = message.get_value("garmin_product", fallback=None)
        if named is not None:
            self._readings.models[self._device] = str(named)

    def _time_of(self, told: dict[str, object]) -> int | None:
        """The time of a message, which is the clock for what follows; None where it tells none."""
        whole, low = told.get("timestamp"), told.get("timestamp_16")
        if isinstance(whole, int) and whole >= FIRST_DATE:
            self._now = whole + FIT_EPOCH
        elif isinstance(low, int) and self._now is not None:
            ahead = (low - (self._now - FIT_EPOCH)) % ROLLOVER
            self._now += ahead - ROLLOVER if ahead >= ROLLOVER - BACK else ahead
        else:
            return None
        return self._now

    def _monitored(self, told: dict[str, object], at: int, reason: str, sha256: str) -> None:
        row = (self._device, at, self._offset, self._number)
        steps = next((told[name] for name in _COUNTERS if name in told), None)
        if not reason:
            self._readings.marks.append(row)
        if steps is not None:
            self._count_steps(told, steps, row, reason, sha256)
        if "heart_rate" in told:
            self._heart.received += 1
            beat = told["heart_rate"]
            if not reason and not (isinstance(beat, int) and _plausible(beat)):
                reason = "implausible_heart_rate"
            if reason:
                self._heart.reject(reason, 1, sha256)
            else:
                self._readings.beats.append((at, self._offset))

    def _count_steps(
        self,
        told: dict[str, object],
        steps: object,
        row: tuple[int, int, int, int],
        reason: str,
        sha256: str,
    ) -> None:
        self._steps.received += 1
        kind = told.get("activity_type")
        if not reason and not isinstance(kind, int):
            reason = "no_activity_type"
        elif not reason and kind not in STEP_TYPES:
            reason = "not_steps"
        elif not reason and not (isinstance(steps, int) and 0 <= steps <= MOST_DAY_STEPS):
            reason = "impossible"
        if reason:
            self._steps.reject(reason, 1, sha256)
            return
        assert isinstance(kind, int)
        assert isinstance(steps, int)
        device, at, offset, number = row
        stretch = "current_activity_type_intensity" in told
        sums = "duration_min" in told or "duration" in told
        self._readings.counters.append(
            (device, kind, at, offset, steps, int(stretch), int(sums), number)
        )


def read_readings(replies: Sequence[Reply], now: datetime, steps: Count, heart: Count) -> Readings:
    """Every reading in the files, those that cannot be used counted with their reason.

    Raises BadInput, naming the file by its content, where one is damaged.
    """
    readings = Readings()
    latest = int(now.timestamp()) + DAY  # a clock may be ahead, but not by more than a zone
    for number, reply in enumerate(replies):
        file = _File(readings, number, steps, heart)
        for frame in read_frames(reply.body, reply.request):
            if isinstance(frame, fitdecode.FitDataMessage) and frame.global_mesg_num in KEPT:
                file.take(frame, latest, reply.sha256)
    return readings


def _offset(at: int, local: object) -> int:
    """Seconds that local time is ahead of UTC, to the quarter of an hour; NO_OFFSET if untold."""
    if not isinstance(local, int):
        return NO_OFFSET
    offset = round((local + FIT_EPOCH - at) / QUARTER) * QUARTER
    return offset if OFFSETS[0] <= offset <= OFFSETS[1] else NO_OFFSET


def _plausible(beat: int) -> bool:
    return HEART_RATE[0] <= beat <= HEART_RATE[1]
