"""Work: who needs a person and why, many quiet at once as one cause, and outcomes to rescue."""

from warehouse.schema import Column, Table, Type
from warehouse.tables.derived.cohort import COHORT_COLUMNS, SUPPRESSED
from warehouse.tables.derived.columns import VISIT, share_column
from warehouse.tables.landed import GOALS_TELL, PARTICIPANT_ID

WORK_QUEUES = ("clinical_review", "reconnect", "call", "chase", "coach", "charge")
WORK_LEVELS = ("amber", "red", "escalate")
FAULTS = ("participant", "vendor", "ours", "nobody")
HELD_BECAUSE = ("our_fault", "vendor_outage", "cluster", "paused")

# (reason, level, queue, whose doing it is, happened once), the most pressing first.
WORK_REASONS = (
    ("safety_event", "escalate", "clinical_review", "nobody", True),
    ("score_worse", "red", "clinical_review", "nobody", True),
    ("wrong_account", "red", "reconnect", "participant", False),
    ("consent_lost", "red", "reconnect", "participant", False),
    ("wearing_but_overdue", "red", "chase", "participant", False),
    ("not_synced", "escalate", "call", "participant", False),
    ("not_synced", "red", "call", "participant", False),
    ("never_connected", "red", "reconnect", "participant", False),
    ("not_worn", "amber", "call", "participant", False),
    ("questionnaire_overdue", "amber", "chase", "participant", False),
    ("device_swap", "amber", "call", "nobody", True),
    ("not_synced", "amber", "call", "participant", False),
    ("goal_missed", "amber", "coach", "participant", False),
    ("battery_low", "amber", "charge", "participant", False),
    ("questionnaire_due", "amber", "chase", "nobody", False),
)
REASONS = tuple(dict.fromkeys(reason for reason, *_ in WORK_REASONS))

REASON = Column(
    "reason",
    Type.TEXT,
    "Why somebody needs a person. safety_event: an answer that must be seen the same day, also of "
    "who is not in follow-up. score_worse: past the protocol's limit for the scale. wrong_account, "
    "consent_lost, never_connected: no days can come. not_synced: the device is silent. not_worn: "
    "too few valid days of the last known. wearing_but_overdue: worn lately, so reachable, and a "
    "questionnaire is overdue; questionnaire_overdue: not worn lately; questionnaire_due: from the "
    "target day. device_swap: another device. goal_missed: on none of the last goal days. "
    "battery_low: at the last sync.",
    required=True,
    allowed=REASONS,
)


# Where only some arms are given goals, being listed for one tells the arm.
_OF_GOALS = f"reason = 'goal_missed' AND {GOALS_TELL}"


def _count(name: str, meaning: str, better: str = "") -> Column:
    return Column(name, Type.INTEGER, meaning, unit="participants", low=0, better=better)


work_item = Table(
    name="work_item",
    schema="ops",
    grain="participant and reason open at the build",
    key=("participant_id", "reason"),
    meaning="Who needs a person, and why: of the participants expected to report (study day 1 has "
    "come, not withdrawn; for the device also within the weeks of follow-up). What is quiet by "
    "our fault or the vendor's, or while paused, is here and held back. Nothing here rests on a "
    "visit at discharge, whose day would tell the arm, but safety events. What was already "
    "contacted or put off is in the register and not known here.",
    reveals_arm_where=_OF_GOALS,
    columns=(
        PARTICIPANT_ID,
        REASON,
        Column("queue", Type.TEXT, "Which list it is for.", required=True, allowed=WORK_QUEUES),
        Column("priority", Type.INTEGER, "1 is the most pressing.", required=True, low=1),
        Column("level", Type.TEXT, "How pressing.", required=True, allowed=WORK_LEVELS),
        Column(
            "since_on",
            Type.DATE,
            "Since which local day; blank when not known, and of a participant with a safety event "
            "at discharge, which it would date.",
        ),
        Column("since_at", Type.INSTANT, "Since which instant; blank when only the day is known."),
        Column(
            "days",
            Type.INTEGER,
            "Days from then to the build; whole ones of 24 hours where the instant is known.",
            unit="days",
            low=0,
        ),
        Column("visit", Type.TEXT, "Of the questionnaire: the visit whose window closes first."),
        Column("closes_on", Type.DATE, "Of the questionnaire: last day of that window."),
        Column("scales_open", Type.INTEGER, "Scales open at that visit.", unit="scales", low=1),
        Column("scale", Type.TEXT, "Of score_worse: the scale."),
        Column("kind", Type.TEXT, "Of safety_event: the rule; of a connection: its state."),
        Column(
            "value",
            Type.REAL,
            "The figure behind it: the score; battery in %; valid days, goal days met; the number "
            "of safety events.",
        ),
        Column(
            "of_value",
            Type.REAL,
            "What it is held against: the baseline score; known days, goal days judged.",
        ),
        Column("limit_value", Type.REAL, "The protocol's limit that was passed."),
        Column("source", Type.TEXT, "Of the device or the connection: its source."),
        Column(
            "fault",
            Type.TEXT,
            "Whose doing it is, as far as the data tell.",
            required=True,
            allowed=FAULTS,
        ),
        Column(
            "held_back",
            Type.BOOLEAN,
            "No reason to call now: see held_because.",
            required=True,
        ),
        Column(
            "held_because",
            Type.TEXT,
            "Why it is held back. our_fault, vendor_outage: the data could not come, whatever the "
            "participant does. cluster: many at once (work_cluster), for the protocol's "
            "cluster_hold_days. paused: the participant is.",
            allowed=HELD_BECAUSE,
        ),
        Column("cluster_id", Type.INTEGER, "The row of work_cluster it belongs to.", low=1),
        Column(
            "happened_once",
            Type.BOOLEAN,
            "An event: handled once it is closed. Else it stands until it ends.",
            required=True,
        ),
        Column(
            "occurrence",
            Type.TEXT,
            "Of an event: tells it from the next of its kind.",
        ),
    ),
    rules=(("held back with a reason, and only then", "held_back <> (held_because IS NOT NULL)"),),
)

work_cluster = Table(
    name="work_cluster",
    schema="ops",
    grain="cluster",
    key=("cluster_id",),
    meaning="Many participants whose device or consent went quiet in the same hours: one cause, to "
    "be found before anybody is called.",
    columns=(
        Column("cluster_id", Type.INTEGER, "Its number at this build.", required=True, low=1),
        Column(
            "reason",
            Type.TEXT,
            "What befell them.",
            required=True,
            allowed=("consent_lost", "not_synced"),
        ),
        Column("source", Type.TEXT, "The source they share.", required=True),
        Column("from_at", Type.INSTANT, "The first to go quiet: last sync, or loss of consent."),
        Column("to_at", Type.INSTANT, "The last of them."),
        Column("participants", Type.INTEGER, "How many.", unit="participants", low=1),
        Column(
            "of_participants",
            Type.INTEGER,
            "Participants of that source who were not quiet before.",
            unit="participants",
            low=1,
        ),
        Column("until_at", Type.INSTANT, "Held back until then; after it each is listed."),
    ),
)

work_load = Table(
    name="work_load",
    schema="ops",
    grain="cohort, calendar week and reason",
    key=("cohort_kind", "cohort", "week_starts_on", "reason"),
    meaning="The load of the work list: how often each reason newly arose, by week from Monday, "
    "worked out again from the data as they are now, not from what was listed then. Of the reasons "
    "whose past the data keep; not of battery, wrong accounts, device swaps, nor of safety events "
    "at discharge. A silence is told "
    "by minutes lost, or by the replies of the last 30 days; one in which every day came later "
    "before that, or in which we did not ask, cannot be seen.",
    reveals_arm_where=_OF_GOALS,
    columns=(
        *COHORT_COLUMNS,
        Column("week_starts_on", Type.DATE, "The Monday.", required=True),
        REASON,
        Column("suppressed", Type.BOOLEAN, SUPPRESSED, required=True),
        _count("expected", "Participants with a day in the study and not paused in that week."),
        Column("raised", Type.INTEGER, "Times the reason newly arose.", unit="alerts", low=0),
        Column(
            "raised_per_100",
            Type.REAL,
            "100 x raised / expected.",
            unit="alerts/100 participants",
            low=0,
        ),
    ),
)

outcome_rescue = Table(
    name="outcome_rescue",
    grain="cohort",
    key=("cohort_kind", "cohort"),
    meaning="How many records are complete, how many still can be, and the share to be expected at "
    "the end of the study: everybody's and each site's. A record is complete with every scale of "
    "the protocol's `complete_visits`. Projected: complete + the sum over those still obtainable "
    "of the product of the response rates (table response_rate) of the visits still open, over all "
    "enrolled. Its range takes every rate at the lower, or the upper, end of its interval: it is "
    "no confidence interval.",
    columns=(
        *COHORT_COLUMNS,
        Column("suppressed", Type.BOOLEAN, SUPPRESSED, required=True),
        _count("participants", "Everybody enrolled, withdrawn or not."),
        _count("complete", "With a complete record so far.", "higher"),
        _count("obtainable", "Not complete, and nothing of it lost yet."),
        _count("lost", "A window has closed without, or the participant has withdrawn."),
        share_column("complete_share", "Complete / participants."),
        share_column("projected_share", "To be expected; blank without any rate."),
        share_column("projected_low", "With every rate at the lower end of its interval."),
        share_column("projected_high", "With every rate at the upper end of its interval."),
        share_column("best_share", "(Complete + obtainable) / participants."),
    ),
)

response_rate = Table(
    name="response_rate",
    grain="cohort and visit of a complete record",
    key=("cohort_kind", "cohort", "visit"),
    meaning="How often a visit's scales of a complete record all came, of participants for whom it "
    "is settled: what outcome_rescue projects by.",
    columns=(
        *COHORT_COLUMNS,
        VISIT,
        Column("suppressed", Type.BOOLEAN, SUPPRESSED, required=True),
        _count("settled", "For whom nothing more can come at this visit."),
        _count("received", "Of these, with every scale."),
        share_column("rate", "Received / settled."),
        share_column("rate_ci_low", "Lower end of its 95 % interval (Wilson)."),
        share_column("rate_ci_high", "Upper end of its 95 % interval (Wilson)."),
        Column(
            "rate_of",
            Type.TEXT,
            "Whose rate is used: the cohort's own where enough of it are settled, else "
            "everybody's; then everybody's at the nearest visit before that has one.",
            allowed=("own", "all", "visit_before"),
        ),
        share_column("used_rate", "The rate used."),
        share_column("used_low", "Lower end of its interval."),
        share_column("used_high", "Upper end of its interval."),
    ),
)

rescue_item = Table(
    name="rescue_item",
    grain="participant with an open questionnaire of a record that can still be complete",
    key=("participant_id",),
    meaning="Whose open questionnaire would raise the share of complete records most, in order: "
    "the chance of a complete record if it comes now; of two as high, the one that closes first.",
    columns=(
        PARTICIPANT_ID,
        Column("position", Type.INTEGER, "1 first.", required=True, low=1),
        VISIT,
        Column("status", Type.TEXT, "Due or overdue.", required=True, allowed=("due", "overdue")),
        Column("scales_open", Type.INTEGER, "Scales still to come.", unit="scales", low=1),
        Column("closes_on", Type.DATE, "Last day of the window.", required=True),
        Column("days_left", Type.INTEGER, "Days until then.", unit="days", low=0),
        share_column("complete_if_answered", "Chance of a complete record if they come."),
        Column("still_wearing", Type.BOOLEAN, "A valid day lately: reachable.", required=True),
    ),
)
