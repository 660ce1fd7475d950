"""What the outcomes page asks: does it help?"""

from __future__ import annotations

from dashboard.queries.asking import Answer, Con, ask
from dashboard.queries.common import Cohort


def outcomes(con: Con, cohort: Cohort, scale: str) -> Answer:
    """Outcomes of the cohort on a scale by visit, in the protocol's order of visits."""
    return ask(
        con,
        """
        SELECT visit.label AS visit, visit.week, expected, received, suppressed,
               mean_score, score_ci_low, score_ci_high, mean_improvement, improvement_ci_low,
               improvement_ci_high, evaluable, responders, responder_share, responder_ci_low,
               responder_ci_high
        FROM cohort_outcome JOIN visit USING (visit)
        WHERE cohort_kind = $kind AND cohort = $cohort AND scale = $scale
        ORDER BY visit.position
        """,
        {"kind": cohort.kind, "cohort": cohort.name, "scale": scale},
    )
