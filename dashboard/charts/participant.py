"""One participant over time: panels below each other in one chart, so that all share its days.

Each panel is a group of layers whose scale reaches over a stretch of the chart's height.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from dashboard import words
from dashboard.charts.panels import day_tip, day_tips, height, on, title
from dashboard.charts.vega import INK, Chart, Spec, group_colour, left_axis, tip
from dashboard.queries.asking import Answer

Span = tuple[date, date]
STEPS, LANE, CADENCE, SCORE, GAP, LINE, AXIS = 230, 26, 70, 88, 14, 16, 24  # heights
LEAST_MINUTES = 30
LATE = 0.8  # of the days: from there on a name stands left of its day, or it would be cut
EVENTS = {"session": "triangle-up", "contact": "circle", "source": "diamond", "device": "square"}


@dataclass(frozen=True)
class Story:
    """What is drawn of a participant; `events` has `on`, `kind` (of EVENTS) and `told`."""

    days: Answer
    visits: Answer
    scores: Answer
    events: pa.Table
    scales: Sequence[dict[str, Any]]
    limits: dict[str, float]  # scale -> the score from which somebody is called
    span: Span


def timeline(story: Story, theme: str) -> Chart:
    """Daily steps coloured by state, events, cadence, and each scale, all over the same days.

    A day that is not known is a low flat bar without a figure; a known day of no steps says 0.
    Days that may still change are lighter and on a shade. An implausible day may be cut at the
    top. A click on a day gives its study day as the selection `day`.
    """
    ink = INK[theme]
    top = STEPS + LANE + GAP
    panels = [*_steps(story, ink, theme), _events(STEPS, ink), _cadence(story.days.table, top, ink)]
    top += 2 * LINE + CADENCE + GAP
    for scale in story.scales:
        panels.append(_scale(story, scale, top, ink))
        top += 2 * LINE + SCORE + GAP
    spec = {
        "height": top + AXIS,
        "datasets": {
            "days": story.days.table,
            "visits": _named_visits(story),
            "scores": story.scores.table,
            "events": story.events,
            "marks": _marks(story),
            "corner": pa.table({"x": [0]}),
        },
        "data": {"name": "days"},
        "resolve": {"scale": {"y": "independent", "color": "independent"}},
        "layer": [_axis_of_days(story.span, ink), *panels],
    }
    drawn = ", ".join(f"{one['label']} ({words.direction(one['better'])})" for one in story.scales)
    alt = words.say("participant.alt_timeline", scales=drawn or words.NOTHING)
    return Chart(spec, alt, story.days, "participant_day")


def _steps(story: Story, ink: dict[str, str], theme: str) -> list[Spec]:
    """The panel of steps: shade of provisional days, visit windows, bars, the goal."""
    steps = height(
        "steps", [0, _top(story.days.table)], 0, STEPS,
        left_axis(words.say("participant.axis_steps"), format=",d", tickCount=5, orient="left"),
    )  # fmt: skip
    marks = [_shade(ink), *_windows(ink), *_bars(steps, theme), _zero(steps, ink)]
    return [{"layer": [*marks, _goal(steps, ink)]}]


def _shade(ink: dict[str, str]) -> Spec:
    """Days that may still change, shaded from top to bottom of their panel."""
    place = {"x": on("activity_date"), "x2": {"field": "next_date"},
             "y": {"value": 0}, "y2": {"value": STEPS}}  # fmt: skip
    mark = {"type": "rect", "color": ink["band"], "aria": False, "clip": True}
    return {"transform": [{"filter": "datum.provisional"}], "mark": mark, "encoding": place}


def _bars(steps: Spec, theme: str) -> list[Spec]:
    """A bar to the steps of each known day; a flat one, six pixels high, where not known."""
    looks: Spec = {
        "x": on("activity_date"),
        "x2": {"field": "next_date"},
        "color": group_colour(theme),
        "opacity": {"condition": {"test": "datum.provisional", "value": 0.55}, "value": 1},
        "tooltip": day_tips(),
    }
    flat: Spec = {"y": {"value": STEPS}, "y2": {"value": STEPS - 6}}
    edge: Spec = {"stroke": INK[theme]["paper"], "strokeWidth": 0.5, "cursor": "pointer"}
    bar: Spec = {"mark": {"type": "rect", "aria": False, "clip": True, **edge}}
    picked: Spec = {
        "params": [{"name": "day", "select": {"type": "point", "fields": ["study_day"]}}]
    }
    known: Spec = {"encoding": {**looks, "y": steps, "y2": {"datum": 0}}, **picked}
    return [
        {**bar, "transform": [{"filter": "isValid(datum.steps)"}], **known},
        {**bar, "transform": [{"filter": "!isValid(datum.steps)"}], "encoding": {**looks, **flat}},
    ]


def _top(days: pa.Table) -> float:
    """The end of the axis: room for names above the most steps of a plausible day or a goal."""
    plausible = days.filter(pc.field("day_state") != "implausible")
    most = [pc.max(plausible.column("steps")).as_py(), pc.max(days.column("goal_steps")).as_py()]
    return 1.2 * max(filter(None, most), default=1000)


def _zero(steps: Spec, ink: dict[str, str]) -> Spec:
    mark = {"type": "text", "text": "0", "baseline": "bottom", "align": "left", "fontSize": 9,
            "color": ink["text"], "aria": False}  # fmt: skip
    at = {"x": on("activity_date"), "y": steps}
    return {"transform": [{"filter": "datum.steps === 0"}], "mark": mark, "encoding": at}


def _goal(steps: Spec, ink: dict[str, str]) -> Spec:
    mark = {"type": "line", "interpolate": "step-after", "color": ink["text"],
            "strokeWidth": 1.5, "strokeDash": [5, 3]}  # fmt: skip
    return {"mark": mark, "encoding": {"x": on("activity_date"),
                                       "y": {**steps, "field": "goal_steps"}}}  # fmt: skip


def _windows(ink: dict[str, str]) -> list[Spec]:
    """Visit windows as bars along the top, their names below."""
    bar = {"type": "rect", "color": ink["quiet"], "opacity": 0.35, "clip": True,
           "stroke": ink["paper"], "strokeWidth": 2, "aria": False}  # fmt: skip
    window = {"x": on("opens_on"), "x2": {"field": "after_close"},
              "y": {"value": 0}, "y2": {"value": 6}}  # fmt: skip
    name = {"type": "text", "baseline": "top", "fontSize": 11, "color": ink["quiet"], "clip": True}
    label = {"x": on("target_on"), "y": {"value": 9}, "text": {"field": "visit"}}
    marks: list[Spec] = [{"mark": bar, "encoding": window}]
    for late, align, dx in (("!datum.late", "left", 3), ("datum.late", "right", -3)):
        mark = {**name, "align": align, "dx": dx}
        marks.append({"transform": [{"filter": late}], "mark": mark, "encoding": label})
    return [{"data": {"name": "visits"}, **mark} for mark in marks]


def _named_visits(story: Story) -> pa.Table:
    """The visits, each with whether its day is `late`: near the right edge."""
    first, last = story.span
    edge = first + LATE * (last - first)
    late = [day > edge for day in story.visits.column("target_on")]
    return story.visits.table.append_column("late", pa.array(late, pa.bool_()))


def _events(top: int, ink: dict[str, str]) -> Spec:
    """The lane of what happened: sessions, contacts, another device or source."""
    kinds = list(EVENTS)
    colours = [ink["strong"], ink["text"], ink["other"], ink["other"]]
    mark = {"type": "point", "filled": True, "size": 70, "clip": True}
    looks = {
        "x": on("on"),
        "y": {"value": top + LANE / 2},
        "shape": {"field": "kind", "type": "nominal", "legend": None,
                  "scale": {"domain": kinds, "range": list(EVENTS.values())}},
        "color": {"field": "kind", "type": "nominal", "legend": None,
                  "scale": {"domain": kinds, "range": colours}},
        "tooltip": [day_tip("on"), tip("told", words.say("participant.tip_event"))],
    }  # fmt: skip
    return {"data": {"name": "events"}, "mark": mark, "encoding": looks}


def _cadence(days: pa.Table, top: int, ink: dict[str, str]) -> Spec:
    """Minutes a day at moderate and at vigorous cadence, one on top of the other."""
    minutes = height(
        "moderate_minutes", [0, _most_minutes(days)], top + 2 * LINE, top + 2 * LINE + CADENCE,
        left_axis(words.say("participant.axis_minutes"), tickCount=3, orient="left"),
    )  # fmt: skip
    place = {"x": on("activity_date"), "x2": {"field": "next_date"}, "tooltip": day_tips()}
    bar = {"type": "rect", "aria": False, "clip": True}
    vigorous = {"y": {**minutes, "field": "vigorous_minutes"}, "y2": {"datum": 0}}
    both = {"y": {**minutes, "field": "all_minutes"}, "y2": {"field": "vigorous_minutes"}}
    stacked = [{"calculate": "datum.moderate_minutes + datum.vigorous_minutes",
                "as": "all_minutes"}]  # fmt: skip
    known = [{"filter": "isValid(datum.moderate_minutes)"}]
    is_known = days.column("moderate_minutes").null_count < len(days)
    key = "panel_cadence_key" if is_known else "panel_cadence_none"
    return {
        "layer": [
            title(words.say("participant.panel_cadence"), top, ink),
            title(words.say(f"participant.{key}"), top + LINE, ink, "quiet"),
            {"mark": {**bar, "color": ink["strong"], "opacity": 0.55},
             "transform": known + stacked, "encoding": {**place, **both}},
            {"mark": {**bar, "color": ink["other"]},
             "transform": known, "encoding": {**place, **vigorous}},
        ]
    }  # fmt: skip


def _most_minutes(days: pa.Table) -> float:
    """The end of the axis of minutes; not so near that a minute or two look like much."""
    both = pc.add(days.column("moderate_minutes"), days.column("vigorous_minutes"))
    return max(LEAST_MINUTES, pc.max(both).as_py() or 0)


def _scale(story: Story, scale: dict[str, Any], top: int, ink: dict[str, str]) -> Spec:
    """The panel of one scale: its band, its limit, its answers."""
    begin = top + 2 * LINE
    score = height(
        "score", [scale["low"], scale["high"]], begin, begin + SCORE,
        left_axis(words.say("participant.axis_score"), tickCount=4, orient="left"),
    )  # fmt: skip
    mine = {"filter": {"field": "scale", "equal": scale["scale"]}}
    of_band, of_limit = (
        {"data": {"name": "marks"}, "transform": [mine, {"filter": f"isValid(datum.{name})"}]}
        for name in ("low", "reaches")
    )
    rule = {"type": "rule", "color": ink["other"], "strokeDash": [6, 3], "strokeWidth": 1.5}
    return {
        "layer": [
            {**of_band, "mark": {"type": "rect", "color": ink["band"], "aria": False},
             "encoding": {"y": {**score, "field": "low"}, "y2": {"field": "high"}}},
            {**of_limit, "mark": rule, "encoding": {"y": {**score, "field": "reaches"}}},
            _targets(begin, ink),
            _answers(score, mine, ink),
            title(scale["label"], top, ink),
            title(_thresholds(story, scale), top + LINE, ink, "quiet"),
        ]
    }  # fmt: skip


def _thresholds(story: Story, scale: dict[str, Any]) -> str:
    """The second line above a scale: which end is better, what its band and dashed line are."""
    arrow = "\u2191" if scale["better"] == "higher" else "\u2193"
    parts = [f"{words.direction(scale['better'])} {arrow}"]
    if scale["mcid"] is not None:
        parts.append(words.say("participant.band", threshold=words.threshold(scale)))
    if scale["scale"] in story.limits:
        parts.append(words.say("participant.limit", at=f"{story.limits[scale['scale']]:g}"))
    return " \u00b7 ".join(parts)


def _answers(score: Spec, mine: Spec, ink: dict[str, str]) -> Spec:
    tips = [
        tip("visit", words.say("participant.tip_visit")),
        tip("score", words.say("participant.tip_score"), ".1f"),
        tip("score_change", words.say("participant.tip_change"), "+.1f"),
        day_tip("answered_on"),
    ]
    line = {"type": "line", "color": ink["strong"], "strokeWidth": 2,
            "point": {"color": ink["strong"], "size": 60}}  # fmt: skip
    answered = {"filter": "isValid(datum.score) && isValid(datum.answered_on)"}
    return {
        "data": {"name": "scores"},
        "transform": [mine, answered],
        "mark": line,
        "encoding": {"x": on("answered_on"), "y": score, "tooltip": tips},
    }


def _targets(top: int, ink: dict[str, str]) -> Spec:
    rule = {"type": "rule", "color": ink["quiet"], "strokeDash": [2, 3], "clip": True}
    reach = {"y": {"value": top}, "y2": {"value": top + SCORE}}
    return {"data": {"name": "visits"}, "mark": rule,
            "encoding": {"x": on("target_on"), **reach}}  # fmt: skip


def _marks(story: Story) -> pa.Table:
    """Of each scale the one band of its rows within its range, and the limit; blank where none."""
    rows = []
    for scale in story.scales:
        mine = [row for row in story.scores.rows if row["scale"] == scale["scale"]]
        found = next((row for row in mine if row["band_low"] is not None), None)
        low = max(found["band_low"], scale["low"]) if found else None
        high = min(found["band_high"], scale["high"]) if found else None
        reaches = story.limits.get(scale["scale"])
        rows.append({"scale": scale["scale"], "low": low, "high": high, "reaches": reaches})
    kinds = {"scale": pa.string(), **dict.fromkeys(("low", "high", "reaches"), pa.float64())}
    return pa.Table.from_pylist(rows, schema=pa.schema(list(kinds.items())))


def _axis_of_days(span: Span, ink: dict[str, str]) -> Spec:
    """The first layer sets the days that the whole chart shows: a dotted rule at each target."""
    domain = [{"year": d.year, "month": d.month, "date": d.day, "utc": True} for d in span]
    days = {**on("target_on"), "scale": {"type": "utc", "domain": domain, "nice": False}}
    rule = {"type": "rule", "color": ink["quiet"], "strokeDash": [2, 3], "clip": True}
    reach = {"y": {"value": 0}, "y2": {"value": STEPS}}
    return {"data": {"name": "visits"}, "mark": rule, "encoding": {"x": days, **reach}}
