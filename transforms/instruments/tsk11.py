"""Tampa Scale for Kinesiophobia, 11 items: the reverse-worded four of the 17 are not among them."""

from transforms.instruments import Band, Instrument, Missing, Scale, Threshold, numbered

WOBY = "Woby et al., Pain 2005;117:137"
ITEMS = numbered(11)  # of the 17: 1, 2, 3, 5, 6, 7, 10, 11, 13, 15, 17

INSTRUMENT = Instrument(
    code="TSK11",
    name="Tampa Scale for Kinesiophobia",
    version="11 items",
    items=ITEMS,
    item_low=1,
    item_high=4,
    recall_days=None,
    scales=(
        Scale(
            code="TSK11",
            label="Fear of movement (TSK-11)",
            items=ITEMS,
            low=11,
            high=44,
            better="lower",
            missing=Missing(at_most=2, method="prorate"),  # the limit is our convention
            mic=(Threshold(4, "points", WOBY),),
            mdc=(Threshold(5.6, "points", "from memory, not re-read"),),
            bands=(
                Band("minimal", to=22),
                Band("low", to=28),
                Band("moderate", to=35),
                Band("high", to=44),
            ),
            bands_on="rounded",
            bands_source="from memory, not re-read",
        ),
        Scale(
            code="TSK11SF",
            label="Somatic focus (TSK-11)",
            items=("3", "4", "5", "6", "8"),
            low=5,
            high=20,
            better="lower",
        ),
        Scale(
            code="TSK11AA",
            label="Activity avoidance (TSK-11)",
            items=("1", "2", "7", "9", "10", "11"),
            low=6,
            high=24,
            better="lower",
        ),
    ),
    licence="Scoring may be shipped; the items' wording may not and is not here.",
    citation=WOBY,
    scoring_version="TSK11-1",
)
