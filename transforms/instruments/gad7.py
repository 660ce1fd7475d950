"""Generalized Anxiety Disorder questionnaire: GAD-7 and GAD-2; item 8 (how difficult) is extra."""

from transforms.instruments import Band, Instrument, Missing, Scale, Threshold, numbered
from transforms.instruments._screens import two_item_screen

SPITZER = "Spitzer et al., Arch Intern Med 2006;166:1092"

INSTRUMENT = Instrument(
    code="GAD7",
    name="Generalized Anxiety Disorder questionnaire",
    version="7 items, 2 weeks",
    items=numbered(8),
    item_low=0,
    item_high=3,
    recall_days=14,
    scales=(
        Scale(
            code="GAD7",
            label="Anxiety (GAD-7)",
            items=numbered(7),
            low=0,
            high=21,
            better="lower",
            missing=Missing(at_most=1, method="prorate"),  # the limit is our convention
            mic=(Threshold(4, "points", "from memory, not re-read"),),
            bands=(
                Band("minimal", to=4),
                Band("mild", to=9),
                Band("moderate", to=14),
                Band("severe", to=21),
            ),
            bands_on="rounded",
            bands_source=f"{SPITZER}; anxiety is likely from 10 (8 is in use too)",
        ),
        two_item_screen("GAD2", "Anxiety screen (GAD-2)", "public guides, not re-read"),
    ),
    licence="Public domain.",
    citation=SPITZER,
    scoring_version="GAD7-1",
)
