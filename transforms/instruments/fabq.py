"""Fear-Avoidance Beliefs Questionnaire: items 1, 8, 13, 14 and 16 are asked and not scored.

Both scales also as 0-100. FOTO's own 0-100 scale is another metric: see fabqfoto.py.
"""

from transforms.instruments import Band, Instrument, Missing, Scale, Threshold, numbered
from transforms.scoring import percent

WADDELL = "Waddell et al., Pain 1993;52:157"
MONTICONE = "Monticone et al. 2020, doi 10.23736/S1973-9087.20.06158-4"
CUT = "cut-off in use: PMC4893951"
# No official rule for blanks was found: one may be missing, by convention.
ONE_MAY_BE_BLANK = Missing(at_most=1, method="prorate")
PHYSICAL = ("2", "3", "4", "5")
WORK = ("6", "7", "9", "10", "11", "12", "15")

INSTRUMENT = Instrument(
    code="FABQ",
    name="Fear-Avoidance Beliefs Questionnaire",
    version="16 items",
    items=numbered(16),
    item_low=0,
    item_high=6,
    recall_days=None,
    scales=(
        Scale(
            code="FABQPA",
            label="Fear-avoidance, physical activity (FABQ-PA)",
            items=PHYSICAL,
            low=0,
            high=24,
            better="lower",
            missing=ONE_MAY_BE_BLANK,
            mic=(Threshold(4, "points", MONTICONE),),
            mdc=(Threshold(3.69, "points", f"{MONTICONE}; 95 %"),),
            bands=(Band("not raised", to=14), Band("raised", to=24)),
            bands_source=CUT,
        ),
        Scale(
            code="FABQPA100",
            label="Fear-avoidance, physical activity (FABQ-PA, 0-100)",
            items=PHYSICAL,
            low=0,
            high=100,
            better="lower",
            missing=ONE_MAY_BE_BLANK,
            scoring=percent,
            mic=(Threshold(16.7, "points", f"{MONTICONE}, x 100 / 24"),),
            mdc=(Threshold(15.4, "points", f"{MONTICONE}, x 100 / 24; 95 %"),),
        ),
        Scale(
            code="FABQW",
            label="Fear-avoidance, work (FABQ-W)",
            items=WORK,
            low=0,
            high=42,
            better="lower",
            missing=ONE_MAY_BE_BLANK,
            blank_is_not_applicable=True,  # who is not working skips the items on work
            mic=(Threshold(7, "points", MONTICONE),),
            mdc=(Threshold(5.95, "points", f"{MONTICONE}; 95 %"),),
            bands=(Band("not raised", to=29), Band("raised", to=42)),
            bands_source=f"{CUT}; above 22 is in use too",
        ),
        Scale(
            code="FABQW100",
            label="Fear-avoidance, work (FABQ-W, 0-100)",
            items=WORK,
            low=0,
            high=100,
            better="lower",
            missing=ONE_MAY_BE_BLANK,
            blank_is_not_applicable=True,
            scoring=percent,
            mic=(Threshold(16.7, "points", f"{MONTICONE}, x 100 / 42"),),
            mdc=(Threshold(14.2, "points", f"{MONTICONE}, x 100 / 42; 95 %"),),
        ),
    ),
    licence="Scoring may be shipped; the items' wording may not and is not here.",
    citation=f"{WADDELL}; {MONTICONE}",
    scoring_version="FABQ-1",
)
