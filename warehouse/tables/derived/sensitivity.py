"""What the choice of a wear rule changes."""

from warehouse.schema import Column, Table, Type

SAYS = ("up", "down", "unclear", "too few")


def _count(name: str, meaning: str, unit: str) -> Column:
    return Column(name, Type.INTEGER, meaning, unit=unit, low=0)


def _interval(name: str, unit: str) -> tuple[Column, ...]:
    return (
        Column(f"{name}_ci_low", Type.REAL, "Lower end of its 95 % interval (t).", unit=unit),
        Column(f"{name}_ci_high", Type.REAL, "Upper end of its 95 % interval (t).", unit=unit),
        Column(
            f"{name}_says",
            Type.TEXT,
            "Which way the interval lies: `up` above 0, `down` below it, `unclear` across it; `too "
            "few`: of too few participants for an interval, so that nothing is concluded.",
            allowed=SAYS,
        ),
        Column(
            f"{name}_changes",
            Type.BOOLEAN,
            "Concludes something else than under the protocol; blank where this rule or the "
            "protocol's leaves too few to conclude.",
        ),
    )


wear_rule_sensitivity = Table(
    name="wear_rule_sensitivity",
    grain="rule of a valid day",
    key=("rule",),
    meaning="The protocol's rule of a valid day beside others: how many days, and which "
    "conclusions, each changes. Days not landed, of no minutes, or implausible count under none.",
    columns=(
        Column("rule", Type.TEXT, "Code of the rule; `protocol` is the study's.", required=True),
        Column("position", Type.INTEGER, "Order of the rule.", required=True),
        Column("says", Type.TEXT, "The rule in words.", required=True),
        Column(
            "suppressed",
            Type.BOOLEAN,
            "Rests on too few participants to show.",
            required=True,
        ),
        _count("days", "Days that could be valid.", "days"),
        _count("valid_days", "Valid days under the rule.", "days"),
        _count("days_gained", "Valid here alone.", "days"),
        _count("days_lost", "Valid under the protocol alone.", "days"),
        _count("participants", "With a valid day.", "participants"),
        _count("participants_with_week", "With a valid week.", "participants"),
        Column(
            "steps_per_day",
            Type.REAL,
            "Mean over participants of their mean valid day.",
            unit="steps/day",
            low=0,
        ),
        _count(
            "participants_changed",
            "With enough valid days (`goals.baseline_min_valid_days`) in the run-in without its "
            "first days, and after it.",
            "participants",
        ),
        Column(
            "steps_change",
            Type.REAL,
            "Mean over participants of mean steps after the run-in (`goals.baseline_days`: from "
            "study day 15) - mean steps in it without its first days (`baseline_skip_days`: study "
            "days 3 to 14).",
            unit="steps/day",
        ),
        *_interval("steps_change", "steps/day"),
        _count(
            "participants_with_slope",
            "With two or more scheduled visits of the protocol's first scale and enough days.",
            "participants",
        ),
        Column(
            "slope",
            Type.REAL,
            "Within-person slope of that scale, improvement upwards, on steps in the days before "
            "the visit; interval clustered by participant.",
            unit="points/1,000 steps",
        ),
        *_interval("slope", "points/1,000 steps"),
    ),
)
