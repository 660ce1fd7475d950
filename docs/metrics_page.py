"""docs/metrics.md: what each figure is, in what unit, and where its definition comes from."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

from instruments_page import render_instrument
from page_parts import NOTICE, grid, page
from pydantic import BaseModel

from transforms.cohort.goals import derive_goal_proposal
from transforms.cohort.work_list import derive_work_item
from transforms.instruments import read_instruments
from warehouse import disclosure
from warehouse.metrics import read_metrics, weekly_mean
from warehouse.schema import Column
from warehouse.study import EXAMPLE, Study, read_study
from warehouse.study_parts import COHORT_COLUMNS, Condition, NamedCohort
from warehouse.tables import table_named
from warehouse.tables.derived import DAY_STATES, UNKNOWN_STATES, work
from warehouse.tables.derived.columns import INELIGIBLE_STATES

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
SETTINGS = ("wear", "goals", "activity_before_visit", "treatment", "wearables", "work_list")
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
    "still": "Kaplan and Meier, J Am Stat Assoc 1958;53:457.",
    "standardised_difference": "Austin, Stat Med 2009;28:3083.",
    "reach": "RE-AIM: Glasgow et al., Am J Public Health 1999;89:1322.",
    "adoption": "RE-AIM: Glasgow et al. 1999.",
    "fidelity": "RE-AIM (implementation): Glasgow et al. 1999.",
    "responder_ci_": "Wilson, J Am Stat Assoc 1927;22:209.",
    "valid_day": "Ten hours of wear: Troiano et al., Med Sci Sports Exerc 2008;40:181.",
}


def render_metrics() -> str:
    """Day states, metrics, weeks and adherence, outcomes, instruments, protocol settings."""
    study = read_study(EXAMPLE)
    return page(
        [
            NOTICE,
            "# Metrics",
            "What each figure is, in what unit, and where its definition comes from. Numbers are "
            "those of the example study; a study's own stand in its `study.toml`.",
            *_of_days(study),
            *_of_adherence(),
            *_of_outcomes(),
            *_of_cohorts(),
            *_of_work(),
            "## Instruments",
            "Items are stored as received; scores are computed from them under a versioned rule. "
            "An answer that is none of its item's rejects the scales that rest on the item. No "
            "item's wording is kept here.",
            *(render_instrument(item, study) for item in read_instruments().values()),
            "## Settings of the protocol",
            *(
                f"`[{part}]`\n\n" + grid(("setting", "example study"), _settings(study, part))
                for part in SETTINGS
            ),
        ]
    )


def _of_days(study: Study) -> Iterator[str]:
    yield "## The state of a day"
    yield (
        "Every participant has one row for every day of the study, with one state: the first "
        "of these that fits. Those from `paused` to `pending_sync` are looked at only where "
        "the day is not complete. A source's day is complete once everything was fetched after "
        "the device had synced past the day's end."
    )
    yield grid(("", "state", "when", "steps", "metrics", "counts in"), _states(study))
    yield (
        "`eligible_days` are what should count: the denominator of wear adherence, of every strict "
        "figure and of persistence. `valid_days` are the numerator of wear adherence, and what "
        "means, weeks and every observed figure rest on. A day that is not eligible is in neither. "
        "`study_days` are all but `outside_study`."
    )
    yield (
        "Two sources are never summed: where both have the day, the protocol's priority chooses "
        "one."
    )
    yield "## A day"
    yield _metrics("participant_day")
    yield (
        "A day not known, or `not_worn`, has none of the metrics of the minutes: of the latter "
        "only `steps` and `wear_minutes` are known, whether or not a few minutes came. Of the "
        "others a metric is blank where it rests on wear and the device only counts steps, and "
        "where its definition says so (no first step; not so many worn minutes in a row). A minute "
        "with steps counts even where no wear is known of it. `day_metric` has what was computed "
        "of every landed day whatever its state, and of each source besides:"
    )
    yield grid(("metric", "unit", "definition", "source"), _beside_days())


def _of_adherence() -> Iterator[str]:
    yield "## A week"
    yield _metrics("participant_week")
    yield "## Adherence"
    yield (
        "Adherence (the prescribed activity was done) and completeness (days are known, "
        "answers came) are never mixed. Each has both denominators: of what could be judged "
        "(observed) and of what should count (strict). Weeks count once their seven days have "
        "ended where the participant lives; so does a cohort's `valid_weeks`."
    )
    yield _metrics("adherence")
    yield "## Completeness of answers"
    yield from _section("completeness")
    yield "## Goals"
    yield (
        "Where only some arms are given goals (`goals.arms` of study.toml), a goal tells the arm: "
        "the masked file then has no goal, and nothing that rests on one."
    )
    yield from _section("baseline_activity")
    yield from _section("goal_proposal")
    yield inspect.cleandoc(derive_goal_proposal.__doc__ or "")


def _of_outcomes() -> Iterator[str]:
    yield "## Outcomes"
    yield _metrics("outcome", units_only=False)
    yield "## Responders"
    yield from _section("responder")
    yield "## Activity before a visit"
    yield from _section("activity_outcome")
    yield "## Treatment"
    yield from _section("treatment")
    yield from _section("implementation")


def _of_cohorts() -> Iterator[str]:
    yield "## Cohorts"
    yield (
        "A study has cohorts of its own besides, each a `[[cohorts]]` of study.toml. Who has a "
        "blank where a condition asks does not meet it; the baseline of a scale is that of "
        "`outcome`. One with a condition on `arm` or `therapist_id` is only in the unblinded file."
    )
    yield grid(("setting", "meaning"), _described(NamedCohort))
    yield "Of each condition in the list `where`:"
    yield grid(("setting", "meaning"), _described(Condition))
    yield f"Columns: {', '.join(f'`{name}`' for name in sorted(COHORT_COLUMNS))}."
    yield inspect.cleandoc(disclosure.__doc__ or "")
    yield from _section("cohort_week")
    yield from _section("cohort_outcome", units_only=False)
    yield from _section("cohort_responder")
    yield from _section("flow")
    yield "## How the study goes"
    for name in ("site_figure", "retention", "recruitment"):
        yield from _section(name)
    yield from _section("cohort_completeness")
    yield from _section("who_is_missing", units_only=False)
    yield "## What the wear rule changes"
    yield from _section("wear_rule_sensitivity")


def _of_work() -> Iterator[str]:
    yield "## The work list"
    yield inspect.cleandoc(derive_work_item.__doc__ or "")
    yield grid(
        ("priority", "reason", "level", "queue"),
        [
            (f"{number}", f"`{reason}`", level, queue.replace("_", " "))
            for number, (reason, level, queue, *_) in enumerate(work.WORK_REASONS, start=1)
        ],
    )
    yield work.REASON.meaning
    yield from _section("work_item", units_only=False)
    for name in ("work_cluster", "work_load"):
        yield from _section(name)
    yield "## Outcome rescue"
    for name in ("outcome_rescue", "response_rate", "rescue_item"):
        yield from _section(name)


def _described(model: type[BaseModel]) -> Iterator[tuple[str, str]]:
    """The settings of a part of study.toml that say what they are."""
    for name, field in model.model_fields.items():
        default: Any = "" if field.is_required() or not field.default else field.default
        said = f"{field.description}; by default `{default}`" if default else field.description
        yield f"`{name}`", f"{said}."


def _states(study: Study) -> Iterator[tuple[str, ...]]:
    if tuple(STATE_RULES) != DAY_STATES:
        raise ValueError("STATE_RULES must have the day states of warehouse/tables, in their order")
    settings = {**study.wear.model_dump(), **study.wearables.model_dump()}
    for number, (state, rule) in enumerate(STATE_RULES.items(), start=1):
        known = "blank" if state in UNKNOWN_STATES else "known"
        measured = state not in UNKNOWN_STATES and state not in ("minutes_lost", "not_worn")
        steps = "the vendor's total, or blank" if state == "minutes_lost" else known
        metrics = "known" if measured else "blank"
        yield str(number), f"`{state}`", rule.format(**settings), steps, metrics, _counts_in(state)


def _counts_in(state: str) -> str:
    if state in INELIGIBLE_STATES:
        return "`study_days` alone" if state != "outside_study" else "nothing"
    return "`eligible_days`, `valid_days`" if state == "valid" else "`eligible_days`"


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
    return grid(("metric", "unit", "definition", "better", "source"), rows)


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


def _settings(study: Study, part: str) -> Iterator[tuple[str, str]]:
    settings: BaseModel = getattr(study, part)
    for name, value in settings.model_dump().items():
        text = ", ".join(map(_told, value)) if isinstance(value, list) else f"{value}"
        yield f"`{name}`", text


def _told(value: Any) -> str:
    """One of a list of settings: a text, or a table such as a limit."""
    if isinstance(value, dict):
        return " ".join(f"{name} {one}" for name, one in value.items())
    return str(value)
