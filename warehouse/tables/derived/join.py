"""The join the study is about: activity beside function, pain and fear-avoidance."""

from warehouse.schema import Column, Table, Type
from warehouse.tables.derived.columns import SCALE, VISIT
from warehouse.tables.landed import AT_DISCHARGE, PARTICIPANT_ID


def _steps(name: str, meaning: str, low: float | None = None, better: str = "") -> Column:
    return Column(name, Type.REAL, meaning, unit="steps/day", low=low, better=better)


activity_outcome = Table(
    name="activity_outcome",
    grain="participant, visit and scale with a score",
    key=("participant_id", "visit", "scale"),
    meaning="Activity in the days before a visit beside the outcome of that visit, lagged so that "
    "cause precedes effect. A participant's own ups and downs (`steps_within`) and what tells "
    "participants apart (`steps_between`) are kept apart: their slopes can have opposite signs.",
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
        _steps(
            "steps_per_day",
            "Mean steps over the window's valid days; blank unless enough_days.",
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
        Column(
            "visits_with_activity",
            Type.INTEGER,
            "The participant's scheduled visits with this scale's score and enough days: what "
            "steps_own_mean is over. Discharge is not scheduled: its day tells the arm.",
            unit="visits",
            low=0,
        ),
        _steps(
            "steps_own_mean",
            "Mean of steps_per_day over those visits; blank when there are none.",
            low=0,
        ),
        _steps("steps_within", "Within-person part: steps_per_day - steps_own_mean."),
        _steps(
            "steps_between",
            "Between-person part: steps_own_mean - the mean of the person means of this scale, "
            "each person counting once.",
        ),
        Column(
            "days_to_next_visit",
            Type.INTEGER,
            "Days to the next scheduled visit with a score of this scale; blank at the last.",
            unit="days",
            low=0,
        ),
        Column("score", Type.REAL, "The score at the visit.", required=True),
        Column("score_change", Type.REAL, "Score minus baseline, raw direction."),
        Column(
            "improvement", Type.REAL, "Change turned so that positive is better.", better="higher"
        ),
    ),
)

week_series = Table(
    name="week_series",
    grain="participant, study week and measure",
    key=("participant_id", "study_week", "measure"),
    meaning="Week by week, for charts: activity of the week, and each score in the week of its "
    "answers. Nothing is carried to another week: a week without is a week without a row.",
    reveals_arm_where=f"coalesce({AT_DISCHARGE}, false)",
    columns=(
        PARTICIPANT_ID,
        Column(
            "study_week",
            Type.INTEGER,
            "Week from study day 1, by sevens: 1 is study days 1 to 7, 0 the seven days before day "
            "1, -1 the seven before those: a baseline may be answered weeks before the start.",
            required=True,
        ),
        Column("week_starts_on", Type.DATE, "First day of the week.", required=True),
        Column(
            "measure",
            Type.TEXT,
            "`steps_per_day`, `week_mvpa_minutes`, or a scale's code.",
            required=True,
        ),
        Column("value", Type.REAL, "The week's figure.", required=True),
        Column("valid_days", Type.INTEGER, "Valid days behind activity.", unit="days", low=0),
        Column("visit", Type.TEXT, "The visit of a score; blank for activity."),
        Column(
            "days_to_next_visit",
            Type.INTEGER,
            "From the week's last day to the answers of the next scheduled visit, or to its "
            "target while it may still be answered; blank when there is none.",
            unit="days",
            low=0,
        ),
    ),
)

treatment = Table(
    name="treatment",
    grain="participant",
    key=("participant_id",),
    meaning="Treatment sessions of every participant; one without any has a row of none.",
    reveals_arm=True,  # usual care has more sessions
    columns=(
        PARTICIPANT_ID,
        Column("sessions", Type.INTEGER, "Sessions on record.", unit="sessions", low=0),
        Column(
            "sessions_stated",
            Type.INTEGER,
            "Of these, with attendance stated.",
            unit="sessions",
            low=0,
        ),
        Column("attended", Type.INTEGER, "Sessions attended.", unit="sessions", low=0),
        Column(
            "attended_share",
            Type.REAL,
            "Attended / sessions stated.",
            unit="share",
            low=0,
            high=1,
        ),
        Column(
            "episodes",
            Type.INTEGER,
            "Episodes of care with an attended session: a new one begins after 90 days (by "
            "default) without a session.",
            unit="episodes",
            low=0,
        ),
        Column(
            "sessions_per_episode",
            Type.REAL,
            "Sessions attended / episodes.",
            unit="sessions",
            low=0,
        ),
        Column("first_on", Type.DATE, "First attended session."),
        Column("last_on", Type.DATE, "Last attended session."),
        Column(
            "by_protocol",
            Type.BOOLEAN,
            "Sessions attended within what the protocol gives for the arm; blank when it gives "
            "nothing, or none was attended.",
        ),
    ),
)
