"""What every chart shares: its words, ink, axes and the colours of day states.

Charts are Vega-Lite specifications as plain dicts over named Arrow datasets. Altair is not used:
building a chart with it takes twenty times the server's time.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from dashboard import words
from dashboard.packing import packed
from dashboard.queries.asking import Answer

Spec = dict[str, Any]
# Equal room left of every plot, so that charts below each other share their days.
LEFT_ROOM = 64
INK = {
    "light": {"strong": "#004E7C", "other": "#B35900", "text": "#10151C",
              "quiet": "#6E6358", "band": "#DDE6EE", "paper": "#FFFFFF"},
    "dark": {"strong": "#8CCBF5", "other": "#F0A03C", "text": "#F2F4F7",
             "quiet": "#A39E98", "band": "#26323F", "paper": "#0E1117"},
}  # fmt: skip


# Streamlit leaves 16 pixels between a plot, its labels and its title, and 20 below a chart.
_CLOSE = {
    "axis": {"labelPadding": 6, "titlePadding": 8},
    "legend": {"offset": 8, "padding": 0, "labelOffset": 4, "rowPadding": 2},
}


@dataclass(frozen=True)
class Chart:
    """A chart with its words: what it shows for those who cannot see it, and its numbers."""

    spec: Spec
    alt: str
    numbers: Answer
    table: str
    """The published table its numbers come from."""


def quiet(spec: Spec) -> Spec:
    """The chart with its marks silent to screen readers: they are told its words and numbers.

    Hundreds of nameless marks tell nothing, and each is one that the rules find without a name.
    """
    return {"padding": {"bottom": 4}, **spec, "config": {"mark": {"aria": False}, **_CLOSE}}


def light(spec: Spec) -> Spec:
    """The chart without the columns that it does not draw, the others as small as they travel.

    Any word of the specification that is a column's name keeps that column: rather one too many.
    """
    named = set(re.findall(r"\w+", json.dumps({**spec, "datasets": {}})))
    datasets = {
        name: packed(table.select([one for one in table.column_names if one in named]))
        for name, table in spec["datasets"].items()
    }
    return {**spec, "datasets": datasets}


def colours(theme: str) -> list[str]:
    """The colour of each of words.GROUPS in that theme."""
    return [group.dark if theme == "dark" else group.light for group in words.GROUPS]


def group_colour(theme: str) -> Spec:
    scale = {"domain": [group.code for group in words.GROUPS], "range": colours(theme)}
    return {"field": "day_group", "type": "nominal", "scale": scale, "legend": None}


def on_cividis(share: str) -> Spec:
    """The ink of a figure in a cell that `share` colours from 0 to 1: 4.5:1 on every shade."""
    dark = {"test": f"datum.{share} < 0.475", "value": "#FFFFFF"}
    return {"condition": dark, "value": "#000000"}


def figures_only(field: str) -> Spec:
    """Rows with a figure: a text mark would write a blank as `null`."""
    return {"filter": f"isValid(datum.{field})"}


# Days of a band scale as people write them, 3 Mar: their labels would be 2026-03-03.
SHORT_DAY = "utcFormat(toDate(datum.label), '%-d %b')"


def left_axis(title: str | None, **more: Any) -> Spec:
    return {"title": title, "minExtent": LEFT_ROOM, "maxExtent": LEFT_ROOM, **more}


def legend() -> Spec:
    return {"title": None, "orient": "top", "columns": 2}


def tip(field: str, title: str, form: str = "") -> Spec:
    tip: Spec = {"field": field, "title": title}
    return {**tip, "format": form, "type": "quantitative"} if form else tip
