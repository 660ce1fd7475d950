"""The instruments' part of docs/metrics.md: what is asked, how it is scored, what is missing."""

from __future__ import annotations

import inspect
import math
from collections.abc import Iterable
from itertools import groupby

from page_parts import grid

from transforms.instruments import Instrument, Scale, Threshold
from warehouse.study import Study


def render_instrument(instrument: Instrument, study: Study) -> str:
    """An instrument's section: what it asks, its scales with thresholds and bands, its licence."""
    recall = {None: "not stated", 0: "today"}.get(
        instrument.recall_days, f"{instrument.recall_days} days"
    )
    parts = [
        f"### {instrument.name} ({instrument.code})",
        f"Version: {instrument.version}. Answers {_answers(instrument)}; "
        f"recall: {recall}; scoring version `{instrument.scoring_version}`. {instrument.licence} "
        f"Source: {instrument.citation}.",
        *(
            f"Safety event `{rule.kind}`: item {rule.item} at {rule.at_least:g} or more."
            for rule in instrument.safety_rules
        ),
        grid(SCALE_TITLES, [_scale_row(instrument, scale, study) for scale in instrument.scales]),
    ]
    return "\n\n".join(parts)


SCALE_TITLES = (
    "scale",
    "name",
    "range",
    "better",
    "items",
    "scoring",
    "blank items",
    "bands",
    "published MIC",
    "MDC",
    "MCID here",
    "note",
)


def _scale_row(instrument: Instrument, scale: Scale, study: Study) -> tuple[str, ...]:
    return (
        f"`{scale.code}`",
        scale.label,
        f"{scale.low:g} to {scale.high:g}",
        scale.better,
        listed(instrument, scale.items),
        _scoring(instrument, scale),
        _blanks(scale),
        _bands(scale),
        _thresholds(scale.mic),
        _thresholds(scale.mdc),
        _mcid(scale, study),
        scale.note,
    )


def _answers(instrument: Instrument) -> str:
    usual = f"from {instrument.item_low:g} to {instrument.item_high:g}"
    others = [
        f"{', '.join(answer.items)} "
        + (
            " or ".join(f"{one:g}" for one in answer.allowed)
            or f"from {answer.low:g} to {answer.high:g}"
        )
        for answer in instrument.other_answers
    ]
    twice = "of two marks the higher counts" if instrument.marked_twice == "higher" else ""
    return "; ".join(part for part in (usual, *others, twice) if part)


def _scoring(instrument: Instrument, scale: Scale) -> str:
    """The scoring in words: what a function of the instrument's own says of itself, else itself."""
    words = inspect.getdoc(getattr(scale.scoring, "func", scale.scoring)) or ""
    if len(scale.items) == 1:
        words = "The answer itself."
    found = [words.partition("\n\n")[0].replace("\n", " ")]
    if scale.reverse:
        found.append(f"Reversed (lowest + highest - answer): {listed(instrument, scale.reverse)}.")
    if scale.needs_besides:
        found.append(f"Needs besides: {listed(instrument, scale.needs_besides)}.")
    if scale.rounding == "up":
        found.append("Rounded up to a whole number.")
    if scale.table:
        found.append(
            f"Looked up in the study's own table (`{scale.table.columns[0]}`, "
            f"`{scale.table.columns[1]}`)."
        )
    return " ".join(found)


def _bands(scale: Scale) -> str:
    if not scale.bands:
        return ""
    edges = [
        f"{band.label}: {'below' if band.below is not None else 'to'} {band.edge:g}"
        for band in scale.bands
    ]
    how = "rounded, half up; " if scale.bands_on == "rounded" else ""
    return f"{'; '.join(edges)} ({how}{scale.bands_source})"


def _blanks(scale: Scale) -> str:
    if not scale.missing.at_most:
        return "none allowed"
    applies = "; all blank: not applicable" if scale.blank_is_not_applicable else ""
    return f"up to {scale.missing.at_most} ({scale.missing.method}){applies}"


def _thresholds(thresholds: Iterable[Threshold]) -> str:
    return "; ".join(f"{t.value:g} {t.kind} ({t.source})" for t in thresholds)


def _mcid(scale: Scale, study: Study) -> str:
    found = [o for o in study.outcomes if o.scale == scale.code and o.mcid is not None]
    return "; ".join(f"{outcome.mcid:g} {outcome.mcid_kind}" for outcome in found)


def listed(instrument: Instrument, items: Iterable[str]) -> str:
    """Items in the instrument's order, three or more in a row as `1 to 9`.

    A run is of items that are numbers; others are named.
    """
    named = sorted(items, key=instrument.items.index)
    runs = []
    for _, run in groupby(enumerate(named), lambda one: _number(one[1]) - one[0]):
        found = [item for _, item in run]
        runs += [f"{found[0]} to {found[-1]}"] if len(found) > 2 else found
    return ", ".join(runs)


def _number(item: str) -> float:
    """An item's number, for runs; of a name one that equals no other, and so is in no run."""
    return int(item) if item.isdecimal() else math.nan
