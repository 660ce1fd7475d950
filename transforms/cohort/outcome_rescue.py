"""How many records will be complete at the end of the study, and whose answers would help most."""

from datetime import datetime

import duckdb
import pyarrow as pa

from transforms.cohort.interval import wilson
from transforms.outcomes.given import given
from transforms.rules import run, settings_in
from warehouse.disclosure import insert_shown
from warehouse.schema import Table
from warehouse.study import Study
from warehouse.study_work_list import required_of
from warehouse.tables import derived


def derive_outcome_rescue(con: duckdb.DuckDBPyConnection, study: Study, as_of: datetime) -> None:
    """Fill `outcome_rescue`, `response_rate` and `rescue_item` from outcome and cohort_member.

    A visit is settled where its window has closed, whether or not the participant has withdrawn:
    early answers alone, or early withdrawals alone, would bend the rate. It came when every scale
    of the complete record that is due at it did. Visits at discharge have no place here.
    """
    with given(con, record_part=_parts(study)):
        run(con, PEOPLE, study, as_of=as_of)
        run(con, RATES, study)
        run(con, CHANCES, study)
        _insert(con, study, derived.response_rate, SHOWN_RATES, "settled")
        _insert(con, study, derived.outcome_rescue, RESCUE, "participants")
        run(con, RESCUE_ITEMS, study)
    con.execute("DROP TABLE record_chance; DROP TABLE record_rate; DROP TABLE record_visit")


def _insert(
    con: duckdb.DuckDBPyConnection, study: Study, table: Table, sql: str, counted: str
) -> None:
    facts = settings_in(sql, study)
    insert_shown(con, table, sql, (counted,), study.study.small_cell, facts)


def _parts(study: Study) -> pa.Table:
    """A row per visit with a window and scale of a complete record; `required` by the protocol."""
    visits, scales = required_of(study)
    dated = sorted((v for v in study.visits if v.week is not None), key=lambda v: v.week or 0)
    rows = [
        {
            "visit": visit.code,
            "position": position,
            "scale": outcome.scale,
            "required": visit.code in visits,
        }
        for position, visit in enumerate(dated)
        for outcome in study.outcomes
        if outcome.scale in scales and visit.code in outcome.visits
    ]
    return pa.Table.from_pylist(rows)


PEOPLE = """
CREATE TEMP TABLE record_visit AS
SELECT participant_id, visit, any_value(position) AS position, any_value(required) AS required,
    bool_and(status = 'received') AS came,
    bool_or(status IN ('missed', 'outside_study')) AS is_lost,
    bool_and(closes_on < today) AS settled,
    max(closes_on) AS closes_on, any_value(today) AS today,
    count(*) FILTER (status IN ('due', 'overdue')) AS scales_open,
    CASE WHEN bool_or(status = 'overdue') THEN 'overdue' ELSE 'due' END AS status
FROM outcome
JOIN record_part USING (visit, scale)
JOIN (
    SELECT participant_id,
        CAST(CAST($as_of AS TIMESTAMPTZ) AT TIME ZONE timezone AS DATE) AS today
    FROM participant
) USING (participant_id)
GROUP BY participant_id, visit
"""

RATES = f"""
CREATE TEMP TABLE record_rate AS
WITH counted AS (
    SELECT cohort_kind, cohort, visit, any_value(position) AS position,
        count(*) FILTER (settled) AS settled,
        count(*) FILTER (settled AND came) AS received
    FROM record_visit
    JOIN cohort_member USING (participant_id)
    WHERE cohort_kind IN ('all', 'site')
    GROUP BY cohort_kind, cohort, visit
),
rated AS (
    SELECT *, received / nullif(settled, 0) AS rate,
        {wilson("received", "settled")[0]} AS rate_ci_low,
        {wilson("received", "settled")[1]} AS rate_ci_high
    FROM counted
),
everybody AS (  -- theirs, or at the nearest visit before that has a rate
    SELECT a.visit, coalesce(max(b.position) = any_value(a.position), false) AS of_this_visit,
        arg_max(b.rate, b.position) AS rate,
        arg_max(b.rate_ci_low, b.position) AS low,
        arg_max(b.rate_ci_high, b.position) AS high
    FROM rated AS a
    LEFT JOIN rated AS b
        ON b.cohort_kind = 'all' AND b.position <= a.position AND b.settled > 0
    WHERE a.cohort_kind = 'all'
    GROUP BY a.visit
)
SELECT r.*,
    CASE
        WHEN r.settled >= CASE WHEN r.cohort_kind = 'all' THEN 1 ELSE $work_list_own_rate_from END
            THEN 'own'
        WHEN e.of_this_visit THEN 'all'
        WHEN e.rate IS NOT NULL THEN 'visit_before'
    END AS rate_of,
    CASE WHEN rate_of = 'own' THEN r.rate ELSE e.rate END AS used_rate,
    CASE WHEN rate_of = 'own' THEN r.rate_ci_low ELSE e.low END AS used_low,
    CASE WHEN rate_of = 'own' THEN r.rate_ci_high ELSE e.high END AS used_high
FROM rated AS r
LEFT JOIN everybody AS e USING (visit)
"""

# A product passes over a blank: without a rate there is no chance to state.
CHANCES = """
CREATE TEMP TABLE record_chance AS
SELECT cohort_kind, cohort, participant_id,
    bool_and(v.came) AS complete,
    NOT complete AND bool_or(v.is_lost) AS lost,
    NOT complete AND NOT lost AS obtainable,
    CASE WHEN NOT bool_or(NOT v.came AND used_rate IS NULL) THEN
        coalesce(product(used_rate ORDER BY r.position) FILTER (NOT v.came), 1) END AS chance,
    coalesce(product(used_low ORDER BY r.position) FILTER (NOT v.came), 1) AS low,
    coalesce(product(used_high ORDER BY r.position) FILTER (NOT v.came), 1) AS high
FROM record_visit AS v
JOIN cohort_member USING (participant_id)
JOIN record_rate AS r USING (cohort_kind, cohort, visit)
WHERE v.required
GROUP BY cohort_kind, cohort, participant_id
"""

SHOWN_RATES = "SELECT * EXCLUDE (position) FROM record_rate"

RESCUE = """
SELECT cohort_kind, cohort,
    count(*) AS participants,
    count(*) FILTER (complete) AS complete,
    count(*) FILTER (obtainable) AS obtainable,
    count(*) FILTER (lost) AS lost,
    count(*) FILTER (complete) / count(*) AS complete_share,
    CASE WHEN NOT bool_or(obtainable AND chance IS NULL) THEN least(1, (
        count(*) FILTER (complete)
        + coalesce(sum(chance ORDER BY participant_id) FILTER (obtainable), 0)
    ) / count(*)) END AS projected_share,
    CASE WHEN projected_share IS NOT NULL THEN least(1, (
        count(*) FILTER (complete)
        + coalesce(sum(low ORDER BY participant_id) FILTER (obtainable), 0)
    ) / count(*)) END AS projected_low,
    CASE WHEN projected_share IS NOT NULL THEN least(1, (
        count(*) FILTER (complete)
        + coalesce(sum(high ORDER BY participant_id) FILTER (obtainable), 0)
    ) / count(*)) END AS projected_high,
    count(*) FILTER (complete OR obtainable) / count(*) AS best_share
FROM record_chance
GROUP BY cohort_kind, cohort
"""

RESCUE_ITEMS = """
INSERT INTO rescue_item BY NAME
WITH still AS (
    SELECT participant_id FROM record_chance WHERE cohort_kind = 'all' AND obtainable
),
pending AS (
    SELECT v.participant_id, v.visit, v.position, v.status, v.scales_open, v.closes_on, v.today,
        r.used_rate
    FROM record_visit AS v
    JOIN still USING (participant_id)
    JOIN cohort_member AS m USING (participant_id)
    JOIN record_rate AS r
        ON r.cohort_kind = m.cohort_kind AND r.cohort = m.cohort AND r.visit = v.visit
    WHERE m.cohort_kind = 'site' AND v.required AND NOT v.came
),
opened AS (
    SELECT p.participant_id, p.visit, any_value(p.status) AS status,
        any_value(p.scales_open) AS scales_open, any_value(p.closes_on) AS closes_on,
        any_value(p.closes_on - p.today) AS days_left, any_value(p.today) AS today,
        CASE WHEN NOT coalesce(bool_or(o.visit IS NOT NULL AND o.used_rate IS NULL), false)
            THEN coalesce(product(o.used_rate ORDER BY o.position), 1) END AS complete_if_answered
    FROM pending AS p
    LEFT JOIN pending AS o ON o.participant_id = p.participant_id AND o.visit <> p.visit
    WHERE p.scales_open > 0
    GROUP BY p.participant_id, p.visit
),
best AS (
    FROM opened
    QUALIFY row_number() OVER (
        PARTITION BY participant_id
        ORDER BY complete_if_answered DESC NULLS LAST, closes_on, visit
    ) = 1
)
SELECT * EXCLUDE (today),
    CAST(row_number() OVER (
        ORDER BY complete_if_answered DESC NULLS LAST, closes_on, participant_id
    ) AS INTEGER) AS position,
    EXISTS (
        SELECT 1 FROM participant_day AS d
        WHERE d.participant_id = best.participant_id AND d.valid_day AND d.activity_date < today
            AND d.activity_date >= today - CAST($work_list_still_wearing_days AS INTEGER)
    ) AS still_wearing
FROM best
"""
