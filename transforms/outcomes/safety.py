"""Answers that raise a safety event, by the instruments' records and the protocol's own rules."""

import duckdb
import pyarrow as pa

from transforms.instruments import read_instruments
from transforms.outcomes.given import given
from warehouse.study import Study


def derive_safety_event(con: duckdb.DuckDBPyConnection, study: Study) -> None:
    """Fill `safety_event` from `response`: a row per answer that a safety rule names.

    The protocol's `safety_events` make adverse and red-flag events of answers to any form mapped in
    study.toml, whether or not it is an instrument. Every source's answer counts, also of a form
    that is rejected or not scored, and a number above the item's range: it is better looked at than
    missed.
    """
    with given(con, safety_rule=_rules(study)):
        con.execute(EVENTS)


EVENTS = """
INSERT INTO safety_event BY NAME
WITH event AS (
    SELECT participant_id, source, visit, instrument, repeat, kind, max(answered_on) AS raised_on
    FROM response
    JOIN safety_rule USING (instrument, item)
    WHERE isfinite(TRY_CAST(trim(value) AS DOUBLE))
        AND TRY_CAST(trim(value) AS DOUBLE) - shift >= at_least
    GROUP BY participant_id, source, visit, instrument, repeat, kind
)
SELECT *, row_number() OVER (
    PARTITION BY participant_id
    ORDER BY raised_on NULLS LAST, instrument, visit, repeat, source, kind
) AS event_number
FROM event
"""


def _rules(study: Study) -> pa.Table:
    rows = []
    for instrument in read_instruments().values():
        coding = study.instruments.get(instrument.code)
        for rule in instrument.safety_rules:
            low = instrument.answer(rule.item).low
            rows.append(
                {
                    "instrument": instrument.code,
                    "item": rule.item,
                    "kind": rule.kind,
                    "at_least": float(rule.at_least),
                    "shift": float(coding.coded_from - low) if coding else 0.0,
                }
            )
    rows += [{**event.model_dump(), "shift": 0.0} for event in study.safety_events]
    return pa.Table.from_pylist(rows, schema=RULES)


RULES = pa.schema(
    {
        "instrument": pa.string(),
        "item": pa.string(),
        "kind": pa.string(),
        "at_least": pa.float64(),
        "shift": pa.float64(),
    }
)
