"""Charts of outcomes; each arranges what the published file says and computes nothing."""

from __future__ import annotations

from typing import Any

from dashboard import words
from dashboard.charts.vega import INK, Chart, Spec, left_axis, legend, tip
from dashboard.queries.asking import Answer

MOST_LETTERS = 48  # of all visits together, to stand upright beside each other on a phone


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
    dots = {"mark": _dot(55, ink["strong"]), "encoding": {"y": mean, "tooltip": tips}}
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
    mean = _over_range("mean_score", scale)
    told = {"field": "cohort", "type": "nominal", "title": None, "legend": {"orient": "top"}}
    colour = {**told, "scale": {"domain": names, "range": _repeated(inks, names)}}
    shape = {**told, "scale": {"domain": names, "range": _repeated(_SHAPES, names)}}
    tips = [
        tip("cohort", words.KINDS[kind]),
        tip("visit", words.say("outcomes.visit")),
        tip("mean_score", words.say("outcomes.mean"), ".1f"),
        tip("score_ci_low", words.say("outcomes.ci_low"), ".1f"),
        tip("score_ci_high", words.say("outcomes.ci_high"), ".1f"),
        tip("received", words.say("outcomes.answered")),
    ]
    # beside each other, so that intervals do not hide one another
    offset = {"field": "cohort", "scale": {"domain": names, "paddingOuter": 5}}
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
            {"mark": _dot(60), "encoding": {"y": mean, "shape": shape, "tooltip": tips}},
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
    tips = [tip("visit", words.say("outcomes.visit")), *_responder_tips()]
    n_of = {**_n_of(7, ink), "encoding": {"y": share, "text": {"field": "n_of"}}}
    dots = {"mark": _dot(60, ink["strong"]), "encoding": {"y": share, "tooltip": tips}}
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


def thresholds(found: Answer, scale: dict[str, Any], theme: str) -> Chart:
    """Share of responders by visit at each threshold, with Wilson's interval and n of N."""
    visits, rules = (list(dict.fromkeys(found.column(name))) for name in ("visit", "rule"))
    spec = {
        "height": len(visits) * (16 * len(rules) + 8) + 100,
        "datasets": {"found": found.table},
        "data": {"name": "found"},
        "transform": [{"filter": "isValid(datum.responder_share)"}],
        "encoding": {
            "y": {"field": "visit", "type": "nominal", "sort": visits,
                  "axis": {"title": None, "grid": True, "tickBand": "extent"}},
            "yOffset": {"field": "rule", "sort": rules},
        },
        "layer": _by_rule(rules, INK[theme]),
    }  # fmt: skip
    alt = words.say("outcomes.thresholds_alt", scale=scale["label"])
    return Chart(spec, alt, found, "cohort_responder")


def _by_rule(rules: list[str], ink: dict[str, str]) -> list[Spec]:
    """Interval, dot and n of N of each threshold, told apart by ink and shape."""
    axis = {"title": words.say("outcomes.responders_axis"), "format": "%",
            "values": [0, 0.25, 0.5, 0.75, 1]}  # fmt: skip
    share = {"type": "quantitative", "scale": {"domain": [0, 1.15]}, "axis": axis}  # room for n/N
    low, point, high = ({**share, "field": f"responder_{name}"}
                        for name in ("ci_low", "share", "ci_high"))  # fmt: skip
    told = {"field": "rule", "type": "nominal", "legend": {**legend(), "symbolOpacity": 1}}
    inks = [ink["strong"], ink["other"], ink["quiet"], ink["text"]]
    colour = {**told, "scale": {"domain": rules, "range": _repeated(inks, rules)}}
    shape = {**told, "scale": {"domain": rules, "range": _repeated(_SHAPES, rules)}}
    tips = [tip("visit", words.say("outcomes.visit")), tip("rule", words.say("outcomes.threshold")),
            *_responder_tips()]  # fmt: skip
    return [
        {"mark": {"type": "rule", "strokeWidth": 2},
         "encoding": {"x": low, "x2": {"field": high["field"]}, "color": colour}},
        {"mark": _dot(60),
         "encoding": {"x": point, "color": colour, "shape": shape, "tooltip": tips}},
        {**_n_of(6, ink), "encoding": {"x": high, "text": {"field": "n_of"}}},
    ]  # fmt: skip


def waterfall(people: Answer, scale: dict[str, Any], theme: str) -> Chart:
    """Each participant's improvement as a bar, the greatest first, with the threshold as a rule.

    Of `improvements_together` a bar is as wide as its participants are many.
    """
    ink = INK[theme]
    together = "last_place" in people.table.column_names
    n = max(people.column("last_place")) if together else len(people)
    spec: Spec = {
        "height": 280,
        "datasets": {"people": people.table},
        "data": {"name": "people"},
        "layer": [
            _bars(n, together, ink),
            {"mark": {"type": "rule", "color": ink["text"], "strokeWidth": 1},
             "encoding": {"y": {"datum": 0}}},
        ],
    }  # fmt: skip
    if scale["mcid_kind"] == "points":  # a percentage is another number for each participant
        rule = {"type": "rule", "color": ink["text"], "strokeDash": [5, 3]}
        spec["layer"].append({"mark": rule, "encoding": {"y": {"datum": scale["mcid"]}}})
    alt = words.say("outcomes.waterfall_alt", scale=scale["label"], n=n)
    return Chart(spec, alt, people, "outcome")


def _bars(n: int, together: bool, ink: dict[str, str]) -> Spec:
    """The bars of `n` participants, one each or `together`, coloured by whether it matters."""
    better = {"field": "improvement", "type": "quantitative",
              "axis": left_axis(words.say("outcomes.improvement"), tickCount=6)}  # fmt: skip
    names = ["yes", "no", "not judged"]
    labels = {name: words.say(f"outcomes.judged_{name.replace(' ', '_')}") for name in names}
    colour = {"field": "responder", "type": "nominal", "title": words.say("outcomes.responder"),
              "scale": {"domain": names, "range": [ink["strong"], ink["other"], ink["quiet"]]},
              "legend": {"orient": "top", "labelExpr": _relabel(labels)}}  # fmt: skip
    place = {"field": "place", "type": "quantitative",
             "scale": {"domain": [0.5, n + 0.5], "nice": False},
             "axis": {"title": words.say("outcomes.place"), "tickMinStep": 1, "format": "d",
                      "grid": False}}  # fmt: skip
    first, last = "datum.place - 0.45", "datum.place + 0.45"
    if together:
        first, last = "datum.first_place - 0.5", "datum.last_place + 0.5"
    return {
        "transform": [{"calculate": first, "as": "left"}, {"calculate": last, "as": "right"}],
        "mark": {"type": "rect", "aria": False},
        "encoding": {"x": {**place, "field": "left"}, "x2": {"field": "right"}, "y": better,
                     "y2": {"datum": 0}, "color": colour, "tooltip": _bar_tips(together)},
    }  # fmt: skip


def _bar_tips(together: bool) -> list[Spec]:
    improvement = tip("improvement", words.say("outcomes.improvement"), "+.1f")
    if together:
        return [tip("participants", words.say("outcomes.participants")), improvement]
    return [
        tip("participant_id", words.say("outcomes.participant")),
        improvement,
        tip("baseline_score", words.say("outcomes.baseline"), ".1f"),
        tip("score", words.say("outcomes.score"), ".1f"),
    ]


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
            {"mark": _dot(60, ink["strong"]),
             "encoding": {"x": figure, "tooltip": tips}},
        ],
    }  # fmt: skip
    return Chart(spec, words.say("outcomes.rules_alt", what=title), rules, "wear_rule_sensitivity")


def _n_of(beside: int, ink: dict[str, str]) -> Spec:
    """How many of how many, written beside their share where that is told."""
    return {
        "transform": [
            {"filter": "isValid(datum.responder_share)"},
            {"calculate": "datum.responders + '/' + datum.evaluable", "as": "n_of"},
        ],
        "mark": {"type": "text", "align": "left", "dx": beside, "fontSize": 11,
                 "color": ink["text"]},
    }  # fmt: skip


def _dot(size: int, colour: str = "") -> Spec:
    mark: Spec = {"type": "point", "filled": True, "opacity": 1, "size": size}
    return {**mark, "color": colour} if colour else mark


def _responder_tips() -> list[Spec]:
    return [
        tip("responders", words.say("outcomes.responders")),
        tip("evaluable", words.say("outcomes.evaluable")),
        tip("responder_share", words.say("outcomes.share"), ".0%"),
        tip("responder_ci_low", words.say("outcomes.ci_low"), ".0%"),
        tip("responder_ci_high", words.say("outcomes.ci_high"), ".0%"),
    ]


def _repeated(inks: list[str], names: list[str]) -> list[str]:
    return [inks[n % len(inks)] for n in range(len(names))]


def _interval(of: Spec, name: str, colour: str = "") -> Spec:
    mark: Spec = {"type": "rule", "strokeWidth": 2}
    ends = {"y": {**of, "field": f"{name}_ci_low"}, "y2": {"field": f"{name}_ci_high"}}
    return {"mark": {**mark, "color": colour} if colour else mark, "encoding": ends}


def _visit_axis(answer: Answer) -> Spec:
    order = list(dict.fromkeys(answer.column("visit")))
    angle = 0 if sum(map(len, order)) <= MOST_LETTERS else -40
    axis = {"title": None, "labelAngle": angle, "labelOverlap": False, "labelFlush": False,
            "grid": False}  # fmt: skip
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
_SHAPES = ["circle", "square", "triangle-up"]
