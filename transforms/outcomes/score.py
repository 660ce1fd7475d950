"""Answers to scores, by the rules each instrument's record states."""

from collections.abc import Iterable

import duckdb
import pyarrow as pa

from transforms.instruments import Instrument, read_instruments
from transforms.outcomes.given import given
from warehouse.study import Study

FIRST_SOURCE = "redcap"  # where two sources have a visit's form, this one; else the first by name


def derive_score(con: duckdb.DuckDBPyConnection, study: Study) -> None:
    """Fill `score` from `response`: a row per participant, visit, scale and repeat.

    Answers to an instrument that has no record stay in `response` and get no score.
    """
    score_responses(con, read_instruments().values())


def score_responses(con: duckdb.DuckDBPyConnection, instruments: Iterable[Instrument]) -> None:
    """Score the answers to these instruments into `score`.

    A form with an answer that is not one of the instrument's is rejected whole, with the reason;
    nothing is coerced. Blank items are filled in within the scale's limit, the score is unrounded.
    Where several sources hold a visit's form one is taken, a source with any answer before one
    with none, and never mixed with another. `answered_on` is the day of the last answer.
    """
    listed = list(instruments)
    with given(con, instrument_item=_items(listed), scale_item=_scale_items(listed)):
        con.execute(SCORES, {"first_source": FIRST_SOURCE})


SCORES = """
INSERT INTO score BY NAME
WITH answer AS (
    SELECT participant_id, source, visit, instrument, repeat, item, answered_on,
        nullif(trim(value), '') AS given, TRY_CAST(nullif(trim(value), '') AS DOUBLE) AS number
    FROM response
),
chosen_source AS (
    SELECT participant_id, visit, instrument,
        arg_min(source, (given_count = 0, source <> $first_source, source)) AS source
    FROM (
        SELECT participant_id, visit, instrument, source, count(given) AS given_count
        FROM answer GROUP BY ALL
    )
    GROUP BY participant_id, visit, instrument
),
checked AS (
    SELECT answer.*, i.position,
        CASE
            WHEN given IS NULL THEN NULL
            WHEN i.item IS NULL THEN 'is not of this instrument'
            WHEN number IS NULL THEN 'is not a number'
            WHEN NOT number BETWEEN i.low AND i.high THEN 'is out of range'
            WHEN number <> round(number, CAST(i.decimals AS INTEGER)) THEN 'has too many decimals'
        END AS fault
    FROM answer
    JOIN chosen_source USING (participant_id, source, visit, instrument)
    LEFT JOIN instrument_item AS i USING (instrument, item)
),
form AS (
    SELECT participant_id, visit, instrument, repeat,
        max(answered_on) AS answered_on,
        count(given) AS form_answered,
        arg_min('rejected: item ' || item || ' ' || fault, (position, item))
            FILTER (WHERE fault IS NOT NULL) AS rejected
    FROM checked
    GROUP BY participant_id, visit, instrument, repeat
),
summed AS (
    SELECT form.*, s.scale, s.items, s.missing_at_most, s.blank_is_not_applicable,
        s.scoring_version,
        count(c.given) AS answered,
        sum(CASE WHEN s.reversed THEN s.low + s.high - c.number ELSE c.number END) AS total
    FROM form
    JOIN scale_item AS s USING (instrument)
    LEFT JOIN checked AS c
        ON c.participant_id = form.participant_id AND c.visit = form.visit
        AND c.instrument = form.instrument AND c.repeat = form.repeat AND c.item = s.item
    GROUP BY ALL
),
judged AS (
    SELECT *,
        CASE
            WHEN rejected IS NOT NULL THEN rejected
            WHEN blank_is_not_applicable AND answered = 0 AND form_answered > 0
                THEN 'not applicable: left blank'
            WHEN items - answered > missing_at_most THEN (items - answered) || ' missing'
        END AS not_scored
    FROM summed
)
SELECT participant_id, visit, instrument, scale, repeat, answered_on,
    CASE WHEN not_scored IS NULL THEN total * items / answered END AS score,
    answered AS items_answered,
    not_scored IS NULL AND answered < items AS prorated,
    not_scored,
    scoring_version
FROM judged
"""


def _items(instruments: list[Instrument]) -> pa.Table:
    return pa.Table.from_pylist(
        [
            {
                "instrument": instrument.code,
                "item": item,
                "position": position,
                "low": float(instrument.item_low),
                "high": float(instrument.item_high),
                "decimals": instrument.item_decimals,
            }
            for instrument in instruments
            for position, item in enumerate(instrument.items)
        ]
    )


def _scale_items(instruments: list[Instrument]) -> pa.Table:
    return pa.Table.from_pylist(
        [
            {
                "instrument": instrument.code,
                "scale": scale.code,
                "item": item,
                "low": float(instrument.item_low),
                "high": float(instrument.item_high),
                "reversed": item in scale.reverse,
                "items": len(scale.items),
                "missing_at_most": scale.missing.at_most,
                "blank_is_not_applicable": scale.blank_is_not_applicable,
                "scoring_version": instrument.scoring_version,
            }
            for instrument in instruments
            for scale in instrument.scales
            for item in scale.items
        ]
    )
