"""Does more walking go with a better score? Within participants, and between them."""

from warehouse.schema import Column, Table, Type
from warehouse.tables.derived.cohort import BLIND_KINDS, COHORT_COLUMNS, SUPPRESSED
from warehouse.tables.derived.columns import SCALE

PARTS = ("within", "between")
_UNIT = "points/1,000 steps"

activity_slope = Table(
    name="activity_slope",
    grain="cohort, scale and part",
    key=("cohort_kind", "cohort", "scale", "part"),
    meaning="The slope of a score, turned so that positive is better, on a thousand steps a day in "
    "the days before the visit. Of scheduled visits with enough valid days. Descriptive: neither "
    "adjusted (for time, for anything) nor imputed, and no proof that walking is the cause.",
    reveals_arm_where=f"cohort_kind IN {BLIND_KINDS}",
    columns=(
        *COHORT_COLUMNS,
        SCALE,
        Column(
            "part",
            Type.TEXT,
            "within: a participant's visits against their own means (two visits or more). "
            "between: the participants' own means against each other.",
            required=True,
            allowed=PARTS,
        ),
        Column("suppressed", Type.BOOLEAN, SUPPRESSED, required=True),
        Column(
            "participants",
            Type.INTEGER,
            "Participants behind the slope; blank when suppressed.",
            unit="participants",
            low=0,
        ),
        Column("visits", Type.INTEGER, "Their visits, all together.", unit="visits", low=0),
        Column(
            "slope",
            Type.REAL,
            "The slope by least squares; blank where steps do not vary.",
            unit=_UNIT,
            better="higher",
        ),
        Column(
            "slope_ci_low",
            Type.REAL,
            "Lower end of its 95 % interval: slope - t x SE. within: SE by the spread of the "
            "participants' sums (clustered), t with participants - 1 degrees of freedom. between: "
            "SE of a simple regression, t with participants - 2.",
            unit=_UNIT,
        ),
        Column("slope_ci_high", Type.REAL, "Upper end of the same interval.", unit=_UNIT),
    ),
)
