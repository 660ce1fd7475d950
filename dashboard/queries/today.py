"""What Today asks: can the data be trusted, who needs a person, what helps the outcomes most."""

from __future__ import annotations

from pathlib import Path

from dashboard import words
from dashboard.queries.asking import Answer, Con, ask, rows
from dashboard.queries.common import in_words

_MINE = "JOIN participant USING (participant_id) WHERE ($site IS NULL OR site = $site)"
# Today in each participant's zone, at the study's clock of this build.
_TODAY = "CAST((SELECT as_of FROM ops.build) AT TIME ZONE timezone AS DATE)"
_LABEL = "coalesce($labels[list_position($codes, {0})], {0})"
_IN_FOLLOW_UP = f"""
    SELECT *, {_TODAY} AS today FROM participant
    WHERE ($site IS NULL OR site = $site) AND starts_on <= {_TODAY}
      AND {_TODAY} < starts_on + CAST(7 * $weeks AS INTEGER)
      AND coalesce({_TODAY} < withdrawn_on, true)
"""


def opened_file(con: Con) -> tuple[str, int]:
    """Which file is open, and when it was written: an erased participant's is written anew."""
    sql = "SELECT path FROM duckdb_databases() WHERE database_name = 'warehouse'"
    path = Path(rows(con, sql)[0]["path"])
    return str(path), path.stat().st_mtime_ns


def sources(con: Con) -> Answer:
    """Each source's freshness: when it last answered us, and what it last had."""
    return ask(
        con,
        """
        SELECT source, max(last_pulled_at) AS answered_at, max(synced_at) AS newest_at,
               count(*) FILTER (state = 'active') AS participants, false AS by_day
        FROM ops.connection WHERE state <> 'never_connected' GROUP BY source
        UNION ALL
        SELECT source, max(CAST(asked_on AS TIMESTAMPTZ))
                   FILTER (reason IN ('received', 'nothing_new', 'no_data')) AS answered_at,
               max(CAST(asked_on AS TIMESTAMPTZ)) FILTER (received > 0) AS newest_at,
               max(participants) AS participants, true AS by_day
        FROM ops.receipt_day
        WHERE source NOT IN (SELECT source FROM ops.connection) GROUP BY source
        ORDER BY source
        """,
    )


def held(con: Con, site: str | None) -> Answer:
    """What is held back, and why: how many people, for which reason."""
    return ask(
        con,
        f"""
        SELECT held_because, count(DISTINCT participant_id) AS participants,
               min(since_at) AS since_at
        FROM ops.work_item {_MINE} AND held_back AND held_because <> 'cluster'
        GROUP BY held_because ORDER BY held_because
        """,
        {"site": site},
    )


def clusters(con: Con, site: str | None) -> Answer:
    """Many quiet in the same hours, each shown as one cause; of the viewer's how many."""
    return ask(
        con,
        f"""
        SELECT work_cluster.*, here, until_at > (SELECT as_of FROM ops.build) AS holds
        FROM ops.work_cluster JOIN (
            SELECT cluster_id, count(*) AS here FROM ops.work_item {_MINE} GROUP BY cluster_id
        ) USING (cluster_id)
        ORDER BY cluster_id
        """,
        {"site": site},
    )


def figures(con: Con, site: str | None, weeks: int) -> Answer:
    """The counts at the top, each with what it is a part of."""
    return ask(
        con,
        f"""
        WITH person AS ({_IN_FOLLOW_UP}),
        expected AS (
            SELECT * FROM person
            WHERE NOT coalesce(today BETWEEN paused_from AND coalesce(paused_to, today), false)
        ),
        synced AS (
            SELECT participant_id FROM ops.connection
            GROUP BY participant_id
            HAVING max(synced_at) >= (SELECT as_of FROM ops.build) - to_hours(48)
        ),
        days AS (
            SELECT count(*) FILTER (eligible_day) AS eligible_days,
                   count(*) FILTER (valid_day) AS valid_days
            FROM participant_day JOIN expected USING (participant_id)
            WHERE activity_date >= today - 7 AND activity_date < today
        )
        SELECT (SELECT count(*) FROM participant
                WHERE ($site IS NULL OR site = $site)) AS enrolled,
               (SELECT count(*) FROM person) AS in_follow_up,
               (SELECT count(*) FROM expected) AS expected,
               (SELECT count(DISTINCT participant_id) FROM ops.work_item {_MINE} AND NOT held_back)
                   AS need_action,
               (SELECT count(*) FROM expected WHERE participant_id IN (FROM synced)) AS synced,
               valid_days, eligible_days,
               (SELECT count(DISTINCT participant_id) FROM outcome {_MINE}
                AND status = 'overdue') AS overdue
        FROM days
        """,
        {"site": site, "weeks": weeks},
    )


def items(con: Con, site: str | None) -> Answer:
    """Each open reason that is not held back, the most pressing and oldest first."""
    return ask(
        con,
        f"""
        SELECT participant_id, site, reason, queue, priority, level, work_item.since_on, since_at,
               days, visit.label AS visit, closes_on, scales_open, scale.label AS scale, kind,
               value, of_value, limit_value, happened_once, occurrence, cluster_id
        FROM ops.work_item
        LEFT JOIN visit USING (visit) LEFT JOIN scale USING (scale)
        {_MINE} AND NOT held_back
        ORDER BY priority, days DESC NULLS LAST, participant_id
        """,
        {"site": site},
    )


def people(con: Con, site: str | None) -> Answer:
    """Of everybody listed: study day, last sync, wear of the last 7 days, steps of the last 28."""
    return ask(
        con,
        f"""
        WITH listed AS (
            SELECT participant_id, timezone, {_TODAY} AS today, starts_on
            FROM participant
            WHERE ($site IS NULL OR site = $site) AND participant_id IN (
                SELECT participant_id FROM ops.work_item WHERE NOT held_back
            )
        ),
        synced AS (
            SELECT participant_id, max(synced_at) AS synced_at
            FROM ops.connection GROUP BY participant_id
        ),
        days AS (
            SELECT participant_id,
                   count(*) FILTER (valid_day AND activity_date >= today - 7) AS valid_days,
                   list(CAST(CASE WHEN steps > 65535 THEN 65535 ELSE steps END AS USMALLINT)
                        ORDER BY activity_date) AS steps
            FROM participant_day JOIN listed USING (participant_id)
            WHERE activity_date >= today - 28 AND activity_date < today
            GROUP BY participant_id
        )
        SELECT participant_id, timezone, CAST(today - starts_on + 1 AS INTEGER) AS study_day,
               synced_at,
               CAST(floor((epoch((SELECT as_of FROM ops.build)) - epoch(synced_at)) / 86400)
                    AS INTEGER) AS days_since_sync,
               valid_days, steps
        FROM listed
        LEFT JOIN synced USING (participant_id)
        LEFT JOIN days USING (participant_id)
        ORDER BY participant_id
        """,
        {"site": site},
    )


def known(con: Con, site: str | None) -> set[str]:
    """Everybody of the site whom the viewer may see."""
    sql = "SELECT participant_id FROM participant WHERE ($site IS NULL OR site = $site)"
    return {row["participant_id"] for row in rows(con, sql, {"site": site})}


def load(con: Con, site: str | None) -> Answer:
    """Reasons newly arisen by week, per 100 participants: everybody's, or a site's."""
    return ask(
        con,
        """
        SELECT week_starts_on, strftime(week_starts_on, '%-d %b') AS week,
               any_value(expected) AS expected,
               CAST(sum(raised) AS INTEGER) AS raised,
               100 * sum(raised) / any_value(expected) AS raised_per_100,
               bool_or(suppressed) AS suppressed
        FROM ops.work_load
        WHERE cohort_kind = $kind AND cohort = $cohort
        GROUP BY week_starts_on ORDER BY week_starts_on
        """,
        _cohort(site),
    )


def rescue(con: Con, labels: dict[str, str]) -> Answer:
    """How many records will be complete: everybody's and each site's that the viewer may see."""
    return ask(
        con,
        f"""
        SELECT {_LABEL.format("cohort")} AS clinic, outcome_rescue.* EXCLUDE (cohort_kind, cohort)
        FROM outcome_rescue ORDER BY cohort_kind <> 'all', clinic
        """,
        {"codes": list(labels), "labels": list(labels.values())},
    )


def rates(con: Con, site: str | None) -> Answer:
    """The response rates that the projection rests on."""
    return ask(
        con,
        """
        SELECT visit.label AS visit, response_rate.* EXCLUDE (cohort_kind, cohort, visit)
        FROM response_rate JOIN visit USING (visit)
        WHERE cohort_kind = $kind AND cohort = $cohort ORDER BY visit.position
        """,
        _cohort(site),
    )


def rescue_list(con: Con, site: str | None, labels: dict[str, str]) -> Answer:
    """Whose open questionnaire would raise the share of complete records most, in order."""
    return ask(
        con,
        f"""
        SELECT rescue_item.position, participant_id, {_LABEL.format("site")} AS site,
               visit.label AS visit, {in_words("status", words.STATUSES)} AS status, scales_open,
               closes_on, days_left, complete_if_answered, still_wearing
        FROM rescue_item JOIN visit USING (visit) {_MINE}
        ORDER BY rescue_item.position
        """,
        {"site": site, "codes": list(labels), "labels": list(labels.values())},
    )


def _cohort(site: str | None) -> dict[str, str]:
    return {"kind": "site", "cohort": site} if site else {"kind": "all", "cohort": "all"}
