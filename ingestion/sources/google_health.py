"""The Google Health API v4: steps by the minute, the vendor's own totals, heart rate for wear.

Contract: discovery document health:v4, revision 20261030; developers.google.com/health.
Only the participant's wearables are asked for: a phone in a bag counts steps too, and what was
typed in by hand was not measured. Without the heart rate wear rests on explicit zeros. Who shared
it before and does not now is asked for the days alone that have not landed whole: the others keep
their wear, and what comes late for them is not asked for while it is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np

from ingestion.source import (
    ActivityDay,
    Ask,
    Client,
    Count,
    Device,
    Reading,
    Reply,
    last_sync,
    runs_of,
)
from ingestion.sources import _google_asks as asks
from ingestion.sources import _google_bodies as bodies
from ingestion.sources._google_days import (
    NOTHING,
    Worn,
    calendar_day,
    day_frame,
    heart_minutes,
    numbered,
    placed,
    step_minutes,
)
from ingestion.sources._google_shapes import Reader
from ingestion.sources._syncs import plausible

DATA_TYPES = ("settings", "paired-devices", "steps", "daily-steps", "heart-rate")
MOST_STEPS = 2**31 - 1  # what vendor_steps can hold
Totals = dict[int, tuple[int, Reply]]  # by local day since 1970


class GoogleHealth:
    """Live devices of Google and Fitbit."""

    name = "google_health"
    delivers = frozenset({"activity_day", "device"})
    era = "google_health"

    def fetch(self, client: Client, ask: Ask) -> Iterator[Reply]:
        """Devices; then, unless none has synced since, the settings and the window.

        One request on a quiet day. A refused heart rate is no error but a reply of status 403
        with our own words as body: wear then rests on explicit zeros. Read what was yielded only
        when the fetch has come to its end: the first pages hold the newest days alone.
        """
        told = list(asks.fetch_devices(client, ask))
        yield from told
        devices, window = asks.trackers(told), ask.window
        syncs = [at for device in devices if (at := _synced_at(device, ask.now))]
        synced_at = max(syncs, default=None)
        if window is None or (synced_at is not None and synced_at == ask.synced_before):
            return
        settings = asks.fetch_settings(client, ask)
        yield settings
        zone = _zone([settings], ask)
        span = asks.utc_span(window, zone)
        for reply in asks.fetch_steps(client, ask, window):
            yield reply
            span = asks.widened(span, window, zone, reply)
        yield from asks.fetch_totals(client, ask, window)
        if any(_measures_heart_rate(device) for device in devices):
            yield from asks.fetch_heart_rate(client, ask, window, span)

    def read(self, replies: Sequence[Reply], ask: Ask) -> Reading:
        """Days, devices and counts of one participant's replies, in any order of arrival."""
        reading = Reading()
        told = sorted(replies, key=lambda reply: (reply.fetched_at, reply.sha256, reply.request))
        kinds: dict[str, list[Reply]] = {kind: [] for kind in DATA_TYPES}
        for reply in told:
            reading.count(reply.data_type)
            if reply.status == 200:
                kinds[reply.data_type].append(reply)
        # What was not asked has no count and so no receipt.
        counts = {kind: reading.counts.get(kind, Count()) for kind in DATA_TYPES}
        counts["settings"].received = counts["settings"].landed = len(kinds["settings"])
        reading.devices = _read_devices(kinds["paired-devices"], ask, counts["paired-devices"])
        reader = Reader()
        reading.days = list(_read_days(kinds, counts, reading.devices, ask, reader))
        reading.days += _empty_days(kinds, counts, reading, ask)
        reading.days.sort(key=lambda day: day.activity_date)
        for reply in kinds["settings"] + kinds["paired-devices"]:
            reader.note_kept(reply)
        reading.drift = reader.drift
        return reading


SOURCE = GoogleHealth()


def _read_devices(replies: Sequence[Reply], ask: Ask, count: Count) -> list[Device]:
    found: dict[str, Device] = {}
    for reply in replies:  # the newest word on a device is the last
        devices, trackers = asks.devices([reply]), asks.trackers([reply])
        count.received += len(devices)
        count.reject("not_a_tracker", len(devices) - len(trackers), reply.sha256)
        for device in trackers:
            count.reject("duplicate", int(device.name in found), reply.sha256)
            found[device.name] = Device(
                _participant(ask),
                SOURCE.name,
                device.name,
                device.device_version,
                _measures_heart_rate(device),
                _synced_at(device, reply.fetched_at),
                _battery_pct(device),
                reply.fetched_at,
            )
    count.landed = len(found)
    return sorted(found.values(), key=lambda device: device.device_id)


def _read_days(
    kinds: dict[str, list[Reply]], counts: dict[str, Count], devices: list[Device], ask: Ask,
    reader: Reader,
) -> Iterator[ActivityDay]:  # fmt: skip
    zone = _zone(kinds["settings"], ask)
    steps = _read_steps(reader, kinds["steps"], zone, ask, counts["steps"])
    hearts = _read_heart_rate(reader, kinds["heart-rate"], steps, zone, ask, counts["heart-rate"])
    totals = _read_totals(reader, kinds["daily-steps"], ask, counts["daily-steps"])
    model = _model(devices)
    steps_by_day, hearts_by_day = steps.by_day(), hearts.by_day()
    for day in sorted({*steps_by_day, *hearts_by_day, *totals}):
        parts = (steps_by_day.get(day, NOTHING), hearts_by_day.get(day, NOTHING))
        came = [kinds["steps"][page] for page in set(parts[0].page.tolist())]
        came += [kinds["heart-rate"][page] for page in set(parts[1].page.tolist())]
        total = totals.get(day)
        if total:
            came.append(total[1])
        yield _day(day, parts, total[0] if total else None, came, zone, model, ask)


def _empty_days(
    kinds: dict[str, list[Reply]], counts: dict[str, Count], reading: Reading, ask: Ask
) -> list[ActivityDay]:
    """Days asked for that ended before the last sync and of which nothing is told.

    They replace what was told of them before, and was taken back. Where a point was refused there
    are none: then something is told, and it is only not understood.
    """
    refused = {reason for kind in DATA_TYPES[2:] for reason in counts[kind].rejections}
    synced_at = last_sync(reading)
    if synced_at is None or refused - {"duplicate", "outside_window", "no_step_minute"}:
        return []
    zone, nothing = _zone(kinds["settings"], ask), (NOTHING, NOTHING)
    told, model = {numbered(day.activity_date) for day in reading.days}, _model(reading.devices)
    return [
        _day(day, nothing, None, came, zone, model, ask)
        for day, came in _asked(kinds["steps"], ask).items()
        if day not in told and _ends_at(day, zone) <= synced_at
    ]


def _asked(replies: Sequence[Reply], ask: Ask) -> dict[int, list[Reply]]:
    """The replies to each local day, since 1970, that was asked for."""
    asked: dict[int, list[Reply]] = {}
    wanted = set(ask.window.days) if ask.window else None
    for reply in replies:
        for day in reply.window.days if reply.window else ():
            if wanted is None or day in wanted:
                asked.setdefault(numbered(day), []).append(reply)
    return asked


def _ends_at(day: int, zone: tzinfo) -> datetime:
    start_at, minutes = day_frame(calendar_day(day), zone)
    return start_at + timedelta(minutes=minutes)


def _day(
    day: int, parts: tuple[Worn, Worn], total: int | None, came: list[Reply], zone: tzinfo,
    model: str | None, ask: Ask,
) -> ActivityDay:  # fmt: skip
    steps = parts[0]
    its = placed(day, [zone, *_roster_zone(ask)], parts)
    step_minute, heart_minute = its.minutes
    wear_start, wear_length = runs_of(heart_minute if heart_minute.size else step_minute)
    method = "explicit_zero" if step_minute.size else None
    active = steps.steps > 0
    return ActivityDay(
        participant_id=_participant(ask),
        source=SOURCE.name,
        activity_date=calendar_day(day),
        timezone=getattr(its.zone, "key", None),
        day_start_at=its.start_at,
        day_minutes=its.day_minutes,
        step_minute=step_minute[active],
        step_count=steps.steps[active].astype(np.uint16),
        wear_start=wear_start,
        wear_length=wear_length,
        wear_method="heart_rate" if heart_minute.size else method,
        vendor_steps=total,
        era=SOURCE.era,
        device_model=model,
        fetched_at=max(reply.fetched_at for reply in came),
        raw_sha256=tuple(sorted(reply.sha256 for reply in came)),
    )


def _read_steps(
    reader: Reader, replies: Sequence[Reply], zone: tzinfo, ask: Ask, count: Count
) -> Worn:
    points, without = bodies.step_points(reader.points(reply) for reply in replies)
    count.received += sum(without)
    for reply, points_without in zip(replies, without, strict=True):
        count.reject("no_value", points_without, reply.sha256)
    return step_minutes(points, zone, ask.window, count, replies)


def _read_heart_rate(
    reader: Reader, replies: Sequence[Reply], steps: Worn, zone: tzinfo, ask: Ask, count: Count
) -> Worn:
    pages = [reader.buckets(reply) for reply in replies]
    buckets = [bucket for page in pages for bucket in page]
    page = np.repeat(np.arange(len(pages)), [len(page) for page in pages])
    start = bodies.epoch_seconds([bucket.start_time for bucket in buckets])
    rates = [
        bucket.heart_rate.beats_per_minute_avg if bucket.heart_rate else None for bucket in buckets
    ]
    known, beats = start != bodies.NO_TIME, bodies.real_numbers(rates) > 0  # NaN is not above 0
    count.received += start.size
    for reason, bad in (("no_time", ~known), ("no_value", known & ~beats)):
        if bad.any():
            count.reject(reason, int(bad.sum()), replies[int(page[bad][0])].sha256)
    kept = known & beats
    return heart_minutes(start[kept], page[kept], steps, zone, ask.window, count)


def _read_totals(reader: Reader, replies: Sequence[Reply], ask: Ask, count: Count) -> Totals:
    totals: Totals = {}
    for reply in replies:  # the newest word on a day is the last
        for bucket in reader.buckets(reply):
            count.received += 1
            day = bodies.civil_date(bucket.civil_start_time)
            total = bodies.real_numbers([bucket.steps.count_sum if bucket.steps else None])[0]
            if reason := _wrong_total(day, total, ask):
                count.reject(reason, 1, reply.sha256)
            elif day:
                count.reject("duplicate", int(numbered(day) in totals), reply.sha256)
                totals[numbered(day)] = (int(total), reply)
    count.landed += len(totals)
    return totals


def _wrong_total(day: date | None, total: float, ask: Ask) -> str:
    if day is None:
        return "no_time"
    if not total <= MOST_STEPS:  # NaN is not below anything
        return "not_a_number"
    if total < 0:
        return "negative_count"
    outside = ask.window and not ask.window.first_on <= day <= ask.window.last_on
    return "outside_window" if outside else ""


def _zone(settings: Sequence[Reply], ask: Ask) -> tzinfo:
    """The participant's zone: the vendor's word, else the roster's, else the offset in settings."""
    told = bodies.decode(settings[-1].body, bodies.Settings) if settings else bodies.Settings()
    for name in filter(None, (told.time_zone, ask.timezone)):
        try:
            return ZoneInfo(name)
        except (ValueError, OSError, ZoneInfoNotFoundError):
            continue  # a vendor's fancy is no reason to lose the day: the roster has a zone too
    offset = int(bodies.offset_seconds([told.utc_offset])[0])
    return UTC if offset == bodies.NO_TIME else timezone(timedelta(seconds=offset))


def _roster_zone(ask: Ask) -> list[tzinfo]:
    """Home, where the roster has it: the vendor's zone may be the journey's."""
    return [ZoneInfo(ask.timezone)] if ask.timezone else []


def _participant(ask: Ask) -> str:
    if ask.participant_id is None:
        raise ValueError("google_health reads one participant at a time")
    return ask.participant_id


def _model(devices: Sequence[Device]) -> str | None:
    """The model of the device that synced last."""
    worn = max(devices, key=_sync_order, default=None)
    return worn.device_model if worn else None


def _sync_order(device: Device) -> tuple[datetime, str]:
    return device.last_sync_at or datetime.min.replace(tzinfo=UTC), device.device_id


def _synced_at(device: bodies.Device, told_at: datetime) -> datetime | None:
    """The instant of the last sync; None where it is not stated, and where it cannot be true."""
    return plausible(bodies.instant(device.last_sync_time), told_at)


def _battery_pct(device: bodies.Device) -> int | None:
    level = bodies.real_numbers([device.battery_level])[0]
    return int(level) if 0 <= level <= 100 else None


def _measures_heart_rate(device: bodies.Device) -> bool | None:
    return None if device.features is None else "HEART_RATE" in device.features
