"""What the data-health page asks: of what the viewer's sites have, naming nobody.

Days of pulls are UTC days.
"""

from __future__ import annotations

from dashboard import words
from dashboard.queries.asking import Answer, Con, ask
from dashboard.queries.common import in_words


def _named(column: str, section: str) -> str:
    return f"{in_words(column, words.table(section))} AS {column}"


SOURCE = _named("source", "sources")


def overview(con: Con) -> Answer:
    """One row: the newest sync, connections, and what became of the pulls of the last 7 days."""
    return ask(
        con,
        """
        WITH named AS (SELECT unnest($reasons) AS reason, unnest($told) AS told),
        recent AS (
            SELECT * FROM ops.receipt_day JOIN named USING (reason)
            WHERE asked_on > (SELECT as_of FROM ops.build)::DATE - 7
        ),
        linked AS (
            SELECT max(synced_at) AS newest_sync_at, count(*) AS connections,
                count(*) FILTER (WHERE state = 'active') AS connected
            FROM ops.connection
        )
        SELECT linked.*, (SELECT as_of FROM ops.build) AS as_of,
            coalesce(sum(receipts), 0)::BIGINT AS receipts,
            coalesce(sum(receipts) FILTER (WHERE told = $ours), 0)::BIGINT AS ours,
            coalesce(sum(receipts) FILTER (WHERE told = $vendors), 0)::BIGINT AS vendors,
            coalesce(sum(received), 0)::BIGINT AS received,
            coalesce(sum(rejected), 0)::BIGINT AS rejected
        FROM linked LEFT JOIN recent ON true GROUP BY ALL
        """,
        {
            "reasons": list(words.RECEIPTS),
            "told": list(words.RECEIPTS.values()),
            "ours": words.OURS,
            "vendors": words.VENDORS,
        },
    )


def reconciled(con: Con) -> Answer:
    """Minutes against the vendor's own total of the day, by source, where both are known."""
    return ask(
        con,
        f"""
        SELECT {SOURCE}, count(*) AS days, count(*) FILTER (WHERE steps = vendor_steps) AS equal,
            count(*) FILTER (WHERE reconcile) AS apart, max(activity_date) FILTER (WHERE reconcile)
                AS last_on
        FROM participant_day WHERE steps IS NOT NULL AND vendor_steps IS NOT NULL
        GROUP BY source ORDER BY source
        """,
    )


def sources(con: Con) -> Answer:
    """Each source: participants, those connected, the newest sync and the newest pull."""
    return ask(
        con,
        f"""
        SELECT {SOURCE}, count(*) AS participants,
            count(*) FILTER (WHERE state = 'active') AS connected,
            count(*) FILTER (WHERE next_step IS NOT NULL) AS need_a_step,
            max(synced_at) AS newest_sync_at, max(last_pulled_at) AS newest_pull_at
        FROM ops.connection GROUP BY source ORDER BY source
        """,
    )


def pulls_by_day(con: Con) -> Answer:
    """Receipts by day and what became of them, in the groups of words.RECEIPTS."""
    return ask(
        con,
        """
        WITH named AS (SELECT unnest($reasons) AS reason, unnest($told) AS told)
        SELECT asked_on::VARCHAR AS asked_on, told, sum(receipts)::BIGINT AS receipts,
            sum(received)::BIGINT AS received, sum(landed)::BIGINT AS landed,
            sum(rejected)::BIGINT AS rejected
        FROM ops.receipt_day JOIN named USING (reason)
        GROUP BY ALL ORDER BY asked_on, told
        """,
        {"reasons": list(words.RECEIPTS), "told": list(words.RECEIPTS.values())},
    )


def failures(con: Con) -> Answer:
    """Pulls that brought nothing though something was due, by source, data type and reason."""
    return ask(
        con,
        f"""
        SELECT {SOURCE}, data_type, {_named("reason", "receipt_reasons")},
            {in_words("reason", words.table("receipt_do"))} AS what_to_do,
            sum(receipts)::BIGINT AS receipts,
            max(participants) AS most_participants_a_day, max(asked_on) AS last_on
        FROM ops.receipt_day
        WHERE reason NOT IN ('received', 'nothing_new', 'no_data')
        GROUP BY ALL ORDER BY last_on DESC, receipts DESC, source, data_type, reason
        """,
    )


def refusals(con: Con) -> Answer:
    """Data points received and refused, by source, data type and reason."""
    return ask(
        con,
        f"""
        SELECT {SOURCE}, data_type, {_named("reason", "rejection_reasons")},
            sum(points)::BIGINT AS points,
            max(participants) AS most_participants_a_day, max(asked_on) AS last_on
        FROM ops.rejection_day
        GROUP BY ALL ORDER BY points DESC, source, data_type, reason
        """,
    )


def implausible(con: Con) -> Answer:
    """Days flagged as implausible, by source and the bound they pass."""
    return ask(
        con,
        f"""
        SELECT {SOURCE}, {_named("reason", "implausible_reasons")},
            sum(participants)::BIGINT AS person_days,
            max(activity_date) AS last_on
        FROM ops.implausible_day GROUP BY ALL ORDER BY person_days DESC, source, reason
        """,
    )


def trend(con: Con) -> Answer:
    """Days with each kind of trouble beside all that have steps, week by week from Monday, of the
    last 12 weeks that have any; a day may have several."""
    return ask(
        con,
        """
        WITH named AS (SELECT unnest($codes) AS code, unnest($names) AS told),
        changed AS (  -- a word of a whole day replaced; the rest of a day under way is no trouble
            SELECT DISTINCT participant_id, activity_date FROM ops.revision WHERE was_complete
        ),
        week AS (
            SELECT date_trunc('week', activity_date)::DATE AS week_starts_on, count(*) AS of_days,
                count(*) FILTER (day_state = 'implausible') AS implausible,
                count(*) FILTER (reconcile) AS apart,
                count(changed.participant_id) AS changed
            FROM participant_day LEFT JOIN changed USING (participant_id, activity_date)
            WHERE steps IS NOT NULL
            GROUP BY ALL ORDER BY week_starts_on DESC LIMIT 12
        )
        SELECT week_starts_on::VARCHAR AS week_starts_on, told, of_days,
            CASE code WHEN 'implausible' THEN implausible WHEN 'apart' THEN apart ELSE changed
                END AS days
        FROM week CROSS JOIN named ORDER BY week_starts_on, told
        """,
        {"codes": list(words.table("health_troubles")),
         "names": list(words.table("health_troubles").values())},
    )  # fmt: skip


def drift(con: Con) -> Answer:
    """Where replies differ from the vendor's contract without harm."""
    return ask(
        con,
        f"""
        SELECT {SOURCE}, data_type, field_path, {_named("kind", "drift_kinds")},
            points, first_seen_at, last_seen_at
        FROM ops.drift ORDER BY last_seen_at DESC, points DESC, source, data_type, field_path, kind
        """,
    )


def late_changes(con: Con) -> Answer:
    """Days that changed after they had landed, by source: how many, how late, by how much."""
    return ask(
        con,
        f"""
        SELECT {SOURCE}, count(*) AS changes, count(DISTINCT participant_id) AS participants,
            quantile_disc(days_late, 0.5) AS median_days_late,
            quantile_disc(days_late, 0.95) AS p95_days_late,
            quantile_disc(abs(steps_after - steps_before), 0.5) AS median_steps_changed,
            max(changed_at) AS last_changed_at
        FROM ops.revision GROUP BY source ORDER BY source
        """,
    )


def bridges(con: Con) -> Answer:
    """How two sources compare on the days that both have."""
    return ask(con, "FROM bridge ORDER BY from_source, to_source, measure")


def checks(con: Con) -> Answer:
    """The checks of this build; one that failed would come first."""
    return ask(
        con, "SELECT check_name, failures FROM ops.check_result ORDER BY failures DESC, check_name"
    )
