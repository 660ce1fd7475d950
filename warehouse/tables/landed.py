"""Facts as they were received and typed: activity days, answers, sessions, the roster."""

from warehouse.schema import LONGEST_DAY_MINUTES, Column, Table, Type

WEAR_METHODS = ("heart_rate", "explicit_zero", "steps")
ERAS = ("legacy_fitbit", "google_health", "file")

# A discharge comes sooner in an arm with fewer sessions, so its date betrays the arm: each
# participant's discharge is left out of the masked file. `complete` is the full file's name there.
AT_DISCHARGE = "visit IN (SELECT visit FROM complete.visit WHERE week IS NULL)"
# Where only some arms are given goals (`goals.arms` of study.toml), who has one betrays the arm.
GOALS_TELL = "(SELECT goals_reveal_arm FROM complete.ops.build)"

PARTICIPANT_ID = Column(
    "participant_id", Type.TEXT, "The participant's pseudonym in this study.", required=True
)
SOURCE = Column("source", Type.TEXT, "The source that delivered the row.", required=True)
ACTIVITY_DATE = Column(
    "activity_date", Type.DATE, "The participant's own local calendar day.", required=True
)
FETCHED_AT = Column(
    "fetched_at",
    Type.INSTANT,
    "When the newest reply behind this row was received; for a day of an imported export, how far "
    "the export reaches, so that the later export wins in any order.",
    provenance=True,
)
RAW = Column(
    "raw_sha256",
    Type.TEXT_LIST,
    "Hashes of the raw replies the row was read from; of a day, their first 32 hex digits.",
    provenance=True,
)

# Minutes count from day_start_at in elapsed time: on a day of 1,500 minutes they run to 1499.
activity_day = Table(
    name="activity_day",
    grain="participant, source and local day",
    key=("participant_id", "source", "activity_date"),
    meaning="A day of minutes as the vendor or file gave it: non-zero step minutes and wear runs.",
    columns=(
        PARTICIPANT_ID,
        SOURCE,
        ACTIVITY_DATE,
        Column("timezone", Type.TEXT, "IANA zone of the day; blank when the source states none."),
        Column("day_start_at", Type.INSTANT, "The instant of local midnight.", required=True),
        Column(
            "day_minutes",
            Type.INTEGER,
            "From the day's first local midnight to its last: 1,380 or 1,500 where clocks change, "
            "anything to two days on a journey, more where a date is lived twice.",
            unit="minutes",
            required=True,
            low=1,
            high=LONGEST_DAY_MINUTES,
        ),
        Column("step_minute", Type.SMALL_LIST, "Minutes from day_start_at with steps, ascending."),
        Column("step_count", Type.SMALL_LIST, "Steps of each minute in step_minute.", unit="steps"),
        Column("wear_start", Type.SMALL_LIST, "First minute of each run of wear, ascending."),
        Column("wear_length", Type.SMALL_LIST, "Length of each run of wear.", unit="minutes"),
        Column(
            "wear_method",
            Type.TEXT,
            "What the wear runs rest on: heart-rate minutes, the vendor's explicit zero minutes, "
            "or hours with steps. Blank when the day has no minutes at all.",
            allowed=WEAR_METHODS,
        ),
        Column("steps", Type.INTEGER, "Sum of step_count.", unit="steps", low=0),
        Column(
            "wear_minutes",
            Type.INTEGER,
            "Sum of wear_length; blank where wear does not rest on minutes.",
            unit="minutes",
            low=0,
        ),
        Column(
            "vendor_steps",
            Type.INTEGER,
            "The vendor's own daily total; blank when it gave none.",
            unit="steps",
            low=0,
        ),
        Column("era", Type.TEXT, "Which system measured the day.", required=True, allowed=ERAS),
        Column("device_model", Type.TEXT, "Device model as the source names it."),
        Column(
            "row_hash",
            Type.TEXT,
            "First 32 hex digits of the SHA-256 of the facts of this row: tells a changed day.",
            required=True,
        ),
        FETCHED_AT,
        RAW,
    ),
)

response = Table(
    name="response",
    grain="participant, source, visit, instrument, repeat and item",
    key=("participant_id", "source", "visit", "instrument", "repeat", "item"),
    meaning="A questionnaire answer as it was received, before any scoring.",
    reveals_arm_where=AT_DISCHARGE,
    columns=(
        PARTICIPANT_ID,
        SOURCE,
        Column("visit", Type.TEXT, "Visit code of study.toml.", required=True),
        Column("instrument", Type.TEXT, "Instrument code, e.g. NPRS.", required=True),
        Column("repeat", Type.INTEGER, "1 for the first filling-in at this visit.", required=True),
        Column("item", Type.TEXT, "Item code within the instrument.", required=True),
        Column("value", Type.TEXT, "The answer as received; blank when left blank."),
        Column("answered_on", Type.DATE, "Local day of the answer; blank when not stated."),
        Column("row_hash", Type.TEXT, "Hash of the facts of this row.", required=True),
        FETCHED_AT,
        RAW,
    ),
)

treatment_session = Table(
    name="treatment_session",
    grain="participant, source and session",
    key=("participant_id", "source", "session_number"),
    meaning="A treatment session with a therapist.",
    reveals_arm=True,  # usual care has more sessions, and therapists belong to one arm
    columns=(
        PARTICIPANT_ID,
        SOURCE,
        Column(
            "session_number",
            Type.INTEGER,
            "Number of the session for this participant.",
            required=True,
            low=1,
        ),
        Column("held_on", Type.DATE, "Local day of the session."),
        Column("attended", Type.BOOLEAN, "Whether the participant came."),
        Column("therapist_id", Type.TEXT, "The therapist's pseudonym."),
        Column("row_hash", Type.TEXT, "Hash of the facts of this row.", required=True),
        FETCHED_AT,
        RAW,
    ),
)

participant = Table(
    name="participant",
    grain="participant",
    key=("participant_id",),
    meaning="Who takes part: site, arm, dates. Names live nowhere in Stepwell.",
    columns=(
        PARTICIPANT_ID,
        Column("site", Type.TEXT, "Site code of study.toml.", required=True),
        Column("arm", Type.TEXT, "Arm code of study.toml.", reveals_arm=True),
        Column("therapist_id", Type.TEXT, "The therapist's pseudonym.", reveals_arm=True),
        Column("timezone", Type.TEXT, "IANA zone of the participant's home.", required=True),
        Column("enrolled_on", Type.DATE, "Day of enrollment.", required=True),
        Column(
            "starts_on",
            Type.DATE,
            "Study day 1: the first full local day after consent and device set-up.",
            required=True,
        ),
        Column("withdrawn_on", Type.DATE, "Day of withdrawal; blank while taking part."),
        Column("paused_from", Type.DATE, "First day of a pause; blank when none."),
        Column("paused_to", Type.DATE, "Last day of a pause; blank while it lasts."),
        Column(
            "depression_or_anxiety",
            Type.BOOLEAN,
            "In the prespecified subgroup with depression or anxiety at baseline; "
            "blank when not assessed.",
        ),
        Column("age_years", Type.INTEGER, "Age at enrollment.", unit="years", low=18, high=120),
        Column("sex", Type.TEXT, "Sex as recorded at enrollment.", allowed=("female", "male")),
    ),
)

goal = Table(
    name="goal",
    grain="participant and goal version",
    key=("participant_id", "version"),
    meaning="The participant's daily step goal and when it was in force.",
    reveals_arm_where=GOALS_TELL,
    columns=(
        PARTICIPANT_ID,
        Column("version", Type.INTEGER, "1 for the first goal.", required=True, low=1),
        Column("valid_from", Type.DATE, "First local day judged by this goal.", required=True),
        Column("valid_to", Type.DATE, "Last local day judged by it; blank while in force."),
        Column(
            "goal_steps", Type.INTEGER, "Daily step goal.", unit="steps/day", required=True, low=1
        ),
        Column(
            "rule",
            Type.TEXT,
            "How the goal was set.",
            required=True,
            allowed=("protocol", "coordinator"),
        ),
        Column("row_hash", Type.TEXT, "Hash of the facts of this row.", required=True),
        FETCHED_AT,
        RAW,
    ),
)

LAKE_ONLY = ("activity_day",)
