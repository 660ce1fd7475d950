"""Reach, adoption and fidelity of the treatment, by clinic and therapist."""

import duckdb
import pyarrow as pa

from transforms.outcomes.given import given
from warehouse.disclosure import insert_shown
from warehouse.study import Study
from warehouse.tables import derived

COUNTS = ("participants", "treated", "judged")


def derive_implementation(con: duckdb.DuckDBPyConnection, study: Study) -> None:
    """Fill `implementation` from cohort_member, treatment and treatment_session.

    A row for everybody, each site, arm and therapist, also those of study.toml with nobody yet:
    adoption counts them. Reach is of the enrolled: who was eligible and not asked is not landed.
    Fidelity is of the number of sessions alone. Small cells are withheld.
    """
    therapists = [{"therapist": one.code, "site": one.site} for one in study.therapists]
    sites = [{"site": one.code} for one in study.sites]
    schema = pa.schema({"therapist": pa.string(), "site": pa.string()})
    with given(
        con,
        study_therapist=pa.Table.from_pylist(therapists, schema=schema),
        study_site=pa.Table.from_pylist(sites),
    ):
        insert_shown(con, derived.implementation, CELLS, COUNTS, study.study.small_cell)


# Sums are of whole numbers: their order is no matter.
CELLS = """
WITH delivered AS (
    SELECT DISTINCT therapist_id AS therapist FROM treatment_session WHERE attended
),
team AS (  -- which therapists count towards which cohort's adoption
    SELECT 'all' AS cohort_kind, 'all' AS cohort, therapist FROM study_therapist
    UNION ALL SELECT 'site', site, therapist FROM study_therapist
    UNION ALL SELECT 'therapist', therapist, therapist FROM study_therapist
),
adopted AS (
    SELECT cohort_kind, cohort, count(*) AS therapists, count(d.therapist) AS delivering
    FROM team
    LEFT JOIN delivered AS d USING (therapist)
    GROUP BY cohort_kind, cohort
),
treated AS (
    SELECT cohort_kind, cohort,
        count(*) AS participants,
        count(*) FILTER (WHERE attended > 0) AS treated,
        count(by_protocol) AS judged,
        count(*) FILTER (WHERE by_protocol) AS by_protocol,
        sum(attended) AS attended,
        sum(sessions_stated) AS sessions_stated
    FROM cohort_member
    JOIN treatment USING (participant_id)
    WHERE cohort_kind IN ('all', 'site', 'arm', 'therapist')
    GROUP BY cohort_kind, cohort
),
cohorts AS (
    SELECT cohort_kind, cohort FROM treated
    UNION SELECT cohort_kind, cohort FROM adopted
    UNION SELECT 'site', site FROM study_site
)
SELECT cohort_kind, cohort,
    coalesce(participants, 0) AS participants,
    coalesce(treated, 0) AS treated,
    treated / nullif(participants, 0) AS reach,
    therapists, delivering,
    delivering / nullif(therapists, 0) AS adoption,
    coalesce(judged, 0) AS judged,
    coalesce(by_protocol, 0) AS by_protocol,
    by_protocol / nullif(judged, 0) AS fidelity,
    attended / nullif(treated, 0) AS sessions_per_participant,
    attended / nullif(sessions_stated, 0) AS attended_share
FROM cohorts
LEFT JOIN treated USING (cohort_kind, cohort)
LEFT JOIN adopted USING (cohort_kind, cohort)
"""
