"""What the adherence page asks: is it worn, is the goal met, and who is behind?"""

from __future__ import annotations

from dashboard import words
from dashboard.queries.asking import Answer, Con, ask, rows
from dashboard.queries.common import COUNTS, GROUP, Cohort, in_words


def key_figures(con: Con, cohort: Cohort) -> dict[str, int]:
    """Counts to date of the cohort's people and person-days, by what they are counted for."""
    return rows(
        con,
        f"WITH {cohort.members} SELECT (SELECT count(*) FROM member) AS participants, {COUNTS} "
        "FROM participant_day JOIN member USING (participant_id)",
        cohort.parameters,
    )[0]


def days_by_state(con: Con, cohort: Cohort) -> Answer:
    """Person-days of the cohort by day state, most first, with the state's group and words."""
    return ask(
        con,
        f"""
        WITH {cohort.members}
        SELECT {in_words("day_state", words.STATES)} AS state, {GROUP} AS day_group,
               count(*) AS person_days, count(*) / sum(count(*)) OVER () AS share
        FROM participant_day JOIN member USING (participant_id)
        GROUP BY ALL ORDER BY person_days DESC, state, day_group
        """,
        cohort.parameters,
    )


def day_grid(con: Con, cohort: Cohort) -> Answer:
    """Each person-day as (participant_id, study_day, position of its group in words.GROUPS)."""
    codes = [group.code for group in words.GROUPS]
    return ask(
        con,
        f"""
        WITH {cohort.members}
        SELECT participant_id, study_day, list_position($codes, {GROUP}) - 1 AS day_group
        FROM participant_day JOIN member USING (participant_id)
        ORDER BY participant_id, study_day
        """,
        {**cohort.parameters, "codes": codes},
    )


def weeks(con: Con, cohort: Cohort) -> Answer:
    """Adherence of the cohort by study week; figures of small cells are blank."""
    return ask(
        con,
        """
        SELECT study_week, participants, suppressed, wear_adherence, goal_adherence_observed,
               goal_adherence_strict, valid_weeks, steps_per_day, steps_ci_low, steps_ci_high
        FROM cohort_week WHERE cohort_kind = $kind AND cohort = $cohort ORDER BY study_week
        """,
        {"kind": cohort.kind, "cohort": cohort.name},
    )


def sources(con: Con, cohort: Cohort) -> list[str]:
    """The sources behind the cohort's days."""
    found = rows(
        con,
        f"WITH {cohort.members} SELECT DISTINCT source FROM participant_day "
        "JOIN member USING (participant_id) WHERE source IS NOT NULL ORDER BY source",
        cohort.parameters,
    )
    return [row["source"] for row in found]
