"""How the work went: connections, devices, receipts, revisions, rejections, checks, the build.

These tables tell when and how facts came; two runs that end in the same facts may differ here,
so they are outside the content hash.
"""

from warehouse.schema import Column, Table, Type
from warehouse.tables.landed import GOALS_TELL, PARTICIPANT_ID, SOURCE

CONNECTION_STATES = (
    "never_connected",
    "active",
    "revoked",
    "expired",
    "scope_missing",
    "wrong_account",
    "not_linked",
    "retired",
)
# Why a window brought nothing, or not all: the participant's, the vendor's, or ours.
RECEIPT_REASONS = (
    "received",
    "nothing_new",
    "not_synced",
    "no_data",
    "consent_lost",
    "scope_missing",
    "wrong_account",
    "vendor_outage",
    "rate_limited",
    "bad_reply",
    "retired",
    "misconfigured",
    "our_fault",
)

# The data types of receipts that are not of a wearable, by what they are about, as the sources
# call them. A test holds them against what every source counts.
SESSION_TYPES = ("sessions", "treatment_session")
ANSWER_TYPES = ("responses", "response", "forms")
GOAL_TYPES = ("goals", "goal")
ROSTER_TYPES = ("roster", "participant")

# Of few participants: how many had goals at all.
_GOALS = f"data_type IN {GOAL_TYPES} AND {GOALS_TELL}"
# How many sessions a participant has had tells the arm, and so does how many were received.
ABOUT_SESSIONS = f"data_type IN {SESSION_TYPES} OR ({_GOALS})"
# What came of a participant's answers beyond those shown is of discharge, and dates it to the pull.
ABOUT_DISCHARGE = f"data_type IN {SESSION_TYPES + ANSWER_TYPES} OR ({_GOALS})"

connection = Table(
    name="connection",
    schema="ops",
    grain="participant and source",
    key=("participant_id", "source"),
    meaning="The state of a participant's permission to read their data. No token is here.",
    columns=(
        PARTICIPANT_ID,
        SOURCE,
        Column(
            "state", Type.TEXT, "State of the connection.", required=True, allowed=CONNECTION_STATES
        ),
        Column("since", Type.INSTANT, "When it took that state.", required=True),
        Column("next_step", Type.TEXT, "What to do, in words; blank when nothing."),
        Column("last_pulled_at", Type.INSTANT, "Last pull that got an answer."),
        Column("synced_at", Type.INSTANT, "Last sync of the device, as the vendor last said."),
        Column(
            "first_asked_on",
            Type.DATE,
            "First local day ever asked for; days before it were never asked for.",
        ),
        Column(
            "landed_sync_at",
            Type.INSTANT,
            "The sync through which every data type has landed: "
            "a day that ended before it is complete.",
        ),
    ),
)

device = Table(
    name="device",
    schema="ops",
    grain="participant, source and device",
    key=("participant_id", "source", "device_id"),
    meaning="A paired device as last reported.",
    columns=(
        PARTICIPANT_ID,
        SOURCE,
        Column(
            "device_id",
            Type.TEXT,
            "Hash of the vendor's device id; no serial is kept.",
            required=True,
        ),
        Column("device_model", Type.TEXT, "Device model as the source names it."),
        Column("measures_heart_rate", Type.BOOLEAN, "Whether it measures heart rate."),
        Column("last_sync_at", Type.INSTANT, "When it last synced, as the vendor says."),
        Column("battery_pct", Type.INTEGER, "Battery at that sync.", unit="%", low=0, high=100),
        Column("observed_at", Type.INSTANT, "When we asked.", required=True),
    ),
)

receipt = Table(
    name="receipt",
    schema="ops",
    grain="participant, source, data type and pull",
    key=("participant_id", "source", "data_type", "asked_at", "pull_id"),
    meaning="What was asked of a vendor, what came, what landed, what was rejected, and why "
    "nothing came. Received = landed + rejected, always.",
    rules=(("received = landed + rejected", "received <> landed + rejected"),),
    reveals_arm_where=ABOUT_DISCHARGE,
    columns=(
        PARTICIPANT_ID,
        SOURCE,
        Column("data_type", Type.TEXT, "What was asked for.", required=True),
        Column("pull_id", Type.TEXT, "The pull that asked.", required=True),
        Column("asked_at", Type.INSTANT, "When.", required=True),
        Column("first_on", Type.DATE, "First local day asked for; blank where days do not apply."),
        Column("last_on", Type.DATE, "Last local day asked for."),
        Column(
            "requests",
            Type.INTEGER,
            "HTTP requests that the pull spent on this participant, retries included. The same "
            "number stands on each of its data types: take it once a pull, never their sum.",
            low=0,
        ),
        Column("received", Type.INTEGER, "Data points in the replies.", required=True, low=0),
        Column("landed", Type.INTEGER, "Of these, read into rows.", required=True, low=0),
        Column("rejected", Type.INTEGER, "Of these, refused.", required=True, low=0),
        Column(
            "reason",
            Type.TEXT,
            "Why nothing came, or that it did.",
            required=True,
            allowed=RECEIPT_REASONS,
        ),
    ),
)

rejection = Table(
    name="rejection",
    schema="ops",
    grain="participant, source, data type, pull and reason",
    key=("participant_id", "source", "data_type", "pull_id", "reason"),
    meaning="Data points that were received and refused, by reason. The raw reply is kept.",
    reveals_arm_where=ABOUT_DISCHARGE,
    columns=(
        PARTICIPANT_ID,
        SOURCE,
        Column("data_type", Type.TEXT, "What was asked for.", required=True),
        Column("pull_id", Type.TEXT, "The pull that asked.", required=True),
        Column("reason", Type.TEXT, "Why they were refused.", required=True),
        Column("asked_at", Type.INSTANT, "When the pull asked."),
        Column("points", Type.INTEGER, "How many.", required=True, low=1),
        Column("raw_sha256", Type.TEXT, "A raw reply that holds one of them."),
    ),
)

revision = Table(
    name="revision",
    schema="ops",
    grain="participant, source, local day and change",
    key=("participant_id", "source", "activity_date", "row_hash", "changed_at"),
    meaning="A day that changed after it had landed: the late-arrival ledger. What was replaced "
    "stays on record here and in the raw replies.",
    columns=(
        PARTICIPANT_ID,
        SOURCE,
        Column("activity_date", Type.DATE, "The day that changed.", required=True),
        Column("row_hash", Type.TEXT, "Hash of the new facts.", required=True),
        Column("replaced_hash", Type.TEXT, "Hash of the facts replaced.", required=True),
        Column("steps_before", Type.INTEGER, "Steps in the facts replaced.", unit="steps", low=0),
        Column("steps_after", Type.INTEGER, "Steps in the new facts.", unit="steps", low=0),
        Column("wear_before", Type.INTEGER, "Wear in the facts replaced.", unit="minutes", low=0),
        Column("wear_after", Type.INTEGER, "Wear in the new facts.", unit="minutes", low=0),
        Column("changed_at", Type.INSTANT, "When the new facts were fetched.", required=True),
        Column(
            "days_late", Type.INTEGER, "Whole days from the day's end to the change.", unit="days"
        ),
        Column("replaced_at", Type.INSTANT, "When the facts replaced were last fetched."),
        Column(
            "was_complete",
            Type.BOOLEAN,
            "Whether the day had landed past its end: then the vendor restated it. Else a later "
            "sync filled it in.",
        ),
    ),
)

lateness = Table(
    name="lateness",
    schema="ops",
    grain="participant and source",
    key=("participant_id", "source"),
    meaning="How long after its end a day of this participant may still be restated, learned from "
    "the revisions of days that were complete. No row: none was, and the protocol's own hold.",
    columns=(
        PARTICIPANT_ID,
        SOURCE,
        Column(
            "lateness_days",
            Type.INTEGER,
            "Twice the protocol's percentile of their lateness, between its least and its most: "
            "such days are asked for again, and are not final.",
            unit="days",
            required=True,
            low=0,
        ),
        Column(
            "changes", Type.INTEGER, "Revisions that it was learned from.", required=True, low=1
        ),
        Column("learned_at", Type.INSTANT, "When the newest of them was fetched.", required=True),
    ),
)

lake_file = Table(
    name="lake_file",
    schema="ops",
    grain="file of landed rows",
    key=("path",),
    meaning="The ledger of what this build read: the next build looks only into files that differ "
    "from it, and recomputes only the days whose row_hash differs.",
    columns=(
        Column("path", Type.TEXT, "Path within the lake.", required=True),
        Column("size", Type.BIG, "Length.", unit="bytes", required=True, low=0),
        Column(
            "modified_ns",
            Type.BIG,
            "When it was written, in nanoseconds since 1970.",
            required=True,
        ),
    ),
)

content_chunk = Table(
    name="content_chunk",
    schema="ops",
    grain="table and chunk",
    key=("table_name", "chunk"),
    meaning="The content hash in parts: of each table that counts, by its days or its weeks where "
    "its key has them, else whole. The next build hashes only the parts in which something "
    "changed. Each file has its own.",
    columns=(
        Column("table_name", Type.TEXT, "The table.", required=True),
        Column("chunk", Type.TEXT, "Which day or week; empty for all of it.", required=True),
        Column("rows", Type.BIG, "Rows of the chunk.", required=True, low=1),
        Column("chunk_hash", Type.TEXT, "SHA-256 of what they say.", required=True),
    ),
)

check_result = Table(
    name="check_result",
    schema="ops",
    grain="check",
    key=("check_name",),
    meaning="The checks this build passed.",
    columns=(
        Column("check_name", Type.TEXT, "What was checked.", required=True),
        Column("failures", Type.INTEGER, "Rows that broke it.", required=True, low=0),
    ),
)

definition = Table(
    name="definition",
    schema="ops",
    grain="part of the protocol or the code",
    key=("part",),
    meaning="What this build rests on, part by part: the next one says what has changed, and "
    "computes days again only where they rest on it.",
    columns=(
        Column("part", Type.TEXT, "A part of study.toml such as [wear], or code.", required=True),
        Column("definition_hash", Type.TEXT, "SHA-256 of the part.", required=True),
    ),
)

build = Table(
    name="build",
    schema="ops",
    grain="build (one row)",
    key=("build_id",),
    meaning="Which build this file is: when, from what, by which code.",
    columns=(
        Column("build_id", Type.TEXT, "Stamp of the build, as in the file's name.", required=True),
        Column("built_at", Type.INSTANT, "When it was built.", required=True),
        Column("as_of", Type.INSTANT, "The study's clock at the build.", required=True),
        Column("data_to", Type.DATE, "Last local day with any landed data."),
        Column("study", Type.TEXT, "Name of the study.", required=True),
        Column("protocol_hash", Type.TEXT, "Hash of study.toml as it was used.", required=True),
        Column("code_version", Type.TEXT, "Version of Stepwell.", required=True),
        Column("input_hash", Type.TEXT, "Hash of what it was built from.", required=True),
        Column("content_hash", Type.TEXT, "Hash of the tables of this build.", required=True),
        Column("masked", Type.BOOLEAN, "Whether arms are left out of this file.", required=True),
        Column(
            "goals_reveal_arm",
            Type.BOOLEAN,
            "Whether study.toml gives goals to some arms alone (`goals.arms`): then the masked "
            "file has no goal, and nothing that rests on one.",
            required=True,
        ),
        Column("days_computed", Type.INTEGER, "Days of minutes computed by this build.", low=0),
        Column("days_reused", Type.INTEGER, "Days taken unchanged from the build before.", low=0),
    ),
)
