"""Roland-Morris Disability Questionnaire, 23 items: another instrument than the 24 items.

The two are never mixed. It is the one of the 2017 ETMI trial (Ben Ami) and of Saper 2017.
"""

from transforms.instruments import Instrument, Missing, Scale, numbered

BEN_AMI = "Ben Ami et al., J Orthop Sports Phys Ther 2017"
ITEMS = numbered(23)

INSTRUMENT = Instrument(
    code="RMDQ23",
    name="Roland-Morris Disability Questionnaire, 23 items",
    version="23 items, electronic",
    items=ITEMS,
    item_low=0,
    item_high=1,
    recall_days=0,
    scales=(
        Scale(
            code="RMDQ23",
            label="Disability (Roland-Morris, 23 items)",
            items=ITEMS,
            low=0,
            high=23,
            better="lower",
            missing=Missing(at_most=4, method="proportional"),  # as for 24 items: our convention
            note="No threshold of its own was found: those of the 24 items are not taken over.",
        ),
    ),
    licence="Scoring may be shipped; the items' wording is not here.",
    citation=BEN_AMI,
    scoring_version="RMDQ23-1",
)
