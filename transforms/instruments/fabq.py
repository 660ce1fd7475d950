"""Fear-Avoidance Beliefs Questionnaire: two scales; items 1, 8, 13, 14 and 16 are not scored."""

from transforms.instruments import Instrument, Missing, Scale, Threshold

WADDELL = "Waddell et al., Pain 1993;52:157"
MONTICONE = "Monticone et al. 2020, doi 10.23736/S1973-9087.20.06158-4"
# No official rule for blanks was found: one may be missing, by convention.
ONE_MAY_BE_BLANK = Missing(at_most=1, method="prorate")

INSTRUMENT = Instrument(
    code="FABQ",
    name="Fear-Avoidance Beliefs Questionnaire",
    version="16 items",
    items=tuple(str(item) for item in range(1, 17)),
    item_low=0,
    item_high=6,
    recall_days=None,
    scales=(
        Scale(
            code="FABQPA",
            label="Fear-avoidance, physical activity (FABQ-PA)",
            items=("2", "3", "4", "5"),
            low=0,
            high=24,
            better="lower",
            missing=ONE_MAY_BE_BLANK,
            mic=(Threshold(4, "points", MONTICONE),),
            mdc=(Threshold(3.69, "points", f"{MONTICONE}; 95 %"),),
        ),
        Scale(
            code="FABQW",
            label="Fear-avoidance, work (FABQ-W)",
            items=("6", "7", "9", "10", "11", "12", "15"),
            low=0,
            high=42,
            better="lower",
            missing=ONE_MAY_BE_BLANK,
            blank_is_not_applicable=True,  # who is not working skips the items on work
            mic=(Threshold(7, "points", MONTICONE),),
            mdc=(Threshold(5.95, "points", f"{MONTICONE}; 95 %"),),
        ),
    ),
    licence="Scoring may be shipped; the items' wording may not and is not here.",
    citation=f"{WADDELL}; {MONTICONE}",
    scoring_version="FABQ-1",
)
