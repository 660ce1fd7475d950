"""Who belongs to which cohort."""

import duckdb
import pyarrow as pa


def cohort_members(con: duckdb.DuckDBPyConnection) -> pa.Table:
    """`cohort_kind`, `cohort`, `participant_id`: everybody, then by site, subgroup, arm, therapist.

    A participant whose arm, therapist or subgroup is blank belongs to no cohort of that kind.
    """
    return con.sql(
        """
        WITH member AS (
            SELECT 'all' AS cohort_kind, 'all' AS cohort, participant_id FROM participant
            UNION ALL SELECT 'site', site, participant_id FROM participant
            UNION ALL SELECT 'depression_or_anxiety',
                CASE WHEN depression_or_anxiety THEN 'yes' WHEN NOT depression_or_anxiety THEN 'no'
                END, participant_id FROM participant
            UNION ALL SELECT 'arm', arm, participant_id FROM participant
            UNION ALL SELECT 'therapist', therapist_id, participant_id FROM participant
        )
        SELECT cohort_kind, cohort, participant_id FROM member WHERE cohort IS NOT NULL
        """
    ).to_arrow_table()
