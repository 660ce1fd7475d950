"""What is wrong with what came, counted: the tables of the data-quality page.

Like the other tables of `ops` they tell how facts came, and are outside the content hash.
"""

from warehouse.schema import Column, Table, Type
from warehouse.tables.landed import SOURCE
from warehouse.tables.ops import ABOUT_SESSIONS

DRIFT_KINDS = ("new_field", "unknown_value", "number_as_text", "text_as_number", "not_a_number",
               "other_type")  # fmt: skip
drift = Table(
    name="drift",
    schema="ops",
    grain="source, data type, field and kind",
    key=("source", "data_type", "field_path", "kind"),
    meaning="Where replies differ from the vendor's published contract without harm: tolerated, "
    "and counted. No value is kept.",
    columns=(
        SOURCE,
        Column("data_type", Type.TEXT, "What was asked for.", required=True),
        Column("field_path", Type.TEXT, "The field within the reply.", required=True),
        Column("kind", Type.TEXT, "How it differs.", required=True, allowed=DRIFT_KINDS),
        Column("points", Type.BIG, "How often, over all pulls.", required=True, low=1),
        Column("first_seen_at", Type.INSTANT, "Pull that met it first.", required=True),
        Column("last_seen_at", Type.INSTANT, "Pull that met it last.", required=True),
    ),
)

_BY_DAY = (
    SOURCE,
    Column("data_type", Type.TEXT, "What was asked for.", required=True),
    Column("reason", Type.TEXT, "Why none came, or that it did; or why refused.", required=True),
    Column("asked_on", Type.DATE, "Day of the pulls, in UTC.", required=True),
    Column("participants", Type.INTEGER, "Participants concerned.", required=True, low=1),
)
receipt_day = Table(
    name="receipt_day",
    schema="ops",
    grain="source, data type, reason and day",
    key=("source", "data_type", "reason", "asked_on"),
    meaning="Receipts counted by what became of them. A participant asked several times a day is "
    "counted once for each reason.",
    rules=(("received = landed + rejected", "received <> landed + rejected"),),
    reveals_arm_where=ABOUT_SESSIONS,
    columns=(
        *_BY_DAY,
        Column("receipts", Type.INTEGER, "How many receipts.", required=True, low=1),
        Column("received", Type.BIG, "Data points received.", required=True, low=0),
        Column("landed", Type.BIG, "Of these, read into rows.", required=True, low=0),
        Column("rejected", Type.BIG, "Of these, refused.", required=True, low=0),
    ),
)

rejection_day = Table(
    name="rejection_day",
    schema="ops",
    grain="source, data type, reason and day",
    key=("source", "data_type", "reason", "asked_on"),
    meaning="Data points refused, counted by reason.",
    reveals_arm_where=ABOUT_SESSIONS,
    columns=(
        *_BY_DAY,
        Column("points", Type.BIG, "How many data points were refused.", required=True, low=1),
    ),
)

implausible_day = Table(
    name="implausible_day",
    schema="ops",
    grain="source, reason and local day",
    key=("source", "reason", "activity_date"),
    meaning="Days that landed and are flagged as implausible by the protocol; nothing is dropped.",
    columns=(
        SOURCE,
        Column(
            "reason",
            Type.TEXT,
            "Which bound of the protocol they pass.",
            required=True,
            allowed=("day_steps", "minute_steps", "low_steps"),
        ),
        Column("activity_date", Type.DATE, "Local day of the steps.", required=True),
        Column("participants", Type.INTEGER, "Participants concerned.", required=True, low=1),
    ),
)
