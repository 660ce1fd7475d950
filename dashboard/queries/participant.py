"""What the page of one participant asks. Whose rows are asked for was found by `known` first."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from dashboard import words
from dashboard.queries.asking import Answer, Con, Rows, ask, rows
from dashboard.queries.common import GROUP, in_words
from dashboard.queries.participants import LINKED, TODAY

_SOURCE = f"{in_words('source', words.table('sources'))} AS source"
NTH = ("first", "second")  # the scales whose change stands among the facts


def known(con: Con, participant_id: str) -> bool:
    """Whether the viewer may see a participant of exactly that pseudonym."""
    asked = {"participant": participant_id}
    return bool(rows(con, "FROM participant WHERE participant_id = $participant", asked))


def facts(con: Con, participant_id: str, scales: Sequence[str]) -> Answer:
    """One row: who, since when, adherence, last sync, goal days and the change on two scales."""
    asked = dict(zip(NTH, [*scales, None, None][:2], strict=True))
    changes = "".join(_change(nth) for nth in NTH)
    return ask(
        con,
        f"""
        WITH {LINKED}, person AS (
            SELECT participant.*, build.as_of, {TODAY} FROM participant, ops.build AS build
            WHERE participant_id = $participant
        ), recent AS (
            SELECT count(*) FILTER (goal_met) AS goal_days_met_of_14,
                   count(goal_met) AS goal_days_of_14
            FROM participant_day JOIN person USING (participant_id)
            WHERE activity_date >= today - 14 AND activity_date < today
        )
        SELECT person.*, adherence.* EXCLUDE (participant_id), recent.*, connection_state,
               synced_at, datediff('hour', synced_at, as_of) // 24 AS days_since_sync,
               {", ".join(f"{nth}.*" for nth in NTH)}
        FROM person LEFT JOIN adherence USING (participant_id)
        LEFT JOIN linked USING (participant_id) CROSS JOIN recent {changes}
        """,
        {"participant": participant_id, **asked},
    )


def _change(nth: str) -> str:
    """The newest change from baseline on a scale, its columns named after `nth`."""
    named = {"visit": "visit.label", "answered_on": "answered_on", "score": "score",
             "baseline": "baseline_score", "change": "score_change",
             "improvement": "improvement"}  # fmt: skip
    columns = ", ".join(f"{told} AS {nth}_{name}" for name, told in named.items())
    return f"""
        LEFT JOIN (
            SELECT {columns} FROM outcome JOIN visit USING (visit)
            WHERE participant_id = $participant AND scale = ${nth} AND score_change IS NOT NULL
            ORDER BY answered_on DESC NULLS LAST, visit.position DESC LIMIT 1
        ) AS {nth} ON true"""


def days(con: Con, participant_id: str) -> Answer:
    """Every study day of the participant to date: state, steps, goal, minutes by cadence."""
    return ask(
        con,
        f"""
        SELECT activity_date, activity_date + 1 AS next_date, study_day, study_week, day_state,
               {in_words("day_state", words.STATES)} AS state, {GROUP} AS day_group, steps,
               goal_steps, goal_met, wear_minutes,
               moderate_minutes - vigorous_minutes AS moderate_minutes, vigorous_minutes,
               provisional, source, device_model
        FROM participant_day WHERE participant_id = $participant ORDER BY activity_date
        """,
        {"participant": participant_id},
    )


def changes(con: Con, participant_id: str) -> Answer:
    """The first day of each source, system or device after another, and what it was before."""
    return ask(
        con,
        """
        WITH worn AS (
            SELECT activity_date, source, era, device_model,
                   lag(source) OVER days AS source_before, lag(era) OVER days AS era_before,
                   lag(device_model) OVER days AS device_before
            FROM participant_day WHERE participant_id = $participant AND source IS NOT NULL
            WINDOW days AS (ORDER BY activity_date)
        )
        SELECT activity_date AS changed_on,
               CASE WHEN source <> source_before OR era <> era_before THEN 'source'
                    ELSE 'device' END AS kind,
               source, source_before, era, era_before, device_model, device_before
        FROM worn
        WHERE source <> source_before OR era <> era_before OR device_model <> device_before
        ORDER BY changed_on
        """,
        {"participant": participant_id},
    )


def visits(con: Con, participant_id: str) -> Answer:
    """The participant's visits with their windows, in the protocol's order."""
    return ask(
        con,
        """
        SELECT visit.label AS visit, min(target_on) AS target_on, min(opens_on) AS opens_on,
               max(closes_on) + 1 AS after_close
        FROM outcome JOIN visit USING (visit)
        WHERE participant_id = $participant AND opens_on IS NOT NULL
        GROUP BY visit.label, visit.position ORDER BY visit.position
        """,
        {"participant": participant_id},
    )


def scores(con: Con, participant_id: str) -> Answer:
    """The participant's outcomes by scale and visit, each with its MCID band.

    Expected ones have a row too, without a score.
    """
    return ask(
        con,
        f"""
        WITH band AS (
            SELECT outcome.*, scale.label, scale.better, CASE scale.mcid_kind WHEN 'percent'
                   THEN baseline_score * outcome.mcid / 100 ELSE outcome.mcid END AS margin
            FROM outcome JOIN scale USING (scale) WHERE participant_id = $participant
        )
        SELECT visit.label AS visit, scale, band.label, better,
               {in_words("status", words.STATUSES)} AS status, target_on, opens_on, closes_on,
               answered_on, score, baseline_score, score_change, improvement,
               CASE is_responder WHEN true THEN 'Yes' WHEN false THEN 'No' END AS is_responder,
               not_evaluable, baseline_score - margin AS band_low,
               baseline_score + margin AS band_high
        FROM band JOIN visit USING (visit)
        ORDER BY visit.position, band.label
        """,
        {"participant": participant_id},
    )


def connections(con: Con, participant_id: str) -> Rows:
    """The participant's permissions, one row per source."""
    return rows(
        con,
        "SELECT * FROM ops.connection WHERE participant_id = $participant ORDER BY source",
        {"participant": participant_id},
    )


def devices(con: Con, participant_id: str) -> Rows:
    """The participant's devices as last reported, newest sync first."""
    return rows(
        con,
        "SELECT * FROM ops.device WHERE participant_id = $participant "
        "ORDER BY last_sync_at DESC NULLS LAST, device_id",
        {"participant": participant_id},
    )


def reasons(con: Con, participant_id: str) -> Rows:
    """Why the participant is on the work list, the most pressing first."""
    return rows(
        con,
        "SELECT reason, level, since_on, days, held_back, held_because FROM ops.work_item "
        "WHERE participant_id = $participant ORDER BY held_back, priority",
        {"participant": participant_id},
    )


def sessions(con: Con, participant_id: str) -> Answer:
    """The participant's treatment sessions; the masked file has no such table."""
    return ask(
        con,
        "SELECT session_number, held_on, attended, therapist_id FROM treatment_session "
        "WHERE participant_id = $participant ORDER BY session_number",
        {"participant": participant_id},
    )


def revisions(con: Con, participant_id: str) -> Answer:
    """Days that changed after they had landed, the newest change first."""
    return ask(
        con,
        f"""
        SELECT activity_date, {_SOURCE}, changed_at, days_late, steps_before, steps_after,
               wear_before, wear_after, was_complete
        FROM ops.revision WHERE participant_id = $participant
        ORDER BY changed_at DESC, activity_date DESC, revision.source
        """,
        {"participant": participant_id},
    )


def receipts(con: Con, participant_id: str) -> Answer:
    """What was asked for the participant, what came, and why nothing came; the newest first."""
    return ask(
        con,
        f"""
        SELECT asked_at, {_SOURCE}, data_type, first_on, last_on, received, landed, rejected,
               {in_words("reason", words.table("receipt_reasons"))} AS what_came
        FROM ops.receipt WHERE participant_id = $participant
        ORDER BY asked_at DESC, receipt.source, data_type
        """,
        {"participant": participant_id},
    )


def day_of(con: Con, participant_id: str, on: date) -> Answer:
    """One day as the build has it, with the hash of the landed day behind it."""
    return ask(
        con,
        f"""
        SELECT activity_date, study_day, {in_words("day_state", words.STATES)} AS state,
               participant_day.source, participant_day.steps, goal_steps, goal_met,
               participant_day.wear_minutes, participant_day.moderate_minutes,
               participant_day.vigorous_minutes, provisional, row_hash
        FROM participant_day LEFT JOIN day_metric USING (participant_id, source, activity_date)
        WHERE participant_id = $participant AND activity_date = $day
        """,
        {"participant": participant_id, "day": on},
    )
