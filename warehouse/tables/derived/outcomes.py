"""Outcomes: scores, what was due and came, the activity before it, scales and visits."""

from warehouse.schema import Column, Table, Type
from warehouse.tables.derived.columns import SCALE, VISIT, VISIT_STATUSES
from warehouse.tables.landed import AT_DISCHARGE, PARTICIPANT_ID

score = Table(
    name="score",
    grain="participant, visit, scale and repeat",
    key=("participant_id", "visit", "scale", "repeat"),
    meaning="A questionnaire scored; blank with a reason when too much is missing.",
    reveals_arm_where=AT_DISCHARGE,
    columns=(
        PARTICIPANT_ID,
        VISIT,
        Column("instrument", Type.TEXT, "Instrument code.", required=True),
        SCALE,
        Column("repeat", Type.INTEGER, "1 for the first filling-in at this visit.", required=True),
        Column("answered_on", Type.DATE, "Local day of the answers."),
        Column("score", Type.REAL, "The score, unrounded. Direction: see the scale table."),
        Column("items_answered", Type.INTEGER, "Number of items answered.", unit="items", low=0),
        Column("prorated", Type.BOOLEAN, "Missing items were prorated.", required=True),
        Column("not_scored", Type.TEXT, "Why there is no score; blank when there is one."),
        Column("scoring_version", Type.TEXT, "Version of the scoring rule.", required=True),
    ),
)

outcome = Table(
    name="outcome",
    grain="participant, visit and scale due at it",
    key=("participant_id", "visit", "scale"),
    meaning="Each outcome the protocol expects of each participant: whether it came, the change "
    "from baseline, and whether it matters.",
    reveals_arm_where=AT_DISCHARGE,
    columns=(
        PARTICIPANT_ID,
        VISIT,
        SCALE,
        Column("target_on", Type.DATE, "Target day of the visit; blank for discharge."),
        Column("opens_on", Type.DATE, "First day of the visit's window."),
        Column("closes_on", Type.DATE, "Last day of the visit's window."),
        Column(
            "status",
            Type.TEXT,
            "Whether it is due and came.",
            required=True,
            allowed=VISIT_STATUSES,
        ),
        Column("answered_on", Type.DATE, "Day of the chosen answers."),
        Column("score", Type.REAL, "The score; direction as in the scale table."),
        Column(
            "baseline_score",
            Type.REAL,
            "Last non-missing score on or before study day 1; a missing baseline is missing.",
        ),
        Column(
            "score_change",
            Type.REAL,
            "Score minus baseline, raw direction; blank at the baseline visit.",
        ),
        Column(
            "change_pct", Type.REAL, "Change in percent of baseline; blank at baseline 0.", unit="%"
        ),
        Column(
            "improvement", Type.REAL, "Change turned so that positive is better.", better="higher"
        ),
        Column("mcid", Type.REAL, "The protocol's responder threshold for the scale."),
        Column(
            "is_responder",
            Type.BOOLEAN,
            "Improvement reaches the MCID; blank with a reason when not evaluable.",
        ),
        Column("not_evaluable", Type.TEXT, "Why is_responder is blank."),
    ),
)

activity_outcome = Table(
    name="activity_outcome",
    grain="participant, visit and scale with a score",
    key=("participant_id", "visit", "scale"),
    meaning="Activity in the days before a visit beside the outcome of that visit, lagged so that "
    "cause precedes effect.",
    reveals_arm_where=AT_DISCHARGE,
    columns=(
        PARTICIPANT_ID,
        VISIT,
        SCALE,
        Column("answered_on", Type.DATE, "Day of the answers.", required=True),
        Column("window_starts_on", Type.DATE, "First day of the activity window.", required=True),
        Column("window_ends_on", Type.DATE, "Last day: the day before the answers.", required=True),
        Column("valid_days", Type.INTEGER, "Valid days in the window.", unit="days", low=0),
        Column(
            "enough_days",
            Type.BOOLEAN,
            "At least the protocol's number of valid days.",
            required=True,
        ),
        Column(
            "steps_per_day",
            Type.REAL,
            "Mean steps over the window's valid days; blank unless enough_days.",
            unit="steps/day",
            low=0,
            better="higher",
        ),
        Column(
            "mvpa_minutes_per_day",
            Type.REAL,
            "Mean MVPA minutes over valid days; blank unless enough_days.",
            unit="minutes/day",
            low=0,
            better="higher",
        ),
        Column("score", Type.REAL, "The score at the visit.", required=True),
        Column("score_change", Type.REAL, "Score minus baseline, raw direction."),
        Column(
            "improvement", Type.REAL, "Change turned so that positive is better.", better="higher"
        ),
    ),
)

scale = Table(
    name="scale",
    grain="scale",
    key=("scale",),
    meaning="Each scale's direction, range and thresholds, so that no reader need guess.",
    columns=(
        SCALE,
        Column("instrument", Type.TEXT, "Instrument code.", required=True),
        Column("label", Type.TEXT, "Name for people.", required=True),
        Column("low", Type.REAL, "Lowest possible score.", required=True),
        Column("high", Type.REAL, "Highest possible score.", required=True),
        Column(
            "better", Type.TEXT, "Which end is better.", required=True, allowed=("higher", "lower")
        ),
        Column("mcid", Type.REAL, "The protocol's responder threshold; blank when none."),
        Column(
            "mcid_kind", Type.TEXT, "What the threshold counts in.", allowed=("points", "percent")
        ),
        Column("citation", Type.TEXT, "Where range, rule and threshold come from."),
    ),
)

visit = Table(
    name="visit",
    grain="visit of the protocol",
    key=("visit",),
    meaning="The protocol's visits in order.",
    columns=(
        VISIT,
        Column("position", Type.INTEGER, "Order of the visit.", required=True),
        Column("label", Type.TEXT, "Name for people.", required=True),
        Column("week", Type.INTEGER, "Target week; blank for discharge.", unit="weeks"),
    ),
)
