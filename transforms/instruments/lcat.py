"""FOTO Lumbar Computer Adaptive Test: function, imported as delivered and never computed."""

from transforms.instruments import Instrument, Scale, Threshold

WANG = "Wang et al., Phys Ther 2010;90:1323"

INSTRUMENT = Instrument(
    code="LCAT",
    name="FOTO Lumbar Computer Adaptive Test",
    version="as delivered",
    items=("score",),
    item_low=0,
    item_high=100,
    item_decimals=1,
    recall_days=None,
    scales=(
        Scale(
            code="FUNC",
            label="Function (Lumbar CAT)",
            items=("score",),
            low=0,
            high=100,
            better="higher",
            mic=(Threshold(5, "points", WANG),),
            mdc=(Threshold(8, "points", f"{WANG}; 95 %"),),
        ),
    ),
    licence="Proprietary: the score is imported; neither items nor scoring are here.",
    citation=WANG,
    scoring_version="LCAT-1",
)
