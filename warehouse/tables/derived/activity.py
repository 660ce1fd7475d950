"""Activity: days of minutes in metrics, person-days with their one reason, weeks, adherence."""

from warehouse.metrics import columns_of, weekly_mean
from warehouse.schema import Column, Table, Type, minutes_column
from warehouse.tables.derived.columns import DAY_STATES, STUDY_WEEK, of_goal
from warehouse.tables.landed import ACTIVITY_DATE, ERAS, PARTICIPANT_ID, WEAR_METHODS

CARRIED = columns_of(carried=True)  # what participant_day has of warehouse/metrics
WEEKLY_MEANS = {column.name: mean for column in CARRIED if (mean := weekly_mean(column))}
ACTIVITY_CLASSES = ("under_150", "150_to_300", "over_300")
TIMEZONE_CHANGED = Column(
    "timezone_changed",
    Type.BOOLEAN,
    "The participant travelled from one time zone to another that day; left out of regularity.",
)

day_metric = Table(
    name="day_metric",
    grain="participant, source and local day",
    key=("participant_id", "source", "activity_date"),
    meaning="Metrics of every landed day of minutes, one row per source, before one is chosen.",
    columns=(
        PARTICIPANT_ID,
        Column("source", Type.TEXT, "The source that delivered the day.", required=True),
        ACTIVITY_DATE,
        Column("era", Type.TEXT, "Which system measured the day.", required=True, allowed=ERAS),
        Column("device_model", Type.TEXT, "Device model as the source names it."),
        Column("day_end_at", Type.INSTANT, "The instant the local day ends.", required=True),
        minutes_column("day_minutes", "Length of the local day."),
        Column(
            "has_minutes",
            Type.BOOLEAN,
            "Whether any minute of the day is here; false when only the daily total is.",
            required=True,
        ),
        Column("vendor_steps", Type.INTEGER, "The vendor's own daily total.", unit="steps", low=0),
        Column("wear_method", Type.TEXT, "What wear rests on.", allowed=WEAR_METHODS),
        TIMEZONE_CHANGED,
        *columns_of(carried=False),
        *CARRIED,
        Column(
            "row_hash", Type.TEXT, "Hash of the landed day this was computed from.", required=True
        ),
    ),
)

participant_day = Table(
    name="participant_day",
    grain="participant and local day of the study",
    key=("participant_id", "activity_date"),
    meaning="Every enrolled participant's every study day to date, with one reason each. Where "
    "two sources have the day, one is chosen by the protocol's priority and they are never summed. "
    "The metrics of the minutes are blank unless the day is insufficient_wear, implausible or "
    "valid: of a day not_worn only steps and wear are known, whether or not a few minutes came.",
    columns=(
        PARTICIPANT_ID,
        ACTIVITY_DATE,
        Column("study_day", Type.INTEGER, "1 on study day 1; there is no day 0.", required=True),
        STUDY_WEEK,
        Column(
            "day_state",
            Type.TEXT,
            "The one reason or state of the day.",
            required=True,
            allowed=DAY_STATES,
        ),
        Column(
            "eligible_day",
            Type.BOOLEAN,
            "In the denominator of intention: in the study, not paused, not still to sync, not "
            "lost by the vendor or by us.",
            required=True,
        ),
        Column("valid_day", Type.BOOLEAN, "Enough wear and plausible.", required=True),
        Column(
            "provisional",
            Type.BOOLEAN,
            "May still change: not complete, or its participant's days have changed as late as "
            "this. How facts came tells it, so it is outside the content hash.",
            required=True,
            provenance=True,
        ),
        Column("source", Type.TEXT, "The source chosen for the day; blank when none has it."),
        Column("era", Type.TEXT, "Which system measured the day.", allowed=ERAS),
        Column("device_model", Type.TEXT, "Device model as the source names it."),
        minutes_column("day_minutes", "Length of the local day."),
        Column(
            "steps",
            Type.INTEGER,
            "Steps of the day; blank (never zero) when the day is not known. For minutes_lost "
            "the vendor's daily total.",
            unit="steps/day",
            low=0,
            better="higher",
        ),
        Column(
            "vendor_steps", Type.INTEGER, "The vendor's own daily total.", unit="steps/day", low=0
        ),
        Column(
            "reconcile",
            Type.BOOLEAN,
            "Minutes and the vendor's daily total differ by more than the protocol allows.",
        ),
        minutes_column("wear_minutes", "Minutes with the device on the body."),
        Column("wear_method", Type.TEXT, "What wear rests on.", allowed=WEAR_METHODS),
        TIMEZONE_CHANGED,
        *CARRIED,
        of_goal(
            Column(
                "goal_steps",
                Type.INTEGER,
                "Step goal in force that day; blank when none.",
                unit="steps/day",
                low=1,
            )
        ),
        of_goal(
            Column(
                "goal_met",
                Type.BOOLEAN,
                "Steps reached the goal; blank unless a valid day with a goal.",
            )
        ),
    ),
)

participant_week = Table(
    name="participant_week",
    grain="participant and study week",
    key=("participant_id", "study_week"),
    meaning="A participant's protocol week, anchored at study day 1.",
    columns=(
        PARTICIPANT_ID,
        STUDY_WEEK,
        Column("week_starts_on", Type.DATE, "First day of the week.", required=True),
        Column(
            "eligible_days", Type.INTEGER, "Days that should count.", unit="days", low=0, high=7
        ),
        Column(
            "valid_days",
            Type.INTEGER,
            "Days with enough wear.",
            unit="days",
            low=0,
            high=7,
            better="higher",
        ),
        Column("valid_week", Type.BOOLEAN, "Enough valid days (4 of 7 by default).", required=True),
        Column(
            "steps_per_day",
            Type.REAL,
            "Mean steps over valid days; blank when none.",
            unit="steps/day",
            low=0,
            better="higher",
        ),
        Column(
            "wear_minutes_per_day",
            Type.REAL,
            "Mean wear over valid days.",
            unit="minutes/day",
            low=0,
        ),
        of_goal(
            Column(
                "goal_days", Type.INTEGER, "Valid days with a goal in force.", unit="days", low=0
            )
        ),
        of_goal(
            Column(
                "goal_days_met",
                Type.INTEGER,
                "Valid days that met the goal.",
                unit="days",
                low=0,
                better="higher",
            )
        ),
        Column(
            "week_mvpa_minutes",
            Type.REAL,
            "7 x the mean daily MVPA-equivalent minutes over valid days of a valid week; blank "
            "otherwise: a partial week is never summed.",
            unit="minutes/week",
            low=0,
            better="higher",
        ),
        Column(
            "activity_class",
            Type.TEXT,
            "week_mvpa_minutes beside the guideline: under 150, from 150 to 300, over 300; blank "
            "with it.",
            allowed=ACTIVITY_CLASSES,
        ),
        Column(
            "steps_variation",
            Type.REAL,
            "Standard deviation (n - 1) / mean of the steps of a valid week's valid days; blank "
            "otherwise, and where the mean is 0.",
            unit="SD/mean",
            low=0,
        ),
        Column(
            "regularity_days",
            Type.INTEGER,
            "Valid days with wear of hours known, on which no clock changed.",
            unit="days",
            low=0,
            high=7,
        ),
        Column(
            "interdaily_stability",
            Type.REAL,
            "How alike the days are, 0 to 1: sum_h n_h (mean_h - mean)^2 / sum_i (x_i - mean)^2 "
            "over the steps x of each hour that is known, n_h of them at hour h. Of hours worn for "
            "at least half, of at least 5 days; else blank.",
            unit="0-1",
            low=0,
            high=1,
        ),
        Column(
            "intradaily_variability",
            Type.REAL,
            "How broken up the days are: n sum (x_i - x_i-1)^2 / (m sum_i (x_i - mean)^2) over the "
            "m pairs of consecutive known hours, n - 1 of them in a gapless week; blank like "
            "interdaily_stability.",
            unit="ratio",
            low=0,
        ),
        *WEEKLY_MEANS.values(),
        of_goal(
            Column(
                "adherent_week",
                Type.BOOLEAN,
                "A valid week with the goal met on enough days; blank in a week without a goal. "
                "The running week may still become one.",
            )
        ),
    ),
)
