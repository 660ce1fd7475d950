"""What the adherence page asks: is it worn, is the goal met, who stays, and who is behind?"""

from __future__ import annotations

from collections.abc import Sequence

from dashboard import words
from dashboard.queries.asking import Answer, Con, ask, rows
from dashboard.queries.common import COUNTS, GROUP, Cohort, in_words
from warehouse.study import Site

# More cells than this draw slowly and are not told apart; of more people the worst are shown.
MOST_MARKS, MOST_PEOPLE, MOST_DAYS = 1120, 40, 56
MOST_BANDS = 180  # rows of the picture, of two pixels each
MOST_LISTED = 100  # beside the picture; the file has everybody
# As `common.participants`, so that picture, list and days stand in one order.
WORST_FIRST = (
    "coalesce(last_day_state = 'outside_study', false), wear_adherence NULLS FIRST, "
    "goal_adherence_strict NULLS FIRST, participant_id"
)


def key_figures(con: Con, cohort: Cohort) -> Answer:
    """One row: counts to date of the cohort's people and person-days, and the shares they give."""
    return ask(
        con,
        f"""
        WITH {cohort.members}, counted AS (
            SELECT (SELECT count(*) FROM member) AS participants, {COUNTS}
            FROM participant_day JOIN member USING (participant_id)
        )
        SELECT *, valid_days / nullif(eligible_days, 0) AS wear_adherence,
               goal_days_met / nullif(goal_days, 0) AS goal_adherence_observed,
               goal_days_met / nullif(eligible_goal_days, 0) AS goal_adherence_strict
        FROM counted
        """,
        cohort.parameters,
    )


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


def day_bands(con: Con, cohort: Cohort) -> Answer:
    """The days of the picture: a band (from 0, worst first), study day, and its group of days.

    A band is a participant; of more than MOST_BANDS, neighbours share one, evenly. `day_group`,
    a position in words.GROUPS, is that of most of its participants, of equals the first.
    """
    codes = [group.code for group in words.GROUPS]
    return ask(
        con,
        f"""
        WITH {cohort.members}, placed AS (
            SELECT participant_id,
                   CAST((row_number() OVER (ORDER BY {WORST_FIRST}) - 1)
                        * least($bands, count(*) OVER ()) // count(*) OVER () AS SMALLINT) AS band
            FROM member LEFT JOIN adherence USING (participant_id)
        ), counted AS (
            SELECT band, CAST(study_day AS SMALLINT) AS study_day, count(*) AS participants,
                   CAST(list_position($codes, {GROUP}) - 1 AS TINYINT) AS day_group
            FROM participant_day JOIN placed USING (participant_id) GROUP BY ALL
        )
        SELECT band, study_day, arg_max(day_group, (participants, -day_group)) AS day_group,
               CAST(sum(participants) AS SMALLINT) AS participants
        FROM counted GROUP BY band, study_day ORDER BY band, study_day
        """,
        {**cohort.parameters, "codes": codes, "bands": MOST_BANDS},
    )


def recent_days(con: Con, cohort: Cohort, participants: int) -> Answer:
    """The last days in the study of the worst of the cohort's `participants`, state and figures.

    At most MOST_PEOPLE, and as many days as MOST_MARKS cells allow, at most MOST_DAYS.
    """
    people = max(1, min(participants, MOST_PEOPLE))
    return ask(
        con,
        f"""
        WITH {cohort.members}, worst AS (
            SELECT participant_id FROM member LEFT JOIN adherence USING (participant_id)
            ORDER BY {WORST_FIRST} LIMIT $people
        ), day AS (
            SELECT * FROM participant_day JOIN worst USING (participant_id)
            WHERE day_state <> 'outside_study'
        )
        SELECT participant_id, CAST(activity_date AS VARCHAR) AS activity_date, study_day,
               {in_words("day_state", words.STATES)} AS state, {GROUP} AS day_group,
               steps, goal_steps, wear_minutes, provisional
        FROM day
        WHERE activity_date > (SELECT max(activity_date) FROM day) - CAST($days AS INTEGER)
        ORDER BY participant_id, day.activity_date
        """,
        {**cohort.parameters, "people": people, "days": min(MOST_DAYS, MOST_MARKS // people)},
    )


def behind(con: Con, cohort: Cohort) -> Answer:
    """The cohort's participants, worst first, each with the last day that did not count and why.

    In the order of `common.participants`, which is that of the picture. Of a day that may still
    sync, or was ours or the vendor's fault, nobody is behind.
    """
    return ask(
        con,
        f"""
        WITH {cohort.members}, missed AS (
            SELECT participant_id, max(activity_date) AS missed_on,
                   arg_max(day_state, activity_date) AS day_state
            FROM participant_day WHERE eligible_day AND NOT valid_day
            GROUP BY participant_id
        )
        SELECT participant_id, site, wear_adherence, goal_adherence_observed,
               goal_adherence_strict, eligible_days, missed_on,
               {in_words("missed.day_state", words.STATES)} AS why
        FROM member
        LEFT JOIN adherence USING (participant_id)
        LEFT JOIN missed USING (participant_id)
        ORDER BY {WORST_FIRST}
        """,
        cohort.parameters,
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


def site_weeks(con: Con, sites: Sequence[Site]) -> Answer:
    """Adherence of each site by study week; figures of small cells are blank."""
    return ask(
        con,
        f"""
        SELECT {labelled("cohort")} AS site, study_week, participants, suppressed,
               wear_adherence, goal_adherence_observed, goal_adherence_strict, valid_weeks
        FROM cohort_week WHERE cohort_kind = 'site' ORDER BY site, study_week
        """,
        labels(sites),
    )


def site_figures(con: Con, sites: Sequence[Site]) -> Answer:
    """The key figures of each site, with intervals and the limits around all sites' share."""
    figures, standings = words.table("site_figures"), words.table("standings")
    return ask(
        con,
        f"""
        SELECT {in_words("figure", figures)} AS figure, {labelled("cohort")} AS site,
               suppressed, participants, numerator, denominator, counts, share, ci_low, ci_high,
               overall, limit_low, limit_high, alarm_low, alarm_high,
               {in_words("standing", standings)} AS standing
        FROM site_figure WHERE cohort_kind = 'site' ORDER BY position, site
        """,
        labels(sites),
    )


def retention(con: Con, cohort: Cohort) -> Answer:
    """Who stays in the study and who goes on wearing, by weeks since study day 1."""
    return ask(
        con,
        f"""
        SELECT {in_words("curve", words.table("curves"))} AS curve, weeks, suppressed,
               participants, at_risk, ended, still, ci_low, ci_high
        FROM retention WHERE cohort_kind = $kind AND cohort = $cohort
        ORDER BY curve, weeks
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


def labelled(column: str) -> str:
    """SQL of a site's name from its code, with the parameters of `labels`."""
    return f"coalesce(list_extract($labels, list_position($codes, {column})), {column})"


def labels(sites: Sequence[Site]) -> dict[str, list[str]]:
    return {"codes": [site.code for site in sites], "labels": [site.label for site in sites]}
