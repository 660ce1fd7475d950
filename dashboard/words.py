"""What the screens say: the words of words.toml, the names of codes, numbers, dates, colours."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

NOTHING = "\u2013"
"""Shown where there is no figure; a blank is never a zero."""
STATES = {
    "valid": "Valid day",
    "insufficient_wear": "Worn too little",
    "implausible": "Implausible steps",
    "not_worn": "Not worn",
    "minutes_lost": "Minutes lost",
    "pending_sync": "Waiting for sync",
    "vendor_outage": "Vendor outage",
    "fetch_failed": "Fetch failed (ours)",
    "consent_lost": "Permission lost",
    "never_connected": "Never connected",
    "paused": "Paused",
    "outside_study": "Outside the study",
}
CONNECTIONS = {
    "never_connected": "Never connected",
    "active": "Connected",
    "revoked": "Permission withdrawn",
    "expired": "Permission expired",
    "scope_missing": "A permission is missing",
    "wrong_account": "Wrong account",
    "not_linked": "Account has no wearable yet",
    "retired": "Source retired",
}
# What became of a pull, by the reason of its receipt, and whose it is.
CAME, NOTHING_NEW, PARTICIPANTS, VENDORS, OURS = (
    "Data came", "Nothing new", "Needs the participant", "Failed: the vendor's", "Failed: ours",
)  # fmt: skip
RECEIPTS = {
    "received": CAME,
    "nothing_new": NOTHING_NEW,
    "no_data": NOTHING_NEW,
    "not_synced": PARTICIPANTS,
    "consent_lost": PARTICIPANTS,
    "scope_missing": PARTICIPANTS,
    "wrong_account": PARTICIPANTS,
    "not_linked": PARTICIPANTS,
    "vendor_outage": VENDORS,
    "retired": VENDORS,
    "rate_limited": OURS,
    "bad_reply": OURS,
    "misconfigured": OURS,
    "our_fault": OURS,
}
STATUSES = {
    "not_due": "Not due yet",
    "due": "Due",
    "overdue": "Overdue",
    "received": "Received",
    "missed": "Missed",
    "outside_study": "Outside the study",
}
KINDS = {
    "all": "Everyone",
    "site": "Site",
    "depression_or_anxiety": "Depression or anxiety",
    "device": "Device",
    "era": "Measured by",
    "named": "Cohort",
    "arm": "Arm",
    "therapist": "Therapist",
    "named_by_arm": "Cohort",
}


def say(key: str, **values: Any) -> str:
    """The sentence `section.name` of words.toml; KeyError when it has none, or lacks a value."""
    section, _, name = key.partition(".")
    return str(_catalogue()[section][name]).format(**values)


def table(name: str) -> dict[str, str]:
    """A section of words.toml whole: codes and their names."""
    return dict(_catalogue()[name])


def named(section: str, code: str) -> str:
    """The name that a section has of a code; a code that it does not know stays as it is."""
    return str(_catalogue()[section].get(code, code))


@cache
def _catalogue() -> dict[str, dict[str, str]]:
    return tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Group:
    """States of a day that share a colour. `light` and `dark` are its colour in either theme.

    Each colour but `out` (an absence) has 3:1 contrast with its background, and every pair stays
    apart (CIE76 over 28) for normal, protan, deutan and tritan sight (Machado 2009).
    """

    code: str
    label: str
    states: tuple[str, ...]
    light: str
    dark: str


GROUPS = (
    Group("goal_met", "Valid day, goal met", (), "#004E7C", "#8CCBF5"),
    Group("valid", "Valid day, goal not met or none yet", ("valid",), "#4A97CB", "#2F77A8"),
    Group("unusable", "Not worn, worn too little, or implausible",
          ("insufficient_wear", "implausible", "not_worn"), "#8C8C8C", "#8F8F8F"),
    Group("to_sync", "Waiting for sync", ("pending_sync",), "#C98200", "#F7D774"),
    Group("no_data", "No data: never connected, permission, fetch, outage or minutes lost",
          ("never_connected", "consent_lost", "fetch_failed", "vendor_outage", "minutes_lost"),
          "#8F2D00", "#E0601B"),
    Group("out", "Paused or outside the study", ("paused", "outside_study"), "#DADDE2", "#2A3038"),
)  # fmt: skip


def count(number: int | None) -> str:
    """A whole number with thin groups: 12 345; an en dash when there is none."""
    return NOTHING if number is None else f"{number:,}".replace(",", "\u202f")


def share(part: float | None) -> str:
    """A share as a percentage: 0.423 is `42 %`."""
    return NOTHING if part is None else f"{100 * part:.0f}\u00a0%"


def ratio(part: int, whole: int) -> str:
    """`42 %` of part/whole, an en dash when there is no whole."""
    return share(part / whole if whole else None)


def day(on: date | None) -> str:
    """A day as people write it: 3 Mar 2026."""
    return NOTHING if on is None else f"{on.day} {on:%b %Y}"


def moment(at: datetime | None, timezone: str = "UTC") -> str:
    """An instant in that zone: 3 Mar 2026, 08:15."""
    if at is None:
        return NOTHING
    local = at.astimezone(ZoneInfo(timezone))
    return f"{day(local.date())}, {local:%H:%M}"


def direction(better: str) -> str:
    """Which end of a scale is better, in words."""
    return f"{better} is better"


def whole(number: float | None) -> str:
    """A figure rounded to a whole number."""
    return count(None if number is None else round(number))


def threshold(scale: dict[str, Any]) -> str:
    """The responder threshold of a scale in words: `5 points`, `30 %`."""
    unit = "\u00a0%" if scale["mcid_kind"] == "percent" else " points"
    return f"{scale['mcid']:g}{unit}"


def denominators(found: dict[str, int]) -> str:
    """What each share of days is a share of, from the counts of `queries.key_figures`."""
    n = {name: count(number) for name, number in found.items()}
    return (
        f"Wear adherence: {n['valid_days']} valid of {n['eligible_days']} eligible days. "
        f"Goal met, observed: {n['goal_days_met']} of {n['goal_days']} valid days with a goal. "
        f"Goal met, strict: the same {n['goal_days_met']} of {n['eligible_goal_days']} eligible "
        f"days with a goal, so a day not worn counts as not met. Higher is better. "
        f"{n['provisional_days']} days may still change."
    )


def bridge(rows: list[dict[str, Any]]) -> str:
    """What a change of source changed, from the rows of the bridge; empty without one."""
    return " ".join(_bridge(row) for row in rows)


def _bridge(row: dict[str, Any]) -> str:
    more = "more" if row["mean_difference"] >= 0 else "fewer"
    what = "steps" if row["measure"] == "steps" else "minutes of wear"
    limits = ""
    new, old = (named("sources", row[name]) for name in ("to_source", "from_source"))
    if row["limit_low"] is not None:
        low, high = (
            f"{row[name]:+,.0f}".replace("-", "\u2212") for name in ("limit_low", "limit_high")
        )
        limits = f" (limits of agreement {low} to {high})"
    return (
        f"{new} counts {whole(abs(row['mean_difference']))} {what} a day {more} than "
        f"{old} on {count(row['days'])} days that both have, of "
        f"{count(row['participants'])} participants{limits}."
    )


def pause(first: date | None, last: date | None) -> str:
    """A pause in words: while it lasts, or once its last day is known; empty without one."""
    if first is None:
        return ""
    return f"paused since {day(first)}" if last is None else f"paused {day(first)} to {day(last)}"
