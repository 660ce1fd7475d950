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
from transforms.cohort.goals import derive_goal_proposal
from transforms.instruments import Instrument, Scale, Threshold, read_instruments
from warehouse import disclosure
from warehouse.metrics import read_metrics, weekly_mean
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
    "fetch_failed": "Our fault: nobody has asked since the day ended, {minute_memory_days} days "
    "ago or more; or the newest pull failed by our set-up, by a reply that could not be "
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
    "week_mvpa_minutes": "World Health Organization guideline 2020.",
    "activity_class": "World Health Organization guideline 2020: 150 to 300 minutes a week.",
    "interdaily_stability": "IS. Witting et al., Biol Psychiatry 1990;27:563.",
    "intradaily_variability": "IV. Witting et al., Biol Psychiatry 1990;27:563.",
    "steps_variation": "CV7.",
    "wear_minutes": "A minute with a heart rate is worn: RAPIDS, Fitbit data yield "
    "(rapids.science); 30 to 220 is our bound. Else the minutes the vendor states, zeros included: "
    "Google Health documents that an absent minute was not worn.",
    "valid_week": "Four days: Troiano et al., Med Sci Sports Exerc 2008;40:181.",
    "goal_adherence_": "Both denominators: our rule, so that neither is read for the other.",
    "guideline_": "150 minutes a week: World Health Organization guideline, 2020.",
    "persistence_": "14 days without a valid one: our convention.",
    "is_adherent": "Five goal days a week, 70 % of weeks: our assumption, a setting.",
    "baseline_steps": "Reactivity of the first days is skipped: our assumption, a setting.",
    "proposed_steps": "10 % a week, a percentile (after WalkIT, Adams et al. 2017), or a fixed "
    "increment: settings of the protocol.",
    "steps_within": "Within- and between-person parts: Curran & Bauer, Annu Rev Psychol "
    "2011;62:583.",
    "steps_between": "Curran & Bauer 2011.",
    "reach": "RE-AIM: Glasgow et al., Am J Public Health 1999;89:1322.",
    "adoption": "RE-AIM: Glasgow et al. 1999.",
    "fidelity": "RE-AIM (implementation): Glasgow et al. 1999.",
    "responder_ci_": "Wilson, J Am Stat Assoc 1927;22:209.",
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
            "A minute with steps counts even where no wear is known of it. What rests on wear is "
            "blank on a device that only counts steps. `day_metric` has besides, of each source:",
            _grid(("metric", "unit", "definition", "source"), _beside_days()),
            "## A week",
            _metrics("participant_week"),
            "## Adherence",
            "Adherence (the prescribed activity was done) and completeness (days are known, "
            "answers came) are never mixed. Each has both denominators: of what could be judged "
            "(observed) and of what should count (strict). Weeks count once their seven days have "
            "ended where the participant lives; so does a cohort's `valid_weeks`.",
            _metrics("adherence"),
            "## Completeness of answers",
            *_section("completeness"),
            "## Goals",
            *_section("baseline_activity"),
            *_section("goal_proposal"),
            inspect.cleandoc(derive_goal_proposal.__doc__ or ""),
            "## Outcomes",
            _metrics("outcome", units_only=False),
            "## Responders",
            *_section("responder"),
            "## Activity before a visit",
            *_section("activity_outcome"),
            "## Treatment",
            *_section("treatment"),
            *_section("implementation"),
            "## Cohorts",
            inspect.cleandoc(disclosure.__doc__ or ""),
            *_section("cohort_outcome", units_only=False),
            *_section("cohort_responder"),
            *_section("flow"),
            "## What the wear rule changes",
            *_section("wear_rule_sensitivity"),
            "## Instruments",
            "Items are stored as received; scores are computed from them under a versioned rule. "
            "No item's wording is kept here.",
            *(render_instrument(item, study) for item in read_instruments().values()),
            "## Settings of the protocol",
            *(
                f"`[{part}]`\n\n" + _grid(("setting", "example study"), _settings(study, part))
                for part in ("wear", "goals", "activity_before_visit", "treatment", "wearables")
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


def _section(table_name: str, units_only: bool = True) -> tuple[str, str]:
    """What a table means, and its figures."""
    return f"`{table_name}`: {table_named(table_name).meaning}", _metrics(table_name, units_only)


def _metrics(table_name: str, units_only: bool = True) -> str:
    """The figures of a table: columns with a unit, flags, and (if asked) numbers without unit."""
    rows = [
        (f"`{c.name}`", c.unit, c.meaning, c.better, _citation(c))
        for c in table_named(table_name).columns
        if c.unit
        or c.type.sql == "BOOLEAN"
        or c.name in _citations_of_metrics()
        or (not units_only and c.type.sql == "DOUBLE")
    ]
    return _grid(("metric", "unit", "definition", "better", "source"), rows)


def _beside_days() -> Iterator[tuple[str, ...]]:
    """Metrics of day_metric that participant_day does not have."""
    for metric in read_metrics().values():
        if not metric.carried:
            for column in metric.columns:
                yield f"`{column.name}`", column.unit, column.meaning, _citation(column)


def _citations_of_metrics() -> dict[str, str]:
    """What each file of warehouse/metrics cites, by its columns and their weekly means."""
    return {
        one.name: metric.citation
        for metric in read_metrics().values()
        for column in metric.columns
        for one in (column, weekly_mean(column))
        if one and metric.citation
    }


def _citation(column: Column) -> str:
    if column.name in (cited := _citations_of_metrics()):
        return cited[column.name]
    for name, text in CITATIONS.items():
        if column.name == name or (name.endswith("_") and column.name.startswith(name)):
            return text
    return ""


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
        _grid(SCALE_TITLES, [_scale_row(scale, study) for scale in instrument.scales]),
    ]
    return "\n\n".join(parts)


SCALE_TITLES = (
    "scale",
    "name",
    "range",
    "better",
    "scoring",
    "blank items",
    "bands",
    "published MIC",
    "MDC",
    "MCID here",
    "note",
)


def _scale_row(scale: Scale, study: Study) -> tuple[str, ...]:
    return (
        f"`{scale.code}`",
        scale.label,
        f"{scale.low:g} to {scale.high:g}",
        scale.better,
        _scoring(scale),
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


def _scoring(scale: Scale) -> str:
    """The scoring in words: what a function of the instrument's own says of itself, else itself."""
    words = inspect.getdoc(getattr(scale.scoring, "func", scale.scoring)) or ""
    if len(scale.items) == 1:
        words = "The answer itself."
    found = [words.partition("\n\n")[0].replace("\n", " ")]
    if scale.reverse:
        found.append(f"Reversed: {', '.join(scale.reverse)}.")
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
