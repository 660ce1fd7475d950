"""EQ-5D-5L: the profile, the level sum score and the VAS; an index only from a user's value set.

Half of the instrument may not be reported as EQ-5D. A value set is a table `EQ5D5L` of study.toml:
columns `profile` (11111 to 55555) and `value`, its country and year in `about`.
"""

from itertools import product

import numpy as np

from transforms.instruments import Answer, Instrument, Scale, UserTable, numbered
from transforms.scoring import Forms, Numbers, Scored, complete, total

HERDMAN = "Herdman et al., Qual Life Res 2011;20:1727"
DIMENSIONS = numbered(5)
PROFILES = tuple(int("".join(map(str, levels))) for levels in product(range(1, 6), repeat=5))


def profile_number(values: Numbers) -> Numbers:
    """Levels 2, 1, 3, 3, 2 as 21332; NaN where one is blank."""
    number = np.zeros(len(values))
    for level in values.T:
        number = number * 10 + level
    return number


def sum_levels(forms: Forms, scale: Scale) -> Scored:
    """The level sum score; its band is the profile, such as 21332."""
    summed = total(forms, scale)
    number = profile_number(forms.of(scale.items))
    words = np.where(np.isnan(number), 0, number).astype(np.int64).astype(str).astype(object)
    return Scored(summed.score, summed.why, summed.prorated, words)


def find_profile(forms: Forms, scale: Scale) -> Scored:
    """The profile as the key of the value set."""
    values = forms.of(scale.items)
    return complete(profile_number(values), np.isnan(values).sum(axis=1))


INSTRUMENT = Instrument(
    code="EQ5D5L",
    name="EQ-5D-5L",
    version="5 levels, with VAS",
    items=(*DIMENSIONS, "vas"),
    item_low=1,
    item_high=5,
    other_answers=(Answer(("vas",), 0, 100),),
    recall_days=0,
    scales=(
        Scale(
            code="EQ5DLSS",
            label="Health problems (EQ-5D-5L level sum)",
            items=DIMENSIONS,
            low=5,
            high=25,
            better="lower",
            scoring=sum_levels,
            note="Band: the profile.",
        ),
        Scale(
            code="EQ5DVAS",
            label="Health today (EQ VAS)",
            items=("vas",),
            low=0,
            high=100,
            better="higher",
        ),
        Scale(
            code="EQ5DIDX",
            label="Health index (EQ-5D-5L)",
            items=DIMENSIONS,
            low=-1,
            high=1,
            better="higher",
            scoring=find_profile,
            table=UserTable(("profile", "value"), PROFILES),
            note="What change matters depends on the country (0.03 to 0.08).",
        ),
    ),
    licence="Use needs registration with EuroQol; neither wording nor value sets are here.",
    citation=HERDMAN,
    scoring_version="EQ5D5L-1",
)
