"""Outcomes: scores, what was due and came, what matters of it, scales and visits."""

from warehouse.schema import Column, Table, Type
from warehouse.tables.derived.columns import (
    CHANGE,
    NOT_EVALUABLE,
    NOT_EVALUABLE_OUTCOME,
    NOT_SCORED,
    SCALE,
    THRESHOLD,
    THRESHOLD_KIND,
    VISIT,
    VISIT_STATUSES,
    told,
)
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
        Column(
            "band",
            Type.TEXT,
            "The score's published band or category, such as mild; EQ-5D-5L: the profile, such as "
            "21332. Blank without a score, or where the scale has none.",
        ),
        Column("items_answered", Type.INTEGER, "Number of items answered.", unit="items", low=0),
        Column("prorated", Type.BOOLEAN, "Missing items were prorated.", required=True),
        Column(
            "not_scored",
            Type.TEXT,
            f"Why there is no score; blank when there is one. {told(NOT_SCORED)}",
            allowed=tuple(NOT_SCORED),
        ),
        Column(
            "not_scored_detail",
            Type.TEXT,
            "The same in particular, such as `item 3 is out of range` or `2 items`.",
        ),
        Column(
            "scoring_version",
            Type.TEXT,
            "Version of the scoring rule; after a + the start of the SHA-256 of the study's own "
            "table that was used.",
            required=True,
        ),
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
        Column(
            "not_evaluable",
            Type.TEXT,
            f"Why is_responder is blank. {told(NOT_EVALUABLE_OUTCOME)}",
            allowed=tuple(NOT_EVALUABLE_OUTCOME),
        ),
    ),
)

responder = Table(
    name="responder",
    grain="participant, visit, scale and threshold",
    key=("participant_id", "visit", "scale", "change", "threshold_kind", "threshold"),
    meaning="Whether a change matters, by each threshold: the protocol's own, and those that the "
    "instrument's papers give (MIC and MDC).",
    reveals_arm_where=AT_DISCHARGE,
    columns=(
        PARTICIPANT_ID,
        VISIT,
        SCALE,
        CHANGE,
        THRESHOLD_KIND,
        THRESHOLD,
        Column("origin", Type.TEXT, "Where the threshold comes from.", required=True),
        Column(
            "is_responder",
            Type.BOOLEAN,
            "The improvement reaches it (for `worse`: the worsening); blank with a reason.",
        ),
        Column(
            "not_evaluable",
            Type.TEXT,
            f"Why is_responder is blank. {told(NOT_EVALUABLE)}",
            allowed=tuple(NOT_EVALUABLE),
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
        Column(
            "recall_days",
            Type.INTEGER,
            "How far back the questions ask; 0 is today, blank when they do not say. Scores of "
            "different recall are not averaged.",
            unit="days",
            low=0,
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
