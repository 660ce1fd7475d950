"""LifeSnaps (Yfantidou et al., Scientific Data 2022, 9:663): a missing day is in no mean as zero.

The Fitbit days of 50 people, over a third of them missing. No source reads this set, so its hourly
steps are landed here, spread over the hour, as those of a device that only counts steps; the files
state no zone, so the hours are UTC's. Figures are PROVENANCE.md's, and counts of the files alone.
"""

from contextlib import closing
from datetime import UTC, date, datetime, time, timedelta

import numpy as np
import pandas as pd
import pytest
from support.published import home_of, write_study
from support.shared import shared_data

from ingestion import landing
from ingestion.source import ActivityDay, Reading
from transforms.build import build_warehouse
from warehouse import publish
from warehouse import register as reg
from warehouse.home import open_store
from warehouse.tables.derived.activity import WEEKLY_MEANS

AS_OF = datetime(2022, 3, 1, tzinfo=UTC)  # the last day is 22 January
SOURCE, NONE, MINUTES = "fitabase", np.array([], np.uint16), np.arange(1440, dtype=np.uint16)
KEY, WEEK = ["participant_id", "activity_date"], ["participant_id", "study_week"]


@pytest.fixture(scope="module")
def days():
    """The daily table, its 24 hours (NaN: none), and `counts`: ten hours with steps from 06:00."""
    folder = shared_data("lifesnaps")
    names = {"id": "participant_id", "date": "activity_date"}
    daily = pd.read_csv(folder / "daily_fitbit_sema_df_unprocessed.csv.gz")
    hourly = pd.read_parquet(folder / "steps_hourly.parquet").rename(columns=names)
    hours = hourly.pivot(index=KEY, columns="hour", values="steps").reset_index()
    daily = daily[[*names, "steps", "sedentary_minutes"]].rename(columns=names)
    daily["activity_date"] = [date.fromisoformat(day) for day in daily["activity_date"]]
    found = daily.merge(hours, on=KEY, how="outer", validate="1:1", indicator="where")
    found["hourly"] = found[list(range(24))].sum(axis=1, min_count=1)
    found["counts"] = (found[list(range(6, 24))] > 0).sum(axis=1) >= 10
    found["participant_id"] = [f"L{one:02}" for one in found["participant_id"]]
    first = found.groupby("participant_id")["activity_date"].transform("min")
    found["study_week"] = [age.days // 7 + 1 for age in found["activity_date"] - first]
    return found


@pytest.fixture(scope="module")
def built(days, tmp_path_factory):
    """The build of the landed days, as data frames by table; small cells are not withheld."""
    path = tmp_path_factory.mktemp("lifesnaps")
    write_study(path, small_cell=0)
    store = open_store(home_of(path))
    for who, dates in days.groupby("participant_id")["activity_date"]:
        first, after = dates.min(), dates.max() + timedelta(1)  # last synced when it had ended
        one = {"participant_id": who, "site": "haifa", "timezone": "UTC", "enrolled_on": first}
        landing.land_roster(store, [one | {"starts_on": first}])
        grant = {"participant_id": who, "source": SOURCE, "state": "active", "since": AS_OF}
        known = {"first_asked_on": first, "landed_sync_at": datetime.combine(after, time(), UTC)}
        store.register.put(reg.grant, [grant | known])
    landing.land(store, Reading(days=[*map(activity_day, days.to_dict("records"))]), SOURCE, "0000")
    build_warehouse(store, AS_OF)
    store.register.close()
    tables = ("day_metric", "participant_day", "participant_week", "adherence", "cohort_week")
    with closing(publish.open_published(publish.stable_path(store.home, sees_arms=True))) as con:
        return {name: con.sql(f"FROM {name}").to_arrow_table().to_pandas() for name in tables}


def activity_day(row):
    """The day as landed; one without steps is a reply without anything, not an absent row."""
    steps = np.array([row[hour] for hour in range(24)])
    whole, rest = np.divmod(np.nan_to_num(steps).astype(int), 60)
    counts = (whole[:, None] + (np.arange(60) < rest[:, None])).ravel().astype(np.uint16)
    return ActivityDay(
        participant_id=row["participant_id"], source=SOURCE, activity_date=row["activity_date"],
        timezone="UTC", day_start_at=datetime.combine(row["activity_date"], time(), UTC),
        step_minute=MINUTES[counts > 0], step_count=counts[counts > 0],
        day_minutes=1440, wear_start=NONE, wear_length=NONE,
        wear_method=None if np.isnan(steps).all() else "steps",
        vendor_steps=None if np.isnan(row["steps"]) else int(row["steps"]),
        era="file", device_model="Fitbit Sense", fetched_at=AS_OF, raw_sha256=("r",),
    )  # fmt: skip


def test_the_files_tell_missing_zero_and_unworn_days_apart(days):
    assert "missing (2633 days) vs zero (86) vs unworn (2329 days with 1440 sedentary" in (
        shared_data("lifesnaps") / "PROVENANCE.md"
    ).read_text(encoding="utf-8")  # of all 71 participants; here are the first 50
    missing, unworn = days["steps"].isna(), days["sedentary_minutes"] == 1440
    assert (days["participant_id"].nunique(), len(days)) == (50, 4832)
    assert (missing.sum(), (days["steps"] == 0).sum(), unworn.sum()) == (1737, 44, 1466)
    assert ((unworn & missing).sum(), (unworn & (days["steps"] > 0)).sum()) == (1425, 6)
    # 4777 of 4777 days of all 71: hourly sums equal daily totals, where both are there.
    assert (days["where"] == "both").sum() == (days["hourly"] == days["steps"]).sum() == 3095
    assert (days["hourly"].isna() == missing).all()
    assert days["counts"].sum() == 2658


def test_minutes_reconcile_with_every_daily_total(built):
    total = built["day_metric"].dropna(subset="vendor_steps")
    assert (len(total), (total["steps"] == total["vendor_steps"]).sum()) == (3095, 3051)
    blank = total[total["steps"].isna()]  # without a minute: unknown, not a zero
    assert blank["vendor_steps"].tolist() == [0] * 44


def test_no_missing_zero_or_unworn_day_is_valid(days, built):
    eligible = built["participant_day"].query("eligible_day")
    seen = eligible.merge(days, on=KEY, how="left", suffixes=("", "_told"))
    missing = seen[seen["steps_told"].isna()]
    # 1,737 days of an empty answer, and 546 between the first and the last without even a row.
    assert (len(missing), missing["where"].isna().sum()) == (2283, 546)
    assert missing["day_state"].unique().tolist() == ["not_worn"]
    assert seen[seen["steps_told"] == 0]["day_state"].tolist() == ["not_worn"] * 44
    assert seen[seen["sedentary_minutes_told"] == 1440]["valid_day"].tolist() == [False] * 1466
    valid = seen[seen["valid_day"]].set_index(KEY)
    assert same(valid["steps"], days[days["counts"]].set_index(KEY)["hourly"])


def test_weeks_participants_and_cohorts_have_the_mean_of_exactly_their_valid_days(days, built):
    valid = days[days["counts"]]
    ours = built["participant_week"].set_index(WEEK)["steps_per_day"]
    means = valid.groupby(WEEK)["hourly"].mean()
    assert same(ours.dropna(), means)  # and blank, not zero, in every other week
    zeros = days[days["counts"] | days["steps"].isna()].fillna({"hourly": 0})
    wrong = zeros.groupby(WEEK)["hourly"].mean().reindex(means.index) != means
    assert (len(means), wrong.sum()) == (473, 115)  # weeks; those that a zero would have changed
    adherence = built["adherence"].set_index("participant_id")
    by_person = valid.groupby("participant_id")["hourly"].mean()
    assert same(adherence["steps_per_day"].dropna(), by_person)
    cohort = built["cohort_week"].query("cohort_kind == 'all'").set_index("study_week")
    assert same(cohort["steps_per_day"].dropna(), means.groupby("study_week").mean())
    # A missing day stays in what is adhered to: 4,832 days with a row and 546 without.
    assert (adherence["valid_days"].sum(), adherence["eligible_days"].sum()) == (2658, 5378)


def test_every_weekly_mean_is_over_the_valid_days(days, built):
    valid = built["day_metric"].merge(days[days["counts"]][[*WEEK, KEY[1]]], on=KEY)
    ours = built["participant_week"].set_index(WEEK)
    for name, mean in WEEKLY_MEANS.items():
        theirs = pd.to_numeric(valid[name]).groupby([valid[key] for key in WEEK]).mean()
        assert same(pd.to_numeric(ours[mean.name]).dropna(), theirs.dropna()), mean.name


def same(ours, theirs):
    """Whether both have the same rows, and the same figures in them."""
    ours, theirs = ours.sort_index(), theirs.sort_index()
    return ours.index.equals(theirs.index) and np.allclose(ours, theirs, rtol=1e-12, atol=0)
