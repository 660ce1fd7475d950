"""The work list as people read it: one row per person, why in words, what to say, who has called.

`work_item` of the file has what is open; the register has who was contacted, and what was put off.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import pyarrow as pa

from dashboard import words
from dashboard.words import say
from warehouse.contacts import is_listed

Item = dict[str, Any]
STALE_HOURS = 36  # a nightly build and half a day


@dataclass(frozen=True)
class Person:
    """Somebody who needs a person: `items` are their reasons not at rest, the first leads."""

    participant_id: str
    items: tuple[Item, ...]
    facts: Mapping[str, Any]
    owner: str | None = None
    last: Mapping[str, Any] | None = None

    @property
    def first(self) -> Item:
        return self.items[0]

    @property
    def reasons(self) -> list[str]:
        return [item["reason"] for item in self.items]


def listed(
    items: list[Item],
    facts: Mapping[str, Mapping[str, Any]],
    rest: Mapping[tuple[str, str, str], Mapping[str, Any]],
    owners: Mapping[str, str],
    last: Mapping[str, Mapping[str, Any]],
) -> list[Person]:
    """One row per person with a reason that is not at rest, in the order of `items`."""
    found: dict[str, list[Item]] = {}
    for item in items:
        who = item["participant_id"]
        if is_listed(rest, who, item["reason"], item["occurrence"]):
            found.setdefault(who, []).append(item)
    return [
        Person(who, tuple(mine), facts.get(who, {}), owners.get(who), last.get(who))
        for who, mine in found.items()
    ]


def why(item: Item) -> str:
    """The reason in words, with its figures."""
    told = {
        **item,
        "days": _days(item["days"]),
        "since": words.day(item["since_on"]) if item["since_on"] else say("today.day_unknown"),
        "closes": words.day(item["closes_on"]),
        "kind": words.table("work_kinds").get(item["kind"], item["kind"]),
        "state": words.CONNECTIONS.get(item["kind"] or "", "").lower(),
        "value": _figure(item["value"]),
        "of_value": _figure(item["of_value"]),
        "limit_value": _figure(item["limit_value"]),
    }
    sentence = say(f"work_why.{item['reason']}", **told)
    many = say("today.one_of_many") if item["cluster_id"] else ""
    return f"{sentence} {many}".strip()


def script(item: Item) -> str:
    """What to say, for the reason that leads."""
    return say(f"work_say.{item['reason']}", visit=item["visit"], scale=item["scale"])


def rows(people: list[Person], site_label: Any, brief: bool = False) -> pa.Table:
    """The list as it is drawn and downloaded; `brief`: what to do stands before why."""
    return pa.Table.from_pylist(
        [
            {
                "participant_id": one.participant_id,
                "action": say(f"work_do.{one.first['reason']}"),
                "why": _whys(one, brief),
                "since": one.first["since_on"],
                "site": site_label(one.first["site"]),
                "study_day": one.facts.get("study_day"),
                "days_since_sync": one.facts.get("days_since_sync"),
                "valid_days": one.facts.get("valid_days"),
                # a grid does not draw a row of bars with a blank among them
                "steps": [n for n in one.facts.get("steps") or () if n is not None],
                "owner": one.owner,
                "last_contact": last_contact(one.last),
            }
            for one in people
        ],
        schema=LIST,
    )


def _whys(one: Person, brief: bool) -> str:
    whys = " ".join(map(why, one.items))
    return f"{say('work_do.' + one.reasons[0])}: {whys}" if brief else whys


def last_contact(row: Mapping[str, Any] | None) -> str | None:
    """The newest contact in a few words: who, when, and what came of it."""
    if row is None:
        return None
    came = words.table("contact_outcomes")[row["outcome"]]
    return f"{words.day(row['at'].date())}, {row['who']}: {came.lower()}"


def rests_until(outcome: str, now: datetime, until_on: date | None) -> date | None:
    """Until when a contact quiets its reasons: as asked; nobody reached is tried again tomorrow."""
    if until_on is not None:
        return until_on
    return now.date() if outcome == "no_answer" else None


def is_stale(at: datetime | None, now: datetime) -> bool:
    """Whether something that comes every night is overdue."""
    return at is None or now - at > timedelta(hours=STALE_HOURS)


LIST = pa.schema(
    {
        "participant_id": pa.string(),
        "action": pa.string(),
        "why": pa.string(),
        "since": pa.date32(),
        "owner": pa.string(),
        "last_contact": pa.string(),
        "site": pa.string(),
        "study_day": pa.int32(),
        "days_since_sync": pa.int32(),
        "valid_days": pa.int32(),
        "steps": pa.list_(pa.uint16()),
    }
)


def flat(table: pa.Table) -> pa.Table:
    """The list as a file has it: without the drawing of steps."""
    return table.drop_columns(["steps"])


def _days(number: int | None) -> str:
    return "1 day" if number == 1 else f"{words.count(number)} days"


def _figure(value: float | None) -> str:
    return words.NOTHING if value is None else f"{value:g}"
