"""Safety: answers that somebody must see the same day, whatever else is missing."""

from warehouse.schema import Column, Table, Type
from warehouse.tables.derived.columns import VISIT
from warehouse.tables.landed import AT_DISCHARGE, PARTICIPANT_ID, SOURCE

# The masked file has every event, or those who must act would not see it. It has no visit there,
# and no day of an event at discharge: both would date the discharge, which comes sooner in one arm.
safety_event = Table(
    name="safety_event",
    grain="participant and event",
    key=("participant_id", "event_number"),
    meaning="An answer that raises a safety event by a rule of its instrument, irrespective of the "
    "score and of what is missing.",
    columns=(
        PARTICIPANT_ID,
        Column(
            "event_number",
            Type.INTEGER,
            "The participant's events in the order of their days, undated ones last.",
            required=True,
            low=1,
        ),
        SOURCE,
        Column(VISIT.name, VISIT.type, VISIT.meaning, required=True, reveals_arm=True),
        Column("instrument", Type.TEXT, "Instrument code.", required=True),
        Column("repeat", Type.INTEGER, "1 for the first filling-in at this visit.", required=True),
        Column("kind", Type.TEXT, "The rule, e.g. phq9_item_9.", required=True),
        Column(
            "raised_on",
            Type.DATE,
            "Local day of the answer; blank when not stated, and in the masked file at discharge.",
            reveals_arm_where=AT_DISCHARGE,
        ),
    ),
)
