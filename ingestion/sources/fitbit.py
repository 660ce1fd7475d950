"""Legacy Fitbit Web API, for servers that still answer, archives and the simulator.

The vendor writes clock times of the participant's zone without an offset, and fills unworn minutes
with zero steps. So wear rests on heart-rate minutes, and the hour that autumn repeats cannot be
told apart: what stands there is put in the first of the two. Contract: dev.fitbit.com/build/
reference/web-api. Fitbit allows 150 requests an hour to a participant; n days cost 3 + 2n, and a
device that has not synced since costs one. The days that the rest of the hour allows are asked
for, oldest first; the next pull goes on from there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Annotated
from zoneinfo import ZoneInfo, available_timezones

import msgspec

from ingestion.drift import Shape, drift_of
from ingestion.errors import Misconfigured, OutOfBudget, RateLimited, ScopeMissing, WrongAccount
from ingestion.http import withheld_body
from ingestion.source import Ask, Device, Reading, Reply, Window, hashed_id
from ingestion.sources._legacy import Answer, LegacyClient
from ingestion.sources._legacy_days import Person, age, decoded, read_days
from ingestion.sources._syncs import plausible

MOST_DAYS_OF_TOTALS = 1095
KEPT_FOR_OTHERS = 5  # of an hour's requests: the next look at the devices, a person who asks
MOST_DAYS = 70  # of an hour whose budget the vendor does not tell: 3 + 2n of 150 requests
known_zones = cache(available_timezones)  # it reads a folder tree
TELEPHONE = "MobileTrack"
# deviceVersion of the trackers (and of the phone's own counting) that measure no heart rate
NO_HEART_RATE = {
    "Ace", "Ace 2", "Ace 3", "Alta", "Charge", "Classic", "Flex", "Flex 2", "Force", "Inspire",
    "One", TELEPHONE, "Ultra", "Zip",
}  # fmt: skip


class _User(msgspec.Struct, rename="camel"):
    """What is read of a profile, which also holds a name and a birth date."""

    timezone: str | None = None
    encoded_id: str | None = None


class _Profile(msgspec.Struct):
    user: _User


class _Device(msgspec.Struct, rename="camel"):
    """What is kept of a device: its id as a hash, and no MAC address."""

    id: str
    type: str = "TRACKER"
    device_version: str | None = None
    last_sync_time: Annotated[datetime, msgspec.Meta(tz=False)] | None = None  # a local clock
    battery_level: int | None = None

    @property
    def measures_heart_rate(self) -> bool | None:
        if self.device_version is None:
            return None
        return self.device_version.removeprefix("Fitbit ") not in NO_HEART_RATE

    def synced_at(self, timezone: str, told_at: datetime) -> datetime | None:
        """The instant of the last sync; the earlier one where autumn shows the clock twice.

        None where it is not stated, and where it cannot be true.
        """
        if self.last_sync_time is None:
            return None
        return plausible(self.last_sync_time.replace(tzinfo=ZoneInfo(timezone)), told_at)


_TOTALS = [{"dateTime": "text", "value": "int64"}]
_MINUTES = {
    "dataset": [{"time": "text", "value": "integer"}],
    "datasetInterval": "integer", "datasetType": "text",
}  # fmt: skip
SHAPES = {
    "totals": Shape({"activities-steps": _TOTALS}),
    "steps": Shape({"activities-steps": _TOTALS, "activities-steps-intraday": _MINUTES}),
    "heart": Shape({"activities-heart": "any", "activities-heart-intraday": _MINUTES}),
}


class FitbitSource:
    """Steps and heart rate by the minute, daily totals, devices."""

    name = "fitbit"
    delivers = frozenset({"activity_day", "device"})
    era = "legacy_fitbit"

    def fetch(self, client: LegacyClient, ask: Ask) -> Iterator[Reply]:
        """Devices; then, if one synced since `ask.synced_before`, the profile and the days.

        Days after the last sync are not asked for: nobody knows them yet. Where heart rate was
        not permitted, its 403 is yielded and the days are asked for without. Raises SourceError;
        OutOfBudget after the last day that the participant's hour allows.
        """
        with withheld_body():
            listed = _reply(ask, "devices", client.ask(lambda api: api.get_devices()))
        listed = _without_serials(listed)
        yield listed
        trackers = _trackers(listed)
        if _is_quiet(trackers, ask):
            return
        with withheld_body():
            profile = _reply(ask, "profile", client.ask(lambda api: api.user_profile_get()))
        _check_account(profile, client.account)
        profile = _zone_alone(profile)
        yield profile
        window = _known_days(trackers, _timezone(profile, ask), ask)
        if window is not None:
            yield from _fetch_days(client, ask, window, _may_measure_heart(trackers))

    def read(self, replies: Sequence[Reply], ask: Ask) -> Reading:
        """Day rows and devices of the replies; pure. Raises BadReply, Misconfigured."""
        reading = Reading()
        for reply in replies:
            reading.count(reply.data_type)  # what was asked for has a count, of nothing perhaps
            if reply.data_type in SHAPES and reply.status == 200:
                shape = SHAPES[reply.data_type]
                reading.drift += drift_of(reply.data_type, reply.body, shape)
        profile, listed = (_newest(replies, kind) for kind in ("profile", "devices"))
        timezone = _timezone(profile, ask)
        if profile:
            reading.counts["profile"].received = reading.counts["profile"].landed = 1
        trackers = _trackers(listed) if listed else []
        if listed:
            _read_devices(listed, timezone, reading)
        never = datetime.min.replace(tzinfo=UTC)
        current = max(
            trackers, key=lambda t: (t.synced_at(timezone, ask.now) or never, t.id), default=None
        )
        person = Person(
            participant_id=_participant(ask),
            timezone=timezone,
            device_model=current.device_version if current else None,
            may_measure_heart=_may_measure_heart(trackers),
        )
        read_days(replies, person, reading)
        return reading


SOURCE = FitbitSource()


def _fetch_days(client: LegacyClient, ask: Ask, window: Window, heart: bool) -> Iterator[Reply]:
    affordable = _affordable(client, window, 1 + heart)
    for part in affordable.chunks(MOST_DAYS_OF_TOTALS):
        yield _reply(ask, "totals", _ask_totals(client, part), part)
    for on in affordable.days:
        if client.left is not None and client.left < 1 + heart:  # retries have spent more
            raise _out_of_budget(client, on)
        try:
            replies = _ask_day(client, ask, on, heart)
        except RateLimited as error:
            raise _out_of_budget(client, on, error) from None
        yield from replies
        heart = heart and replies[0].status == 200
    if affordable != window:
        raise _out_of_budget(client, affordable.last_on + timedelta(days=1))


def _affordable(client: LegacyClient, window: Window, each: int) -> Window:
    """The first days of the window that the rest of the hour allows; RateLimited when none."""
    left = client.left
    days = MOST_DAYS if left is None else (left - 1 - KEPT_FOR_OTHERS) // each
    if days < 1:
        raise RateLimited("fitbit: this hour's requests are spent", client.resets_in)
    return window.chunks(days)[0]


def _out_of_budget(client: LegacyClient, on: date, error: RateLimited | None = None) -> OutOfBudget:
    wait = error.retry_after if error else client.resets_in
    return OutOfBudget(
        f"fitbit: this hour's requests are spent; the days from {on} are asked for in the next",
        on - timedelta(days=1), wait,
    )  # fmt: skip


def _ask_day(client: LegacyClient, ask: Ask, on: date, heart: bool) -> list[Reply]:
    """Heart rate, where it is measured, and steps of one day."""
    day, replies = Window(on, on), []
    if heart:
        replies.append(_reply(ask, "heart", _ask_heart(client, on), day))
    steps = _ask_minutes(client, "activities/steps", on)
    return [*replies, _reply(ask, "steps", steps, day)]


def _ask_totals(client: LegacyClient, part: Window) -> Answer:
    return client.ask(
        lambda api: api.time_series(
            "activities/steps", base_date=part.first_on, end_date=part.last_on
        )
    )


def _ask_minutes(client: LegacyClient, resource: str, on: date) -> Answer:
    return client.ask(lambda api: api.intraday_time_series(resource, on, detail_level="1min"))


def _ask_heart(client: LegacyClient, on: date) -> Answer:
    """Heart rate by the minute, or the 403 that says the participant did not permit it."""
    try:
        return _ask_minutes(client, "activities/heart", on)  # the package's own name for it is old
    except ScopeMissing:
        if client.last is None:
            raise
        return client.last


def _reply(ask: Ask, data_type: str, answer: Answer, window: Window | None = None) -> Reply:
    return Reply(
        source=FitbitSource.name,
        participant_id=_participant(ask),
        data_type=data_type,
        request=answer.request,
        fetched_at=ask.now,
        status=answer.status,
        content_type=answer.headers.get("Content-Type", ""),
        body=answer.body,
        window=window,
    )


def _participant(ask: Ask) -> str:
    if ask.participant_id is None:
        raise Misconfigured("fitbit: it is asked in the name of a participant; name one")
    return ask.participant_id


def _zone_alone(profile: Reply) -> Reply:
    """The profile without what identifies somebody: only the time zone is kept."""
    zone = decoded(profile, _Profile).user.timezone
    return replace(profile, body=msgspec.json.encode({"user": {"timezone": zone}}))


def _without_serials(reply: Reply) -> Reply:
    devices = decoded(reply, list[_Device])
    for device in devices:
        device.id = hashed_id(device.id)
    return replace(reply, body=msgspec.json.encode(devices))


def _check_account(profile: Reply, account: str | None) -> None:
    signed_in = decoded(profile, _Profile).user.encoded_id
    if account and signed_in and signed_in != account:
        raise WrongAccount("fitbit: another account answers than the one that consented")


def _trackers(listed: Reply) -> list[_Device]:
    """What is worn. A telephone that counts steps syncs by itself all day: beside a tracker it
    would have days complete that the tracker has yet to tell of."""
    found = [device for device in decoded(listed, list[_Device]) if device.type == "TRACKER"]
    return [device for device in found if device.device_version != TELEPHONE] or found


def _may_measure_heart(trackers: Sequence[_Device]) -> bool:
    """False only where every tracker is known not to."""
    return not trackers or any(t.measures_heart_rate is not False for t in trackers)


def _newest(replies: Sequence[Reply], data_type: str) -> Reply | None:
    return max((r for r in replies if r.data_type == data_type), key=age, default=None)


def _timezone(profile: Reply | None, ask: Ask) -> str:
    """The zone the vendor's clock times are in: the profile's, else the roster's."""
    told = decoded(profile, _Profile).user.timezone if profile else None
    for name in (told, ask.timezone):
        if name in known_zones():
            return str(name)
    raise Misconfigured("fitbit: neither the profile nor the roster tells the time zone")


def _is_quiet(trackers: Sequence[_Device], ask: Ask) -> bool:
    """Whether no tracker has synced at all, or the newest sync is the one that has landed.

    The vendor's clock times are of the profile's zone. Where that is not the roster's they differ,
    and the profile is asked for before anything is said.
    """
    clocks = [tracker.last_sync_time for tracker in trackers if tracker.last_sync_time]
    if not clocks or ask.synced_before is None or ask.timezone is None:
        return not clocks
    syncs = [tracker.synced_at(ask.timezone, ask.now) for tracker in trackers]
    return max(filter(None, syncs), default=None) == ask.synced_before


def _known_days(trackers: Sequence[_Device], timezone: str, ask: Ask) -> Window | None:
    """The days asked for up to the last sync; None when that brought nothing new."""
    syncs = [at for tracker in trackers if (at := tracker.synced_at(timezone, ask.now))]
    if not syncs or ask.window is None:
        return None
    synced_at = max(syncs)
    last_on = min(ask.window.last_on, synced_at.astimezone(ZoneInfo(timezone)).date())
    if last_on < ask.window.first_on:
        return None
    if ask.synced_before is not None and synced_at <= ask.synced_before:
        return None
    return Window(ask.window.first_on, last_on)


def _read_devices(listed: Reply, timezone: str, reading: Reading) -> None:
    """Trackers; a scale also syncs, but says nothing of steps."""
    count, trackers = reading.count("devices"), _trackers(listed)
    count.received += len(decoded(listed, list[_Device]))
    count.landed += len(trackers)
    count.reject("not_a_tracker", count.received - count.landed, listed.sha256)
    reading.devices += [_device(tracker, listed, timezone) for tracker in trackers]


def _device(device: _Device, listed: Reply, timezone: str) -> Device:
    return Device(
        participant_id=listed.participant_id or "",
        source=FitbitSource.name,
        device_id=device.id,
        device_model=device.device_version,
        measures_heart_rate=device.measures_heart_rate,
        last_sync_at=device.synced_at(timezone, listed.fetched_at),
        battery_pct=device.battery_level if device.battery_level in range(101) else None,
        observed_at=listed.fetched_at,
    )
