"""Data points of one Takeout file as arrays; what cannot be one is refused with its reason.

One file is in memory at a time; heart beats are at once reduced to the minutes that have one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ingestion.delimited import first_line, header_of, normal, read_strict
from ingestion.errors import NOT_JSON, BadInput
from ingestion.source import Count, Reply

Ints = npt.NDArray[np.int64]
Reals = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
HEART_RATE = (30, 220)  # plausible beats a minute: RAPIDS, Fitbit data yield; the bounds are ours
MOST_MINUTE_STEPS = 30_000  # above it is no count; implausible ones below are judged per day
NO_TIME = np.iinfo(np.int64).min
_SINCE = 946_684_800  # 2000, in seconds since 1970
_AHEAD = 86_400  # a clock ahead of UTC shows at most 14 hours more
_VALUE = {"minute_steps": "steps", "heart_rate": "beatsperminute"}
_AT = {"month": 0, "day": 3, "year": 6, "hour": 9, "minute": 12, "second": 15}
_BETWEEN = {2: "/", 5: "/", 8: " ", 11: ":", 14: ":"}


@dataclass(frozen=True)
class Points:
    """Points of one file. `second` counts from 1970, of UTC in CSV, of the naive clock in JSON.

    Steps: one for each point, `value` its steps. Heart rate: one for each minute with a plausible
    beat, `value` the number of beats. `origin` indexes `origins`, the names of data sources.
    """

    data_type: str
    is_csv: bool
    second: Ints
    value: Ints
    origin: Ints
    origins: list[str]
    sha256: str


def read_points(reply: Reply, data_type: str, is_csv: bool, count: Count) -> Points | None:
    """The points of a file, received and refused ones counted; None where it says "no data".

    Raises BadInput for a file that is neither.
    """
    with reply.open() as stream:
        body = stream.read().removeprefix(b"\xef\xbb\xbf")
    if _says_no_data(body):
        return None
    rows = _csv_rows(reply, body, data_type) if is_csv else _json_rows(reply, body, data_type)
    second, value, origin, origins, doubted = rows
    count.received += second.size
    good = _refused(second, value, doubted, data_type, count, reply)
    if data_type == "heart_rate":
        minute, beats = np.unique(second[good] // 60, return_counts=True)
        none = np.zeros_like(minute)
        return Points(
            data_type, is_csv, minute * 60, beats.astype(np.int64), none, [""], reply.sha256
        )
    steps = value[good].astype(np.int64)
    return Points(data_type, is_csv, second[good], steps, origin[good], origins, reply.sha256)


Rows = tuple[Ints, Reals, Ints, list[str], Flags]  # second, value, origin, origins, doubted


class _Beat(msgspec.Struct):
    bpm: object = None
    confidence: object = None


class _Steps(msgspec.Struct):
    dateTime: object = None
    value: object = None


class _Heart(msgspec.Struct):
    dateTime: object = None
    value: _Beat | str | float | None = None


_STEPS = msgspec.json.Decoder(list[_Steps])
_HEART = msgspec.json.Decoder(list[_Heart])


def _json_rows(reply: Reply, body: bytes, data_type: str) -> Rows:
    try:
        points = (_HEART if data_type == "heart_rate" else _STEPS).decode(body)
    except NOT_JSON:
        raise BadInput(
            f"{reply.request}: not a list of data points, or cut short; export it again"
        ) from None
    second = _clock_seconds([point.dateTime for point in points])
    origin = np.zeros(second.size, np.int64)
    if data_type == "minute_steps":
        return (
            second,
            _numbers([p.value for p in points]),
            origin,
            [""],
            np.zeros(origin.size, bool),
        )
    beats = [p.value if isinstance(p.value, _Beat) else _Beat(p.value) for p in points]
    # A stated confidence of 0 is the vendor's word that the optical sensor saw no pulse.
    doubted = _numbers([beat.confidence for beat in beats]) == 0
    return second, _numbers([beat.bpm for beat in beats]), origin, [""], doubted


def _csv_rows(reply: Reply, body: bytes, data_type: str) -> Rows:
    name, text = reply.request, pa.string()
    value = _VALUE[data_type]
    types = {"timestamp": text, value: text}
    if "datasource" in map(normal, header_of(first_line(name, body))):
        types["datasource"] = text
    # Whether Google ends its last line is not known; a row that was cut lacks fields.
    table = read_strict(name, body if body.endswith(b"\n") else body + b"\n", types)
    second = _instants(table["timestamp"])
    number = _numbers(table[value].to_pylist())
    named = table["datasource"].fill_null("") if "datasource" in types else pa.nulls(0, text)
    coded = pc.dictionary_encode(pc.utf8_trim_whitespace(named))
    whole = coded.combine_chunks() if isinstance(coded, pa.ChunkedArray) else coded
    if isinstance(whole, pa.ChunkedArray):
        whole = whole.chunk(0)
    origin = np.zeros(second.size, np.int64)
    origins = [""]
    if "datasource" in types and second.size:
        origin = whole.indices.to_numpy(zero_copy_only=False).astype(np.int64)
        origins = whole.dictionary.to_pylist()
    return second, number, origin, origins, np.zeros(second.size, bool)


def _refused(
    second: Ints, value: Reals, doubted: Flags, data_type: str, count: Count, reply: Reply
) -> Flags:
    """Which points are usable; the others are counted, each for its first reason."""
    good = np.ones(second.size, bool)
    low, high = HEART_RATE if data_type == "heart_rate" else (0, MOST_MINUTE_STEPS)
    odd = "implausible_heart_rate" if data_type == "heart_rate" else "impossible"
    latest = int(reply.fetched_at.timestamp()) + _AHEAD
    with np.errstate(invalid="ignore"):
        for reason, bad in (
            ("no_time", second < _SINCE),
            ("in_the_future", second > latest),
            ("not_a_number", ~np.isfinite(value)),
            (odd, (value < low) | (value > high)),
            ("not_a_number", (value % 1 != 0) & (data_type == "minute_steps")),
            ("no_confidence", doubted),
        ):
            count.reject(reason, int((good & bad).sum()), reply.sha256)
            good &= ~bad
    return good


def _clock_seconds(stamps: Sequence[object]) -> Ints:
    """Seconds of naive stamps like 03/26/26 08:14:00; NO_TIME where one is something else."""
    try:
        plain = set(map(len, stamps)) == {17}  # type: ignore[arg-type]
        text = "".join(stamps).encode("ascii", "replace") if plain else b""  # type: ignore[arg-type]
    except TypeError:
        text = b""
    if not text:
        text = b"".join(
            one.encode("ascii", "replace") if isinstance(one, str) and len(one) == 17 else b" " * 17
            for one in stamps
        )
    letters = np.frombuffer(text, np.uint8).reshape(-1, 17).astype(np.int64)
    digits = letters - ord("0")
    part = {name: digits[:, at] * 10 + digits[:, at + 1] for name, at in _AT.items()}
    places = [at + n for at in _AT.values() for n in (0, 1)]
    good = ((digits[:, places] >= 0) & (digits[:, places] <= 9)).all(axis=1)
    for place, letter in _BETWEEN.items():
        good &= letters[:, place] == ord(letter)
    good &= (part["month"] >= 1) & (part["month"] <= 12) & (part["day"] >= 1)
    good &= (part["hour"] < 24) & (part["minute"] < 60) & (part["second"] < 60)
    months = (part["year"] + 30) * 12 + part["month"] - 1  # since 1970
    months[~good] = 0
    first, following = (m.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
                        for m in (months, months + 1))  # fmt: skip
    good &= first + part["day"] <= following
    clock = (part["hour"] * 60 + part["minute"]) * 60 + part["second"]
    return np.where(good, (first + part["day"] - 1) * 86_400 + clock, NO_TIME)


def _instants(stamps: pa.ChunkedArray) -> Ints:
    """Seconds UTC of stamps that state their zone (Z or an offset); NO_TIME for others."""
    texts = pc.utf8_trim_whitespace(stamps)
    try:
        times = pc.cast(texts, pa.timestamp("ns", "UTC"))
    except pa.ArrowInvalid:
        return np.array([_instant(text) for text in texts.to_pylist()], np.int64)
    known = pc.is_valid(times).to_numpy().astype(bool)
    ticks: Ints = pc.fill_null(pc.cast(times, pa.int64()), 0).to_numpy()
    return np.where(known, ticks // 1_000_000_000, NO_TIME)


def _instant(text: str | None) -> int:
    try:
        stated = datetime.fromisoformat(text or "")
    except ValueError:
        return NO_TIME
    return NO_TIME if stated.tzinfo is None else int(stated.astimezone(UTC).timestamp())


def _numbers(values: Sequence[object]) -> Reals:
    """The values as numbers, numbers in text too; NaN for anything else."""
    try:
        found = np.array(values, np.float64)
    except (TypeError, ValueError, OverflowError):
        found = np.empty(0)
    if found.shape == (len(values),):
        return found
    return np.array([_number(value) for value in values], np.float64)


def _number(value: object) -> float:
    try:
        return float(value) if isinstance(value, str | float | int) else np.nan
    except (ValueError, OverflowError):
        return np.nan


def _says_no_data(body: bytes) -> bool:
    """Google puts a sentence in place of an empty table."""
    return len(body) < 200 and (
        not body.strip() or normal(body.decode("utf-8", "replace")).startswith("nodata")
    )
