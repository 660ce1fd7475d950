"""Charts of dots: improvement beside activity and sessions, within and between participants."""

from __future__ import annotations

from typing import Any

from dashboard import words
from dashboard.charts.vega import INK, Chart, Spec, left_axis, legend, tip
from dashboard.queries.asking import Answer


def within(visits: Answer, slope: dict[str, Any] | None, theme: str) -> Chart:
    """Visits against the participant's own means, with the slope within as a line."""
    alt = words.say("outcomes.within_alt", n=counted(visits, "visits"))
    spec = _scatter(visits, "steps_within", "points",
                    words.say("outcomes.steps_within"), words.say("outcomes.points_within"),
                    slope, theme)  # fmt: skip
    return Chart(spec, alt, visits, "activity_outcome")


def between(people: Answer, scale: dict[str, Any], theme: str) -> Chart:
    """Participants against each other: own mean steps and own mean score, as it is."""
    y = words.say("outcomes.own_score", direction=words.direction(scale["better"]))
    alt = words.say("outcomes.between_alt", n=counted(people, "participants"))
    spec = _scatter(people, "steps_own_mean", "mean_score", words.say("outcomes.own_steps"), y,
                    None, theme)  # fmt: skip
    return Chart(spec, alt, people, "activity_outcome")


def by_sessions(people: Answer, theme: str) -> Chart:
    """Improvement beside the number of sessions attended."""
    alt = words.say("outcomes.sessions_alt", n=counted(people, "participants"))
    spec = _scatter(people, "attended", "improvement", words.say("outcomes.sessions"),
                    words.say("outcomes.improvement"), None, theme)  # fmt: skip
    return Chart(spec, alt, people, "treatment")


def in_cells(dots: Answer) -> bool:
    """Whether a dot stands for all that lie close to it."""
    return "participant_id" not in dots.table.column_names


def counted(dots: Answer, of: str) -> int:
    """How many participants or visits the dots stand for."""
    return sum(dots.column(of)) if in_cells(dots) else len(dots)


def _scatter(
    answer: Answer, x: str, y: str, x_title: str, y_title: str,
    slope: dict[str, Any] | None, theme: str,
) -> Spec:  # fmt: skip
    ink = INK[theme]
    across = {"field": x, "type": "quantitative", "scale": {"zero": False},
              "axis": {"title": x_title, "format": ",d", "tickCount": 5}}  # fmt: skip
    up = {"field": y, "type": "quantitative", "scale": {"zero": False},
          "axis": left_axis(y_title, tickCount=5)}  # fmt: skip
    tips = [tip(x, x_title, ",.0f"), tip(y, y_title, ".1f" if y == "mean_score" else "+.1f")]
    dots = {"type": "point", "filled": True, "color": ink["strong"], "opacity": 0.55, "size": 28}
    drawn: Spec = {"x": across, "y": up, "tooltip": [*_who(answer), *tips]}
    if in_cells(answer):
        drawn["size"] = {"field": answer.table.column_names[-1], "type": "quantitative",
                         "scale": {"domainMin": 0, "range": [0, 150]},
                         "legend": {**legend(), "title": _who(answer)[0]["title"],
                                    "tickCount": 3, "columns": 3}}  # fmt: skip
    layers: list[Spec] = [{"mark": dots, "encoding": drawn}]
    if slope is not None and len(answer):
        most = max(abs(value) for value in answer.column(x))
        ends = [{x: at, y: slope["slope"] * at / 1000} for at in (-most, most)]
        line = {"type": "line", "color": ink["other"], "strokeWidth": 2}
        layers.append({"data": {"values": ends}, "mark": line, "encoding": {"x": across, "y": up}})
    return {"height": 300, "datasets": {"dots": answer.table}, "data": {"name": "dots"},
            "layer": layers}  # fmt: skip


def _who(dots: Answer) -> list[Spec]:
    """Whose dot it is: a participant's, or of how many."""
    name = dots.table.column_names[-1] if in_cells(dots) else "participant_id"
    return [tip(name, words.table("dots")[name])]
