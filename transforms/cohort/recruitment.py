"""Enrollment by calendar week, beside the plan."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa

from transforms.outcomes.given import given
from transforms.rules import run
from warehouse.study import Site, Study

PLAN = pa.schema(
    {"cohort_kind": pa.string(), "cohort": pa.string(), "planned": pa.float64()}
)  # fmt: skip


def derive_recruitment(con: duckdb.DuckDBPyConnection, study: Study, as_of: datetime) -> None:
    """Fill `recruitment` from `participant`: each site of study.toml and everybody, week by week.

    Weeks run from that of the study's first day, or of the first enrollment if that is earlier, to
    the one that `as_of` lies in; a week without an enrollment has its row.
    """
    first, last = _weeks(con, study, as_of)
    mondays = [first + timedelta(days=7 * i) for i in range((last - first).days // 7 + 1)]
    rows = [
        {"week_starts_on": monday} | one
        for monday in mondays
        for one in _planned(study, as_of, monday + timedelta(days=6))
    ]
    schema = PLAN.append(pa.field("week_starts_on", pa.date32()))
    with given(con, plan=pa.Table.from_pylist(rows, schema=schema)):
        run(con, RECRUITMENT, study)


def planned_by_today(study: Study, as_of: datetime) -> pa.Table:
    """`planned` of everybody (`all`) and each site by today there; blank without a plan."""
    return pa.Table.from_pylist(_planned(study, as_of, date.max), schema=PLAN)


def _weeks(con: duckdb.DuckDBPyConnection, study: Study, as_of: datetime) -> tuple[date, date]:
    """The Mondays of the first week and the last."""
    first, last = con.execute(
        "SELECT min(enrolled_on), max(enrolled_on) FROM participant"
    ).fetchall()[0]
    today = max(_today(site, as_of) for site in study.sites)
    opened = min(first or study.study.first_day, study.study.first_day)
    return _monday(opened), _monday(max(today, last or today, opened))


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _today(site: Site, as_of: datetime) -> date:
    return as_of.astimezone(ZoneInfo(site.timezone)).date()


def _planned(study: Study, as_of: datetime, day: date) -> list[dict[str, object]]:
    """What is planned by the end of `day`, or of today where the site is if that is earlier."""
    by_site = {
        one.code: _planned_at(study, one, min(day, _today(one, as_of))) for one in study.sites
    }
    known = [planned for planned in by_site.values() if planned is not None]
    everybody = sum(known) if len(known) == len(by_site) else None
    cohorts = [("all", "all", everybody), *(("site", site, n) for site, n in by_site.items())]
    return [dict(zip(PLAN.names, cohort, strict=True)) for cohort in cohorts]


def _planned_at(study: Study, site: Site, day: date) -> float | None:
    """The site's number in equal parts over the days of recruitment, both ends included."""
    ends_on = study.study.recruitment_ends_on
    if site.planned is None or ends_on is None:
        return None
    whole = (ends_on - study.study.first_day).days + 1
    gone = (day - study.study.first_day).days + 1
    return site.planned * min(max(gone, 0), whole) / whole


RECRUITMENT = """
INSERT INTO recruitment BY NAME
WITH week AS (
    SELECT cohort_kind, cohort, date_trunc('week', enrolled_on)::DATE AS week_starts_on,
        count(*) AS enrolled
    FROM participant
    JOIN cohort_member USING (participant_id)
    WHERE cohort_kind IN ('all', 'site')
    GROUP BY ALL
)
SELECT cohort_kind, cohort, week_starts_on,
    coalesce(enrolled, 0) AS enrolled,
    sum(coalesce(enrolled, 0)) OVER (
        PARTITION BY cohort_kind, cohort ORDER BY week_starts_on
    ) AS cumulative,
    planned
FROM plan
LEFT JOIN week USING (cohort_kind, cohort, week_starts_on)
ORDER BY cohort_kind, cohort, week_starts_on
"""
