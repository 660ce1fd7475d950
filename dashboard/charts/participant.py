"""Charts of one participant over time, on one axis of days.

Dates are drawn in UTC so that no browser's time zone moves a local day.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from dashboard import words
from dashboard.charts.vega import INK, Chart, Spec, group_colour, left_axis, tip
from dashboard.queries.asking import Answer

Span = tuple[date, date]


def timeline(days: Answer, visits: Answer, changes: Answer, span: Span, theme: str) -> Chart:
    """Daily steps coloured by state, the goal as a step line, visits and new sources as marks.

    A day that is not known is a low flat bar without a figure; a known day of no steps says 0.
    A provisional day is lighter. An implausible day may be cut at the top of the plot.
    """
    ink = INK[theme]
    steps = {
        "field": "steps",
        "type": "quantitative",
        "axis": left_axis("Steps a day", format=",d", tickCount=5),
        "scale": {"domain": [0, _top(days.table)]},
    }
    spec = {
        "height": 300,
        "datasets": {"days": days.table, "visits": visits.table, "changes": changes.table},
        "data": {"name": "days"},
        "layer": [
            *_visit_marks(span, ink, labelled=True),
            *_day_bars(steps, theme),
            _zero_days(steps, ink),
            _goal_line(steps, ink),
            *_source_breaks(ink),
        ],
    }
    alt = "Bars of daily steps coloured by the day's state, with the step goal as a dashed line."
    return Chart(spec, alt, days, "participant_day")


def score_line(
    scores: Answer, visits: Answer, scale: dict[str, Any], span: Span, theme: str
) -> Chart:
    """A participant's scores over time with the band of change too small to matter (MCID)."""
    ink = INK[theme]
    score = {
        "field": "score",
        "type": "quantitative",
        "scale": {"domain": [scale["low"], scale["high"]], "nice": False},
        "axis": left_axis("Score", tickCount=5),
    }
    spec = {
        "height": 170,
        "datasets": {
            "scores": scores.table,
            "band": _band(scores, scale),
            "visits": visits.table,
        },
        "data": {"name": "scores"},
        "layer": [
            _matters_not(score, ink),
            *_visit_marks(span, ink, labelled=False),
            _answers(score, ink),
        ],
    }
    alt = (
        f"{scale['label']} over time, {scale['low']:g} to {scale['high']:g}, "
        f"{words.direction(scale['better'])}; the band is baseline plus or minus the MCID."
    )
    return Chart(spec, alt, scores, "outcome")


def _day_bars(steps: Spec, theme: str) -> list[Spec]:
    """A bar to the steps of each known day; a flat one, six pixels high, where not known."""
    looks = {
        "x": _on("activity_date"),
        "x2": {"field": "next_date"},
        "color": group_colour(theme),
        "opacity": {"condition": {"test": "datum.provisional", "value": 0.45}, "value": 1},
        "tooltip": _DAY_TIPS,
    }
    flat = {"y": {"value": {"expr": "height"}}, "y2": {"value": {"expr": "height - 6"}}}
    edge = {"stroke": INK[theme]["paper"], "strokeWidth": 0.5}
    bar = {"mark": {"type": "rect", "aria": False, "clip": True, **edge}}
    return [
        {**bar, "transform": [{"filter": "isValid(datum.steps)"}],
         "encoding": {**looks, "y": steps, "y2": {"datum": 0}}},
        {**bar, "transform": [{"filter": "!isValid(datum.steps)"}], "encoding": {**looks, **flat}},
    ]  # fmt: skip


def _top(days: pa.Table) -> float:
    """The end of the axis: room for names above the most steps of a plausible day or a goal."""
    plausible = days.filter(pc.field("day_state") != "implausible")
    most = [pc.max(plausible.column("steps")).as_py(), pc.max(days.column("goal_steps")).as_py()]
    return 1.2 * max(filter(None, most), default=1000)


def _zero_days(steps: Spec, ink: dict[str, str]) -> Spec:
    mark = {"type": "text", "text": "0", "baseline": "bottom", "align": "left", "fontSize": 9,
            "color": ink["text"], "aria": False}  # fmt: skip
    at = {"x": _on("activity_date"), "y": steps}
    return {"transform": [{"filter": "datum.steps === 0"}], "mark": mark, "encoding": at}


def _goal_line(steps: Spec, ink: dict[str, str]) -> Spec:
    mark = {"type": "line", "interpolate": "step-after", "color": ink["text"],
            "strokeWidth": 1.5, "strokeDash": [5, 3]}  # fmt: skip
    return {"mark": mark, "encoding": {"x": _on("activity_date"),
                                       "y": {**steps, "field": "goal_steps"}}}  # fmt: skip


def _source_breaks(ink: dict[str, str]) -> list[Spec]:
    """A line where another source begins, with its name: figures left and right may differ."""
    rule = {"type": "rule", "color": ink["strong"], "strokeWidth": 2, "clip": True}
    name = {"type": "text", "align": "left", "baseline": "top", "dx": 4, "dy": 24, "fontSize": 11,
            "color": ink["strong"], "clip": True}  # fmt: skip
    on = {"x": _on("changed_on")}
    label = {**on, "y": {"value": 0}, "text": {"field": "source"}}
    tips = {"tooltip": [tip("source", "From here"), tip("was", "Before")]}
    marks = [{"mark": rule, "encoding": {**on, **tips}}, {"mark": name, "encoding": label}]
    return [{"data": {"name": "changes"}, **mark} for mark in marks]


def _matters_not(score: Spec, ink: dict[str, str]) -> Spec:
    """The band of baseline plus or minus the MCID."""
    return {
        "data": {"name": "band"},
        "mark": {"type": "rect", "color": ink["band"], "aria": False},
        "encoding": {"y": {**score, "field": "low"}, "y2": {"field": "high"}},
    }


def _answers(score: Spec, ink: dict[str, str]) -> Spec:
    tips = [
        tip("visit", "Visit"),
        tip("score", "Score", ".1f"),
        tip("score_change", "Change from baseline", "+.1f"),
    ]
    dots = {"color": ink["strong"], "size": 60}
    return {
        "transform": [{"filter": "isValid(datum.score) && isValid(datum.answered_on)"}],
        "mark": {"type": "line", "color": ink["strong"], "strokeWidth": 2, "point": dots},
        "encoding": {"x": _on("answered_on"), "y": score, "tooltip": tips},
    }


def _visit_marks(span: Span, ink: dict[str, str], labelled: bool) -> list[Spec]:
    """Target days as dotted rules, windows as bars along the top, names below them.

    The first layer sets the days that the whole chart shows.
    """
    rule = {"type": "rule", "color": ink["quiet"], "strokeDash": [2, 3], "clip": True}
    bar = {"type": "rect", "color": ink["quiet"], "opacity": 0.35, "clip": True,
           "stroke": ink["paper"], "strokeWidth": 2, "aria": False}  # fmt: skip
    name = {"type": "text", "align": "left", "baseline": "top", "dx": 3, "fontSize": 11,
            "color": ink["quiet"], "clip": True}  # fmt: skip
    window = {"x": _on("opens_on"), "x2": {"field": "after_close"},
              "y": {"value": 0}, "y2": {"value": 6}}  # fmt: skip
    label = {"x": _on("target_on"), "y": {"value": 9}, "text": {"field": "visit"}}
    marks = [
        {"mark": rule, "encoding": {"x": _days_axis(span)}},
        {"mark": bar, "encoding": window},
        {"mark": name, "encoding": label},
    ]
    return [{"data": {"name": "visits"}, **mark} for mark in marks[: 3 if labelled else 2]]


def _band(scores: Answer, scale: dict[str, Any]) -> pa.Table:
    """The one band of a scale's rows, kept within its range; empty without a baseline."""
    found = next((row for row in scores.rows if row["band_low"] is not None), None)
    if found is None:
        return pa.table({"low": pa.array([], pa.float64()), "high": pa.array([], pa.float64())})
    low, high = max(found["band_low"], scale["low"]), min(found["band_high"], scale["high"])
    return pa.table({"low": [low], "high": [high]})


def _on(field: str) -> Spec:
    return {"field": field, "type": "temporal", "scale": {"type": "utc"}, "axis": _DAYS}


def _days_axis(span: Span) -> Spec:
    domain = [{"year": d.year, "month": d.month, "date": d.day, "utc": True} for d in span]
    return {**_on("target_on"), "scale": {"type": "utc", "domain": domain, "nice": False}}


_DAYS = {
    "title": None,
    "format": "%d %b",
    "grid": False,
    "labelOverlap": True,
    "tickMinStep": 86_400_000,  # a day
}
_DAY_TIPS = [
    {"field": "activity_date", "type": "temporal", "title": "Day",
     "timeUnit": "utcyearmonthdate", "format": "%a %d %b %Y"},
    tip("study_day", "Study day"),
    tip("state", "State"),
    tip("steps", "Steps", ",d"),
    tip("goal_steps", "Goal", ",d"),
    tip("wear_minutes", "Worn, minutes", ",d"),
    tip("provisional", "May still change"),
]  # fmt: skip
