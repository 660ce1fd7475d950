"""What the flow page asks: who came, how far they got, whose answers are missing, and how taken."""

from __future__ import annotations

from collections.abc import Sequence

from dashboard import words
from dashboard.queries.adherence import labelled, labels
from dashboard.queries.asking import Answer, Con, ask, rows
from dashboard.queries.common import in_words
from warehouse.study import Site


def place(site: str | None, sites: Sequence[str]) -> tuple[str, str]:
    """The cohort (kind, name) of a site filter; of a viewer of some `sites` the first of them.

    What is of everybody no such viewer sees.
    """
    if site is None and not sites:
        return "all", "all"
    return "site", site or sites[0]


def recruitment(con: Con, kind: str, cohort: str) -> Answer:
    """Enrollment by calendar week beside the plan, to four weeks after the last of either."""
    return ask(
        con,
        """
        WITH week AS (
            SELECT week_starts_on, enrolled, cumulative, planned, enrolled > 0 OR planned IS NULL
                OR planned > lag(planned, 1, 0) OVER (ORDER BY week_starts_on) AS runs
            FROM recruitment WHERE cohort_kind = $kind AND cohort = $cohort
        )
        SELECT CAST(week_starts_on AS VARCHAR) AS week_starts_on, enrolled, cumulative, planned
        FROM week WHERE week_starts_on <= (SELECT max(week_starts_on) FROM week WHERE runs) + 28
        ORDER BY week_starts_on
        """,
        {"kind": kind, "cohort": cohort},
    )


def stages(con: Con, kind: str, cohort: str) -> Answer:
    """How many participants reached each stage, in order; visits by their names."""
    return ask(
        con,
        """
        SELECT flow.position, stage, coalesce(label, '') AS visit, participants
        FROM flow LEFT JOIN visit USING (visit)
        WHERE cohort_kind = $kind AND cohort = $cohort ORDER BY flow.position
        """,
        {"kind": kind, "cohort": cohort},
    )


def visits(con: Con, kind: str, titles: dict[str, str]) -> Answer:
    """What became of the answers at each visit that has come due, of each of the cohorts named."""
    counts = ("due", "complete", "part", "missed", "awaited")
    counted = ", ".join(
        f"any_value(participants) FILTER (stage = 'visit_{name}') AS visit_{name}"
        for name in counts
    )
    return ask(
        con,
        f"""
        SELECT {in_words("cohort", titles)} AS cohort, label AS visit, {counted},
               visit_complete / nullif(visit_due - visit_awaited, 0) AS complete_share
        FROM flow JOIN visit USING (visit)
        WHERE cohort_kind = $kind AND list_contains($cohorts, cohort)
        GROUP BY cohort, visit.position, label HAVING visit_due > 0
        ORDER BY list_position($cohorts, flow.cohort), visit.position
        """,
        {"kind": kind, "cohorts": list(titles)},
    )


def arms(con: Con) -> list[str]:
    """The arms whose flow the file tells; none in a masked file."""
    found = rows(con, "SELECT DISTINCT cohort FROM flow WHERE cohort_kind = 'arm' ORDER BY cohort")
    return [row["cohort"] for row in found]


def completeness(con: Con, sites: Sequence[Site]) -> Answer:
    """Questionnaire completeness of each site and everybody, by visit, over all scales."""
    return ask(
        con,
        f"""
        SELECT CASE WHEN cohort_kind = 'all' THEN $everyone ELSE {labelled("cohort")} END AS site,
               label AS visit, visit.position, suppressed, participants, due, closed, received,
               received_closed, received_of_due, received_of_closed, participants_closed,
               participants_complete,
               complete_share, complete_ci_low, complete_ci_high
        FROM cohort_completeness JOIN visit USING (visit)
        WHERE cohort_kind IN ('all', 'site') AND scale IS NULL
        ORDER BY cohort_kind <> 'all', site, visit.position
        """,
        {**labels(sites), "everyone": words.say("common.every_site")},
    )


def by_scale(con: Con, kind: str, cohort: str) -> Answer:
    """Questionnaire completeness scale by scale and visit by visit."""
    return ask(
        con,
        """
        SELECT coalesce(scale.label, cc.scale) AS scale, visit.label AS visit, visit.position,
               suppressed, participants, due, closed, received, received_closed,
               received_of_due, received_of_closed
        FROM cohort_completeness AS cc
        JOIN visit USING (visit)
        LEFT JOIN scale ON scale.scale = cc.scale
        WHERE cohort_kind = $kind AND cohort = $cohort AND cc.scale IS NOT NULL
        ORDER BY 1, visit.position
        """,
        {"kind": kind, "cohort": cohort},
    )


def visits_missing(con: Con, kind: str, cohort: str) -> list[str]:
    """The visits, in order, of which complete and incomplete participants can be compared."""
    found = rows(
        con,
        "SELECT label FROM visit WHERE visit IN (SELECT visit FROM who_is_missing "
        "WHERE cohort_kind = $kind AND cohort = $cohort AND NOT suppressed "
        "AND answers = 'incomplete') ORDER BY position",
        {"kind": kind, "cohort": cohort},
    )
    return [row["label"] for row in found]


def who_is_missing(con: Con, kind: str, cohort: str, visit: str) -> Answer:
    """What those with and without every score of a visit are like, side by side."""
    traits = words.table("traits")
    return ask(
        con,
        f"""
        WITH told AS (
            SELECT trait, w.scale, answers, suppressed, participants, mean, ci_low, ci_high,
                   standardised_difference
            FROM who_is_missing AS w JOIN visit ON visit.visit = w.visit
            WHERE cohort_kind = $kind AND cohort = $cohort AND visit.label = $visit
        )
        SELECT {in_words("trait", traits)} || coalesce(': ' || label, '') AS trait,
               first(participants) FILTER (answers = 'complete') AS complete_n,
               first(mean) FILTER (answers = 'complete') AS complete_mean,
               first(told.ci_low) FILTER (answers = 'complete') AS complete_ci_low,
               first(told.ci_high) FILTER (answers = 'complete') AS complete_ci_high,
               first(participants) FILTER (answers = 'incomplete') AS incomplete_n,
               first(mean) FILTER (answers = 'incomplete') AS incomplete_mean,
               first(told.ci_low) FILTER (answers = 'incomplete') AS incomplete_ci_low,
               first(told.ci_high) FILTER (answers = 'incomplete') AS incomplete_ci_high,
               any_value(standardised_difference) AS standardised_difference,
               bool_or(suppressed) AS suppressed
        FROM told LEFT JOIN scale ON scale.scale = told.scale
        GROUP BY told.trait, told.scale, label
        ORDER BY list_position($traits, told.trait), label
        """,
        {"kind": kind, "cohort": cohort, "visit": visit, "traits": list(traits)},
    )


def implementation(con: Con, sites: Sequence[Site]) -> Answer | None:
    """Reach, adoption and fidelity per clinic and therapist; None in a file without the arms."""
    known = rows(con, "SELECT 1 FROM duckdb_tables() WHERE table_name = 'implementation' LIMIT 1")
    if not known:
        return None
    return ask(
        con,
        f"""
        SELECT {in_words("cohort_kind", words.KINDS)} AS kind,
               CASE WHEN cohort_kind <> 'all' THEN {labelled("cohort")} END AS name,
               suppressed, participants, treated, reach, therapists, delivering, adoption, judged,
               by_protocol, fidelity, sessions_per_participant, attended_share
        FROM implementation WHERE cohort_kind IN ('all', 'site', 'therapist')
        ORDER BY cohort_kind <> 'all', cohort_kind, name
        """,
        labels(sites),
    )
