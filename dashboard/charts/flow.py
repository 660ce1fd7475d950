"""Charts of the flow of participants; each arranges what the published file says."""

from __future__ import annotations

from dashboard import words
from dashboard.charts.vega import (
    INK,
    SHORT_DAY,
    Chart,
    Spec,
    figures_only,
    left_axis,
    on_cividis,
    tip,
)
from dashboard.queries.asking import Answer
from dashboard.words import say


def recruitment(weeks: Answer, theme: str) -> Chart:
    """Enrolled to date by week as steps, the plan as a dashed line, each week's own as bars."""
    ink = INK[theme]
    mondays = weeks.column("week_starts_on")
    every = -(-len(mondays) // 8)
    x = {"field": "week_starts_on", "type": "ordinal",
         "axis": {"title": say("flow.week"), "labelAngle": 0, "values": mondays[::every],
                  "labelExpr": SHORT_DAY,
                  "labelOverlap": True, "grid": False}}  # fmt: skip
    y = {"field": "cumulative", "type": "quantitative",
         "axis": left_axis(say("flow.people"), tickMinStep=1, format="d")}  # fmt: skip
    tips = [tip("week_starts_on", say("flow.week")), tip("enrolled", say("flow.enrolled")),
            tip("cumulative", say("flow.cumulative")),
            tip("planned", say("flow.planned"), ".0f")]  # fmt: skip
    line = {"type": "line", "strokeWidth": 2}
    plan = {
        "mark": {**line, "strokeDash": [6, 3]},
        "encoding": {"y": {**y, "field": "planned"}, "color": _named("flow.planned")},
    }
    layers: list[Spec] = [
        {"mark": {"type": "bar", "color": ink["quiet"], "opacity": 0.45, "aria": False},
         "encoding": {"y": {**y, "field": "enrolled"}, "tooltip": tips}},
        {"mark": {**line, "point": {"size": 45}},
         "encoding": {"y": y, "color": _named("flow.cumulative"), "tooltip": tips}},
        *([plan] if any(n is not None for n in weeks.column("planned")) else []),
    ]  # fmt: skip
    names = [say("flow.cumulative"), say("flow.planned")][: len(layers) - 1]
    scale = {"domain": names, "range": [ink["strong"], ink["other"]][: len(names)]}
    for layer in layers[1:]:
        layer["encoding"]["color"]["scale"] = scale
    spec = {
        "height": 300,
        "datasets": {"weeks": weeks.table},
        "data": {"name": "weeks"},
        "encoding": {"x": x},
        "layer": layers,
    }
    return Chart(spec, say("flow.alt_recruitment"), weeks, "recruitment")


def _named(key: str) -> Spec:
    return {"datum": say(key), "type": "nominal", "legend": {"title": None, "orient": "top"}}


def completeness(found: Answer, rows: str, measure: str, source: str) -> Chart:
    """Sites, or scales (`rows`), by visit: each cell a share with its figure."""
    visits = list(dict.fromkeys(row["visit"] for row in sorted(found.rows, key=_by_position)))
    order = list(dict.fromkeys(found.column(rows)))
    x = {"field": "visit", "type": "nominal", "sort": visits,
         "axis": {"title": say("flow.visit"), "labelAngle": 0, "orient": "top"}}  # fmt: skip
    y = {"field": rows, "type": "nominal", "sort": order,
         "axis": {"title": None, "labelLimit": 230}}  # fmt: skip
    colour = {"field": measure, "type": "quantitative", "legend": None,
              "scale": {"scheme": "cividis", "domain": [0, 1]}}  # fmt: skip
    tips = [tip(rows, say(f"flow.{rows}")), tip("visit", say("flow.visit")),
            tip(measure, words.table("completeness_measures")[measure], ".0%"),
            tip("received", say("flow.received")), tip("closed", say("flow.closed")),
            tip("due", say("flow.due")), tip("participants", say("flow.people"))]  # fmt: skip
    spec = {
        "height": {"step": 34},
        "datasets": {"cells": found.table},
        "data": {"name": "cells"},
        "encoding": {"x": x, "y": y},
        "layer": [
            {"mark": {"type": "rect", "aria": False},
             "encoding": {"color": colour, "tooltip": tips}},
            {"transform": [figures_only(measure)],
             "mark": {"type": "text", "fontSize": 12, "aria": False},
             "encoding": {"text": {"field": measure, "type": "quantitative", "format": ".0%"},
                          "color": on_cividis(measure)}},
        ],
    }  # fmt: skip
    return Chart(
        spec, say("flow.alt_completeness", rows=say(f"flow.{rows}").lower()), found, source
    )


def _by_position(row: dict[str, int]) -> int:
    return row["position"]


def differences(found: Answer, theme: str) -> Chart:
    """How far those whose answers are missing lie from the others, trait by trait."""
    ink = INK[theme]
    x = {"field": "standardised_difference", "type": "quantitative",
         "axis": {"title": say("flow.difference_axis"), "titleAnchor": "end",
                  "tickCount": 7}}  # fmt: skip
    two_lines = {"condition": {"test": "indexof(datum.value, ': ') > 0", "value": -6}, "value": 0}
    y = {"field": "trait", "type": "nominal", "sort": found.column("trait"),
         "axis": {"title": None, "grid": True,
                  "labelLimit": {"expr": "windowSize()[0] < 700 ? 150 : 240"},
                  "labelExpr": "split(datum.label, ': ')", "labelOffset": two_lines}}  # fmt: skip
    tips = [tip("trait", say("flow.trait")), tip("complete_n", say("flow.complete_n")),
            tip("complete_mean", say("flow.complete_mean"), ",.2f"),
            tip("incomplete_n", say("flow.incomplete_n")),
            tip("incomplete_mean", say("flow.incomplete_mean"), ",.2f"),
            tip("standardised_difference", say("flow.difference"), "+.2f")]  # fmt: skip
    spec = {
        "height": {"step": 32},
        "datasets": {"traits": found.table},
        "data": {"name": "traits"},
        "layer": [
            {"mark": {"type": "rule", "color": ink["quiet"], "aria": False},
             "encoding": {"x": {"datum": 0, "type": "quantitative"}}},
            {"mark": {"type": "point", "filled": True, "size": 80, "color": ink["strong"]},
             "encoding": {"x": x, "y": y, "tooltip": tips}},
        ],
    }  # fmt: skip
    return Chart(spec, say("flow.alt_differences"), found, "who_is_missing")
