"""A trial under faults: a world, the instants at which it is pulled, and what goes wrong then.

Everything follows from the seed. A trouble holds for whole pulls, so that what comes of it can be
told beforehand (outcomes.py), whatever the ingestion does meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

FIRST_DAYS = (  # weeks in which clocks change in one zone or another, and some in which none do
    date(2026, 1, 19), date(2026, 3, 2), date(2026, 3, 16), date(2026, 3, 23), date(2026, 6, 1),
    date(2026, 9, 21), date(2026, 10, 12), date(2026, 10, 19),
)  # fmt: skip
HOMES = (
    "Asia/Jerusalem", "Europe/London", "Australia/Lord_Howe", "Asia/Kolkata", "America/St_Johns",
    "America/New_York", "Pacific/Auckland", "Pacific/Honolulu",
)  # fmt: skip
DATA = {"google": "/v4/", "fitbit": "/1/user/", "redcap": "/api/"}
TOKEN = {"google": "/token", "fitbit": "/oauth2/token"}
SOURCES = {"google": "google_health", "fitbit": "fitbit", "redcap": "redcap"}
TICK = timedelta(seconds=1)


@dataclass(frozen=True)
class Trouble:
    """A fault during the pulls `first` to `last` of a scenario; of one participant, or of all.

    `times` -1 is every request of these pulls; another number is mended by asking again.
    """

    fault: str
    vendor: str
    first: int
    last: int
    user: str = ""
    path: str = ""
    times: int = -1
    args: dict[str, Any] = field(default_factory=dict)

    def befalls(self, vendor: str, user: str, pull: int) -> bool:
        """Whether that participant's pull of that vendor is troubled."""
        in_time = self.first <= pull <= self.last
        return in_time and self.vendor == vendor and self.user in ("", user)

    def meets(self, other: Trouble) -> bool:
        """Whether both could befall one request."""
        in_time = self.first <= other.last and other.first <= self.last
        users = self.user == other.user or not (self.user and other.user)
        return in_time and self.vendor == other.vendor and users


@dataclass(frozen=True)
class Scenario:
    """`both` consent at the two vendors; `killed` is the pull that dies, and is done again.

    `homes` are the zones of the study's sites, in their order.
    """

    seed: int
    first_day: date
    homes: tuple[str, ...]
    world: dict[str, Any]
    pulls: tuple[datetime, ...]
    troubles: tuple[Trouble, ...]
    both: frozenset[str]
    killed: int | None
    builds: frozenset[int]

    @property
    def consented_at(self) -> datetime:
        """When everybody consents: shortly before the first pull."""
        return self.pulls[0] - timedelta(minutes=10)

    def specs(self) -> list[dict[str, Any]]:
        """The troubles as the simulator's faults, to be armed before the first pull."""
        return [self._spec(trouble) for trouble in self.troubles]

    def _spec(self, trouble: Trouble) -> dict[str, Any]:
        match = {"personality": trouble.vendor, "user": trouble.user, "path": trouble.path}
        holds = {
            "from": self.pulls[trouble.first].isoformat(),
            "until": (self.pulls[trouble.last] + TICK).isoformat(),
        }
        return {
            "match": {name: value for name, value in match.items() if value},
            "times": trouble.times,
            "fault": trouble.fault,
            "args": trouble.args | holds,
        }


# What befalls whole pulls, with its arguments, by vendor. "token" holds at the token endpoint.
DOWN: tuple[tuple[str, dict[str, Any]], ...] = (
    ("500", {}), ("503", {}), ("503", {"body": "html", "retry_after": 900}),
    ("503", {"body": "empty"}), ("502_html", {}), ("reset", {}),
)  # fmt: skip
FAILING: tuple[tuple[str, dict[str, Any]], ...] = (
    ("429", {}), ("429", {"retry_after": "none"}), ("429", {"retry_after": 3600}),
    ("429", {"retry_after": "date", "ahead": 120}), ("truncated", {}),
    ("truncated", {"short": True}), ("empty", {}), ("html_200", {}), ("html_401", {}),
    ("no_errors_401", {}), ("service_disabled", {}),
)  # fmt: skip
GOOGLE_FAILING: tuple[tuple[str, dict[str, Any]], ...] = (
    ("preview_denied", {}), ("repeated_token", {}),
)  # fmt: skip
LOSING = ("revoked", "invalid_token", "scope_missing", "wrong_account")
HARMLESS: dict[str, tuple[tuple[str, dict[str, Any]], ...]] = {
    "google": (
        ("two_sources", {}), ("overlapping", {"minutes": 3}), ("two_devices", {"kind": "tracker"}),
        ("two_devices", {"kind": "scale"}), ("drift", {"what": "unknown_field"}),
        ("drift", {"what": "unknown_enum"}), ("drift", {"what": "bare_number"}),
    ),
    "fitbit": (
        ("duplicate_minutes", {"value": "same"}), ("duplicate_minutes", {"value": "other"}),
        ("two_devices", {"kind": "tracker"}), ("two_devices", {"kind": "scale"}),
        ("drift", {"what": "unknown_field"}), ("drift", {"what": "number_as_string"}),
        ("drift", {"what": "no_resting_heart_rate"}), ("no_grace", {}),
    ),
}  # fmt: skip
# A fault that a request meets once or twice, and is then asked again.
STUMBLES = {
    "google": ("429", "500", "502_html", "truncated", "empty", "html_200", "reset", "expired_token",
               "empty_page", "page_twice"),
    "fitbit": ("429", "503", "502_html", "truncated", "empty", "html_200", "reset",
               "expired_token"),
}  # fmt: skip
LEGACY = ("P002",)  # at the legacy vendor in every world
REDCAP = ("500", "503", "502_html", "html_200", "empty", "truncated", "revoked", "429", "xml_error")


def draw_scenario(seed: int) -> Scenario:
    """The scenario of a seed from 0."""
    rng = np.random.default_rng([seed, 20261122])
    first_day = FIRST_DAYS[int(rng.integers(len(FIRST_DAYS)))]
    people, weeks = int(rng.integers(5, 10)), int(rng.integers(2, 4))
    if seed % 6 == 5:
        people = 11  # the eleventh participant is the first whose story is a pause
    names = [f"P{n + 1:03d}" for n in range(people)]
    pulls = _pulls(first_day, weeks, rng)
    killed = int(rng.integers(len(pulls))) if rng.random() < 0.25 else None
    troubles = _apart(_Drawing(rng, names, first_day, len(pulls)).draw())
    if killed is not None:  # without grace, a refresh that is killed may cost the consent
        troubles = tuple(one for one in troubles if one.fault != "no_grace")
    both = rng.random(people) < 0.25
    return Scenario(
        seed=seed,
        first_day=first_day,
        homes=tuple(str(name) for name in rng.choice(HOMES, 3)),
        world={
            "seed": seed,
            "participants": people,
            "weeks": weeks,
            "faults": bool(rng.random() < 0.7),
            "journeys": bool(rng.random() < 0.6),
            "devices": bool(rng.random() < 0.5),
            "skipped_hour": ("absent", "zero")[int(rng.integers(2))],
            "repeated_hour": ("merge", "last_wins")[int(rng.integers(2))],
        },
        pulls=pulls,
        troubles=troubles,
        both=frozenset(name for name, chosen in zip(names, both, strict=True) if chosen),
        killed=killed,
        builds=frozenset({len(pulls) - 1, int(rng.integers(len(pulls)))}),
    )


def _pulls(first_day: date, weeks: int, rng: np.random.Generator) -> tuple[datetime, ...]:
    """From the second week, at any hour, some days left out, to the last week's end or past it."""
    day = int(rng.integers(7, 9))
    days = [day]
    while (day := day + int(rng.choice([1, 1, 1, 2, 3, 4]))) <= 7 * weeks + 3:
        days.append(day)
    kept = [days[0], *sorted(rng.permutation(days[1:])[:5].tolist())]
    utc = ZoneInfo("UTC")
    # 04:00 to 20:00: a pull is nine hours or more after the one before, so every token has lapsed
    at = [timedelta(days=n, minutes=int(rng.integers(240, 1200)), seconds=int(rng.integers(60)))
          for n in kept]  # fmt: skip
    midnight = datetime.combine(first_day, time(), utc)
    return tuple(midnight + each for each in at)


def _apart(drawn: list[Trouble]) -> tuple[Trouble, ...]:
    """The troubles that meet no earlier one: two at once would hide one another."""
    kept: list[Trouble] = []
    for trouble in drawn:
        if not any(trouble.meets(other) for other in kept):
            kept.append(trouble)
    return tuple(kept)


class _Drawing:
    """Draws one scenario's troubles; those that hold for long come first."""

    def __init__(
        self, rng: np.random.Generator, names: list[str], first_day: date, pulls: int
    ) -> None:
        self.rng, self.names, self.first_day, self.pulls = rng, names, first_day, pulls

    def draw(self) -> list[Trouble]:
        found: list[Trouble] = []
        if self._chance(0.1):
            found.append(self._of("testing_expiry", "google", self.pulls, path=TOKEN["google"]))
        if self._chance(0.15):
            body = self._one(("json", "html", "empty"))
            vendor = self._one(("google", "fitbit", "fitbit"))
            start = int(self.rng.integers(1, self.pulls))
            found.append(Trouble("410", vendor, start, self.pulls - 1, args={"body": body}))
        found += [self._vendor_wide() for _ in range(int(self.rng.integers(0, 3)))]
        found += [self._lasting() for _ in range(int(self.rng.integers(0, 3)))]
        found += [self._own() for _ in range(int(self.rng.integers(2, 9)))]
        if self._chance(0.5):
            found.append(self._of(self._one(REDCAP), "redcap", 2))
        return found

    def _vendor_wide(self) -> Trouble:
        vendor = self._one(("google", "fitbit"))
        name, args = self._one((*DOWN, *DOWN, *FAILING))
        path = self._one(("", DATA[vendor]))
        return self._of(name, vendor, 2, path=path, args=args)

    def _own(self) -> Trouble:
        """One participant's trouble; P002 and every eighth from there are the legacy vendor's."""
        vendor, user = self._one(("google", "google", "fitbit")), self._one(tuple(self.names))
        kinds = ("down", "failing", "losing", "harmless", "harmless", "stumble", "stumble", "token")
        kind = self._one(kinds)
        data = DATA[vendor]
        if kind == "losing":
            return self._of(self._one(LOSING), vendor, 1, user=user, path=data)
        if kind == "stumble":
            name, times = self._one(STUMBLES[vendor]), 1
            return self._of(name, vendor, 1, user=user, path=data, times=times)
        if kind == "token":
            name = self._one(("429", "502_html", "503", "reset", "revoked"))
            return self._of(name, vendor, 1, user=user, path=TOKEN[vendor])
        failing = FAILING + (2 * GOOGLE_FAILING if vendor == "google" else ())
        name, args = self._one({"down": DOWN, "failing": failing}.get(kind, HARMLESS[vendor]))
        return self._of(name, vendor, 3, user=user, path=data, args=args)

    def _lasting(self) -> Trouble:
        """What one participant's account has from the first pull to the last."""
        kind, user = self._one(("heart", "heart", "minutes", "spike")), self._one(LEGACY)
        if kind == "heart" and self._chance(0.5):
            path, user = "heart-rate", self._one(tuple(self.names))
            return Trouble("scope_missing", "google", 0, self.pulls - 1, user, path)
        if kind == "heart":
            return Trouble("scope_missing", "fitbit", 0, self.pulls - 1, user, "activities/heart")
        if kind == "minutes":
            return Trouble("no_intraday", "fitbit", 0, self.pulls - 1, user)
        on = self.first_day + timedelta(days=int(self.rng.integers(7, 14)))
        path, steps = f"activities/steps/date/{on}/", self._one((5000, -5))
        return Trouble(
            "implausible", "fitbit", 0, self.pulls - 1, user, path, args={"steps": steps}
        )

    def _of(self, fault: str, vendor: str, longest: int, **more: Any) -> Trouble:
        first = 0 if longest == self.pulls else int(self.rng.integers(self.pulls))
        last = min(first + int(self.rng.integers(longest)), self.pulls - 1)
        return Trouble(fault, vendor, first, self.pulls - 1 if longest == self.pulls else last,
                       **more)  # fmt: skip

    def _chance(self, share: float) -> bool:
        return bool(self.rng.random() < share)

    def _one(self, choices: tuple[Any, ...]) -> Any:
        return choices[int(self.rng.integers(len(choices)))]
