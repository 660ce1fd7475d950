"""How regular a week is: each hour beside the same hour of other days, and beside the next hour.

Witting et al., Biol Psychiatry 1990;27:563, over hours that may be missing.
"""

from __future__ import annotations

from typing import NamedTuple

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from warehouse.study import Study

Reals = npt.NDArray[np.float64]
WEEK_DAYS, HOURS = 7, 24


class Regularity(NamedTuple):
    """Of each week: interdaily stability and intradaily variability; NaN where there is none."""

    stability: Reals
    variability: Reals


def compute_regularity(steps: Reals) -> Regularity:
    """From (weeks, days, hours of the day): steps of consecutive hours, NaN where not known.

    With x the hours, IS = sum_h n_h (mean_h - mean)^2 / sum_i (x_i - mean)^2, which in a week
    without a gap is n sum_h (mean_h - mean)^2 / (p sum_i (x_i - mean)^2), and IV = n sum (x_i -
    x_i-1)^2 / (m sum_i (x_i - mean)^2), m being the pairs of hours known one after the other. Both
    are NaN where all hours are alike.
    """
    weeks, days, hours = steps.shape
    line = steps.reshape(weeks, days * hours)
    known = ~np.isnan(line)
    n = np.maximum(known.sum(axis=1), 1)
    mean = np.nansum(line, axis=1) / n
    spread = np.nansum((line - mean[:, None]) ** 2, axis=1)
    spread[spread == 0] = np.nan
    of_hour = (~np.isnan(steps)).sum(axis=1)
    hourly = np.nansum(steps, axis=1) / np.maximum(of_hour, 1)
    between = (of_hour * (hourly - mean[:, None]) ** 2).sum(axis=1)
    pairs = np.maximum((known[:, 1:] & known[:, :-1]).sum(axis=1), 1)
    jumps = np.nansum(np.diff(line, axis=1) ** 2, axis=1)
    return Regularity(np.minimum(between / spread, 1), n * jumps / (pairs * spread))


def read_week_regularity(con: duckdb.DuckDBPyConnection, study: Study) -> pa.Table:
    """Regularity of each participant's weeks as participant_id, study_week and the columns named.

    Of valid days on which no clock changed; the two figures are blank with fewer of them than the
    protocol asks for.
    """
    days = con.sql(REGULAR_DAYS).to_arrow_table()
    week = np.cumsum(days["begins_week"].to_numpy()) - 1
    first = np.flatnonzero(days["begins_week"].to_numpy())
    steps = np.full((first.size, WEEK_DAYS, HOURS), np.nan)
    hours = pc.list_flatten(days["hour_steps"]).to_numpy().astype(np.float64)
    steps[week, days["day"].to_numpy()] = hours.reshape(-1, HOURS)
    found, counted = compute_regularity(steps), np.bincount(week, minlength=first.size)
    few = counted < study.wear.regularity_days
    columns = {
        "participant_id": days["participant_id"].take(first),
        "study_week": days["study_week"].take(first),
        "regularity_days": pa.array(counted, pa.int32()),
        "interdaily_stability": pa.array(found.stability, mask=few | np.isnan(found.stability)),
        "intradaily_variability": pa.array(
            found.variability, mask=few | np.isnan(found.variability)
        ),
    }
    return pa.table(columns)


REGULAR_DAYS = """
SELECT d.participant_id, d.study_week, (d.study_day - 1) % 7 AS day, m.hour_steps,
    coalesce(lag(d.study_week) OVER (
        PARTITION BY d.participant_id ORDER BY d.study_day
    ) <> d.study_week, true) AS begins_week
FROM participant_day AS d
JOIN day_metric AS m USING (participant_id, source, activity_date)
WHERE d.valid_day AND m.hour_steps IS NOT NULL
ORDER BY d.participant_id, d.study_day
"""
