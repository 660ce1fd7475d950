"""Google Health bodies as typed columns. Fields not named here are passed over unread.

JSON as the vendor writes it: int64 as strings, zeros left out, "NaN" possible, RFC 3339 in Z.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TypeVar

import msgspec
import numpy as np
import numpy.typing as npt

from ingestion.errors import NOT_JSON, BadReply

Longs = npt.NDArray[np.int64]
Reals = npt.NDArray[np.float64]
Number = str | int | float | None
NO_TIME = np.iinfo(np.int64).min  # an instant or offset that is missing or cannot be read
_NO_MORE = 253_370_764_800  # 9999-01-01: from here on some zone has no date for an instant
B = TypeVar("B")


class _Camel(msgspec.Struct, rename="camel", gc=False):
    pass


class Settings(_Camel):
    time_zone: str = ""
    utc_offset: str = ""


class Device(_Camel):
    name: str = ""
    device_type: str = ""
    device_version: str | None = None
    features: list[str] | None = None
    last_sync_time: str | None = None
    battery_level: Number = None


class Paged(_Camel):
    """A page; `next_page_token` is blank on the last one."""

    next_page_token: str = ""


class Devices(Paged):
    paired_devices: list[Device] = []


class KeptPart(_Camel):
    """What a reply that is kept in part says of the rest: field, kind of drift, how often."""

    drift: list[tuple[str, str, int]] = []


class Interval(msgspec.Struct, rename="camel", gc=False, frozen=True):
    start_time: str | None = None
    start_utc_offset: str | None = None
    end_time: str | None = None


_NOWHERE = Interval()


class Steps(_Camel):
    interval: Interval = _NOWHERE
    count: Number = 0
    count_sum: Number = 0


class Point(_Camel):
    steps: Steps | None = None


class Points(Paged):
    """A page of `reconcile`."""

    data_points: list[Point] = []


class HeartRate(_Camel):
    beats_per_minute_avg: Number = None


class Date(_Camel):
    year: int = 0
    month: int = 0
    day: int = 0


class CivilTime(_Camel):
    date: Date | None = None


class Bucket(_Camel):
    start_time: str | None = None
    civil_start_time: CivilTime | None = None
    steps: Steps | None = None
    heart_rate: HeartRate | None = None


class Buckets(Paged):
    """A page of `rollUp` or `dailyRollUp`."""

    rollup_data_points: list[Bucket] = []


def decode(body: bytes, kind: type[B]) -> B:
    """The body as `kind`; BadReply when it is something else."""
    try:
        return msgspec.json.decode(body, type=kind, strict=False)  # a number may come as text
    except NOT_JSON:
        what = kind.__name__.lower()
        raise BadReply(
            f"google_health: a reply does not hold {what}; its raw body is kept"
        ) from None


@dataclass(frozen=True)
class StepPoints:
    """Step points, one array element each. Seconds since 1970 UTC; NO_TIME where not stated.

    `count` is NaN where it is no number; `page` numbers the body the point stood in.
    """

    start: Longs
    end: Longs
    offset: Longs
    count: Reals
    page: Longs

    def only(self, kept: npt.NDArray[np.bool_]) -> StepPoints:
        """The points where `kept`."""
        return StepPoints(*(getattr(self, name)[kept] for name in self.__dataclass_fields__))


def step_points(pages: Iterable[list[Point]]) -> tuple[StepPoints, list[int]]:
    """The step points of all pages, and how many points of each held no steps at all.

    A page is made columns before the next is asked for: what was decoded of it is at hand still.
    """
    without, parts = [], []
    for number, page in enumerate(pages):
        steps = [point.steps for point in page if point.steps is not None]
        without.append(len(page) - len(steps))
        parts.append(_columns(steps, number))
    columns = zip(*parts, strict=True) if parts else [[np.empty(0, np.int64)]] * 5
    start, end, offset, count, of_page = (np.concatenate(column) for column in columns)
    return StepPoints(start, end, offset, count.astype(np.float64), of_page), without


def _columns(steps: Sequence[Steps], page: int) -> tuple[Longs, Longs, Longs, Reals, Longs]:
    places = [one.interval for one in steps]
    return (
        epoch_seconds([place.start_time for place in places]),
        epoch_seconds([place.end_time for place in places]),
        offset_seconds([place.start_utc_offset for place in places]),
        real_numbers([one.count for one in steps]),
        np.full(len(places), page),
    )


def epoch_seconds(texts: Sequence[str | None]) -> Longs:
    """RFC 3339 instants as whole seconds since 1970 UTC; NO_TIME where one cannot be read or dated.

    >>> epoch_seconds(["1970-01-02T00:00:01Z", "1970-01-01T02:00:00+02:00"]).tolist()
    [86401, 0]
    """
    seconds = _epoch_seconds(texts)
    seconds[(seconds < 0) | (seconds >= _NO_MORE)] = NO_TIME
    return seconds


def _epoch_seconds(texts: Sequence[str | None]) -> Longs:
    try:
        signs = np.frombuffer("".join(texts).encode(), np.uint8)  # type: ignore[arg-type]
        table = signs.reshape(len(texts), 20)
        if (table[:, 19] == ord("Z")).all() and (table[:, 10] == ord("T")).all():
            plain = np.ascontiguousarray(table[:, :19]).view("S19").ravel()
            return plain.astype("datetime64[s]").astype(np.int64)
    except (TypeError, ValueError):
        pass  # one is missing, or written in another way: read them one by one
    return np.array([_epoch_second(text) for text in texts], np.int64)


def _epoch_second(text: str | None) -> int:
    parsed = instant(text)
    return NO_TIME if parsed is None else int(parsed.timestamp() // 1)


def instant(text: str | None) -> datetime | None:
    """One RFC 3339 instant as aware UTC; None where it is missing or cannot be read."""
    try:
        parsed = msgspec.convert(text or "", datetime)
        return parsed.astimezone(UTC) if parsed.tzinfo else None
    except (msgspec.ValidationError, OverflowError):
        return None


def offset_seconds(texts: Sequence[str | None]) -> Longs:
    """Durations such as "-18000s" as seconds; NO_TIME where missing or beyond any zone on Earth."""
    known = {text: _offset_second(text) for text in set(texts)}
    if len(known) == 1:
        return np.full(len(texts), known[texts[0]], np.int64)
    return np.array([known[text] for text in texts], np.int64)


def _offset_second(text: str | None) -> int:
    try:
        seconds = int(float((text or "").removesuffix("s")))
    except (ValueError, OverflowError):
        return NO_TIME
    return seconds if abs(seconds) <= 18 * 3600 else NO_TIME


def real_numbers(values: Sequence[Number]) -> Reals:
    """Numbers, or strings that hold one; NaN for what is neither."""
    try:
        return np.fromiter(map(float, values), np.float64, len(values))  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return np.array([_real(value) for value in values], np.float64)


def _real(value: Number) -> float:
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return float("nan")


def civil_date(time: CivilTime | None) -> date | None:
    """The calendar day of a civil time; None where it states none that exists."""
    try:
        return date(time.date.year, time.date.month, time.date.day) if time and time.date else None
    except (ValueError, OverflowError):
        return None
