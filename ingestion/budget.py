"""Requests paced below the vendor's limits, before the vendor has to say so.

A participant's requests come from one thread of one process (a batch is pulled by one task, a
participant by one thread), so what was sent in the last minute is counted here. The project's limit
is shared by every process and machine: each takes shares of it from the register, a few hundred at
a time. The legacy API's hourly limit is not here: its replies tell what is left (sources.fitbit).
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import sqlalchemy as sa

from warehouse import register as reg
from warehouse.register import Register, insert_into

MINUTE = 60.0
SLICE_SECONDS = 30  # of the project's budget: any minute touches three slices, so each has a third
SHARE = 200  # requests taken from the project's slice at a time


@dataclass(frozen=True)
class Limits:
    """Requests a minute. Google: developers.google.com/health/rate-limits."""

    per_participant: int
    per_project: int


LIMITS = {"google_health": Limits(per_participant=300, per_project=120_000)}


class Budget:
    """What one process may send to a source; its threads share it.

    `now` is a clock in seconds that every machine agrees on: the limits are of real minutes.
    """

    def __init__(
        self,
        register: Register,
        source: str,
        limits: Limits | None = None,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._register, self._source = register, source
        self._limits = limits or LIMITS.get(source)
        self._now, self._sleep = now, sleep
        self._lock = threading.Lock()
        self._sent: defaultdict[str, deque[float]] = defaultdict(deque)
        self._slice, self._share = -1, 0

    def pace(self, participant_id: str) -> Callable[[], None]:
        """A function that returns when the participant's next request may be sent."""
        return partial(self.wait, participant_id)

    def wait(self, participant_id: str) -> None:
        """Return once a request may be sent, and count it as sent."""
        while self._limits and (seconds := self._try(participant_id, self._limits)) > 0:
            self._sleep(seconds)

    def _try(self, participant_id: str, limits: Limits) -> float:
        """0 when the request may go, and is counted; else the seconds until it is worth a try."""
        with self._lock:
            now = self._now()
            sent = self._sent[participant_id]
            while sent and sent[0] <= now - MINUTE:
                sent.popleft()
            if len(sent) >= limits.per_participant:
                return sent[0] + MINUTE - now
            if not self._has_share(int(now // SLICE_SECONDS), limits):
                return SLICE_SECONDS - now % SLICE_SECONDS
            self._share -= 1
            sent.append(now)
            return 0.0

    def _has_share(self, number: int, limits: Limits) -> bool:
        if number != self._slice:
            self._slice, self._share = number, 0
        if self._share == 0 and take_share(
            self._register, self._source, number, limits.per_project // 3
        ):
            self._share = SHARE
        return self._share > 0


def take_share(register: Register, source: str, number: int, most: int) -> bool:
    """Take SHARE of the requests that all processes may send in slice `number`; False when spent.

    One statement, so that two processes never take the same share. Older slices are forgotten.
    """
    with register.begin() as con:
        table = reg.budget
        taken = insert_into(con, table).values(source=source, slice_number=number, requests=SHARE)
        statement = taken.on_conflict_do_update(
            index_elements=["source", "slice_number"],
            set_={"requests": table.c.requests + SHARE},
            where=table.c.requests <= most - SHARE,
        ).returning(table.c.requests)
        got = con.execute(statement).first() is not None
        old = sa.and_(table.c.source == source, table.c.slice_number < number)
        con.execute(sa.delete(table).where(old))
    return got
