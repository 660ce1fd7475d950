"""What is due: whom to ask and for which local days, and how far what came reaches."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from ingestion.errors import SourceError, Transient
from ingestion.source import ActivityDay, Ask, Window
from warehouse.study import Study

EARLY = timedelta(minutes=5)  # a run that begins this much before the hour is that hour's
LONGEST_REST = timedelta(hours=6)  # whatever a vendor asks for


def next_ask(study: Study, row: dict[str, Any], now: datetime) -> Ask | None:
    """What is due of a participant; None when every day that will ever be asked for is here.

    `row` joins the grant's marks with the roster and `lateness_days`, None where nothing was
    learned. A study day 1 that was moved to before the first landed day makes all due again.
    """
    rules, learned = study.wearables, row.get("lateness_days") or 0
    trailing_days = 0 if _is_behind(study, row) else max(rules.trailing_days, learned)
    landed_sync_at, starts_on = row["landed_sync_at"], row["starts_on"]
    if former := row.get("account_since"):  # what it is now asked with tells less of days before
        starts_on = max(starts_on, former.astimezone(ZoneInfo(row["timezone"])).date())
    elif row["first_asked_on"] is None or row["first_asked_on"] > starts_on:
        landed_sync_at = None
    window = due_window(
        starts_on=starts_on,
        ends_on=last_day(study, row),
        today=now.astimezone(ZoneInfo(row["timezone"])).date(),
        landed_sync_at=landed_sync_at,
        timezone=row["timezone"],
        trailing_days=trailing_days,
        final_after_days=max(rules.final_after_days, learned),
        memory_days=study.wear.minute_memory_days,
    )
    if window is None:
        return None
    return Ask(study, now, row["participant_id"], row["timezone"], window, landed_sync_at)


def _is_behind(study: Study, row: dict[str, Any]) -> bool:
    """Whether the last pull stopped before the last sync.

    The next one goes on from there: the days before have just been asked for again.
    """
    if row["landed_sync_at"] is None or row.get("synced_at") is None:
        return False
    zone, after = ZoneInfo(row["timezone"]), last_day(study, row) + timedelta(days=1)
    landed_to, synced_on = (row[name].astimezone(zone).date()
                            for name in ("landed_sync_at", "synced_at"))  # fmt: skip
    return bool(landed_to < min(synced_on, after))


def is_due(row: dict[str, Any], now: datetime) -> bool:
    """Whether the schedule asks this participant now.

    It does once their rest is over, and when they have connected anew since their last answer.
    """
    rests_until, asked_at = row["ask_after"], row["last_pulled_at"]
    is_new = asked_at is not None and row["since"] > asked_at
    return rests_until is None or now >= rests_until or is_new


def ask_after(study: Study, now: datetime, error: SourceError | None) -> datetime | None:
    """When the schedule asks again; None for its next run.

    Whoever answered rests for the protocol's hours, so that a quiet day costs few requests; a
    vendor that is busy or unwell rests as long as it asks for; else a failure is tried again at
    the next run.
    """
    if error is None:
        hours = study.wearables.ask_every_hours
        return now + timedelta(hours=hours) - EARLY if hours else None
    if isinstance(error, Transient) and error.retry_after:
        return now + min(timedelta(seconds=error.retry_after), LONGEST_REST)
    return None


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


def not_complete(ask: Ask) -> Window | None:
    """The days asked for that have not landed whole; None when all of them have."""
    if ask.window is None or ask.synced_before is None or ask.timezone is None:
        return ask.window
    through = ask.synced_before.astimezone(ZoneInfo(ask.timezone)).date()
    first_on = max(through, ask.window.first_on)
    return Window(first_on, ask.window.last_on) if first_on <= ask.window.last_on else None


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
