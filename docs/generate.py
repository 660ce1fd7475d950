#!/usr/bin/env python
"""Writes the pages of docs/ that follow from definitions: `make docs`.

Every function returns one page as text; tests/docs fails while a page on disk says otherwise.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import click
from pydantic import BaseModel

from dags.cli import main as stepwell
from ingestion.source import all_sources
from transforms.instruments import Instrument, Scale, Threshold, read_instruments
from warehouse.schema import Column, Table
from warehouse.study import EXAMPLE, Study, read_study
from warehouse.tables import DERIVED, LANDED, OPS, table_named
from warehouse.tables.derived import DAY_STATES, UNKNOWN_STATES
from warehouse.tables.landed import LAKE_ONLY

HERE = Path(__file__).parent
NOTICE = (
    "<!-- Written by `make docs` from the definitions in the code. Edit those, not this page. -->"
)

# {names} are settings of study.toml's [wear] and [wearables].
STATE_RULES = {
    "outside_study": "The participant has withdrawn: the day is on or after `withdrawn_on`. Every "
    "metric is blank, even where data came.",
    "paused": "Between `paused_from` and `paused_to`, both included.",
    "never_connected": "The participant has never given access to a wearable.",
    "consent_lost": "Access was revoked or expired, a permission is missing, or it was given for "
    "another account.",
    "fetch_failed": "Our fault: the newest pull failed by our set-up, by a reply that could not be "
    "read, or by asking too often; or the vendor failed for this participant and few others.",
    "vendor_outage": "The newest pull failed at the vendor, and so did, of every participant's "
    "pull of the source nearest in time (within {outage_hours} hours), at least "
    "{outage_share_pct:g} %. Or nobody's device has synced for {outage_hours} hours, "
    "{stalled_participants} or more of whom had new steps on five of the seven days before, and "
    "this participant's last sync was within {outage_hours} hours of everybody's last. Or the "
    "vendor has retired the source.",
    "pending_sync": "The device has not synced past the day's end, and fewer than "
    "{minute_memory_days} days have gone by since: it may still come. The day in progress is here, "
    "and every day that the exports of a file source do not reach: the next one may.",
    "minutes_lost": "The minutes will not come: {minute_memory_days} days went by without a sync, "
    "or the vendor has a total for the day but no minutes. `steps` is the vendor's total.",
    "not_worn": "Complete, with fewer than {not_worn_below_minutes} minutes of wear; on a device "
    "without heart rate or explicit zeros: no hour with a step between 06:00 and 24:00. No row at "
    "all on a complete day is zero wear and zero steps.",
    "implausible": "More than {implausible_day_steps:,} steps, or more than "
    "{implausible_minute_steps} in one minute, or fewer than {implausible_low_steps} with a valid "
    "day's wear (0 switches that off).",
    "insufficient_wear": "Worn for less than {valid_day_minutes} minutes; on a device without "
    "heart rate or explicit zeros: steps in fewer than {valid_day_step_hours} hours between 06:00 "
    "and 24:00.",
    "valid": "Enough wear, and plausible. A valid day with few steps stays valid.",
}
# Where a definition comes from, by the column, or by the start of its name.
CITATIONS = {
    "cadence_": "Bands after Tudor-Locke et al., Br J Sports Med 2018;52:776.",
    "moderate_": "Threshold: Tudor-Locke et al. 2018 (100 steps a minute, 3 METs).",
    "vigorous_": "Threshold: Tudor-Locke et al. 2018 (130 steps a minute, 6 METs).",
    "mvpa_equivalent_": "World Health Organization guideline: a vigorous minute counts twice.",
    "wear_minutes": "A minute with a heart rate is worn: RAPIDS, Fitbit data yield "
    "(rapids.science); 30 to 220 is our bound. Else the minutes the vendor states, zeros included: "
    "Google Health documents that an absent minute was not worn.",
    "valid_week": "Four days: Troiano et al., Med Sci Sports Exerc 2008;40:181.",
    "valid_day": "Ten hours of wear: Troiano et al., Med Sci Sports Exerc 2008;40:181.",
}


def render_data_dictionary() -> str:
    """Every table with its grain and columns."""
    parts = [
        NOTICE,
        "# Data dictionary",
        "A blank (NULL) is never zero: what a blank means stands with the column. Days are the "
        "participant's own local days; instants end in `_at` and are UTC. Columns and tables "
        "marked *arms* are only in the unblinded file. Words are explained in the "
        "[glossary](glossary.md), rules in [metrics](metrics.md).",
    ]
    for title, tables in (
        ("Landed: facts as received", LANDED),
        ("Derived: what they mean", DERIVED),
        ("How the work went (schema `ops`)", OPS),
    ):
        links = " · ".join(f"[{t.full_name}](#{t.full_name.replace('.', '')})" for t in tables)
        parts += [f"## {title}", links, *(render_table(table) for table in tables)]
    return _page(parts)


def render_table(table: Table) -> str:
    """A table's section: meaning, grain, key, where it is, columns."""
    notes = [f"{table.meaning} One row per {table.grain}; key: {_codes(table.key)}."]
    if table.name in LAKE_ONLY:
        notes.append(
            "Kept in the lake only (Parquet); the published file has what follows from it."
        )
    if table.reveals_arm:
        notes.append("*Arms*: the whole table is only in the unblinded file.")
    if table.reveals_arm_where:
        notes.append(
            f"*Arms*: rows with `{table.reveals_arm_where}` are only in the unblinded file."
        )
    rows = [
        (f"`{c.name}`", c.type.sql.lower(), c.unit, _meaning(c), "arms" * c.reveals_arm)
        for c in table.columns
    ]
    columns = _grid(("column", "type", "unit", "meaning", ""), rows)
    return f"### {table.full_name}\n\n{' '.join(notes)}\n\n{columns}"


def _meaning(column: Column) -> str:
    parts = [column.meaning]
    if column.better:
        parts.append(f"{column.better.capitalize()} is better.")
    if rules := [sentence.removeprefix("is ") for sentence, _ in column.constraints]:
        parts.append(f"Rule: {'; '.join(rules)}.")
    return " ".join(parts)


def render_metrics() -> str:
    """Day states, metrics, weeks and adherence, outcomes, instruments, protocol settings."""
    study = read_study(EXAMPLE)
    return _page(
        [
            NOTICE,
            "# Metrics",
            "What each figure is, in what unit, and where its definition comes from. Numbers are "
            "those of the example study; a study's own stand in its `study.toml`.",
            "## The state of a day",
            "Every participant has one row for every day of the study, with one state: the first "
            "of these that fits. Those from `paused` to `pending_sync` are looked at only where "
            "the day is not complete. A source's day is complete once everything was fetched after "
            "the device had synced past the day's end.",
            _grid(("", "state", "when", "steps"), _states(study)),
            "Two sources are never summed: where both have the day, the protocol's priority "
            "chooses one.",
            "## A day",
            _metrics("participant_day"),
            "## A week",
            _metrics("participant_week"),
            "## Adherence",
            "Adherence (the prescribed activity was done) and completeness (the days are known) "
            "are never mixed. Goal adherence has both denominators: valid days (observed) and "
            "eligible days (strict). `adherent_weeks` and `is_adherent` count a week once its "
            "seven days have ended where the participant lives; so does a cohort's `valid_weeks`.",
            _metrics("adherence"),
            "## Outcomes",
            _metrics("outcome", units_only=False),
            "## Activity before a visit",
            table_named("activity_outcome").meaning,
            _metrics("activity_outcome"),
            "## Instruments",
            "Items are stored as received; scores are computed from them under a versioned rule. "
            "No item's wording is kept here.",
            *(render_instrument(item, study) for item in read_instruments().values()),
            "## Settings of the protocol",
            *(
                f"`[{part}]`\n\n" + _grid(("setting", "example study"), _settings(study, part))
                for part in ("wear", "goals", "activity_before_visit", "wearables")
            ),
        ]
    )


def _states(study: Study) -> Iterator[tuple[str, ...]]:
    if tuple(STATE_RULES) != DAY_STATES:
        raise ValueError("STATE_RULES must have the day states of warehouse/tables, in their order")
    settings = {**study.wear.model_dump(), **study.wearables.model_dump()}
    for number, (state, rule) in enumerate(STATE_RULES.items(), start=1):
        known = "blank" if state in UNKNOWN_STATES else "known"
        steps = "the vendor's total, or blank" if state == "minutes_lost" else known
        yield str(number), f"`{state}`", rule.format(**settings), steps


def _metrics(table_name: str, units_only: bool = True) -> str:
    """The figures of a table: columns with a unit, flags, and (if asked) numbers without unit."""
    rows = [
        (f"`{c.name}`", c.unit, c.meaning, c.better, _citation(c))
        for c in table_named(table_name).columns
        if c.unit or c.type.sql == "BOOLEAN" or (not units_only and c.type.sql == "DOUBLE")
    ]
    return _grid(("metric", "unit", "definition", "better", "source"), rows)


def _citation(column: Column) -> str:
    for name, text in CITATIONS.items():
        if column.name == name or (name.endswith("_") and column.name.startswith(name)):
            return text
    return ""


def render_instrument(instrument: Instrument, study: Study) -> str:
    """An instrument's section: what it asks, its scales with thresholds, its licence."""
    recall = {None: "not stated", 0: "today"}.get(
        instrument.recall_days, f"{instrument.recall_days} days"
    )
    head = (
        f"### {instrument.name} ({instrument.code})\n\n"
        f"Version: {instrument.version}. Answers from {instrument.item_low:g} to "
        f"{instrument.item_high:g}; "
        f"recall: {recall}; scoring version `{instrument.scoring_version}`. {instrument.licence} "
        f"Source: {instrument.citation}."
    )
    rows = [
        (
            f"`{scale.code}`",
            scale.label,
            f"{scale.low:g}-{scale.high:g}",
            scale.better,
            _blanks(scale),
            _thresholds(scale.mic),
            _thresholds(scale.mdc),
            _mcid(scale, study),
        )
        for scale in instrument.scales
    ]
    titles = (
        "scale",
        "name",
        "range",
        "better",
        "blank items",
        "published MIC",
        "MDC",
        "MCID here",
    )
    return f"{head}\n\n{_grid(titles, rows)}"


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


def _settings(study: Study, part: str) -> Iterator[tuple[str, str]]:
    settings: BaseModel = getattr(study, part)
    for name, value in settings.model_dump().items():
        text = ", ".join(value) if isinstance(value, list) else f"{value}"
        yield f"`{name}`", text


def render_sources() -> str:
    """Every source: what it delivers, its era, what it cannot tell (its module's own words)."""
    parts = [
        NOTICE,
        "# Sources",
        "A source can `fetch` (ask the vendor, keep the reply) and `read` (reply to rows). Adding "
        "one is one file in `ingestion/sources` and one test. Rows carry the source's *era*: days "
        "measured by different systems are not compared without saying so.",
    ]
    for name, source in sorted(all_sources().items()):
        module = inspect.getmodule(type(source))
        words = inspect.getdoc(module) or ""
        if not words:
            raise ValueError(
                f"source {name}: its module says nothing of what it can and cannot tell"
            )
        delivers = _codes(sorted(source.delivers))
        era = f" Era: `{source.era}`." if source.era else ""
        parts.append(f"## {name}\n\nDelivers {delivers}.{era}\n\n{words}")
    return _page(parts)


def render_cli() -> str:
    """Every command of `stepwell` with its help text."""
    parts = [NOTICE, "# Commands", "The same steps as the DAGs, by hand."]
    parts += [f"## {path}\n\n```text\n{text}\n```" for path, text in _helps(stepwell, "stepwell")]
    return _page(parts)


def _helps(
    command: click.Command, name: str, above: click.Context | None = None
) -> Iterator[tuple[str, str]]:
    """(path, help text) of a command and of every command below it."""
    context = command.make_context(
        name, [], parent=above, resilient_parsing=True, terminal_width=88, max_content_width=88
    )
    yield context.command_path, command.get_help(context)
    if isinstance(command, click.Group):
        for below in command.list_commands(context):
            yield from _helps(command.commands[below], below, context)


def _codes(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _grid(titles: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """A Markdown table; columns that are empty in every row are left out."""
    listed = list(rows)
    used = [i for i in range(len(titles)) if any(row[i] for row in listed)]
    lines = [tuple(titles[i] for i in used), ("---",) * len(used)]
    lines += [tuple(row[i].replace("|", "\\|") for i in used) for row in listed]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _page(parts: Iterable[str]) -> str:
    return "\n\n".join(parts) + "\n"


PAGES: dict[str, Callable[[], str]] = {
    "data_dictionary.md": render_data_dictionary,
    "metrics.md": render_metrics,
    "sources.md": render_sources,
    "cli.md": render_cli,
}


def main() -> None:
    for name, render in PAGES.items():
        (HERE / name).write_text(render(), encoding="utf-8")
        sys.stdout.write(f"docs/{name}\n")


if __name__ == "__main__":
    main()
