"""Charts of adherence; each arranges what the published file says and computes nothing."""

from __future__ import annotations

import base64

import pyarrow as pa

from dashboard import words
from dashboard.charts.vega import INK, Chart, Spec, group_colour, left_axis, legend, tip
from dashboard.queries.asking import Answer
from dashboard.words import say


def week_adherence(weeks: Answer, theme: str) -> Chart:
    """Wear and goal adherence of a cohort by study week, as shares."""
    ink, domain = INK[theme], list(_measures().values())
    measure = {"field": "measure", "type": "nominal", "legend": legend()}
    inks = [ink["strong"], ink["other"], ink["quiet"]]
    shapes = ["circle", "square", "triangle-up"]
    colour = {**measure, "scale": {"domain": domain, "range": inks}}
    shape = {**measure, "scale": {"domain": domain, "range": shapes}}
    share = {
        "field": "share",
        "type": "quantitative",
        "scale": {"domain": [0, 1]},
        "axis": left_axis(say("adherence.share_of_days"), format="%", tickCount=5),
    }
    tips = [
        tip("study_week", say("adherence.study_week")),
        tip("measure", say("adherence.measure")),
        tip("share", say("adherence.share"), ".0%"),
        tip("participants", say("adherence.with_day")),
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
    return Chart(spec, say("adherence.alt_weeks"), weeks, "cohort_week")


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
        "axis": left_axis(say("adherence.steps_a_day"), format=",d", tickCount=5),
    }
    tips = [
        tip("study_week", say("adherence.study_week")),
        tip("steps_per_day", say("adherence.mean_steps"), ",.0f"),
        tip("steps_ci_low", say("adherence.ci_low"), ",.0f"),
        tip("steps_ci_high", say("adherence.ci_high"), ",.0f"),
        tip("participants", say("adherence.with_day")),
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
    return Chart(spec, say("adherence.alt_steps"), weeks, "cohort_week")


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
                  "axis": {"title": say("adherence.person_days"), "format": ",d", "tickCount": 4}},
            "color": group_colour(theme),
            "tooltip": [tip("state", say("adherence.state")),
                        tip("person_days", say("adherence.person_days"), ",d"),
                        tip("share", say("adherence.share"), ".1%")],
        },
        "mark": {"type": "bar", "aria": False},
    }  # fmt: skip
    return Chart(spec, say("adherence.alt_states"), states, "participant_day")


def day_picture(picture: bytes, participants: int, days: int, bands: Answer, alt: str) -> Chart:
    """A picture of everybody's days, a row each or shared, under an axis of study weeks."""
    image = {
        "type": "image",
        "url": "data:image/webp;base64," + base64.b64encode(picture).decode(),
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
        "title": say("adherence.weeks_since"),
        "values": [7 * week for week in range(0, days // 7 + 1, step)],
        "labelExpr": "datum.value / 7",
        "grid": False,
    }
    spec = {
        "height": max(160, min(400, participants * 6)),
        "datasets": {"corner": pa.table({"x": [0]})},
        "data": {"name": "corner"},
        "mark": image,
        "encoding": {
            "x": {"field": "x", "type": "quantitative", "axis": axis,
                  "scale": {"domain": [0, days], "nice": False}},
            "y": {"value": 0},
        },
    }  # fmt: skip
    return Chart(spec, alt, bands, "participant_day")


def _long(weeks: pa.Table) -> pa.Table:
    """One row per week and measure, as lines need them."""
    kept = weeks.select(["study_week", "participants"])
    parts = [
        kept.append_column("measure", pa.array([label] * len(weeks), pa.string())).append_column(
            "share", weeks.column(name)
        )
        for name, label in _measures().items()
    ]
    return pa.concat_tables(parts)


def _week_axis() -> Spec:
    axis = {"title": say("adherence.study_week"), "tickMinStep": 1, "format": "d", "grid": False}
    return {"field": "study_week", "type": "quantitative", "axis": axis,
            "scale": {"zero": False, "nice": False, "padding": 10}}  # fmt: skip


_DASHES = [[1, 0], [6, 3], [2, 3]]


def _measures() -> dict[str, str]:
    names = words.table("measures")
    del names["valid_weeks"]  # of weeks, not of days
    return names


def retention(curves: Answer, theme: str) -> list[Chart]:
    """Who stays and who goes on wearing, as steps with their intervals; and who was at risk."""
    ink, names = INK[theme], sorted(set(curves.column("curve")))
    colour = {"field": "curve", "type": "nominal", "legend": {**legend(), "symbolOpacity": 1},
              "scale": {"domain": names, "range": [ink["strong"], ink["other"]]}}  # fmt: skip
    still = {"field": "still", "type": "quantitative", "scale": {"domain": [0, 1]},
             "axis": left_axis(say("adherence.still"), format="%", tickCount=5)}  # fmt: skip
    tips = [tip("curve", say("adherence.curve")), tip("weeks", say("adherence.weeks_since")),
            tip("still", say("adherence.still"), ".0%"),
            tip("ci_low", say("adherence.ci_low"), ".0%"),
            tip("ci_high", say("adherence.ci_high"), ".0%"),
            tip("at_risk", say("adherence.at_risk")),
            tip("ended", say("adherence.ended"))]  # fmt: skip
    step: Spec = {"interpolate": "step-after"}
    band: Spec = {"type": "area", "opacity": 0.15, "aria": False, **step}
    lines: list[Spec] = [
        {"transform": [{"filter": {"field": "curve", "equal": name}}],
         "mark": {"type": "line", "strokeWidth": 2, "strokeDash": dash, **step},
         "encoding": {"y": still}}
        for name, dash in zip(names, _DASHES, strict=False)
    ]  # fmt: skip
    spec = {
        **_over_weeks(curves, 300),
        "encoding": {"x": _weeks_axis(curves), "color": colour},
        "layer": [
            {"mark": band,
             "encoding": {"y": {**still, "field": "ci_low"}, "y2": {"field": "ci_high"}}},
            *lines,
            {"mark": {"type": "point", "filled": True, "size": 40, "opacity": 0},
             "encoding": {"y": still, "tooltip": tips}},
        ],
    }  # fmt: skip
    return [Chart(spec, say("adherence.alt_retention"), curves, "retention"),
            _at_risk(curves, names, colour)]  # fmt: skip


def _at_risk(curves: Answer, names: list[str], colour: Spec) -> Chart:
    """The numbers at risk under the curves, every fourth week as a paper has them."""
    last = max(curves.column("weeks"), default=0)
    every = 1 if last <= 8 else 4
    spec = {
        **_over_weeks(curves, 24 * len(names) + 20),
        "transform": [{"filter": f"datum.weeks % {every} === 0"}],
        "mark": {"type": "text", "fontSize": 12},
        "encoding": {
            "x": {**_weeks_axis(curves), "axis": None},
            "y": {"field": "curve", "type": "nominal", "scale": {"domain": names},
                  "axis": left_axis(say("adherence.followed"), domain=False, labelOpacity=0)},
            "text": {"field": "at_risk", "type": "quantitative"},
            "color": {**colour, "legend": None},
        },
    }  # fmt: skip
    return Chart(spec, say("adherence.alt_at_risk"), curves, "retention")


def _over_weeks(curves: Answer, height: int) -> Spec:
    return {"height": height, "datasets": {"curves": curves.table}, "data": {"name": "curves"}}


def _weeks_axis(curves: Answer) -> Spec:
    last = max(curves.column("weeks"), default=0)
    axis = {"title": say("adherence.weeks_since"), "format": "d", "tickMinStep": 1, "grid": False}
    return {"field": "weeks", "type": "quantitative", "axis": axis,
            "scale": {"domain": [0, last], "nice": False, "padding": 12}}  # fmt: skip
