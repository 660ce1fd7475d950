"""Charts of the data's health: for each kind of outcome or trouble a row of bars of its own.

Rows are named by their words, so no colour carries the meaning, and one failure among a thousand
pulls that went well is seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import pyarrow as pa

from dashboard import words
from dashboard.charts import panels
from dashboard.charts.vega import INK, SHORT_DAY, Chart, Spec, left_axis, tip
from dashboard.queries.asking import Answer
from dashboard.words import say

TITLE, BARS, GAP, AXIS = 20, 44, 16, 30  # pixels
FAILED = (words.PARTICIPANTS, words.VENDORS, words.OURS)


def pulls_by_day(days: Answer, until: date, theme: str) -> Chart:
    """Receipts of the last 30 days to `until`, by UTC day and by what became of them."""
    shown = [str(until - timedelta(days=n)) for n in range(30, -1, -1)]
    tips = [
        tip("asked_on", say("health.day")),
        tip("receipts", say("health.pulls"), ",d"),
        tip("received", say("health.received"), ",d"),
        tip("landed", say("health.landed"), ",d"),
        tip("rejected", say("health.rejected"), ",d"),
    ]
    told = [words.CAME, words.NOTHING_NEW, *FAILED]
    spec = _rows_of_bars(days, ("asked_on", shown), "receipts", told, tips, theme)
    return Chart(spec, say("health.alt_pulls"), days, "receipt_day")


def trend(weeks: Answer, theme: str) -> Chart:
    """Days with each kind of trouble, by the calendar week they are of."""
    shown = list(dict.fromkeys(weeks.column("week_starts_on")))
    tips = [tip("week_starts_on", say("health.week")), tip("days", say("health.days"), ",d"),
            tip("of_days", say("health.of_days"), ",d")]  # fmt: skip
    told = list(words.table("health_troubles").values())
    spec = _rows_of_bars(weeks, ("week_starts_on", shown), "days", told, tips, theme)
    return Chart(spec, say("health.alt_trend"), weeks, "participant_day")


def _rows_of_bars(
    found: Answer, on: tuple[str, Sequence[str]], figure: str, told: Sequence[str],
    tips: list[Spec], theme: str,
) -> Spec:  # fmt: skip
    """A row of bars for each of `told`, over the same days; one without any is its title alone."""
    ink, x = INK[theme], _days_across(*on)
    layers, top = [], 0
    for name in told:
        counts = [row[figure] for row in found.rows if row["told"] == name]
        said = say("health.row", told=name, n=words.count(sum(counts)))
        layers.append(panels.title(said, top, ink))
        top += TITLE
        if sum(counts):
            most = max(counts)
            axis = left_axis(None, values=[0, most], format=",d", orient="left", grid=False)
            y = panels.height(figure, [0, most], top, top + BARS, axis)
            colour = ink["other" if name in FAILED else "strong"]
            layers.append({
                "transform": [{"filter": {"field": "told", "equal": name}}],
                "mark": {"type": "bar", "color": colour},
                "encoding": {"x": x, "y": y, "tooltip": tips},
            })  # fmt: skip
            top += BARS + GAP
    return {
        "height": top + AXIS,
        "datasets": {"days": found.table, "corner": pa.table({"x": [0]})},
        "data": {"name": "days"},
        "resolve": {"scale": {"y": "independent"}},
        "layer": layers,
    }


def _days_across(field: str, days: Sequence[str]) -> Spec:
    """The axis of days, of which some eight are named, the last one always."""
    every = -(-len(days) // 8)
    return {"field": field, "type": "ordinal", "scale": {"domain": list(days)},
            "axis": {"title": None, "labelAngle": 0, "values": days[::-1][::every], "grid": False,
                     "labelExpr": SHORT_DAY, "labelOverlap": True,
                     "labelBound": True}}  # fmt: skip
