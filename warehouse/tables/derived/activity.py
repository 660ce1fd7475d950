"""Activity: days of minutes in metrics, person-days with their one reason, weeks, adherence."""

from warehouse.schema import Column, Table, Type
from warehouse.tables.derived.columns import DAY_STATES, STUDY_WEEK, minutes_column, share_column
from warehouse.tables.landed import ACTIVITY_DATE, ERAS, PARTICIPANT_ID, WEAR_METHODS

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
        Column("steps", Type.INTEGER, "Sum of the minute steps.", unit="steps", low=0),
        Column("vendor_steps", Type.INTEGER, "The vendor's own daily total.", unit="steps", low=0),
        minutes_column("wear_minutes", "Minutes with the device on the body."),
        Column("wear_method", Type.TEXT, "What wear rests on.", allowed=WEAR_METHODS),
        Column(
            "wear_hours_with_steps",
            Type.INTEGER,
            "Hours between 06:00 and 24:00 with a step: the wear rule of devices without "
            "heart rate or explicit zeros.",
            unit="hours",
            low=0,
            high=48,
        ),
        Column(
            "max_minute_steps",
            Type.INTEGER,
            "Most steps in one minute.",
            unit="steps/minute",
            low=0,
        ),
        minutes_column("cadence_0_minutes", "Worn minutes without a step."),
        minutes_column(
            "cadence_1_19_minutes", "Minutes of incidental movement, 1-19 steps a minute."
        ),
        minutes_column(
            "cadence_20_39_minutes", "Minutes of sporadic movement, 20-39 steps a minute."
        ),
        minutes_column(
            "cadence_40_59_minutes", "Minutes of purposeful steps, 40-59 steps a minute."
        ),
        minutes_column("cadence_60_79_minutes", "Minutes of slow walking, 60-79 steps a minute."),
        minutes_column("cadence_80_99_minutes", "Minutes of medium walking, 80-99 steps a minute."),
        minutes_column(
            "cadence_100_119_minutes", "Minutes of brisk walking, 100-119 steps a minute."
        ),
        minutes_column(
            "cadence_120_minutes", "Minutes of faster ambulation, 120 or more a minute."
        ),
        minutes_column(
            "moderate_minutes", "Minutes at or above the moderate cadence (100 by default)."
        ),
        minutes_column(
            "vigorous_minutes", "Minutes at or above the vigorous cadence (130 by default)."
        ),
        minutes_column("mvpa_minutes", "Moderate-to-vigorous minutes, from cadence."),
        Column(
            "mvpa_equivalent_minutes",
            Type.INTEGER,
            "Moderate minutes plus twice the vigorous ones, as the WHO guideline counts.",
            unit="minutes",
            low=0,
        ),
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
    "two sources have the day, one is chosen by the protocol's priority and they are never summed.",
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
        minutes_column("cadence_0_minutes", "Worn minutes without a step."),
        minutes_column("cadence_1_19_minutes", "Minutes at 1-19 steps a minute."),
        minutes_column("cadence_20_39_minutes", "Minutes at 20-39 steps a minute."),
        minutes_column("cadence_40_59_minutes", "Minutes at 40-59 steps a minute."),
        minutes_column("cadence_60_79_minutes", "Minutes at 60-79 steps a minute."),
        minutes_column("cadence_80_99_minutes", "Minutes at 80-99 steps a minute."),
        minutes_column("cadence_100_119_minutes", "Minutes at 100-119 steps a minute."),
        minutes_column("cadence_120_minutes", "Minutes at 120 or more steps a minute."),
        minutes_column("moderate_minutes", "Minutes at or above the moderate cadence."),
        minutes_column("vigorous_minutes", "Minutes at or above the vigorous cadence."),
        minutes_column("mvpa_minutes", "Moderate-to-vigorous minutes, from cadence."),
        Column(
            "mvpa_equivalent_minutes",
            Type.INTEGER,
            "Moderate minutes plus twice the vigorous ones.",
            unit="minutes",
            low=0,
        ),
        Column(
            "goal_steps",
            Type.INTEGER,
            "Step goal in force that day; blank when none.",
            unit="steps/day",
            low=1,
        ),
        Column(
            "goal_met",
            Type.BOOLEAN,
            "Steps reached the goal; blank unless a valid day with a goal.",
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
        Column("goal_days", Type.INTEGER, "Valid days with a goal in force.", unit="days", low=0),
        Column(
            "goal_days_met",
            Type.INTEGER,
            "Valid days that met the goal.",
            unit="days",
            low=0,
            better="higher",
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
            "adherent_week",
            Type.BOOLEAN,
            "A valid week with the goal met on enough days; blank in a week without a goal. The "
            "running week may still become one.",
        ),
    ),
)

adherence = Table(
    name="adherence",
    grain="participant",
    key=("participant_id",),
    meaning="Adherence to date, always with both denominators; never mixed with completeness.",
    columns=(
        PARTICIPANT_ID,
        Column("study_days", Type.INTEGER, "Days in the study to date.", unit="days", low=0),
        Column("eligible_days", Type.INTEGER, "Days that should count.", unit="days", low=0),
        Column(
            "valid_days",
            Type.INTEGER,
            "Days with enough wear.",
            unit="days",
            low=0,
            better="higher",
        ),
        Column("goal_days", Type.INTEGER, "Valid days with a goal in force.", unit="days", low=0),
        Column(
            "goal_days_met",
            Type.INTEGER,
            "Valid days that met the goal.",
            unit="days",
            low=0,
            better="higher",
        ),
        share_column("wear_adherence", "Valid days / eligible days."),
        share_column("goal_adherence_observed", "Goal days met / valid days with a goal."),
        share_column(
            "goal_adherence_strict", "Goal days met / eligible days with a goal in force."
        ),
        share_column("dose_adherence", "Sum of min(steps, goal) / sum of goal, over valid days."),
        Column(
            "steps_per_day",
            Type.REAL,
            "Mean steps over valid days.",
            unit="steps/day",
            low=0,
            better="higher",
        ),
        share_column(
            "adherent_weeks",
            "Adherent weeks / valid weeks with a goal, of the weeks that have ended.",
        ),
        Column(
            "is_adherent",
            Type.BOOLEAN,
            "The share of adherent weeks reaches the protocol's "
            "threshold (70 % by default); blank when no valid week.",
        ),
        Column("last_valid_on", Type.DATE, "Last valid day."),
        Column(
            "last_day_state", Type.TEXT, "State of the last day that has ended.", allowed=DAY_STATES
        ),
    ),
)
