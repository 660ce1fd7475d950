"""The flow of participants as boxes (CONSORT, STROBE): one SVG, for the page and for a paper."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from dashboard import words
from dashboard.charts.vega import INK
from dashboard.queries.asking import Rows
from dashboard.words import say

WIDTH, GAP, LINE, PAD = 300, 26, 21, 12


@dataclass(frozen=True)
class Column:
    """One column of boxes: everybody, a site or an arm, with its stages as `queries.stages`."""

    title: str
    stages: Rows


@dataclass(frozen=True)
class Box:
    lines: tuple[str, ...]
    aside: bool = False
    """A box beside the way: who left it."""

    @property
    def height(self) -> int:
        return 2 * PAD + LINE * len(self.lines)


def boxes_of(stages: Rows) -> list[Box]:
    """The boxes of one column, in order: the enrolled, each visit that has come due, who is left.

    Who starts and who connects is told of the enrolled: neither is a step that all go through.
    """
    of: dict[str, dict[str, int]] = {}
    for row in stages:
        of.setdefault(row["visit"], {})[row["stage"]] = row["participants"]
    everybody = of.pop("", {})
    told = _lines(everybody)
    boxes = [Box((told["recruited"], told["started"], told["connected"]))]
    for visit, counts in of.items():
        if counts["visit_due"]:
            first, *rest = _lines(counts).values()
            boxes.append(Box((f"{visit}. {first}", *rest)))
    return [*boxes, Box((told["withdrawn"],), aside=True), Box((told["in_study"],))]


def _lines(counts: dict[str, int]) -> dict[str, str]:
    """A line of a box for each stage."""
    named = words.table("stages")
    return {stage: f"{named[stage]}: {words.count(n)}" for stage, n in counts.items()}


def in_words(columns: Sequence[Column]) -> str:
    """Every box as text, for whoever cannot see the picture."""
    told = [f"{say('flow.boxes')}."]
    for column in columns:
        lines = [", ".join(box.lines) for box in boxes_of(column.stages)]
        told.append(f"{column.title}. {'; '.join(lines)}.")
    return " ".join(told)


def draw(columns: Sequence[Column], theme: str) -> str:
    """The boxes as an SVG document of its own: no script, no outside font, text stays text."""
    ink = INK[theme]
    drawn = [_column(column, i * (WIDTH + GAP) + GAP, theme) for i, column in enumerate(columns)]
    width = len(columns) * (WIDTH + GAP) + GAP
    height = max(bottom for _, bottom in drawn) + GAP
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" role="img" font-family="sans-serif" font-size="15">'
        f"<title>{escape(in_words(columns))}</title>"
        f'<rect width="{width}" height="{height}" fill="{ink["paper"]}"/>'
        + "".join(marks for marks, _ in drawn)
        + "</svg>"
    )


def _column(column: Column, left: int, theme: str) -> tuple[str, int]:
    """A column's marks and its lowest edge."""
    first, *others = boxes_of(column.stages)
    marks, top, above = [], GAP, 0
    for box in [Box((column.title, *first.lines)), *others]:
        shift = 44 if box.aside else 0
        marks.append(_arrow(left, above, top, box, theme) if above else "")
        marks.append(_box(box, left + shift, top, WIDTH - shift, theme))
        if not box.aside:
            above = top + box.height
        top += box.height + GAP
    return "".join(marks), top - GAP


def _box(box: Box, left: int, top: int, width: int, theme: str) -> str:
    ink = INK[theme]
    dash = ' stroke-dasharray="5 3"' if box.aside else ""
    frame = (
        f'<rect x="{left}" y="{top}" width="{width}" height="{box.height}" rx="4" fill="none" '
        f'stroke="{ink["text"]}" stroke-width="1.3"{dash}/>'
    )
    lines = [
        f'<text x="{left + PAD}" y="{top + PAD + 15 + LINE * i}" fill="{ink["text"]}" '
        f'font-weight="{"normal" if i else "bold"}">{escape(line)}</text>'
        for i, line in enumerate(box.lines)
    ]
    return frame + "".join(lines)


def _arrow(left: int, above: int, top: int, box: Box, theme: str) -> str:
    """From the box above down to this one, or sideways into one beside the way."""
    ink, x = INK[theme]["text"], left + 22
    if box.aside:
        y, tip = top + box.height // 2, left + 44
        line = f"M{x} {above}V{y}H{tip - 6}"
        head = f"M{tip} {y}l-7 -4v8z"
    else:
        line, head = f"M{x} {above}V{top - 6}", f"M{x} {top}l-4 -7h8z"
    return (
        f'<path d="{line}" fill="none" stroke="{ink}" stroke-width="1.3"/>'
        f'<path d="{head}" fill="{ink}"/>'
    )
