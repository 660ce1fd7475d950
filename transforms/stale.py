"""Which person-days and weeks of the last build may no longer hold, and their deriving again.

A day is settled when nothing that it rests on can be otherwise now: it is final (not provisional:
its source has landed past its end, and the days in which it is restated are over), no day of
minutes, goal, lateness or roster row of it has changed, and no source has landed further, or other
than before, past its end. What time alone, pulls, outages and lost permissions change are days
that are not final.
"""

from __future__ import annotations

from datetime import datetime

from transforms.activity.participant_day import derive_participant_day
from transforms.activity.week import derive_participant_week
from warehouse.content import lent
from warehouse.edition import Edition
from warehouse.study import Study
from warehouse.tables import landed, ops
from warehouse.tables.derived import day_metric, participant_day, participant_week


def derive_stale_days(edition: Edition, study: Study, as_of: datetime) -> None:
    """Bring `participant_day` of a copy up to date; `previous` is the build that was copied."""
    con = edition.con
    with (
        lent(con, "changed_participant", edition.keys(landed.participant)),
        lent(con, "changed_goal", edition.keys(landed.goal)),
        lent(con, "changed_lateness", edition.keys(ops.lateness)),
        lent(con, "changed_day", edition.keys(day_metric)),
    ):
        con.execute(SETTLED)
    with edition.deriving(
        participant_day, within="ANTI JOIN settled_day USING (participant_id, activity_date)"
    ):
        derive_participant_day(con, study, as_of, but="settled_day")
    con.execute("DROP TABLE settled_day")


def derive_stale_weeks(edition: Edition, study: Study, _: datetime) -> None:
    """Bring `participant_week` of a copy up to date: the weeks with a day that changed."""
    con = edition.con
    with (
        lent(con, "changed_day", edition.keys(day_metric)),
        lent(con, "changed_person_day", edition.keys(participant_day)),
    ):
        con.execute(STALE_WEEKS)
    only = "SEMI JOIN stale_week USING (participant_id, study_week)"
    with edition.deriving(participant_week, within=only), edition.reading(participant_day, only):
        derive_participant_week(con, study)
    con.execute("DROP TABLE stale_week")


# A date ends from 10:00 UTC of itself, in the first zone, to 12:00 UTC of the next, in the last:
# what ends after an instant is dated two days before it or later. One more is to spare.
SETTLED = """
CREATE TEMP TABLE settled_day AS
WITH old AS (SELECT * FROM previous.ops.connection WHERE state <> 'never_connected'),
new AS (SELECT * FROM ops.connection WHERE state <> 'never_connected'),
moved AS (  -- sources that came, went, or landed further or less far; from which date
    SELECT coalesce(n.participant_id, o.participant_id) AS participant_id,
        n.participant_id IS NULL OR o.participant_id IS NULL
            OR n.first_asked_on IS DISTINCT FROM o.first_asked_on
            OR n.landed_sync_at IS NULL OR o.landed_sync_at IS NULL AS whole,
        CAST(least(n.landed_sync_at, o.landed_sync_at) AS DATE) - 3 AS since
    FROM new AS n
    FULL JOIN old AS o ON n.participant_id = o.participant_id AND n.source = o.source
    WHERE n.participant_id IS NULL OR o.participant_id IS NULL
        OR n.first_asked_on IS DISTINCT FROM o.first_asked_on
        OR n.landed_sync_at IS DISTINCT FROM o.landed_sync_at
),
whole AS (
    SELECT participant_id FROM changed_participant
    UNION SELECT participant_id FROM changed_goal
    UNION SELECT participant_id FROM changed_lateness
    UNION SELECT participant_id FROM moved WHERE whole
),
since AS (SELECT participant_id, min(since) AS since FROM moved GROUP BY participant_id)
SELECT d.participant_id, d.activity_date
FROM participant_day AS d
ANTI JOIN whole USING (participant_id)
ANTI JOIN changed_day USING (participant_id, activity_date)
LEFT JOIN since USING (participant_id)
WHERE NOT d.provisional AND coalesce(d.activity_date < since.since, true)
"""

# Of before and after: a study day 1 that moved takes days out of one week and into another.
STALE_WEEKS = """
CREATE TEMP TABLE stale_week AS
WITH day AS (
    SELECT participant_id, activity_date, study_week FROM participant_day
    UNION ALL SELECT participant_id, activity_date, study_week FROM previous.participant_day
),
changed AS (
    SELECT participant_id, activity_date FROM changed_person_day
    UNION SELECT participant_id, activity_date FROM changed_day
)
SELECT DISTINCT participant_id, study_week
FROM day
SEMI JOIN changed USING (participant_id, activity_date)
"""
