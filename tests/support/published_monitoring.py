"""Rows of the tables behind the pages Adherence and Flow, typed by hand, beside support.published.

Two sites of ten people each and one of two: Haifa wears well, Beer Sheva far below all, and
Southampton is withheld.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from support.published import VISITS, publish_rows, typed_rows, write_study

Row = dict[str, Any]
HAIFA, BEER_SHEVA, SOUTHAMPTON = (
    {"cohort_kind": "site", "cohort": site} for site in ("haifa", "beer_sheva", "southampton")
)
EVERYONE = {"cohort_kind": "all", "cohort": "all"}
ETMI, USUAL_CARE = ({"cohort_kind": "arm", "cohort": arm} for arm in ("etmi", "usual_care"))


def monitored_study(path: Path) -> Path:
    """Publish the typed trial with the tables of this module at `path`."""
    write_study(path)
    return publish_rows(path, monitored_rows())


def monitored_rows() -> dict[str, list[Row]]:
    """Every row of the typed trial and of this module, by table."""
    rows = typed_rows()
    rows["cohort_week"] = [*rows["cohort_week"][:2], *SITE_WEEKS]
    rows["visit"] = [*VISITS, {"visit": "discharge", "position": 2, "label": "Discharge"}]
    return rows | {
        "site_figure": SITE_FIGURES,
        "retention": RETENTION,
        "recruitment": RECRUITMENT,
        "flow": [*_flow(EVERYONE, 22, 2), *_flow(ETMI, 12, 2), *_flow(USUAL_CARE, 10, 0)],
        "cohort_completeness": COMPLETENESS,
        "who_is_missing": WHO_IS_MISSING,
        "implementation": IMPLEMENTATION,
    }


SITE_WEEKS = [
    {**site, "study_week": week, "participants": 10, "suppressed": False, "wear_adherence": wear,
     "goal_adherence_observed": observed, "goal_adherence_strict": strict, "valid_weeks": valid}
    for site, week, wear, observed, strict, valid in (
        (HAIFA, 1, 0.9, 0.6, 0.5, 1.0),
        (HAIFA, 2, 0.8, 0.5, 0.4, 0.9),
        (BEER_SHEVA, 1, 0.4, 0.3, 0.1, 0.3),
    )
] + [{**SOUTHAMPTON, "study_week": 1, "suppressed": True}]  # fmt: skip


def _figure(site: Row, name: str, position: int, **more: Any) -> Row:
    withheld = not more
    return {**site, "figure": name, "position": position, "suppressed": withheld,
            "counts": "days" if name == "wear_adherence" else "participants", **more}  # fmt: skip


_WEAR = {"overall": 0.65, "limit_low": 0.45, "limit_high": 0.85, "alarm_low": 0.35,
         "alarm_high": 0.95}  # fmt: skip
SITE_FIGURES = [
    _figure(HAIFA, "wear_adherence", 2, participants=10, numerator=900, denominator=1000.0,
            share=0.9, ci_low=0.8, ci_high=0.96, standing="high", **_WEAR),
    _figure(BEER_SHEVA, "wear_adherence", 2, participants=10, numerator=300, denominator=1000.0,
            share=0.3, ci_low=0.2, ci_high=0.42, standing="very_low", **_WEAR),
    _figure(SOUTHAMPTON, "wear_adherence", 2),
    _figure(HAIFA, "recruitment", 9, participants=10, numerator=10, denominator=8.0, share=1.25,
            ci_low=0.68, ci_high=2.3, overall=1.1, limit_low=0.4, limit_high=1.8, alarm_low=0.0,
            alarm_high=2.2, standing="as_expected"),
]  # fmt: skip


def _still(cohort: Row, curve: str, week: int, at_risk: int, still: float, **more: Any) -> Row:
    return {**cohort, "curve": curve, "weeks": week, "suppressed": False, "participants": 22,
            "at_risk": at_risk, "ended": 22 - at_risk, "still": still, **more}  # fmt: skip


RETENTION = [
    _still(EVERYONE, "in_study", 0, 22, 1.0),
    _still(EVERYONE, "in_study", 1, 20, 0.91, ci_low=0.7, ci_high=0.98),
    _still(EVERYONE, "wearing", 0, 22, 1.0),
    _still(EVERYONE, "wearing", 1, 16, 0.73, ci_low=0.49, ci_high=0.87),
    _still(ETMI, "in_study", 0, 12, 1.0),
]
RECRUITMENT = [
    {**cohort, "week_starts_on": on, "enrolled": enrolled, "cumulative": total, "planned": planned}
    for cohort, on, enrolled, total, planned in (
        (EVERYONE, date(2026, 1, 26), 12, 12, 10.0),
        (EVERYONE, date(2026, 2, 2), 10, 22, 20.0),
        (HAIFA, date(2026, 1, 26), 10, 10, None),
        (HAIFA, date(2026, 2, 2), 0, 10, None),
    )
]  # fmt: skip


def _flow(cohort: Row, people: int, withdrawn: int) -> list[Row]:
    visits = {
        "baseline": (people, people - 3, 2, 1, 0),
        "week_4": (people - 4, 6, 0, 0, people - 10),
        "discharge": (0, 0, 0, 0, 0),
    }
    stages = [("recruited", None, people), ("connected", None, people - 1),
              ("started", None, people), ("withdrawn", None, withdrawn),
              ("in_study", None, people - withdrawn)]  # fmt: skip
    names = ("visit_due", "visit_complete", "visit_part", "visit_missed", "visit_awaited")
    stages += [
        (name, visit, n)
        for visit, counts in visits.items()
        for name, n in zip(names, counts, strict=True)
    ]
    return [
        {**cohort, "position": i, "stage": stage, "visit": visit, "participants": n}
        for i, (stage, visit, n) in enumerate(stages, start=1)
    ]


def _came(cohort: Row, visit: str, scale: str | None, due: int, received: int, **more: Any) -> Row:
    counts = {"participants": 20, "due": due, "received": received}
    shares = {"received_of_due": received / due}
    return {**cohort, "visit": visit, "scale": scale, "suppressed": False, **counts, **shares,
            **more}  # fmt: skip


COMPLETENESS = [
    _came(EVERYONE, "baseline", None, 50, 40, closed=50, received_closed=40,
          received_of_closed=0.8, participants_closed=20, participants_complete=15,
          complete_share=0.75, complete_ci_low=0.53, complete_ci_high=0.89),
    _came(HAIFA, "baseline", None, 25, 24, closed=25, received_closed=24, received_of_closed=0.96),
    _came(EVERYONE, "week_4", None, 40, 10),
    _came(EVERYONE, "baseline", "FUNC", 20, 18, closed=20, received_closed=18,
          received_of_closed=0.9),
    _came(HAIFA, "baseline", "FUNC", 10, 10, closed=10, received_closed=10,
          received_of_closed=1.0),
    _came(EVERYONE, "discharge", None, 4, 4),
    {**SOUTHAMPTON, "visit": "baseline", "suppressed": True},
]  # fmt: skip


def _trait(name: str, answers: str, n: int, mean: float, **more: Any) -> Row:
    return {**EVERYONE, "visit": "baseline", "trait": name, "answers": answers,
            "suppressed": False, "participants": n, "mean": mean, "ci_low": mean - 1,
            "ci_high": mean + 1, **more}  # fmt: skip


WHO_IS_MISSING = [
    _trait("age_years", "complete", 15, 50.0, standardised_difference=0.6),
    _trait("age_years", "incomplete", 5, 56.0, standardised_difference=0.6),
    _trait("baseline_score", "complete", 15, 40.0, scale="FUNC", standardised_difference=-0.3),
    _trait("baseline_score", "incomplete", 5, 37.0, scale="FUNC", standardised_difference=-0.3),
]
IMPLEMENTATION = [
    {**EVERYONE, "suppressed": False, "participants": 22, "treated": 11, "reach": 0.5,
     "therapists": 6, "delivering": 3, "adoption": 0.5, "judged": 10, "by_protocol": 8,
     "fidelity": 0.8, "sessions_per_participant": 2.5, "attended_share": 0.9},
    {**HAIFA, "suppressed": False, "participants": 10, "treated": 8, "reach": 0.8,
     "therapists": 2, "delivering": 1, "adoption": 0.5},
    {"cohort_kind": "therapist", "cohort": "T01", "suppressed": True},
]  # fmt: skip
