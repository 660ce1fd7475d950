"""Which clock the old JSON files of a Takeout were written by.

Their stamps state no zone, and what they mean is disputed: UTC by the older lore, the wall clock
by three write-ups of 2026 that measured it. Where the new CSV, which states UTC, has the same
days, the steps themselves tell: read rightly, nearly all of them lie in the same minutes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ingestion.local_days import DAY, local_day

Ints = npt.NDArray[np.int64]
READINGS = ("detect", "utc", "local")
ASSUMED = "local"
LEAST_MINUTES = 5  # with steps, in both files, that the two readings put at different instants
LEAST_SHARE = 0.6  # of these steps in the same minutes of the CSV, by the reading that wins
LEAST_LEAD = 2  # times the share of the other reading
LEAST_DAYS = 0.8  # of the days on which the winner must be ahead

UNTOLD, DETECTED, GIVEN = 0, 1, 2  # how sure a reading is


@dataclass(frozen=True)
class Clock:
    """How JSON stamps are read, how sure that is (0 assumed, 1 detected, 2 given), and why."""

    reading: str
    sure: int
    why: str


def settle_clock(
    wanted: str, stamps: Ints, local: Ints, steps: Ints, minute: Ints, csv_steps: Ints
) -> Clock:
    """The reading of JSON `stamps` with `steps`: as it is `wanted`, or told by CSV, or assumed.

    `stamps` are naive seconds, `local` the same as instants if the clock was local (utc_seconds);
    `minute` are the CSV's minutes (UTC, ascending) with `csv_steps`.
    """
    if wanted != "detect":
        return Clock(wanted, GIVEN, "as was set")
    shares, minutes, days = _shares(stamps, local, steps, minute, csv_steps)
    best, other = sorted(shares, key=lambda one: -shares[one])
    said = (
        f"{shares[best]:.0%} of the steps lie in the CSV's minutes, {shares[other]:.0%} as {other}"
    )
    if (
        minutes >= LEAST_MINUTES
        and shares[best] >= max(LEAST_SHARE, LEAST_LEAD * shares[other])
        and days[best] >= LEAST_DAYS * (days[best] + days[other])
    ):
        return Clock(best, DETECTED, f"detected: {said}, over {days[best] + days[other]} days")
    why = "no CSV of the same days tells" if minutes < LEAST_MINUTES else f"not decisive: {said}"
    return Clock(ASSUMED, UNTOLD, why)


def _shares(
    stamps: Ints, local: Ints, steps: Ints, minute: Ints, csv_steps: Ints
) -> tuple[dict[str, float], int, dict[str, int]]:
    """For both readings the share of JSON steps that the CSV has in the same minute, and the days
    on which it is ahead; and the number of minutes compared."""
    at = {"utc": stamps // 60, "local": local // 60}
    days = np.unique(minute // DAY)
    telling = (steps > 0) & (at["utc"] != at["local"])
    for where in at.values():
        telling &= np.isin(where // DAY, days)
    wanted, day = steps[telling], stamps[telling] // (DAY * 60)
    numbers, place = np.unique(day, return_inverse=True)
    met = {
        one: np.bincount(
            place,
            weights=np.minimum(wanted, _at(minute, csv_steps, where[telling])),
            minlength=numbers.size,
        )
        for one, where in at.items()
    }
    whole = max(int(wanted.sum()), 1)
    ahead = {
        "utc": int((met["utc"] > met["local"]).sum()),
        "local": int((met["local"] > met["utc"]).sum()),
    }
    return {one: float(part.sum()) / whole for one, part in met.items()}, wanted.size, ahead


def _at(minute: Ints, steps: Ints, wanted: Ints) -> Ints:
    """The steps at the wanted minutes; 0 where there is none."""
    if not minute.size:
        return np.zeros_like(wanted)
    place = np.minimum(np.searchsorted(minute, wanted), minute.size - 1)
    return np.where(minute[place] == wanted, steps[place], 0)


def utc_seconds(stamps: Ints, value: Ints, zone: str | None) -> Ints:
    """Instants of naive stamps of a wall clock, in the order of their file.

    See ingestion.local_days for the days on which clocks change. A repeated hour that comes twice
    with other words the second time is both passings.
    """
    clock, seconds = stamps // 60, stamps % 60
    instants = np.empty_like(stamps)
    for number in np.unique(clock // DAY):
        here = np.flatnonzero(clock // DAY == number)
        local = local_day(int(number), zone)
        face = clock[here] % DAY
        fold = _folds(stamps[here], value[here], local.repeated[face])
        start = int(local.start_at.timestamp())
        instants[here] = start + local.elapsed[fold, face] * 60 + seconds[here]
    return instants


def _folds(stamps: Ints, value: Ints, repeated: npt.NDArray[np.bool_]) -> Ints:
    """1 where a stamp of the repeated hour is the file's second word for it, and another one."""
    fold = np.zeros(stamps.size, np.int64)
    at = np.flatnonzero(repeated)
    at = at[np.argsort(stamps[at], kind="stable")]
    again = np.flatnonzero(np.diff(stamps[at]) == 0) + 1
    if (value[at[again]] != value[at[again - 1]]).any():
        fold[at[again]] = 1
    return fold
