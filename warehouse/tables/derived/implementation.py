"""How the study runs: its flow of participants, and how the treatment was taken up."""

from warehouse.schema import Column, Table, Type
from warehouse.tables.derived.cohort import BLIND_AT_VISIT, COHORT_COLUMNS, SUPPRESSED
from warehouse.tables.derived.columns import share_column

FLOW_STAGES = (
    "recruited",
    "connected",
    "started",
    "withdrawn",
    "in_study",
    "visit_due",
    "visit_complete",
    "visit_part",
    "visit_missed",
    "visit_awaited",
)

flow = Table(
    name="flow",
    grain="cohort, stage and visit",
    key=("cohort_kind", "cohort", "position"),
    meaning="The flow of participants, counted from the data (CONSORT, STROBE): of everybody, a "
    "site or an arm. recruited = withdrawn + in_study; visit_due = visit_complete + visit_part + "
    "visit_missed + visit_awaited. Reasons of withdrawal are not landed. The counts say nothing "
    "of how anybody fares and are never withheld.",
    reveals_arm_where=BLIND_AT_VISIT,
    columns=(
        *COHORT_COLUMNS,
        Column("position", Type.INTEGER, "Order of the stage.", required=True, low=1),
        Column(
            "stage",
            Type.TEXT,
            "recruited: on the roster. connected: gave access to a wearable, or its days came by "
            "file. started: study day 1 has come. withdrawn: by today. visit_due: the window of a "
            "scale has opened; then all scores came, some did, none did and none can, none yet.",
            required=True,
            allowed=FLOW_STAGES,
        ),
        Column("visit", Type.TEXT, "Visit code; blank for a stage of no visit."),
        Column(
            "participants",
            Type.INTEGER,
            "How many.",
            unit="participants",
            required=True,
            low=0,
        ),
    ),
)


def _count(name: str, meaning: str) -> Column:
    return Column(name, Type.INTEGER, meaning, low=0)


implementation = Table(
    name="implementation",
    grain="cohort of clinic or therapist",
    key=("cohort_kind", "cohort"),
    meaning="Reach, adoption and fidelity of the treatment, by clinic and therapist, as far as "
    "landed data can tell: who was eligible and not enrolled is not landed, nor what was said in "
    "a session.",
    reveals_arm=True,  # sessions and therapists do
    columns=(
        *COHORT_COLUMNS,
        _count("participants", "Participants of the cohort: enrolled, so no wider denominator."),
        Column("suppressed", Type.BOOLEAN, SUPPRESSED, required=True),
        _count("treated", "Of these, with an attended session."),
        share_column("reach", "Treated / participants."),
        _count("therapists", "Therapists of study.toml, of the clinic."),
        _count("delivering", "Of these, who have held an attended session."),
        share_column("adoption", "Delivering / therapists."),
        _count("judged", "Treated participants whose arm has a number of sessions by protocol."),
        _count("by_protocol", "Of these, with that number attended."),
        share_column("fidelity", "By protocol / judged. Of the number of sessions only."),
        Column(
            "sessions_per_participant",
            Type.REAL,
            "Mean of sessions attended over the treated.",
            unit="sessions",
            low=0,
        ),
        share_column("attended_share", "Sessions attended / sessions whose attendance is stated."),
    ),
)
