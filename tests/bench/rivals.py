"""The same work by pandas and by polars, as a user would write it: what ours is set beside.

Nothing here is part of Stepwell. Each is vectorised, and does what it can on the few minutes with
steps alone; the sums of its results must be those of the kernel.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

CADENCES = {
    "cadence_1_19_minutes": 1, "cadence_20_39_minutes": 20, "cadence_40_59_minutes": 40,
    "cadence_60_79_minutes": 60, "cadence_80_99_minutes": 80, "cadence_100_119_minutes": 100,
    "cadence_120_minutes": 120,
}  # fmt: skip
CHECKED = (  # metrics that both ways must agree on, summed over all days
    "steps", "wear_minutes", "wear_hours_with_steps", "max_minute_steps", "cadence_0_minutes",
    *CADENCES, "moderate_minutes", "vigorous_minutes", "mvpa_minutes", "mvpa_equivalent_minutes",
)  # fmt: skip

Sums = dict[str, int]


def pandas_days(bodies: list[bytes]) -> tuple[int, int]:
    import pandas as pd

    points = [point["steps"] for body in bodies for point in json.loads(body)["dataPoints"]]
    rows = [
        (p["interval"]["startTime"], p["interval"]["startUtcOffset"], p.get("count", "0"))
        for p in points
    ]
    frame = pd.DataFrame(rows, columns=["start", "offset", "count"])
    offset = pd.to_timedelta(pd.to_numeric(frame["offset"].str.removesuffix("s")), unit="s")
    local = pd.to_datetime(frame["start"], utc=True) + offset
    frame["day"] = local.dt.floor("D")
    frame["minute"] = local.dt.hour * 60 + local.dt.minute
    frame["count"] = pd.to_numeric(frame["count"])
    by_day = frame.drop_duplicates(["day", "minute"]).groupby("day")["count"].sum()
    return len(frame), int(by_day.sum())


def polars_days(bodies: list[bytes]) -> tuple[int, int]:
    import polars as pl

    points = [point["steps"] for body in bodies for point in json.loads(body)["dataPoints"]]
    told = {
        "start": [p["interval"]["startTime"] for p in points],
        "offset": [p["interval"]["startUtcOffset"] for p in points],
        "count": [p.get("count", "0") for p in points],
    }
    offset = pl.col("offset").str.strip_suffix("s").cast(pl.Int64)
    at = pl.col("start").str.to_datetime("%Y-%m-%dT%H:%M:%SZ") + pl.duration(seconds=offset)
    frame = pl.DataFrame(told).select(at.alias("at"), pl.col("count").cast(pl.Int64))
    frame = frame.with_columns(day=pl.col("at").dt.date(), minute=pl.col("at").dt.truncate("1m"))
    one = frame.unique(["day", "minute"], keep="first", maintain_order=True)
    return frame.height, int(one.group_by("day").agg(pl.col("count").sum())["count"].sum())


def pandas_metrics(narrow: Path, day: int | None) -> Sums:
    import pandas as pd

    keys = ["participant_id", "day"]
    minutes = pd.read_parquet(narrow, filters=None if day is None else [("day", "==", day)])
    days = pd.DataFrame({"wear_minutes": _of_days(minutes[minutes["worn"]], keys).size()})
    walked = minutes[minutes["steps"] > 0]
    days[["steps", "max_minute_steps"]] = _of_days(walked, keys)["steps"].agg(["sum", "max"])
    worn_walks = _of_days(walked[walked["worn"]], keys).size()
    days["cadence_0_minutes"] = days["wear_minutes"] - worn_walks
    edges = [*CADENCES.values(), 1 << 16]
    band = pd.cut(walked["steps"], edges, right=False, labels=[*CADENCES])
    cells = _of_days(walked, [*keys, band]).size().unstack(fill_value=0)
    days = days.join(cells.rename(columns=str))
    for name, cadence in (("moderate_minutes", 100), ("vigorous_minutes", 130)):
        days[name] = _of_days(walked[walked["steps"] >= cadence], keys).size()
    awake = walked[walked["minute"] >= 6 * 60]
    hours = awake.assign(hour=awake["minute"] // 60)[[*keys, "hour"]].drop_duplicates()
    days["wear_hours_with_steps"] = _of_days(hours, keys).size()
    days = days.fillna(0)
    days["mvpa_minutes"] = days["moderate_minutes"]
    days["mvpa_equivalent_minutes"] = days["moderate_minutes"] + days["vigorous_minutes"]
    return {name: int(days[name].sum()) for name in CHECKED}


def polars_metrics(narrow: Path, day: int | None) -> Sums:
    import polars as pl

    steps, worn = pl.col("steps").cast(pl.Int64), pl.col("worn")
    edges = [*CADENCES.values(), 1 << 16]
    bands = {
        name: ((steps >= low) & (steps < high)).sum()
        for name, low, high in zip(CADENCES, edges, edges[1:], strict=False)
    }
    moderate, vigorous = (steps >= 100).sum(), (steps >= 130).sum()
    awake = (steps > 0) & (pl.col("minute") >= 6 * 60)
    minutes = pl.scan_parquet(narrow)
    if day is not None:
        minutes = minutes.filter(pl.col("day") == day)
    days = minutes.group_by("participant_id", "day").agg(
        steps=steps.sum(), wear_minutes=worn.sum(), max_minute_steps=steps.max(),
        cadence_0_minutes=(worn & (steps == 0)).sum(), moderate_minutes=moderate,
        vigorous_minutes=vigorous, mvpa_minutes=moderate,
        mvpa_equivalent_minutes=moderate + vigorous,
        wear_hours_with_steps=(pl.col("minute") // 60).filter(awake).n_unique(), **bands,
    )  # fmt: skip
    sums = days.select(pl.col(name).sum() for name in CHECKED).collect().row(0)
    return {name: int(value) for name, value in zip(CHECKED, sums, strict=True)}


def _of_days(minutes: Any, keys: list[Any]) -> Any:
    return minutes.groupby(keys, observed=True)
