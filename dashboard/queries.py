"""One function per question a page asks of the published file. Nothing is recomputed here.

Each returns an Arrow table or rows as dicts; a blank stays None. Values reach SQL as parameters.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa

from dashboard import words

Con = duckdb.DuckDBPyConnection
Rows = list[dict[str, Any]]

_OF_MEMBERS = (
    "participant_id IN (SELECT participant_id FROM cohort_member "
    "WHERE cohort_kind = '{kind}' AND cohort = $cohort)"
)
# Which participants a cohort holds, as a condition on the participant table.
_MEMBERS = {
    "all": "$cohort = 'all'",
    "site": "site = $cohort",
    "depression_or_anxiety": "depression_or_anxiety = ($cohort = 'yes')",
    "arm": "arm = $cohort",
    "therapist": "therapist_id = $cohort",
    **{kind: _OF_MEMBERS.format(kind=kind) for kind in ("device", "era", "named", "named_by_arm")},
}


@dataclass(frozen=True)
class Cohort:
    """A cohort as one role may see it: `kind` as in cohort_week; empty `sites` is every site."""

    kind: str = "all"
    name: str = "all"
    sites: tuple[str, ...] = ()

    @property
    def parameters(self) -> dict[str, Any]:
        return {"cohort": self.name, "sites": list(self.sites)}

    @property
    def members(self) -> str:
        """SQL of the participants, to stand after WITH under the name `member`."""
        return (
            f"member AS (SELECT * FROM participant WHERE {_MEMBERS[self.kind]} "
            "AND (len($sites::VARCHAR[]) = 0 OR list_contains($sites::VARCHAR[], site)))"
        )


def build(con: Con) -> dict[str, Any]:
    """The one row of ops.build: which build this file is."""
    return _rows(con, "SELECT * FROM ops.build")[0]


def cohorts(con: Con, sites: tuple[str, ...]) -> list[Cohort]:
    """The cohorts of the file, everyone first; a role bound to sites has only those sites."""
    if sites:
        return [Cohort("site", site, sites) for site in sites]
    listed = _rows(
        con,
        "SELECT DISTINCT cohort_kind, cohort FROM "
        "(SELECT cohort_kind, cohort FROM cohort_week "
        "UNION SELECT cohort_kind, cohort FROM cohort_outcome) ORDER BY ALL",
    )
    found = [Cohort(row["cohort_kind"], row["cohort"]) for row in listed]
    return [Cohort(), *(cohort for cohort in found if cohort.kind != "all")]


def participants(con: Con, cohort: Cohort) -> pa.Table:
    """The cohort's participants, worst first: in the study, then by wear, then by goal."""
    return _table(
        con,
        f"""
        WITH {cohort.members}, linked AS (
            SELECT participant_id, max(synced_at) AS synced_at,
                   first(state ORDER BY (state <> 'active'), since DESC) AS state,
                   first(next_step ORDER BY (state <> 'active'), since DESC) AS next_step
            FROM ops.connection GROUP BY participant_id
        )
        SELECT participant_id, site, adherence.study_days,
               {_in_words("last_day_state", words.STATES)} AS last_day, wear_adherence,
               goal_adherence_observed, goal_adherence_strict, steps_per_day, last_valid_on,
               {_in_words("linked.state", words.CONNECTIONS)} AS connection, synced_at, next_step
        FROM member
        LEFT JOIN adherence USING (participant_id)
        LEFT JOIN linked USING (participant_id)
        ORDER BY coalesce(last_day_state = 'outside_study', false), wear_adherence NULLS FIRST,
                 goal_adherence_strict NULLS FIRST, participant_id
        """,
        cohort.parameters,
    )


_COUNTS = """
    count(*) AS person_days,
    count(*) FILTER (eligible_day) AS eligible_days,
    count(*) FILTER (valid_day) AS valid_days,
    count(*) FILTER (provisional) AS provisional_days,
    count(*) FILTER (valid_day AND goal_steps IS NOT NULL) AS goal_days,
    count(*) FILTER (eligible_day AND goal_steps IS NOT NULL) AS eligible_goal_days,
    count(*) FILTER (goal_met) AS goal_days_met
"""


def key_figures(con: Con, cohort: Cohort) -> dict[str, int]:
    """Counts to date of the cohort's people and person-days, by what they are counted for."""
    return _rows(
        con,
        f"WITH {cohort.members} SELECT (SELECT count(*) FROM member) AS participants, {_COUNTS} "
        "FROM participant_day JOIN member USING (participant_id)",
        cohort.parameters,
    )[0]


def person_figures(con: Con, participant_id: str) -> dict[str, int]:
    """The same counts of one participant's days: the denominators of their shares."""
    return _rows(
        con,
        f"SELECT {_COUNTS} FROM participant_day WHERE participant_id = $participant",
        {"participant": participant_id},
    )[0]


def days_by_state(con: Con, cohort: Cohort) -> pa.Table:
    """Person-days of the cohort by day state, most first, with the state's group and words."""
    return _table(
        con,
        f"""
        WITH {cohort.members}
        SELECT {_in_words("day_state", words.STATES)} AS state, {_GROUP} AS day_group,
               count(*) AS person_days, count(*) / sum(count(*)) OVER () AS share
        FROM participant_day JOIN member USING (participant_id)
        GROUP BY ALL ORDER BY person_days DESC, state, day_group
        """,
        cohort.parameters,
    )


def day_grid(con: Con, cohort: Cohort) -> pa.Table:
    """Each person-day as (participant_id, study_day, position of its group in words.GROUPS)."""
    codes = [group.code for group in words.GROUPS]
    return _table(
        con,
        f"""
        WITH {cohort.members}
        SELECT participant_id, study_day, list_position($codes, {_GROUP}) - 1 AS day_group
        FROM participant_day JOIN member USING (participant_id)
        ORDER BY participant_id, study_day
        """,
        {**cohort.parameters, "codes": codes},
    )


def weeks(con: Con, cohort: Cohort) -> pa.Table:
    """Adherence of the cohort by study week; figures of small cells are blank."""
    return _table(
        con,
        """
        SELECT study_week, participants, suppressed, wear_adherence, goal_adherence_observed,
               goal_adherence_strict, valid_weeks, steps_per_day, steps_ci_low, steps_ci_high
        FROM cohort_week WHERE cohort_kind = $kind AND cohort = $cohort ORDER BY study_week
        """,
        {"kind": cohort.kind, "cohort": cohort.name},
    )


def outcomes(con: Con, cohort: Cohort) -> pa.Table:
    """Outcomes of the cohort by scale and visit, in the protocol's order of visits."""
    return _table(
        con,
        """
        SELECT scale, visit.label AS visit, visit.week, expected, received, suppressed,
               mean_score, score_ci_low, score_ci_high, mean_improvement, improvement_ci_low,
               improvement_ci_high, evaluable, responders, responder_share, responder_ci_low,
               responder_ci_high
        FROM cohort_outcome JOIN visit USING (visit)
        WHERE cohort_kind = $kind AND cohort = $cohort ORDER BY scale, visit.position
        """,
        {"kind": cohort.kind, "cohort": cohort.name},
    )


def scales(con: Con) -> Rows:
    """The scales of the study with label, range, direction and responder threshold."""
    return _rows(con, "SELECT * FROM scale ORDER BY scale")


def meanings(con: Con, table: str) -> dict[str, str]:
    """What a table and its columns mean, from the comments in the file; the table's under ''."""
    listed = _rows(
        con,
        """
        SELECT '' AS name, comment FROM duckdb_tables()
        WHERE database_name = current_database() AND table_name = $table
        UNION ALL
        SELECT column_name, comment FROM duckdb_columns()
        WHERE database_name = current_database() AND table_name = $table
        """,
        {"table": table},
    )
    return {row["name"]: row["comment"] or "" for row in listed}


def person(con: Con, participant_id: str) -> dict[str, Any]:
    """The participant's row joined with their adherence to date."""
    return _rows(
        con,
        "SELECT * FROM participant LEFT JOIN adherence USING (participant_id) "
        "WHERE participant_id = $participant",
        {"participant": participant_id},
    )[0]


def days(con: Con, participant_id: str) -> pa.Table:
    """Every study day of the participant to date, with its state, steps and goal."""
    return _table(
        con,
        f"""
        SELECT activity_date, activity_date + 1 AS next_date, study_day, study_week, day_state,
               {_in_words("day_state", words.STATES)} AS state, {_GROUP} AS day_group, steps,
               goal_steps, goal_met, wear_minutes, provisional, source, device_model
        FROM participant_day WHERE participant_id = $participant ORDER BY activity_date
        """,
        {"participant": participant_id},
    )


def source_changes(con: Con, participant_id: str) -> pa.Table:
    """The first day of each source after another: `changed_on`, `source` and the one it `was`."""
    return _table(
        con,
        """
        SELECT activity_date AS changed_on, source, was FROM (
            SELECT activity_date, source, lag(source) OVER (ORDER BY activity_date) AS was
            FROM participant_day WHERE participant_id = $participant AND source IS NOT NULL
        ) WHERE source <> was ORDER BY changed_on
        """,
        {"participant": participant_id},
    )


def sources(con: Con, cohort: Cohort) -> list[str]:
    """The sources behind the cohort's days."""
    found = _rows(
        con,
        f"WITH {cohort.members} SELECT DISTINCT source FROM participant_day "
        "JOIN member USING (participant_id) WHERE source IS NOT NULL ORDER BY source",
        cohort.parameters,
    )
    return [row["source"] for row in found]


def bridges(con: Con, sources: list[str]) -> Rows:
    """How those sources compare with each other on the days that two of them have."""
    return _rows(
        con,
        "SELECT * FROM bridge WHERE list_contains($sources, from_source) "
        "AND list_contains($sources, to_source) ORDER BY from_source, to_source, measure",
        {"sources": sources},
    )


def visits(con: Con, participant_id: str) -> pa.Table:
    """The participant's visits with their windows, in the protocol's order."""
    return _table(
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


def scores(con: Con, participant_id: str) -> pa.Table:
    """The participant's outcomes by scale and visit, expected or received, with the MCID band."""
    return _table(
        con,
        f"""
        WITH band AS (
            SELECT outcome.*, scale.label, CASE scale.mcid_kind WHEN 'percent'
                   THEN baseline_score * outcome.mcid / 100 ELSE outcome.mcid END AS margin
            FROM outcome JOIN scale USING (scale) WHERE participant_id = $participant
        )
        SELECT visit.label AS visit, scale, band.label,
               {_in_words("status", words.STATUSES)} AS status, target_on,
               answered_on, score, baseline_score, score_change, improvement,
               CASE is_responder WHEN true THEN 'Yes' WHEN false THEN 'No' END AS is_responder,
               not_evaluable, baseline_score - margin AS band_low,
               baseline_score + margin AS band_high
        FROM band JOIN visit USING (visit) ORDER BY visit.position, band.label
        """,
        {"participant": participant_id},
    )


def connections(con: Con, participant_id: str) -> Rows:
    """The participant's permissions, one row per source."""
    return _rows(
        con,
        "SELECT * FROM ops.connection WHERE participant_id = $participant ORDER BY source",
        {"participant": participant_id},
    )


def devices(con: Con, participant_id: str) -> Rows:
    """The participant's devices as last reported, newest sync first."""
    return _rows(
        con,
        "SELECT * FROM ops.device WHERE participant_id = $participant "
        "ORDER BY last_sync_at DESC NULLS LAST, device_id",
        {"participant": participant_id},
    )


def sessions(con: Con, participant_id: str) -> pa.Table | None:
    """The participant's treatment sessions; None where the file leaves them out (the blind)."""
    if not meanings(con, "treatment_session"):
        return None
    return _table(
        con,
        "SELECT session_number, held_on, attended, therapist_id FROM treatment_session "
        "WHERE participant_id = $participant ORDER BY session_number",
        {"participant": participant_id},
    )


def _in_words(column: str, known: dict[str, str]) -> str:
    """SQL that turns codes into words; an unknown code stays as it is."""
    cases = " ".join(f"WHEN '{code}' THEN '{label}'" for code, label in known.items())
    return f"CASE {column} {cases} ELSE {column} END"


def _group() -> str:
    cases = " ".join(
        f"WHEN '{state}' THEN '{group.code}'" for group in words.GROUPS for state in group.states
    )
    return f"CASE WHEN goal_met THEN 'goal_met' ELSE CASE day_state {cases} END END"


_GROUP = _group()


def _table(con: Con, sql: str, parameters: dict[str, Any] | None = None) -> pa.Table:
    return con.sql(sql, params=parameters or {}).to_arrow_table()


def _rows(con: Con, sql: str, parameters: dict[str, Any] | None = None) -> Rows:
    rows: Rows = _table(con, sql, parameters).to_pylist()
    return rows
