"""Charts of adherence; each arranges what the published file says and computes nothing."""

from __future__ import annotations

import base64

import pyarrow as pa

from dashboard.charts.vega import INK, Chart, Spec, group_colour, left_axis, legend, tip
from dashboard.queries.asking import Answer


def week_adherence(weeks: Answer, theme: str) -> Chart:
    """Wear and goal adherence of a cohort by study week, as shares."""
    ink, domain = INK[theme], list(_MEASURES.values())
    measure = {"field": "measure", "type": "nominal", "legend": legend()}
    inks = [ink["strong"], ink["other"], ink["quiet"]]
    shapes = ["circle", "square", "triangle-up"]
    colour = {**measure, "scale": {"domain": domain, "range": inks}}
    shape = {**measure, "scale": {"domain": domain, "range": shapes}}
    share = {
        "field": "share",
        "type": "quantitative",
        "scale": {"domain": [0, 1]},
        "axis": left_axis("Share of days", format="%", tickCount=5),
    }
    tips = [
        tip("study_week", "Study week"),
        tip("measure", "Measure"),
        tip("share", "Share", ".0%"),
        tip("participants", "With an eligible day"),
    ]
    spec = {
        "height": 320,
        "datasets": {"weeks": _long(weeks.table)},
        "data": {"name": "weeks"},
        "encoding": {"x": _week_axis(), "y": share, "color": colour, "tooltip": tips},
        "layer": [
            *(_dashed_line(name, dash) for name, dash in zip(domain, _DASHES, strict=True)),
            {"mark": {"type": "point", "filled": True, "size": 45}, "encoding": {"shape": shape}},
        ],
    }
    alt = "Lines by study week: share of eligible days worn, and of days that met the step goal."
    return Chart(spec, alt, weeks, "cohort_week")


def _dashed_line(measure: str, dash: list[int]) -> Spec:
    """One measure's line; a dash per layer, because a dash channel would dash the legend too."""
    return {
        "transform": [{"filter": {"field": "measure", "equal": measure}}],
        "mark": {"type": "line", "strokeWidth": 2, "strokeDash": dash},
    }


def week_steps(weeks: Answer, theme: str) -> Chart:
    """Mean steps of a cohort by study week with the 95 % interval as a band."""
    ink = INK[theme]
    steps = {
        "field": "steps_per_day",
        "type": "quantitative",
        "axis": left_axis("Steps a day", format=",d", tickCount=5),
    }
    tips = [
        tip("study_week", "Study week"),
        tip("steps_per_day", "Mean steps a day", ",.0f"),
        tip("steps_ci_low", "95 % from", ",.0f"),
        tip("steps_ci_high", "to", ",.0f"),
        tip("participants", "With an eligible day"),
    ]
    line = {"type": "line", "color": ink["strong"], "strokeWidth": 2,
            "point": {"color": ink["strong"], "size": 45}}  # fmt: skip
    spec = {
        "height": 320,
        "datasets": {"weeks": weeks.table},
        "data": {"name": "weeks"},
        "encoding": {"x": _week_axis()},
        "layer": [
            {
                "mark": {"type": "area", "color": ink["strong"], "opacity": 0.22, "aria": False},
                "encoding": {
                    "y": {**steps, "field": "steps_ci_low"},
                    "y2": {"field": "steps_ci_high"},
                },
            },
            {"mark": line, "encoding": {"y": steps, "tooltip": tips}},
        ],
    }
    alt = "Line by study week: mean steps a day over participants, with its 95 % interval."
    return Chart(spec, alt, weeks, "cohort_week")


def state_counts(states: Answer, theme: str) -> Chart:
    """Person-days by day state as bars, in the colours of the picture."""
    order = states.column("state")
    rows = list(dict.fromkeys(order))
    spec = {
        "height": 24 * len(rows) + 60,
        "datasets": {"states": states.table},
        "data": {"name": "states"},
        "encoding": {
            "y": {"field": "state", "type": "nominal", "sort": rows,
                  "axis": {"title": None, "labelLimit": 150}},
            "x": {"field": "person_days", "type": "quantitative",
                  "axis": {"title": "Person-days", "format": ",d", "tickCount": 4}},
            "color": group_colour(theme),
            "tooltip": [tip("state", "State"), tip("person_days", "Person-days", ",d"),
                        tip("share", "Share", ".1%")],
        },
        "mark": {"type": "bar", "aria": False},
    }  # fmt: skip
    return Chart(spec, "Bars: person-days by day state.", states, "participant_day")


def day_picture(png: bytes, participants: int, days: int, grid: Answer) -> Chart:
    """A picture of every person-day, one row each, under an axis of study weeks."""
    picture = {
        "type": "image",
        "url": "data:image/png;base64," + base64.b64encode(png).decode(),
        "aspect": False,
        "smooth": False,
        "align": "left",
        "baseline": "top",
        "width": {"expr": "width"},
        "height": {"expr": "height"},
        "aria": False,
    }
    step = 1 if days <= 112 else 4
    axis = {
        "title": "Weeks since study day 1",
        "values": [7 * week for week in range(0, days // 7 + 1, step)],
        "labelExpr": "datum.value / 7",
        "grid": False,
    }
    spec = {
        "height": max(160, min(520, participants * 6)),
        "datasets": {"corner": pa.table({"x": [0]})},
        "data": {"name": "corner"},
        "mark": picture,
        "encoding": {
            "x": {"field": "x", "type": "quantitative", "axis": axis,
                  "scale": {"domain": [0, days], "nice": False}},
            "y": {"value": 0},
        },
    }  # fmt: skip
    alt = (
        f"Picture of {participants} participants by {days} study days, worst wear at the top; "
        "each cell has the colour of its day's state. The counts are in the chart beside it."
    )
    return Chart(spec, alt, grid, "participant_day")


def _long(weeks: pa.Table) -> pa.Table:
    """One row per week and measure, as lines need them."""
    kept = weeks.select(["study_week", "participants"])
    parts = [
        kept.append_column("measure", pa.array([label] * len(weeks), pa.string())).append_column(
            "share", weeks.column(name)
        )
        for name, label in _MEASURES.items()
    ]
    return pa.concat_tables(parts)


def _week_axis() -> Spec:
    axis = {"title": "Study week", "tickMinStep": 1, "format": "d", "grid": False}
    return {"field": "study_week", "type": "quantitative", "axis": axis,
            "scale": {"zero": False, "nice": False, "padding": 10}}  # fmt: skip


_DASHES = [[1, 0], [6, 3], [2, 3]]
_MEASURES = {
    "wear_adherence": "Wear adherence",
    "goal_adherence_observed": "Goal met, observed",
    "goal_adherence_strict": "Goal met, strict",
}
