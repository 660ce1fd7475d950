"""One page of a participant as a PDF, for their file: drawn here, as vectors, pseudonym only.

It is made from the very file that the page on screen shows, when it is asked for, and holds what
that page holds: nothing of the arms where they are hidden.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from dashboard import exports, words
from dashboard.lettering import GAP, INK, QUIET, Paper, paper
from dashboard.participant_facts import about, facts_of
from dashboard.queries import common
from dashboard.queries import participant as queries
from dashboard.queries.asking import Answer
from dashboard.scope import open_scoped
from dashboard.shell import Page
from dashboard.words import say

MARGIN, WIDTH = 15.0, 180.0  # mm, of A4
TOP, TALL = 66.0, 62.0  # the timeline
ROWS_FROM, ROW, ROWS_TALL = 158.0, 5.2, 100.0  # the table: a line, and all of them at most
MOST_VISITS = 7  # beside each other, so that "Baseline" can be read above its column


@dataclass(frozen=True)
class Told:
    """All that the page of paper says."""

    person: Answer
    days: Answer
    visits: Answer
    scores: Answer
    scales: list[dict[str, Any]]


def button(page: Page, who: str) -> None:
    """The button that makes the page of paper; taking it is on the audit trail."""
    path = _path(page)
    name = f"participant_{who}.pdf"
    exports.button(page, say("participant.report"), name, lambda: make(page, who, path))


def make(page: Page, who: str, path: Path) -> bytes:
    """The PDF of a participant whom the viewer may see, from the build at `path`."""
    with closing(open_scoped(path, page.viewer.sites)) as con:
        known = {scale["scale"]: scale for scale in common.scales(con)}
        scales = [known[one.scale] for one in page.study.outcomes if one.scale in known]
        told = Told(
            queries.facts(con, who, [scale["scale"] for scale in scales]),
            queries.days(con, who),
            queries.visits(con, who),
            queries.scores(con, who),
            scales,
        )
    return _drawn(page, who, told)


def _path(page: Page) -> Path:
    """The file that is open, which stays the same when another build is published."""
    found = "SELECT path FROM duckdb_databases() WHERE database_name = 'warehouse'"
    return Path(page.con.sql(found).fetchall()[0][0])


def _drawn(page: Page, who: str, told: Told) -> bytes:
    with paper(MARGIN) as pdf:
        pdf.set_title(say("report.title", who=who))
        pdf.set_creation_date(page.build["as_of"])
        pdf.set_lang("en")
        _head(pdf, page, who, told)
        if len(told.days):
            _timeline(pdf, told)
        else:
            pdf.put(MARGIN, TOP, say("report.nothing"))
        _outcomes(pdf, told)
        _foot(pdf, page)
        return bytes(pdf.output())


def _head(pdf: Paper, page: Page, who: str, told: Told) -> None:
    pdf.put(MARGIN, 20, say("report.title", who=who), size=18, bold=True)
    pdf.put(MARGIN, 27, page.study.study.title, size=9, colour=QUIET)
    pdf.put(MARGIN, 33, about(page, told.person.row), size=9)
    across = WIDTH / 4
    for n, figure in enumerate(facts_of(page, told.person.row, told.scales)):
        x, y = MARGIN + across * (n % 4), 41 + 11 * (n // 4)
        pdf.put(x, y, figure.label, size=8, colour=QUIET)
        pdf.put(x, y + 5, figure.value, size=11, bold=True)


def _timeline(pdf: Paper, told: Told) -> None:
    """A bar a day, coloured by its state; the goal dashed; visit windows along the top."""
    rows = told.days.rows
    first, last = rows[0]["activity_date"], rows[-1]["activity_date"]
    step = WIDTH / max(1, (last - first).days + 1)
    plausible = [row["steps"] for row in rows if row["day_state"] != "implausible"]
    goals = [row["goal_steps"] for row in rows]
    most = 1.1 * max(filter(None, [*plausible, *goals]), default=1000)
    pdf.put(MARGIN, TOP - 2, say("report.steps"), size=9, bold=True)
    _windows(pdf, told, first, last, step)
    _scale_of_steps(pdf, most)
    for row in rows:
        _bar(pdf, row, MARGIN + step * (row["activity_date"] - first).days, step, most)
    _goal(pdf, rows, first, step, most)
    for n in range(0, (last - first).days + 1, max(7, 7 * ((last - first).days // 56))):
        day = date.fromordinal(first.toordinal() + n)
        pdf.put(MARGIN + step * n, TOP + TALL + 4, f"{day.day} {day:%b}", size=7, colour=QUIET)
    _legend(pdf)


def _windows(pdf: Paper, told: Told, first: date, last: date, step: float) -> None:
    """Each visit's window, and its name where no other's is in the way."""
    free = MARGIN
    for row in told.visits.rows:
        begins, ends = max(row["opens_on"], first), min(row["after_close"], last)
        if begins < ends:
            x = MARGIN + step * (begins - first).days
            pdf.set_fill_color(200, 205, 212)
            pdf.rect(x, TOP, step * (ends - begins).days - 0.4, 1.4, style="F")
            if x >= free:
                pdf.put(x + 0.5, TOP + 4.4, row["visit"], size=6.5, colour=QUIET)
                free = x + 1 + pdf.get_string_width(row["visit"])


def _scale_of_steps(pdf: Paper, most: float) -> None:
    unit = next(n for n in (500, 1000, 2000, 5000, 10_000, 20_000) if most / n < 6 or n == 20_000)
    pdf.set_draw_color(225, 228, 232)
    pdf.set_line_width(0.1)
    for steps in range(0, int(most) + 1, unit):
        y = _y(steps, most)
        pdf.line(MARGIN, y, MARGIN + WIDTH, y)
        pdf.put(MARGIN - 11, y + 1, words.count(steps), size=7, colour=QUIET)


def _bar(pdf: Paper, row: dict[str, Any], x: float, wide: float, most: float) -> None:
    group = next((one for one in words.GROUPS if one.code == row["day_group"]), words.GROUPS[-1])
    red, green, blue = (int(group.light[at : at + 2], 16) for at in (1, 3, 5))
    if row["provisional"]:  # as pale as on screen
        red, green, blue = (round(255 - 0.55 * (255 - part)) for part in (red, green, blue))
    pdf.set_fill_color(red, green, blue)
    top = TOP + TALL - 1.2 if row["steps"] is None else _y(min(row["steps"], most), most)
    pdf.rect(x, top, 0.86 * wide, TOP + TALL - top, style="F")


def _goal(pdf: Paper, rows: list[dict[str, Any]], first: date, step: float, most: float) -> None:
    pdf.set_draw_color(*INK)
    pdf.set_line_width(0.3)
    pdf.set_dash_pattern(dash=1, gap=0.7)
    for row in rows:
        if row["goal_steps"] is not None:
            x, y = MARGIN + step * (row["activity_date"] - first).days, _y(row["goal_steps"], most)
            pdf.line(x, y, x + step, y)
    pdf.set_dash_pattern()


def _y(steps: float, most: float) -> float:
    return TOP + TALL - (TALL - 6) * steps / most


def _legend(pdf: Paper) -> None:
    for n, group in enumerate(words.GROUPS):
        x, y = MARGIN + 90 * (n % 2), TOP + TALL + 8 + 4 * (n // 2)
        pdf.set_fill_color(*(int(group.light[at : at + 2], 16) for at in (1, 3, 5)))
        pdf.rect(x, y - 2, 3, 2.4, style="F")
        pdf.put(x + 4.5, y, group.label, size=7.5)
    told = f"{say('report.legend_goal')}. {say('report.provisional')}."
    pdf.put(MARGIN, TOP + TALL + 20, told, size=7.5, colour=QUIET)


def _outcomes(pdf: Paper, told: Told) -> None:
    """A row a scale: direction, n, the newest visits' scores, the newest change."""
    every = list(dict.fromkeys(told.scores.column("visit")))
    visits = every if len(every) <= MOST_VISITS else _due(told)[-MOST_VISITS:]
    pdf.put(MARGIN, ROWS_FROM, say("report.outcomes"), size=9, bold=True)
    heads = [say(f"report.column_{name}") for name in ("outcome", "direction", "n")]
    cells = [[*heads, *visits, say("report.column_change")]]
    cells += [_line(told, scale, visits) for scale in told.scales]
    wide = [58.0, 24.0, 6.0, *[(WIDTH - 100) / max(1, len(visits))] * len(visits), 12.0]
    tall = min(ROW, ROWS_TALL / len(cells))
    for n, line in enumerate(cells):
        x, y = MARGIN, ROWS_FROM + 6 + tall * n
        for cell, across in zip(line, wide, strict=True):
            pdf.put(x, y, cell, size=7.5, bold=n == 0, within=across - 1)
            x += across
        pdf.set_draw_color(225, 228, 232)
        pdf.set_line_width(0.1)
        pdf.line(MARGIN, y + 1.6, MARGIN + WIDTH, y + 1.6)
    cut = say("report.cut", shown=len(visits), visits=len(every)) if visits != every else ""
    _notes(pdf, told.scales, cut, ROWS_FROM + 8 + tall * len(cells))


def _due(told: Told) -> list[str]:
    """The visits that have been due, in the protocol's order."""
    never = [words.STATUSES[code] for code in ("not_due", "outside_study")]
    return list(
        dict.fromkeys(row["visit"] for row in told.scores.rows if row["status"] not in never)
    )


def _line(told: Told, scale: dict[str, Any], visits: list[str]) -> list[str]:
    mine = {row["visit"]: row for row in told.scores.rows if row["scale"] == scale["scale"]}
    scored = [row for row in mine.values() if row["score"] is not None]
    changed = [row for row in scored if row["score_change"] is not None and row["answered_on"]]
    newest = max(changed, key=lambda row: row["answered_on"], default=None)
    return [
        scale["label"],
        words.direction(scale["better"]),
        str(len(scored)),
        *(_score(mine.get(visit)) for visit in visits),
        f"{newest['score_change']:+.1f}" if newest else words.NOTHING,
    ]


def _score(row: dict[str, Any] | None) -> str:
    if row is None:
        return ""
    return words.NOTHING if row["score"] is None else f"{row['score']:.1f}"


def _notes(pdf: Paper, scales: list[dict[str, Any]], cut: str, y: float) -> None:
    judged = [scale for scale in scales if scale["mcid"] is not None]
    matters = [
        say("report.matters", label=scale["label"], threshold=words.threshold(scale))
        for scale in judged
    ]
    told = say("report.note", thresholds="; ".join(matters) or words.NOTHING)
    pdf.put_block(MARGIN, y, WIDTH, f"{cut} {told}".strip(), size=7.5, tall=3.6)


def _foot(pdf: Paper, page: Page) -> None:
    build = page.build
    told = say(
        "report.foot",
        day=words.day(build["data_to"]), as_of=words.moment(build["as_of"]),
        build=build["build_id"], code=build["code_version"],
        arms=say("common.arms_hidden" if build["masked"] else "common.arms_shown"),
    )  # fmt: skip
    pdf.put(MARGIN, 285, told, size=7, colour=QUIET)
    if pdf.has_gaps:
        pdf.put(MARGIN, 289, say("report.gaps", gap=GAP), size=7, colour=QUIET)
