"""Keeping grants alive: what was not refreshed for long is refreshed before the vendor drops it.

A pull refreshes what it uses. A participant who pauses, or whose grant lacks a permission, is not
pulled, and a permission that nobody uses lapses (Google: after six months).
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from functools import partial

import sqlalchemy as sa

from ingestion import clock
from ingestion.consent import resume_consent
from ingestion.errors import Misconfigured, Retired, SourceError
from ingestion.grant_rows import Grant
from ingestion.grants import Grants
from ingestion.http import open_http
from ingestion.settings import SCOPES, read_keep_alive, read_key, read_vendor
from warehouse import register as reg
from warehouse.compaction import compact
from warehouse.home import Store

log = logging.getLogger(__name__)
OVER = ("revoked", "expired")  # the token no longer works; a later consent on hold may
_JOINED = sa.join(
    reg.grant, reg.participant, reg.grant.c.participant_id == reg.participant.c.participant_id
)


def plan_upkeep(store: Store) -> list[tuple[str, int]]:
    """The (source, batch) pairs that have a grant with something to keep, in order."""
    columns = (reg.grant.c.source, reg.participant.c.batch)
    query = sa.select(*columns).select_from(_JOINED).where(_has_something(clock.now()))
    rows = store.register.rows(query.distinct())
    return sorted((row["source"], int(row["batch"])) for row in rows)


def keep_alive(store: Store, source: str, batch: int) -> Counter[str]:
    """Refresh the idle grants of a batch, and finish consents that broke off; counts by outcome.

    `refreshed`, `finished`, `nothing to do`, and the reasons of errors. Who has withdrawn is left
    alone. Misconfigured and Retired are raised once every grant of the batch has had its turn.
    """
    counts: Counter[str] = Counter()
    ours: list[SourceError] = []
    with open_http() as http:
        grants, vendor = Grants(store.register, read_key(), http), read_vendor(source)
        now = clock.now()
        idle_since = now - read_keep_alive()
        for participant_id in _participants(store, source, batch, now):
            resume = partial(resume_consent, grants, http, vendor, participant_id)
            try:
                counts[_keep(grants, participant_id, source, idle_since, resume)] += 1
            except SourceError as error:
                counts[error.reason] += 1
                log.warning("%s: %s", participant_id, error)
                ours += [error] if isinstance(error, Misconfigured | Retired) else []
    if ours:
        raise ours[0]
    return counts


def count_states(store: Store) -> list[tuple[str, str, int]]:
    """(source, state, grants) of every grant there is, in order."""
    columns = (reg.grant.c.source, reg.grant.c.state)
    query = sa.select(*columns, sa.func.count().label("grants"))
    rows = store.register.rows(query.group_by(*columns).order_by(*columns))
    return [(row["source"], row["state"], int(row["grants"])) for row in rows]


def report_states(store: Store) -> list[str]:
    """The grants by state in lines; under active ones, what is the matter with some of them."""
    counted = count_states(store)
    if not counted:
        return ["no participant has been connected yet: `stepwell connect` makes a link"]
    lines = []
    for source, state, grants in counted:
        lines.append(f"{source} {state}: {grants}")
        if state == "active":
            told = _next_steps(store, source) + _unanswered(store, source)
            lines += [f"  {count} of them: {what}" for what, count in told]
    return lines


def _next_steps(store: Store, source: str) -> list[tuple[str, int]]:
    """What is to be done about active grants, and how many they are."""
    grant = reg.grant.c
    query = sa.select(grant.next_step, sa.func.count().label("grants")).where(
        grant.source == source, grant.state == "active", grant.next_step.is_not(None)
    )
    rows = store.register.rows(query.group_by(grant.next_step).order_by(grant.next_step))
    return [(row["next_step"], int(row["grants"])) for row in rows]


def _unanswered(store: Store, source: str) -> list[tuple[str, int]]:
    """Why active grants had no answer at their last pull, and how many they are."""
    grant, told = reg.grant.c, reg.receipt.c
    last = (
        sa.select(told.participant_id, sa.func.max(told.asked_at).label("at"))
        .where(told.source == source)
        .group_by(told.participant_id)
        .subquery()
    )
    its = reg.receipt.join(
        last, (last.c.participant_id == told.participant_id) & (last.c.at == told.asked_at)
    ).join(reg.grant, (grant.participant_id == told.participant_id) & (grant.source == told.source))
    failed = grant.last_pulled_at.is_(None) | (grant.last_pulled_at < told.asked_at)
    many = sa.func.count(told.participant_id.distinct()).label("grants")
    query = sa.select(told.reason, many).select_from(its)
    query = query.where(told.source == source, grant.state == "active", failed)
    rows = store.register.rows(query.group_by(told.reason).order_by(told.reason))
    return [(f"the last pull had no answer ({row['reason']})", int(row["grants"])) for row in rows]


def compact_days(store: Store) -> str:
    """Move closed days into their months' files (warehouse.compaction); what was done, in words."""
    done = compact(store, clock.now())
    return f"{done.dates} files of closed days moved into {done.months} months' files"


def _participants(store: Store, source: str, batch: int, now: datetime) -> list[str]:
    mine = (reg.grant.c.source == source) & (reg.participant.c.batch == batch)
    query = sa.select(reg.grant.c.participant_id).select_from(_JOINED)
    query = query.where(mine, _has_something(now)).order_by(reg.grant.c.participant_id)
    return [row["participant_id"] for row in store.register.rows(query)]


def _has_something(now: datetime) -> sa.ColumnElement[bool]:
    """Whether a grant has a token, in use or on hold, of someone who still takes part."""
    ended = reg.participant.c.withdrawn_on
    takes_part = sa.or_(ended.is_(None), ended > now.date())
    kept = (reg.grant.c.state != "retired") & reg.grant.c.token.is_not(None)
    return kept & takes_part & reg.grant.c.source.in_(SCOPES)


def _keep(
    grants: Grants, participant_id: str, source: str, idle_since: datetime,
    resume: Callable[[], Grant | None],
) -> str:  # fmt: skip
    """What was done for one grant: a consent on hold replaces the token in use, so it is first."""
    grant = grants.find(participant_id, source)
    assert grant is not None  # it was chosen from what is there
    if grant.unconfirmed and resume():
        return "finished"
    idle = grant.expires_at is not None and grant.expires_at <= idle_since
    if grant.token is None or grant.state in OVER or not idle:
        return "nothing to do"
    grants.renewed(grant)
    return "refreshed"
