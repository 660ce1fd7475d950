"""The seam: a source can `fetch` (network, yields raw replies) and `read` (pure, replies -> rows).

Adding a vendor is one file in ingestion/sources with a `SOURCE`, and one test.
"""

from __future__ import annotations

import hashlib
import importlib
import io
import pkgutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from ingestion.drift import Drift
from warehouse.study import Study

Minutes = npt.NDArray[np.uint16]
PASSED_OVER = "passed_over"  # data type of a reply that lists the files which were not read


@dataclass(frozen=True)
class Window:
    """Local days first_on to last_on, both included."""

    first_on: date
    last_on: date

    def __post_init__(self) -> None:
        if self.first_on > self.last_on:
            raise ValueError(f"a window from {self.first_on} cannot end on {self.last_on}")

    @property
    def days(self) -> list[date]:
        count = (self.last_on - self.first_on).days + 1
        return [self.first_on + timedelta(days=n) for n in range(count)]

    def chunks(self, most_days: int) -> list[Window]:
        """The window cut into pieces of at most `most_days`, in order."""
        days = self.days
        pieces = [days[i : i + most_days] for i in range(0, len(days), most_days)]
        return [Window(piece[0], piece[-1]) for piece in pieces]


def _silent(_: str) -> None:
    """Progress that nobody listens to."""


@dataclass(frozen=True)
class Ask:
    """What a pull wants of a source for one participant (or, without one, of a whole project)."""

    study: Study
    now: datetime
    participant_id: str | None = None
    timezone: str | None = None  # of the participant's roster; a vendor's own word goes first
    window: Window | None = None
    synced_before: datetime | None = None  # last sync already fully fetched; None asks for all
    participants: tuple[str, ...] = ()  # of a project source: only these records; empty is all
    # (of files: everybody on the roster, whose names exports may bear)
    ids: Mapping[str, str] | None = None  # of files: their id -> participant
    zones: Mapping[str, str] = field(default_factory=dict)  # of files: participant -> roster's zone
    starts: Mapping[str, date] = field(default_factory=dict)  # of files: participant -> study day 1
    options: Mapping[str, str] = field(default_factory=dict)  # of one source of files: its own
    scratch: Path | None = None  # of files: where `fetch` may write; gone after the import
    progress: Callable[[str], object] = _silent  # of files: told how far a large one is read

    def aside(self, request: str) -> Path | None:
        """Where `fetch` may put the content of a large reply; None: it stays in memory."""
        return self.scratch / hashed_id(request) if self.scratch else None


@dataclass(frozen=True)
class Reply:
    """A vendor's reply as it came. `request` is method, path and query or body, no secret.

    A large file keeps its content in `file` and leaves `body` empty: `open` reads either. `name` is
    what somebody called a file; it is never kept, for it may be a person's.
    """

    source: str
    participant_id: str | None
    data_type: str
    request: str
    fetched_at: datetime
    status: int
    content_type: str
    body: bytes
    window: Window | None = None
    file: Path | None = None
    name: str = ""
    options: Mapping[str, str] = field(default_factory=dict)  # of files: how they were to be read
    came_as: str = ""  # its hash as it came, where somebody was erased from it since

    @property
    def called(self) -> str:
        """The file's name where somebody gave it one, to tell them of it."""
        return self.name or self.request

    @property
    def sha256(self) -> str:
        """The hash of the reply as it came: its name wherever a row says what it was read from."""
        return self.came_as or self.content_sha256

    @cached_property
    def content_sha256(self) -> str:
        if self.file is None:
            return hashlib.sha256(self.body).hexdigest()
        with self.file.open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest()

    def open(self) -> BinaryIO:
        """The content as a stream from its beginning; whoever opens it closes it."""
        return self.file.open("rb") if self.file else io.BytesIO(self.body)


@dataclass(frozen=True)
class ActivityDay:
    """One local day of minutes; see warehouse.tables.landed.activity_day for units and meaning."""

    participant_id: str
    source: str
    activity_date: date
    timezone: str | None
    day_start_at: datetime
    day_minutes: int
    step_minute: Minutes
    step_count: Minutes
    wear_start: Minutes
    wear_length: Minutes
    wear_method: str | None
    vendor_steps: int | None
    era: str
    device_model: str | None
    fetched_at: datetime
    raw_sha256: tuple[str, ...]


@dataclass(frozen=True)
class Device:
    """A paired device; `device_id` is already hashed (`hashed_id`), never the vendor's serial."""

    participant_id: str
    source: str
    device_id: str
    device_model: str | None
    measures_heart_rate: bool | None
    last_sync_at: datetime | None
    battery_pct: int | None
    observed_at: datetime


@dataclass
class Count:
    """Data points of one data type: received = landed + rejected."""

    received: int = 0
    landed: int = 0
    rejections: dict[str, int] = field(default_factory=dict)  # reason -> points
    raw_of: dict[str, str] = field(default_factory=dict)  # reason -> a reply with such a point

    @property
    def rejected(self) -> int:
        return sum(self.rejections.values())

    @property
    def raw_sha256(self) -> str | None:
        """A reply that holds a rejected point, whatever the reason."""
        return next(iter(self.raw_of.values()), None)

    def reject(self, reason: str, points: int, raw_sha256: str | None = None) -> None:
        """Refuse `points` points for `reason`."""
        if points:
            self.rejections[reason] = self.rejections.get(reason, 0) + points
            if raw_sha256:
                self.raw_of.setdefault(reason, raw_sha256)

    def add(self, other: Count) -> None:
        """Count another's points too."""
        self.received += other.received
        self.landed += other.landed
        for reason, points in other.rejections.items():
            self.reject(reason, points, other.raw_of.get(reason))


@dataclass
class Reading:
    """What `read` made of replies.

    `rows` holds dictionaries by table name for the small tables (response, treatment_session,
    goal, participant), without row_hash: landing adds it.
    """

    days: list[ActivityDay] = field(default_factory=list)
    devices: list[Device] = field(default_factory=list)
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    counts: dict[str, Count] = field(default_factory=dict)  # by data type
    # Of a reading of files, which hold many participants:
    counts_of: dict[str, dict[str, Count]] = field(default_factory=dict)  # participant, data type
    covered_to: dict[str, datetime] = field(default_factory=dict)  # end of a participant's minutes
    first_full_day: dict[str, date] = field(default_factory=dict)  # to enrol a participant from
    notes: list[str] = field(default_factory=list)  # what whoever imports them should know
    drift: Counter[Drift] = field(default_factory=Counter)  # where replies left the contract
    lands_with: str = ""  # the source whose rows these join; blank for their own

    def count(self, data_type: str) -> Count:
        """The count of `data_type`, made on first use."""
        return self.counts.setdefault(data_type, Count())


class Client(Protocol):
    """HTTP in the name of one grant: retries, refreshes and counts; see ingestion.http."""

    requests: int

    def get(self, path: str, params: dict[str, str] | None = None) -> Any: ...

    def post(
        self, path: str, json: dict[str, Any] | None = None, form: dict[str, str] | None = None
    ) -> Any: ...


@runtime_checkable
class Source(Protocol):
    """A vendor or format."""

    name: str
    delivers: frozenset[str]  # table names
    era: str  # "file" is one that `stepwell import` reads; blank where it measures nothing

    def fetch(self, client: Any, ask: Ask) -> Iterator[Reply]:
        """Ask the vendor and yield each reply as it came; raises errors.SourceError."""
        ...

    def read(self, replies: Sequence[Reply], ask: Ask) -> Reading:
        """Rows of the replies, in any order of arrival; pure. Raises errors.BadReply."""
        ...


def all_sources() -> dict[str, Source]:
    """Every source found in ingestion/sources, by name."""
    import ingestion.sources as package

    modules = (
        importlib.import_module(f"{package.__name__}.{info.name}")
        for info in pkgutil.iter_modules(package.__path__)
    )
    found = (module.SOURCE for module in modules if hasattr(module, "SOURCE"))
    return {source.name: source for source in found}


def source_named(name: str) -> Source:
    """The source of that name; ValueError lists the known ones."""
    sources = all_sources()
    if name not in sources:
        raise ValueError(f"unknown source {name!r}; known: {', '.join(sorted(sources))}")
    return sources[name]


def last_sync(reading: Reading) -> datetime | None:
    """When the participant's device last synced: the newest a device states, else (it is left out
    at times) the end of the newest minute of data; None when there is neither."""
    stated = [device.last_sync_at for device in reading.devices if device.last_sync_at]
    ends = [
        day.day_start_at + timedelta(minutes=1 + int(last))
        for day in reading.days
        for last in (*day.step_minute[-1:], *(day.wear_start + day.wear_length - 1)[-1:])
    ]
    return max(stated or ends, default=None)


def hashed_id(value: str) -> str:
    """A vendor's device id as twelve hex digits of its SHA-256: tells devices apart, no more."""
    return hashlib.sha256(value.encode()).hexdigest()[:12]


def content_name(body: bytes, ending: str) -> str:
    """A request for what somebody's file holds: by its content, as its name may be a person's."""
    return hashlib.sha256(body).hexdigest()[:12] + ending


def runs_of(minutes: Iterable[int] | Minutes) -> tuple[Minutes, Minutes]:
    """Ascending distinct minutes as runs: (first minute, length) of each.

    >>> [part.tolist() for part in runs_of([3, 4, 5, 9])]
    [[3, 9], [3, 1]]
    """
    values = np.asarray(list(minutes) if not isinstance(minutes, np.ndarray) else minutes, np.int64)
    if not values.size:
        return np.empty(0, np.uint16), np.empty(0, np.uint16)
    breaks = np.flatnonzero(np.diff(values) > 1) + 1
    starts = np.concatenate([[0], breaks])
    ends = np.concatenate([breaks, [values.size]])
    return values[starts].astype(np.uint16), (ends - starts).astype(np.uint16)
