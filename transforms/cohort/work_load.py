"""The load of the work list, worked out again from the data, week by week."""

from datetime import datetime

import duckdb
import pyarrow as pa

from transforms.cohort.work_reasons import limits_of
from transforms.outcomes.given import given
from transforms.rules import settings_in
from warehouse.disclosure import insert_shown
from warehouse.study import Study
from warehouse.tables import derived


def derive_work_load(con: duckdb.DuckDBPyConnection, study: Study, as_of: datetime) -> None:
    """Fill `work_load` for the last `load_weeks` calendar weeks, the running one included.

    Each reason by the rule of `work_item`, as far as the data keep its past: a run of days of one
    state is one alert, and so are last days that no longer suffice after some that did. A silence
    is dated `not_synced_days` after it began, a questionnaire the day it became due, or overdue.
    Reads cohort_member, participant, participant_day, outcome, safety_event and ops.receipt.
    """
    sql = LOAD
    facts = {"as_of": as_of, "raised_reasons": list(TOLD), "reply_days": REPLY_DAYS}
    late = [
        {
            "visit": visit.code,
            "overdue_days": visit.overdue_days,
            "is_baseline": visit.week == 0,
        }
        for visit in study.visits
        if not visit.at_discharge and visit.week is not None
    ]
    with given(con, score_limit=limits_of(study), dated_visit=pa.Table.from_pylist(late)):
        insert_shown(
            con,
            derived.work_load,
            sql,
            ("expected",),
            study.study.small_cell,
            settings_in(sql, study, **facts),
        )


# The reasons whose past can be told.
TOLD = (
    "safety_event",
    "score_worse",
    "consent_lost",
    "wearing_but_overdue",
    "not_synced",
    "never_connected",
    "not_worn",
    "questionnaire_overdue",
    "goal_missed",
    "questionnaire_due",
)
REPLY_DAYS = 30  # how far back the build has the replies

_STATES = """
turn AS (
    SELECT participant_id, activity_date, day_state,
        day_state = 'minutes_lost' AND vendor_steps IS NULL AS silent,
        lag(day_state) OVER days IS DISTINCT FROM day_state AS turned
    FROM participant_day
    WINDOW days AS (PARTITION BY participant_id ORDER BY activity_date)
),
reply AS (  -- from one reply with new days on, each that we asked for
    SELECT participant_id, asked_at, reason,
        count(*) FILTER (reason = 'received') OVER (
            PARTITION BY participant_id ORDER BY asked_at, reason = 'received' DESC
            ROWS UNBOUNDED PRECEDING
        ) AS turn
    FROM ops.receipt
    WHERE data_type = 'steps' AND reason IN ('received', 'nothing_new', 'not_synced', 'no_data')
        AND source NOT IN (SELECT source FROM day_metric WHERE era = 'file')
),
silence AS (  -- what we have not asked for is not its doing
    SELECT participant_id, min(asked_at) AS from_at,
        max(asked_at) FILTER (reason <> 'received') AS heard_nothing_at
    FROM reply WHERE turn > 0 GROUP BY participant_id, turn
),
worn AS (
    SELECT participant_id, activity_date, count(*) FILTER (NOT valid_day) OVER (
        PARTITION BY participant_id ORDER BY activity_date
        ROWS BETWEEN $work_list_worn_of_days - 1 PRECEDING AND CURRENT ROW
    ) > $work_list_worn_of_days - $work_list_worn_days_least AS too_few
    FROM participant_day
    WHERE day_state IN ('not_worn', 'implausible', 'insufficient_wear', 'valid')
),
goal_day AS (
    SELECT participant_id, activity_date,
        count(*) OVER last_days = $work_list_goal_days AND NOT bool_or(goal_met) OVER last_days
            AS too_few
    FROM participant_day
    WHERE goal_met IS NOT NULL
    WINDOW last_days AS (
        PARTITION BY participant_id ORDER BY activity_date
        ROWS BETWEEN $work_list_goal_days - 1 PRECEDING AND CURRENT ROW
    )
),
short AS (
    SELECT *, too_few AND NOT coalesce(lag(too_few) OVER (
        PARTITION BY reason, participant_id ORDER BY activity_date
    ), false) AS begins
    FROM (
        SELECT *, 'not_worn' AS reason FROM worn
        UNION ALL SELECT *, 'goal_missed' FROM goal_day
    )
)
"""

_ANSWERS = """
awaited AS (
    SELECT participant_id, visit, min(target_on) AS target_on, min(closes_on) AS closes_on,
        CAST(any_value(overdue_days) AS INTEGER) AS overdue_days,
        max(coalesce(answered_on, DATE '9999-12-31')) AS answered_on
    FROM outcome
    JOIN dated_visit USING (visit)
    WHERE status <> 'outside_study'
    GROUP BY participant_id, visit
),
asked AS (
    SELECT participant_id, visit, target_on AS raised_on, false AS late FROM awaited
    WHERE answered_on >= target_on
    UNION ALL
    SELECT participant_id, visit, target_on + overdue_days + 1, true FROM awaited
    WHERE answered_on > target_on + overdue_days AND target_on + overdue_days < closes_on
),
raised_answer AS (
    SELECT a.participant_id, a.raised_on,
        CASE WHEN NOT a.late THEN 'questionnaire_due'
            WHEN count(d.activity_date) > 0 THEN 'wearing_but_overdue'
            ELSE 'questionnaire_overdue' END AS reason
    FROM asked AS a
    LEFT JOIN (SELECT participant_id, activity_date FROM participant_day WHERE valid_day) AS d
        ON d.participant_id = a.participant_id AND d.activity_date < a.raised_on
        AND d.activity_date >= a.raised_on - CAST($work_list_still_wearing_days AS INTEGER)
    GROUP BY a.participant_id, a.visit, a.raised_on, a.late
),
past_limit AS (
    SELECT DISTINCT participant_id, answered_on AS raised_on
    FROM outcome
    JOIN score_limit USING (scale)
    JOIN dated_visit USING (visit)
    WHERE NOT is_baseline AND (direction * score <= direction * reaches OR -improvement >= worse_by)
)
"""

_RAISED = """
raised AS (
    SELECT participant_id, 'safety_event' AS reason, raised_on FROM safety_event
    SEMI JOIN dated_visit USING (visit)  -- the week of one at discharge would tell the arm
    UNION ALL SELECT participant_id, 'score_worse', raised_on FROM past_limit
    UNION ALL SELECT participant_id, day_state, activity_date FROM turn
    WHERE turned AND day_state IN ('consent_lost', 'never_connected')
    UNION ALL SELECT participant_id, 'not_synced',
        activity_date + CAST($work_list_not_synced_days AS INTEGER)
    FROM turn
    WHERE silent AND turned
        AND activity_date < CAST($as_of AS DATE) - CAST($reply_days AS INTEGER)
    UNION ALL SELECT participant_id, 'not_synced',
        CAST(from_at + to_days($work_list_not_synced_days) AS DATE)
    FROM silence
    WHERE heard_nothing_at >= from_at + to_days($work_list_not_synced_days)
    UNION ALL SELECT participant_id, reason, activity_date FROM short WHERE begins
    UNION ALL SELECT participant_id, reason, raised_on FROM raised_answer
)
"""

LOAD = f"""
WITH {_STATES}, {_ANSWERS}, {_RAISED},
week AS (
    SELECT CAST(unnest(range(
        date_trunc('week', CAST($as_of AS DATE)) - to_days(7 * ($work_list_load_weeks - 1)),
        CAST($as_of AS DATE) + to_days(1), to_days(7)
    )) AS DATE) AS week_starts_on
),
present AS (
    SELECT DISTINCT participant_id, CAST(date_trunc('week', activity_date) AS DATE)
        AS week_starts_on
    FROM participant_day
    WHERE day_state NOT IN ('outside_study', 'paused')
),
member AS (
    SELECT cohort_kind, cohort, participant_id FROM cohort_member
    WHERE cohort_kind IN ('all', 'site')
),
expected AS (
    SELECT cohort_kind, cohort, week_starts_on, count(*) AS expected
    FROM present JOIN member USING (participant_id) JOIN week USING (week_starts_on)
    GROUP BY ALL
),
counted AS (
    SELECT m.cohort_kind, m.cohort, p.week_starts_on, r.reason, count(*) AS raised
    FROM raised AS r
    JOIN member AS m USING (participant_id)
    JOIN present AS p
        ON p.participant_id = r.participant_id
        AND p.week_starts_on = CAST(date_trunc('week', r.raised_on) AS DATE)
    WHERE r.raised_on <= CAST($as_of AS DATE)
    GROUP BY ALL
)
SELECT e.cohort_kind, e.cohort, e.week_starts_on, told.reason, e.expected,
    coalesce(c.raised, 0) AS raised,
    100 * coalesce(c.raised, 0) / e.expected AS raised_per_100
FROM expected AS e
CROSS JOIN (SELECT unnest($raised_reasons) AS reason) AS told
LEFT JOIN counted AS c
    ON c.cohort_kind = e.cohort_kind AND c.cohort = e.cohort
    AND c.week_starts_on = e.week_starts_on AND c.reason = told.reason
"""
