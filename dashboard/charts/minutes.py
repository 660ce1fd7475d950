"""One day, minute by minute."""

from __future__ import annotations

import json

from dashboard import words
from dashboard.charts.vega import INK, Chart, Spec, left_axis, tip
from dashboard.queries.asking import Answer
from dashboard.queries.minutes import Minutes

PACES = ("light", "moderate", "vigorous")
HEIGHT = 240
STRIP = 0.09  # of the height of the most steps: the strip of wear below them
LEAST_TOP = 60


def minutes(found: Minutes, day: Answer, theme: str) -> Chart:
    """Steps of each minute by pace, over the participant's clock; below, when it was worn."""
    ink = INK[theme]
    names = words.table("paces")
    colour = {
        "field": "pace",
        "type": "nominal",
        "scale": {"domain": list(PACES), "range": [ink["quiet"], ink["strong"], ink["other"]]},
        "legend": {"title": None, "orient": "top",
                   "labelExpr": f"{json.dumps(names)}[datum.label]"},
    }  # fmt: skip
    most = max([*found.steps["steps"].to_pylist(), LEAST_TOP])
    steps = {
        "field": "steps",
        "type": "quantitative",
        "axis": left_axis(words.say("participant.axis_minute_steps"), values=_values(most)),
        "scale": {"domain": [-STRIP * most, 1.05 * most], "nice": False},
    }
    tips = [
        tip("clock", words.say("participant.tip_clock")),
        tip("steps", words.say("participant.tip_steps"), "d"),
    ]
    spec = {
        "height": HEIGHT,
        "datasets": {"steps": found.steps, "wear": found.wear},
        "data": {"name": "steps"},
        "layer": [
            {"mark": {"type": "rect", "aria": False},
             "encoding": {"x": _clock("minute", found), "x2": {"field": "after"}, "y": steps,
                          "y2": {"datum": 0}, "color": colour, "tooltip": tips}},
            {"data": {"name": "wear"},
             "mark": {"type": "rect", "color": ink["text"], "aria": False},
             "encoding": {"x": _clock("first", found), "x2": {"field": "after"},
                          "y": {"datum": -0.3 * STRIP * most}, "y2": {"datum": -STRIP * most}}},
        ],
    }  # fmt: skip
    told = words.say("participant.alt_minutes", day=words.day(day.row["activity_date"]))
    return Chart(spec, told, day, "participant_day")


def _values(most: int) -> list[int]:
    """Round figures for the axis of steps, from 0: nothing is measured in the strip below."""
    step = next(n for n in (20, 50, 100, 200, 500, 1000) if most / n <= 5 or n == 1000)
    return list(range(0, int(1.05 * most) + 1, step))


def _clock(field: str, found: Minutes) -> Spec:
    """Elapsed minutes, labelled with the clock on the participant's wall."""
    labels = json.dumps({str(minute): told for minute, told in found.ticks.items()})
    axis = {"title": None, "values": list(found.ticks), "labelExpr": f"{labels}[datum.value]",
            "grid": False}  # fmt: skip
    return {"field": field, "type": "quantitative", "axis": axis,
            "scale": {"domain": [0, found.length], "nice": False, "zero": False}}  # fmt: skip
