"""Patient Global Impression of Change: one answer, 1 (very much improved) to 7 (very much worse).

A source that counts improvement upwards turns its answers in its mapping: both are in use.
"""

from transforms.instruments import Band, Instrument, Scale

GUY = "Guy, ECDEU Assessment Manual, 1976"

INSTRUMENT = Instrument(
    code="PGIC",
    name="Patient Global Impression of Change",
    version="1-7, 1 is very much improved",
    items=("1",),
    item_low=1,
    item_high=7,
    recall_days=None,
    scales=(
        Scale(
            code="PGIC",
            label="Global impression of change (1-7)",
            items=("1",),
            low=1,
            high=7,
            better="lower",
            bands=(Band("improved", to=3), Band("no change", to=4), Band("worse", to=7)),
            bands_source=GUY,
            note="An anchor: it is itself a change, so no change of it is of use.",
        ),
    ),
    licence="Public domain.",
    citation=GUY,
    scoring_version="PGIC-1",
)
