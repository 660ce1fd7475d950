"""Baecke questionnaire: indices of work, sport and leisure, each 1 to 5, and their sum.

Item 9 is whether any sport is played (0 or 1); of up to two sports, `s1` and `s2`: `intensity` 1
to 3 (low, middle, high), `hours` a week 1 to 5 (under 1, 1-2, 2-3, 3-4, over 4) and `months` a year
1 to 5 (under 1, 1-3, 4-6, 7-9, over 9). Who does not work has no work index and no total.
"""

import numpy as np

from transforms.instruments import Answer, Instrument, Missing, Scale, numbered
from transforms.scoring import Forms, Numbers, Scored, complete, mean, scaled

BAECKE = "Baecke et al., Am J Clin Nutr 1982;36:936; formulas not re-read"
ONE_MAY_BE_BLANK = Missing(at_most=1, method="prorate")  # our convention
INTENSITY = (0.76, 1.26, 1.76)
HOURS = (0.5, 1.5, 2.5, 3.5, 4.5)
MONTHS = (0.04, 0.17, 0.42, 0.67, 0.92)
SPORTS = tuple(f"{sport}{part}" for sport in ("s1", "s2") for part in ("intensity", "hours",
                                                                       "months"))  # fmt: skip
WORK, SPORT = numbered(8), ("9", *SPORTS, "10", "11", "12")
LEISURE = ("13", "14", "15", "16")


def compute_sport_score(forms: Forms, sport: str) -> tuple[Numbers, Numbers]:
    """intensity x hours x months of a sport, NaN unless all three are told; how many are told."""
    parts = forms.of([f"{sport}{part}" for part in ("intensity", "hours", "months")])
    told = 3 - np.isnan(parts).sum(axis=1)
    code = np.where(np.isnan(parts), 1, parts).astype(np.int64) - 1
    weight = np.array(INTENSITY)[code[:, 0]] * np.array(HOURS)[code[:, 1]]
    product = weight * np.array(MONTHS)[code[:, 2]]
    return np.where(told == 3, product, np.nan), told.astype(np.float64)


def compute_item_9(forms: Forms) -> Numbers:
    """1 to 5 by the sum over the sports: 0, under 4, under 8, under 12, 12 or more; NaN unknown."""
    plays = forms.column("9")
    (first, first_told), (second, second_told) = (
        compute_sport_score(forms, sport) for sport in ("s1", "s2")
    )
    known = np.where(second_told == 0, first, first + second)
    told_none = (plays == 0) & (first_told + second_told == 0)
    summed = np.where(told_none, 0, np.where(plays == 0, np.nan, known))
    points = 1 + (summed > 0) + (summed >= 4) + (summed >= 8) + (summed >= 12)
    return np.where(np.isnan(summed), np.nan, points)


def score_sport(forms: Forms, scale: Scale) -> Scored:
    """Mean of item 9 and items 10 to 12."""
    values = np.column_stack([compute_item_9(forms), forms.of(("10", "11", "12"))])
    return scaled(values, scale.missing, 1)


def score_sum(forms: Forms, scale: Scale) -> Scored:
    """The three indices added; none of them may be missing."""
    indices = [one.scoring(forms, one) for one in INDICES]
    scores = np.column_stack([one.score for one in indices])
    absent = np.isnan(scores).sum(axis=1)
    summed = complete(scores[:, 0] + scores[:, 1] + scores[:, 2], absent)
    summed.why[absent > 0] = "missing: an index"
    return Scored(summed.score, summed.why, np.any([i.prorated for i in indices], axis=0))


INDICES = (
    Scale(
        code="BAECKEW",
        label="Activity at work (Baecke)",
        items=WORK,
        low=1,
        high=5,
        better="higher",
        missing=ONE_MAY_BE_BLANK,
        reverse=("2",),
        blank_is_not_applicable=True,
        scoring=mean,
    ),
    Scale(
        code="BAECKES",
        label="Sport (Baecke)",
        items=SPORT,
        low=1,
        high=5,
        better="higher",
        missing=ONE_MAY_BE_BLANK,
        scoring=score_sport,
        note="Item 9 counts 1 to 5 by sum(intensity x hours x months): 0, under 4, 8, 12, or more.",
    ),
    Scale(
        code="BAECKEL",
        label="Leisure activity (Baecke)",
        items=LEISURE,
        low=1,
        high=5,
        better="higher",
        missing=ONE_MAY_BE_BLANK,
        reverse=("13",),
        scoring=mean,
    ),
)

INSTRUMENT = Instrument(
    code="BAECKE",
    name="Baecke questionnaire of habitual activity",
    version="16 items",
    items=(*WORK, *SPORT, *LEISURE),
    item_low=1,
    item_high=5,
    other_answers=(
        Answer(("1",), 1, 5, allowed=(1, 3, 5)),
        Answer(("9",), 0, 1),
        Answer(("s1intensity", "s2intensity"), 1, 3),
    ),
    recall_days=365,
    scales=(
        *INDICES,
        Scale(
            code="BAECKE",
            label="Habitual activity (Baecke)",
            items=(*WORK, *SPORT, *LEISURE),
            low=3,
            high=15,
            better="higher",
            scoring=score_sum,
        ),
    ),
    licence="Scoring may be shipped; the items' wording is the journal's and is not here.",
    citation=BAECKE,
    scoring_version="BAECKE-1",
)
