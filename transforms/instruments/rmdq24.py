"""Roland-Morris Disability Questionnaire, 24 yes/no items, electronic form (a blank is a blank).

The 23-item version is another instrument and is never mixed with this one.
"""

from transforms.instruments import Instrument, Missing, Scale, Threshold

ROLAND = "Roland & Fairbank, Spine 2000;25:3115"
OSTELO = "Ostelo et al., Spine 2008;33:90"
ITEMS = tuple(str(item) for item in range(1, 25))

INSTRUMENT = Instrument(
    code="RMDQ24",
    name="Roland-Morris Disability Questionnaire",
    version="24 items, electronic",
    items=ITEMS,
    item_low=0,
    item_high=1,
    recall_days=0,
    scales=(
        Scale(
            code="RMDQ24",
            label="Disability (Roland-Morris, 24 items)",
            items=ITEMS,
            low=0,
            high=24,
            better="lower",
            missing=Missing(at_most=4, method="proportional"),  # the limit is our convention
            mic=(Threshold(5, "points", OSTELO), Threshold(30, "percent", OSTELO)),
        ),
    ),
    licence="The authors ask for no permission; the items' wording is not here all the same.",
    citation=f"{ROLAND}; {OSTELO}",
    scoring_version="RMDQ24-1",
)
