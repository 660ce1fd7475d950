"""What is due: which local days to ask a source for, and how far what came reaches."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from ingestion.source import ActivityDay, Ask, Window
from warehouse.study import Study

# A pull of n days costs 3 + 2n of Fitbit's 150 requests an hour; the next pull goes on.
MOST_DAYS, MANY = {"fitbit": 70}, 10_000


def next_ask(study: Study, row: dict[str, Any], now: datetime) -> Ask | None:
    """What is due of a participant; None when every day that will ever be asked for is here.

    `row` joins the grant's marks with the roster. A study day 1 that was moved to before the first
    landed day makes everything due again.
    """
    landed_sync_at = row["landed_sync_at"]
    if row["first_asked_on"] is None or row["first_asked_on"] > row["starts_on"]:
        landed_sync_at = None
    window = due_window(
        starts_on=row["starts_on"],
        ends_on=last_day(study, row),
        today=now.astimezone(ZoneInfo(row["timezone"])).date(),
        landed_sync_at=landed_sync_at,
        timezone=row["timezone"],
        trailing_days=study.wearables.trailing_days,
        final_after_days=study.wearables.final_after_days,
        memory_days=study.wear.minute_memory_days,
    )
    if window is None:
        return None
    window = window.chunks(MOST_DAYS.get(row["source"], MANY))[0]
    return Ask(study, now, row["participant_id"], row["timezone"], window, landed_sync_at)


def due_window(
    *,
    starts_on: date,
    ends_on: date,
    today: date,
    landed_sync_at: datetime | None,
    timezone: str,
    trailing_days: int,
    final_after_days: int,
    memory_days: int,
) -> Window | None:
    """The local days to ask for: from the last one known complete, less the trailing days.

    Nothing before study day 1 and nothing after the last day of taking part is ever asked for.
    None before the study has begun, when all days to `ends_on` are complete and final, and when
    the device can no longer remember those that are not.
    """
    first_on, final_on = starts_on, ends_on + timedelta(days=final_after_days)
    if today > final_on + timedelta(days=memory_days):
        return None
    if landed_sync_at is not None:
        through = landed_sync_at.astimezone(ZoneInfo(timezone)).date()
        if through > ends_on and today > final_on:
            return None
        first_on = max(starts_on, through - timedelta(days=trailing_days))
    last_on = min(today, ends_on)
    return Window(first_on, last_on) if first_on <= last_on else None


def last_day(study: Study, row: dict[str, Any]) -> date:
    """The last local day a participant takes part: of the follow-up, or before withdrawal."""
    ends_on: date = row["starts_on"] + timedelta(days=7 * study.study.weeks - 1)
    if row["withdrawn_on"]:
        ends_on = min(ends_on, row["withdrawn_on"] - timedelta(days=1))
    return ends_on


def landed_through(ask: Ask, synced_at: datetime, days: Sequence[ActivityDay]) -> datetime:
    """The instant through which a fetch of `ask` has landed everything.

    The device's last sync; but no later than the end of a window that stops before today, as the
    roster's zone has it or, where that is later, the last landed day itself.
    """
    assert ask.window is not None
    assert ask.timezone is not None
    if ask.window.last_on >= ask.now.astimezone(ZoneInfo(ask.timezone)).date():
        return synced_at
    after = ask.window.last_on + timedelta(days=1)
    ends = [datetime.combine(after, time(), ZoneInfo(ask.timezone)).astimezone(UTC)]
    ends += [
        day.day_start_at + timedelta(minutes=day.day_minutes)
        for day in days
        if day.activity_date == ask.window.last_on
    ]
    return min(synced_at, max(ends))
