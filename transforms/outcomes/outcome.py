"""Each outcome the protocol expects: whether it came, the change from baseline, the response."""

from datetime import datetime

import duckdb
import pyarrow as pa

from transforms.instruments import read_scales
from transforms.outcomes.evaluable import not_evaluable, points_needed
from transforms.outcomes.given import given
from transforms.outcomes.reference import assert_known_scales
from warehouse.study import Study, Visit


def derive_outcome(con: duckdb.DuckDBPyConnection, study: Study, as_of: datetime) -> None:
    """Fill `outcome` from `score`: a row per participant, scale and visit it is due at.

    `as_of` is an aware instant; "today" is its local date in the participant's zone.

    Which answers count: those given on or before today and on or before the day of withdrawal.
    For a visit with a window, the day decides and not the visit the form was filed under: the
    answers in the window closest to the target, the earlier of two as close. The baseline visit
    has the baseline (`compute_baseline`). Discharge has the last answers filed under it, which
    count for no other visit. Undated answers count only at the visit they were filed under, after
    any dated ones.

    `status`, first that fits: `received`; `outside_study` when withdrawn by the day the window
    opens; `not_due` before that day; `missed` after the window, or once withdrawn; `due` until
    `overdue_days` after the target; `overdue`. Discharge is due from the first day with any answer
    filed under it, and missed `overdue_days` later; until then it is `not_due`.

    At the baseline visit there is no change. Change is rounded to 9 decimals, so that 68.1 - 63.1
    reaches an MCID of 5.
    """
    assert_known_scales(study)
    baseline = compute_baseline(con, study)
    with given(con, expected_outcome=_expected(study), baseline=baseline):
        con.execute(OUTCOMES, {"as_of": as_of})


def compute_baseline(con: duckdb.DuckDBPyConnection, study: Study) -> pa.Table:
    """Baseline scores: participant_id, scale, baseline_score, answered_on.

    The last non-missing score on or before study day 1, whatever visit it was filed under; an
    undated score filed under the baseline visit only where there is no dated one. A participant
    without one has no row: a missing baseline is missing (ADaM's ABLFL rule).
    """
    codes = [visit.code for visit in study.visits if is_baseline(visit)]
    return con.sql(BASELINES, params={"baseline_visits": codes}).to_arrow_table()


BASELINES = """
SELECT participant_id, scale, score AS baseline_score, answered_on
FROM score
JOIN participant USING (participant_id)
WHERE score IS NOT NULL
    AND (answered_on <= starts_on
        OR (answered_on IS NULL AND list_contains($baseline_visits, visit)))
QUALIFY row_number() OVER (
    PARTITION BY participant_id, scale
    ORDER BY answered_on DESC NULLS LAST, repeat DESC, visit
) = 1
"""

OUTCOMES = """
INSERT INTO outcome BY NAME
WITH participant_today AS (
    SELECT participant_id, starts_on, withdrawn_on,
        CAST(timezone(timezone, CAST($as_of AS TIMESTAMPTZ)) AS DATE) AS today
    FROM participant
),
usable AS (
    SELECT score.*
    FROM score
    JOIN participant_today USING (participant_id)
    WHERE answered_on IS NULL
        OR (answered_on <= today AND answered_on <= coalesce(withdrawn_on, answered_on))
),
discharged AS (
    SELECT participant_id, min(answered_on) AS discharged_on
    FROM usable
    WHERE visit IN (SELECT visit FROM expected_outcome WHERE at_discharge) AND items_answered > 0
    GROUP BY participant_id
),
expected AS (
    SELECT participant_today.*, e.*, discharged_on,
        starts_on + target_offset AS target_on,
        starts_on + opens_offset AS opens_on,
        starts_on + closes_offset AS closes_on
    FROM participant_today
    CROSS JOIN expected_outcome AS e
    LEFT JOIN discharged USING (participant_id)
),
in_window AS (
    SELECT e.participant_id, e.visit, e.scale, s.answered_on, s.score
    FROM expected AS e
    JOIN usable AS s USING (participant_id, scale)
    WHERE NOT e.is_baseline AND s.score IS NOT NULL
        AND CASE
            WHEN e.at_discharge OR s.answered_on IS NULL THEN s.visit = e.visit
            ELSE s.answered_on BETWEEN e.opens_on AND e.closes_on
                AND s.visit NOT IN (SELECT visit FROM expected_outcome WHERE at_discharge)
        END
    QUALIFY row_number() OVER (
        PARTITION BY e.participant_id, e.visit, e.scale
        ORDER BY
            CASE WHEN e.at_discharge THEN e.starts_on - s.answered_on
                ELSE abs(s.answered_on - e.target_on) END NULLS LAST,
            s.answered_on, s.visit <> e.visit, s.visit, s.repeat
    ) = 1
),
came AS (
    SELECT e.*, b.baseline_score,
        CASE WHEN is_baseline THEN b.answered_on ELSE w.answered_on END AS answered_on,
        CASE WHEN is_baseline THEN b.baseline_score ELSE w.score END AS score
    FROM expected AS e
    LEFT JOIN baseline AS b USING (participant_id, scale)
    LEFT JOIN in_window AS w
        ON w.participant_id = e.participant_id AND w.visit = e.visit AND w.scale = e.scale
),
changed AS (
    SELECT *,
        CASE WHEN NOT is_baseline THEN round(score - baseline_score, 9) END AS score_change,
        {needed} AS needed,
        coalesce(opens_on, discharged_on) AS due_on,
        coalesce(target_on, discharged_on) + overdue_days AS overdue_after,
        coalesce(closes_on, discharged_on + overdue_days) AS missed_after
    FROM came
),
judged AS (
    SELECT *,
        direction * score_change AS improvement,
        CASE
            WHEN score IS NOT NULL THEN 'received'
            WHEN withdrawn_on <= coalesce(due_on, today) THEN 'outside_study'
            WHEN due_on IS NULL OR today < due_on THEN 'not_due'
            WHEN today > missed_after OR withdrawn_on <= today THEN 'missed'
            WHEN today <= overdue_after THEN 'due'
            ELSE 'overdue'
        END AS status,
        CASE
            WHEN mcid IS NULL THEN 'no threshold in the protocol'
            WHEN is_baseline THEN 'baseline visit'
            ELSE {not_evaluable}
        END AS not_evaluable
    FROM changed
)
SELECT participant_id, visit, scale, target_on, opens_on, closes_on, status, answered_on, score,
    baseline_score, score_change,
    CASE WHEN baseline_score <> 0 THEN 100 * score_change / baseline_score END AS change_pct,
    improvement, mcid,
    CASE WHEN not_evaluable IS NULL THEN improvement >= needed END AS is_responder,
    not_evaluable
FROM judged
""".replace("{needed}", points_needed("mcid_kind", "mcid")).replace(
    "{not_evaluable}", not_evaluable("mcid_kind", "needed", "direction")
)


def is_baseline(visit: Visit) -> bool:
    """Whether a visit is the one that change is counted from: that of week 0."""
    return visit.week == 0


def _expected(study: Study) -> pa.Table:
    """The protocol as rows: one per outcome and visit, its days counted from `starts_on`."""
    visits = {visit.code: visit for visit in study.visits}
    rows = []
    for outcome in study.outcomes:
        scale = read_scales()[outcome.scale][1]
        for visit in (visits[code] for code in outcome.visits):
            rows.append(
                {
                    "scale": scale.code,
                    "direction": scale.direction,
                    "low": float(scale.low),
                    "high": float(scale.high),
                    "percent_from_baseline": float(scale.percent_from_baseline),
                    "mcid": outcome.mcid,
                    "mcid_kind": outcome.mcid_kind,
                    "visit": visit.code,
                    "is_baseline": is_baseline(visit),
                    "at_discharge": visit.at_discharge,
                    "target_offset": None if visit.week is None else 7 * visit.week,
                    "opens_offset": _offset(visit.opens_day),
                    "closes_offset": _offset(visit.closes_day),
                    "overdue_days": visit.overdue_days,
                }
            )
    return pa.Table.from_pylist(rows, schema=EXPECTED)


EXPECTED = pa.schema(
    {
        "scale": pa.string(),
        "direction": pa.int32(),
        "low": pa.float64(),
        "high": pa.float64(),
        "percent_from_baseline": pa.float64(),
        "mcid": pa.float64(),
        "mcid_kind": pa.string(),
        "visit": pa.string(),
        "is_baseline": pa.bool_(),
        "at_discharge": pa.bool_(),
        "target_offset": pa.int32(),
        "opens_offset": pa.int32(),
        "closes_offset": pa.int32(),
        "overdue_days": pa.int32(),
    }
)


def _offset(study_day: int | None) -> int | None:
    """Days from study day 1; there is no day 0, so day -1 is one day before it."""
    if study_day is None:
        return None
    return study_day - 1 if study_day > 0 else study_day
