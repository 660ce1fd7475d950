"""Patient Health Questionnaire: PHQ-9, PHQ-8 and PHQ-2 of one form, and a safety event.

A form of the first eight or two items alone is this instrument too: what it has is scored. Item 10
(how difficult) is asked and not scored. Item 9 above 0 is a safety event whatever the total.
"""

import numpy as np

from transforms.instruments import (
    Band,
    Instrument,
    Missing,
    SafetyRule,
    Scale,
    Threshold,
    numbered,
)
from transforms.instruments._screens import two_item_screen
from transforms.scoring import Forms, Scored, complete

KROENKE = "Kroenke et al., J Gen Intern Med 2001;16:606"
ARROLL = "PMC2906530: 61/92 % from 3, 86/78 % from 2"
BANDS = (
    Band("none or minimal", to=4),
    Band("mild", to=9),
    Band("moderate", to=14),
    Band("moderately severe", to=19),
)
TWO_MAY_BE_BLANK = Missing(at_most=2, method="prorate")  # the limit is our convention


def count_symptoms(forms: Forms, scale: Scale) -> Scored:
    """Items at 2 or more, item 9 at 1 or more, and what the algorithm calls their number.

    Five or more with item 1 or 2 among them are major, two to four are other depressive syndrome.
    """
    values = forms.of(scale.items)
    present = values >= np.array([2] * 8 + [1])
    count = present.sum(axis=1)
    core = present[:, 0] | present[:, 1]
    band = np.select(
        [core & (count >= 5), core & (count >= 2)],
        ["major depressive syndrome", "other depressive syndrome"],
        "neither syndrome",
    ).astype(object)
    return complete(count.astype(np.float64), np.isnan(values).sum(axis=1), band)


INSTRUMENT = Instrument(
    code="PHQ9",
    name="Patient Health Questionnaire, depression",
    version="9 items, 2 weeks",
    items=numbered(10),
    item_low=0,
    item_high=3,
    recall_days=14,
    safety_rules=(SafetyRule("phq9_item_9", item="9", at_least=1),),
    scales=(
        Scale(
            code="PHQ9",
            label="Depression (PHQ-9)",
            items=numbered(9),
            low=0,
            high=27,
            better="lower",
            missing=TWO_MAY_BE_BLANK,
            mic=(Threshold(5, "points", "from memory, not re-read"),),
            bands=(*BANDS, Band("severe", to=27)),
            bands_on="rounded",
            bands_source=f"{KROENKE}; depression is likely from 10",
        ),
        Scale(
            code="PHQ8",
            label="Depression without item 9 (PHQ-8)",
            items=numbered(8),
            low=0,
            high=24,
            better="lower",
            missing=TWO_MAY_BE_BLANK,
            bands=(*BANDS, Band("severe", to=24)),
            bands_on="rounded",
            bands_source="those of the PHQ-9",
        ),
        two_item_screen("PHQ2", "Depression screen (PHQ-2)", ARROLL),
        Scale(
            code="PHQ9SYM",
            label="Depressive symptoms counted (PHQ-9)",
            items=numbered(9),
            low=0,
            high=9,
            better="lower",
            scoring=count_symptoms,
            note="Band: major (5 or more with item 1 or 2) or other (2 to 4 with item 1 or 2) "
            "depressive syndrome.",
        ),
    ),
    licence="Public domain.",
    citation=KROENKE,
    scoring_version="PHQ9-1",
)
