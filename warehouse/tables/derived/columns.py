"""Columns and codes that several derived tables share."""

from warehouse.schema import Column, Type

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
VISIT_STATUSES = ("not_due", "due", "overdue", "received", "missed", "outside_study")

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


def share_column(name: str, meaning: str) -> Column:
    return Column(name, Type.REAL, meaning, unit="share", low=0, high=1, better="higher")
