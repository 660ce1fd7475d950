"""What the page of one participant asks."""

from __future__ import annotations

from typing import Any

from dashboard import words
from dashboard.queries.asking import Answer, Con, Rows, ask, rows
from dashboard.queries.common import COUNTS, GROUP, in_words, meanings


def person(con: Con, participant_id: str) -> dict[str, Any]:
    """The participant's row joined with their adherence to date."""
    return rows(
        con,
        "SELECT * FROM participant LEFT JOIN adherence USING (participant_id) "
        "WHERE participant_id = $participant",
        {"participant": participant_id},
    )[0]


def person_figures(con: Con, participant_id: str) -> dict[str, int]:
    """The same counts of one participant's days: the denominators of their shares."""
    return rows(
        con,
        f"SELECT {COUNTS} FROM participant_day WHERE participant_id = $participant",
        {"participant": participant_id},
    )[0]


def days(con: Con, participant_id: str) -> Answer:
    """Every study day of the participant to date, with its state, steps and goal."""
    return ask(
        con,
        f"""
        SELECT activity_date, activity_date + 1 AS next_date, study_day, study_week, day_state,
               {in_words("day_state", words.STATES)} AS state, {GROUP} AS day_group, steps,
               goal_steps, goal_met, wear_minutes, provisional, source, device_model
        FROM participant_day WHERE participant_id = $participant ORDER BY activity_date
        """,
        {"participant": participant_id},
    )


def source_changes(con: Con, participant_id: str) -> Answer:
    """The first day of each source after another: `changed_on`, `source` and the one it `was`."""
    return ask(
        con,
        """
        SELECT activity_date AS changed_on, source, was FROM (
            SELECT activity_date, source, lag(source) OVER (ORDER BY activity_date) AS was
            FROM participant_day WHERE participant_id = $participant AND source IS NOT NULL
        ) WHERE source <> was ORDER BY changed_on
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


def scores(con: Con, participant_id: str, scale: str | None = None) -> Answer:
    """The participant's outcomes by scale and visit, or of one scale, each with its MCID band.

    Expected ones have a row too, without a score.
    """
    return ask(
        con,
        f"""
        WITH band AS (
            SELECT outcome.*, scale.label, CASE scale.mcid_kind WHEN 'percent'
                   THEN baseline_score * outcome.mcid / 100 ELSE outcome.mcid END AS margin
            FROM outcome JOIN scale USING (scale) WHERE participant_id = $participant
        )
        SELECT visit.label AS visit, scale, band.label,
               {in_words("status", words.STATUSES)} AS status, target_on,
               answered_on, score, baseline_score, score_change, improvement,
               CASE is_responder WHEN true THEN 'Yes' WHEN false THEN 'No' END AS is_responder,
               not_evaluable, baseline_score - margin AS band_low,
               baseline_score + margin AS band_high
        FROM band JOIN visit USING (visit) WHERE $scale::VARCHAR IS NULL OR scale = $scale
        ORDER BY visit.position, band.label
        """,
        {"participant": participant_id, "scale": scale},
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


def sessions(con: Con, participant_id: str) -> Answer | None:
    """The participant's treatment sessions; None where the file leaves them out (the blind)."""
    if not meanings(con, "treatment_session"):
        return None
    return ask(
        con,
        "SELECT session_number, held_on, attended, therapist_id FROM treatment_session "
        "WHERE participant_id = $participant ORDER BY session_number",
        {"participant": participant_id},
    )
