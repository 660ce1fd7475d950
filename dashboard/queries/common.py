"""What several pages ask: cohorts, the build, the meaning of tables, codes in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dashboard import words
from dashboard.queries.asking import Answer, Con, Rows, ask, literal, rows

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
    """A cohort of the file: `kind` and `name` as cohort_kind and cohort in cohort_week."""

    kind: str = "all"
    name: str = "all"

    @property
    def parameters(self) -> dict[str, Any]:
        return {"cohort": self.name}

    @property
    def members(self) -> str:
        """SQL of the participants, to stand after WITH under the name `member`."""
        return f"member AS (SELECT * FROM participant WHERE {_MEMBERS[self.kind]})"


def build(con: Con) -> dict[str, Any]:
    """The one row of ops.build: which build this file is."""
    return rows(con, "SELECT * FROM ops.build")[0]


def cohorts(con: Con) -> list[Cohort]:
    """The cohorts of the file, everyone first; a viewer bound to sites finds only those sites."""
    listed = rows(
        con,
        "SELECT DISTINCT cohort_kind, cohort FROM "
        "(SELECT cohort_kind, cohort FROM cohort_week "
        "UNION SELECT cohort_kind, cohort FROM cohort_outcome) "
        "ORDER BY cohort_kind <> 'all', cohort_kind, cohort",
    )
    return [Cohort(row["cohort_kind"], row["cohort"]) for row in listed]


def participants(con: Con, cohort: Cohort) -> Answer:
    """The cohort's participants, worst first: in the study, then by wear, then by goal."""
    return ask(
        con,
        f"""
        WITH {cohort.members}, linked AS (
            SELECT participant_id, max(synced_at) AS synced_at,
                   first(state ORDER BY (state <> 'active'), since DESC) AS state,
                   first(next_step ORDER BY (state <> 'active'), since DESC) AS next_step
            FROM ops.connection GROUP BY participant_id
        )
        SELECT participant_id, site, adherence.study_days,
               {in_words("last_day_state", words.STATES)} AS last_day, wear_adherence,
               goal_adherence_observed, goal_adherence_strict, steps_per_day, last_valid_on,
               {in_words("linked.state", words.CONNECTIONS)} AS connection, synced_at, next_step
        FROM member
        LEFT JOIN adherence USING (participant_id)
        LEFT JOIN linked USING (participant_id)
        ORDER BY coalesce(last_day_state = 'outside_study', false), wear_adherence NULLS FIRST,
                 goal_adherence_strict NULLS FIRST, participant_id
        """,
        cohort.parameters,
    )


def scales(con: Con) -> Rows:
    """The scales of the study with label, range, direction and responder threshold."""
    return rows(con, "SELECT * FROM scale ORDER BY scale")


def meanings(con: Con, table: str) -> dict[str, str]:
    """What a table and its columns mean, from the comments in the file; the table's under ''."""
    listed = rows(
        con,
        """
        SELECT '' AS name, comment FROM duckdb_tables()
        WHERE database_name = 'warehouse' AND table_name = $table
        UNION ALL
        SELECT column_name, comment FROM duckdb_columns()
        WHERE database_name = 'warehouse' AND table_name = $table
        """,
        {"table": table},
    )
    return {row["name"]: row["comment"] or "" for row in listed}


def bridges(con: Con, sources: list[str]) -> Rows:
    """How those sources compare with each other on the days that two of them have."""
    return rows(
        con,
        "SELECT * FROM bridge WHERE list_contains($sources, from_source) "
        "AND list_contains($sources, to_source) ORDER BY from_source, to_source, measure",
        {"sources": sources},
    )


def in_words(column: str, known: dict[str, str]) -> str:
    """SQL that turns codes into words; an unknown code stays as it is."""
    cases = " ".join(f"WHEN {literal(k)} THEN {literal(v)}" for k, v in known.items())
    return f"CASE {column} {cases} ELSE {column} END"


def _group() -> str:
    cases = " ".join(
        f"WHEN '{state}' THEN '{group.code}'" for group in words.GROUPS for state in group.states
    )
    return f"CASE WHEN goal_met THEN 'goal_met' ELSE CASE day_state {cases} END END"


GROUP = _group()


COUNTS = """
    count(*) AS person_days,
    count(*) FILTER (eligible_day) AS eligible_days,
    count(*) FILTER (valid_day) AS valid_days,
    count(*) FILTER (provisional) AS provisional_days,
    count(*) FILTER (valid_day AND goal_steps IS NOT NULL) AS goal_days,
    count(*) FILTER (eligible_day AND goal_steps IS NOT NULL) AS eligible_goal_days,
    count(*) FILTER (goal_met) AS goal_days_met
"""
