"""Days of minutes from the legacy API's bodies: local clock times without an offset."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Annotated, TypeVar

import msgspec
import numpy as np
import numpy.typing as npt

from ingestion.errors import NOT_JSON, BadReply
from ingestion.local_days import EPOCH, LocalDay, local_day
from ingestion.source import ActivityDay, Count, Reading, Reply, runs_of

Whole = npt.NDArray[np.int64]
T = TypeVar("T")
STEPS = range(1, 65_536)  # of a minute, as it is stored; what nobody walks is judged later
# Beats a minute that mean wear: RAPIDS, Fitbit data yield; the bounds are ours.
PULSE = range(30, 221)
TOTALS = range(2**31)  # what vendor_steps can hold


Int = Annotated[int, msgspec.Meta(ge=-(2**62), le=2**62)]  # what numpy can hold


class Point(msgspec.Struct):
    time: str
    value: Int


class Intraday(msgspec.Struct):
    dataset: list[Point]


class Total(msgspec.Struct, rename="camel"):
    date_time: date
    value: Int


class StepsBody(msgspec.Struct):
    """Daily totals, and minutes of one day; their key is absent where they are not granted."""

    totals: list[Total] = msgspec.field(name="activities-steps")
    minutes: Intraday | None = msgspec.field(name="activities-steps-intraday", default=None)


class HeartBody(msgspec.Struct):
    minutes: Intraday | None = msgspec.field(name="activities-heart-intraday", default=None)


@dataclass(frozen=True)
class Person:
    """What a participant's days share."""

    participant_id: str
    timezone: str
    device_model: str | None
    may_measure_heart: bool


def age(reply: Reply) -> tuple[object, str]:
    """Sorts replies to the same question: the newest word is the greatest."""
    return reply.fetched_at, reply.sha256


def decoded(reply: Reply, shape: type[T]) -> T:
    """The body as `shape`, numbers in strings too; BadReply when it is something else."""
    try:
        return msgspec.json.decode(reply.body, type=shape, strict=False)
    except NOT_JSON as error:
        raise BadReply(f"fitbit: {reply.data_type}: {error}") from None


def read_days(replies: Sequence[Reply], person: Person, reading: Reading) -> None:
    """Put the days of the replies into `reading`, and what was refused and why into its counts."""
    steps, heart = _by_day(replies, "steps"), _by_day(replies, "heart")
    if any(reply.status == 403 for reply in heart.values()):
        person = replace(person, may_measure_heart=False)
    totals = _totals(replies)
    for on, reply in sorted(steps.items()):
        row = _read_day(on, reply, heart.get(on), totals.get(on), person, reading)
        if row is not None:
            reading.days.append(row)
    _count_totals(totals, {row.activity_date for row in reading.days}, reading)


def _by_day(replies: Sequence[Reply], data_type: str) -> dict[date, Reply]:
    """The newest reply to each day."""
    mine = sorted((r for r in replies if r.data_type == data_type), key=age)
    return {reply.window.first_on: reply for reply in mine if reply.window}


def _totals(replies: Sequence[Reply]) -> dict[date, tuple[int, str]]:
    """The newest total of each day and the hash of its reply."""
    mine = sorted((r for r in replies if r.data_type == "totals"), key=age)
    return {
        total.date_time: (total.value, reply.sha256)
        for reply in mine
        for total in decoded(reply, StepsBody).totals
    }


def _count_totals(totals: dict[date, tuple[int, str]], landed: set[date], reading: Reading) -> None:
    for on, (value, sha256) in totals.items():
        count = reading.count("totals")
        count.received += 1
        if value not in TOTALS:
            count.reject("bad_value", 1, sha256)
        elif on not in landed:
            count.reject("no_minutes_reply", 1, sha256)
        else:
            count.landed += 1


def _read_day(
    on: date, reply: Reply, heart: Reply | None, total: tuple[int, str] | None,
    person: Person, reading: Reading,
) -> ActivityDay | None:  # fmt: skip
    body = decoded(reply, StepsBody)
    if any(own.date_time != on for own in body.totals):
        raise BadReply(f"fitbit: steps: asked for {on}, another day came")
    count = reading.count("steps")
    if person.may_measure_heart and heart is None:  # a fetch that broke off between the two
        points = len(body.minutes.dataset) if body.minutes else 1
        count.received += points
        count.reject("no_heart_reply", points, reply.sha256)
        return None
    local = local_day((on - EPOCH).days, person.timezone)
    at, steps = _placed(body.minutes, STEPS, local, count, reply.sha256)
    worn = _worn(heart, local, reading)
    starts, lengths = runs_of(worn)
    told = total[0] if total else next((own.value for own in body.totals), None)
    parts = (reply, heart) if heart else (reply,)
    return ActivityDay(
        participant_id=person.participant_id,
        source=reply.source,
        activity_date=on,
        timezone=person.timezone,
        day_start_at=local.start_at,
        day_minutes=local.minutes,
        step_minute=at.astype(np.uint16),
        step_count=steps.astype(np.uint16),
        wear_start=starts,
        wear_length=lengths,
        wear_method=_wear_method(at, worn),
        vendor_steps=told if told in TOTALS else None,
        era="legacy_fitbit",
        device_model=person.device_model,
        fetched_at=max(part.fetched_at for part in parts),
        raw_sha256=(*(part.sha256 for part in parts), *([total[1]] if total else [])),
    )


def _worn(heart: Reply | None, local: LocalDay, reading: Reading) -> Whole:
    """Minutes with a pulse; none where heart rate was not measured, or not permitted (403)."""
    if heart is None or heart.status == 403:
        return np.empty(0, np.int64)
    beats = decoded(heart, HeartBody).minutes
    return _placed(beats, PULSE, local, reading.count("heart"), heart.sha256)[0]


def _wear_method(at: Whole, worn: Whole) -> str | None:
    """Blank for a day without any minute; steps tell the wear where no heart does, as on a day on
    which the sensor was off."""
    if worn.size:
        return "heart_rate"
    return "steps" if at.size else None


def _placed(
    part: Intraday | None, good_values: range, local: LocalDay, count: Count, sha256: str
) -> tuple[Whole, Whole]:
    """Minutes from local midnight, ascending, and their values; the rest is counted as refused.

    Zeros land as what they are: nothing. Of two values for one minute the first stands.
    """
    before = count.rejected
    received = len(part.dataset) if part else 1
    points = [point for point in part.dataset if point.value] if part else []
    clock = clock_minutes([point.time for point in points])
    values = np.array([point.value for point in points], np.int64)
    if clock.size and clock[0] > clock[-1]:  # newest first
        clock, values = clock[::-1], values[::-1]
    if part is None:
        count.reject("minutes_not_granted", 1, sha256)
    good = np.ones(clock.size, np.bool_)
    for reason, bad in (
        ("bad_time", clock < 0),
        ("bad_value", (values < good_values.start) | (values >= good_values.stop)),
        ("skipped_clock", local.skipped[clock]),
        ("ambiguous_clock", local.repeated[clock] & _seen_before(clock)),
        ("duplicate_minute", _seen_before(clock)),
    ):
        count.reject(reason, int((good & bad).sum()), sha256)
        good &= ~bad
    count.received += received
    count.landed += received - (count.rejected - before)
    at = local.elapsed[0, clock[good]]
    order = np.argsort(at, kind="stable")
    return at[order], values[good][order]


def _seen_before(clock: Whole) -> npt.NDArray[np.bool_]:
    seen = np.ones(clock.size, np.bool_)
    seen[np.unique(clock, return_index=True)[1]] = False
    return seen


def clock_minutes(times: Sequence[str]) -> Whole:
    """Minutes of the clock from times that begin with HH:MM; -1 for what is no such time.

    >>> clock_minutes(["00:00:00", "08:14:30", "24:00:00", "noon"]).tolist()
    [0, 494, -1, -1]
    """
    if not times:
        return np.empty(0, np.int64)
    signs = (
        np.array([time.encode("ascii", "replace") for time in times], "S5")
        .view(np.uint8)
        .reshape(-1, 5)
        .astype(np.int64)
    )
    digits = signs[:, [0, 1, 3, 4]] - ord("0")
    hours, minutes = digits[:, 0] * 10 + digits[:, 1], digits[:, 2] * 10 + digits[:, 3]
    is_time = ((digits >= 0) & (digits <= 9)).all(axis=1) & (signs[:, 2] == ord(":"))
    return np.where(is_time & (hours < 24) & (minutes < 60), hours * 60 + minutes, -1)
