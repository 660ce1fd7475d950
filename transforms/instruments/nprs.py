"""Numeric pain rating scale: average pain of the last seven days, one whole number.

Where pain is asked three times, for now and for best and worst of a day, see nprs3.py.
"""

from transforms.instruments import Band, Instrument, Scale, Threshold

OSTELO = "Ostelo et al., Spine 2008;33:90"
FARRAR = "Farrar et al., Pain 2001;94:149"
DWORKIN = "Dworkin et al., J Pain 2008;9:105; substantial"
KAMPER = "Kamper et al. 2010, PMC2989296"
MIC = (
    Threshold(2, "points", OSTELO),
    Threshold(30, "percent", FARRAR),
    Threshold(50, "percent", DWORKIN),
)

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
            mic=MIC,
            bands=(Band("recovered", to=0), Band("not recovered", to=10)),
            bands_source=KAMPER,
        ),
    ),
    licence="Free to use.",
    citation=f"{FARRAR}; {OSTELO}",
    scoring_version="NPRS-1",
)
