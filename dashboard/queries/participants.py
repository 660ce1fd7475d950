"""What the Participants page asks: everybody at a glance, worst first, and how many of each."""

from __future__ import annotations

from dataclasses import dataclass

from dashboard import words
from dashboard.queries.asking import Answer, Con, ask, literal, rows
from dashboard.queries.common import in_words

# The local day on which this build was made: days before it have ended.
TODAY = "CAST(timezone(participant.timezone, build.as_of) AS DATE) AS today"
# Of each participant the connection that most needs a person: lost before active, newest first.
LINKED = """
    linked AS (
        SELECT participant_id, max(synced_at) AS synced_at,
               first(state ORDER BY (state <> 'active'), since DESC) AS connection_state,
               first(next_step ORDER BY (state <> 'active'), since DESC) AS next_step
        FROM ops.connection GROUP BY participant_id
    )
"""
# One word for a visit's questionnaires, of the states of its scales.
_VISIT_STATE = """
    CASE WHEN bool_or(status = 'overdue') THEN 'overdue'
         WHEN bool_or(status = 'due') THEN 'due'
         WHEN bool_and(status = 'received') THEN 'received'
         WHEN bool_or(status = 'received') THEN 'part'
         WHEN bool_or(status = 'missed') THEN 'missed'
         WHEN bool_or(status = 'not_due') THEN 'not_due'
         ELSE 'outside_study' END
"""
WORST_FIRST = (
    "is_out, priority NULLS LAST, wear_adherence NULLS FIRST, "
    "goal_adherence_strict NULLS FIRST, participant_id"
)
_RANKED = f"""
    person AS (
        SELECT participant.*, build.as_of, {TODAY} FROM participant, ops.build AS build
        WHERE $site::VARCHAR IS NULL OR site = $site
    ), pressing AS (
        SELECT participant_id, min(priority) AS priority,
               arg_min(reason, priority) AS reason
        FROM ops.work_item WHERE NOT held_back GROUP BY participant_id
    ), ranked AS (
        SELECT *, coalesce(withdrawn_on <= today OR last_day_state = 'outside_study', false)
               AS is_out
        FROM person LEFT JOIN adherence USING (participant_id)
        LEFT JOIN pressing USING (participant_id)
    )
"""


@dataclass(frozen=True)
class Filters:
    """What the list is narrowed to, in codes; None or empty narrows nothing."""

    site: str | None = None
    connection: str | None = None
    day_state: str | None = None
    overdue: bool = False
    search: str = ""


def visits(con: Con) -> dict[str, str]:
    """The visits that the file tells of, code to name, in the protocol's order."""
    listed = rows(
        con,
        "SELECT visit, label FROM visit "
        "WHERE visit IN (SELECT visit FROM outcome) ORDER BY position, visit",
    )
    return {row["visit"]: row["label"] for row in listed}


def counts(con: Con, site: str | None) -> Answer:
    """How many participants stand how, of everybody or of a site."""
    return ask(
        con,
        f"""
        WITH {_RANKED}, {LINKED}, waiting AS (
            SELECT DISTINCT participant_id FROM outcome WHERE status = 'overdue'
        )
        SELECT count(*) AS participants,
               count(*) FILTER (NOT is_out AND starts_on <= today) AS in_study,
               count(*) FILTER (starts_on > today) AS not_begun,
               count(*) FILTER (is_out) AS out_of_study,
               count(*) FILTER (NOT is_out AND priority IS NOT NULL) AS on_work_list,
               count(*) FILTER (NOT is_out AND connection_state = 'active') AS connected,
               count(*) FILTER (NOT is_out AND connection_state <> 'active') AS disconnected,
               count(*) FILTER (NOT is_out AND connection_state IS NULL) AS never_connected,
               count(*) FILTER (NOT is_out AND waiting.participant_id IS NOT NULL) AS overdue
        FROM ranked LEFT JOIN linked USING (participant_id)
        LEFT JOIN waiting USING (participant_id)
        """,
        {"site": site},
    )


def grid(con: Con, filters: Filters) -> Answer:
    """A row a participant, worst first; `visit_x` is the state of the questionnaires of visit x."""
    known = {code: f'"visit_{code}"' for code in visits(con)}
    states = "".join(
        f", any_value(state) FILTER (visit = {literal(code)}) AS {name}"
        for code, name in known.items()
    )
    return ask(
        con,
        f"""
        WITH {_RANKED}, {LINKED}, recent AS (
            SELECT participant_id,
                   CAST(count(*) FILTER (valid_day AND activity_date >= today - 7) AS INTEGER)
                       AS valid_days_of_7,
                   avg(wear_minutes / 60) FILTER (activity_date >= today - 7) AS worn_hours,
                   last(goal_steps ORDER BY activity_date) AS goal_steps,
                   CAST(nullif(count(goal_met), 0) AS INTEGER) AS goal_days_of_14,
                   CAST(CASE WHEN count(goal_met) > 0 THEN count(*) FILTER (goal_met) END
                        AS INTEGER) AS goal_days_met
            FROM participant_day JOIN person USING (participant_id)
            WHERE activity_date >= today - 14 AND activity_date < today GROUP BY participant_id
        ), stood AS (
            SELECT participant_id, visit, {_VISIT_STATE} AS state
            FROM outcome GROUP BY participant_id, visit
        ), forms AS (
            SELECT participant_id, bool_or(state = 'overdue') AS has_overdue{states}
            FROM stood GROUP BY participant_id
        )
        SELECT participant_id, site,
               coalesce({in_words("reason", words.table("work_do"))}, next_step) AS next_step,
               coalesce(connection_state, 'never_connected') AS connection,
               CAST(datediff('hour', synced_at, as_of) // 24 AS INTEGER) AS days_since_sync,
               CASE WHEN NOT is_out THEN valid_days_of_7 END AS valid_days_of_7,
               {", ".join(["recent.goal_days_met", "goal_days_of_14", *known.values()])},
               last_day_state AS last_day, study_days, synced_at, worn_hours, valid_days,
               eligible_days, wear_adherence, goal_steps
        FROM ranked LEFT JOIN linked USING (participant_id)
        LEFT JOIN recent USING (participant_id) LEFT JOIN forms USING (participant_id)
        WHERE ($connection::VARCHAR IS NULL
               OR coalesce(connection_state, 'never_connected') = $connection)
          AND ($day_state::VARCHAR IS NULL OR last_day_state = $day_state)
          AND (NOT $overdue OR has_overdue)
          AND contains(lower(participant_id), lower($search))
        ORDER BY {WORST_FIRST}
        """,
        vars(filters),
    )


def ordered(con: Con, site: str | None = None, queue: str | None = None) -> list[str]:
    """Participants worst first: everybody's, a site's, or those of a queue of the work list."""
    listed = rows(
        con,
        f"""
        WITH {_RANKED}, queued AS (
            SELECT participant_id, min(priority) AS place, max(days) AS waited FROM ops.work_item
            WHERE queue = $queue AND NOT held_back GROUP BY participant_id
        )
        SELECT participant_id FROM ranked LEFT JOIN queued USING (participant_id)
        WHERE $queue::VARCHAR IS NULL OR place IS NOT NULL
        ORDER BY place, waited DESC NULLS LAST, {WORST_FIRST}
        """,
        {"site": site, "queue": queue},
    )
    return [row["participant_id"] for row in listed]


def queues(con: Con) -> list[str]:
    """The queues of the work list that hold somebody, the most pressing first."""
    listed = rows(
        con,
        "SELECT queue, min(priority) AS place FROM ops.work_item WHERE NOT held_back "
        "GROUP BY queue ORDER BY place, queue",
    )
    return [row["queue"] for row in listed]


def find(con: Con, asked: str) -> str | None:
    """The participant of that pseudonym, in any case; None where the viewer may see no such one."""
    listed = rows(
        con,
        "SELECT participant_id FROM participant WHERE lower(participant_id) = lower($asked) "
        "ORDER BY participant_id <> $asked, participant_id LIMIT 1",
        {"asked": asked.strip()},
    )
    return str(listed[0]["participant_id"]) if listed else None
