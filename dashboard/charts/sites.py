"""Charts of sites: their weeks, their people's days, their key figures with limits."""

from __future__ import annotations

from dashboard import words
from dashboard.charts.vega import (
    INK,
    SHORT_DAY,
    Chart,
    Spec,
    figures_only,
    group_colour,
    on_cividis,
    tip,
)
from dashboard.queries.asking import Answer
from dashboard.words import say

ROOM_FOR_FIGURE = 34  # pixels: in a narrower cell the figure is left out
WIDEST = 2.0  # of its plan a site may recruit far more; the figure is in the table
PICK = "pick"
"""The name of the selection that a click on a site, or on a day, makes."""


def site_weeks(weeks: Answer, measure: str, theme: str) -> Chart:
    """Sites by study week, each cell a share; a click selects its site."""
    columns = len(set(weeks.column("study_week")))
    axis = {"title": say("adherence.study_week"), "labelAngle": 0, "labelOverlap": True}
    x = {"field": "study_week", "type": "ordinal", "axis": axis}
    y = {"field": "site", "type": "nominal", "axis": {"title": None, "labelLimit": 140}}
    ramp = {"title": None, "orient": "top", "format": "%", "gradientLength": 240,
            "values": [0, 0.25, 0.5, 0.75, 1]}  # fmt: skip
    colour = {"field": measure, "type": "quantitative", "legend": ramp,
              "scale": {"scheme": "cividis", "domain": [0, 1]}}  # fmt: skip
    tips = [tip("site", say("common.site")), tip("study_week", say("adherence.study_week")),
            tip(measure, words.table("measures")[measure], ".0%"),
            tip("participants", say("adherence.with_day"))]  # fmt: skip
    roomy = {"expr": f"width / {max(columns, 1)} < {ROOM_FOR_FIGURE} ? 0 : 1"}
    text = {
        "transform": [figures_only(measure)],
        "mark": {"type": "text", "fontSize": 11, "opacity": roomy, "aria": False},
        "encoding": {
            "text": {"field": measure, "type": "quantitative", "format": ".0%"},
            "color": on_cividis(measure),
        },
    }  # fmt: skip
    select = {"type": "point", "fields": ["site"], "toggle": False}
    cells = {
        "params": [{"name": PICK, "select": select}],
        "mark": {"type": "rect", "aria": False, "cursor": "pointer", **_cell(theme)},
        "encoding": {"color": colour, "tooltip": tips},
    }
    spec = {
        "height": {"step": 34},
        "datasets": {"weeks": weeks.table},
        "data": {"name": "weeks"},
        "encoding": {"x": x, "y": y},
        "layer": [cells, text],
    }
    return Chart(spec, say("adherence.alt_site_weeks"), weeks, "cohort_week")


def recent_days(days: Answer, order: list[str], theme: str) -> Chart:
    """A cohort's participants by day, in the colours of day states; a click selects a day."""
    shown = set(days.column("participant_id"))
    rows = [one for one in order if one in shown]
    few = len(rows) <= 60
    on = sorted(set(days.column("activity_date")))
    x = {"field": "activity_date", "type": "ordinal", "scale": {"domain": on},
         "axis": {"title": say("adherence.day"), "labelAngle": 0, "values": on[::7],
                  "labelExpr": SHORT_DAY,
                  "labelAlign": "left", "labelOverlap": True}}  # fmt: skip
    axis = {"title": None, "labelOverlap": False, "labelFontSize": 10 if few else 9}
    y = {"field": "participant_id", "type": "nominal", "sort": rows, "axis": axis}
    tips = [tip("participant_id", say("adherence.participant")),
            tip("activity_date", say("adherence.day")),
            tip("state", say("adherence.state")),
            tip("steps", say("adherence.steps"), ",d"),
            tip("wear_minutes", say("adherence.wear_minutes"), ",d"),
            tip("provisional", say("adherence.provisional"))]  # fmt: skip
    select = {"type": "point", "fields": ["participant_id", "activity_date"], "toggle": False}
    spec = {
        "height": {"step": 14 if few else 10},
        "datasets": {"days": days.table},
        "data": {"name": "days"},
        "params": [{"name": PICK, "select": select}],
        "mark": {"type": "rect", "aria": False, "cursor": "pointer", **_cell(theme)},
        "encoding": {"x": x, "y": y, "color": group_colour(theme), "tooltip": tips},
    }
    return Chart(spec, say("adherence.alt_recent_days"), days, "participant_day")


def site_figures(figures: Answer, theme: str) -> Chart:
    """Each figure of each site: share, interval, and the limits that chance sets around all."""
    ink = INK[theme]
    order = list(dict.fromkeys(figures.column("figure")))
    sites = sorted(set(figures.column("site")))
    drawn = [n for n in figures.column("share") if n is not None]
    wide = min(max([1.0, *(1.25 * n for n in drawn if n > 1)]), WIDEST)
    axis = {"title": None, "labelLimit": 150, "grid": True, "tickBand": "extent"}
    y = {"field": "figure", "type": "nominal", "sort": order, "axis": axis}
    lane = {"field": "site", "type": "nominal", "sort": sites}
    tips = [tip("figure", say("adherence.figure")), tip("site", say("common.site")),
            tip("numerator", say("adherence.numerator"), ",d"),
            tip("denominator", say("adherence.denominator"), ",.0f"),
            tip("counts", say("adherence.counts")), tip("share", say("adherence.share"), ".0%"),
            tip("ci_low", say("adherence.ci_low"), ".0%"),
            tip("ci_high", say("adherence.ci_high"), ".0%"),
            tip("overall", say("adherence.overall"), ".0%"),
            tip("standing", say("adherence.standing"))]  # fmt: skip
    spec = {
        "height": len(order) * max(1, len(sites)) * 17 + 60,
        "datasets": {"figures": figures.table},
        "data": {"name": "figures"},
        "encoding": {"y": y, "yOffset": lane},
        "layer": [
            _rule("alarm_low", "alarm_high", ink["band"], 11, wide),
            _rule("limit_low", "limit_high", ink["quiet"], 11, wide, opacity=0.45),
            {"mark": {"type": "tick", "thickness": 2, "size": 13, "color": ink["text"],
                      "aria": False},
             "encoding": {"x": _share("overall", wide)}},
            _rule("ci_low", "ci_high", ink["strong"], 2, wide),
            {"mark": {"type": "point", "filled": True, "size": 70},
             "encoding": {"x": _share("share", wide), "tooltip": tips, "shape": _shape(sites),
                          "color": {"value": ink["strong"]}}},
        ],
    }  # fmt: skip
    return Chart(spec, say("adherence.alt_site_figures"), figures, "site_figure")


def _rule(low: str, high: str, colour: str, width: int, wide: float, opacity: float = 1) -> Spec:
    mark = {
        "type": "rule",
        "strokeWidth": width,
        "color": colour,
        "opacity": opacity,
        "aria": False,
    }
    return {"mark": mark, "encoding": {"x": _share(low, wide), "x2": {"field": high}}}


def _share(field: str, wide: float) -> Spec:
    axis = {"title": say("adherence.share_better"), "format": "%", "tickCount": 5}
    return {"field": field, "type": "quantitative", "scale": {"domain": [0, wide], "clamp": True},
            "axis": axis}  # fmt: skip


def _shape(sites: list[str]) -> Spec:
    legend = {"title": None, "orient": "top", "columns": 2}
    return {"field": "site", "type": "nominal", "scale": {"domain": sites}, "legend": legend}


def _cell(theme: str) -> Spec:
    """A line of paper around each cell keeps neighbours apart whatever their colours."""
    return {"stroke": INK[theme]["paper"], "strokeWidth": 1}
