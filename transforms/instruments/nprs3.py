"""Numeric pain rating scale asked three times: now, best and worst of the last 24 hours.

The composite is the mean of the three, and another score than the single question's.
"""

from transforms.instruments import Instrument, Scale, Threshold
from transforms.scoring import mean

OSTELO = "Ostelo et al., Spine 2008;33:90"
FARRAR = "Farrar et al., Pain 2001;94:149"
ITEMS = ("current", "best", "worst")

INSTRUMENT = Instrument(
    code="NPRS3",
    name="Numeric pain rating scale, three ratings",
    version="0-10; now, best and worst of 24 hours",
    items=ITEMS,
    item_low=0,
    item_high=10,
    recall_days=1,
    scales=(
        Scale(
            code="NPRS3",
            label="Pain, mean of three ratings (0-10)",
            items=ITEMS,
            low=0,
            high=10,
            better="lower",
            scoring=mean,
            percent_from_baseline=2,  # as for the single question
            mic=(Threshold(2, "points", OSTELO), Threshold(30, "percent", FARRAR)),
        ),
    ),
    licence="Free to use.",
    citation=f"{FARRAR}; {OSTELO}",
    scoring_version="NPRS3-1",
)
