"""What the outcomes page asks: does it help, whom, and does it go with walking?"""

from __future__ import annotations

from collections.abc import Mapping
from math import floor, log10
from typing import Any

from dashboard import words
from dashboard.queries.asking import Answer, Con, Rows, ask, rows
from dashboard.queries.common import Cohort, meanings

# More are not told apart: bars are drawn together, and dots by how many lie close.
MOST_BARS, MOST_DOTS = 300, 500
CELLS = 60  # across and up, at least two fifths: what lies in one cell is one dot


def outcomes(con: Con, cohort: Cohort, scale: str) -> Answer:
    """Outcomes of the cohort on a scale by visit, in the protocol's order of visits."""
    return ask(
        con,
        """
        SELECT visit.label AS visit, visit.week, expected, received, suppressed, mean_score,
               score_ci_low, score_ci_high, changed, mean_improvement, improvement_ci_low,
               improvement_ci_high, evaluable, responders, responder_share, responder_ci_low,
               responder_ci_high
        FROM cohort_outcome JOIN visit USING (visit)
        WHERE cohort_kind = $kind AND cohort = $cohort AND scale = $scale
        ORDER BY visit.position
        """,
        {"kind": cohort.kind, "cohort": cohort.name, "scale": scale},
    )


def side_by_side(con: Con, kind: str, scale: str, labels: dict[str, str]) -> Answer:
    """The cohorts of a kind beside each other on a scale, by scheduled visit."""
    return ask(
        con,
        """
        WITH named AS (SELECT unnest($codes) AS cohort, unnest($labels) AS label)
        SELECT coalesce(named.label, cohort) AS cohort, visit.label AS visit, visit.week, received,
               expected, suppressed, mean_score, score_ci_low, score_ci_high, mean_improvement,
               improvement_ci_low, improvement_ci_high, evaluable, responders, responder_share,
               responder_ci_low, responder_ci_high
        FROM cohort_outcome JOIN visit USING (visit) LEFT JOIN named USING (cohort)
        WHERE cohort_kind = $kind AND scale = $scale AND visit.week IS NOT NULL
        ORDER BY cohort_outcome.cohort, visit.position
        """,
        {"kind": kind, "scale": scale, "codes": list(labels), "labels": list(labels.values())},
    )


def thresholds(con: Con, cohort: Cohort, scale: str) -> Answer:
    """Responders of the cohort by visit and threshold, each threshold with its words."""
    said = words.table("thresholds")
    return ask(
        con,
        """
        SELECT visit.label AS visit,
               CASE change WHEN 'better' THEN $better ELSE $worse END
               || format(' {:g} ', threshold)
               || CASE threshold_kind WHEN 'percent' THEN $percent ELSE $points END AS rule,
               responders, evaluable, suppressed, responder_share, responder_ci_low,
               responder_ci_high
        FROM cohort_responder JOIN visit USING (visit)
        WHERE cohort_kind = $kind AND cohort = $cohort AND scale = $scale
        ORDER BY visit.position, change, threshold_kind DESC, threshold
        """,
        {"kind": cohort.kind, "cohort": cohort.name, "scale": scale, **said},
    )


def judged_visits(con: Con, cohort: Cohort, scale: str) -> Rows:
    """The visits at which somebody of the cohort has a change on the scale, with how many."""
    return rows(
        con,
        f"""
        WITH {cohort.members}
        SELECT outcome.visit, any_value(visit.label) AS label, count(improvement) AS changed
        FROM outcome JOIN member USING (participant_id) JOIN visit ON visit.visit = outcome.visit
        WHERE scale = $scale AND improvement IS NOT NULL
        GROUP BY outcome.visit, visit.position ORDER BY visit.position
        """,
        {**cohort.parameters, "scale": scale},
    )


def improvements(con: Con, cohort: Cohort, scale: str, visit: str) -> Answer:
    """Each participant's improvement at a visit, the greatest first."""
    return ask(
        con,
        f"""
        WITH {cohort.members}
        SELECT row_number() OVER (ORDER BY improvement DESC, participant_id) AS place,
               participant_id, improvement, score, baseline_score, mcid,
               CASE is_responder WHEN true THEN 'yes' WHEN false THEN 'no' ELSE 'not judged' END
                   AS responder
        FROM outcome JOIN member USING (participant_id)
        WHERE scale = $scale AND visit = $visit AND improvement IS NOT NULL
        ORDER BY place
        """,
        {**cohort.parameters, "scale": scale, "visit": visit},
    )


def improvements_together(con: Con, cohort: Cohort, scale: dict[str, Any], visit: str) -> Answer:
    """The same of many: bars of those whose improvement is the same to 1 % of the scale's range.

    A bar goes from the first of its participants to the last; `improvement` is their mean.
    """
    return ask(
        con,
        f"""
        WITH {cohort.members}, judged AS (
            SELECT improvement, round(improvement / $step) AS steps,
                   CASE is_responder WHEN true THEN 'yes' WHEN false THEN 'no' ELSE 'not judged' END
                       AS responder
            FROM outcome JOIN member USING (participant_id)
            WHERE scale = $scale AND visit = $visit AND improvement IS NOT NULL
        )
        SELECT CAST(sum(count(*)) OVER best - count(*) + 1 AS INTEGER) AS first_place,
               CAST(sum(count(*)) OVER best AS INTEGER) AS last_place,
               count(*) AS participants, avg(improvement ORDER BY improvement) AS improvement,
               responder
        FROM judged GROUP BY steps, responder
        WINDOW best AS (ORDER BY steps DESC, responder DESC) ORDER BY first_place
        """,
        {
            **cohort.parameters,
            "scale": scale["scale"],
            "visit": visit,
            "step": (scale["high"] - scale["low"]) / 100,
        },
    )


def within(con: Con, cohort: Cohort, scale: str) -> Answer:
    """Visits of the cohort against the participant's own means: steps, and the score turned.

    Of more than MOST_DOTS how many `visits` lie in each cell, at its middle.
    """
    visits = f"""
        WITH {cohort.members}, {_BESIDE}
        SELECT participant_id, visit.label AS visit, steps_within, points - own_points AS points
        FROM beside JOIN visit USING (visit) WHERE visits_with_activity > 1
        ORDER BY participant_id, visit.position
        """
    values = {**cohort.parameters, "scale": scale}
    return _dots(con, visits, values, "steps_within", "points", "visits")


def between(con: Con, cohort: Cohort, scale: str) -> Answer:
    """Participants of the cohort against each other: own mean steps, and own mean score.

    Of more than MOST_DOTS how many `participants` lie in each cell, at its middle.
    """
    people = f"""
        WITH {cohort.members}, {_BESIDE}
        SELECT participant_id, any_value(steps_own_mean) AS steps_own_mean,
               avg(score ORDER BY visit) AS mean_score, count(*) AS visits
        FROM beside GROUP BY participant_id ORDER BY participant_id
        """
    values = {**cohort.parameters, "scale": scale}
    return _dots(con, people, values, "steps_own_mean", "mean_score", "participants")


def slopes(con: Con, cohort: Cohort, scale: str) -> Answer:
    """The slopes within and between participants of the cohort, with their intervals."""
    return ask(
        con,
        """
        SELECT part, participants, visits, suppressed, slope, slope_ci_low, slope_ci_high
        FROM activity_slope
        WHERE cohort_kind = $kind AND cohort = $cohort AND scale = $scale ORDER BY part DESC
        """,
        {"kind": cohort.kind, "cohort": cohort.name, "scale": scale},
    )


def by_sessions(con: Con, cohort: Cohort, scale: str, visit: str) -> Answer | None:
    """Improvement beside sessions attended; None where the file leaves sessions out (the blind).

    Of more than MOST_DOTS how many `participants` lie in each cell, at its middle.
    """
    if not meanings(con, "treatment"):
        return None
    people = f"""
        WITH {cohort.members}
        SELECT participant_id, attended, improvement
        FROM outcome JOIN member USING (participant_id) JOIN treatment USING (participant_id)
        WHERE scale = $scale AND visit = $visit AND improvement IS NOT NULL
        ORDER BY participant_id
        """
    values = {**cohort.parameters, "scale": scale, "visit": visit}
    return _dots(con, people, values, "attended", "improvement", "participants")


def wear_rules(con: Con) -> Answer:
    """The protocol's rule of a valid day beside others, and what each changes."""
    return ask(
        con,
        """
        SELECT says AS rule, suppressed, valid_days, days_gained, days_lost, participants,
               steps_per_day, steps_change, steps_change_ci_low, steps_change_ci_high,
               steps_change_changes, slope, slope_ci_low, slope_ci_high, slope_changes
        FROM wear_rule_sensitivity ORDER BY position
        """,
    )


def _dots(con: Con, sql: str, values: Mapping[str, Any], x: str, y: str, of: str) -> Answer:
    """The dots that `sql` gives, or of too many the cells they lie in, with how many `of` each."""
    span = "max({0}) - min({0})"
    [found] = rows(
        con,
        f"SELECT count(*) AS dots, {span.format(x)} AS wide, {span.format(y)} AS tall FROM ({sql})",
        values,
    )
    if found["dots"] <= MOST_DOTS:
        return ask(con, sql, values)
    return ask(
        con,
        f"""
        WITH dot AS ({sql})
        SELECT round({x} / $wide) * $wide AS {x}, round({y} / $tall) * $tall AS {y},
               count(*) AS {of}
        FROM dot GROUP BY ALL ORDER BY ALL
        """,
        {**values, "wide": _cell(found["wide"]), "tall": _cell(found["tall"])},
    )


def _cell(span: float) -> float:
    """A round size, 1, 2 or 5 of a power of ten, of which CELLS or fewer fill the span."""
    least = span / CELLS or 1.0
    power = 10.0 ** floor(log10(least))
    return next(power * one for one in (1, 2, 5, 10) if power * one >= least)


# Scheduled visits with enough valid days, the score turned so that positive is better.
_BESIDE = """beside AS (
            SELECT activity_outcome.*, CASE scale.better WHEN 'lower' THEN -score ELSE score END
                       AS points,
                   avg(points) OVER (PARTITION BY participant_id) AS own_points
            FROM activity_outcome JOIN member USING (participant_id) JOIN scale USING (scale)
            WHERE scale = $scale AND enough_days
                AND visit IN (SELECT visit FROM visit WHERE week IS NOT NULL)
        )"""
