"""Charts of Today: the load of the work list, and how many records will be complete."""

from __future__ import annotations

from dashboard.charts.vega import INK, Chart, Spec, tip
from dashboard.queries.asking import Answer
from dashboard.words import say


def load(weeks: Answer, theme: str) -> Chart:
    """Bars by calendar week: reasons newly arisen, per 100 participants expected to report."""
    spec: Spec = {
        "data": {"name": "weeks"},
        "datasets": {"weeks": weeks.table},
        "mark": {"type": "bar", "color": INK[theme]["strong"], "aria": False},
        "height": 200,
        "encoding": {
            "x": {
                "field": "week", "type": "ordinal", "sort": None,
                "axis": {"title": say("today.week_from"), "labelAngle": 0, "labelOverlap": True},
            },
            "y": {
                "field": "raised_per_100", "type": "quantitative",
                "axis": {"title": say("today.per_100"), "tickCount": 4},
            },
            "tooltip": [
                tip("week", say("today.week_from")),
                tip("raised", say("today.raised"), ",d"),
                tip("expected", say("today.expected"), ",d"),
                tip("raised_per_100", say("today.per_100"), ".1f"),
            ],
        },
    }  # fmt: skip
    return Chart(spec, say("today.alt_load"), weeks, "work_load")


def rescue(found: Answer, theme: str) -> Chart:
    """A row per clinic: complete so far, projected with its range, and the most there can be."""
    ink = INK[theme]
    y = {"field": "clinic", "type": "nominal", "sort": None, "axis": {"title": None}}
    scale = {"domain": [0, 1]}
    axis = {"title": say("today.share_complete"), "format": "%", "tickCount": 5}
    x = {"type": "quantitative", "scale": scale, "axis": axis}
    tips = [
        {"field": "clinic", "type": "nominal", "title": say("today.clinic")},
        tip("participants", say("today.enrolled"), ",d"),
        tip("complete_share", say("today.complete_so_far"), ".1%"),
        tip("projected_share", say("today.projected"), ".1%"),
        tip("projected_low", say("today.projected_from"), ".1%"),
        tip("projected_high", say("today.projected_to"), ".1%"),
        tip("best_share", say("today.at_most"), ".1%"),
    ]
    layers: list[Spec] = [
        {
            "mark": {"type": "bar", "height": 14, "color": ink["band"], "aria": False},
            "encoding": {"x": {"field": "best_share", **x}},
        },
        {
            "mark": {"type": "rule", "strokeWidth": 3, "color": ink["strong"]},
            "encoding": {"x": {"field": "projected_low", **x}, "x2": {"field": "projected_high"}},
        },
        {
            "mark": {"type": "point", "filled": True, "size": 90, "color": ink["strong"]},
            "encoding": {"x": {"field": "projected_share", **x}},
        },
        {
            "mark": {"type": "tick", "thickness": 3, "height": 18, "color": ink["other"]},
            "encoding": {"x": {"field": "complete_share", **x}},
        },
    ]
    spec: Spec = {
        "data": {"name": "rescue"},
        "datasets": {"rescue": found.table},
        "height": {"step": 34},
        "encoding": {"y": y, "tooltip": tips},
        "layer": layers,
    }
    return Chart(spec, say("today.alt_rescue"), found, "outcome_rescue")
