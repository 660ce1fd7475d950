"""Oswestry Disability Index: ten sections of 0 to 5, in percent of what was answered.

Section 8 is often left blank, and that is no error. A source that numbers the statements 1 to 6
says so in study.toml (`[instruments.ODI] coded_from = 1`); its answers are stored as they came.
"""

from transforms.instruments import Band, Instrument, Missing, Scale, Threshold, numbered
from transforms.scoring import percent

FAIRBANK = "Fairbank & Pynsent, Spine 2000;25:2940"
OSTELO = "Ostelo et al., Spine 2008;33:90"
ITEMS = numbered(10)

INSTRUMENT = Instrument(
    code="ODI",
    name="Oswestry Disability Index",
    version="10 sections",
    items=ITEMS,
    item_low=0,
    item_high=5,
    recall_days=0,
    marked_twice="higher",
    scales=(
        Scale(
            code="ODI",
            label="Disability (Oswestry, %)",
            items=ITEMS,
            low=0,
            high=100,
            better="lower",
            missing=Missing(at_most=2, method="proportional"),  # the limit is our convention
            scoring=percent,
            mic=(Threshold(10, "points", OSTELO), Threshold(30, "percent", OSTELO)),
            mdc=(Threshold(10, "points", "about 10, 90 %; public guides, not re-read"),),
            bands=(
                Band("minimal", to=20),
                Band("moderate", to=40),
                Band("severe", to=60),
                Band("crippled", to=80),
                Band("bed-bound or exaggerating", to=100),
            ),
            bands_source=FAIRBANK,
        ),
    ),
    licence="Scoring may be shipped; the wording is licensed (Mapi Research Trust) and not here.",
    citation=f"{FAIRBANK}; {OSTELO}",
    scoring_version="ODI-1",
)
