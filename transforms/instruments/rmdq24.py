"""Roland-Morris Disability Questionnaire, 24 yes/no items, electronic form (a blank is a blank).

On paper an item not ticked is a no: it is entered as 0, and nothing here guesses it.
The 23-item version is another instrument and is never mixed with this one.
"""

from transforms.instruments import Band, Instrument, Missing, Scale, Threshold, numbered

ROLAND = "Roland & Fairbank, Spine 2000;25:3115"
OSTELO = "Ostelo et al., Spine 2008;33:90"
KAMPER = "Kamper et al. 2010, PMC2989296"
ITEMS = numbered(24)

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
            bands=(Band("recovered", to=2), Band("not recovered", to=24)),
            bands_source=KAMPER,
        ),
    ),
    licence="The authors ask for no permission; the items' wording is not here all the same.",
    citation=f"{ROLAND}; {OSTELO}",
    scoring_version="RMDQ24-1",
)
