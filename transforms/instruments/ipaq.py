"""International Physical Activity Questionnaire, short form: MET-minutes a week and a category.

The protocol of November 2005: days and minutes of all three activities are needed, under 10
minutes a day is none, more than 960 minutes a day in all excludes the form, and each activity is
cut at 180 minutes a day. A day's time may come as hours and minutes, as minutes, or as h:mm; with
0 days it need not come. High by vigorous activity takes 1,500 vigorous MET-minutes; some read the
protocol as 1,500 in all.
"""

from dataclasses import dataclass
from functools import partial

import numpy as np

from transforms.instruments import Answer, Instrument, Scale
from transforms.scoring import Flags, Forms, Numbers, Scored, Words, complete

PROTOCOL = "IPAQ scoring protocol, November 2005"
TENTHS_OF_METS = {"walk": 33, "mod": 40, "vig": 80}  # of a MET: whole, so that sums are exact
LEAST_MINUTES = 10
MOST_MINUTES = 180
MOST_OF_A_DAY = 960
CATEGORY = (
    " Band: high with 1,500 vigorous MET-minutes on 3 days or more, or 3,000 on days that add up "
    "to 7; moderate with 20 vigorous minutes on 3, 30 moderate or walking minutes on 5, or 600 "
    "MET-minutes on days that add up to 5; else low. Report medians. Valid from 15 to 69 years."
)
PARTS = ("days", "hours", "minutes")


@dataclass(frozen=True)
class Done:
    """An activity as the protocol counts it; NaN where days or time are missing."""

    days: Numbers
    minutes: Numbers  # a day, before they are cut

    @property
    def cut(self) -> Numbers:
        return np.minimum(self.minutes, MOST_MINUTES)


def read_time(forms: Forms, activity: str) -> Numbers:
    """Minutes a day of hours and minutes, either of which may be blank; NaN where both are."""
    hours, minutes = forms.column(f"{activity}hours"), forms.column(f"{activity}minutes")
    neither = np.isnan(hours) & np.isnan(minutes)
    return np.where(neither, np.nan, 60 * np.nan_to_num(hours) + np.nan_to_num(minutes))


def read_activity(forms: Forms, activity: str) -> Done:
    """Days and minutes a day; under 10 minutes are no minutes on no day."""
    days = forms.column(f"{activity}days")
    minutes = np.where(days == 0, 0, read_time(forms, activity))
    none = minutes < LEAST_MINUTES
    blank = np.isnan(days) | np.isnan(minutes)
    return Done(
        np.where(blank, np.nan, np.where(none, 0, days)),
        np.where(blank, np.nan, np.where(none, 0, minutes)),
    )


def compute_met_minutes(activity: str, days: Numbers, minutes: Numbers) -> Numbers:
    """MET-minutes a week of minutes a day on so many days."""
    return TENTHS_OF_METS[activity] * minutes * days / 10


def score_activities(forms: Forms, scale: Scale, activities: tuple[str, ...]) -> Scored:
    """MET-minutes a week of the activities, where the protocol scores the form; its category."""
    done = {name: read_activity(forms, name) for name in TENTHS_OF_METS}
    mets = {n: compute_met_minutes(n, one.days, one.cut) for n, one in done.items()}
    absent = np.isnan([one.days for one in done.values()]).sum(axis=0)
    band = categorise(done, mets) if len(activities) == len(done) else None
    scored = complete(sum((mets[n] for n in activities), np.zeros(len(absent))), absent, band)
    outlier = sum(one.minutes for one in done.values()) > MOST_OF_A_DAY
    scored.score[outlier] = np.nan
    scored.why[outlier] = f"excluded: more than {MOST_OF_A_DAY} minutes a day"
    return scored


def categorise(done: dict[str, Done], mets: dict[str, Numbers]) -> Words:
    """low, moderate or high, of the minutes as they are cut."""
    vig, mod, walk = done["vig"], done["mod"], done["walk"]
    days, total = vig.days + mod.days + walk.days, sum(mets.values())
    high: Flags = ((vig.days >= 3) & (mets["vig"] >= 1500)) | ((days >= 7) & (total >= 3000))
    half_hours = mod.days * (mod.cut >= 30) + walk.days * (walk.cut >= 30)
    moderate: Flags = (
        ((vig.days >= 3) & (vig.cut >= 20)) | (half_hours >= 5) | ((days >= 5) & (total >= 600))
    )
    return np.select([high, moderate], ["high", "moderate"], "low").astype(object)


def score_sitting(forms: Forms, scale: Scale) -> Scored:
    """Minutes of sitting on a weekday; kept apart from activity."""
    minutes = read_time(forms, "sit")
    return complete(minutes, np.isnan(minutes).astype(np.int64))


def activity_items(*activities: str) -> tuple[str, ...]:
    return tuple(f"{activity}{part}" for activity in activities for part in PARTS)


def met_scale(code: str, label: str, high: float, *activities: str) -> Scale:
    return Scale(
        code=code,
        label=label,
        items=activity_items(*activities),
        needs_besides=activity_items(*(one for one in TENTHS_OF_METS if one not in activities)),
        low=0,
        high=high,
        better="higher",
        scoring=partial(score_activities, activities=activities),
        note="Days and minutes of all three activities are needed (with 0 days no minutes); under "
        f"{LEAST_MINUTES} minutes a day are none, {MOST_MINUTES} at most count of each, more than "
        f"{MOST_OF_A_DAY} in all exclude the form."
        + (CATEGORY if len(activities) == len(TENTHS_OF_METS) else ""),
    )


INSTRUMENT = Instrument(
    code="IPAQ",
    name="International Physical Activity Questionnaire",
    version="short form, last 7 days",
    items=(*activity_items("vig", "mod", "walk"), "sithours", "sitminutes"),
    item_low=0,
    item_high=7,
    other_answers=(
        Answer(("vighours", "modhours", "walkhours", "sithours"), 0, 24, decimals=2),
        Answer(("vigminutes", "modminutes", "walkminutes", "sitminutes"), 0, 1440, duration=True),
    ),
    recall_days=7,
    scales=(
        met_scale("IPAQMET", "Activity (IPAQ, MET-minutes/week)", 19278, "vig", "mod", "walk"),
        met_scale("IPAQVIG", "Vigorous activity (IPAQ, MET-minutes/week)", 10080, "vig"),
        met_scale("IPAQMOD", "Moderate activity (IPAQ, MET-minutes/week)", 5040, "mod"),
        met_scale("IPAQWALK", "Walking (IPAQ, MET-minutes/week)", 4158, "walk"),
        Scale(
            code="IPAQSIT",
            label="Sitting (IPAQ, minutes a weekday)",
            items=("sithours", "sitminutes"),
            low=0,
            high=1440,
            better="lower",
            scoring=score_sitting,
        ),
    ),
    licence="Freely available; the questions' wording is not here.",
    citation=PROTOCOL,
    scoring_version="IPAQ-1",
)
