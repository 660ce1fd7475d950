"""Naive clock times, read as minutes of a local day.

Files and the legacy Fitbit API state what the clock on the wall showed, without offset. Minutes are
stored in elapsed time from local midnight, so only the days on which clocks change need a rule:

- the hour that is skipped in spring: a stamp in it was made by a clock not yet set, so it is read
  with the offset before the change (as Python's fold=0 does) and lies in the hour after the gap.
  Where that minute has steps of its own, the two are added: no step is lost;
- the hour that comes twice in autumn: a stamp is the first passing; the second, when told apart,
  lies an hour later.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
DAY = 1440  # minutes on the clock face of one day
EPOCH = date(1970, 1, 1)


@dataclass(frozen=True)
class LocalDay:
    """A calendar day of a zone: when it starts, how long it is, where its clock minutes lie.

    `elapsed[fold, m]` is the minute from day_start_at of clock minute m, at its first (fold 0) or
    second passing; `skipped` and `repeated` flag the clock minutes of a change.
    """

    start_at: datetime
    minutes: int
    elapsed: Ints
    skipped: Flags
    repeated: Flags


@lru_cache(maxsize=4096)
def local_day(day: int, zone: str | None) -> LocalDay:
    """The day `day` (counted from 1970-01-01) in an IANA zone; without one, a plain UTC day."""
    on = EPOCH + timedelta(days=day)
    midnight = datetime(on.year, on.month, on.day)
    start_at = _instant(midnight, zone, 0)
    length = _instant(midnight + timedelta(days=1), zone, 0) - start_at
    plain = length == timedelta(days=1)
    faces = [np.arange(DAY)] * 2 if plain else [_elapsed(midnight, zone, f) for f in (0, 1)]
    elapsed = np.stack(faces).astype(np.int64)
    return LocalDay(
        start_at=start_at,
        minutes=length // timedelta(minutes=1),
        elapsed=elapsed,
        skipped=elapsed[1] < elapsed[0],
        repeated=elapsed[1] > elapsed[0],
    )


def instant_of(minute: int, zone: str | None) -> datetime:
    """The instant (UTC) of a clock minute counted from 1970-01-01 00:00, at its first passing."""
    day = local_day(minute // DAY, zone)
    return day.start_at + timedelta(minutes=int(day.elapsed[0, minute % DAY]))


def _elapsed(midnight: datetime, zone: str | None, fold: int) -> list[int]:
    start = _instant(midnight, zone, 0)
    faces = (midnight + timedelta(minutes=m) for m in range(DAY))
    return [(_instant(face, zone, fold) - start) // timedelta(minutes=1) for face in faces]


def _instant(face: datetime, zone: str | None, fold: int) -> datetime:
    tz = ZoneInfo(zone) if zone else UTC
    return face.replace(tzinfo=tz, fold=fold).astimezone(UTC)
