"""What panels over days share: the axis of days, a height between two pixels, a line of text.

Dates are drawn in UTC so that no browser's time zone moves a local day.
"""

from __future__ import annotations

from dashboard import words
from dashboard.charts.vega import Spec, tip


def height(field: str, domain: list[float], top: int, bottom: int, axis: Spec) -> Spec:
    """A figure as height between two pixels of the chart."""
    scale: Spec = {"range": [bottom, top], "domain": domain, "nice": False}
    return {"field": field, "type": "quantitative", "scale": scale, "axis": axis}


def title(text: str, top: int, ink: dict[str, str], colour: str = "text") -> Spec:
    """A line above a panel, from its left edge."""
    mark = {"type": "text", "text": text, "align": "left", "baseline": "top", "fontSize": 11.5,
            "color": ink[colour], "limit": {"expr": "width"}, "aria": False}  # fmt: skip
    return {"data": {"name": "corner"}, "mark": mark,
            "encoding": {"x": {"value": 0}, "y": {"value": top}}}  # fmt: skip


def on(field: str) -> Spec:
    """A day on the shared axis."""
    return {"field": field, "type": "temporal", "scale": {"type": "utc"}, "axis": _DAYS}


def day_tip(field: str) -> Spec:
    """The day of a mark, written out."""
    return {"field": field, "type": "temporal", "title": words.say("participant.tip_day"),
            "timeUnit": "utcyearmonthdate", "format": "%a %d %b %Y"}  # fmt: skip


def day_tips() -> list[Spec]:
    """What a day says of itself when it is pointed at."""
    named = [("study_day", ""), ("state", ""), ("steps", ",d"), ("goal_steps", ",d"),
             ("wear_minutes", ",d"), ("moderate_minutes", "d"), ("vigorous_minutes", "d"),
             ("provisional", "")]  # fmt: skip
    return [
        day_tip("activity_date"),
        *(tip(name, words.say(f"participant.tip_{name}"), form) for name, form in named),
    ]


_DAYS = {
    "title": None,
    "format": "%d %b",
    "grid": False,
    "labelOverlap": True,
    "tickMinStep": 86_400_000,  # a day
}
