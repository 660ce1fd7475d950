"""How the study goes: key figures by site, who came, who stays, whose answers are missing."""

from warehouse.schema import Column, Table, Type
from warehouse.tables.derived.cohort import BLIND_KINDS, COHORT_COLUMNS, SUPPRESSED
from warehouse.tables.derived.columns import VISIT, share_column
from warehouse.tables.landed import AT_DISCHARGE, GOALS_TELL

# In the order in which they are shown. Goal adherence is one figure with both its denominators.
FIGURES = (
    "synced",
    "wear_adherence",
    "goal_adherence_observed",
    "goal_adherence_strict",
    "valid_weeks",
    "questionnaires",
    "retention",
    "persistence",
    "recruitment",
)
STANDINGS = ("very_low", "low", "as_expected", "high", "very_high")
CURVES = ("in_study", "wearing")
TRAITS = (
    "age_years",
    "female",
    "depression_or_anxiety",
    "baseline_steps",
    "wear_adherence",
    "baseline_score",
)


def _count(name: str, meaning: str, better: str = "") -> Column:
    return Column(name, Type.INTEGER, meaning, unit="participants", low=0, better=better)


def _part(name: str, meaning: str) -> Column:
    return Column(name, Type.REAL, meaning, unit="share", low=0)


def _scales(name: str, meaning: str) -> Column:
    return Column(name, Type.INTEGER, meaning, unit="scales", low=0, better="higher")


SUPPRESSED_COLUMN = Column("suppressed", Type.BOOLEAN, SUPPRESSED, required=True)
SCALE_OR_BLANK = Column(
    "scale", Type.TEXT, "Scale code, e.g. NPRS; blank where the row is of no single scale."
)

site_figure = Table(
    name="site_figure",
    grain="cohort and figure",
    key=("cohort_kind", "cohort", "figure"),
    meaning="Eight key figures of each site and of everybody, with a 95 % interval and funnel "
    "limits around the share of all sites (Spiegelhalter, Stat Med 2005;24:1185). Both allow for "
    "the days, weeks and scales of one participant being alike: Wilson's interval at the effective "
    "number (Korn and Graubard, Surv Methodol 1998;24:193). Sites are not adjusted for whom they "
    "treat.",
    reveals_arm_where=f"figure IN ('goal_adherence_observed', 'goal_adherence_strict') "
    f"AND {GOALS_TELL}",
    columns=(
        *COHORT_COLUMNS,
        Column(
            "figure",
            Type.TEXT,
            "synced: in follow-up, a day known of the last days that have ended (2 by default); "
            "who is paused, or blank by our or the vendor's fault, is not counted. wear_adherence: "
            "valid / eligible days. goal_adherence_observed: goal days met / valid days with a "
            "goal; goal_adherence_strict: / eligible days with a goal. valid_weeks: valid / "
            "eligible weeks that have ended. questionnaires: scales received / due, of windows "
            "that have closed, without discharge. retention: not withdrawn / started. persistence: "
            "without a long gap of wear / with an ended day. recruitment: enrolled / planned by "
            "today.",
            required=True,
            allowed=FIGURES,
        ),
        Column("position", Type.INTEGER, "Order of the figure.", required=True, low=1),
        SUPPRESSED_COLUMN,
        _count("participants", "Participants behind the figure."),
        Column(
            "counts",
            Type.TEXT,
            "What numerator and denominator count.",
            required=True,
            allowed=("participants", "days", "weeks", "scales"),
        ),
        Column("numerator", Type.INTEGER, "How many it holds for.", low=0),
        Column("denominator", Type.REAL, "Of how many; for recruitment the plan by today.", low=0),
        Column(
            "share",
            Type.REAL,
            "Numerator / denominator; blank where there is nothing to divide by. Above 1 for "
            "recruitment ahead of its plan.",
            unit="share",
            low=0,
            better="higher",
        ),
        _part("ci_low", "Lower end of its 95 % interval (Wilson; recruitment: Poisson score)."),
        _part("ci_high", "Upper end of its 95 % interval."),
        _part("overall", "The share of all sites together, around which the limits lie."),
        _part("limit_low", "A site like all others lies below in 1 of 40 such looks (95 %)."),
        _part("limit_high", "A site like all others lies above in 1 of 40 such looks."),
        _part("alarm_low", "A site like all others lies below in 1 of 1,000 looks (99.8 %)."),
        _part("alarm_high", "A site like all others lies above in 1 of 1,000 looks."),
        Column(
            "standing",
            Type.TEXT,
            "Where the share lies: low and high are outside the 95 % limits, very_low and "
            "very_high outside those of 99.8 %. Of twenty looks one is outside 95 % by chance.",
            allowed=STANDINGS,
        ),
    ),
)

retention = Table(
    name="retention",
    grain="cohort, curve and weeks since study day 1",
    key=("cohort_kind", "cohort", "curve", "weeks"),
    meaning="Share still in the study, and still wearing, by weeks since study day 1 (Kaplan and "
    "Meier, J Am Stat Assoc 1958;53:457), with the number at risk. A participant who is not yet "
    "that far is censored, not lost; from where nobody is at risk there is no row.",
    reveals_arm_where=f"cohort_kind IN {BLIND_KINDS}",
    columns=(
        *COHORT_COLUMNS,
        Column(
            "curve",
            Type.TEXT,
            "in_study: until withdrawal. wearing: until the last valid day before the first gap "
            "(14 eligible days in a row without one, by default); a withdrawal is censored. A gap "
            "is known only when it is over, so the last two weeks of each participant look better "
            "than they may turn out.",
            required=True,
            allowed=CURVES,
        ),
        Column("weeks", Type.INTEGER, "Whole weeks since study day 1.", required=True, low=0),
        SUPPRESSED_COLUMN,
        _count("participants", "Participants with a study day."),
        _count("at_risk", "Of these, followed that far and still in it just before."),
        _count("ended", "Of these, who had left or stopped by then.", "lower"),
        share_column("still", "Share still in the study, or still wearing."),
        share_column("ci_low", "Lower end of its 95 % interval (log-log); blank at 0 and 1."),
        share_column("ci_high", "Upper end of its 95 % interval."),
    ),
)

recruitment = Table(
    name="recruitment",
    grain="cohort and calendar week",
    key=("cohort_kind", "cohort", "week_starts_on"),
    meaning="Who was enrolled, by calendar week, everybody and each site, beside the plan of "
    "study.toml where it has one. Counts of enrollment are never withheld.",
    columns=(
        *COHORT_COLUMNS,
        Column("week_starts_on", Type.DATE, "The Monday of the week.", required=True),
        Column(
            "enrolled",
            Type.INTEGER,
            "Participants enrolled in the week.",
            unit="participants",
            required=True,
            low=0,
            better="higher",
        ),
        Column(
            "cumulative",
            Type.INTEGER,
            "Participants enrolled by its end.",
            unit="participants",
            required=True,
            low=0,
            better="higher",
        ),
        Column(
            "planned",
            Type.REAL,
            "Participants planned by its end, in the running week by today: the site's number in "
            "equal parts over the days of recruitment. Blank without a plan.",
            unit="participants",
            low=0,
        ),
    ),
)

cohort_completeness = Table(
    name="cohort_completeness",
    grain="cohort, visit and scale, and one over all scales",
    key=("cohort_kind", "cohort", "visit", "scale"),
    meaning="Which of the answers due came, by cohort, visit and scale: both denominators, of "
    "windows that have opened and of those that have closed. Never mixed with adherence.",
    reveals_arm_where=f"cohort_kind IN {BLIND_KINDS} OR {AT_DISCHARGE}",
    columns=(
        *COHORT_COLUMNS,
        VISIT,
        SCALE_OR_BLANK,
        SUPPRESSED_COLUMN,
        _count("participants", "Participants whose window has opened."),
        Column("due", Type.INTEGER, "Scales whose window has opened.", unit="scales", low=0),
        Column("closed", Type.INTEGER, "Of these, whose window has closed.", unit="scales", low=0),
        _scales("received", "Of those due, with a score."),
        _scales("received_closed", "Of those closed, with a score."),
        share_column("received_of_due", "Received / due; while windows are open it can yet rise."),
        share_column("received_of_closed", "Received of those closed / closed."),
        _count("participants_closed", "Participants all of whose windows of the visit closed."),
        _count("participants_complete", "Of these, with every score.", "higher"),
        share_column("complete_share", "Participants complete / closed."),
        share_column("complete_ci_low", "Lower end of its 95 % interval (Wilson)."),
        share_column("complete_ci_high", "Upper end of its 95 % interval (Wilson)."),
    ),
)

who_is_missing = Table(
    name="who_is_missing",
    grain="cohort, visit, trait, scale and whether the answers are complete",
    key=("cohort_kind", "cohort", "visit", "trait", "scale", "answers"),
    meaning="What those with every score of a visit and those without are like, of participants "
    "whose windows of it have closed. Descriptive: it says who is missing, not why.",
    reveals_arm_where=AT_DISCHARGE,
    columns=(
        *COHORT_COLUMNS,
        VISIT,
        Column(
            "trait",
            Type.TEXT,
            "age_years: mean, years. female, depression_or_anxiety: share. baseline_steps: mean, "
            "steps/day. wear_adherence: mean share of eligible days that were valid, to the visit. "
            "baseline_score: mean, in points of the scale, whose direction is in the scale table.",
            required=True,
            allowed=TRAITS,
        ),
        SCALE_OR_BLANK,
        Column(
            "answers",
            Type.TEXT,
            "complete: every score due at the visit came; incomplete: one or more did not.",
            required=True,
            allowed=("complete", "incomplete"),
        ),
        SUPPRESSED_COLUMN,
        _count("participants", "Participants with the trait known."),
        Column("mean", Type.REAL, "Their mean, or the share of them."),
        Column("ci_low", Type.REAL, "Lower end of its 95 % interval (t; of a share Wilson)."),
        Column("ci_high", Type.REAL, "Upper end of its 95 % interval."),
        Column(
            "standardised_difference",
            Type.REAL,
            "Incomplete minus complete, in pooled standard deviations (Austin, Stat Med "
            "2009;28:3083); the same in both rows, blank where either has nobody or none varies.",
            unit="standard deviations",
        ),
    ),
)
