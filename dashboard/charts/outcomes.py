"""Charts of outcomes; each arranges what the published file says and computes nothing."""

from __future__ import annotations

from typing import Any

from dashboard import words
from dashboard.charts.vega import INK, Chart, left_axis, tip
from dashboard.queries.asking import Answer


def visit_means(outcomes: Answer, scale: dict[str, Any], theme: str) -> Chart:
    """Mean score of a cohort by visit with its 95 % interval, over the scale's whole range."""
    ink = INK[theme]
    mean = {
        "field": "mean_score",
        "type": "quantitative",
        "scale": {"domain": [scale["low"], scale["high"]], "nice": False},
        "axis": left_axis("Mean score", tickCount=5),
    }
    order = outcomes.column("visit")
    tips = [
        tip("visit", "Visit"),
        tip("mean_score", "Mean", ".1f"),
        tip("score_ci_low", "95 % from", ".1f"),
        tip("score_ci_high", "to", ".1f"),
        tip("received", "Answered"),
        tip("expected", "Expected"),
    ]
    axis = {"title": None, "labelAngle": -40, "labelOverlap": False}
    spec = {
        "height": 240,
        "datasets": {"visits": outcomes.table},
        "data": {"name": "visits"},
        "encoding": {"x": {"field": "visit", "type": "ordinal", "sort": order, "axis": axis}},
        "layer": [
            {
                "mark": {"type": "rule", "color": ink["strong"], "strokeWidth": 2},
                "encoding": {
                    "y": {**mean, "field": "score_ci_low"},
                    "y2": {"field": "score_ci_high"},
                },
            },
            {
                # Discharge has no fixed day, so no line leads to it.
                "transform": [{"filter": "isValid(datum.week)"}],
                "mark": {"type": "line", "color": ink["strong"], "strokeWidth": 1.5},
                "encoding": {"y": mean},
            },
            {
                "mark": {"type": "point", "filled": True, "color": ink["strong"], "size": 55},
                "encoding": {"y": mean, "tooltip": tips},
            },
        ],
    }  # fmt: skip
    alt = (
        f"Mean {scale['label']} by visit with 95 % intervals; "
        f"{scale['low']:g} to {scale['high']:g}, {words.direction(scale['better'])}."
    )
    return Chart(spec, alt, outcomes, "cohort_outcome")
