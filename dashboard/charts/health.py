"""Charts of the data's health."""

from __future__ import annotations

from dashboard import words
from dashboard.charts.vega import INK, Chart, left_axis, legend, tip
from dashboard.queries.asking import Answer


def pulls_by_day(days: Answer, theme: str) -> Chart:
    """Receipts by UTC day, stacked by what became of them."""
    ink = INK[theme]
    told = [words.CAME, words.NOTHING_NEW, words.PARTICIPANTS, words.VENDORS, words.OURS]
    shades = ["#4A97CB", "#8C8C8C", "#C98200", "#8F2D00", ink["text"]]
    if theme == "dark":
        shades = ["#2F77A8", "#8F8F8F", "#F7D774", "#E0601B", ink["text"]]
    colour = {"field": "told", "type": "nominal", "legend": {**legend(), "columns": 3},
              "scale": {"domain": told, "range": shades}}  # fmt: skip
    on = {"field": "asked_on", "type": "temporal", "scale": {"type": "utc"}, "title": None,
          "timeUnit": "utcyearmonthdate", "axis": {"format": "%-d %b", "grid": False}}  # fmt: skip
    receipts = {"field": "receipts", "type": "quantitative", "stack": True,
                "axis": left_axis("Receipts", format=",d", tickCount=5)}  # fmt: skip
    tips = [
        {"field": "asked_on", "type": "temporal", "title": "Day", "format": "%d %b %Y"},
        tip("told", "What became of it"),
        tip("receipts", "Receipts", ",d"),
        tip("received", "Points received", ",d"),
        tip("landed", "Landed", ",d"),
        tip("rejected", "Refused", ",d"),
    ]
    spec = {
        "height": 320,
        "datasets": {"days": days.table},
        "data": {"name": "days"},
        "mark": {"type": "bar", "stroke": ink["paper"], "strokeWidth": 0.5},
        "encoding": {"x": on, "y": receipts, "color": colour, "tooltip": tips},
    }
    alt = "Bars of receipts by day: data came, nothing new, or failed and whose failure it was."
    return Chart(spec, alt, days, "receipt_day")
