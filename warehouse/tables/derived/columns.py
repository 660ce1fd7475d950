"""Columns and codes that several derived tables share."""

from dataclasses import replace

from warehouse.schema import Column, Type
from warehouse.tables.landed import GOALS_TELL

# In this order; the first that fits is the day's state (docs/metrics.md has the rules).
DAY_STATES = (
    "outside_study",
    "paused",
    "never_connected",
    "consent_lost",
    "fetch_failed",
    "vendor_outage",
    "pending_sync",
    "minutes_lost",
    "not_worn",
    "implausible",
    "insufficient_wear",
    "valid",
)
# States of a day whose minutes are not here; the day has no steps, which is not zero steps.
UNKNOWN_STATES = DAY_STATES[:7]
# Not the participant's to answer for: such a day is in no denominator of adherence.
INELIGIBLE_STATES = ("outside_study", "paused", "fetch_failed", "vendor_outage", "pending_sync")
VISIT_STATUSES = ("not_due", "due", "overdue", "received", "missed", "outside_study")
# Why a change cannot be judged by a threshold; the first that fits.
NOT_EVALUABLE = {
    "no score": "no score at the visit",
    "no baseline": "no baseline to count from",
    "baseline 0 has no percent": "a threshold in percent, and a baseline of 0",
    "baseline too low for percent": "a threshold in percent, and a baseline below the least that "
    "its instrument allows",
    "ceiling": "the baseline is so high that no change could reach the threshold",
    "floor": "the baseline is so low that none could",
}
NOT_EVALUABLE_OUTCOME = {
    "no threshold in the protocol": "study.toml gives the scale no mcid",
    "baseline visit": "change is counted from here",
    **NOT_EVALUABLE,
}
# Why a form has no score on a scale; the first that fits.
NOT_SCORED = {
    "rejected": "an item that the scale rests on has an answer that is none of its own, or the "
    "form an item that is not of the instrument",
    "not applicable": "left wholly blank by somebody whom it does not concern",
    "excluded": "by a rule of the instrument's protocol",
    "missing": "more is blank than the scale allows",
    "no table": "study.toml gives no table to look it up in",
}


def told(reasons: dict[str, str]) -> str:
    """The reasons of an enumeration with what each means, as a sentence of a column's meaning."""
    return "; ".join(f"`{name}`: {meaning}" for name, meaning in reasons.items()) + "."


VISIT = Column("visit", Type.TEXT, "Visit code of study.toml.", required=True)
SCALE = Column("scale", Type.TEXT, "Scale code, e.g. NPRS or FABQPA.", required=True)
STUDY_WEEK = Column(
    "study_week", Type.INTEGER, "Week from study day 1; days 1 to 7 are week 1.", required=True
)
CHANGE = Column(
    "change",
    Type.TEXT,
    "`better`: an improvement is looked for; `worse`: a worsening.",
    required=True,
    allowed=("better", "worse"),
)
THRESHOLD_KIND = Column(
    "threshold_kind",
    Type.TEXT,
    "Points of the scale, or percent of the baseline.",
    required=True,
    allowed=("points", "percent"),
)
THRESHOLD = Column("threshold", Type.REAL, "The change that is enough.", required=True, low=0)


def of_goal(column: Column) -> Column:
    """A column that tells of a goal: blank in the masked file where a goal tells the arm."""
    return replace(column, reveals_arm_where=GOALS_TELL)


def share_column(name: str, meaning: str) -> Column:
    return Column(name, Type.REAL, meaning, unit="share", low=0, high=1, better="higher")
