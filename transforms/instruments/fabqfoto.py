"""FOTO's own fear-avoidance score, 0-100: imported as delivered, as the Lumbar CAT is.

It rests on item response theory over three items: never the same metric as FABQPA100.
"""

from transforms.instruments import Instrument, Scale

HART = "Hart et al. 2009 (17,804 patients)"

INSTRUMENT = Instrument(
    code="FABQFOTO",
    name="FOTO fear-avoidance, physical activity",
    version="as delivered",
    items=("score",),
    item_low=0,
    item_high=100,
    item_decimals=1,
    recall_days=None,
    scales=(
        Scale(
            code="FABQFOTO",
            label="Fear-avoidance (FOTO, 0-100)",
            items=("score",),
            low=0,
            high=100,
            better="lower",
        ),
    ),
    licence="Proprietary: the score is imported; neither items nor scoring are here.",
    citation=HART,
    scoring_version="FABQFOTO-1",
)
