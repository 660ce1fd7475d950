"""How a case of the benchmark is timed, and where its data lies."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

Found = dict[str, Any]
AGAIN_BELOW = 5.0  # seconds: shorter work is run again, after a first run that loads its code
SPENT, MOST_RUNS = 0.4, 25


@dataclass(frozen=True)
class Bench:
    """Where a case's data lies, and how much of it there is."""

    folder: Path
    participants: int
    days: int

    @property
    def narrow(self) -> Path:
        return self.folder / "narrow.parquet"


def timed(work: Callable[[], Found]) -> Found:
    """What `work` found, and its seconds: the median of several runs where it is short."""
    seconds, found = _clocked(work)
    took: list[float] = []
    while seconds < AGAIN_BELOW and sum(took) < SPENT and len(took) < MOST_RUNS:
        took.append(_clocked(work)[0])
    return {"seconds": median(took or [seconds]), **found}


def _clocked(work: Callable[[], Found]) -> tuple[float, Found]:
    begun = time.process_time()  # neighbours on the machine weigh less on it than on the clock
    found = work()
    return time.process_time() - begun, found
