"""Cohorts: adherence and improvement of a named set of participants."""

from warehouse.schema import Column, Table, Type
from warehouse.tables.derived.columns import (
    CHANGE,
    SCALE,
    STUDY_WEEK,
    THRESHOLD,
    THRESHOLD_KIND,
    VISIT,
    of_goal,
    share_column,
)
from warehouse.tables.landed import AT_DISCHARGE, PARTICIPANT_ID

COHORT_KINDS = (
    "all",
    "site",
    "depression_or_anxiety",
    "device",
    "era",
    "named",
    "arm",
    "therapist",
    "named_by_arm",
)
SUPPRESSED = (
    "Withheld: the cell is too small to show, or would give away one that is by subtraction."
)
COHORT_COLUMNS = (
    Column(
        "cohort_kind",
        Type.TEXT,
        "What the cohort is defined by.",
        required=True,
        allowed=COHORT_KINDS,
    ),
    Column(
        "cohort",
        Type.TEXT,
        "The cohort: a site, an arm, `yes`/`no`, a device, a name of study.toml, or `all`.",
        required=True,
    ),
)
# `named_by_arm` is a named cohort with a condition on the arm or the therapist.
BLIND_KINDS = ("arm", "therapist", "named_by_arm")
_BLIND_COHORTS = f"cohort_kind IN {BLIND_KINDS}"
# Counted build by build, the discharges of a cohort of few have their days: the masked file has
# them of everybody together alone.
BLIND_AT_VISIT = f"{_BLIND_COHORTS} OR (cohort_kind <> 'all' AND coalesce({AT_DISCHARGE}, false))"


def _count(name: str, meaning: str, better: str = "") -> Column:
    return Column(name, Type.INTEGER, meaning, unit="participants", low=0, better=better)


cohort_member = Table(
    name="cohort_member",
    grain="cohort and participant",
    key=("cohort_kind", "cohort", "participant_id"),
    meaning="Who belongs to which cohort. Device and era are those of most of a participant's "
    "valid days.",
    reveals_arm_where=_BLIND_COHORTS,
    columns=(*COHORT_COLUMNS, PARTICIPANT_ID),
)

cohort_week = Table(
    name="cohort_week",
    grain="cohort and study week",
    key=("cohort_kind", "cohort", "study_week"),
    meaning="Adherence of a cohort by study week. Figures of cells smaller than the protocol's "
    "limit are blank (`suppressed`).",
    reveals_arm_where=_BLIND_COHORTS,
    columns=(
        *COHORT_COLUMNS,
        STUDY_WEEK,
        Column(
            "participants",
            Type.INTEGER,
            "Participants with an eligible day in the week; blank when suppressed.",
            low=0,
        ),
        Column("suppressed", Type.BOOLEAN, SUPPRESSED, required=True),
        of_goal(
            _count(
                "participants_with_goal",
                "Of these, with a goal on an eligible day. With the two shares "
                "of goals blank alone, without `suppressed`, where these are fewer than the limit.",
            )
        ),
        _count("participants_with_steps", "Of these, with a valid day: behind steps_per_day."),
        share_column("wear_adherence", "Valid days / eligible days."),
        of_goal(share_column("goal_adherence_observed", "Goal days met / valid days with a goal.")),
        of_goal(
            share_column(
                "goal_adherence_strict", "Goal days met / eligible days with a goal in force."
            )
        ),
        share_column(
            "valid_weeks",
            "Share with a valid week, of those whose week has ended. Blank alone, without "
            "`suppressed`, while fewer have than the limit, or nobody has.",
        ),
        Column(
            "steps_per_day",
            Type.REAL,
            "Mean over participants of their mean valid day.",
            unit="steps/day",
            low=0,
            better="higher",
        ),
        Column(
            "steps_ci_low",
            Type.REAL,
            "Lower end of its 95 % interval: mean - t x SD / sqrt(participants_with_steps), t of "
            "Student with one degree of freedom fewer; blank of fewer than two participants.",
            unit="steps/day",
        ),
        Column(
            "steps_ci_high",
            Type.REAL,
            "Upper end of the same interval.",
            unit="steps/day",
        ),
    ),
)

cohort_outcome = Table(
    name="cohort_outcome",
    grain="cohort, visit and scale",
    key=("cohort_kind", "cohort", "visit", "scale"),
    meaning="Improvement of a cohort by visit: n, mean and interval. Descriptive: of those who "
    "answered, not adjusted, not imputed.",
    reveals_arm_where=BLIND_AT_VISIT,
    columns=(
        *COHORT_COLUMNS,
        VISIT,
        SCALE,
        Column(
            "expected",
            Type.INTEGER,
            "Participants whose visit window has opened; blank when suppressed.",
            low=0,
        ),
        Column("received", Type.INTEGER, "Of these, with a score; blank when suppressed.", low=0),
        Column("suppressed", Type.BOOLEAN, SUPPRESSED, required=True),
        _count("changed", "Of these, with a baseline: behind mean_improvement."),
        Column("mean_score", Type.REAL, "Mean score of those who answered."),
        Column("score_ci_low", Type.REAL, "Lower end of its 95 % interval (t)."),
        Column("score_ci_high", Type.REAL, "Upper end of its 95 % interval (t)."),
        Column("mean_improvement", Type.REAL, "Mean improvement from baseline.", better="higher"),
        Column("improvement_ci_low", Type.REAL, "Lower end of its 95 % interval (t)."),
        Column("improvement_ci_high", Type.REAL, "Upper end of its 95 % interval (t)."),
        Column("evaluable", Type.INTEGER, "Participants whose response can be judged.", low=0),
        Column(
            "responders",
            Type.INTEGER,
            "Participants whose improvement reaches the MCID.",
            low=0,
            better="higher",
        ),
        share_column("responder_share", "Responders / evaluable."),
        share_column("responder_ci_low", "Lower end of its 95 % interval (Wilson)."),
        share_column("responder_ci_high", "Upper end of its 95 % interval (Wilson)."),
    ),
)

cohort_responder = Table(
    name="cohort_responder",
    grain="cohort, visit, scale and threshold",
    key=("cohort_kind", "cohort", "visit", "scale", "change", "threshold_kind", "threshold"),
    meaning="Responders of a cohort by visit and by each threshold: of those whose response can "
    "be judged, neither adjusted nor imputed.",
    reveals_arm_where=BLIND_AT_VISIT,
    columns=(
        *COHORT_COLUMNS,
        VISIT,
        SCALE,
        CHANGE,
        THRESHOLD_KIND,
        THRESHOLD,
        Column("suppressed", Type.BOOLEAN, SUPPRESSED, required=True),
        _count("received", "Participants with a score at the visit."),
        _count("evaluable", "Of these, whose response can be judged."),
        _count("responders", "Of these, whose change reaches the threshold."),
        share_column("responder_share", "Responders / evaluable."),
        share_column("responder_ci_low", "Lower end of its 95 % interval (Wilson)."),
        share_column("responder_ci_high", "Upper end of its 95 % interval (Wilson)."),
    ),
)
