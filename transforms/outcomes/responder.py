"""Who responded, by each threshold: the protocol's, and those of the instruments' papers."""

from collections.abc import Iterator
from typing import Any

import duckdb
import pyarrow as pa

from transforms.instruments import Scale, read_scales
from transforms.outcomes.evaluable import not_evaluable, points_needed
from transforms.outcomes.given import given
from transforms.outcomes.outcome import is_baseline
from warehouse.study import Outcome, Study


def derive_responder(con: duckdb.DuckDBPyConnection, study: Study) -> None:
    """Fill `responder` from `outcome`: a row per visit after baseline, scale and threshold.

    A threshold given twice (5 points is the protocol's and the paper's) is one row, by the first
    that gives it: the protocol's MCID, its `responders`, the instrument's MIC, its MDC.
    """
    rows = [row for outcome in study.outcomes for row in _thresholds(outcome)]
    thresholds = pa.Table.from_pylist(rows, schema=THRESHOLDS)
    first = [visit.code for visit in study.visits if is_baseline(visit)]
    with given(con, scale_threshold=thresholds):
        con.execute(RESPONDERS, {"baseline_visits": first})


THRESHOLDS = pa.schema(
    {
        "scale": pa.string(),
        "direction": pa.int32(),
        "low": pa.float64(),
        "high": pa.float64(),
        "percent_from_baseline": pa.float64(),
        "change": pa.string(),
        "threshold_kind": pa.string(),
        "threshold": pa.float64(),
        "origin": pa.string(),
    }
)

RESPONDERS = """
INSERT INTO responder BY NAME
WITH judged AS (
    SELECT o.participant_id, o.visit, t.scale, t.change, t.threshold_kind, t.threshold, t.origin,
        {needed} AS needed,
        CASE change WHEN 'worse' THEN -improvement ELSE improvement END AS achieved,
        {not_evaluable} AS not_evaluable
    FROM outcome AS o
    JOIN scale_threshold AS t USING (scale)
    WHERE NOT list_contains($baseline_visits, o.visit)
)
SELECT participant_id, visit, scale, change, threshold_kind, threshold, origin,
    CASE WHEN not_evaluable IS NULL THEN achieved >= needed END AS is_responder,
    not_evaluable
FROM judged
ORDER BY participant_id, visit, scale, change, threshold_kind, threshold
""".replace("{needed}", points_needed("threshold_kind", "threshold")).replace(
    "{not_evaluable}",
    not_evaluable(
        "threshold_kind", "needed", "(CASE change WHEN 'worse' THEN -direction ELSE direction END)"
    ),
)


def _thresholds(outcome: Outcome) -> Iterator[dict[str, Any]]:
    _, scale = read_scales()[outcome.scale]
    seen = set()
    for change, kind, threshold, origin in _given(outcome, scale):
        if (change, kind, threshold) in seen:
            continue
        seen.add((change, kind, threshold))
        yield {
            "scale": scale.code,
            "direction": scale.direction,
            "low": scale.low,
            "high": scale.high,
            "percent_from_baseline": scale.percent_from_baseline,
            "change": change,
            "threshold_kind": kind,
            "threshold": threshold,
            "origin": origin,
        }


def _given(outcome: Outcome, scale: Scale) -> Iterator[tuple[str, str, float, str]]:
    if outcome.mcid is not None:
        yield "better", outcome.mcid_kind, outcome.mcid, "protocol: mcid"
    for responder in outcome.responders:
        yield "worse" if responder.worse else "better", responder.kind, responder.at, "protocol"
    for name, thresholds in (("MIC", scale.mic), ("MDC", scale.mdc)):
        for threshold in thresholds:
            yield "better", threshold.kind, threshold.value, f"{name}: {threshold.source}"
