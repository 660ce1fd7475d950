"""Numeric pain rating scale: average pain of the last seven days, one whole number."""

from transforms.instruments import Instrument, Scale, Threshold

OSTELO = "Ostelo et al., Spine 2008;33:90"
FARRAR = "Farrar et al., Pain 2001;94:149"

INSTRUMENT = Instrument(
    code="NPRS",
    name="Numeric pain rating scale",
    version="0-10, average of the last 7 days",
    items=("1",),
    item_low=0,
    item_high=10,
    recall_days=7,
    scales=(
        Scale(
            code="NPRS",
            label="Pain (0-10)",
            items=("1",),
            low=0,
            high=10,
            better="lower",
            percent_from_baseline=2,  # our assumption: 1 to 0 is 100 % and means little
            mic=(Threshold(2, "points", OSTELO), Threshold(30, "percent", FARRAR)),
        ),
    ),
    licence="Free to use.",
    citation=f"{FARRAR}; {OSTELO}",
    scoring_version="NPRS-1",
)
