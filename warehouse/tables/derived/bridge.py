"""How two sources compare on the days that both have: what a change of vendor changed."""

from warehouse.schema import Column, Table, Type

BRIDGE_MEASURES = ("steps", "wear_minutes")

bridge = Table(
    name="bridge",
    grain="measure and pair of sources",
    key=("measure", "from_source", "to_source"),
    meaning="Paired days of two sources: mean difference and limits of agreement. Only days that "
    "both have in full, worn long enough by both; both rows lie in day_metric.",
    columns=(
        Column(
            "measure",
            Type.TEXT,
            "What is compared: steps or wear minutes of a day.",
            required=True,
            allowed=BRIDGE_MEASURES,
        ),
        Column(
            "from_source", Type.TEXT, "The source lower in the protocol's priority.", required=True
        ),
        Column(
            "to_source",
            Type.TEXT,
            "The source higher in priority: its word counts where both have the day.",
            required=True,
        ),
        Column(
            "participants", Type.INTEGER, "Participants with a paired day.", required=True, low=1
        ),
        Column("days", Type.INTEGER, "Paired days.", unit="days", required=True, low=1),
        Column("first_on", Type.DATE, "First paired day.", required=True),
        Column("last_on", Type.DATE, "Last paired day.", required=True),
        Column(
            "mean_difference",
            Type.REAL,
            "Mean of to_source minus from_source over all paired days.",
            unit="steps/day or minutes/day",
            required=True,
        ),
        Column(
            "difference_sd",
            Type.REAL,
            "Standard deviation of one day's difference, of its parts between and within "
            "participants; blank of a single day.",
            unit="steps/day or minutes/day",
            low=0,
        ),
        Column(
            "limit_low",
            Type.REAL,
            "Lower limit of agreement: mean_difference - 1.96 difference_sd.",
            unit="steps/day or minutes/day",
        ),
        Column(
            "limit_high",
            Type.REAL,
            "Upper limit of agreement: mean_difference + 1.96 difference_sd.",
            unit="steps/day or minutes/day",
        ),
    ),
)
