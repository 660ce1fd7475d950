"""Charts of outcomes; each arranges what the published file says and computes nothing."""

from __future__ import annotations

from typing import Any

from dashboard import words
from dashboard.charts.vega import INK, Chart, Spec, left_axis, tip
from dashboard.queries.asking import Answer


def visit_means(outcomes: Answer, scale: dict[str, Any], theme: str) -> Chart:
    """Mean score of a cohort by visit with its 95 % interval, over the scale's whole range."""
    ink = INK[theme]
    mean = _over_range("mean_score", scale)
    tips = [
        tip("visit", words.say("outcomes.visit")),
        tip("mean_score", words.say("outcomes.mean"), ".1f"),
        tip("score_ci_low", words.say("outcomes.ci_low"), ".1f"),
        tip("score_ci_high", words.say("outcomes.ci_high"), ".1f"),
        tip("received", words.say("outcomes.answered")),
        tip("expected", words.say("outcomes.expected")),
    ]
    line = {"mark": {"type": "line", "color": ink["strong"], "strokeWidth": 1.5},
            "transform": [{"filter": "isValid(datum.week)"}],  # discharge has no fixed day
            "encoding": {"y": mean}}  # fmt: skip
    dots = {"mark": {"type": "point", "filled": True, "color": ink["strong"], "size": 55},
            "encoding": {"y": mean, "tooltip": tips}}  # fmt: skip
    spec = {
        "height": 260,
        "datasets": {"visits": outcomes.table},
        "data": {"name": "visits"},
        "encoding": {"x": _visit_axis(outcomes)},
        "layer": [_interval(mean, "score", ink["strong"]), line, dots],
    }
    alt = words.say("outcomes.means_alt", scale=scale["label"], range=_range(scale))
    return Chart(spec, alt, outcomes, "cohort_outcome")


def side_by_side(cohorts: Answer, scale: dict[str, Any], kind: str, theme: str) -> Chart:
    """Mean score by visit of two or more cohorts, told apart by ink, dash and shape."""
    ink = INK[theme]
    names = list(dict.fromkeys(cohorts.column("cohort")))
    inks = [ink["strong"], ink["other"], ink["quiet"]]
    shapes = ["circle", "square", "triangle-up"]
    mean = _over_range("mean_score", scale)
    told = {"field": "cohort", "type": "nominal", "title": None, "legend": {"orient": "top"}}
    colour = {**told, "scale": {"domain": names, "range": [inks[n % 3] for n in range(len(names))]}}
    shape = {
        **told,
        "scale": {"domain": names, "range": [shapes[n % 3] for n in range(len(names))]},
    }
    tips = [
        tip("cohort", words.KINDS[kind]),
        tip("visit", words.say("outcomes.visit")),
        tip("mean_score", words.say("outcomes.mean"), ".1f"),
        tip("score_ci_low", words.say("outcomes.ci_low"), ".1f"),
        tip("score_ci_high", words.say("outcomes.ci_high"), ".1f"),
        tip("received", words.say("outcomes.answered")),
    ]
    # beside each other, so that intervals do not hide one another
    offset = {"field": "cohort", "scale": {"domain": names, "paddingOuter": 0.4}}
    lines = [
        {"transform": [{"filter": {"field": "cohort", "equal": name}}],
         "mark": {"type": "line", "strokeWidth": 1.5, "strokeDash": _DASHES[n % 3]},
         "encoding": {"y": mean}}
        for n, name in enumerate(names)
    ]  # fmt: skip
    spec = {
        "height": 260,
        "datasets": {"cohorts": cohorts.table},
        "data": {"name": "cohorts"},
        "encoding": {"x": _visit_axis(cohorts), "xOffset": offset, "color": colour},
        "layer": [
            _interval(mean, "score"),
            *lines,
            {"mark": {"type": "point", "filled": True, "size": 60},
             "encoding": {"y": mean, "shape": shape, "tooltip": tips}},
        ],
    }  # fmt: skip
    alt = words.say("outcomes.beside_alt", scale=scale["label"], range=_range(scale),
                    kind=words.KINDS[kind])  # fmt: skip
    return Chart(spec, alt, cohorts, "cohort_outcome")


def responders(outcomes: Answer, scale: dict[str, Any], theme: str) -> Chart:
    """Share of responders by visit with Wilson's interval, and n of N beside each."""
    ink = INK[theme]
    share = {"field": "responder_share", "type": "quantitative", "scale": {"domain": [0, 1]},
             "axis": left_axis(
                 words.say("outcomes.responders_axis"), format="%", tickCount=5)}  # fmt: skip
    tips = [
        tip("visit", words.say("outcomes.visit")),
        tip("responders", words.say("outcomes.responders")),
        tip("evaluable", words.say("outcomes.evaluable")),
        tip("responder_share", words.say("outcomes.share"), ".0%"),
        tip("responder_ci_low", words.say("outcomes.ci_low"), ".0%"),
        tip("responder_ci_high", words.say("outcomes.ci_high"), ".0%"),
    ]
    n_of = {
        "transform": [
            {"filter": "isValid(datum.responder_share)"},
            {"calculate": "datum.responders + '/' + datum.evaluable", "as": "n_of"},
        ],
        "mark": {"type": "text", "align": "left", "dx": 7, "fontSize": 11, "color": ink["text"]},
        "encoding": {"y": share, "text": {"field": "n_of"}},
    }
    dots = {"mark": {"type": "point", "filled": True, "color": ink["strong"], "size": 60},
            "encoding": {"y": share, "tooltip": tips}}  # fmt: skip
    spec = {
        "height": 260,
        "datasets": {"visits": outcomes.table},
        "data": {"name": "visits"},
        "transform": [{"filter": "isValid(datum.week) && datum.week > 0"}],
        "encoding": {"x": _visit_axis(outcomes)},
        "layer": [_interval(share, "responder", ink["strong"]), dots, n_of],
    }
    alt = words.say("outcomes.responders_alt", scale=scale["label"])
    return Chart(spec, alt, outcomes, "cohort_outcome")


def waterfall(people: Answer, scale: dict[str, Any], theme: str) -> Chart:
    """Each participant's improvement as a bar, the greatest first, with the threshold as a rule."""
    ink = INK[theme]
    better = {"field": "improvement", "type": "quantitative",
              "axis": left_axis(words.say("outcomes.improvement"), tickCount=6)}  # fmt: skip
    names = ["yes", "no", "not judged"]
    labels = {name: words.say(f"outcomes.judged_{name.replace(' ', '_')}") for name in names}
    colour = {"field": "responder", "type": "nominal", "title": words.say("outcomes.responder"),
              "scale": {"domain": names, "range": [ink["strong"], ink["other"], ink["quiet"]]},
              "legend": {"orient": "top", "labelExpr": _relabel(labels)}}  # fmt: skip
    tips = [
        tip("participant_id", words.say("outcomes.participant")),
        tip("improvement", words.say("outcomes.improvement"), "+.1f"),
        tip("baseline_score", words.say("outcomes.baseline"), ".1f"),
        tip("score", words.say("outcomes.score"), ".1f"),
    ]
    place = {"field": "place", "type": "quantitative",
             "scale": {"domain": [0.5, len(people) + 0.5], "nice": False},
             "axis": {"title": words.say("outcomes.place"), "tickMinStep": 1, "format": "d",
                      "grid": False}}  # fmt: skip
    spec: Spec = {
        "height": 280,
        "datasets": {"people": people.table},
        "data": {"name": "people"},
        "layer": [
            {"transform": [{"calculate": "datum.place - 0.45", "as": "left"},
                           {"calculate": "datum.place + 0.45", "as": "right"}],
             "mark": {"type": "rect", "aria": False},
             "encoding": {"x": {**place, "field": "left"}, "x2": {"field": "right"}, "y": better,
                          "y2": {"datum": 0}, "color": colour, "tooltip": tips}},
            {"mark": {"type": "rule", "color": ink["text"], "strokeWidth": 1},
             "encoding": {"y": {"datum": 0}}},
        ],
    }  # fmt: skip
    if scale["mcid_kind"] == "points":  # a percentage is another number for each participant
        rule = {"type": "rule", "color": ink["text"], "strokeDash": [5, 3]}
        spec["layer"].append({"mark": rule, "encoding": {"y": {"datum": scale["mcid"]}}})
    alt = words.say("outcomes.waterfall_alt", scale=scale["label"], n=len(people))
    return Chart(spec, alt, people, "outcome")


def within(visits: Answer, slope: dict[str, Any] | None, theme: str) -> Chart:
    """Visits against the participant's own means, with the slope within as a line."""
    alt = words.say("outcomes.within_alt", n=len(visits))
    spec = _scatter(visits, "steps_within", "points",
                    words.say("outcomes.steps_within"), words.say("outcomes.points_within"),
                    slope, theme)  # fmt: skip
    return Chart(spec, alt, visits, "activity_outcome")


def between(people: Answer, scale: dict[str, Any], theme: str) -> Chart:
    """Participants against each other: own mean steps and own mean score, as it is."""
    y = words.say("outcomes.own_score", direction=words.direction(scale["better"]))
    alt = words.say("outcomes.between_alt", n=len(people))
    spec = _scatter(people, "steps_own_mean", "mean_score", words.say("outcomes.own_steps"), y,
                    None, theme)  # fmt: skip
    return Chart(spec, alt, people, "activity_outcome")


def by_sessions(people: Answer, theme: str) -> Chart:
    """Improvement beside the number of sessions attended."""
    alt = words.say("outcomes.sessions_alt", n=len(people))
    spec = _scatter(people, "attended", "improvement", words.say("outcomes.sessions"),
                    words.say("outcomes.improvement"), None, theme)  # fmt: skip
    return Chart(spec, alt, people, "treatment")


def wear_rules(rules: Answer, name: str, title: str, theme: str) -> Chart:
    """One conclusion under each wear rule: figure and interval, a row a rule."""
    ink = INK[theme]
    figure = {"field": name, "type": "quantitative", "axis": {"title": title, "tickCount": 5},
              "scale": {"zero": False}}  # fmt: skip
    rule = {"field": "rule", "type": "nominal", "sort": rules.column("rule"),
            "axis": {"title": None, "labelLimit": 330, "minExtent": 330}}  # fmt: skip
    tips = [
        tip("rule", words.say("outcomes.rule")),
        tip(name, title, ",.2f"),
        tip(f"{name}_ci_low", words.say("outcomes.ci_low"), ",.2f"),
        tip(f"{name}_ci_high", words.say("outcomes.ci_high"), ",.2f"),
        tip("valid_days", words.say("outcomes.valid_days"), ",d"),
    ]
    ends = {"x": {**figure, "field": f"{name}_ci_low"}, "x2": {"field": f"{name}_ci_high"}}
    spec = {
        "height": 26 * len(rules) + 60,
        "datasets": {"rules": rules.table},
        "data": {"name": "rules"},
        "encoding": {"y": rule},
        "layer": [
            {"mark": {"type": "rule", "color": ink["quiet"]}, "encoding": {"x": {"datum": 0}}},
            {"mark": {"type": "rule", "color": ink["strong"], "strokeWidth": 2}, "encoding": ends},
            {"mark": {"type": "point", "filled": True, "color": ink["strong"], "size": 60},
             "encoding": {"x": figure, "tooltip": tips}},
        ],
    }  # fmt: skip
    return Chart(spec, words.say("outcomes.rules_alt", what=title), rules, "wear_rule_sensitivity")


def _scatter(
    answer: Answer, x: str, y: str, x_title: str, y_title: str,
    slope: dict[str, Any] | None, theme: str,
) -> Spec:  # fmt: skip
    ink = INK[theme]
    across = {"field": x, "type": "quantitative", "scale": {"zero": False},
              "axis": {"title": x_title, "format": ",d", "tickCount": 5}}  # fmt: skip
    up = {"field": y, "type": "quantitative", "scale": {"zero": False},
          "axis": left_axis(y_title, tickCount=5)}  # fmt: skip
    tips = [
        tip("participant_id", words.say("outcomes.participant")),
        tip(x, x_title, ",.0f"),
        tip(y, y_title, ".1f" if y == "mean_score" else "+.1f"),
    ]
    dots = {"type": "point", "filled": True, "color": ink["strong"], "opacity": 0.55, "size": 28}
    layers: list[Spec] = [{"mark": dots, "encoding": {"x": across, "y": up, "tooltip": tips}}]
    if slope is not None and len(answer):
        most = max(abs(value) for value in answer.column(x))
        ends = [{x: at, y: slope["slope"] * at / 1000} for at in (-most, most)]
        line = {"type": "line", "color": ink["other"], "strokeWidth": 2}
        layers.append({"data": {"values": ends}, "mark": line, "encoding": {"x": across, "y": up}})
    return {"height": 300, "datasets": {"dots": answer.table}, "data": {"name": "dots"},
            "layer": layers}  # fmt: skip


def _interval(of: Spec, name: str, colour: str = "") -> Spec:
    mark: Spec = {"type": "rule", "strokeWidth": 2}
    ends = {"y": {**of, "field": f"{name}_ci_low"}, "y2": {"field": f"{name}_ci_high"}}
    return {"mark": {**mark, "color": colour} if colour else mark, "encoding": ends}


def _visit_axis(answer: Answer) -> Spec:
    axis = {"title": None, "labelAngle": -40, "labelOverlap": False, "grid": False}
    order = list(dict.fromkeys(answer.column("visit")))
    return {"field": "visit", "type": "ordinal", "sort": order, "axis": axis}


def _over_range(field: str, scale: dict[str, Any]) -> Spec:
    domain = {"domain": [scale["low"], scale["high"]], "nice": False}
    title = words.say("outcomes.mean_axis", direction=words.direction(scale["better"]))
    axis = left_axis(title, tickCount=5)
    return {"field": field, "type": "quantitative", "scale": domain, "axis": axis}


def _range(scale: dict[str, Any]) -> str:
    return words.say("outcomes.range", low=f"{scale['low']:g}", high=f"{scale['high']:g}",
                     direction=words.direction(scale["better"]))  # fmt: skip


def _relabel(labels: dict[str, str]) -> str:
    """A Vega expression that gives codes their words."""
    cases = "".join(f"datum.value === '{code}' ? '{label}' : " for code, label in labels.items())
    return f"{cases}datum.value"


_DASHES = [[1, 0], [6, 3], [2, 3]]
