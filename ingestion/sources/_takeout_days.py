"""One participant's Takeout exports put together: each minute once, by the rules of takeout."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np
import numpy.typing as npt

from ingestion.source import Count
from ingestion.sources._takeout_clock import Clock, settle_clock, utc_seconds
from ingestion.sources._takeout_points import MOST_MINUTE_STEPS, NO_TIME, Points

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
_PHONE = re.compile(r"mobile ?track|phone|android", re.I)
_APP = re.compile(r"health ?connect|health ?kit|apple health|google fit", re.I)


@dataclass(frozen=True)
class Rows:
    """Points as columns: `second` UTC and the `stamp` that its file has for it; `value` steps, or 1
    for a minute with a heart rate; `points` how many data points it stands for; `export` and `file`
    are numbers."""

    second: Ints
    stamp: Ints
    value: Ints
    points: Ints
    origin: Ints
    csv: Ints
    export: Ints
    file: Ints

    def only(self, which: Flags | Ints) -> Rows:
        return Rows(*(getattr(self, column.name)[which] for column in fields(self)))

    @property
    def minute(self) -> Ints:
        return self.second // 60


@dataclass(frozen=True)
class File:
    """One file's points, of which export, its number among the participant's replies, and when
    its period begins by its name (seconds, UTC)."""

    points: Points
    export: int
    number: int
    begins: int


class Person:
    """The files of a participant whose days are those of `zone` (None: UTC)."""

    def __init__(
        self, files: Sequence[File], zone: str | None, time: str, prefer: Sequence[str]
    ) -> None:
        self._files, self._zone, self._time = files, zone, time
        self._names = sorted({name for file in files for name in file.points.origins})
        self._rank = np.array([rank_of(name, prefer) for name in self._names], np.int64)

    @cached_property
    def clock(self) -> Clock | None:
        """How the JSON files are read; None where there is none."""
        told = [file.points for file in self._files if not file.points.is_csv]
        if not told:
            return None
        steps = [points for points in told if points.data_type == "minute_steps"]
        csv = self.picked(self._rows("minute_steps", csv=True), Count())
        return settle_clock(
            self._time,
            _joined([points.second for points in steps]),
            _joined([utc_seconds(p.second, p.value, self._zone) for p in steps]),
            _joined([points.value for points in steps]),
            csv.minute,
            csv.value,
        )

    def reach(self) -> dict[int, int]:
        """The end of the last minute of each export, in seconds. JSON counts as local time here,
        however it is read: so exports stand in one order under every reading."""
        ends: dict[int, int] = {}
        for file in self._files:
            second = _instants(file.points, "local", self._zone)
            if second.size:
                end = (int(second.max()) // 60 + 1) * 60
                ends[file.export] = max(end, ends.get(file.export, end))
        return ends

    def csv_begins(self, data_type: str) -> dict[int, int]:
        """Where the first CSV period of each export begins, in seconds UTC."""
        begins: dict[int, int] = {}
        for file in self._files:
            if file.points.is_csv and file.points.data_type == data_type:
                begins[file.export] = min(file.begins, begins.get(file.export, file.begins))
        return begins

    def rows(self, data_type: str) -> Rows:
        """All points of a data type, by their instant."""
        return self._rows(data_type, csv=None)

    def picked(self, rows: Rows, count: Count) -> Rows:
        """One row for each minute and format, by minute: what several sources have is not summed.

        The source that is first in order has the minute; between equals, the larger count.
        """
        rows = _one_word_each(rows, count)
        order = np.lexsort((rows.origin, rows.minute, rows.csv))
        rows = rows.only(order)
        new = _changes(rows.csv, rows.minute, rows.origin)
        firsts = np.flatnonzero(new)
        value = np.add.reduceat(rows.value, firsts) if firsts.size else firsts
        points = np.add.reduceat(rows.points, firsts) if firsts.size else firsts
        count.reject("impossible", int(points[value > MOST_MINUTE_STEPS].sum()))
        heads = rows.only(firsts)
        turn = np.lexsort((value, -self._rank[heads.origin], heads.csv, heads.minute))
        turn = turn[value[turn] <= MOST_MINUTE_STEPS]
        last = np.append(_changes(heads.csv[turn], heads.minute[turn])[1:], True)[: turn.size]
        count.reject("counted_by_another_source", int(points[turn[~last]].sum()))
        best = turn[last]
        return Rows(
            heads.minute[best] * 60, heads.stamp[best], value[best], points[best],
            heads.origin[best], heads.csv[best], heads.export[best], heads.file[best],
        )  # fmt: skip

    def _rows(self, data_type: str, csv: bool | None) -> Rows:
        columns: list[list[Ints]] = [[] for _ in fields(Rows)]
        for file in self._files:
            points = file.points
            if points.data_type != data_type or csv not in (None, points.is_csv):
                continue
            reading = self.clock.reading if not points.is_csv and self.clock else "utc"
            second = _instants(points, reading, self._zone)
            heart = data_type == "heart_rate"
            one = np.ones_like(second)
            names = np.array([self._names.index(name) for name in points.origins], np.int64)
            origin = names[points.origin]
            told = (
                second, points.second,
                one if heart else points.value, points.value if heart else one,
                one * 0 if heart else origin, one * points.is_csv, one * file.export,
                one * file.number,
            )  # fmt: skip
            for column, values in zip(columns, told, strict=True):
                column.append(values)
        return Rows(*(_joined(column) for column in columns))


def rank_of(name: str, prefer: Sequence[str]) -> int:
    """The place of a data source, lower first: those of `prefer` in their order, then wearables,
    then phones, then apps that others fill (Health Connect).

    >>> [rank_of(one, []) for one in ("Inspire 3", "MobileTrack", "Example App Health Connect")]
    [0, 1, 2]
    """
    wanted = [one.casefold() for one in prefer]
    if name.casefold() in wanted:
        return wanted.index(name.casefold()) - len(wanted)
    return 2 if _APP.search(name) else 1 if _PHONE.search(name) else 0


def newest_export(
    steps: tuple[Rows, Ints], heart: tuple[Rows, Ints], reach: Mapping[int, int]
) -> dict[int, int]:
    """The export that has the word on each day: of those with steps of it (else with heart beats)
    the one that reaches furthest. `steps` and `heart` are rows and the local day of each."""
    word: dict[int, int] = {}
    for rows, day in (heart, steps):  # steps have the last word
        pairs = np.unique(np.stack([day, rows.export]), axis=1).T.tolist()
        best: dict[int, int] = {}
        for on, export in pairs:
            known = best.setdefault(on, export)
            if (reach[export], export) > (reach[known], known):
                best[on] = export
        word |= best
    return word


def one_format(rows: Rows, day: Ints, begins: Mapping[int, int]) -> Flags:
    """Which rows to keep so that no day mixes CSV and JSON, which hold the same steps.

    CSV wins; but CSV periods begin at midnight UTC, so that the first (`begins`, by export) may
    cut a local day: where JSON has steps of that day from before it, JSON has the day.
    """
    csv = rows.csv > 0
    first = np.array([begins.get(one, NO_TIME) for one in rows.export.tolist()], np.int64)
    cut = np.unique(day[~csv & (rows.value > 0) & (rows.second < first)])
    wins = np.isin(day, day[csv]) & ~np.isin(day, cut)
    kept: Flags = csv == wins
    return kept


def _one_word_each(rows: Rows, count: Count) -> Rows:
    """Each stamp of a source once: the larger count where it comes twice."""
    order = np.lexsort((rows.value, rows.origin, rows.stamp, rows.second, rows.csv))
    rows = rows.only(order)
    new = _changes(rows.csv, rows.second, rows.stamp, rows.origin)
    last = np.append(new[1:], True)[: order.size]
    place = np.flatnonzero(last)[np.cumsum(np.append(0, last[:-1]))[: order.size].astype(np.int64)]
    same = rows.value == rows.value[place]
    beats = rows.points[~last]
    count.reject("repeated", int(beats[same[~last]].sum()))
    count.reject("replaced_by_another_word", int(beats[~same[~last]].sum()))
    return rows.only(last)


def _changes(*keys: Ints) -> Flags:
    """Where sorted keys differ from those before; the first always does."""
    changed = np.zeros(keys[0].size, bool)
    changed[:1] = True
    for key in keys:
        changed[1:] |= np.diff(key) != 0
    return changed


def _instants(points: Points, reading: str, zone: str | None) -> Ints:
    if points.is_csv or reading == "utc":
        return points.second
    return utc_seconds(points.second, points.value, zone)


def _joined(arrays: Sequence[Ints]) -> Ints:
    return np.concatenate([np.empty(0, np.int64), *arrays])
