"""Goals and adherence: what was proposed, what was done of it, and which answers came."""

from warehouse.schema import Column, Table, Type
from warehouse.tables.derived.columns import (
    DAY_STATES,
    STUDY_WEEK,
    VISIT,
    of_goal,
    share_column,
)
from warehouse.tables.landed import AT_DISCHARGE, GOALS_TELL, PARTICIPANT_ID

GOAL_RULES = ("baseline_growth", "percentile", "fixed_increment")


def _days(name: str, meaning: str, better: str = "") -> Column:
    return Column(name, Type.INTEGER, meaning, unit="days", low=0, better=better)


def _weeks(name: str, meaning: str, better: str = "") -> Column:
    return Column(name, Type.INTEGER, meaning, unit="weeks", low=0, better=better)


def _steps(name: str, meaning: str) -> Column:
    return Column(name, Type.REAL, meaning, unit="steps/day", low=0)


adherence = Table(
    name="adherence",
    grain="participant",
    key=("participant_id",),
    meaning="Adherence to date, always with both denominators: observed, over what could be "
    "judged, and strict, over what should count. Never mixed with completeness.",
    columns=(
        PARTICIPANT_ID,
        _days("study_days", "Days in the study to date."),
        _days("eligible_days", "Days that should count."),
        _days("valid_days", "Days with enough wear.", "higher"),
        of_goal(_days("goal_days", "Valid days with a goal in force.")),
        of_goal(_days("eligible_goal_days", "Eligible days with a goal in force.")),
        of_goal(_days("goal_days_met", "Valid days that met the goal.", "higher")),
        share_column("wear_adherence", "Valid days / eligible days."),
        of_goal(share_column("goal_adherence_observed", "Goal days met / valid days with a goal.")),
        of_goal(
            share_column(
                "goal_adherence_strict", "Goal days met / eligible days with a goal in force."
            )
        ),
        of_goal(
            share_column(
                "dose_adherence", "Sum of min(steps, goal) / sum of goal, over valid days."
            )
        ),
        of_goal(
            share_column(
                "dose_adherence_strict",
                "Sum of min(steps, goal) over valid days / sum of goal over eligible days.",
            )
        ),
        Column(
            "steps_per_day",
            Type.REAL,
            "Mean steps over valid days.",
            unit="steps/day",
            low=0,
            better="higher",
        ),
        _weeks("eligible_weeks", "Weeks that have ended, with an eligible day."),
        _weeks("valid_weeks", "Valid weeks that have ended.", "higher"),
        _weeks(
            "guideline_weeks",
            "Valid weeks that have ended and reached the guideline's MVPA minutes (150 by "
            "default).",
            "higher",
        ),
        share_column("guideline_adherence_observed", "Guideline weeks / valid weeks."),
        share_column("guideline_adherence_strict", "Guideline weeks / eligible weeks."),
        of_goal(_weeks("goal_weeks", "Valid weeks with a goal that have ended.")),
        of_goal(
            _weeks("eligible_goal_weeks", "Weeks with a goal and an eligible day that have ended.")
        ),
        of_goal(_weeks("goal_weeks_met", "Adherent weeks that have ended.", "higher")),
        of_goal(
            share_column(
                "adherent_weeks",
                "Adherent weeks / valid weeks with a goal, of the weeks that have ended.",
            )
        ),
        of_goal(
            share_column(
                "adherent_weeks_strict",
                "Adherent weeks / weeks with a goal and an eligible day, of those that have ended.",
            )
        ),
        of_goal(
            Column(
                "is_adherent",
                Type.BOOLEAN,
                "The share of adherent weeks reaches the protocol's "
                "threshold (70 % by default); blank when no valid week.",
            )
        ),
        _days(
            "persistence_days",
            "Study day of the last valid day before the first gap, which is 14 (by default) "
            "eligible days in a row without a valid one; without a gap the last study day that "
            "has ended. 0 when the gap comes first.",
            "higher",
        ),
        Column(
            "persistence_ended",
            Type.BOOLEAN,
            "Whether there was such a gap; if not, persistence_days is censored. Blank before "
            "the first day has ended.",
        ),
        Column("last_valid_on", Type.DATE, "Last valid day."),
        Column(
            "last_day_state", Type.TEXT, "State of the last day that has ended.", allowed=DAY_STATES
        ),
    ),
)

completeness = Table(
    name="completeness",
    grain="participant and visit",
    key=("participant_id", "visit"),
    meaning="Which of the answers due came, by visit window: both denominators, of windows that "
    "have opened and of those that are settled. Never mixed with adherence.",
    reveals_arm_where=AT_DISCHARGE,
    columns=(
        PARTICIPANT_ID,
        VISIT,
        Column("due", Type.INTEGER, "Scales whose window has opened.", unit="scales", low=0),
        Column(
            "settled",
            Type.INTEGER,
            "Of these, received or missed: nothing more can come.",
            unit="scales",
            low=0,
        ),
        Column(
            "received",
            Type.INTEGER,
            "Of these, with a score.",
            unit="scales",
            low=0,
            better="higher",
        ),
        share_column("received_of_due", "Received / due."),
        share_column("received_of_settled", "Received / settled."),
    ),
)

baseline_activity = Table(
    name="baseline_activity",
    grain="participant",
    key=("participant_id",),
    meaning="Activity in the run-in, from which goals are proposed: valid days of the first two "
    "weeks, without the first two days (by default).",
    columns=(
        PARTICIPANT_ID,
        Column("window_starts_on", Type.DATE, "First day that counts.", required=True),
        Column("window_ends_on", Type.DATE, "Last day of the run-in.", required=True),
        _days("valid_days", "Valid days in the window."),
        _days("valid_weekend_days", "Of these, on a weekend as the site has it."),
        _steps("baseline_steps", "Median steps of the valid days; blank with a reason."),
        _steps("baseline_steps_mean", "Their mean, as sensitivity; blank with the same reason."),
        Column(
            "no_baseline",
            Type.TEXT,
            "Why there is no baseline.",
            allowed=("run-in not over", "too few valid days", "too few weekend days"),
        ),
    ),
)

goal_proposal = Table(
    name="goal_proposal",
    grain="participant and study week after the run-in",
    key=("participant_id", "study_week"),
    meaning="The goal that the protocol's rule proposes for a week, beside the one in force. A "
    "day is judged by the goal in force (table goal), never by this: late days may change it.",
    reveals_arm_where=GOALS_TELL,
    columns=(
        PARTICIPANT_ID,
        STUDY_WEEK,
        Column("week_starts_on", Type.DATE, "First day of the week.", required=True),
        Column("rule", Type.TEXT, "The protocol's rule.", required=True, allowed=GOAL_RULES),
        _steps(
            "basis_steps",
            "What it starts from: the baseline; a percentile of the last valid days; the mean of "
            "the valid week before.",
        ),
        Column(
            "proposed_steps",
            Type.INTEGER,
            "The goal proposed; blank with a reason.",
            unit="steps/day",
            low=0,
        ),
        Column(
            "not_proposed",
            Type.TEXT,
            "Why there is none.",
            allowed=("no baseline", "too few valid days", "no valid week before"),
        ),
        Column(
            "goal_steps",
            Type.INTEGER,
            "The goal in force on the first day of the week; blank when none.",
            unit="steps/day",
            low=1,
        ),
    ),
)
