"""Who belongs to which cohort."""

from typing import Any

import duckdb

from transforms.outcomes.given import given
from transforms.outcomes.outcome import compute_baseline
from warehouse.study import Study
from warehouse.study_parts import Condition, NamedCohort


def derive_cohort_member(con: duckdb.DuckDBPyConnection, study: Study) -> None:
    """Fill `cohort_member`: everybody, by site, subgroup, device, era, arm, therapist, by name.

    A participant whose arm, therapist, subgroup or device is blank belongs to no cohort of that
    kind, and one with a blank where a named cohort has a condition does not meet it. Device and
    era are those of most of a participant's valid days; of two as frequent the first by name.
    Reads participant, participant_day and, for baselines, score.
    """
    con.execute(FACTS)
    con.execute(MEMBERS)
    with given(con, baseline=compute_baseline(con, study)):
        for cohort in study.cohorts:
            _insert_named(con, cohort)
    con.execute("DROP TABLE member_fact")


def count_members(con: duckdb.DuckDBPyConnection) -> int:
    """How many rows `cohort_member` has: no cohort has more participants, and so no mean."""
    return int(con.execute("SELECT count(*) FROM cohort_member").fetchall()[0][0])


FACTS = """
CREATE TEMP TABLE member_fact AS
WITH measured AS (
    SELECT participant_id, device_model, era, count(*) AS days
    FROM participant_day
    WHERE valid_day
    GROUP BY ALL
),
device AS (
    SELECT participant_id, arg_min(device_model, (-days, device_model)) AS device_model
    FROM (
        SELECT participant_id, device_model, sum(days) AS days
        FROM measured WHERE device_model IS NOT NULL GROUP BY ALL
    )
    GROUP BY participant_id
),
era AS (
    SELECT participant_id, arg_min(era, (-days, era)) AS era
    FROM (
        SELECT participant_id, era, sum(days) AS days
        FROM measured WHERE era IS NOT NULL GROUP BY ALL
    )
    GROUP BY participant_id
)
SELECT participant.*, device_model, era
FROM participant
LEFT JOIN device USING (participant_id)
LEFT JOIN era USING (participant_id)
"""

MEMBERS = """
INSERT INTO cohort_member BY NAME
WITH member AS (
    SELECT 'all' AS cohort_kind, 'all' AS cohort, participant_id FROM member_fact
    UNION ALL SELECT 'site', site, participant_id FROM member_fact
    UNION ALL SELECT 'depression_or_anxiety',
        CASE WHEN depression_or_anxiety THEN 'yes' WHEN NOT depression_or_anxiety THEN 'no' END,
        participant_id FROM member_fact
    UNION ALL SELECT 'device', device_model, participant_id FROM member_fact
    UNION ALL SELECT 'era', era, participant_id FROM member_fact
    UNION ALL SELECT 'arm', arm, participant_id FROM member_fact
    UNION ALL SELECT 'therapist', therapist_id, participant_id FROM member_fact
)
SELECT cohort_kind, cohort, participant_id FROM member WHERE cohort IS NOT NULL
ORDER BY ALL
"""


def _insert_named(con: duckdb.DuckDBPyConnection, cohort: NamedCohort) -> None:
    conditions, values = zip(*(_condition(one) for one in cohort.where), strict=True)
    joined = (" AND " if cohort.match == "all" else " OR ").join(conditions)
    kind = "named_by_arm" if cohort.reveals_arm else "named"
    con.execute(
        f"INSERT INTO cohort_member SELECT ?, ?, participant_id FROM member_fact WHERE {joined} "
        "ORDER BY participant_id",
        [kind, cohort.code, *(value for part in values for value in part)],
    )


def _condition(condition: Condition) -> tuple[str, list[Any]]:
    """SQL of one condition and its values. The column is one that `Condition` knows."""
    if condition.column is None:
        bounds, values = _bounds(condition, "baseline_score")
        within = f"SELECT participant_id FROM baseline WHERE scale = ? AND {bounds}"
        return f"participant_id IN ({within})", [condition.scale, *values]
    name = f'"{condition.column}"'
    if condition.one_of:
        return f"list_contains(?, {name})", [condition.one_of]
    return _bounds(condition, name)


def _bounds(condition: Condition, name: str) -> tuple[str, list[Any]]:
    bounds = [(">=", condition.at_least), ("<=", condition.at_most)]
    given_bounds = [(sign, bound) for sign, bound in bounds if bound is not None]
    return (
        " AND ".join(f"{name} {sign} ?" for sign, _ in given_bounds),
        [bound for _, bound in given_bounds],
    )
